//! A film strip: one picture in which an image's maps run through the epochs, a row a method, a column an epoch.
//!
//! A row has one scale, so that colours compare along it; its colour bar stands at the row's head.

use super::story::{Story, StoryError};
use crate::draw::{FAINT, Face, FigureError, INK, Overlay, Pen, RULE, Scale, Scene, Style, WARNING, overlay};
use crate::picture::{Picture, Rgb};
use crate::store::{Explanations, RunReader};

/// Lengths in points.
const MARGIN: f32 = 16.0;
const GAP: f32 = 6.0;
const TITLE: f32 = 15.0;
const HEADING: f32 = 12.0;
const LABEL: f32 = 11.0;
const CAPTION: f32 = 9.5;
/// Width of a row's head, which holds the method, what it explains and the colour bar.
const HEAD: f32 = 160.0;

/// What the rows and the words above their pictures mean.
const LEGEND: &str = "Each row has one scale for all epochs. Above the maps: the class the model predicted and its \
                      probability; wrong ones are red and begin with ×.";
/// The sign in front of a wrong prediction.
const WRONG: &str = "× ";

/// How a film strip looks.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmStrip {
    /// How maps are painted; its side is that of one frame.
    pub style: Style,
    /// The most epochs that are shown, at least 2; chosen evenly, with the first and the last among them.
    pub columns: usize,
    /// The names of the explainers to show; empty for all.
    pub explainers: Vec<String>,
}

impl Default for FilmStrip {
    fn default() -> Self {
        Self { style: Style { side: 96.0, ..Style::default() }, columns: 10, explainers: Vec::new() }
    }
}

/// One panel image's film strips as a drawing, with a block for each run.
///
/// # Errors
///
/// When a run cannot be read, holds no explanations, or has another image at this place than the first one.
pub fn film_strip(runs: &[RunReader], image: usize, film: &FilmStrip) -> Result<Scene, StoryError> {
    let stories = Story::read_all(runs, image, &film.explainers)?;
    let blocks: Vec<Block> = stories.iter().map(|story| Block::of(story, film)).collect::<Result<_, _>>()?;
    let title = stories.first().map_or(String::new(), |story| format!("Panel image {image}: {}", story.id()));
    Ok(laid_out(&title, &blocks, film)?)
}

/// At most `most` of some epochs, chosen evenly, with the first and the last among them.
fn chosen(epochs: &[usize], most: usize) -> Vec<usize> {
    let last = epochs.len() - 1;
    let most = most.max(2).min(epochs.len());
    let at = |index: usize| (index * last + (most - 1) / 2) / (most - 1).max(1);
    (0..most).map(|index| epochs[at(index)]).collect()
}

/// What the strip shows of one run.
struct Block {
    heading: String,
    note: String,
    picture: Picture,
    epochs: Vec<Column>,
    strips: Vec<Strip>,
}

/// The words above the maps of an epoch: its number, and what the model predicted.
struct Column {
    epoch: usize,
    predicted: String,
    right: bool,
}

/// The maps of one method and target through the epochs.
struct Strip {
    title: String,
    captions: [String; 2],
    scale: Scale,
    /// For each shown epoch the painted picture and, where the map is no evidence, why.
    frames: Vec<Option<(Picture, Option<String>)>>,
}

impl Block {
    fn of(story: &Story, film: &FilmStrip) -> Result<Block, FigureError> {
        let all: Vec<usize> = story.epochs().collect();
        let epochs = chosen(&all, film.columns);
        let picture = film.style.enlarged(story.picture());
        let mut strips = Vec::new();
        // The methods of the last epoch: a run has the same methods at every epoch.
        for seen in story.at(usize::MAX).1 {
            // A method that knows no classes has the same map for every target.
            let targets = if seen.class_specific { seen.target_kinds.len() } else { 1 };
            for target in 0..targets {
                strips.push(Strip::of(story, (seen, target), &epochs, &picture, film)?);
            }
        }
        let left_out = epochs.len() < all.len();
        let left_out = if left_out { format!(" · {} of {} epochs", epochs.len(), all.len()) } else { String::new() };
        Ok(Block {
            heading: story.run().to_string(),
            note: story.model().to_string() + &left_out,
            picture,
            epochs: epochs.iter().map(|&epoch| Column::of(story, epoch)).collect(),
            strips,
        })
    }
}

impl Column {
    fn of(story: &Story, epoch: usize) -> Column {
        let image = story.image();
        let seen = story.at(epoch).1.first();
        let class = seen.and_then(|seen| Some((*seen.predicted.get(image)?, seen)));
        let predicted = class.map_or(String::new(), |(class, seen)| {
            let probabilities = seen.probabilities(image);
            let sure = usize::try_from(class).ok().and_then(|class| probabilities.get(class));
            let sure = sure.map_or(String::new(), |sure| format!(" {sure:.2}"));
            story.class(class) + &sure
        });
        let right = class.is_some_and(|(class, seen)| seen.labels.get(image) == Some(&class));
        Column { epoch, predicted, right }
    }
}

