//! `driftscope export`: a run's weights for timm and torchvision.

use super::args::CheckpointArguments;
use super::output::{checked, deliver, format};
use crate::run::{RunRecord, sealed};
use crate::weights::{self, Precision};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope export`.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    checkpoint: CheckpointArguments,
    /// The .safetensors file to write; - for stdout
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Precision of the exported weights: float32, float16 or bfloat16
    #[arg(long, value_name = "PRECISION", default_value = "float32")]
    precision: Precision,
}

pub(super) fn run(arguments: &ExportArguments) -> Result<ExitCode> {
    let out = checked("OUT", &arguments.out)?;
    format("OUT", &out, &arguments.out, &["safetensors"])?;
    let CheckpointArguments { run, weights: which } = &arguments.checkpoint;
    let record = RunRecord::read(&run.path)?;
    let saved = sealed(&run.path, run.which)?.saved;
    let tensors = saved.ema.as_ref().filter(|_| !which.raw).unwrap_or(&saved.model);
    let preprocessing = &record.config.preprocessing;
    let classes = json!(record.classes).to_string();
    // The words of timm's own configs, so that `timm.data.create_transform(**…)` takes them as they are.
    let transform = json!({
        "input_size": [3, preprocessing.size, preprocessing.size],
        "crop_pct": preprocessing.size as f64 / preprocessing.resize as f64,
        "interpolation": preprocessing.interpolation,
        "mean": preprocessing.normalisation.mean.map(shortest),
        "std": preprocessing.normalisation.deviation.map(shortest),
    })
    .to_string();
    let epoch = saved.position.epoch.to_string();
    let model = record.config.model.spec();
    let metadata = [
        ("format", "pt"),
        ("model", model.timm.unwrap_or(model.name)),
        ("classes", classes.as_str()),
        ("preprocessing", transform.as_str()),
        ("run", record.name.as_str()),
        ("epoch", epoch.as_str()),
        ("driftscope", env!("CARGO_PKG_VERSION")),
    ];
    let bytes = weights::export(tensors, arguments.precision, saved.position.optimizer_step, &metadata)
        .with_context(|| format!("{} is not written", arguments.out.display()))?;
    deliver(&out, &arguments.out, &bytes)?;
    Ok(ExitCode::SUCCESS)
}

/// A float32's shortest decimal, not that of the nearest double.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
