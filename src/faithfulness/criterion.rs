//! The criteria of faithfulness, by name.

use serde::{Deserialize, Serialize};

/// A number that says how well an explanation tells what a model did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// Area under the insertion curve, in the unit of its score.
    InsertionAuc,
    /// Area under the deletion curve, in the unit of its score.
    DeletionAuc,
    /// ROAD, most relevant first: change of the score.
    RoadMorf,
    /// ROAD, least relevant first: change of the score.
    RoadLerf,
    /// Half of ROAD least relevant first minus most relevant first: change of the score.
    RoadCombined,
    /// Loss of score under the mask; its mean is the average drop.
    AverageDrop,
    /// 1 where the mask raised the score and 0 otherwise; its mean is a share.
    IncreaseInConfidence,
    /// Largest relative change of the map.
    MaxSensitivity,
}

impl Criterion {
    /// Every criterion, in the order of all reports.
    pub const ALL: [Criterion; 8] = [
        Criterion::InsertionAuc,
        Criterion::DeletionAuc,
        Criterion::RoadMorf,
        Criterion::RoadLerf,
        Criterion::RoadCombined,
        Criterion::AverageDrop,
        Criterion::IncreaseInConfidence,
        Criterion::MaxSensitivity,
    ];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Criterion::InsertionAuc => "insertion-auc",
            Criterion::DeletionAuc => "deletion-auc",
            Criterion::RoadMorf => "road-morf",
            Criterion::RoadLerf => "road-lerf",
            Criterion::RoadCombined => "road-combined",
            Criterion::AverageDrop => "average-drop",
            Criterion::IncreaseInConfidence => "increase-in-confidence",
            Criterion::MaxSensitivity => "max-sensitivity",
        }
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Criterion::InsertionAuc => "Insertion AUC",
            Criterion::DeletionAuc => "Deletion AUC",
            Criterion::RoadMorf => "ROAD, most relevant first",
            Criterion::RoadLerf => "ROAD, least relevant first",
            Criterion::RoadCombined => "ROAD, combined",
            Criterion::AverageDrop => "Average drop",
            Criterion::IncreaseInConfidence => "Increase in confidence",
            Criterion::MaxSensitivity => "Max-sensitivity",
        }
    }

    /// Whether a larger value speaks for the explanation.
    pub const fn higher_is_better(self) -> bool {
        use Criterion::{IncreaseInConfidence, InsertionAuc, RoadCombined, RoadLerf};
        matches!(self, InsertionAuc | RoadLerf | RoadCombined | IncreaseInConfidence)
    }
}
