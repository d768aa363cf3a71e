//! How fast training images come: `cargo run --example loader -- FOLDER BATCH EPOCHS [--cache auto|off|SIZE]`.
//!
//! Decodes, crops, scales to 224 pixels, mirrors and normalises the training images of a folder, one epoch after another.
//! Prints one line of JSON: of each epoch the images a second, and the processor's milliseconds an image. Works on as many
//! threads as `RAYON_NUM_THREADS` says. `scripts/bench/loader.py` runs it beside torchvision.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use driftscope::data::{
    Augmentation, Batching, CacheSize, DataConfig, DataSet, FolderConfig, Loader, Mixing, Order, Preprocessing, Split,
};
use driftscope::device::DeviceChoice;
use driftscope::picture::{Interpolation, Normalisation};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (positional, cache) = match arguments.iter().position(|argument| argument == "--cache") {
        Some(at) => (&arguments[..at], arguments.get(at + 1).ok_or("--cache needs a size")?.parse::<CacheSize>()?),
        None => (&arguments[..], CacheSize::Auto),
    };
    let [folder, batch_size, epochs] = positional else {
        return Err("usage: loader FOLDER BATCH EPOCHS [--cache auto|off|SIZE]".into());
    };
    let (batch_size, epochs): (usize, usize) = (batch_size.parse()?, epochs.parse()?);
    let preprocessing = Preprocessing {
        size: 224,
        resize: 256,
        interpolation: Interpolation::Bicubic,
        normalisation: Normalisation::IMAGENET,
    };
    let augmentation = Augmentation {
        crop_scale: [0.35, 1.0],
        crop_ratio: [3.0 / 4.0, 4.0 / 3.0],
        flip: 0.5,
        colour_jitter: None,
        policy: None,
        erasing: None,
    };
    let mut data = DataSet::open(&DataConfig::Folder(FolderConfig::of(PathBuf::from(folder))))?;
    if cache != CacheSize::Off {
        data.keep_pixels(cache.bytes(), &preprocessing);
    }
    let device = DeviceChoice::Cpu.open()?.0;

    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for epoch in 1..=epochs {
        let order = Order::Training { seed: 0, epoch, augmentation, mixing: Mixing { mixup: 0.0, cutmix: 0.0 } };
        let (start, spent, mut images) = (Instant::now(), processor_seconds()?, 0);
        for batch in Loader::start(data.split(Split::Train).clone(), order, Batching { batch_size, preprocessing }, 0) {
            images += batch?.images(&device).dims()[0];
        }
        device.sync()?;
        rates.push(format!("{:.1}", images as f64 / start.elapsed().as_secs_f64()));
        costs.push(format!("{:.3}", 1000.0 * (processor_seconds()? - spent) / images as f64));
    }
    println!(r#"{{"images_a_second": [{}], "processor_ms": [{}]}}"#, rates.join(", "), costs.join(", "));
    Ok(())
}

/// What all threads of this process have spent so far, from Linux's account in hundredths of a second.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks =
        |field: usize| -> Result<f64, Box<dyn Error>> { Ok(fields.get(field).ok_or("no such field")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
