//! A heat map painted over the picture it explains, and the scale that says which colour is which value.
//!
//! Maps are painted in their own unit. What cannot be evidence (all zero, the same everywhere, not finite) is never
//! stretched until it looks like some: it is the picture in grey and a note that says why.

use super::colour::{ColourMap, mixed};
use crate::measure::{Heatmap, HeatmapError, MapStatus};
use crate::picture::Picture;

/// Which part of a signed map is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapPart {
    /// All of it: what supports the class, and what speaks against it.
    #[default]
    Signed,
    /// Only what supports the class, as Grad-CAM's ReLU leaves it; negative values count as zero.
    Positive,
}

/// The values that have the colours at the ends of a colour map, in the unit of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourLimits {
    /// The value at the lower end.
    pub low: f32,
    /// The value at the upper end, greater than `low`.
    pub high: f32,
}

impl ColourLimits {
    /// The limits that show all of some maps: from 0 to the greatest value where no cell is negative, else from minus to
    /// plus the greatest magnitude. Maps that are not finite do not count; `None` where all the others are zero.
    pub fn of<'a>(maps: impl IntoIterator<Item = &'a Heatmap>, part: MapPart) -> Option<ColourLimits> {
        let finite = maps.into_iter().filter(|map| map.status() != MapStatus::NonFinite);
        let [low, high] = finite
            .flat_map(Heatmap::values)
            .fold([0.0_f32; 2], |[low, high], &value| [low.min(value), high.max(value)]);
        let most = high.max(-low);
        match part {
            MapPart::Signed if low < 0.0 => Some(ColourLimits { low: -most, high: most }),
            _ => (high > 0.0).then_some(ColourLimits { low: 0.0, high }),
        }
    }

    /// From the least to the greatest value of a map without negative ones; of others as [`ColourLimits::of`].
    pub fn stretched(map: &Heatmap, part: MapPart) -> Option<ColourLimits> {
        let limits = ColourLimits::of([map], part)?;
        let least = map.values().iter().copied().fold(f32::INFINITY, f32::min);
        Some(if limits.signed() { limits } else { ColourLimits { low: least.clamp(0.0, limits.high), ..limits } })
    }

    /// Whether negative values, which speak against the class, lie between them.
    pub fn signed(self) -> bool {
        self.low < 0.0
    }

    /// Where a value lies between them: 0 at `low`, 1 at `high`, beyond them outside [0, 1].
    pub fn position(self, value: f32) -> f64 {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        (f64::from(value) - low) / (high - low)
    }

    /// The colour map for these limits: for signed ones a diverging map, whatever was asked for.
    pub fn colours(self, asked: ColourMap) -> ColourMap {
        if self.signed() { ColourMap::Diverging } else { asked }
    }
}

/// Which values a map's colours stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scale {
    /// The map's own limits: shows where, and hides how much.
    #[default]
    Own,
    /// From the map's least to its greatest value, as pytorch-grad-cam paints: shows the least differences, and hides how
    /// small they are. Signed maps keep zero at the centre.
    Stretched,
    /// Limits shared with other maps, which then compare colour by colour.
    Common(ColourLimits),
}

/// How maps are painted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// The colours of maps without negative values; signed ones always have diverging ones.
    pub colours: ColourMap,
    /// The colours' share of a pixel, in [0, 1]; the rest is the picture in grey.
    pub opacity: f32,
    /// All of a signed map or its positive part.
    pub part: MapPart,
}

impl Default for Paint {
    fn default() -> Self {
        Self { colours: ColourMap::default(), opacity: 0.65, part: MapPart::default() }
    }
}

/// A painted map.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    /// The picture, coloured, or grey where there is no evidence.
    pub picture: Picture,
    /// The values at the ends of the colours, or why there are no colours.
    pub shown: Result<ColourLimits, String>,
}

/// A map over its picture, which keeps its size: `[height, width, 3]`.
///
/// # Errors
///
/// When the picture has no pixels.
pub fn overlay(picture: &Picture, map: &Heatmap, scale: Scale, paint: &Paint) -> Result<Overlay, HeatmapError> {
    let limits = match (no_evidence(map, paint.part), scale) {
        (Some(why), _) => Err(why),
        (None, Scale::Common(limits)) => Ok(limits),
        (None, Scale::Own) => ColourLimits::of([map], paint.part).ok_or_else(|| "no evidence: all zero".to_string()),
        (None, Scale::Stretched) => {
            ColourLimits::stretched(map, paint.part).ok_or_else(|| "no evidence: all zero".into())
        }
    };
    let picture = match limits {
        Ok(limits) => painted(picture, map, limits, paint)?,
        Err(_) => picture.greyed(),
    };
    Ok(Overlay { picture, shown: limits })
}

