//! `driftscope train`: a new run, an old one that goes on, or one that branches off another.

use super::args::{self, DeviceArguments};
use super::error::INTERRUPTED;
use super::input::{left_out, open_data};
use super::limits::LimitArguments;
use super::output::print;
use super::precision::{self, PrecisionArguments};
use super::run_spec::RunSpec;
use crate::config::file::Settings;
use crate::config::{RunConfig, ema_note};
use crate::data::{CacheSize, DataConfig, Split};
use crate::device::{DeviceChoice, DeviceError};
use crate::drift::{Margin, Options};
use crate::fsx::quoted;
use crate::measure::Measure;
use crate::models::ModelName;
use crate::progress::{self, Progress, Screen, say};
use crate::report::{Answered, wrapped};
use crate::run::{NextStep, RunDir, RunRecord, Which, misfits, same_data, same_panel, sealed};
use crate::store::RunReader;
use crate::train::{Ending, Ready, Setup, fit};
use anyhow::{Result, bail};
use burn_train::Interrupter;
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Flags of `driftscope train`. Settings come from the file, then from --set, then from the flags with names.
#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    #[arg(long, value_name = "NAME", help = model_help(), required_unless_present_any = ["config", "resume"],
          value_parser = args::model(), hide_possible_values = true)]
    model: Option<ModelName>,
    /// Settings in a TOML file; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any setting of a config file, by its dotted name: optimizer.weight_decay=0.1; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder of the run [default: checkpoints/MODEL-DATA-seedN]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Continue a run from its newest checkpoint, or from the end of an epoch: RUN, RUN@N, RUN@best or RUN@last. The run keeps
    /// its settings; only --data (where its images are now), --skip-bad-images, --max-megapixels, --max-decoder-mib, --cache,
    /// --device and --tensorboard may differ. With --run-dir a new run branches off there, and may have other settings, such as more
    /// --epochs
    #[arg(long, value_name = "RUN[@EPOCH]")]
    resume: Option<RunSpec>,

    /// `textures` (embedded), `dtd` (in its usual places), or a folder: DTD's own layout, or train/ and val/ with one
    /// sub-folder per class, or one sub-folder per class; JPEG, PNG, WebP, GIF, BMP, TIFF or PNM files [default: dtd for
    /// pretrained models, textures for the minis]
    #[arg(long, value_name = "SOURCE", help_heading = "Data")]
    data: Option<String>,
    /// DTD's official split, 1 to 10; for a folder with one sub-folder per class, the seed of the split that is drawn
    #[arg(long, value_name = "N", value_parser = args::whole::<u64>(0..=i64::MAX as u64), help_heading = "Data")]
    split: Option<u64>,
    /// Leave out images that cannot be read, and list them, instead of stopping
    #[arg(long, help_heading = "Data")]
    skip_bad_images: bool,
    #[command(flatten)]
    limits: LimitArguments,
    /// Memory for decoded images, which are then not decoded again in every epoch: auto (a quarter of what is free), off, or
    /// a size such as 500M or 4G
    #[arg(long, value_name = "SIZE", default_value_t, help_heading = "Data")]
    cache: CacheSize,

    /// Initial weights: none, pretrained (timm's file in the Hugging Face cache), or a file or folder of PyTorch, timm,
    /// torchvision, Lightning or Hugging Face [default: pretrained where there are such weights, none for the minis]
    #[arg(long, value_name = "SOURCE", help_heading = "Training")]
    weights: Option<String>,
    /// Which weights of the file, where it holds more than one set, such as 'state_dict_ema'
    #[arg(long, value_name = "KEY", help_heading = "Training")]
    key: Option<String>,
    /// Parameter names that the weights may lack, or have beyond the model's, such as 'layer4.*'; may be repeated
    #[arg(long, value_name = "PATTERN", help_heading = "Training")]
    allow_missing: Vec<String>,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    precision: PrecisionArguments,
    /// Passes over the training images
    #[arg(long, value_name = "N", value_parser = args::whole::<u32>(0..=u32::MAX), help_heading = "Training")]
    epochs: Option<u32>,
    /// Images per batch
    #[arg(long, value_name = "N", value_parser = args::whole::<u32>(0..=u32::MAX), help_heading = "Training")]
    batch_size: Option<u32>,
    /// Peak learning rate, after warm-up
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    lr: Option<f64>,
    /// Seed of initial weights, order of images and augmentation
    #[arg(long, value_name = "N", value_parser = args::whole::<u32>(0..=u32::MAX), help_heading = "Training")]
    seed: Option<u32>,

    /// Explanation methods to run in every epoch, separated by commas, with settings behind colons:
    /// grad-cam,rollout:fusion=max; `driftscope list methods` names them [default: grad-cam; for a ViT also rollout]
    #[arg(long, value_name = "METHODS", value_delimiter = ',', value_parser = args::method_text(), hide_possible_values = true,
          help_heading = "Explanations")]
    methods: Vec<String>,
    /// Stop when for N epochs validation accuracy has not risen and every method's explanations have settled: the last N
    /// epochs and the one before are all still with one another
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "2", value_parser = args::whole::<u32>(0..=u32::MAX),
          help_heading = "Explanations")]
    stop_when_stable: Option<u32>,
    /// Two epochs are still where they moved at most this much: 0 is what noise does, 100 is another image's map. Kept with the
    /// run, for every later answer about it [default: 5]
    #[arg(long, value_name = "MOVED", help_heading = "Explanations")]
    margin: Option<Margin>,
    /// How many epochs must follow the one at which the evidence settled; kept with the run [default: 2]
    #[arg(long, value_name = "N", value_parser = args::whole::<u32>(0..=u32::MAX), help_heading = "Explanations")]
    patience: Option<u32>,
    /// Also write event files for TensorBoard into the run; once a run has some, they are continued
    #[arg(long, help_heading = "Explanations")]
    tensorboard: bool,
    /// Say more about every epoch: what training itself made of it, and a line a method
    #[arg(long, short)]
    verbose: bool,
}

