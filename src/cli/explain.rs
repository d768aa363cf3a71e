//! `driftscope explain`: what a trained model looks at, on its panel or on new pictures, by any method.

use super::run_spec::RunSpec;
use super::{Format, print};
use crate::data::Limits;
use crate::device::DeviceChoice;
use crate::evidence::faithfulness::{Assessment, assess};
use crate::evidence::{Question, Subjects, look};
use crate::explain::faithfulness::Settings;
use crate::explain::{Explainer, Target};
use crate::fsx;
use crate::report::{ColourMap, Paint, Style};
use crate::store::{Explanations, RunReader};
use crate::train::{Progress, Reopened, reopen};
use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod pictures;
mod summary;

/// Flags of `driftscope explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// Runs (RUN, RUN@N or RUN@best), shown one below the other, and pictures; without pictures the panel that all the
    /// runs share
    #[arg(value_name = "RUN[@EPOCH]|PICTURE", required = true)]
    subjects: Vec<String>,
    /// Methods, separated by commas, with settings behind colons: grad-cam,rollout:fusion=max. `all` is every method that
    /// fits [default: grad-cam; of a ViT also raw-attention and rollout]
    #[arg(long, value_name = "METHODS", value_delimiter = ',')]
    methods: Vec<String>,
    /// Classes to explain, separated by commas: label, prediction, or a class by its name [default: label on the panel,
    /// prediction on new pictures]
    #[arg(long, value_name = "TARGETS", value_delimiter = ',')]
    targets: Vec<String>,
    /// Where the pictures, the raw maps and summary.json go
    #[arg(long, short, value_name = "DIR", default_value = "explained")]
    out: PathBuf,
    /// Where to compute: auto, cpu, cuda, cuda:N or flex
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Most pixels that a new picture may have, in millions [default: the run's, 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_megapixels: Option<u32>,
    /// The trained weights themselves, where the run keeps an average of them
    #[arg(long)]
    raw: bool,
    /// Also measure whether the maps say what the model does: insertion and deletion, ROAD, average drop, max-sensitivity
    /// and parameter randomisation. Asks the model hundreds of times a picture and method
    #[arg(long)]
    faithfulness: bool,
    /// Colours of maps without negative values; signed maps are blue and red
    #[arg(long, value_name = "NAME", default_value = "inferno")]
    colours: ColourMap,
    /// Which values the colours stand for
    #[arg(long, value_name = "SCALE", default_value = "own")]
    scale: Scale,
    /// How --faithfulness, or else the list of pictures, is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// Where colours end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scale {
    /// From zero to each map's own greatest magnitude
    Own,
    /// From each map's least to its greatest value, as pytorch-grad-cam paints
    Stretched,
    /// From zero to the greatest magnitude of all pictures, method by method
    Common,
}

/// One run's checkpoint, and what it showed.
struct Looked {
    /// `NAME@EPOCH`, one of a kind.
    title: String,
    reopened: Reopened,
    subjects: Subjects,
    question: Question,
    seen: Vec<Explanations>,
    assessments: Vec<Assessment>,
}

