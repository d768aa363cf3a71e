//! The parameter-randomisation sanity check: an explanation of what was learnt must change when that is taken away.
//!
//! The caller replaces the model's parameters by random ones, from the head downwards, one more stage each time, and
//! explains the panel again; here the maps are compared. How alike maps are by chance is measured beside: low similarity
//! is only good news when it is down at chance, and high similarity only bad news when it is above.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::control::random_map;
use super::similarity::Similarity;
use super::summary::Summary;
use crate::measure::Heatmap;
use crate::seed::{Purpose, generator};
use crate::stats::{Resamples, derangement};

/// How many pairings of the panel chance is averaged over.
const PAIRINGS: u64 = 8;

/// The panel, explained by a model of which a part is random.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// Down to where it is random, in the words of the model: `"head"`, `"layer4"`, `"blocks.7"`, …
    pub name: &'a str,
    /// One map an image, in panel order. `[N]`.
    pub maps: &'a [Heatmap],
}

/// A stage that is not of the panel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stage {stage} has {found} maps, the panel has {expected}")]
pub struct RandomisationError {
    /// Its name.
    pub stage: String,
    /// Maps of the trained model.
    pub expected: usize,
    /// Maps of the stage.
    pub found: usize,
}

/// How alike maps are, over the panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageSimilarity {
    /// The stage's name.
    pub stage: String,
    /// By [`Similarity::ALL`], 1 for the same map.
    pub similarity: Vec<(Similarity, Summary)>,
}

/// The result of the sanity check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Randomisation {
    /// Of the trained model's map with that of each stage, in the order given.
    pub stages: Vec<StageSimilarity>,
    /// Of the trained model's map with its map of another image. Above [`Randomisation::random`] by what all maps of a
    /// model share, a bright centre for example.
    #[serde(rename = "mismatched")]
    pub chance: StageSimilarity,
    /// Of the trained model's map with a map of independent random cells.
    pub random: StageSimilarity,
}

