//! How the curves of a plot are told apart: by colour, and where they share one by the mark at their points.

use super::scene::{Dash, Point, Shape};
use crate::picture::Rgb;

/// The colours of methods, in their order: those of the page, so that a thing has one colour wherever it is drawn. They stay
/// apart for colour-blind readers, and each has a contrast of at least 4.5 to white.
const PALETTE: [Rgb; 6] = [
    [0xb3, 0x43, 0x1e],
    [0x1b, 0x6a, 0x87],
    [0x64, 0x52, 0xc4],
    [0x35, 0x75, 0x35],
    [0xa2, 0x32, 0x7f],
    [0x8a, 0x64, 0x00],
];

/// What stands at the points of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// A small filled circle.
    #[default]
    Dot,
    /// A filled square.
    Square,
    /// A filled triangle on its base.
    Triangle,
    /// A filled square on its tip.
    Diamond,
    /// An upright cross.
    Plus,
    /// A diagonal cross.
    Cross,
}

impl Mark {
    const ALL: [Mark; 6] = [Mark::Dot, Mark::Square, Mark::Triangle, Mark::Diamond, Mark::Plus, Mark::Cross];

    /// The mark around a point. Sizes are in points; all but the dot are large enough to be told from it where
    /// curves meet.
    pub(super) fn shapes(self, (x, y): Point, colour: Rgb) -> Vec<Shape> {
        let area = |points: &[Point]| {
            let points = points.iter().map(|&(right, down)| (x + right, y + down)).collect();
            vec![Shape::Area { points, colour, opacity: 1.0 }]
        };
        let cross = |points: [Point; 2]| {
            let line = |(right, down): Point| {
                let points = vec![(x - right, y - down), (x + right, y + down)];
                Shape::Line { points, colour, width: 1.2, dash: Dash::Solid }
            };
            points.map(line).to_vec()
        };
        match self {
            Mark::Dot => vec![Shape::Dot { at: (x, y), radius: 2.1, colour }],
            Mark::Square => area(&[(-2.8, -2.8), (2.8, -2.8), (2.8, 2.8), (-2.8, 2.8)]),
            Mark::Triangle => area(&[(0.0, -3.9), (3.6, 2.6), (-3.6, 2.6)]),
            Mark::Diamond => area(&[(0.0, -4.0), (4.0, 0.0), (0.0, 4.0), (-4.0, 0.0)]),
            Mark::Plus => cross([(4.0, 0.0), (0.0, 4.0)]),
            Mark::Cross => cross([(3.0, 3.0), (3.0, -3.0)]),
        }
    }
}

/// Colour and mark of each of some curves, which are given as the places of what they are of: the same place has the same
/// colour, as has every sixth one, and curves of one colour have a mark each. Of six curves of one colour no two are alike;
/// after that they repeat.
pub fn looks_of_curves(places: &[usize]) -> Vec<(Rgb, Mark)> {
    let mut curves = [0; PALETTE.len()];
    let look = |place: &usize| {
        let colour = place % PALETTE.len();
        curves[colour] += 1;
        (PALETTE[colour], Mark::ALL[(curves[colour] - 1) % Mark::ALL.len()])
    };
    places.iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_curves_differ_in_colour_alone_and_thirty_six_in_colour_or_mark() {
        let looks = looks_of_curves(&(0..37).collect::<Vec<_>>());
        assert!(looks[..6].iter().all(|look| look.1 == Mark::Dot));
        let different: BTreeSet<String> = looks[..36].iter().map(|look| format!("{look:?}")).collect();
        assert_eq!(different.len(), 36);
        assert_eq!(looks[36], looks[0]);
    }

    /// Two targets of the first method, one of the second, and the seventh method, which has the first one's colour.
    #[test]
    fn curves_of_one_place_have_one_colour_and_marks_of_their_own() {
        let found = looks_of_curves(&[0, 0, 1, 6]);
        let expected = [(0, Mark::Dot), (0, Mark::Square), (1, Mark::Dot), (0, Mark::Triangle)];
        assert_eq!(found, expected.map(|(colour, mark)| (PALETTE[colour], mark)));
    }
}
