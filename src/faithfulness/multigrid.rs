//! Linear systems on the cells of a grid that are coupled with their eight neighbours, by conjugate gradients with a
//! multigrid preconditioner. It takes some twenty steps whatever the size of a hole (measured at 224 x 224 with up to nine
//! tenths missing), where plain conjugate gradients take more the wider the hole.

use super::input::CHANNELS;

/// The residual, relative to the right-hand side and the first residual, at which the system counts as solved. The
/// condition of a hole of 200 cells across is about 10^4, so that values are good to some 1e-6: near what f32 holds.
const TOLERANCE: f64 = 1e-10;
/// Steps until the solver gives up.
const STEPS: usize = 1000;
/// Damping of the Jacobi smoother. A row's other factors are negative and sum to at most its diagonal, here and, as sums
/// of such rows, on all coarser grids: so no eigenvalue relative to the diagonal exceeds 2, and this times it stays below
/// 2, as the preconditioner needs in order to be positive definite.
const DAMPING: f64 = 0.8;

/// One number a channel: the three are solved side by side.
type Colour = [f64; CHANNELS];

/// The factors of a cell's eight neighbours and of itself, row by row: itself is the fifth.
pub(super) type Stencil = [f64; 9];

/// A symmetric positive definite system on some cells of a grid; the others are zero.
pub(super) struct Level {
    /// Rows and columns.
    grid: [usize; 2],
    /// The cells that are solved for, row by row: where they are on the grid with a border of one cell of zeros. With it
    /// a product needs no test of where it is.
    places: Vec<usize>,
    /// Of each of them.
    stencils: Vec<Stencil>,
    /// Blocks of 2 x 2 cells as cells, and which of them each cell is in; `None` for a single cell.
    coarser: Option<(Box<Level>, Vec<usize>)>,
}

impl Level {
    /// `cells` (ascending, `row * columns + column`) of a grid, each with its stencil. Stencils must be symmetric and
    /// zero towards cells that are not listed.
    pub(super) fn new(grid: [usize; 2], cells: Vec<usize>, stencils: Vec<Stencil>) -> Level {
        let coarser = (grid != [1, 1] && !cells.is_empty()).then(|| Self::coarser(grid, &cells, &stencils));
        let places = cells.into_iter().map(|cell| place(grid, cell)).collect();
        Level { grid, places, stencils, coarser }
    }

