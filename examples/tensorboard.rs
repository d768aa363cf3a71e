//! The Rust side of `scripts/parity/tensorboard_events.py`: writes event files of known content into a folder.
//!
//! A run of steps 0 to 5 that was resumed at step 3 and stopped after step 4, so two files. Values are what the script
//! says they are.

use driftscope::picture::Picture;
use driftscope::report::{Category, Chart, EventWriter, TensorBoardError};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os().nth(1).ok_or("usage: tensorboard FOLDER")?;
    let dir = Path::new(&dir);
    let mut first = EventWriter::create(dir, 0)?;
    first.layout(&layout())?;
    for step in 0..=5 {
        write(&mut first, step, 0.0)?;
    }
    let mut resumed = EventWriter::create(dir, 3)?;
    resumed.layout(&layout())?;
    for step in 3..=4 {
        write(&mut resumed, step, 10.0)?;
    }
    resumed.scalar("far/step", -2.5e-7, 1 << 40)?;
    resumed.scalar("far/µ of ‖x‖", f64::NAN, 7)?;
    Ok(())
}

/// Loss and accuracy in one chart, and in another a tag that no regular expression must take apart.
fn layout() -> Vec<Category> {
    let chart = |title: &str, tags: &[&str]| Chart {
        title: title.to_string(),
        tags: tags.iter().map(|tag| tag.to_string()).collect(),
    };
    let learning = vec![chart("both", &["training/loss", "validation/accuracy"])];
    let far = vec![chart("odd", &["far/µ of ‖x‖"])];
    vec![
        Category { title: "learning".to_string(), charts: learning },
        Category { title: "far".to_string(), charts: far },
    ]
}

/// A loss, an accuracy with a wall time of its own, and a picture of 5 x 3 pixels, all different at every step.
fn write(writer: &mut EventWriter, step: u64, more: f64) -> Result<(), TensorBoardError> {
    writer.scalar("training/loss", 1.0 / (step + 1) as f64 + more, step)?;
    writer.scalar_at("validation/accuracy", step as f64 / 8.0, step, 1e9 + step as f64 / 4.0)?;
    let pixel = |index: u64| (17 * index + 40 * step + more as u64) as u8;
    writer.image("panel/000", &Picture::new(5, 3, (0..45).map(pixel).collect()), step)
}