/// Why a map is no evidence; `None` for one that is.
fn no_evidence(map: &Heatmap, part: MapPart) -> Option<String> {
    let values = map.values();
    match map.status() {
        MapStatus::Dead => Some("no evidence: all zero".to_string()),
        MapStatus::Constant => Some(format!("no evidence: {} everywhere", number(values[0]))),
        MapStatus::NonFinite => {
            let broken = values.iter().filter(|value| !value.is_finite()).count();
            Some(format!("no evidence: {broken} of {} cells not finite", values.len()))
        }
        MapStatus::Alive if part == MapPart::Positive && values.iter().all(|&value| value <= 0.0) => {
            Some("no evidence for it: nothing positive".to_string())
        }
        MapStatus::Alive => None,
    }
}

fn painted(picture: &Picture, map: &Heatmap, limits: ColourLimits, paint: &Paint) -> Result<Picture, HeatmapError> {
    let (width, height) = (picture.width(), picture.height());
    let map = map.resize_bilinear(height, width)?;
    let (colours, opacity) = (limits.colours(paint.colours), paint.opacity.clamp(0.0, 1.0));
    let blend = |under, &value: &f32| mixed(under, colours.at(limits.position(value)), opacity);
    Ok(picture.greyed().mapped(map.values(), blend))
}

/// A value as a caption says it: three digits at most, as a decimal between 0.001 and 10 000, else with a power of ten.
pub(super) fn number(value: f32) -> String {
    let scientific = format!("{value:.2e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let text = match exponent {
        _ if value == 0.0 => "0".to_string(),
        -3..=3 => trimmed(&format!("{value:.*}", (2 - exponent).max(0) as usize)),
        _ => format!("{}·10{}", trimmed(digits), raised(exponent)),
    };
    text.replace('-', "−")
}

/// Without zeros at the end of a fraction.
fn trimmed(decimal: &str) -> String {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.').to_string() } else { decimal.into() }
}

