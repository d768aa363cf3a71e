//! `driftscope explain`: what a trained model looks at, on its panel or on new pictures, by any method.

use super::args::{self, DeviceArguments, OrAll, TargetArguments, WeightArguments};
use super::error::wrong;
use super::limits::LimitArguments;
use super::output::print;
use super::output::{Format, FormatArguments};
use super::run_spec::RunSpec;
use crate::draw::{ColourMap, FigureFormat, Paint, Style};
use crate::explain::{Explainer, Target};
use crate::faithfulness::Criteria;
use crate::probe::{Images, Question, assess, look, untaught};
use crate::progress::Progress;
use crate::run::{RunRecord, reopen, same_pictures};
use crate::store::layout::RUN_FILE;
use crate::store::{RunReader, check_output_folder};
use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

mod folder;
mod looked;
mod pictures;
mod summary;

use folder::Folder;
use looked::{Looked, Scale};

/// Flags of `driftscope explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// Runs (RUN, RUN@N, RUN@best or RUN@last), shown one below the other, and image files; without image files, the panel
    /// that the runs share
    #[arg(value_name = "RUN[@EPOCH]|PICTURE", required = true)]
    subjects: Vec<OsString>,
    /// Methods, separated by commas, with settings behind colons: grad-cam,rollout:fusion=max. `all` is every method that
    /// the model allows [default: grad-cam; for a ViT also raw-attention and rollout]
    #[arg(long, value_name = "METHODS", value_delimiter = ',', value_parser = args::method_or_all(), hide_possible_values = true)]
    methods: Vec<OrAll<Explainer>>,
    #[command(flatten)]
    targets: TargetArguments,
    /// The folder for figures, raw maps and summary.json; figures that an earlier `explain` wrote there are replaced
    #[arg(long, short, value_name = "DIR", default_value = "explained")]
    out: PathBuf,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    weights: WeightArguments,
    /// Also measure how faithful the maps are to the model: insertion and deletion, ROAD, average drop, max-sensitivity and
    /// parameter randomisation. Hundreds of forward passes per image and method
    #[arg(long)]
    faithfulness: bool,
    /// Colour map for maps without negative values; maps with negative values are blue and red
    #[arg(long, value_name = "NAME", default_value = "inferno")]
    colours: ColourMap,
    /// File format of the figures: png or svg
    #[arg(long, value_name = "FORMAT", default_value_t)]
    figures: FigureFormat,
    /// The range of values that the colours cover
    #[arg(long, value_name = "SCALE", default_value = "own")]
    scale: Scale,
    #[command(flatten)]
    format: FormatArguments,
}

/// A run, and the methods and targets asked of it: all that can be known before a model is opened.
struct Planned<'a> {
    run: &'a RunSpec,
    question: Question,
}

