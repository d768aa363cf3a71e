//! Text in pictures: measured, broken and painted with an embedded font, so that a picture is the same on every machine.
//!
//! The font is DejaVu Sans, cut down by `scripts/fonts.sh` to Latin-1, Latin Extended-A, Greek and the signs of
//! arithmetic; `fonts/LICENSE` holds its terms. Any other character is painted as a box.

use super::canvas::Canvas;
use crate::picture::Rgb;
use ab_glyph::{Font, FontRef, Glyph, InvalidFont, PxScale, ScaleFont, point};

const REGULAR: &[u8] = include_bytes!("fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("fonts/DejaVuSans-Bold.ttf");
/// Replaces the end of a text that does not fit.
const ELLIPSIS: char = '…';

/// How heavy the strokes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// For captions and numbers.
    Regular,
    /// For headings.
    Bold,
}

/// A size and a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Face {
    /// Height of the em square in pixels; a capital is 0.73 of it high.
    pub(crate) size: f32,
    /// Regular or bold.
    pub(crate) weight: Weight,
}

impl Face {
    /// Regular, `size` pixels an em.
    pub(crate) fn regular(size: f32) -> Self {
        Self { size, weight: Weight::Regular }
    }

    /// Bold, `size` pixels an em.
    pub(crate) fn bold(size: f32) -> Self {
        Self { size, weight: Weight::Bold }
    }

    /// From one line's baseline to the next, in whole pixels.
    pub(crate) fn line(self) -> usize {
        (self.size * 1.3).round() as usize
    }

    /// From a line's top to its baseline, in pixels. With [`Face::line`] it leaves room for accents and descenders.
    pub(crate) fn ascent(self) -> f32 {
        self.size * 0.98
    }
}

/// Which part of a text lies at the position it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// The text begins there.
    Left,
    /// Its middle is there.
    Centre,
    /// It ends there.
    Right,
}

/// The embedded fonts.
pub(crate) struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Fonts { DejaVu Sans }")
    }
}

impl Fonts {
    /// The fonts of this build.
    ///
    /// # Errors
    ///
    /// Never, unless the embedded files are broken.
    pub(crate) fn embedded() -> Result<Self, InvalidFont> {
        Ok(Self { regular: FontRef::try_from_slice(REGULAR)?, bold: FontRef::try_from_slice(BOLD)? })
    }

    /// How wide a text is, in pixels.
    pub(crate) fn width(&self, text: &str, face: Face) -> f32 {
        self.set(text, face).1
    }

    /// The text, or as much of its beginning as fits into `width` pixels with an ellipsis.
    pub(crate) fn ellipsised(&self, text: &str, face: Face, width: f32) -> String {
        if self.width(text, face) <= width {
            return text.to_string();
        }
        let mut short: Vec<char> = text.chars().collect();
        while short.pop().is_some() {
            let shorter = short.iter().collect::<String>().trim_end().to_string() + &ELLIPSIS.to_string();
            if self.width(&shorter, face) <= width {
                return shorter;
            }
        }
        String::new()
    }