impl Strip {
    fn of(
        story: &Story,
        (last, target): (&Explanations, usize),
        epochs: &[usize],
        picture: &Picture,
        film: &FilmStrip,
    ) -> Result<Strip, FigureError> {
        let paint = &film.style.paint;
        let limits = story.limits(&last.explainer, target, paint.part);
        let scale = limits.map_or(Scale::Own, Scale::Common);
        let mut frames = Vec::new();
        for &epoch in epochs {
            let seen = story.at(epoch).1.iter().find(|seen| seen.explainer == last.explainer);
            let map = seen.and_then(|seen| Some((seen.map(story.image(), target)?, seen)));
            frames.push(match map {
                None => None,
                Some((map, seen)) => {
                    let Overlay { picture, shown } = overlay(picture, &map, scale, paint)?;
                    let untrained = (!seen.is_evidence()).then(|| "untrained head: noise".to_string());
                    Some((picture, shown.err().or(untrained)))
                }
            });
        }
        let class = last.targets.get(story.image() * last.target_kinds.len() + target);
        let explained = match class.filter(|_| last.class_specific) {
            Some(&class) => format!("for {} ({})", story.class(class), last.target_kinds[target]),
            None => "for any class".to_string(),
        };
        Ok(Strip { title: last.title.clone(), captions: [explained, last.tap.clone()], scale, frames })
    }
}

/// The drawing under way: what is drawn so far, and the positions of columns and rows, in pixels.
struct Layout {
    pen: Pen,
    /// Width of the row heads.
    head: usize,
    /// Width of everything between the margins.
    width: usize,
}

/// The finished drawing: the blocks of the runs, one above the other.
fn laid_out(title: &str, blocks: &[Block], film: &FilmStrip) -> Result<Scene, FigureError> {
    let pen = Pen::new(film.style.sharpness)?;
    let (head, gap, margin) = (pen.pixels(HEAD), pen.pixels(GAP), pen.pixels(MARGIN));
    let wide = |block: &Block| head + (block.epochs.len() + 1) * (gap + block.picture.width());
    let width = blocks.iter().map(wide).max().ok_or(FigureError::Empty)?;
    let mut layout = Layout { pen, head, width };
    let height = layout.compose(title, blocks, film);
    Ok(layout.pen.into_scene(width + 2 * margin, height + margin))
}

impl Layout {
    fn face(&self, points: f32) -> Face {
        Face::regular(self.pen.length(points))
    }

    fn bold(&self, points: f32) -> Face {
        Face::bold(self.pen.length(points))
    }

    /// Draws a paragraph; returns its lower end.
    fn text(&mut self, text: (&str, Face, Rgb), at: (usize, usize, usize), lines: usize) -> usize {
        self.pen.paragraph(text, at, lines)
    }

    /// Draws everything; returns the lower end.
    fn compose(&mut self, title: &str, blocks: &[Block], film: &FilmStrip) -> usize {
        let left = self.pen.pixels(MARGIN);
        let title = (title, self.bold(TITLE), INK);
        let mut top = self.text(title, (left, left, self.width), 2);
        top = self.text((LEGEND, self.face(CAPTION), FAINT), (left, top, self.width), 3);
        for block in blocks {
            top += self.pen.pixels(GAP);
            self.pen.rectangle((left, top), (self.width, self.pen.pixels(0.5)), RULE);
            top = self.block(block, top + self.pen.pixels(1.5 * GAP), film);
        }
        top
    }

    fn block(&mut self, block: &Block, top: usize, film: &FilmStrip) -> usize {
        let left = self.pen.pixels(MARGIN);
        let (bold, caption) = (self.bold(HEADING), self.face(CAPTION));
        let below = self.text((&block.heading, bold, INK), (left, top, self.head), 3);
        let below = self.text((&block.note, caption, FAINT), (left, below, self.head), 2);
        let mut top = self.headings(block, top).max(below) + self.pen.pixels(GAP / 2.0);
        for (index, strip) in block.strips.iter().enumerate() {
            if index == 0 {
                self.pen.picture((self.column(block, 0), top), block.picture.clone());
            }
            top = self.strip(block, strip, top, film) + self.pen.pixels(GAP);
        }
        top
    }

    /// Where a column of pictures begins; the first is the original's.
    fn column(&self, block: &Block, index: usize) -> usize {
        self.pen.pixels(MARGIN)
            + self.head
            + index * (block.picture.width() + self.pen.pixels(GAP))
            + self.pen.pixels(GAP)
    }

