//! Runs as the JSON whose shape `types.d.ts` says, and the page around it.

use super::card::Card;
use super::confusion;
use super::error::ReportError;
use super::maps::{self, Method};
use super::matrices::matrices;
use super::packed::{self, rounded};
use super::pictures::Pictures;
use crate::draw::ColourMap;
use crate::drift::{Margin, Options};
use crate::measure::Measure;
use crate::report::answer::Answered;
use crate::store::{Explanations, RunReader, TrainingMetrics};
use data_encoding::BASE64;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = concat!(
    include_str!("base.css"),
    include_str!("controls.css"),
    include_str!("answer.css"),
    include_str!("narrow.css"),
    include_str!("figures.css"),
    include_str!("maps.css"),
    include_str!("strip.css"),
);
/// In the order the browser runs them; only `main.js` does more than define things.
const SCRIPT: &str = concat!(
    include_str!("data.js"),
    include_str!("moved.js"),
    include_str!("paint.js"),
    include_str!("downloads.js"),
    include_str!("chart.js"),
    include_str!("words.js"),
    include_str!("matrix.js"),
    include_str!("spark.js"),
    include_str!("curves.js"),
    include_str!("tables.js"),
    include_str!("cards.js"),
    include_str!("multiples.js"),
    include_str!("scatter.js"),
    include_str!("confusion.js"),
    include_str!("strip.js"),
    include_str!("picker.js"),
    include_str!("address.js"),
    include_str!("main.js"),
);
/// Version of the JSON that this file writes and the scripts read.
const SCHEMA: u32 = 3;
/// What a page may weigh, in bytes, if its pictures and maps can be made small enough.
const BUDGET: usize = 14_500_000;

#[derive(Serialize)]
struct Page {
    version: u32,
    driftscope: &'static str,
    title: String,
    measures: Vec<MeasureNote>,
    colours: Vec<Colours>,
    pictures: Vec<String>,
    runs: Vec<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reload: Option<u32>,
}

#[derive(Serialize)]
struct Run {
    name: String,
    model: String,
    classes: Vec<String>,
    images: Vec<Image>,
    epochs: Vec<Epoch>,
    methods: Vec<Method>,
    card: Card,
    /// [`matrices`] of the analysis.
    matrices: Value,
    /// What it says in sentences.
    answer: Value,
    analysis: Value,
}

#[derive(Serialize)]
struct Image {
    id: String,
    label: usize,
    /// Index into [`Page::pictures`], which runs of one panel share.
    picture: usize,
}

#[derive(Serialize)]
struct Epoch {
    epoch: usize,
    train_loss: Option<f64>,
    train_accuracy: Option<f64>,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
    class_accuracy: Vec<Option<f64>>,
    predictions: Option<Predictions>,
    /// [`confusion::cells`].
    confusion: Option<Vec<usize>>,
}

/// What the model said about each panel image at an epoch, `[N]` each.
#[derive(Serialize)]
struct Predictions {
    predicted: Vec<i64>,
    /// Of the predicted class.
    probability: Vec<f64>,
    /// Of the true class.
    probability_label: Vec<f64>,
}

#[derive(Serialize)]
struct MeasureNote {
    name: &'static str,
    label: &'static str,
    higher_is_more_similar: bool,
    range: (f64, f64),
}

/// A colour map as 256 colours: base64 of three bytes each.
#[derive(Serialize)]
struct Colours {
    name: &'static str,
    signed: bool,
    table: String,
}

/// What a page is made with beside the runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageOptions<'a> {
    /// A run of the same recipe with another seed: the floor of every other run.
    pub floor: Option<&'a RunReader>,
    /// After how many seconds the page loads itself again, for one that is written again while a run trains.
    pub reload: Option<u32>,
    /// How much a pair of epochs may have moved and still be still; none: what each run says itself.
    pub margin: Option<Margin>,
    /// How many epochs must follow the one where the evidence settled; none: what each run says itself.
    pub patience: Option<NonZeroUsize>,
}

/// The page for `runs`, side by side.
///
/// # Errors
///
/// [`ReportError`] where a run cannot be read, or the floor is none of it.
pub fn html(runs: &[RunReader], options: &PageOptions<'_>) -> Result<String, ReportError> {
    let of = |run: &RunReader| {
        // A run is no floor of itself, however it was named.
        let place = |run: &RunReader| fs::canonicalize(run.dir()).ok();
        let floor = options.floor.filter(|floor| place(floor) != place(run));
        let PageOptions { margin, patience, .. } = *options;
        Answered::of(run, &Options { seed_run: floor.cloned(), margin, patience, ..Options::default() })
    };
    let analyses = runs.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    page(&runs.iter().zip(&analyses).collect::<Vec<_>>(), options.reload)
}

/// The page for runs and what is known about the drift of each.
///
/// An analysis serialises as an object of arrays (`matrices`, `drift`, `paths`, `spread`, `agreement`,
/// `layers` and `warnings`) and an `answer`; what it lacks, the page leaves out.
///
/// # Errors
///
/// [`ReportError`] where a run cannot be read.
pub fn html_with<A: Serialize>(runs: &[(&RunReader, A)]) -> Result<String, ReportError> {
    page(runs, None)
}

