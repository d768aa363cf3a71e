//! The earth mover's distance: the least work that turns one distribution of evidence into the other.

use super::shape::places;

/// What is left over by rounding when two distributions are levelled, as a share of the whole.
const ROUNDING: f64 = 1e-14;

/// The earth mover's distance of two distributions on one grid, in units of the grid's sides, in [0, √2): the least
/// `sum flow * distance` that moves one into the other, with the Euclidean distance of the cells' centres.
///
/// Exact, not regularised: solved by successive shortest paths with potentials (Edmonds & Karp 1972). The distance is a
/// metric, so what both have in a cell stays there. Takes about ten milliseconds on 14 x 14 cells, a thousand times as long
/// as other measures.
pub(super) fn earth_movers_distance(one: &[f64], other: &[f64], grid: [usize; 2]) -> f64 {
    let (mut from, mut into) = (Vec::new(), Vec::new());
    for ((&p, &q), place) in one.iter().zip(other).zip(places(grid)) {
        if p > q {
            from.push((p - q, place));
        } else if q > p {
            into.push((q - p, place));
        }
    }
    let distance = |&(_, [x, y]): &(f64, [f64; 2]), &(_, [u, v]): &(f64, [f64; 2])| (x - u).hypot(y - v);
    let costs = from.iter().map(|source| into.iter().map(|sink| distance(source, sink)).collect()).collect();
    let amounts = |cells: &[(f64, [f64; 2])]| cells.iter().map(|&(amount, _)| amount).collect();
    Transport::new(costs, amounts(&from), amounts(&into)).solve()
}

/// A transportation problem and the flow found so far. Nodes are the sources, then the sinks.
struct Transport {
    /// `[sources][sinks]`
    costs: Vec<Vec<f64>>,
    /// `[sinks][sources]`
    flow: Vec<Vec<f64>>,
    /// What each source still has.
    supply: Vec<f64>,
    /// What each sink still lacks.
    demand: Vec<f64>,
    /// Prices by which no edge of the residual graph costs less than nothing.
    potential: Vec<f64>,
}

/// The cheapest way from a source to the nearest sink with demand.
struct Path {
    /// The node before each, on the way from the source.
    before: Vec<usize>,
    sink: usize,
}

impl Transport {
    fn new(costs: Vec<Vec<f64>>, supply: Vec<f64>, demand: Vec<f64>) -> Self {
        let flow = vec![vec![0.0; supply.len()]; demand.len()];
        let potential = vec![0.0; supply.len() + demand.len()];
        Transport { costs, flow, supply, demand, potential }
    }

    /// Moves everything and returns what that costs.
    fn solve(mut self) -> f64 {
        for source in 0..self.supply.len() {
            while self.supply[source] > ROUNDING {
                let Some(path) = self.shortest(source) else { break };
                self.send_along(source, &path);
            }
        }
        let of_sink = |(sink, flow): (usize, &Vec<f64>)| -> f64 {
            flow.iter().zip(&self.costs).map(|(flow, costs)| flow * costs[sink]).sum()
        };
        self.flow.iter().enumerate().map(of_sink).sum()
    }

    /// Dijkstra's algorithm on the full matrix, from one source as far as the nearest sink that lacks something; moves the
    /// potentials along. `None` when no sink does.
    fn shortest(&mut self, start: usize) -> Option<Path> {
        let (sources, nodes) = (self.supply.len(), self.potential.len());
        let mut before = vec![start; nodes];
        // Of nodes that are reached and not done yet; and of those that are done.
        let (mut open, mut done) = (vec![f64::INFINITY; nodes], Vec::new());
        let mut closed = vec![false; nodes];
        open[start] = 0.0;
        let (sink, end) = loop {
            let nearest = |best: (usize, f64), (node, &distance): (usize, &f64)| {
                if distance < best.1 { (node, distance) } else { best }
            };
            let (node, distance) = open.iter().enumerate().fold((nodes, f64::INFINITY), nearest);
            if node == nodes {
                return None;
            }
            if node >= sources && self.demand[node - sources] > ROUNDING {
                break (node, distance);
            }
            (open[node], closed[node]) = (f64::INFINITY, true);
            done.push((node, distance));
            let here = distance + self.potential[node];
            let mut reach = |next: usize, cost: f64| {
                // The potentials promise that no way gets shorter; rounding may not keep it.
                let through = (here + cost - self.potential[next]).max(distance);
                if through < open[next] && !closed[next] {
                    (open[next], before[next]) = (through, node);
                }
            };
            if node < sources {
                self.costs[node].iter().enumerate().for_each(|(sink, &cost)| reach(sources + sink, cost));
            } else {
                let sink = node - sources;
                let used = self.flow[sink].iter().enumerate().filter(|(_, flow)| **flow > 0.0);
                used.for_each(|(source, _)| reach(source, -self.costs[source][sink]));
            }
        };
        done.into_iter().for_each(|(node, distance)| self.potential[node] += distance - end);
        Some(Path { before, sink })
    }

