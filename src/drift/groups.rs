//! Which images an estimate is of: by what happened to the prediction, and by class.

use serde::{Deserialize, Serialize};

use crate::store::{ALL_IMAGES, Explanations, UNKNOWN_CLASS};

/// What happened to the prediction of an image between two epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Right at both.
    StaysRight,
    /// Wrong at the reference, right now.
    BecomesRight,
    /// Right at the reference, wrong now.
    BecomesWrong,
    /// Wrong at both, whether or not for the same class.
    StaysWrong,
}

impl Outcome {
    /// Every outcome, in the order of all reports.
    pub const ALL: [Outcome; 4] =
        [Outcome::StaysRight, Outcome::BecomesRight, Outcome::BecomesWrong, Outcome::StaysWrong];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::StaysRight => "stays-right",
            Outcome::BecomesRight => "becomes-right",
            Outcome::BecomesWrong => "becomes-wrong",
            Outcome::StaysWrong => "stays-wrong",
        }
    }
}

/// What happened to each image's prediction since `reference`; `None` where the true class is not known. `[N]`.
///
/// Both must be of one panel.
pub fn outcomes(current: &Explanations, reference: &Explanations) -> Vec<Option<Outcome>> {
    let pairs = reference.predicted.iter().zip(&current.predicted);
    let outcome = |(&label, (&before, &now)): (&i64, (&i64, &i64))| {
        let happened = match (before == label, now == label) {
            (true, true) => Outcome::StaysRight,
            (false, true) => Outcome::BecomesRight,
            (true, false) => Outcome::BecomesWrong,
            (false, false) => Outcome::StaysWrong,
        };
        (label != UNKNOWN_CLASS).then_some(happened)
    };
    current.labels.iter().zip(pairs).map(outcome).collect()
}

/// Some images of a panel.
pub(super) struct Group {
    /// As in [`crate::store::DriftEstimate::group`].
    pub(super) name: String,
    /// Their indices, ascending.
    pub(super) members: Vec<usize>,
}

/// The whole panel.
pub(super) fn all(images: usize) -> Group {
    Group { name: ALL_IMAGES.to_string(), members: (0..images).collect() }
}

/// The panel by outcome, then by class. Groups without an image are left out.
pub(super) fn split(current: &Explanations, reference: &Explanations, classes: &[String]) -> Vec<Group> {
    let outcomes = outcomes(current, reference);
    let by_outcome = Outcome::ALL.into_iter().map(|outcome| Group {
        name: outcome.name().to_string(),
        members: indices(&outcomes, |found| *found == Some(outcome)),
    });
    let by_class = classes.iter().enumerate().map(|(class, name)| Group {
        name: format!("class:{name}"),
        members: indices(&current.labels, |&label| label == class as i64),
    });
    by_outcome.chain(by_class).filter(|group| !group.members.is_empty()).collect()
}

fn indices<T>(items: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    items.iter().enumerate().filter(|(_, item)| wanted(item)).map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::explanations;
    use super::*;

    /// Labels 0, 0, 1, 1 and one unknown; predicted 0, 1, 0, 0 before and 0, 0, 1, 0 now, with the second image turned
    /// round.
    #[test]
    fn images_are_split_by_outcome_and_by_class() {
        let labels = vec![0, 0, 1, 1, UNKNOWN_CLASS];
        let at = |predicted: [i64; 5]| Explanations {
            labels: labels.clone(),
            predicted: predicted.to_vec(),
            ..explanations("grad-cam", 1, 5)
        };
        let (before, now) = (at([0, 0, 0, 0, 0]), at([0, 1, 1, 0, 0]));
        let groups = split(&now, &before, &["plain".into(), "striped".into(), "absent".into()]);
        let found: Vec<(&str, &[usize])> =
            groups.iter().map(|group| (group.name.as_str(), group.members.as_slice())).collect();
        let expected: [(&str, &[usize]); 6] = [
            ("stays-right", &[0]),
            ("becomes-right", &[2]),
            ("becomes-wrong", &[1]),
            ("stays-wrong", &[3]),
            ("class:plain", &[0, 1]),
            ("class:striped", &[2, 3]),
        ];
        assert_eq!(found, expected);
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
    }
}
