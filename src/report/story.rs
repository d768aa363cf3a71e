//! What a run's epochs saw of one image, read back from its files: the rows of its figure, and the scales epochs share.

use super::row::{Scales, Sight};
use crate::draw::{ColourLimits, FigureError, MapPart, Row};
use crate::picture::{self, Picture, PictureError};
use crate::store::{Explanations, RunInfo, RunReader, StoreError};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Why a run's epochs cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// A file of the run could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the panel is no picture.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The panel has no image of this number.
    #[error("{run}: the panel has {images} images, counted from 0; found image {image}")]
    NoImage {
        /// The run's directory.
        run: PathBuf,
        /// The image asked for.
        image: usize,
        /// How many there are.
        images: usize,
    },
    /// No explanations, or none by the explainers asked for.
    #[error("{run}: no epoch holds explanations{}", by(explainers))]
    NoEvidence {
        /// The run's directory.
        run: PathBuf,
        /// The explainers asked for; none for any.
        explainers: Vec<String>,
    },
    /// Two runs' panels have different images at this place.
    #[error("image {image} is {found} in {run}, expected {expected} as in the first run")]
    OtherImage {
        /// The run's directory.
        run: PathBuf,
        /// The image asked for.
        image: usize,
        /// Its id in the first run.
        expected: String,
        /// Its id in this one.
        found: String,
    },
}

/// The end of the message that explanations are missing: by whom.
fn by(explainers: &[String]) -> String {
    if explainers.is_empty() { String::new() } else { format!(" by {}", explainers.join(" or ")) }
}

/// One run's explanations of one panel image, epoch by epoch.
#[derive(Clone, Debug)]
pub struct Story {
    info: RunInfo,
    image: usize,
    picture: Picture,
    epochs: BTreeMap<usize, Vec<Explanations>>,
}

impl Story {
    /// Reads the explanations of one image, counted from 0 in panel order, by the named explainers, or by all where
    /// `explainers` is empty. Epochs without explanations are left out.
    ///
    /// # Errors
    ///
    /// When there is no such image, no epoch holds an explanation, or a file cannot be read.
    pub fn read(run: &RunReader, image: usize, explainers: &[String]) -> Result<Story, StoryError> {
        let images = run.info().panel.ids.len();
        if image >= images {
            return Err(StoryError::NoImage { run: run.dir().to_path_buf(), image, images });
        }
        let mut epochs = BTreeMap::new();
        for &epoch in run.epochs() {
            let names = run.explainers(epoch)?;
            let wanted = names.iter().filter(|name| explainers.is_empty() || explainers.contains(name));
            let seen: Vec<Explanations> = wanted.map(|name| run.explanations(epoch, name)).collect::<Result<_, _>>()?;
            if !seen.is_empty() {
                epochs.insert(epoch, seen);
            }
        }
        if epochs.is_empty() {
            return Err(StoryError::NoEvidence { run: run.dir().to_path_buf(), explainers: explainers.to_vec() });
        }
        let picture =
            picture::of_bytes(&run.panel_image(image)?, &run.panel_image_path(image), picture::Limits::default())?;
        Ok(Story { info: run.info().clone(), image, picture, epochs })
    }

    /// Reads the same image of several runs, which may be of different models but must have the same panel there.
    ///
    /// # Errors
    ///
    /// As [`Story::read`], and when the runs' panels have different images at this place.
    pub fn read_all(runs: &[RunReader], image: usize, explainers: &[String]) -> Result<Vec<Story>, StoryError> {
        let stories: Vec<Story> =
            runs.iter().map(|run| Story::read(run, image, explainers)).collect::<Result<_, _>>()?;
        let id = |story: &Story| story.info.panel.ids[image].clone();
        for (run, story) in runs.iter().zip(&stories) {
            let (expected, found) = (id(&stories[0]), id(story));
            if found != expected {
                return Err(StoryError::OtherImage { run: run.dir().to_path_buf(), image, expected, found });
            }
        }
        Ok(stories)
    }

    /// The epochs that hold explanations, ascending; at least one.
    pub fn epochs(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.epochs.keys().copied()
    }

    /// The image's id.
    pub fn id(&self) -> &str {
        &self.info.panel.ids[self.image]
    }

    /// The image as the model saw it.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The image's place in the panel.
    pub fn image(&self) -> usize {
        self.image
    }

    /// The run's name.
    pub fn run(&self) -> &str {
        &self.info.name
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.info.model
    }

    /// A class, or its number where it has no name.
    pub fn class(&self, index: i64) -> String {
        let named = usize::try_from(index).ok().and_then(|index| self.info.classes.get(index));
        named.cloned().unwrap_or_else(|| format!("class {index}"))
    }

    /// The explanations at `epoch`; where there are none, those of the last epoch before it, or else of the first one. With
    /// the number of the epoch that was found.
    pub fn at(&self, epoch: usize) -> (usize, &[Explanations]) {
        let before = self.epochs.range(..=epoch).next_back();
        before.or_else(|| self.epochs.first_key_value()).map_or((epoch, &[]), |(&epoch, seen)| (epoch, seen.as_slice()))
    }

