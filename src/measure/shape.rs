//! What a distribution of evidence over a grid is like: how widely it spreads and how unevenly; and how much evidence
//! there is.

/// Shannon entropy of a distribution, `-sum p ln p`, in nats.
pub(super) fn entropy(shares: &[f64]) -> f64 {
    // Adding 0 makes the 0 of a single cell a positive one.
    -shares.iter().filter(|&&share| share > 0.0).map(|share| share * share.ln()).sum::<f64>() + 0.0
}

/// `exp(entropy) / n`: the share of the grid that the evidence would fill if it were spread evenly, at most 1.
pub(super) fn effective_area(shares: &[f64]) -> f64 {
    (entropy(shares).exp() / shares.len() as f64).min(1.0)
}

/// Gini coefficient of shares in descending order.
pub(super) fn gini(descending: &[f64]) -> f64 {
    let count = descending.len() as f64;
    let weighted = |(rank, share): (usize, &f64)| (count - 1.0 - 2.0 * rank as f64) * share;
    (descending.iter().enumerate().map(weighted).sum::<f64>() / count).max(0.0)
}

/// The sum of the first `count` of shares in descending order, at most 1.
pub(super) fn top_mass(descending: &[f64], count: usize) -> f64 {
    descending[..count].iter().sum::<f64>().min(1.0)
}

/// Shares in descending order.
pub(super) fn sorted(mut shares: Vec<f64>) -> Vec<f64> {
    shares.sort_by(|left, right| right.total_cmp(left));
    shares
}

/// Where the evidence lies on average, `[x, y]` in units of the grid's sides, from the top left corner, each in (0, 1).
///
/// # Source
///
/// `scipy.ndimage.center_of_mass`, whose cells have their centres at whole numbers.
pub(super) fn centre(shares: &[f64], grid: [usize; 2]) -> [f64; 2] {
    let places = places(grid).zip(shares);
    places.fold([0.0; 2], |sum, ([x, y], share)| [sum[0] + x * share, sum[1] + y * share])
}

/// Root mean square distance of the evidence from its centre, in units of the grid's sides.
pub(super) fn spread(shares: &[f64], grid: [usize; 2]) -> f64 {
    let [centre_x, centre_y] = centre(shares, grid);
    let squared = |([x, y], share): ([f64; 2], &f64)| ((x - centre_x).powi(2) + (y - centre_y).powi(2)) * share;
    places(grid).zip(shares).map(squared).sum::<f64>().sqrt()
}

/// The centres of all cells, `[x, y]` in units of the grid's sides, row by row.
pub(super) fn places([rows, cols]: [usize; 2]) -> impl Iterator<Item = [f64; 2]> {
    let middle = |index: usize, count: usize| (index as f64 + 0.5) / count as f64;
    (0..rows).flat_map(move |row| (0..cols).map(move |col| [middle(col, cols), middle(row, rows)]))
}

/// Evidence for the class, `sum max(v, 0)` of raw values.
pub(super) fn positive_mass(values: &[f64]) -> f64 {
    values.iter().map(|value| value.max(0.0)).sum()
}

/// Evidence against the class, `sum max(-v, 0)` of raw values.
pub(super) fn negative_mass(values: &[f64]) -> f64 {
    values.iter().map(|value| (-value).max(0.0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p = (1/2, 1/4, 1/4, 0): entropy ½ ln 2 + ½ ln 4 = 1.5 ln 2, effective area 2√2 / 4; ascending 0, ¼, ¼, ½ weighted
    /// by -3, -1, 1, 3: Gini 1.5 / 4; half of the mass in the first cell, all of it in three.
    #[test]
    fn concentration_follows_its_formulas() {
        let shares = [0.5, 0.25, 0.25, 0.0];
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-15, "{found:?}");
        close(entropy(&shares), 1.5 * 2f64.ln());
        close(effective_area(&shares), 0.5f64.sqrt());
        close(gini(&shares), 0.375);
        close(top_mass(&shares, 1), 0.5);
        close(top_mass(&shares, 3), 1.0);
    }

    #[test]
    fn one_cell_and_the_uniform_map_are_the_extremes() {
        let (one, uniform) = ([1.0, 0.0, 0.0, 0.0], [0.25; 4]);
        assert_eq!((entropy(&one), effective_area(&one)), (0.0, 0.25));
        assert_eq!((gini(&one), spread(&one, [1, 4])), (0.75, 0.0));
        assert!((effective_area(&uniform) - 1.0).abs() < 1e-15);
        assert_eq!(effective_area(&[1.0 / 12.0; 12]), 1.0, "1.0000000000000009 without its bound");
        assert_eq!(gini(&uniform), 0.0);
    }

    /// Half of the evidence at x = 1/8 and half at 7/8 of a row: the centre is the middle, each 3/8 away from it.
    #[test]
    fn spread_is_the_distance_from_the_centre() {
        let shares = [0.5, 0.0, 0.0, 0.5];
        assert_eq!(centre(&shares, [1, 4]), [0.5, 0.5]);
        assert_eq!(spread(&shares, [1, 4]), 0.375);
    }

    #[test]
    fn evidence_for_and_against_is_counted_apart() {
        let values = [2.0, -0.5, 1.0, -0.25];
        assert_eq!((positive_mass(&values), negative_mass(&values)), (3.0, 0.75));
        assert_eq!((positive_mass(&[0.0; 2]), negative_mass(&[0.0; 2])), (0.0, 0.0));
    }
}
