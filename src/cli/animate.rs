//! `driftscope animate`: one panel image's maps through the epochs, as a GIF or as a film strip.

use super::args::{self, StoredMethodArguments};
use super::input::side_by_side;
use super::output::{checked, deliver, format};
use crate::draw::ColourMap;
use crate::fsx;
use crate::report::{Animation, FilmStrip, film_strip, gif};
use crate::store::RunReader;
use anyhow::{Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Flags of `driftscope animate`.
#[derive(Debug, Args)]
pub(super) struct AnimateArguments {
    /// Runs, shown one below the other; all must have the image in their panels
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The image: its index in the panel, from 0, or its id
    #[arg(long, value_name = "IMAGE", default_value = "0")]
    image: String,
    /// Where to write: a .gif is animated, a .png or .svg is a film strip with a column for each epoch; - is stdout, as GIF
    /// [default: IMAGE.gif]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    methods: StoredMethodArguments,
    /// How long a GIF shows each epoch
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 700, value_parser = args::whole::<u64>(..))]
    delay: u64,
    /// Most epochs in a film strip
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = args::whole::<u16>(2..=u16::MAX))]
    columns: u16,
    /// Colour map for maps without negative values; maps with negative values are blue and red
    #[arg(long, value_name = "NAME", default_value = "inferno")]
    colours: ColourMap,
}

pub(super) fn run(arguments: &AnimateArguments) -> Result<ExitCode> {
    let runs = side_by_side(&arguments.runs)?;
    let image = place(&runs[0], &arguments.image)?;
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{image:03}.gif")));
    let output = checked("--out", &out)?;
    let format = format("--out", &output, &out, &["gif", "png", "svg"])?;
    let explainers = arguments.methods.methods.clone();
    let bytes = match format {
        "gif" => {
            let delay = Duration::from_millis(arguments.delay);
            let mut animation = Animation { delay, explainers, ..Animation::default() };
            animation.style.paint.colours = arguments.colours;
            gif(&runs, image, &animation)?
        }
        figure => {
            let columns = usize::from(arguments.columns);
            let mut film = FilmStrip { columns, explainers, ..FilmStrip::default() };
            film.style.paint.colours = arguments.colours;
            film_strip(&runs, image, &film)?.encoded(figure.parse()?)?
        }
    };
    deliver(&output, &out, &bytes)?;
    Ok(ExitCode::SUCCESS)
}

/// Where in the panel an image lies, by its number or its id.
fn place(run: &RunReader, image: &str) -> Result<usize> {
    let ids = &run.info().panel.ids;
    let by_id = ids.iter().position(|id| id == image);
    match by_id.or_else(|| fsx::whole_number(image).filter(|&index| index < ids.len())) {
        Some(index) => Ok(index),
        None => bail!(
            "--image {image}: the panel of {} has no such image; expected 0 to {} or an id, such as {}",
            run.dir().display(),
            ids.len().saturating_sub(1),
            ids.first().map_or("none", String::as_str)
        ),
    }
}
