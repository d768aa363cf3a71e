//! Bootstrap intervals: how much a mean over the panel would vary with other images.
//!
//! Every estimate of a panel is recomputed on the same resampled panels, so which images are drawn is decided once.

use rand::RngExt;
use rayon::prelude::*;

use super::quantile::quantile;
use crate::seed::{Purpose, generator};

/// How many resampled panels an interval is made from by default.
pub const RESAMPLES: usize = 1000;
/// Of the resampled values this share lies below the interval, and as much above: 95 % are within.
const OUTSIDE: f64 = 0.025;
/// Seeds the draws: the same for every run, so that the same values have the same interval.
const SEED: u64 = 0;

/// Numbers by image and column; `None` where one is not defined.
#[derive(Clone, Debug)]
pub struct Table {
    columns: usize,
    values: Vec<Option<f64>>,
}

impl Table {
    /// `[images, columns]`, image by image.
    pub fn new(columns: usize, values: Vec<Option<f64>>) -> Self {
        Table { columns, values }
    }

    /// `[images, columns]` from a function of image and column; images in parallel.
    pub fn of(images: usize, columns: usize, value: impl Fn(usize, usize) -> Option<f64> + Sync) -> Self {
        let row = |image| (0..columns).map(|column| value(image, column)).collect::<Vec<_>>();
        let rows: Vec<Vec<Option<f64>>> = (0..images).into_par_iter().map(row).collect();
        Table { columns, values: rows.concat() }
    }

    /// The number of an image in a column.
    pub fn at(&self, image: usize, column: usize) -> Option<f64> {
        self.values[image * self.columns + column]
    }

    /// One column, by image.
    pub fn column(&self, column: usize) -> Vec<Option<f64>> {
        self.values.iter().skip(column).step_by(self.columns.max(1)).copied().collect()
    }

    /// Mean and number of the defined values of a column over some rows, summed in their order; no mean without any.
    pub fn mean(&self, column: usize, rows: impl Iterator<Item = usize>) -> (Option<f64>, usize) {
        let defined = rows.filter_map(|row| self.at(row, column));
        let (sum, count) = defined.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
        ((count > 0).then(|| sum / count as f64), count)
    }
}

/// Panels drawn with replacement from a panel: how often each image is in each.
#[derive(Clone, Debug)]
pub struct Resamples {
    images: usize,
    /// `[resamples][images]`
    panels: Vec<Vec<u16>>,
}

impl Resamples {
    /// `resamples` panels of `images` images; the same for the same numbers.
    pub fn new(resamples: usize, images: usize) -> Self {
        let mut generator = generator(SEED, Purpose::Bootstrap, &[images as u64]);
        let mut panel = || {
            let mut counts = vec![0; images];
            for _ in 0..images {
                // In u64: the draws, and so the intervals, are then the same on 32-bit machines.
                counts[generator.random_range(0..images as u64) as usize] += 1;
            }
            counts
        };
        Resamples { images, panels: (0..resamples).map(|_| panel()).collect() }
    }

    /// The interval of the mean of the defined values, one an image of the panel: low and high. `None` where fewer than
    /// two are defined.
    ///
    /// # Source
    ///
    /// Efron 1979; the percentile interval, with percentiles as numpy's. A value is undefined in every panel it is
    /// drawn into, and a panel without any defined value does not count.
    pub fn interval(&self, values: &[Option<f64>]) -> Option<[f64; 2]> {
        let members: Vec<usize> = (0..self.images).collect();
        self.intervals(&Table::new(1, values.to_vec()), &members).pop().flatten()
    }

    /// [`Resamples::interval`] of every column, over the images in `members` only: those of each panel.
    pub fn intervals(&self, table: &Table, members: &[usize]) -> Vec<Option<[f64; 2]>> {
        let columns = table.columns;
        if members.is_empty() {
            return vec![None; columns];
        }
        let cells = |value: fn(Option<f64>) -> f64| {
            Blocks::new(members.len(), columns, |row, column| value(table.at(members[row], column)))
        };
        let values = cells(|value| value.unwrap_or(0.0));
        // Where all are defined, which is usual, one count per panel is enough.
        let complete = members.iter().all(|&image| (0..columns).all(|column| table.at(image, column).is_some()));
        let defined = (!complete).then(|| cells(|value| f64::from(value.is_some())));
        let means = |panel: &Vec<u16>| {
            let times: Vec<f64> = members.iter().map(|&image| f64::from(panel[image])).collect();
            let (mut sums, counts) = (values.sums(&times), defined.as_ref().map(|defined| defined.sums(&times)));
            let all: f64 = times.iter().sum();
            let count = |column: usize| counts.as_ref().map_or(all, |counts| counts[column]);
            sums.iter_mut().enumerate().for_each(|(column, sum)| *sum /= count(column));
            sums
        };
        let means: Vec<Vec<f64>> = self.panels.par_iter().map(means).collect();
        let enough = |column: usize| members.iter().filter_map(|&image| table.at(image, column)).nth(1).is_some();
        let interval = |column: usize| {
            // A panel that drew none of the images has no mean: 0 / 0.
            let mut of_column: Vec<f64> = means.iter().map(|row| row[column]).filter(|mean| !mean.is_nan()).collect();
            if enough(column) { middle(&mut of_column) } else { None }
        };
        (0..columns).into_par_iter().map(interval).collect()
    }