pub(super) fn run(arguments: &ExplainArguments) -> Result<ExitCode> {
    let (runs, files) = sorted(&arguments.subjects)?;
    let methods = methods(&arguments.methods)?;
    let (device, _) = arguments.device.open()?;
    let mut all: Vec<Looked> = Vec::new();
    for run in &runs {
        let mut looked = look_at(run, &files, &methods, arguments, &device)?;
        if let Some(first) = all.first() {
            comparable(first, &looked)?;
        }
        let namesakes = all.iter().filter(|other| other.title.starts_with(&looked.title)).count();
        if namesakes > 0 {
            looked.title += &format!("-{}", namesakes + 1);
        }
        all.push(looked);
    }
    every_method_fits_somewhere(&methods, &all)?;

    fsx::create_dir_all(&arguments.out)?;
    for looked in &all {
        let dir = arguments.out.join(&looked.title);
        fsx::create_dir_all(&dir)?;
        for seen in &looked.seen {
            fsx::write_atomic(&dir.join(format!("{}.safetensors", seen.explainer)), &seen.encode()?)?;
        }
    }
    let style = Style { paint: Paint { colours: arguments.colours, ..Paint::default() }, ..Style::default() };
    let names = pictures::write(&all, &arguments.out, &style, arguments.scale)?;
    fsx::write_atomic(&arguments.out.join("summary.json"), summary::json(&all, &names)?.as_bytes())?;
    print(&match (arguments.format, arguments.faithfulness) {
        (Format::Json, _) => summary::json(&all, &names)?,
        (format, true) => summary::faithfulness(&all, format),
        (format, false) => summary::list(&all, &names, &arguments.out, format),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Which of the arguments are runs; the rest are pictures.
fn sorted(arguments: &[String]) -> Result<(Vec<RunSpec>, Vec<PathBuf>)> {
    let (mut runs, mut files) = (Vec::new(), Vec::new());
    for argument in arguments {
        let path = PathBuf::from(argument);
        match argument.parse::<RunSpec>() {
            Ok(run) if run.path.join("run.json").is_file() => runs.push(run),
            _ if path.is_file() => files.push(path),
            Err(error) => bail!("{error}"),
            Ok(_) if path.is_dir() => bail!("{argument} is a folder without run.json; expected a run or a picture"),
            Ok(_) => bail!("{argument} is neither a run nor a picture: there is no such file"),
        }
    }
    match runs.is_empty() {
        true => bail!("no run among the arguments: expected a folder with run.json, RUN@N or RUN@best"),
        false => Ok((runs, files)),
    }
}

/// None where nothing was asked for.
fn methods(words: &[String]) -> Result<Vec<Explainer>> {
    let mut methods: Vec<Explainer> = Vec::new();
    for word in words {
        let more = if word == "all" { Explainer::all() } else { vec![word.parse().context("--methods")?] };
        for method in more {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
    }
    Ok(methods)
}

fn look_at(
    run: &RunSpec,
    files: &[PathBuf],
    methods: &[Explainer],
    arguments: &ExplainArguments,
    device: &Device,
) -> Result<Looked> {
    let reopened = reopen(&run.path, run.which, arguments.raw, device)?;
    let (record, epoch) = (&reopened.record, reopened.state.epoch);
    let seed = record.config.panel.seed;
    let subjects = match files {
        [] => Subjects::of_run(&RunReader::open(&run.path)?, seed)?,
        files => {
            let limits = arguments.max_megapixels.map_or(record.config.data.limits(), Limits::of_megapixels);
            Subjects::of_files(files, &record.config.preprocessing, limits, seed)?
        }
    };
    let words: Vec<String> = match (arguments.targets.as_slice(), files) {
        ([], []) => vec![Target::LABEL.to_string()],
        ([], _) => vec![Target::PREDICTION.to_string()],
        (words, _) => words.to_vec(),
    };
    if !files.is_empty() && words.iter().any(|word| word == Target::LABEL) {
        bail!("--targets label: the class of a new picture is not known; expected prediction or a class");
    }
    let taps = reopened.model.taps();
    let explainers = match methods {
        [] => usual(&reopened),
        _ => methods.iter().filter(|method| method.fits(&taps)).cloned().collect(),
    };
    if explainers.is_empty() {
        let fitting: Vec<String> = Explainer::all().iter().filter(|one| one.fits(&taps)).map(Explainer::name).collect();
        bail!("--methods: none of them fits {}, which has {}", record.model, fitting.join(", "));
    }
    let question = Question::new(explainers, &words, &record.classes)?;
    let title = format!("{}@{epoch}", record.name);
    let mut progress = Progress::new(0);
    progress.phase("explaining", 2 * subjects.pictures.len());
    let each_batch = |done| progress.phase_step(done);
    let seen = look(&subjects, &question, &reopened.model, device, epoch == 0, each_batch)?;
    let mut assessments = Vec::new();
    if arguments.faithfulness {
        let config = &record.config;
        let forgetful = config.model.init(record.classes.len(), 0.0, config.seed ^ FORGETFUL, device);
        let models = [&reopened.model, &forgetful];
        let told = |done, total| {
            if done == 1 {
                progress.phase("judging", total);
            }
            progress.phase_step(done);
        };
        assessments = assess(&subjects, &question, models, device, &Settings::default(), told)?;
    }
    progress.finish();
    Ok(Looked { title, reopened, subjects, question, seen, assessments })
}

/// Turns the run's seed into that of parameters the run never had.
const FORGETFUL: u64 = 0x5EED_0F02_9E77_1106;

/// What is looked at where nobody says what: for a ViT its attention, raw and rolled out, beside Grad-CAM.
fn usual(reopened: &Reopened) -> Vec<Explainer> {
    let all = Explainer::all().into_iter();
    let usual = ["raw-attention", "rollout", "grad-cam"];
    let mut chosen: Vec<Explainer> = all.filter(|explainer| usual.contains(&explainer.name().as_str())).collect();
    chosen.sort_by_key(|explainer| usual.iter().position(|name| *name == explainer.name()));
    chosen.retain(|explainer| explainer.fits(&reopened.model.taps()));
    chosen
}

/// Two runs show the same pictures.
fn comparable(first: &Looked, other: &Looked) -> Result<()> {
    if first.subjects.ids != other.subjects.ids {
        bail!(
            "{} and {} do not share a panel: {} pictures there, {} here, and not the same ones; name the pictures to be \
             explained",
            first.title,
            other.title,
            first.subjects.ids.len(),
            other.subjects.ids.len()
        );
    }
    Ok(())
}

/// A method that nothing was shown by was asked for in vain.
fn every_method_fits_somewhere(methods: &[Explainer], all: &[Looked]) -> Result<()> {
    for method in methods.iter().filter(|_| !methods.is_empty()) {
        let fits = all.iter().any(|looked| looked.question.explainers.contains(method));
        if !fits && methods.len() < Explainer::all().len() {
            let models: Vec<&str> = all.iter().map(|looked| looked.reopened.record.model.as_str()).collect();
            bail!("--methods: {} fits no model here ({})", method.name(), models.join(", "));
        }
    }
    Ok(())
}

/// Characters that no file system minds.
fn file_name(id: &str) -> String {
    let stem = Path::new(id).with_extension("");
    let plain = |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    stem.to_string_lossy().chars().map(plain).collect::<String>().trim_matches(['-', '.']).to_string()
}