/// What [`fit`] is given.
struct Prepared {
    run: RunDir,
    setup: Setup,
    ready: Ready,
    progress: Progress,
}

/// The help of --model names every row of the table.
fn model_help() -> String {
    let names = ModelName::ALL.map(ModelName::as_str);
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!("Model: {} or {last}", others.join(", "))
}

pub(super) fn run(arguments: TrainArguments) -> Result<ExitCode> {
    let under_way = Arc::new(AtomicBool::new(false));
    let interrupter = interrupter(under_way.clone())?;
    let Prepared { run, setup, ready, progress } = match &arguments.resume {
        Some(spec) => resumed(spec, &arguments)?,
        None => new(&arguments)?,
    };
    under_way.store(true, Ordering::SeqCst);
    let outcome = fit(&run, &setup, ready, &interrupter, &progress);
    progress.finish();
    let path = run.path();
    match outcome? {
        Ending::Finished { best, last } => {
            if last < setup.config.epochs {
                let why = if setup.config.stop_when_stable.is_some() { ", or settled evidence" } else { "" };
                progress.say(&format!("stopped early after epoch {last}: no better accuracy since the best{why}"));
            }
            if let Some(best) = best {
                progress.say(&format!("best epoch {} · val accuracy {:.3}", best.epoch, best.val_accuracy));
            }
            conclude(path, &setup.config).iter().for_each(|line| progress.say(line));
            print(&format!("{}\n", path.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Ending::Interrupted { epoch, step } => {
            let resume = format!("driftscope train --resume {}", quoted(path));
            let words = format!("stopped at epoch {epoch}, step {step}; go on with:");
            Screen::of_stderr().with_command(&words, &resume).iter().for_each(|line| progress.say(line));
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// What the run says at its end, and where to see it. It is over and whole, whatever cannot be said of it.
fn conclude(path: &Path, config: &RunConfig) -> Vec<String> {
    let screen = Screen::of_stderr();
    let report = screen.with_command("see it:", &format!("driftscope report {}", quoted(path)));
    if config.explainers.is_empty() {
        return report;
    }
    let options = Options { measures: Measure::LIVE.to_vec(), groups: false, ..Options::default() };
    let answered = RunReader::open(path).map_err(Into::into).and_then(|reader| Answered::of(&reader, &options));
    let said = match answered {
        Ok(Answered { answer, .. }) => {
            let warnings = answer.warnings.iter().map(|warning| format!("warning: {warning}"));
            answer.sentences.iter().map(ToString::to_string).chain(warnings).collect()
        }
        Err(error) => vec![format!("nothing can be said of its evidence: {error}")],
    };
    let columns = screen.columns.saturating_sub(1);
    let wrapped: String = said.iter().map(|line| wrapped(line, columns, 2)).collect();
    wrapped.lines().map(str::to_string).chain(report).collect()
}

/// Everything that can fail is done before the run's folder is made.
fn new(arguments: &TrainArguments) -> Result<Prepared> {
    let base = arguments.config.as_deref().map(Settings::read).transpose()?;
    let settings =
        with_flags(base.unwrap_or_default(), arguments)?.with_absolute_paths(&std::env::current_dir()?, None);
    let config = settings.resolve()?;
    arguments.run_dir.iter().try_for_each(|path| RunDir::check_free(path))?;
    let (setup, device) = setup(config, arguments.device.device, arguments)?;
    let default_dir = || {
        let name = format!("{}-{}-seed{}", setup.config.model, setup.data.name, setup.config.seed);
        Path::new("checkpoints").join(name)
    };
    let path = arguments.run_dir.clone().unwrap_or_else(default_dir);
    RunDir::check_free(&path)?;
    let progress = Progress::new().detailed(arguments.verbose);
    left_out(&setup.data).iter().for_each(|line| progress.say(line));
    if let Some(ema) = setup.config.ema {
        ema_note(ema.decay, ema.warmup, setup.total_steps()).iter().for_each(|line| progress.say(line));
    }
    let ready = Ready::new(&setup, None, &progress)?;
    let mut record = record(&path, &setup, settings, device)?;
    record.panel.pictures = ready.panel_digests();
    let run = RunDir::create(&path, &record, &setup.data)?;
    Ok(Prepared { run, setup, ready, progress })
}

fn resumed(spec: &RunSpec, arguments: &TrainArguments) -> Result<Prepared> {
    let (run, saved) = RunDir::open(&spec.path)?;
    let (settings, config) = fitting(spec, arguments, &saved)?;
    arguments.run_dir.iter().try_for_each(|path| RunDir::check_branch(path, &spec.path))?;
    // The device the run began on, unless another one is asked for.
    let choice =
        if arguments.device.device == DeviceChoice::Auto { saved.device.parse()? } else { arguments.device.device };
    let (setup, device) = setup(config, choice, arguments).map_err(|error| elsewhere(error, &saved))?;
    let mut notes = left_out(&setup.data);
    let same = same_data(&spec.path, &saved, &setup.data, &[Split::Train, Split::Val]);
    if same.is_err() {
        // What was left out may be why the data is not the same.
        notes.iter().for_each(|line| say(line));
    }
    notes.extend(same?);
    notes.extend(same_panel(&spec.path, &saved, &setup.data)?);
    let path = arguments.run_dir.as_deref().unwrap_or(&spec.path);
    let mut record = record(path, &setup, settings, device)?;
    if record.panel.digest != saved.panel.digest {
        bail!("{}: the panel is not the one that the run began with", spec.path.display());
    }
    record.panel.pictures = saved.panel.pictures.clone();
    notes.extend(moved(&saved, &record));

    let checkpoint = match spec.which {
        Which::Newest => run.newest()?,
        which => Some(sealed(&spec.path, which)?),
    };
    let place = checkpoint.as_ref().map(|found| (found.dir.clone(), found.saved.position.clone()));
    if let Some((dir, position)) = &place {
        let NextStep { epoch, steps_done } = position.next();
        notes.push(format!("resuming {} at epoch {epoch}, step {steps_done}", dir.display()));
    }
    let progress = Progress::new().detailed(arguments.verbose);
    notes.iter().for_each(|line| progress.say(line));
    let ready = Ready::new(&setup, checkpoint, &progress)?;
    let run = match (&arguments.run_dir, place) {
        (Some(new), Some((dir, position))) => {
            record.forked_from = Some(format!("{}@{}", spec.path.display(), position.epoch));
            run.branch(new, &record, &dir, &position)?
        }
        (Some(_), None) => bail!("{} holds no finished epoch yet", spec.path.display()),
        (None, Some((_, position))) if spec.which != Which::Newest => {
            run.set_aside_after(position.epoch)?;
            run
        }
        (None, _) => run,
    };
    Ok(Prepared { run, setup, ready, progress })
}

/// The settings with which a run may go on. A checkpoint does not fit another config, and a run whose settings changed in the
/// middle would not be one run.
fn fitting(spec: &RunSpec, arguments: &TrainArguments, saved: &RunRecord) -> Result<(Settings, RunConfig)> {
    let typed = arguments.config.as_deref().map(Settings::read).transpose()?;
    let settings = with_flags(typed.unwrap_or_else(|| saved.settings.clone()), arguments)?;
    let settings = settings.with_absolute_paths(&std::env::current_dir()?, Some(&saved.settings));
    let mut config = match settings == saved.settings {
        true => saved.config.clone(),
        false => settings.resolve_branch(&saved.settings, &saved.config)?,
    };
    config.data.keep_rules_of(&saved.config.data);
    let differences = misfits(&config, &saved.config, arguments.run_dir.is_some());
    if differences.is_empty() {
        return Ok((settings, config));
    }
    let hint = match arguments.run_dir {
        Some(_) => String::new(),
        None => format!(
            "; a run keeps its settings. To go on from it with others, branch off: driftscope train --resume {} \
             --run-dir DIR",
            quoted(&spec.path)
        ),
    };
    bail!("{}: these settings do not fit the run: {}{hint}", spec.path.display(), differences.join("; "))
}

/// What a run should say when it goes on where sums may be taken in another order.
fn moved(then: &RunRecord, now: &RunRecord) -> Option<String> {
    (then.threads != now.threads || then.device != now.device).then(|| {
        format!(
            "the run began on {} with {} threads and goes on on {} with {}: its bytes may differ from those of a run that \
             was not moved",
            then.device, then.threads, now.device, now.threads
        )
    })
}

/// A run whose data or device is not where it was: what to type.
fn elsewhere(error: anyhow::Error, saved: &RunRecord) -> anyhow::Error {
    match error.downcast_ref::<DeviceError>() {
        Some(_) => error.context(format!("the run began on {}; --device cpu goes on without it", saved.device)),
        None => match &saved.config.data {
            DataConfig::Folder(folder) if !folder.root.exists() => error.context(format!(
                "the run's images were in {}, which does not exist; say where they are now with --data FOLDER",
                folder.root.display()
            )),
            _ => error,
        },
    }
}

/// Flags win over --set, and that over the file.
fn with_flags(mut settings: Settings, arguments: &TrainArguments) -> Result<Settings> {
    for text in &arguments.set {
        settings.set_text(text)?;
    }
    if let Some(model) = arguments.model {
        settings.set("model", model.as_str())?;
    }
    let texts = [("weights", &arguments.weights), ("weights_key", &arguments.key), ("data.source", &arguments.data)];
    for (key, value) in texts {
        if let Some(value) = value {
            settings.set(key, value.as_str())?;
        }
    }
    let split = arguments.split.map(|split| split as i64); // its range is the flag's
    let numbers = [
        ("epochs", arguments.epochs.map(i64::from)),
        ("batch_size", arguments.batch_size.map(i64::from)),
        ("seed", arguments.seed.map(i64::from)),
        ("data.split", split),
        ("early_stopping.stable_epochs", arguments.stop_when_stable.map(i64::from)),
        ("evidence.patience", arguments.patience.map(i64::from)),
    ];
    for (key, value) in numbers {
        if let Some(value) = value {
            settings.set(key, value)?;
        }
    }
    for (key, limit) in arguments.limits.settings() {
        if let Some(limit) = limit {
            settings.set(&format!("data.{key}"), limit)?;
        }
    }
    if let Some(choice) = arguments.precision.precision {
        settings.set("precision", choice.name())?;
    }
    if let Some(rate) = arguments.lr {
        settings.set("schedule.learning_rate", rate)?;
    }
    if let Some(margin) = arguments.margin {
        settings.set("evidence.margin", margin.moved())?;
    }
    if arguments.skip_bad_images {
        settings.set("data.skip_bad_images", true)?;
    }
    if !arguments.allow_missing.is_empty() {
        settings.set("allow_missing", arguments.allow_missing.clone())?;
    }
    if !arguments.methods.is_empty() {
        settings.set("explainers", arguments.methods.clone())?;
    }
    Ok(settings)
}

fn setup(
    config: RunConfig,
    choice: DeviceChoice,
    &TrainArguments { cache, tensorboard, .. }: &TrainArguments,
) -> Result<(Setup, DeviceChoice)> {
    let (device, choice) = choice.open()?;
    precision::check(config.precision, choice)?.iter().for_each(|line| say(line));
    let mut data = open_data(&config.data)?;
    let bytes = cache.bytes();
    if bytes > 0 {
        let share = data.keep_pixels(bytes, &config.preprocessing);
        if share < 1.0 {
            let mib = bytes >> 20;
            let percent = (100.0 * share).floor();
            say(&format!(
                "{percent} % of the pixels fit in the {mib} MiB of --cache; the rest is decoded in every epoch"
            ));
        }
    }
    Ok((Setup { config, data, device, tensorboard }, choice))
}

fn record(path: &Path, setup: &Setup, settings: Settings, device: DeviceChoice) -> Result<RunRecord> {
    Ok(RunRecord::new(path, setup.config.clone(), settings, &setup.data, device.to_string())?)
}

/// The first SIGINT or SIGTERM finishes the step and saves; the second stops at once, and so does the first while training is
/// not under way yet: then there is nothing to save.
fn interrupter(under_way: Arc<AtomicBool>) -> Result<Interrupter> {
    let interrupter = Interrupter::new();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = interrupter.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            if handle.should_stop() || !under_way.load(Ordering::SeqCst) {
                // No destructors: a half-written checkpoint has no manifest and does not count.
                // Nor handlers of libtorch's at exit, which would run under threads that still compute.
                progress::clear();
                signal_hook::low_level::exit(128 + signal);
            }
            handle.stop(Some("signal"));
        }
    });
    Ok(interrupter)
}
