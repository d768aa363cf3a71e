//! A map prepared for many measures: what several measures need is computed once, when the first of them needs it.

use std::sync::OnceLock;

use super::correlation::centred_ranks;
use super::descriptor::Descriptor;
use super::distribution::roots;
use super::heatmap::{Heatmap, MapStatus};
use super::scale::{Normalise, count_of, descending, distribution, ranks, scaled, top_of};
use super::shape::{self, centre, sorted};
use super::structure::{Moments, fitting_window};
use crate::stats::Vector;

/// The shares of the cells whose overlap is measured: 10, 15, 20 and 30 %.
const TOP_FRACTIONS: [f64; 4] = [0.1, 0.15, 0.2, 0.3];
/// The share of the cells whose mass is [`Descriptor::TopMass20`].
const TOP_MASS_FRACTION: f64 = 0.2;

/// A value that is computed at most once; `None` inside where it is not defined.
type Once<T> = OnceLock<Option<T>>;

/// A map, with everything that measures have computed from it so far.
#[derive(Clone, Debug)]
pub struct Prepared {
    map: Heatmap,
    status: MapStatus,
    order: Once<Vec<u32>>,
    tops: [Once<Vec<u64>>; TOP_FRACTIONS.len()],
    ranks: Once<Vector>,
    raw: Once<Vec<f64>>,
    direction: Once<Vector>,
    centred: Once<Vector>,
    mass: Once<Vec<f64>>,
    descending_mass: Once<Vec<f64>>,
    roots: Once<Vec<f64>>,
    centre: Once<[f64; 2]>,
    moments: Once<Moments>,
    descriptors: [Once<f64>; Descriptor::ALL.len()],
}

impl Prepared {
    /// Takes a map; nothing is computed yet.
    pub fn new(map: Heatmap) -> Self {
        Prepared {
            status: map.status(),
            map,
            order: OnceLock::new(),
            tops: Default::default(),
            ranks: OnceLock::new(),
            raw: OnceLock::new(),
            direction: OnceLock::new(),
            centred: OnceLock::new(),
            mass: OnceLock::new(),
            descending_mass: OnceLock::new(),
            roots: OnceLock::new(),
            centre: OnceLock::new(),
            moments: OnceLock::new(),
            descriptors: Default::default(),
        }
    }

    /// The map, as it was given.
    pub fn map(&self) -> &Heatmap {
        &self.map
    }

    /// Whether the map can be measured.
    pub fn status(&self) -> MapStatus {
        self.status
    }

    /// A property of the map, in [`Descriptor::range`]; `None` where it is not defined.
    pub fn descriptor(&self, descriptor: Descriptor) -> Option<f64> {
        *self.descriptors[descriptor as usize].get_or_init(|| self.described(descriptor))
    }

    fn described(&self, descriptor: Descriptor) -> Option<f64> {
        Some(match descriptor {
            Descriptor::Entropy => shape::entropy(self.mass()?),
            Descriptor::EffectiveArea => shape::effective_area(self.mass()?),
            Descriptor::Spread => shape::spread(self.mass()?, self.map.grid()),
            Descriptor::Gini => shape::gini(self.descending_mass()?),
            Descriptor::TopMass20 => {
                let shares = self.descending_mass()?;
                shape::top_mass(shares, count_of(shares.len(), TOP_MASS_FRACTION))
            }
            Descriptor::PositiveMass => shape::positive_mass(self.raw()?),
            Descriptor::NegativeMass => shape::negative_mass(self.raw()?),
        })
    }

    /// The cells from the strongest to the weakest.
    fn order(&self) -> Option<&[u32]> {
        self.order.get_or_init(|| descending(&self.map)).as_deref()
    }

    /// The strongest cells, by index into [`TOP_FRACTIONS`].
    pub(super) fn top(&self, index: usize) -> Option<&[u64]> {
        let count = count_of(self.map.values().len(), TOP_FRACTIONS[index]);
        self.tops[index].get_or_init(|| Some(top_of(self.order()?, count))).as_deref()
    }

    /// Average ranks about their mean.
    pub(super) fn ranks(&self) -> Option<&Vector> {
        let ranks = || centred_ranks(ranks(&self.map, self.order()?));
        self.ranks.get_or_init(ranks).as_ref()
    }

    /// The raw values.
    pub(super) fn raw(&self) -> Option<&[f64]> {
        self.raw.get_or_init(|| scaled(&self.map, Normalise::None)).as_deref()
    }

    /// The raw values as a direction.
    pub(super) fn direction(&self) -> Option<&Vector> {
        self.direction.get_or_init(|| Vector::new(self.raw()?.to_vec())).as_ref()
    }

    /// The raw values about their mean.
    pub(super) fn centred(&self) -> Option<&Vector> {
        self.centred.get_or_init(|| Vector::centred(self.raw()?)).as_ref()
    }

    /// The positive evidence as a distribution.
    pub(super) fn mass(&self) -> Option<&[f64]> {
        self.mass.get_or_init(|| distribution(&self.map)).as_deref()
    }

    /// The positive evidence, the largest share first.
    fn descending_mass(&self) -> Option<&[f64]> {
        let shares =
            || {
                let mass = self.mass()?;
                // The order of the raw values, where there is one, is that of the shares.
                Some(self.order().map_or_else(
                    || sorted(mass.to_vec()),
                    |order| order.iter().map(|&cell| mass[cell as usize]).collect(),
                ))
            };
        self.descending_mass.get_or_init(shares).as_deref()
    }

    /// The roots of the shares.
    pub(super) fn roots(&self) -> Option<&[f64]> {
        self.roots.get_or_init(|| self.mass().map(roots)).as_deref()
    }

    /// The centre of the positive evidence.
    pub(super) fn centre(&self) -> Option<[f64; 2]> {
        *self.centre.get_or_init(|| Some(centre(self.mass()?, self.map.grid())))
    }

    /// The map stretched to [0, 1] and seen through the windows that fit it.
    pub(super) fn moments(&self) -> Option<&Moments> {
        let (map, grid) = (&self.map, self.map.grid());
        let moments = || Moments::new(scaled(map, Normalise::MinMax)?, grid, fitting_window(grid)?);
        self.moments.get_or_init(moments).as_ref()
    }
}