    /// The text broken at its spaces into lines of `width` pixels, `most` of them at most; what is left over, and a
    /// word that fits no line, ends in an ellipsis. An empty text has no line.
    pub(crate) fn wrapped(&self, text: &str, face: Face, width: f32, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.width(&format!("{line} {word}"), face) <= width => *line += &format!(" {word}"),
                _ => lines.push(word.to_string()),
            }
        }
        if lines.len() > most {
            let rest = lines.split_off(most.max(1) - 1).join(" ");
            lines.push(rest);
        }
        lines.truncate(most);
        lines.iter().map(|line| self.ellipsised(line, face, width)).collect()
    }

    /// Paints one line; `x` is where `align` says, `baseline` where the letters stand. In pixels from the upper left.
    pub(super) fn paint(
        &self,
        on: &mut Canvas,
        text: &str,
        face: Face,
        (x, baseline): (f32, f32),
        align: Align,
        colour: Rgb,
    ) {
        let (glyphs, width) = self.set(text, face);
        let left = match align {
            Align::Left => x,
            Align::Centre => x - width / 2.0,
            Align::Right => x - width,
        };
        for mut glyph in glyphs {
            glyph.position.x += left;
            glyph.position.y = baseline;
            let Some(outline) = self.font(face).outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|column, row, coverage| {
                let (column, row) = (corner.x + column as f32, corner.y + row as f32);
                if column >= 0.0 && row >= 0.0 {
                    on.mix(column as usize, row as usize, colour, coverage.min(1.0));
                }
            });
        }
    }

    fn font(&self, face: Face) -> &FontRef<'static> {
        match face.weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// The glyphs of a line that begins at (0, 0), with kerning, and its width.
    fn set(&self, text: &str, face: Face) -> (Vec<Glyph>, f32) {
        let font = self.font(face);
        // ab_glyph measures a font by its ascent and descent together, typography by its em.
        let em = font.units_per_em().unwrap_or(1.0);
        let font = font.as_scaled(PxScale::from(face.size * font.height_unscaled() / em));
        let (mut glyphs, mut x) = (Vec::new(), 0.0);
        let mut before = None;
        for character in text.chars() {
            let id = font.glyph_id(character);
            x += before.map_or(0.0, |before| font.kern(before, id));
            glyphs.push(id.with_scale_and_position(font.scale(), point(x, 0.0)));
            x += font.h_advance(id);
            before = Some(id);
        }
        (glyphs, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Picture;

    const FACE: Face = Face { size: 20.0, weight: Weight::Regular };

    fn fonts() -> Fonts {
        Fonts::embedded().unwrap()
    }

    /// The columns and rows that hold ink: first and last of each.
    fn ink(picture: &Picture) -> Option<([usize; 2], [usize; 2])> {
        let dark = |&(column, row): &(usize, usize)| picture.pixel(column, row)[0] < 128;
        let cells = || (0..picture.height()).flat_map(|row| (0..picture.width()).map(move |column| (column, row)));
        let dark: Vec<_> = cells().filter(dark).collect();
        let (columns, rows) = (|| dark.iter().map(|cell| cell.0), || dark.iter().map(|cell| cell.1));
        Some(([columns().min()?, columns().max()?], [rows().min()?, rows().max()?]))
    }

    fn painted(text: &str, align: Align) -> Picture {
        let mut canvas = Canvas::of(Picture::filled(200, 40, [255; 3]));
        fonts().paint(&mut canvas, text, FACE, (100.0, 30.0), align, [0; 3]);
        canvas.into_picture()
    }

    /// DejaVu Sans advances a digit by 1303 of 2048 units an em: at 20 pixels an em, ten digits are
    /// 10 * 1303 / 2048 * 20 = 127.246 pixels wide. Digits have no kerning. f32 sums of ten terms differ by less than
    /// a thousandth of a pixel.
    #[test]
    fn text_is_as_wide_as_the_font_says() {
        assert!((fonts().width("0123456789", FACE) - 127.246).abs() < 1e-3);
        assert_eq!(fonts().width("", FACE), 0.0);
        assert!(fonts().width("AV", FACE) < fonts().width("A", FACE) + fonts().width("V", FACE));
        assert!(fonts().width("figure", Face::bold(20.0)) > fonts().width("figure", FACE));
    }

    /// A capital H of DejaVu Sans is 1493 of 2048 units high, at 20 pixels an em 14.6 pixels, and stands on the baseline.
    #[test]
    fn ink_stands_on_the_baseline_where_it_is_aligned() {
        let (columns, rows) = ink(&painted("H", Align::Left)).unwrap();
        assert!(rows[1] == 29 && (14..=16).contains(&(rows[1] + 1 - rows[0])), "{rows:?}");
        assert!(columns[0] >= 100 && columns[0] < 104, "{columns:?}");
        let (columns, _) = ink(&painted("H", Align::Right)).unwrap();
        assert!(columns[1] < 100 && columns[1] > 95, "{columns:?}");
        let (columns, _) = ink(&painted("HOH", Align::Centre)).unwrap();
        assert!((columns[0] + columns[1]).abs_diff(2 * 100) <= 2, "{columns:?}");
    }

    #[test]
    fn text_that_leaves_the_picture_is_cut_off() {
        let mut canvas = Canvas::of(Picture::filled(8, 8, [255; 3]));
        fonts().paint(&mut canvas, "wide words", FACE, (-20.0, 3.0), Align::Left, [0; 3]);
        assert!(ink(&canvas.into_picture()).is_some());
    }

    #[test]
    fn every_sign_a_figure_needs_has_a_glyph_and_any_other_is_a_box() {
        let fonts = fonts();
        let covered = ('!'..='~').chain('¡'..='ſ').chain('Α'..='Ρ').chain('Σ'..='Ω').chain('α'..='ω');
        for sign in covered.chain("·–—…±×≤≥→−%⁰¹²³⁴⁵⁶⁷⁸⁹⁻≈∞".chars()) {
            for font in [&fonts.regular, &fonts.bold] {
                assert_ne!(font.glyph_id(sign).0, 0, "{sign} is missing");
            }
        }
        assert_eq!(painted("漢", Align::Left), painted("\u{7}", Align::Left));
        assert!(ink(&painted("漢", Align::Left)).is_some());
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_fits() {
        let fonts = fonts();
        let name = "interlaced_with_a_long_name";
        let short = fonts.ellipsised(name, FACE, 90.0);
        assert!(short.ends_with('…') && name.starts_with(short.trim_end_matches('…')), "{short}");
        assert!(fonts.width(&short, FACE) <= 90.0 && fonts.width(&short, FACE) > 70.0);
        assert_eq!(fonts.ellipsised("short", FACE, 90.0), "short");
        assert_eq!(fonts.ellipsised("short", FACE, 1.0), "");
    }

    #[test]
    fn lines_break_at_spaces_and_the_last_one_tells_of_the_rest() {
        let fonts = fonts();
        let text = "no evidence: the same value in every cell";
        let lines = fonts.wrapped(text, FACE, 150.0, 9);
        assert!(lines.len() > 1 && lines.iter().all(|line| fonts.width(line, FACE) <= 150.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        let two = fonts.wrapped(text, FACE, 150.0, 2);
        assert_eq!((two.len(), &two[0]), (2, &lines[0]));
        assert!(two[1].ends_with('…'), "{two:?}");
        assert!(fonts.wrapped(" ", FACE, 150.0, 2).is_empty());
    }
}