    /// The system as seen by corrections that are constant on blocks of 2 x 2 cells (Galerkin).
    fn coarser(grid: [usize; 2], cells: &[usize], stencils: &[Stencil]) -> (Box<Level>, Vec<usize>) {
        let [_, cols] = grid;
        let halved = grid.map(|length| length.div_ceil(2));
        let block = |cell: usize| cell / cols / 2 * halved[1] + cell % cols / 2;
        let mut blocks: Vec<usize> = cells.iter().map(|&cell| block(cell)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let mut index_of = vec![0; halved[0] * halved[1]];
        blocks.iter().enumerate().for_each(|(index, &block)| index_of[block] = index);
        let mut sums = vec![[0.0; 9]; blocks.len()];
        for (&cell, stencil) in cells.iter().zip(stencils) {
            let (row, col) = (cell / cols, cell % cols);
            for (at, factor) in stencil.iter().enumerate() {
                // Of row r + d - 1 the block is (r + d + 1) / 2 - 1, which has no negative number on the way.
                let (down, across) = ((row + at / 3).div_ceil(2) - row / 2, (col + at % 3).div_ceil(2) - col / 2);
                sums[index_of[block(cell)]][3 * down + across] += factor;
            }
        }
        let parents = cells.iter().map(|&cell| index_of[block(cell)]).collect();
        (Box::new(Level::new(halved, blocks, sums)), parents)
    }

    /// Cells of the grid with its border.
    fn size(&self) -> usize {
        (self.grid[0] + 2) * (self.grid[1] + 2)
    }

    /// What the equation of the `index`-th cell makes of a vector on the grid with its border.
    fn product(&self, index: usize, vector: &[Colour]) -> Colour {
        let (at, stride, stencil) = (self.places[index], self.grid[1] + 2, &self.stencils[index]);
        let mut sum = [0.0; CHANNELS];
        for (row, factors) in [at - stride - 1, at - 1, at + stride - 1].into_iter().zip(stencil.chunks_exact(3)) {
            for (value, factor) in vector[row..][..3].iter().zip(factors) {
                (0..CHANNELS).for_each(|channel| sum[channel] += factor * value[channel]);
            }
        }
        sum
    }

    /// What is left of the right-hand side.
    fn residual(&self, right: &[Colour], vector: &[Colour]) -> Vec<Colour> {
        let left = |(index, right): (usize, &Colour)| minus(right, &self.product(index, vector));
        right.iter().enumerate().map(left).collect()
    }

    /// Adds to a vector a damped share of what each cell would need by itself.
    fn smooth(&self, residual: &[Colour], damping: f64, vector: &mut [Colour]) {
        for ((&at, stencil), residual) in self.places.iter().zip(&self.stencils).zip(residual) {
            (0..CHANNELS).for_each(|channel| vector[at][channel] += damping / stencil[4] * residual[channel]);
        }
    }

    /// Roughly the solution, and the same symmetric positive definite function of `right` every time: smooth, correct
    /// twice by the coarser grid (a W-cycle), smooth.
    fn cycle(&self, right: &[Colour]) -> Vec<Colour> {
        let mut solution = vec![[0.0; CHANNELS]; self.size()];
        let Some((coarser, parents)) = &self.coarser else {
            self.smooth(right, 1.0, &mut solution);
            return solution;
        };
        self.smooth(right, DAMPING, &mut solution);
        let mut sums = vec![[0.0; CHANNELS]; coarser.places.len()];
        for (&parent, residual) in parents.iter().zip(self.residual(right, &solution)) {
            (0..CHANNELS).for_each(|channel| sums[parent][channel] += residual[channel]);
        }
        let mut correction = coarser.cycle(&sums);
        let second = coarser.cycle(&coarser.residual(&sums, &correction));
        correction.iter_mut().zip(&second).for_each(|(to, from)| *to = plus(to, 1.0, from));
        for (&at, &parent) in self.places.iter().zip(parents) {
            solution[at] = plus(&solution[at], 1.0, &correction[coarser.places[parent]]);
        }
        let residual = self.residual(right, &solution);
        self.smooth(&residual, DAMPING, &mut solution);
        solution
    }

    /// Solves for the right-hand side (one colour a cell) from a constant; `[rows * columns]`, zero at other cells.
    /// `None` when the residual does not get small, which exact arithmetic excludes.
    pub(super) fn solve(&self, right: &[Colour], start: Colour) -> Option<Vec<Colour>> {
        let mut solution = vec![[0.0; CHANNELS]; self.size()];
        self.places.iter().for_each(|&at| solution[at] = start);
        let mut residual = self.residual(right, &solution);
        let goal = plus(&dot(right, right), 1.0, &dot(&residual, &residual)).map(|sum| sum * TOLERANCE * TOLERANCE);
        let mut direction = vec![[0.0; CHANNELS]; self.size()];
        let mut before = [f64::INFINITY; CHANNELS];
        for _ in 0..STEPS {
            let left = dot(&residual, &residual);
            // Not a number is not solved.
            let solved = |channel: usize| left[channel] <= goal[channel];
            let open: [bool; CHANNELS] = std::array::from_fn(|channel| !solved(channel));
            if open == [false; CHANNELS] {
                return Some((0..self.grid[0] * self.grid[1]).map(|cell| solution[place(self.grid, cell)]).collect());
            }
            let towards = self.cycle(&residual);
            let gain = dot(&residual, &self.at_places(&towards));
            // A channel that is done goes nowhere, lest it divides zero by zero.
            let turn = ratio(&gain, &before, open);
            for &at in &self.places {
                (0..CHANNELS).for_each(|channel| {
                    direction[at][channel] = towards[at][channel] + turn[channel] * direction[at][channel];
                });
            }
            let image: Vec<Colour> = (0..self.places.len()).map(|index| self.product(index, &direction)).collect();
            let step = ratio(&gain, &dot(&self.at_places(&direction), &image), open);
            for ((&at, residual), image) in self.places.iter().zip(&mut residual).zip(&image) {
                for channel in 0..CHANNELS {
                    solution[at][channel] += step[channel] * direction[at][channel];
                    residual[channel] -= step[channel] * image[channel];
                }
            }
            before = gain;
        }
        None
    }

    /// The cells that are solved for.
    fn at_places(&self, vector: &[Colour]) -> Vec<Colour> {
        self.places.iter().map(|&at| vector[at]).collect()
    }
}

/// Where a cell is on the grid with a border.
fn place([_, cols]: [usize; 2], cell: usize) -> usize {
    (cell / cols + 1) * (cols + 2) + cell % cols + 1
}

fn plus(to: &Colour, factor: f64, from: &Colour) -> Colour {
    std::array::from_fn(|channel| to[channel] + factor * from[channel])
}

fn minus(to: &Colour, from: &Colour) -> Colour {
    plus(to, -1.0, from)
}

/// Channel by channel, 0 where it is closed.
fn ratio(over: &Colour, under: &Colour, open: [bool; CHANNELS]) -> Colour {
    std::array::from_fn(|channel| if open[channel] { over[channel] / under[channel] } else { 0.0 })
}

/// Channel by channel.
fn dot(one: &[Colour], other: &[Colour]) -> Colour {
    let mut sums = [0.0; CHANNELS];
    for (one, other) in one.iter().zip(other) {
        (0..CHANNELS).for_each(|channel| sums[channel] += one[channel] * other[channel]);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of `count` cells, `2 x - left - right` each: the inverse of a right-hand side of ones is, from 1,
    /// `i (count + 1 - i) / 2`.
    fn row(count: usize) -> Level {
        let towards = |there: bool| if there { -1.0 } else { 0.0 };
        let stencil = |cell| [0.0, 0.0, 0.0, towards(cell > 0), 2.0, towards(cell + 1 < count), 0.0, 0.0, 0.0];
        Level::new([1, count], (0..count).collect(), (0..count).map(stencil).collect())
    }

    #[test]
    fn a_row_is_solved_in_every_channel_by_itself() {
        for count in [1, 2, 5, 64, 100] {
            let right = vec![[1.0, 0.0, -2.0]; count];
            let found = row(count).solve(&right, [0.0, 3.0, 7.0]).unwrap();
            for (cell, found) in found.iter().enumerate() {
                let expected = (cell + 1) as f64 * (count - cell) as f64 / 2.0;
                for (found, factor) in found.iter().zip([1.0, 0.0, -2.0]) {
                    assert!((found - factor * expected).abs() < 1e-6, "{count} {cell} {found}");
                }
            }
        }
    }

    /// Cells 0 to 4 in blocks of two: 2 - 1 - 1 + 2 = 2 within a block, -1 towards the next; the last block holds one.
    #[test]
    fn a_coarser_grid_sums_rows_and_columns_of_the_matrix() {
        let row = row(5);
        let (coarser, parents) = row.coarser.as_ref().unwrap();
        assert_eq!(parents, &[0, 0, 1, 1, 2]);
        assert_eq!(coarser.grid, [1, 3]);
        let across = |left, own, right| [0.0, 0.0, 0.0, left, own, right, 0.0, 0.0, 0.0];
        assert_eq!(coarser.stencils, [across(0.0, 2.0, -1.0), across(-1.0, 2.0, -1.0), across(-1.0, 2.0, 0.0)]);
    }

    /// `b . M a = a . M b`, without which conjugate gradients are not.
    #[test]
    fn the_preconditioner_is_symmetric() {
        let row = row(37);
        let vector =
            |salt: usize| -> Vec<Colour> { (0..37).map(|cell| [((cell * salt) % 11) as f64 - 5.0; 3]).collect() };
        let (one, other) = (vector(3), vector(7));
        let along = |one: &[Colour], other: &[Colour]| dot(one, &row.at_places(&row.cycle(other)))[0];
        assert!((along(&one, &other) - along(&other, &one)).abs() < 1e-9);
        assert!(along(&one, &one) > 0.0);
    }

    #[test]
    fn a_broken_system_is_given_up() {
        assert_eq!(row(3).solve(&[[f64::NAN; 3]; 3], [0.0; 3]), None);
    }
}
