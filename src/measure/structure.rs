//! Structural similarity: luminance, contrast and structure, window by window.

/// Edge of the window on a grid that is large enough for it, in cells: that of scikit-image.
const LARGEST_WINDOW: usize = 7;
/// The smallest window that has a middle and neighbours.
const SMALLEST_WINDOW: usize = 3;

/// The window for maps of a grid, in cells: the largest odd number that is at most half the shorter side, at least 3
/// and at most 7. So 14 x 14 is seen through 7 x 7 and 7 x 7 through 3 x 3: a window as large as the map would see no
/// structure in it. `None` for a grid with a side shorter than 3.
pub(super) fn fitting_window(grid: [usize; 2]) -> Option<usize> {
    let side = grid[0].min(grid[1]);
    let half = side / 2;
    let odd = if half % 2 == 1 { half } else { half.saturating_sub(1) };
    (side >= SMALLEST_WINDOW).then(|| odd.clamp(SMALLEST_WINDOW, LARGEST_WINDOW))
}

/// A map with the mean and the variance of each of its windows.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    values: Vec<f64>,
    grid: [usize; 2],
    window: usize,
    /// Least and greatest value.
    range: [f64; 2],
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl Moments {
    /// `None` for a window that does not fit.
    pub(super) fn new(values: Vec<f64>, grid: [usize; 2], window: usize) -> Option<Self> {
        if window < SMALLEST_WINDOW || window.is_multiple_of(2) || window > grid[0].min(grid[1]) {
            return None;
        }
        let range = [
            values.iter().copied().fold(f64::INFINITY, f64::min),
            values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ];
        let means = window_means(&values, grid, window);
        let variances = covariances(&values, &values, &means, &means, grid, window);
        Some(Moments { values, grid, window, range, means, variances })
    }

    /// The mean structural similarity of two maps of one grid and window, in [-1, 1]: over all windows
    /// `(2 μx μy + c1)(2 σxy + c2) / ((μx² + μy² + c1)(σx² + σy² + c2))` with sample (co)variances, `c1 = (0.01 R)²`,
    /// `c2 = (0.03 R)²` and `R` the range of both maps' values together. `None` when both are one and the same constant.
    pub(super) fn similarity(&self, other: &Moments) -> Option<f64> {
        let range = self.range[1].max(other.range[1]) - self.range[0].min(other.range[0]);
        if range == 0.0 {
            return None;
        }
        let (c1, c2) = ((0.01 * range).powi(2), (0.03 * range).powi(2));
        let shared = covariances(&self.values, &other.values, &self.means, &other.means, self.grid, self.window);
        let mut sum = 0.0;
        for (index, xy) in shared.iter().enumerate() {
            let (x, y) = (self.means[index], other.means[index]);
            let (xx, yy) = (self.variances[index], other.variances[index]);
            sum += (2.0 * x * y + c1) * (2.0 * xy + c2) / ((x * x + y * y + c1) * (xx + yy + c2));
        }
        Some((sum / shared.len() as f64).clamp(-1.0, 1.0))
    }
}

/// The sample covariance in every window.
fn covariances(x: &[f64], y: &[f64], x_means: &[f64], y_means: &[f64], grid: [usize; 2], window: usize) -> Vec<f64> {
    let products: Vec<f64> = x.iter().zip(y).map(|(x, y)| x * y).collect();
    let count = (window * window) as f64;
    let mut means = window_means(&products, grid, window);
    for ((mean, x_mean), y_mean) in means.iter_mut().zip(x_means).zip(y_means) {
        *mean = count / (count - 1.0) * (*mean - x_mean * y_mean);
    }
    means
}

/// The mean of every window that lies within the grid, by its corner, row by row.
fn window_means(values: &[f64], [rows, cols]: [usize; 2], window: usize) -> Vec<f64> {
    let across = cols - window + 1;
    let in_rows: Vec<f64> =
        values.chunks(cols).flat_map(|row| row.windows(window).map(|cells| cells.iter().sum())).collect();
    let mut means = Vec::with_capacity((rows - window + 1) * across);
    for top in 0..=rows - window {
        for left in 0..across {
            let sum: f64 = (top..top + window).map(|row| in_rows[row * across + left]).sum();
            means.push(sum / (window * window) as f64);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::super::testing::random;
    use super::*;

    /// The similarity of two square maps through a window.
    fn ssim(one: &[f64], other: &[f64], window: usize) -> Option<f64> {
        let side = one.len().isqrt();
        let [one, other] = [one, other].map(|values| Moments::new(values.to_vec(), [side, side], window));
        one?.similarity(&other?)
    }

    #[test]
    fn a_window_fits_its_grid() {
        let windows =
            [(2, None), (3, Some(3)), (4, Some(3)), (7, Some(3)), (10, Some(5)), (14, Some(7)), (28, Some(7))];
        for (side, window) in windows {
            assert_eq!(fitting_window([side, side]), window, "{side}");
            assert_eq!(fitting_window([side, 100]), window, "{side}");
        }
    }

    /// One window, all 0 against all 1: range 1, variances 0, so only luminance counts: c1 / (1 + c1) with c1 = 1e-4.
    #[test]
    fn ssim_of_two_constants_is_their_luminance() {
        let found = ssim(&[0.0; 9], &[1.0; 9], 3).unwrap();
        assert!((found - 1e-4 / 1.0001).abs() < 1e-15, "{found}");
        assert_eq!(ssim(&[1.0; 9], &[1.0; 9], 3), None);
    }

    /// One cell of nine is 9 in one map and another in the other: means 1, variances (81 - 9) / 8 = 9, covariance
    /// (0 - 9) / 8, range 9, so c1 = 0.0081 and c2 = 0.0729.
    #[test]
    fn ssim_follows_its_formula_in_one_window() {
        let at = |cell: usize| -> [f64; 9] { std::array::from_fn(|at| if at == cell { 9.0 } else { 0.0 }) };
        let found = ssim(&at(0), &at(4), 3).unwrap();
        let expected = (-2.25 + 0.0729) / (18.0 + 0.0729);
        assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    }

    #[test]
    fn a_map_is_exactly_like_itself_and_no_window_is_guessed() {
        let map: Vec<f64> = random(14, 14, 1).values().iter().map(|&value| f64::from(value)).collect();
        assert_eq!(ssim(&map, &map, 7), Some(1.0));
        for window in [0, 1, 4, 15] {
            assert_eq!(ssim(&map, &map, window), None);
        }
    }
}