    /// Sends as much as fits along the way that was found.
    fn send_along(&mut self, start: usize, path: &Path) {
        let sources = self.supply.len();
        let mut nodes = vec![path.sink];
        while nodes[nodes.len() - 1] != start {
            nodes.push(path.before[nodes[nodes.len() - 1]]);
        }
        // From the sink backwards: an edge source → sink is filled, one sink → source gives back what had been sent.
        let given_back = nodes.windows(2).filter(|edge| edge[0] < sources);
        let given_back = given_back.map(|edge| self.flow[edge[1] - sources][edge[0]]);
        let amount = given_back.fold(self.supply[start].min(self.demand[path.sink - sources]), f64::min);
        for edge in nodes.windows(2) {
            match *edge {
                [sink, source] if source < sources => self.flow[sink - sources][source] += amount,
                [source, sink] => self.flow[sink - sources][source] -= amount,
                _ => {}
            }
        }
        self.supply[start] -= amount;
        self.demand[path.sink - sources] -= amount;
    }
}

#[cfg(test)]
mod tests {
    use super::super::distribution::{displacement, total_variation};
    use super::super::scale::distribution;
    use super::super::shape::centre;
    use super::super::testing::random;
    use super::*;

    fn shares(rows: usize, cols: usize, seed: u64) -> Vec<f64> {
        distribution(&random(rows, cols, seed)).unwrap()
    }

    /// All of it across three of four cells; half of it across one; from corner to corner of 2 x 2.
    #[test]
    fn moving_everything_costs_the_way() {
        let row = |one: [f64; 4], other: [f64; 4]| earth_movers_distance(&one, &other, [1, 4]);
        assert_eq!(row([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]), 0.75);
        assert_eq!(row([1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]), 0.125);
        let across = earth_movers_distance(&[1.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 0.0, 1.0], [2, 2]);
        assert!((across - 0.5f64.sqrt()).abs() < 1e-15);
    }

    /// On a line the distance is the area between the cumulative distributions: an independent way to the same number.
    #[test]
    fn on_a_line_it_is_the_area_between_the_cumulative_distributions() {
        for seed in 0..20 {
            let (p, q) = (shares(1, 40, seed), shares(1, 40, seed + 100));
            let (mut gap, mut area) = (0.0, 0.0f64);
            for (p, q) in p.iter().zip(&q) {
                gap += p - q;
                area += f64::abs(gap) / 40.0;
            }
            let found = earth_movers_distance(&p, &q, [1, 40]);
            assert!((found - area).abs() < 1e-12, "{found} {area}");
        }
    }

    /// Never less than the way of the centre and never more than all that differs across the diagonal; a metric.
    #[test]
    fn it_is_a_metric_between_its_bounds() {
        const GRID: [usize; 2] = [14, 14];
        let [a, b, c] = [1, 2, 3].map(|seed| shares(GRID[0], GRID[1], seed));
        let distance = |one: &[f64], other: &[f64]| earth_movers_distance(one, other, GRID);
        assert_eq!(distance(&a, &a), 0.0);
        assert!((distance(&a, &b) - distance(&b, &a)).abs() < 1e-12);
        assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c) + 1e-12);
        let moved = displacement(centre(&a, GRID), centre(&b, GRID));
        let differs = total_variation(&a, &b);
        assert!((moved..differs * 2f64.sqrt()).contains(&distance(&a, &b)));
    }
}