/// Compares the maps of a trained model with those of its randomised versions.
///
/// Maps of any stage must explain the same classes as `trained` does. An image whose maps do not compare, one being
/// constant for example, counts as undefined in that stage's summaries.
///
/// # Errors
///
/// When a stage has not one map for each of `trained`.
///
/// # Source
///
/// Adebayo et al. 2018, "Sanity Checks for Saliency Maps", the cascading version; Quantus 0.6.0 `MPRT`, whose
/// default similarity is Spearman's.
pub fn randomisation(
    trained: &[Heatmap],
    stages: &[Stage<'_>],
    seed: u64,
    resamples: &Resamples,
) -> Result<Randomisation, RandomisationError> {
    let compare = |stage: &Stage<'_>| {
        if stage.maps.len() != trained.len() {
            let (expected, found) = (trained.len(), stage.maps.len());
            return Err(RandomisationError { stage: stage.name.to_string(), expected, found });
        }
        let with = |similarity: Similarity, image: usize| similarity.between(&trained[image], &stage.maps[image]);
        Ok(summed(stage.name, trained.len(), resamples, with))
    };
    let stages = stages.iter().map(compare).collect::<Result<Vec<_>, _>>()?;
    let partners: Vec<Vec<usize>> = (0..PAIRINGS).map(|pairing| partners(trained.len(), seed, pairing)).collect();
    let chance = |similarity: Similarity, image: usize| {
        let others = partners.iter().map(|partners| partners[image]).filter(|&other| other != image);
        let values: Vec<f64> =
            others.filter_map(|other| similarity.between(&trained[image], &trained[other])).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let random = |similarity: Similarity, image: usize| {
        similarity.between(&trained[image], &random_map(trained[image].grid(), seed, image as u64, 0))
    };
    Ok(Randomisation {
        stages,
        chance: summed("mismatched", trained.len(), resamples, chance),
        random: summed("random", trained.len(), resamples, random),
    })
}

/// Every similarity, summed up over the panel.
fn summed(
    stage: &str,
    images: usize,
    resamples: &Resamples,
    between: impl Fn(Similarity, usize) -> Option<f64>,
) -> StageSimilarity {
    let summary = |similarity| {
        let values: Vec<Option<f64>> = (0..images).map(|image| between(similarity, image)).collect();
        (similarity, Summary::of(&values, resamples))
    };
    StageSimilarity { stage: stage.to_string(), similarity: Similarity::ALL.into_iter().map(summary).collect() }
}

/// A random pairing of `count` images with one another, in which no image of two or more is its own partner.
fn partners(count: usize, seed: u64, pairing: u64) -> Vec<usize> {
    let mut generator = generator(seed, Purpose::Control, &[0, pairing]);
    derangement(count, |end| generator.random_range(0..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(count: u64, seed: u64) -> Vec<Heatmap> {
        (0..count).map(|image| random_map([7, 7], seed, image, 9)).collect()
    }

    fn resamples(images: usize) -> Resamples {
        Resamples::new(100, images)
    }

    fn mean(stage: &StageSimilarity, similarity: Similarity) -> f64 {
        stage.similarity.iter().find(|(name, _)| *name == similarity).unwrap().1.mean.unwrap()
    }

    #[test]
    fn the_same_maps_are_alike_and_independent_ones_are_at_chance() {
        let (trained, other) = (maps(60, 1), maps(60, 2));
        let stages = [Stage { name: "trained", maps: &trained }, Stage { name: "head", maps: &other }];
        let found = randomisation(&trained, &stages, 3, &resamples(60)).unwrap();
        assert_eq!(found.stages.iter().map(|stage| stage.stage.as_str()).collect::<Vec<_>>(), ["trained", "head"]);
        for similarity in Similarity::ALL {
            assert!((mean(&found.stages[0], similarity) - 1.0).abs() < 1e-12);
            let chance = mean(&found.chance, similarity);
            // Of 60 pairs of 49 cells the mean correlation has standard error 1 / sqrt(48 * 60) = 0.019.
            for stage in [&found.stages[1], &found.random] {
                assert!((mean(stage, similarity) - chance).abs() < 0.08, "{similarity:?}");
            }
        }
        assert!(mean(&found.chance, Similarity::Spearman).abs() < 0.08);
        assert_eq!(randomisation(&trained, &stages, 3, &resamples(60)).unwrap(), found);
    }

    /// All maps rise to the right, so any two are alike although nothing was learnt from the image.
    #[test]
    fn what_all_maps_share_shows_as_chance() {
        let rising = |image: u64| {
            let values =
                random_map([7, 7], 5, image, 0).values().iter().enumerate().map(|(at, v)| at as f32 + v).collect();
            Heatmap::new(7, 7, values).unwrap()
        };
        let trained: Vec<Heatmap> = (0..10).map(rising).collect();
        let found = randomisation(&trained, &[], 1, &resamples(10)).unwrap();
        assert!(mean(&found.chance, Similarity::Spearman) > 0.99);
        assert!(mean(&found.random, Similarity::Spearman).abs() < 0.2);
    }

    #[test]
    fn a_flat_map_is_undefined_and_a_missing_one_an_error() {
        let trained = maps(3, 1);
        let mut flat = trained.clone();
        flat[1] = Heatmap::new(7, 7, vec![0.0; 49]).unwrap();
        let stages = [Stage { name: "head", maps: &flat }];
        let found = randomisation(&trained, &stages, 1, &resamples(3)).unwrap();
        assert!(found.stages[0].similarity.iter().all(|(_, summary)| (summary.defined, summary.undefined) == (2, 1)));
        let error = randomisation(&trained, &[Stage { name: "head", maps: &trained[1..] }], 1, &resamples(3));
        assert_eq!(error.unwrap_err().to_string(), "stage head has 2 maps, the panel has 3");
        let single = randomisation(&trained[..1], &[], 1, &resamples(1)).unwrap();
        assert_eq!(single.chance.similarity[0].1.undefined, 1);
    }
}