    /// The limits that show all of one explainer's maps of this image at every epoch; those of an untrained head do not
    /// count. `None` where nothing was found at any.
    pub fn limits(&self, explainer: &str, target: usize, part: MapPart) -> Option<ColourLimits> {
        let of_it = self.epochs.values().flatten().filter(|seen| seen.explainer == explainer && seen.is_evidence());
        let maps: Vec<_> = of_it.filter_map(|seen| seen.map(self.image, target)).collect();
        ColourLimits::of(&maps, part)
    }

    /// The image's row at an epoch, see [`Story::at`]. Every map has the limits of its method at all epochs.
    pub fn row(&self, epoch: usize, part: MapPart) -> Row {
        let (epoch, seen) = self.at(epoch);
        let of_method = |one: &Explanations| {
            let targets = 0..one.target_kinds.len();
            targets.map(|target| self.limits(&one.explainer, target, part)).collect()
        };
        let limits = seen.iter().map(of_method).collect();
        let (run, model) = (self.run(), self.model());
        let whose = if run == model { run.to_string() } else { format!("{run} · {model}") };
        let sight = Sight { heading: format!("{whose} · epoch {epoch}"), seen, classes: &self.info.classes };
        sight.row(self.image, self.picture.clone(), &Scales::Common(limits))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::draw::{Scale, Tile};
    use crate::fsx;
    use crate::store::format::title_of;
    use std::path::Path;

    /// Two images of 2 x 2 maps under a method; logits of ln 3 and 0 give probabilities of 3/4 and 1/4.
    pub(in crate::report) fn seen(explainer: &str, maps: [f32; 8]) -> Explanations {
        Explanations {
            explainer: explainer.into(),
            title: title_of(explainer),
            settings: serde_json::Value::Null,
            tap: "layer4".into(),
            class_specific: explainer != "rollout",
            untrained_head: false,
            panel_digest: "0123".into(),
            image_ids: vec!["x".into(), "y".into()],
            target_kinds: vec!["label".into()],
            grid: [2, 2],
            maps: maps.to_vec(),
            floor_maps: vec![0.0; 8],
            layer_maps: None,
            attention_distance: None,
            completeness_gap: None,
            targets: vec![0, 1],
            predicted: vec![0, 0],
            labels: vec![0, 1],
            logits: [3.0_f32.ln(), 0.0].repeat(2),
            classes: 2,
        }
    }

    /// A run of grey 4 x 4 pictures; each epoch holds what is given.
    pub(in crate::report) fn run_of(dir: &Path, epochs: &[(usize, Vec<Explanations>)]) -> RunReader {
        let run = crate::store::tests::write_run(dir, epochs);
        fsx::create_dir_all(&dir.join("panel")).unwrap();
        for image in 0..2 {
            fsx::write_atomic(&run.panel_image_path(image), &Picture::filled(4, 4, [100; 3]).png().unwrap()).unwrap();
        }
        run
    }

    #[test]
    fn epochs_share_limits_to_which_an_untrained_head_adds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let untrained = Explanations { untrained_head: true, ..seen("grad-cam", [9.0; 8]) };
        let epochs = [
            (0, vec![untrained]),
            (1, vec![seen("grad-cam", [0.0, 1.0, 2.0, 3.0, 8.0, 8.0, 8.0, 8.0])]),
            (2, vec![seen("grad-cam", [0.0, 1.0, -4.0, 0.0, 8.0, 8.0, 8.0, 8.0])]),
        ];
        let story = Story::read(&run_of(dir.path(), &epochs), 0, &[]).unwrap();
        let limits = |part| story.limits("grad-cam", 0, part);
        assert_eq!(limits(MapPart::Signed), Some(ColourLimits { low: -4.0, high: 4.0 }));
        assert_eq!(limits(MapPart::Positive), Some(ColourLimits { low: 0.0, high: 3.0 }));
        let row = story.row(0, MapPart::Signed);
        assert_eq!(row.heading, "r · resnet50 · epoch 0");
        let Tile::Map(first) = &row.tiles[1] else { panic!("a map") };
        assert_eq!(first.scale, Scale::Common(ColourLimits { low: -4.0, high: 4.0 }));
        assert!(first.warning.is_some(), "an untrained head is pointed out");
        assert_eq!([0, 1, 7].map(|epoch| story.at(epoch).0), [0, 1, 2]);
    }

    #[test]
    fn what_does_not_exist_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let run = run_of(dir.path(), &[(1, vec![seen("grad-cam", [1.0; 8])])]);
        let error = Story::read(&run, 2, &[]).unwrap_err().to_string();
        assert!(error.ends_with("the panel has 2 images, counted from 0; found image 2"), "{error}");
        let error = Story::read(&run, 0, &["occlusion".into()]).unwrap_err().to_string();
        assert!(error.ends_with("no epoch holds explanations by occlusion"), "{error}");
    }

    #[test]
    fn runs_side_by_side_must_show_one_image() {
        let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let epochs = [(1, vec![seen("grad-cam", [1.0; 8])])];
        let mut renamed = seen("grad-cam", [1.0; 8]);
        renamed.image_ids[0] = "z".to_string();
        let first = run_of(one.path(), &epochs);
        let second = run_of(other.path(), &[(1, vec![renamed])]);
        let error = Story::read_all(&[first.clone(), second.clone()], 0, &[]).unwrap_err();
        assert!(matches!(error, StoryError::OtherImage { image: 0, .. }), "{error}");
        assert_eq!(Story::read_all(&[first, second], 1, &[]).unwrap().len(), 2);
    }
}