fn page<A: Serialize>(runs: &[(&RunReader, A)], reload: Option<u32>) -> Result<String, ReportError> {
    let names: Vec<&str> = runs.iter().map(|(run, _)| run.info().name.as_str()).collect();
    let readers: Vec<&RunReader> = runs.iter().map(|(run, _)| *run).collect();
    let pictures = Pictures::of_panels(&readers)?;
    let side = maps::side_within_budget(&readers)?;
    let mut shown = Vec::new();
    for ((reader, analysis), pictures) in runs.iter().zip(&pictures.of_run) {
        shown.push(run(reader, pictures, serde_json::to_value(analysis)?, side)?);
    }
    let mut page = Page {
        version: SCHEMA,
        driftscope: env!("CARGO_PKG_VERSION"),
        title: names.join(" · "),
        measures: Measure::ALL.into_iter().map(note).collect(),
        colours: ColourMap::ALL.into_iter().map(colours).collect(),
        pictures: Vec::new(),
        runs: shown,
        reload,
    };
    // Figures and maps are what they are; the pictures get what is left.
    let rest = filled(&serde_json::to_string(&page)?).len();
    page.pictures = pictures.sources(BUDGET.saturating_sub(rest))?;
    Ok(filled(&serde_json::to_string(&page)?))
}

/// The page around its data, which comes last: nothing is looked for inside it.
fn filled(data: &str) -> String {
    // `<` cannot end the script element, whatever a class or a file is called.
    let data = data.replace('<', "\\u003c");
    let page = PAGE.replace("{style-hash}", &hash(STYLE)).replace("{script-hash}", &hash(SCRIPT));
    page.replacen("/*CSS*/", STYLE, 1).replacen("/*JS*/", SCRIPT, 1).replacen("/*DATA*/", &data, 1)
}

/// As a content security policy names an inline script or style.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text.as_bytes())))
}

fn note(measure: Measure) -> MeasureNote {
    MeasureNote {
        name: measure.name(),
        label: measure.label(),
        higher_is_more_similar: measure.higher_is_more_similar(),
        range: (measure.range().low, measure.range().high),
    }
}

fn colours(map: ColourMap) -> Colours {
    let table: Vec<u8> = (0..256).flat_map(|step| map.at(f64::from(step) / 255.0)).collect();
    Colours { name: map.name(), signed: map.is_diverging(), table: BASE64.encode(&table) }
}

fn run(reader: &RunReader, pictures: &[usize], mut analysis: Value, side: usize) -> Result<Run, ReportError> {
    let info = reader.info();
    let mut methods = BTreeMap::<(String, usize), Method>::new();
    let mut epochs = Vec::new();
    for &number in reader.epochs() {
        let mut predictions = None;
        for explainer in reader.explainers(number)? {
            let now = reader.explanations(number, &explainer)?;
            // Maps that depend on no class are the same for every target.
            let targets = if now.class_specific { now.target_kinds.len() } else { now.target_kinds.len().min(1) };
            for target in 0..targets {
                let method = methods.entry((explainer.clone(), target));
                method.or_insert_with(|| Method::new(&now, target, side)).push(&now, number, target);
            }
            // Every explainer looked through the same model, so the first of them says what it predicted.
            predictions.get_or_insert_with(|| Predictions::of(&now));
        }
        let confusion = confusion::cells(reader, number)?;
        epochs.push(Epoch { predictions, confusion, ..epoch(number, reader.metrics(number)?.training.as_ref()) });
    }
    let images = info.panel.ids.iter().zip(&info.panel.labels).zip(pictures);
    Ok(Run {
        name: info.name.clone(),
        model: info.model.clone(),
        classes: info.classes.clone(),
        images: images.map(|((id, &label), &picture)| Image { id: id.clone(), label, picture }).collect(),
        epochs,
        methods: methods.into_values().collect(),
        card: Card::of(reader)?,
        matrices: matrices(&analysis),
        answer: analysis.get_mut("answer").map(Value::take).unwrap_or_default(),
        analysis: packed::analysis(analysis),
    })
}

/// What an epoch's metrics say.
fn epoch(epoch: usize, training: Option<&TrainingMetrics>) -> Epoch {
    let get = |of: fn(&TrainingMetrics) -> Option<f64>| training.and_then(of).map(rounded);
    Epoch {
        epoch,
        train_loss: get(|training| training.train_loss),
        train_accuracy: get(|training| training.train_accuracy),
        val_loss: get(|training| Some(training.val_loss)),
        val_accuracy: get(|training| Some(training.val_accuracy)),
        class_accuracy: training.map(|training| training.val_class_accuracy.clone()).unwrap_or_default(),
        predictions: None,
        confusion: None,
    }
}

impl Predictions {
    fn of(explanations: &Explanations) -> Self {
        let rows: Vec<Vec<f64>> = (0..explanations.images()).map(|image| explanations.probabilities(image)).collect();
        let of = |classes: &[i64]| {
            let chosen = rows.iter().zip(classes);
            let probability = |(row, &class): (&Vec<f64>, &i64)| row.get(usize::try_from(class).ok()?).copied();
            chosen.map(|pair| rounded(probability(pair).unwrap_or(0.0))).collect()
        };
        Predictions {
            probability: of(&explanations.predicted),
            probability_label: of(&explanations.labels),
            predicted: explanations.predicted.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_data_can_end_its_element_or_reach_outside() {
        let page = filled(r#"{"name":"</script><img src=x onerror=1>/*JS*/{script-hash}"}"#);
        assert_eq!(page.matches("</script").count(), PAGE.matches("</script").count());
        assert!(page.contains(r#"\u003c/script>\u003cimg src=x onerror=1>/*JS*/{script-hash}"#));
    }
}