    /// Draws the epochs and what the model predicted in each; returns the lower end.
    fn headings(&mut self, block: &Block, top: usize) -> usize {
        let (label, caption) = (self.bold(LABEL), self.face(CAPTION));
        let original = [("Original".to_string(), String::new(), FAINT)];
        let epochs = block.epochs.iter().map(|column| {
            let (mark, colour) = if column.right { ("", FAINT) } else { (WRONG, WARNING) };
            (format!("epoch {}", column.epoch), format!("{mark}{}", column.predicted), colour)
        });
        for (index, (heading, predicted, colour)) in original.into_iter().chain(epochs).enumerate() {
            let (left, width) = (self.column(block, index), block.picture.width());
            let below = self.text((&heading, label, INK), (left, top, width), 1);
            self.text((&predicted, caption, colour), (left, below, width), 1);
        }
        top + label.line() + caption.line()
    }

    /// Draws a method's row; returns its lower end.
    fn strip(&mut self, block: &Block, strip: &Strip, top: usize, film: &FilmStrip) -> usize {
        let (left, caption, bold) = (self.pen.pixels(MARGIN), self.face(CAPTION), self.bold(LABEL));
        let mut below = self.text((&strip.title, bold, INK), (left, top, self.head), 2);
        for line in &strip.captions {
            below = self.text((line, caption, FAINT), (left, below, self.head), 2);
        }
        if let Scale::Common(limits) = strip.scale {
            let (at, colours) = ((left, below + self.pen.pixels(GAP / 2.0)), limits.colours(film.style.paint.colours));
            let bar = self.head - self.pen.pixels(GAP);
            below = self.pen.bar(limits, colours, at, bar);
        }
        let under = top + block.picture.height() + self.pen.pixels(2.0);
        below = below.max(under);
        for (index, (picture, note)) in
            strip.frames.iter().enumerate().filter_map(|(index, frame)| Some((index, frame.as_ref()?)))
        {
            let left = self.column(block, index + 1);
            self.pen.picture((left, top), picture.clone());
            let note = (note.as_deref().unwrap_or_default(), caption, WARNING);
            let noted = self.text(note, (left, under, picture.width()), 2);
            below = below.max(noted);
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{ColourMap, Paint};
    use crate::report::story::tests::{run_of, seen};

    #[test]
    fn epochs_are_chosen_evenly_with_both_ends() {
        let epochs: Vec<usize> = (0..=100).collect();
        assert_eq!(chosen(&epochs, 5), [0, 25, 50, 75, 100]);
        assert_eq!(chosen(&epochs[..4], 9), [0, 1, 2, 3]);
        assert_eq!(chosen(&epochs[..4], 0), [0, 3]);
        assert_eq!(chosen(&[7], 5), [7]);
    }

    /// One picture of 4 pixels is enlarged 24 times to 96 points; the map's corner cell has its value from its centre on,
    /// a quarter of its side each way. The epoch of twice the strength has inferno's end there, the other its middle.
    #[test]
    fn a_row_has_a_picture_an_epoch_on_one_scale() {
        let dir = tempfile::tempdir().unwrap();
        let map = |strength: f32| seen("grad-cam", [0.0, 0.0, 0.0, strength, 0.0, 0.0, 0.0, 1.0]);
        let run = run_of(dir.path(), &[(0, vec![map(0.0)]), (1, vec![map(1.0)]), (2, vec![map(2.0)])]);
        let paint = Paint { opacity: 1.0, ..Paint::default() };
        let film = FilmStrip { style: Style { paint, side: 96.0, sharpness: 1.0 }, ..FilmStrip::default() };
        let picture = film_strip(std::slice::from_ref(&run), 0, &film).unwrap().picture().unwrap();
        assert_eq!(picture.width(), 160 + 4 * (6 + 96) + 2 * 16);
        let count = |colour: [u8; 3]| picture.pixels().chunks_exact(3).filter(|pixel| **pixel == colour).count();
        for colour in [ColourMap::Inferno.at(1.0), ColourMap::Inferno.at(0.5)] {
            assert!(count(colour) >= 24 * 24, "{colour:?}: {}", count(colour));
        }
        // The original and the dead map; the edges of letters may have the same grey here and there.
        let grey = count([100; 3]);
        assert!((2 * 96 * 96..2 * 96 * 96 + 50).contains(&grey), "{grey}");
        let two = FilmStrip { columns: 2, ..film };
        let narrow = film_strip(&[run], 0, &two).unwrap().picture().unwrap();
        assert_eq!(narrow.width(), 160 + 3 * (6 + 96) + 2 * 16);
    }
}
