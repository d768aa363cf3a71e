//! Colour maps by name.

use crate::picture::Rgb;
use std::fmt;
use std::str::FromStr;

pub(crate) const INK: Rgb = [0x1f, 0x1f, 0x1f];
pub(crate) const FAINT: Rgb = [0x60, 0x60, 0x60];
pub(crate) const WARNING: Rgb = [0xb0, 0x3a, 0x12];
pub(crate) const RULE: Rgb = [0xd4, 0xd4, 0xd4];
/// What moved no more than the margin; as on the page.
pub(crate) const STILL: Rgb = [0xbf, 0xdf, 0xbf];

/// `weight` in [0, 1] of `over`, the rest of `under`.
pub(super) fn mixed(under: Rgb, over: Rgb, weight: f32) -> Rgb {
    let channel = |index: usize| f32::from(under[index]) * (1.0 - weight) + f32::from(over[index]) * weight;
    [0, 1, 2].map(|index| channel(index).round() as u8)
}

/// How a number becomes a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColourMap {
    /// Black, purple, orange, pale yellow; perceptually uniform, and in order when printed in grey. matplotlib's.
    #[default]
    Inferno,
    /// Purple, green, yellow; perceptually uniform, the least of it is not black. matplotlib's.
    Viridis,
    /// Blue, white, red, for signed maps: zero is its white centre. ColorBrewer's RdBu turned round, matplotlib's RdBu_r.
    Diverging,
    /// Blue, cyan, yellow, red, as Grad-CAM's paper paints. Its brightness rises and falls and shows edges that are not
    /// there; it is here to compare with pictures that use it. matplotlib's, which OpenCV's differs from by a shade.
    Jet,
}

/// A name that no colour map has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no colour map is called {found}, expected one of {}", ColourMap::names().join(", "))]
pub struct UnknownColourMap {
    /// The name that was given.
    pub found: String,
}

impl ColourMap {
    /// All of them, the default first.
    pub const ALL: [ColourMap; 4] = [ColourMap::Inferno, ColourMap::Viridis, ColourMap::Diverging, ColourMap::Jet];

    /// Its name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            ColourMap::Inferno => "inferno",
            ColourMap::Viridis => "viridis",
            ColourMap::Diverging => "diverging",
            ColourMap::Jet => "jet",
        }
    }

    /// All names, the default's first: what a command line offers.
    pub fn names() -> [&'static str; 4] {
        Self::ALL.map(Self::name)
    }

    /// Whether its centre stands for zero.
    pub fn is_diverging(self) -> bool {
        self == ColourMap::Diverging
    }

    /// The colour at `position` in [0, 1]. What lies outside has the colour of the nearer end, and so has NaN of the
    /// lower one.
    pub fn at(self, position: f64) -> Rgb {
        let position = if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) };
        match self {
            ColourMap::Inferno => of(colorous::INFERNO.eval_continuous(position)),
            ColourMap::Viridis => of(colorous::VIRIDIS.eval_continuous(position)),
            ColourMap::Diverging => along(&BLUE_RED, position),
            ColourMap::Jet => JET.map(|channel| (between(channel, position) * 255.0).round() as u8),
        }
    }
}

impl fmt::Display for ColourMap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for ColourMap {
    type Err = UnknownColourMap;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|map| map.name() == text);
        named.ok_or_else(|| UnknownColourMap { found: text.to_string() })
    }
}

fn of(colour: colorous::Color) -> Rgb {
    [colour.r, colour.g, colour.b]
}

/// The eleven colours of ColorBrewer's RdBu, from blue to red.
const BLUE_RED: [Rgb; 11] = [
    [0x05, 0x30, 0x61],
    [0x21, 0x66, 0xac],
    [0x43, 0x93, 0xc3],
    [0x92, 0xc5, 0xde],
    [0xd1, 0xe5, 0xf0],
    [0xf7, 0xf7, 0xf7],
    [0xfd, 0xdb, 0xc7],
    [0xf4, 0xa5, 0x82],
    [0xd6, 0x60, 0x4d],
    [0xb2, 0x18, 0x2b],
    [0x67, 0x00, 0x1f],
];

/// On the straight line between the two of equally spaced colours around `position` in [0, 1].
fn along(colours: &[Rgb], position: f64) -> Rgb {
    let last = colours.len() - 1;
    let at = position * last as f64;
    let low = at as usize;
    mixed(colours[low], colours[(low + 1).min(last)], (at - low as f64) as f32)
}

/// Position and brightness of the corners of jet's red, green and blue: matplotlib 3, `_cm.py`, `_jet_data`.
const JET: [&[(f64, f64)]; 3] = [
    &[(0.0, 0.0), (0.35, 0.0), (0.66, 1.0), (0.89, 1.0), (1.0, 0.5)],
    &[(0.0, 0.0), (0.125, 0.0), (0.375, 1.0), (0.64, 1.0), (0.91, 0.0), (1.0, 0.0)],
    &[(0.0, 0.5), (0.11, 1.0), (0.34, 1.0), (0.65, 0.0), (1.0, 0.0)],
];

/// On the straight line between the two corners around `position`.
fn between(corners: &[(f64, f64)], position: f64) -> f64 {
    let side = corners.windows(2).find(|side| position <= side[1].0);
    let Some([(left, low), (right, high)]) = side else { return corners.last().map_or(0.0, |corner| corner.1) };
    low + (high - low) * (position - left) / (right - left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends of inferno and viridis as in matplotlib's `_cm_listed.py`, times 255. The diverging map's ends, centre and
    /// fourth colour of eleven are ColorBrewer's; half-way from its centre f7f7f7 to fddbc7 lies (250, 233, 223).
    #[test]
    fn colours_are_those_of_the_names() {
        assert_eq!([0.0, 1.0].map(|at| ColourMap::Inferno.at(at)), [[0, 0, 4], [252, 255, 164]]);
        assert_eq!([0.0, 1.0].map(|at| ColourMap::Viridis.at(at)), [[68, 1, 84], [253, 231, 37]]);
        let diverging = [0.0, 0.3, 0.5, 0.55, 1.0].map(|at| ColourMap::Diverging.at(at));
        assert_eq!(diverging, [[5, 48, 97], [146, 197, 222], [247, 247, 247], [250, 233, 223], [103, 0, 31]]);
    }

    /// By the corners: at 0 blue is half on; at 0.25 blue is on and green half-way from 0.125 to 0.375; at 0.5 green is
    /// on, red is (0.5 - 0.35) / 0.31 = 0.484 up, 123.4 of 255, and blue (0.65 - 0.5) / 0.31 as much; at 1 red is half on.
    #[test]
    fn jet_is_matplotlibs() {
        let at = |position| ColourMap::Jet.at(position);
        assert_eq!([at(0.0), at(0.25), at(0.5), at(1.0)], [[0, 0, 128], [0, 128, 255], [123, 255, 123], [128, 0, 0]]);
    }

    #[test]
    fn positions_outside_have_the_colour_of_the_end() {
        for map in ColourMap::ALL {
            assert_eq!([map.at(-3.0), map.at(f64::NAN), map.at(7.0)], [map.at(0.0), map.at(0.0), map.at(1.0)]);
        }
    }

    #[test]
    fn a_name_is_read_back_and_a_wrong_one_is_told_the_right_ones() {
        for map in ColourMap::ALL {
            assert_eq!(map.to_string().parse(), Ok(map));
        }
        let error = "rainbow".parse::<ColourMap>().unwrap_err().to_string();
        assert_eq!(error, "no colour map is called rainbow, expected one of inferno, viridis, diverging, jet");
    }
}
