//! What one run saw of one image as a row of a figure: the picture, and a tile for every method and target.

use crate::draw::{ColourLimits, MapPart, MapTile, Row, Scale, Tile};
use crate::picture::Picture;
use crate::store::{Explanations, UNKNOWN_CLASS};

/// What a figure's rows are made of: the explanations of one run at one epoch.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    /// The heading of its rows: run, model, epoch.
    pub heading: String,
    /// The explanations of every method, of one panel.
    pub seen: &'a [Explanations],
    /// Class names by index.
    pub classes: &'a [String],
}

/// Which values the colours of a row's maps stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum Scales {
    /// Each map's own.
    Own,
    /// Each map's own, from its least to its greatest value.
    Stretched,
    /// Shared by all images, `[method][target]`; `None` where all maps are zero.
    Common(Vec<Vec<Option<ColourLimits>>>),
}

impl Sight<'_> {
    /// The scales that every image's map fits into, for each method and target.
    pub fn common_scales(&self) -> Scales {
        let of_target = |seen: &Explanations, target: usize| {
            let maps: Vec<_> = (0..seen.images()).filter_map(|image| seen.map(image, target)).collect();
            ColourLimits::of(&maps, MapPart::Signed)
        };
        let of_method = |seen: &Explanations| (0..seen.target_kinds.len()).map(|kind| of_target(seen, kind)).collect();
        Scales::Common(self.seen.iter().map(of_method).collect())
    }

    /// The row of image `index`.
    pub fn row(&self, index: usize, picture: Picture, scales: &Scales) -> Row {
        let Some(any) = self.seen.first() else {
            let tiles = vec![Tile::Picture { title: "picture".to_string(), captions: Vec::new() }];
            return Row { heading: self.heading.clone(), note: String::new(), picture, tiles };
        };
        let probabilities = any.probabilities(index);
        let share =
            |class: i64| probabilities.get(class as usize).map_or(String::new(), |share| format!(" {share:.2}"));
        let label = match any.labels[index] {
            UNKNOWN_CLASS => String::new(),
            label => format!("class: {}", self.name(label)),
        };
        let mut tiles = vec![Tile::Picture { title: "picture".to_string(), captions: vec![label] }];
        for (method, seen) in self.seen.iter().enumerate() {
            for (target, kind) in seen.target_kinds.iter().enumerate() {
                let Some(map) = seen.map(index, target) else { continue };
                let class = seen.targets[index * seen.target_kinds.len() + target];
                let explains = match seen.class_specific {
                    true => format!("for {}{} ({kind})", self.name(class), share(class)),
                    false => "for any class".to_string(),
                };
                let scale = match scales {
                    Scales::Own => Scale::Own,
                    Scales::Stretched => Scale::Stretched,
                    Scales::Common(limits) => limits[method][target].map_or(Scale::Own, Scale::Common),
                };
                tiles.push(Tile::Map(MapTile {
                    map,
                    scale,
                    title: seen.title.clone(),
                    captions: vec![explains, format!("{}, {} × {}", seen.tap, seen.grid[0], seen.grid[1])],
                    warning: (!seen.is_evidence()).then(|| "the head is untrained: noise".to_string()),
                }));
            }
        }
        let predicted = any.predicted[index];
        let verdict = match any.labels[index] {
            UNKNOWN_CLASS => "",
            label if label == predicted => ", right",
            _ => ", wrong",
        };
        let note = format!("predicted {}{}{verdict}", self.name(predicted), share(predicted));
        Row { heading: self.heading.clone(), note, picture, tiles }
    }

    fn name(&self, class: i64) -> &str {
        self.classes.get(class as usize).map_or("?", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::format::tests::sample;

    #[test]
    fn a_row_has_the_picture_and_a_tile_for_every_method_and_target() {
        let seen = [sample()];
        let classes: Vec<String> = (0..seen[0].classes).map(|class| format!("class {class}")).collect();
        let sight = Sight { heading: "run".to_string(), seen: &seen, classes: &classes };
        let row = sight.row(0, Picture::filled(4, 4, [0; 3]), &sight.common_scales());
        assert_eq!(row.tiles.len(), 1 + seen[0].target_kinds.len());
        let Tile::Map(tile) = &row.tiles[1] else { panic!("a map") };
        assert_eq!(Some(&tile.map), seen[0].map(0, 0).as_ref());
        let all: Vec<_> = (0..seen[0].images()).filter_map(|image| seen[0].map(image, 0)).collect();
        assert_eq!(tile.scale, ColourLimits::of(&all, MapPart::Signed).map_or(Scale::Own, Scale::Common));
    }
}
