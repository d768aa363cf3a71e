//! Where epochs stand still together: the square at the end, and the phases of a run.

/// How many epochs together are a phase.
const SHORTEST: usize = 3;

/// The start of the largest square that ends with epoch `last` and in which every pair is still: the earliest epoch of
/// those from which on it is still with all later ones, up to `last`. `still` is asked of a later epoch and an earlier one,
/// by place; it is asked no further than the first pair that is not.
pub(super) fn square(last: usize, still: impl Fn(usize, usize) -> bool) -> usize {
    let mut start = last;
    while start > 0 && (start..=last).all(|later| still(later, start - 1)) {
        start -= 1;
    }
    start
}

/// The phases of a run of so many epochs, as first and last place, ascending. They are cut from the end: the last one is the
/// largest square there, the one before it by the same rule among the epochs before it. Where a square has fewer than three
/// epochs, its last one is in no phase, and the rule goes on one epoch earlier.
pub(super) fn phases(epochs: usize, still: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let (mut found, mut end) = (Vec::new(), epochs);
    while let Some(last) = end.checked_sub(1) {
        let start = square(last, &still);
        if last - start + 1 >= SHORTEST {
            found.push((start, last));
            end = start;
        } else {
            end = last;
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs 0 to 3 alike, 4 and 5 different from all, 6 to 8 alike.
    const KINDS: [u8; 9] = [0, 0, 0, 0, 1, 2, 3, 3, 3];

    fn alike(kinds: &[u8]) -> impl Fn(usize, usize) -> bool + '_ {
        |one, other| kinds[one] == kinds[other]
    }

    #[test]
    fn a_run_is_cut_into_phases_from_its_end() {
        assert_eq!(square(8, alike(&KINDS)), 6);
        assert_eq!(phases(9, alike(&KINDS)), [(0, 3), (6, 8)]);
        assert_eq!(phases(8, alike(&KINDS)), [(0, 3)], "two epochs alike are no phase");
        assert!(phases(2, alike(&KINDS)).is_empty() && phases(0, alike(&KINDS)).is_empty());
        assert_eq!(phases(3, alike(&KINDS)), [(0, 2)]);
    }

    /// Every step is still, but three epochs apart are not: a slow walk. The square at the end has three epochs, and so has
    /// the one before it.
    #[test]
    fn small_steps_that_add_up_are_not_still() {
        let near = |one: usize, other: usize| one - other < 3;
        assert_eq!(square(9, near), 7);
        assert_eq!(phases(10, near), [(1, 3), (4, 6), (7, 9)]);
    }

    #[test]
    fn an_odd_epoch_at_the_end_moves_and_the_rest_is_a_phase() {
        assert_eq!(phases(5, alike(&[0, 0, 0, 0, 1])), [(0, 3)]);
        assert_eq!(square(4, alike(&[0, 0, 0, 0, 1])), 4);
    }
}