pub(super) fn run(arguments: &ExplainArguments) -> Result<ExitCode> {
    let (runs, files) = sorted(&arguments.subjects)?;
    let methods = methods(&arguments.methods);
    let planned = planned(&runs, &files, &methods, &arguments.targets)?;
    check_output_folder(&arguments.out).context("--out")?;
    let folder = Folder::check(&arguments.out)?;

    if files.is_empty() {
        let first = RunReader::open(&runs[0].path)?;
        runs.iter().skip(1).try_for_each(|run| anyhow::Ok(same_pictures(&first, &RunReader::open(&run.path)?)?))?;
    }
    let (device, _) = arguments.device.device.open()?;
    let mut all: Vec<Looked> = Vec::new();
    for planned in planned {
        let mut looked = look_at(planned, &files, arguments, &device, all.is_empty().then_some(&folder))?;
        if let Some(first) = all.first() {
            comparable(first, &looked)?;
        }
        let namesakes = all.iter().filter(|other| other.title.starts_with(&looked.title)).count();
        if namesakes > 0 {
            looked.title += &format!("-{}", namesakes + 1);
        }
        all.push(looked);
    }

    let names = pictures::names(&all[0].images.ids, arguments.figures);
    folder.begin(&all, &names)?;
    folder.write_maps(&all)?;
    let style = Style { paint: Paint { colours: arguments.colours, ..Paint::default() }, ..Style::default() };
    pictures::write(&all, &arguments.out, &names, &style, arguments.scale, arguments.figures)?;
    folder.finish(&all, &names)?;
    print(&match (arguments.format.format, arguments.faithfulness) {
        (Format::Json, _) => summary::json(&all, &names)?,
        (Format::Csv, true) => summary::faithfulness(&all).csv(),
        (Format::Table, true) => summary::faithfulness(&all).aligned(),
        (Format::Csv, false) => summary::list(&all, &names, &arguments.out).csv(),
        (Format::Table, false) => summary::list(&all, &names, &arguments.out).aligned(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Which of the arguments are runs; the rest are image files.
fn sorted(arguments: &[OsString]) -> Result<(Vec<RunSpec>, Vec<PathBuf>)> {
    let (mut runs, mut files) = (Vec::new(), Vec::new());
    for argument in arguments {
        let path = PathBuf::from(argument);
        let shown = argument.display();
        match RunSpec::parse(argument) {
            Ok(run) if run.path.join(RUN_FILE).is_file() => runs.push(run),
            _ if path.is_file() => files.push(path),
            Err(error) => bail!("{error}"),
            Ok(_) if path.is_dir() => bail!("{shown} is a folder without run.json; expected a run or an image file"),
            Ok(_) => bail!("{shown} is neither a run nor an image file: there is no such file"),
        }
    }
    match runs.is_empty() {
        true => bail!("no run among the arguments: expected a folder with run.json, RUN@N or RUN@best"),
        false => Ok((runs, files)),
    }
}

/// The methods that were asked for, each once; empty where none were.
fn methods(asked: &[OrAll<Explainer>]) -> Vec<Explainer> {
    let mut methods: Vec<Explainer> = Vec::new();
    for one in asked {
        let more = match one {
            OrAll::All => Explainer::all(),
            OrAll::One(method) => vec![method.clone()],
        };
        for method in more {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
    }
    methods
}

/// What is asked of each run. Methods that a run's model has nothing for are left out of its question, but each must fit
/// one of them.
fn planned<'a>(
    runs: &'a [RunSpec],
    files: &[PathBuf],
    methods: &[Explainer],
    targets: &TargetArguments,
) -> Result<Vec<Planned<'a>>> {
    let (mut planned, mut models) = (Vec::new(), Vec::new());
    for run in runs {
        let record = RunRecord::read(&run.path)?;
        let taps = record.config.model.taps();
        let mut explainers = Vec::new();
        let usual = usual();
        for method in if methods.is_empty() { &usual } else { methods } {
            if method.fits(&taps).context("--methods")? {
                explainers.push(method.clone());
            }
        }
        if explainers.is_empty() {
            let all = Explainer::all().into_iter().filter(|one| one.fits(&taps).unwrap_or(false));
            let fitting: Vec<String> = all.map(|one| one.name()).collect();
            let fitting = fitting.join(", ");
            return Err(wrong(format!("--methods: none of them fits {}, which has {fitting}", record.model)));
        }
        let words = match (targets.words(&record.classes), files) {
            (words, []) if words.is_empty() => vec![Target::LABEL.to_string()],
            (words, _) if words.is_empty() => vec![Target::PREDICTION.to_string()],
            (words, _) => words,
        };
        let question = Question::new(explainers, &words, &record.classes).context("--targets")?;
        if !files.is_empty() && question.targets.contains(&Target::Label) {
            let text = "--targets label: the class of a new image is not known; expected prediction or a class";
            return Err(wrong(text.to_string()));
        }
        models.push(record.model);
        planned.push(Planned { run, question });
    }
    for method in methods.iter().filter(|_| methods.len() < Explainer::all().len()) {
        if !planned.iter().any(|planned| planned.question.explainers.contains(method)) {
            return Err(wrong(format!("--methods: {} fits no model here ({})", method.name(), models.join(", "))));
        }
    }
    Ok(planned)
}

fn look_at(
    Planned { run, question }: Planned,
    files: &[PathBuf],
    arguments: &ExplainArguments,
    device: &Device,
    to_check: Option<&Folder>,
) -> Result<Looked> {
    let reopened = reopen(&run.path, run.which, arguments.weights.raw, device)?;
    let (record, epoch) = (&reopened.record, reopened.position.epoch);
    let seed = record.config.panel.seed;
    let images = match files {
        [] => Images::of_run(&RunReader::open(&run.path)?, record.config.preprocessing.normalisation, seed)?,
        files => {
            let limits = arguments.limits.over(record.config.data.limits());
            Images::of_files(files, &record.config.preprocessing, limits, seed)?
        }
    };
    if let Some(folder) = to_check {
        folder.check_figures(&pictures::names(&images.ids, arguments.figures))?;
    }
    // The name becomes that of a folder, and run.json may have come from anywhere.
    let name: String = record.name.chars().map(|letter| if "/\\".contains(letter) { '-' } else { letter }).collect();
    let title = format!("{}@{epoch}", name.trim_start_matches('.'));
    let progress = Progress::new();
    let (phase, all) = (progress.phase("explaining"), 2 * images.pictures.len());
    let each_batch = |done| phase.done(done, all);
    let seen = look(&images, &question, &reopened.model, device, epoch == 0, each_batch)?;
    let mut assessments = Vec::new();
    if arguments.faithfulness {
        let config = &record.config;
        let forgetful = untaught(config.model, record.classes.len(), config.seed, device);
        let models = [&reopened.model, &forgetful];
        let phase = progress.phase("judging");
        let told = |done, all| phase.done(done, all);
        assessments = assess(&images, &question, models, device, &Criteria::default(), told)?;
    }
    progress.finish();
    Ok(Looked { title, reopened, images, seen, assessments })
}

/// The methods where none are asked for: Grad-CAM, and for a ViT also raw attention and attention rollout.
fn usual() -> Vec<Explainer> {
    let usual = ["raw-attention", "rollout", "grad-cam"];
    let all = Explainer::all();
    usual.iter().filter_map(|name| all.iter().find(|explainer| explainer.name() == *name).cloned()).collect()
}

/// Checks that two runs show the same images.
fn comparable(first: &Looked, other: &Looked) -> Result<()> {
    if first.images.ids != other.images.ids {
        bail!(
            "{} and {} do not share a panel: {} pictures there, {} here, and not the same ones; name the pictures to be \
             explained",
            first.title,
            other.title,
            first.images.ids.len(),
            other.images.ids.len()
        );
    }
    Ok(())
}