/// An exponent in small raised digits.
fn raised(exponent: i32) -> String {
    let raise = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => digit.to_digit(10).and_then(|digit| char::from_u32('⁰' as u32 + digit)).unwrap_or(digit),
    };
    exponent.to_string().chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f32]) -> Heatmap {
        Heatmap::new(1, values.len(), values.to_vec()).unwrap()
    }

    fn coloured(width: usize, height: usize) -> Picture {
        Picture::filled(width, height, [200, 100, 0])
    }

    fn full() -> Paint {
        Paint { opacity: 1.0, ..Paint::default() }
    }

    #[test]
    fn a_stretched_map_uses_all_colours_and_a_signed_one_keeps_its_zero() {
        let stretched = |values: &[f32]| ColourLimits::stretched(&row(values), MapPart::Signed);
        assert_eq!(stretched(&[3.0, 5.0, 4.0]), Some(ColourLimits { low: 3.0, high: 5.0 }));
        assert_eq!(stretched(&[-3.0, 5.0]), Some(ColourLimits { low: -5.0, high: 5.0 }));
        let drawn = overlay(&coloured(2, 1), &row(&[3.0, 5.0]), Scale::Stretched, &full()).unwrap();
        assert_eq!(
            [drawn.picture.pixel(0, 0), drawn.picture.pixel(1, 0)],
            [0.0, 1.0].map(|at| ColourMap::Inferno.at(at))
        );
    }

    #[test]
    fn limits_begin_at_zero_and_are_symmetric_where_a_map_is_signed() {
        let limits = |maps: &[Heatmap], part| ColourLimits::of(maps, part);
        let [plain, signed] = [row(&[0.25, 2.0]), row(&[-3.0, 1.0])];
        let broken = row(&[f32::INFINITY, 9.0]);
        assert_eq!(limits(std::slice::from_ref(&plain), MapPart::Signed), Some(ColourLimits { low: 0.0, high: 2.0 }));
        let all = [plain.clone(), signed.clone(), broken];
        assert_eq!(limits(&all, MapPart::Signed), Some(ColourLimits { low: -3.0, high: 3.0 }));
        assert_eq!(limits(&[plain, signed], MapPart::Positive), Some(ColourLimits { low: 0.0, high: 2.0 }));
        assert_eq!(limits(&[row(&[0.0, 0.0])], MapPart::Signed), None);
        assert_eq!(limits(&[row(&[-1.0, -2.0])], MapPart::Positive), None);
    }

    #[test]
    fn at_full_opacity_cells_have_the_colours_of_their_values() {
        let drawn = overlay(&coloured(2, 1), &row(&[0.0, 5.0]), Scale::Own, &full()).unwrap();
        assert_eq!([drawn.picture.pixel(0, 0), drawn.picture.pixel(1, 0)], [[0, 0, 4], [252, 255, 164]]);
        assert_eq!(drawn.shown, Ok(ColourLimits { low: 0.0, high: 5.0 }));
        let signed = overlay(&coloured(3, 1), &row(&[-4.0, 0.0, 2.0]), Scale::Own, &full()).unwrap();
        assert_eq!(signed.picture.pixel(0, 0), ColourMap::Diverging.at(0.0));
        assert_eq!(signed.picture.pixel(1, 0), [0xf7; 3]);
        assert_eq!(signed.picture.pixel(2, 0), ColourMap::Diverging.at(0.75));
    }

    /// 65 % of inferno's brightest, (252, 255, 164), and 35 % of the picture's luma 0.299 * 200 + 0.587 * 100 = 118.5, cut
    /// to 118. So (205.1, 207.05, 147.9).
    #[test]
    fn the_grey_picture_shines_through_by_what_is_left_of_the_opacity() {
        let drawn = overlay(&coloured(2, 1), &row(&[0.0, 5.0]), Scale::Own, &Paint::default()).unwrap();
        assert_eq!(drawn.picture.pixel(1, 0), [205, 207, 148]);
    }

    #[test]
    fn a_common_scale_makes_a_weak_map_weak() {
        let limits = ColourLimits { low: 0.0, high: 10.0 };
        let drawn = overlay(&coloured(2, 1), &row(&[0.0, 5.0]), Scale::Common(limits), &full()).unwrap();
        assert_eq!(drawn.picture.pixel(1, 0), ColourMap::Inferno.at(0.5));
        assert_eq!(drawn.shown, Ok(limits));
    }

    #[test]
    fn a_map_without_evidence_is_the_picture_in_grey_and_says_why() {
        let grey = coloured(2, 2).greyed();
        let cases: [(&[f32], MapPart, &str); 5] = [
            (&[0.0, -0.0], MapPart::Signed, "no evidence: all zero"),
            (&[0.02, 0.02], MapPart::Signed, "no evidence: 0.02 everywhere"),
            (&[1.0, f32::NAN], MapPart::Signed, "no evidence: 1 of 2 cells not finite"),
            (&[f32::INFINITY, f32::NAN], MapPart::Positive, "no evidence: 2 of 2 cells not finite"),
            (&[-1.0, 0.0], MapPart::Positive, "no evidence for it: nothing positive"),
        ];
        for (values, part, why) in cases {
            for scale in [Scale::Own, Scale::Common(ColourLimits { low: 0.0, high: 1.0 })] {
                let drawn = overlay(&coloured(2, 2), &row(values), scale, &Paint { part, ..full() }).unwrap();
                assert_eq!(drawn, Overlay { picture: grey.clone(), shown: Err(why.to_string()) });
            }
        }
    }

    #[test]
    fn the_positive_part_of_a_signed_map_has_sequential_colours() {
        let paint = Paint { part: MapPart::Positive, ..full() };
        let drawn = overlay(&coloured(3, 1), &row(&[-4.0, 0.0, 2.0]), Scale::Own, &paint).unwrap();
        assert_eq!(drawn.picture.pixels()[..6], [0, 0, 4, 0, 0, 4]);
        assert_eq!(drawn.picture.pixel(2, 0), ColourMap::Inferno.at(1.0));
    }

    /// Two cells over four pixels: 0, 1/4, 3/4, 1 (half-pixel centres).
    #[test]
    fn cells_run_into_one_another() {
        let drawn = overlay(&coloured(4, 1), &row(&[0.0, 8.0]), Scale::Own, &full()).unwrap();
        let colours = [0.0, 0.25, 0.75, 1.0].map(|at| ColourMap::Inferno.at(at)).concat();
        assert_eq!(drawn.picture.pixels(), colours);
    }

    #[test]
    fn a_rectangular_picture_keeps_its_shape() {
        let map = Heatmap::new(2, 3, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let drawn = overlay(&coloured(6, 2), &map, Scale::Own, &full()).unwrap();
        assert_eq!((drawn.picture.width(), drawn.picture.height()), (6, 2));
        assert_eq!(drawn.picture.pixel(5, 1), ColourMap::Inferno.at(1.0));
    }

    #[test]
    fn numbers_are_short_and_in_real_units() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.006_197_4, "0.0062"),
            (-0.0123, "−0.0123"),
            (0.001, "0.001"),
            (0.000_999_9, "0.001"),
            (0.000_123_4, "1.23·10⁻⁴"),
            (-2.0e-10, "−2·10⁻¹⁰"),
            (1234.5, "1234"),
            (98_765.0, "9.88·10⁴"),
            (9.999, "10"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
    }
}
