//! An image's figure through the epochs, as an animated GIF.
//!
//! Every frame has one scale for all epochs, so that a colour means the same value from the first frame to the last.

use super::story::{Story, StoryError};
use crate::draw::{Align, FAINT, Face, Figure, FigureError, INK, Pen, RULE, Scene, Shape, Style};
use crate::picture::Picture;
use crate::store::RunReader;
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, ImageError, RgbaImage};
use std::collections::BTreeSet;
use std::time::Duration;

/// Lengths in points.
const MARGIN: f32 = 16.0;
const LABEL: f32 = 12.0;
const FOOT: f32 = 34.0;
/// Speed of the colour quantiser, from 1 (best) to 30 (fastest); up to about 10 text and colour maps stay clean.
const QUANTISER_SPEED: i32 = 10;
/// The last frame stays longer, so that the eye knows where the loop begins.
const LAST_FRAME: u32 = 3;

/// Why there is no animation.
#[derive(Debug, thiserror::Error)]
pub enum AnimateError {
    /// A run could not be read or its figure not be drawn.
    #[error(transparent)]
    Story(#[from] StoryError),
    /// The GIF could not be encoded.
    #[error("the animation could not be encoded as GIF")]
    Encode(#[source] ImageError),
}

impl From<FigureError> for AnimateError {
    fn from(error: FigureError) -> Self {
        AnimateError::Story(error.into())
    }
}

/// How an animation looks and runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Animation {
    /// How its figures look.
    pub style: Style,
    /// How long an epoch is shown; the last one three times as long.
    pub delay: Duration,
    /// The names of the explainers to show; empty for all.
    pub explainers: Vec<String>,
}

impl Default for Animation {
    fn default() -> Self {
        Self {
            style: Style { sharpness: 1.5, side: 192.0, ..Style::default() },
            delay: Duration::from_millis(700),
            explainers: Vec::new(),
        }
    }
}

/// The GIF of one panel image through all epochs, with a row for each run. It repeats without end. A run with fewer epochs
/// stays at its last one.
///
/// # Errors
///
/// When a run cannot be read, holds no explanations, or has another image at this place than the first one.
pub fn gif(runs: &[RunReader], image: usize, animation: &Animation) -> Result<Vec<u8>, AnimateError> {
    let stories = Story::read_all(runs, image, &animation.explainers)?;
    let epochs: Vec<usize> = stories.iter().flat_map(Story::epochs).collect::<BTreeSet<_>>().into_iter().collect();
    let figures = epochs.iter().map(|&epoch| at(&stories, epoch, &animation.style));
    let frames = footed(figures.collect::<Result<_, _>>()?, &epochs, &animation.style)?;
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, QUANTISER_SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(AnimateError::Encode)?;
    let last = frames.len() - 1;
    for (index, picture) in frames.iter().enumerate() {
        let delay = if index == last { animation.delay * LAST_FRAME } else { animation.delay };
        encoder.encode_frame(frame(picture, delay)).map_err(AnimateError::Encode)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// The figure of all runs at one epoch.
fn at(stories: &[Story], epoch: usize, style: &Style) -> Result<Scene, FigureError> {
    let rows = stories.iter().map(|story| story.row(epoch, style.paint.part)).collect();
    let title = stories.first().map_or(String::new(), |story| format!("Image {}: {}", story.image(), story.id()));
    Figure { title, rows }.scene(style)
}

/// The figures on sheets of one size, each with its epoch and a time line of all epochs below.
fn footed(figures: Vec<Scene>, epochs: &[usize], style: &Style) -> Result<Vec<Picture>, FigureError> {
    // A map without evidence has one more line of caption than the same map at the next epoch.
    let width = figures.iter().map(|figure| figure.size()[0]).max().unwrap_or(0);
    let height = figures.iter().map(|figure| figure.size()[1]).max().unwrap_or(0);
    let frame = |(index, figure): (usize, Scene)| {
        let mut pen = Pen::new(style.sharpness)?;
        foot(&mut pen, (width, height), epochs, index);
        let foot = pen.pixels(FOOT);
        pen.over(figure, [width, height + foot]).picture()
    };
    figures.into_iter().enumerate().map(frame).collect()
}

/// The epoch in words and its place on a time line, below a figure of `width` by `top` pixels.
fn foot(pen: &mut Pen, (width, top): (usize, usize), epochs: &[usize], now: usize) {
    let (left, right) = (pen.length(MARGIN), width as f32 - pen.length(MARGIN));
    let face = Face::bold(pen.length(LABEL));
    let middle = top + pen.pixels(FOOT * 0.4);
    let baseline = middle as f32 + face.size * 0.36;
    let label = format!("epoch {}", epochs[now]);
    pen.text((left, baseline), (&label, face, INK), Align::Left);
    // Room for the longest label, so that the line stands still.
    let labels = epochs.iter().map(|epoch| pen.fonts.width(&format!("epoch {epoch}"), face));
    let from = left + labels.fold(0.0, f32::max) + pen.length(14.0);
    let (first, last) = (epochs[0], epochs[epochs.len() - 1]);
    let span = last.saturating_sub(first).max(1) as f32;
    let (dot, thick) = (pen.pixels(6.0), pen.pixels(2.0));
    let x = |epoch: usize| (from + (epoch - first) as f32 / span * (right - from - dot as f32)) as usize + dot / 2;
    for (epoch, colour) in [(last, RULE), (epochs[now], FAINT)] {
        pen.rectangle((x(first), middle - thick / 2), (x(epoch) - x(first), thick), colour);
    }
    for (index, &epoch) in epochs.iter().enumerate() {
        let side = if index == now { dot * 2 } else { dot };
        let colour = match index {
            _ if index == now => INK,
            _ if index < now => FAINT,
            _ => RULE,
        };
        // Around the middle of a pixel.
        let at = (x(epoch) as f32 + 0.5, middle as f32 + 0.5);
        pen.put(Shape::Disc { at, radius: side as f32 / 2.0, colour });
    }
}

fn frame(picture: &Picture, delay: Duration) -> Frame {
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let colour = |x, y| {
        let [red, green, blue] = picture.pixel(x as usize, y as usize);
        image::Rgba([red, green, blue, u8::MAX])
    };
    let pixels = RgbaImage::from_fn(width, height, colour);
    Frame::from_parts(pixels, 0, 0, Delay::from_saturating_duration(delay))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story::tests::{run_of, seen};
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;
    use std::io::Cursor;

    fn small() -> Animation {
        Animation { style: Style { side: 60.0, sharpness: 1.0, ..Style::default() }, ..Animation::default() }
    }

    fn frames(bytes: &[u8]) -> Vec<Frame> {
        GifDecoder::new(Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap()
    }

    fn milliseconds(frame: &Frame) -> u32 {
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        numerator / denominator
    }

    #[test]
    fn there_is_a_frame_an_epoch_and_the_last_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let map = |strength: f32| seen("grad-cam", [strength; 8]);
        let alive = |strength: f32| seen("grad-cam", [0.0, 0.0, 0.0, strength, 0.0, 0.0, 0.0, strength]);
        // The dead map of epoch 0 has one line more, and every frame must have the same size.
        let run = run_of(dir.path(), &[(0, vec![map(0.0)]), (1, vec![alive(1.0)]), (4, vec![alive(2.0)])]);
        let frames = frames(&gif(&[run], 0, &small()).unwrap());
        assert_eq!(frames.iter().map(milliseconds).collect::<Vec<_>>(), [700, 700, 2100]);
        let sizes: Vec<_> = frames.iter().map(|frame| frame.buffer().dimensions()).collect();
        assert!(sizes.iter().all(|size| size == &sizes[0]), "{sizes:?}");
        assert!(frames.windows(2).all(|pair| pair[0].buffer() != pair[1].buffer()));
    }

    /// The map of epoch 1 is a tenth of that of epoch 2, so on one scale it stays dark: inferno's tenth, (22, 11, 57),
    /// is darker than 60 everywhere, its end brighter than 160. Opacity 1, so that only colours of the map show.
    #[test]
    fn one_scale_holds_for_all_frames() {
        let dir = tempfile::tempdir().unwrap();
        let map = |strength: f32| seen("grad-cam", [0.0, 0.0, strength, strength, 0.0, 0.0, 0.0, 1.0]);
        let run = run_of(dir.path(), &[(1, vec![map(1.0)]), (2, vec![map(10.0)])]);
        let mut animation = small();
        animation.style.paint.opacity = 1.0;
        let story = Story::read(&run, 0, &[]).unwrap();
        let figure = |epoch| at(std::slice::from_ref(&story), epoch, &animation.style).unwrap().picture().unwrap();
        let [weak, strong] = [1, 2].map(figure);
        let bright =
            |sheet: &Picture| sheet.pixels().chunks_exact(3).filter(|pixel| **pixel == [252, 255, 164]).count();
        assert!(bright(&strong) >= 60 * 15 && bright(&weak) < 60, "{} {}", bright(&strong), bright(&weak));
        assert_eq!(frames(&gif(&[run], 0, &animation).unwrap()).len(), 2);
    }

    #[test]
    fn a_run_with_fewer_epochs_stays_at_its_last() {
        let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let map = || seen("grad-cam", [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0]);
        let long = run_of(one.path(), &[(0, vec![map()]), (1, vec![map()]), (2, vec![map()])]);
        let short = run_of(other.path(), &[(0, vec![map()])]);
        assert_eq!(frames(&gif(&[long, short.clone()], 1, &small()).unwrap()).len(), 3);
        assert_eq!(frames(&gif(&[short], 1, &small()).unwrap()).len(), 1);
    }
}