    /// For each resampled panel the sum of every column over its images, `[resamples][columns]`; an undefined value adds
    /// nothing. From sums that share their panels anything built of means, such as a ratio, has its interval ([`middle`]).
    pub fn sums(&self, table: &Table) -> Vec<Vec<f64>> {
        let value = |image, column| table.at(image, column).unwrap_or(0.0);
        let blocks = Blocks::new(self.images, table.columns, value);
        let sums = |panel: &Vec<u16>| {
            let times: Vec<f64> = panel.iter().map(|&times| f64::from(times)).collect();
            blocks.sums(&times)
        };
        self.panels.par_iter().map(sums).collect()
    }

    /// How many panels there are.
    pub fn count(&self) -> usize {
        self.panels.len()
    }

    /// The interval of any number that can be worked out from a resampled panel, given as how often each image is in
    /// it.
    pub fn interval_of(&self, of: impl Fn(&[u16]) -> Option<f64> + Sync) -> Option<[f64; 2]> {
        let mut values: Vec<f64> = self.panels.par_iter().filter_map(|panel| of(panel)).collect();
        middle(&mut values)
    }
}

/// How many columns are summed at once: as many as stay in registers.
const LANES: usize = 8;

/// A table cut into blocks of [`LANES`] columns.
struct Blocks {
    columns: usize,
    /// `[blocks][rows]`, the last one filled up with zeros.
    blocks: Vec<Vec<[f64; LANES]>>,
}

impl Blocks {
    fn new(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let cell = |row, column| if column < columns { value(row, column) } else { 0.0 };
        let block =
            |block: usize| (0..rows).map(|row| std::array::from_fn(|lane| cell(row, block * LANES + lane))).collect();
        Blocks { columns, blocks: (0..columns.div_ceil(LANES)).map(block).collect() }
    }

    /// The sum of every column, with each row as often as `times` says.
    fn sums(&self, times: &[f64]) -> Vec<f64> {
        let mut sums = Vec::with_capacity(self.blocks.len() * LANES);
        for rows in &self.blocks {
            let mut block = [0.0; LANES];
            for (times, row) in times.iter().zip(rows) {
                block.iter_mut().zip(row).for_each(|(sum, value)| *sum += times * value);
            }
            sums.extend(block);
        }
        sums.truncate(self.columns);
        sums
    }
}

/// Where the middle 95 % of resampled values lie, low and high; `None` without any. The values are reordered.
pub fn middle(values: &mut [f64]) -> Option<[f64; 2]> {
    Some([quantile(values, OUTSIDE)?, quantile(values, 1.0 - OUTSIDE)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 400 values in turn 0 and 1: the mean's standard error is 0.5 / 20 = 0.025, so about 0.5 ± 1.96 * 0.025.
    #[test]
    fn an_interval_is_as_wide_as_the_standard_error_says() {
        let values: Vec<Option<f64>> = (0..400).map(|index| Some(f64::from(index % 2))).collect();
        let [low, high] = Resamples::new(RESAMPLES, 400).interval(&values).unwrap();
        assert!((low - 0.451).abs() < 0.006 && (high - 0.549).abs() < 0.006, "{low} {high}");
        assert_eq!(Resamples::new(RESAMPLES, 400).interval(&values), Some([low, high]));
    }

    /// A resampled mean of 0 and 1 is 0, 1/2 or 1, with chances 1/4, 1/2, 1/4: the middle 95 % reach from 0 to 1.
    #[test]
    fn few_images_have_a_wide_interval_and_one_has_none() {
        let resamples = Resamples::new(RESAMPLES, 3);
        assert_eq!(resamples.interval(&[Some(0.0), None, Some(1.0)]), Some([0.0, 1.0]));
        assert_eq!(resamples.interval(&[Some(3.0); 3]), Some([3.0, 3.0]));
        assert_eq!(resamples.interval(&[Some(3.0), None, None]), None);
        assert_eq!(Resamples::new(RESAMPLES, 0).interval(&[]), None);
    }

    /// A resampled sum over a resampled count is a resampled mean, so its middle is the mean's interval.
    #[test]
    fn sums_of_panels_give_the_intervals_of_means() {
        let values: Vec<Option<f64>> =
            (0..20).map(|image| (image % 5 != 2).then_some(f64::from(image * image))).collect();
        let (resamples, both) = (Resamples::new(200, 20), |image: usize, column| match column {
            0 => values[image],
            _ => Some(f64::from(values[image].is_some())),
        });
        let sums = resamples.sums(&Table::of(20, 2, both));
        let mut means: Vec<f64> = sums.iter().map(|sums| sums[0] / sums[1]).collect();
        assert_eq!((sums.len(), resamples.count()), (200, 200));
        assert_eq!(middle(&mut means), resamples.interval(&values));
    }

    /// Columns do not disturb one another, and a column of members is that of their values.
    #[test]
    fn a_table_has_the_intervals_of_its_columns() {
        let value = |image: usize, column: usize| {
            let value = (image * 7 % 11) as f64 + 100.0 * column as f64;
            (column < 2 || !image.is_multiple_of(3)).then_some(value)
        };
        let (table, resamples) = (Table::of(30, 3, value), Resamples::new(200, 30));
        let intervals = resamples.intervals(&table, &(0..30).collect::<Vec<_>>());
        for (column, interval) in intervals.iter().enumerate() {
            assert_eq!(*interval, resamples.interval(&table.column(column)));
        }
        let members: Vec<usize> = (0..30).step_by(2).collect();
        let only: Vec<_> = (0..30).map(|image| value(image, 0).filter(|_| image.is_multiple_of(2))).collect();
        assert_eq!(resamples.intervals(&table, &members)[0], resamples.interval(&only));
    }
}
