//! `driftscope train`: a new run, or an old one that goes on.

use super::{INTERRUPTED, print};
use crate::config::RunConfig;
use crate::config::file::FileConfig;
use crate::data::DataSet;
use crate::device::DeviceChoice;
use crate::store::PanelInfo;
use crate::train::{Outcome, Progress, RunDir, RunRecord, Setup, Snapshot, fit};
use anyhow::{Result, bail};
use burn_train::Interrupter;
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

/// Flags of `driftscope train`. Without --config and flags, the defaults.
#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    /// Model: resnet50, deit_tiny, resnet_mini or deit_mini
    #[arg(long, value_name = "NAME", required_unless_present_any = ["config", "resume"])]
    model: Option<String>,
    /// Settings in TOML; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// First parameters: none, pretrained (timm's file in the Hugging Face cache) or a .safetensors or .pth file
    #[arg(long, value_name = "SOURCE")]
    weights: Option<String>,
    /// Names that the weights may lack or have beyond the model's, such as 'layer4.*'; may be repeated
    #[arg(long, value_name = "PATTERN")]
    allow_missing: Vec<String>,
    /// `textures`, or a folder: DTD's own, or train/ and val/ with a folder a class, or a folder a class
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// DTD's official split, 1 to 10; for a folder a class, the seed of the split that is made
    #[arg(long, value_name = "N")]
    split: Option<u64>,
    /// Where to compute: auto, cpu, cuda, cuda:N or flex
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Passes over the training pictures
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Pictures a step
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Full learning rate
    #[arg(long, value_name = "RATE")]
    lr: Option<f64>,
    /// Seed of parameters, order and augmentation
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The run's directory [default: checkpoints/MODEL-DATA-seedN]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Go on with this run from its newest whole checkpoint
    #[arg(long, value_name = "RUN", conflicts_with_all = ["model", "config", "epochs", "batch_size", "lr", "seed", "run_dir", "data", "split", "weights", "allow_missing"])]
    resume: Option<PathBuf>,
}

pub(super) fn run(arguments: TrainArguments) -> Result<ExitCode> {
    let interrupter = interrupter()?;
    let (run, setup, snapshot) = match &arguments.resume {
        Some(path) => resumed(path, arguments.device)?,
        None => new(arguments)?,
    };
    let mut progress = Progress::new(setup.config.epochs);
    if let Some(snapshot) = &snapshot {
        let (epoch, step) = snapshot.state.next();
        progress.say(&format!("resuming {} at epoch {epoch}, step {step}", snapshot.dir.display()));
    }
    let outcome = fit(&run, &setup, snapshot, &interrupter, &mut progress)?;
    let path = run.path().display();
    match outcome {
        Outcome::Finished { best } => {
            if let Some(best) = best {
                progress.say(&format!("best epoch {} · val accuracy {:.3}", best.epoch, best.val_accuracy));
            }
            print(&format!("{path}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Interrupted { epoch, step } => {
            progress
                .say(&format!("stopped at epoch {epoch}, step {step}; go on with: driftscope train --resume {path}"));
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

fn new(arguments: TrainArguments) -> Result<(RunDir, Setup, Option<Snapshot>)> {
    let (setup, device) = setup(resolve(&arguments)?, arguments.device)?;
    let default_dir = || {
        let name = format!("{}-{}-seed{}", setup.config.model, setup.data.name, setup.config.seed);
        Path::new("checkpoints").join(name)
    };
    let path = arguments.run_dir.clone().unwrap_or_else(default_dir);
    let record = record(&path, &setup, device);
    Ok((RunDir::create(&path, &record)?, setup, None))
}

fn resumed(path: &Path, choice: DeviceChoice) -> Result<(RunDir, Setup, Option<Snapshot>)> {
    let (run, saved) = RunDir::open(path)?;
    // The device the run began on, unless another one is asked for.
    let choice = if choice == DeviceChoice::Auto { saved.device.parse()? } else { choice };
    let (setup, device) = setup(saved.config.clone(), choice)?;
    let now = record(path, &setup, device);
    if now.data_digest != saved.data_digest || now.panel.digest != saved.panel.digest {
        bail!(
            "{}: the data is not what the run began with: digest {} then, {} now",
            path.display(),
            saved.data_digest,
            now.data_digest
        );
    }
    let snapshot = run.newest()?;
    Ok((run, setup, snapshot))
}

/// File, then flags, then defaults.
fn resolve(arguments: &TrainArguments) -> Result<RunConfig> {
    let mut file = match &arguments.config {
        Some(path) => FileConfig::read(path)?,
        None => FileConfig::default(),
    };
    file.model = arguments.model.clone().or(file.model);
    file.weights = arguments.weights.clone().or(file.weights);
    if !arguments.allow_missing.is_empty() {
        file.allow_missing = Some(arguments.allow_missing.clone());
    }
    file.data.source = arguments.data.clone().or(file.data.source);
    file.data.split = arguments.split.or(file.data.split);
    file.epochs = arguments.epochs.or(file.epochs);
    file.batch_size = arguments.batch_size.or(file.batch_size);
    file.schedule.learning_rate = arguments.lr.or(file.schedule.learning_rate);
    file.seed = arguments.seed.or(file.seed);
    Ok(file.resolve()?)
}

fn setup(config: RunConfig, choice: DeviceChoice) -> Result<(Setup, DeviceChoice)> {
    let (device, choice) = choice.open()?;
    let data = DataSet::open(&config.data)?;
    Ok((Setup { config, data, device }, choice))
}

fn record(path: &Path, setup: &Setup, device: DeviceChoice) -> RunRecord {
    let panel = setup.panel();
    RunRecord {
        schema: RunRecord::SCHEMA,
        driftscope: env!("CARGO_PKG_VERSION").to_string(),
        name: path.file_name().map_or_else(|| "run".to_string(), |name| name.to_string_lossy().into_owned()),
        model: setup.config.model.to_string(),
        data: setup.data.name.clone(),
        classes: setup.data.classes.clone(),
        config: setup.config.clone(),
        device: device.to_string(),
        threads: thread::available_parallelism().map_or(1, usize::from),
        data_digest: setup.data.digest.clone(),
        panel: PanelInfo {
            digest: panel.digest,
            ids: panel.samples.iter().map(|sample| sample.id.clone()).collect(),
            labels: panel.samples.iter().map(|sample| sample.label).collect(),
        },
    }
}

/// The first SIGINT or SIGTERM finishes the step and saves; the second stops at once.
fn interrupter() -> Result<Interrupter> {
    let interrupter = Interrupter::new();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = interrupter.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            if handle.should_stop() {
                // No destructors: a half-written checkpoint has no manifest and does not count.
                std::process::exit(128 + signal);
            }
            handle.stop(Some("signal"));
        }
    });
    Ok(interrupter)
}
