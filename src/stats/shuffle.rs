//! Random permutations.

/// A random permutation of `length` items that is one cycle: where each item goes, and none of two or more stays where it
/// is. `below` draws a number from 0 up to its argument, which is left out.
///
/// # Source
///
/// Sattolo 1986, "An algorithm to generate a random cyclic permutation".
pub fn derangement(length: usize, mut below: impl FnMut(usize) -> usize) -> Vec<usize> {
    let mut items: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        items.swap(last, below(last));
    }
    items
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn no_item_stays_in_a_derangement_and_none_is_lost() {
        let mut generator = crate::seed::chance();
        for length in 0..40 {
            let mut items = derangement(length, |end| generator.random_range(0..end));
            assert!(length < 2 || items.iter().enumerate().all(|(from, &to)| from != to), "{items:?}");
            items.sort_unstable();
            assert!(items.into_iter().eq(0..length));
        }
    }

    /// On paper: 0 1 2 3, with the first place drawn each time, becomes 3 1 2 0, then 2 1 3 0, then 1 2 3 0; with the
    /// neighbour drawn each time 0 1 3 2, then 0 3 1 2, then 3 0 1 2.
    #[test]
    fn items_are_swapped_from_the_last_down() {
        assert_eq!(derangement(4, |_| 0), [1, 2, 3, 0]);
        assert_eq!(derangement(4, |end| end - 1), [3, 0, 1, 2]);
    }
}
