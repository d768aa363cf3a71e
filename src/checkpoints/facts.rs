//! What a checkpoint says beside its weights: where in training it stands, measured how well, with which classes, on images made
//! how. Everything is optional, and nothing is guessed.
//!
//! # Source
//!
//! What each producer writes: pytorch/examples `imagenet/main.py`; timm 1.0.22 `utils/checkpoint_saver.py`; torchvision 0.24.1
//! `references/classification/train.py`; Lightning 2.6 `checkpoint_connector.py`; mmengine 0.10.7 `runner/runner.py`.

use super::arena::Value;
use super::document::Document;
use super::numpy;
use std::collections::BTreeMap;

/// What the number of an epoch counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// The epoch that was just trained, the first being 0.
    FromZero,
    /// The epoch that was just trained, the first being 1: also how many epochs were trained.
    FromOne,
    /// The epoch that would be next, the first being 0: also how many epochs were trained.
    Next,
    /// The writer is not known, and so is what it counts.
    Unknown,
}

/// How images are to be made for a model, as far as a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preprocessing {
    /// Side of the square input, pixels.
    pub size: Option<usize>,
    /// What the short side is scaled to before the centre is cut out, pixels.
    pub resize: Option<usize>,
    /// Share of the scaled short side that is cut out.
    pub crop: Option<f64>,
    /// Whether an image is scaled to a square whatever its shape, and nothing cut off.
    pub squash: bool,
    /// How pixels are interpolated: `bilinear`, `bicubic`.
    pub interpolation: Option<String>,
    /// The mean that is subtracted from each colour.
    pub mean: Option<[f64; 3]>,
    /// The deviation that each colour is divided by.
    pub deviation: Option<[f64; 3]>,
    /// Where in the checkpoint this stands.
    pub source: String,
}

/// The most classes and metrics that are kept, and the longest name of one, in bytes.
const MOST_CLASSES: usize = 50_000;
const LONGEST: usize = 512;

/// What a checkpoint says beside its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Who wrote it, where that shows.
    pub producer: Option<String>,
    /// The epoch, as its writer counts: a fraction where epochs are counted in passes over the data.
    pub epoch: Option<f64>,
    /// What the number of the epoch counts.
    pub counting: Option<Counting>,
    /// Steps of the optimizer.
    pub step: Option<u64>,
    /// Accuracies, losses and scores, under the names that they have.
    pub metrics: BTreeMap<String, f64>,
    /// Names of the classes, in the order of the head.
    pub classes: Option<Vec<String>>,
    /// The name of the model, as its writer has it.
    pub architecture: Option<String>,
    /// How images are to be made.
    pub preprocessing: Option<Preprocessing>,
    /// Epsilon of every layer norm.
    pub epsilon: Option<f64>,
}

/// The statistics that torchvision's scripts have fixed in code.
const IMAGENET: ([f64; 3], [f64; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

/// What the pickle of a checkpoint says.
pub(super) fn of(document: &Document) -> Facts {
    let see = Look { document };
    let root = document.root;
    let mut facts = Facts { epoch: see.number_at(root, "epoch"), ..Facts::default() };
    facts.step = ["global_step", "step", "iteration"].iter().find_map(|key| see.whole_at(root, key));
    facts.architecture = see.text_at(root, "arch");
    facts.metrics = see.metrics(root);
    facts.classes = see.classes(root).or_else(|| {
        ["hparams", "hyper_parameters", "args", "config"].iter().find_map(|key| see.classes(see.at(root, key)?))
    });
    producer(&see, &mut facts);
    facts
}

/// Who wrote it, and what follows from that.
fn producer(see: &Look, facts: &mut Facts) {
    let root = see.document.root;
    let has = |key: &str| see.at(root, key).is_some();
    let args = see.at(root, "args");
    let (name, counting) = if has("pytorch-lightning_version") {
        ("Lightning", Counting::FromZero)
    } else if let Some(meta) = see.at(root, "meta").filter(|_| has("state_dict")) {
        facts.epoch = see.number_at(meta, "epoch").or(facts.epoch);
        facts.step = see.whole_at(meta, "iter").or(facts.step);
        let data = see.at(meta, "dataset_meta");
        let classes =
            data.and_then(|data| see.at(data, "classes").or(see.at(data, "CLASSES"))).or(see.at(meta, "CLASSES"));
        facts.classes = classes.and_then(|classes| see.texts(classes)).or(facts.classes.take());
        ("mmengine", Counting::FromOne)
    } else if has("arch") && (has("best_acc1") || has("best_prec1")) {
        ("pytorch/examples", Counting::Next)
    } else if has("arch") && has("state_dict") && (has("version") || args.is_some()) {
        let version = see.whole_at(root, "version").unwrap_or(1);
        ("timm", if version < 2 { Counting::Next } else { Counting::FromZero })
    } else if has("model") && has("lr_scheduler") && args.is_some() {
        ("a script after torchvision's or DeiT's", Counting::FromZero)
    } else if has("model") && has("max_accuracy") {
        ("a script after Swin's", Counting::FromZero)
    } else {
        facts.counting = facts.epoch.map(|_| Counting::Unknown);
        return;
    };
    facts.producer = Some(name.to_string());
    facts.counting = facts.epoch.map(|_| counting);
    if let Some(args) = args {
        facts.architecture = see.text_at(args, "model").or(facts.architecture.take());
        facts.preprocessing = see.preprocessing(args);
    }
}

/// Asks a document for plain values.
struct Look<'a> {
    document: &'a Document,
}

impl Look<'_> {
    fn at(&self, value: Value, key: &str) -> Option<Value> {
        self.document.arena.get(value, key)
    }

    fn text_at(&self, value: Value, key: &str) -> Option<String> {
        self.text(self.at(value, key)?).filter(|text| !text.is_empty())
    }

    fn number_at(&self, value: Value, key: &str) -> Option<f64> {
        self.number(self.at(value, key)?)
    }

    fn whole_at(&self, value: Value, key: &str) -> Option<u64> {
        self.number_at(value, key)
            .filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number))
            .map(|n| n as u64)
    }

    /// A number, also as a tensor of one or as NumPy's.
    fn number(&self, value: Value) -> Option<f64> {
        let number = match value {
            Value::Int(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            Value::Node(_) => match self.document.tensor(value) {
                Some(tensor) => tensor.ok()?.number(),
                None => numpy::scalar(self.document, value),
            },
            Value::None | Value::Bool(_) => None,
        };
        number.filter(|number| number.is_finite())
    }

    fn texts(&self, value: Value) -> Option<Vec<String>> {
        let items = self.document.arena.items(value).filter(|items| items.len() <= MOST_CLASSES)?;
        let texts: Option<Vec<String>> = items.iter().map(|item| self.text(*item)).collect();
        texts.filter(|texts| !texts.is_empty())
    }

    fn text(&self, value: Value) -> Option<String> {
        self.document.arena.text(value).filter(|text| text.len() <= LONGEST).map(str::to_string)
    }

    /// Names of classes under any of the keys that people use.
    fn classes(&self, value: Value) -> Option<Vec<String>> {
        for key in ["classes", "class_names", "label_names", "labels"] {
            if let Some(texts) = self.at(value, key).and_then(|list| self.texts(list)) {
                return Some(texts);
            }
        }
        let whole = |value: &Value| if let Value::Int(number) = value { usize::try_from(*number).ok() } else { None };
        for (key, name_first) in [("class_to_idx", true), ("idx_to_class", false), ("id2label", false)] {
            let Some(entries) = self.at(value, key).and_then(|map| self.document.arena.entries(map)) else { continue };
            if entries.len() > MOST_CLASSES {
                continue;
            }
            let pair = |(key, value): &(Value, Value)| match name_first {
                true => Some((whole(value)?, self.text(*key)?)),
                false => Some((whole(key)?, self.text(*value)?)),
            };
            if let Some(names) = entries.iter().map(pair).collect::<Option<BTreeMap<_, _>>>().and_then(in_order) {
                return Some(names);
            }
        }
        None
    }

    /// The numbers of the root whose names say that they measure something.
    fn metrics(&self, root: Value) -> BTreeMap<String, f64> {
        const WORDS: [&str; 11] =
            ["acc", "loss", "metric", "score", "fitness", "best", "top1", "top5", "f1", "auc", "prec"];
        let Some(entries) = self.document.arena.entries(root) else { return BTreeMap::new() };
        let of = |(key, value): (Value, Value)| {
            let key = self.text(key)?;
            let measures = WORDS.iter().any(|word| key.to_lowercase().contains(word));
            Some((key, self.number(value)?)).filter(|_| measures)
        };
        entries.into_iter().take(MOST_CLASSES).filter_map(of).collect()
    }

    /// How images are made, from the settings of timm's or torchvision's scripts.
    fn preprocessing(&self, args: Value) -> Option<Preprocessing> {
        let whole = |key: &str| self.whole_at(args, key).map(|number| number as usize);
        let three = |key: &str| {
            let items = self.document.arena.items(self.at(args, key)?)?;
            <[f64; 3]>::try_from(items.iter().filter_map(|item| self.number(*item)).collect::<Vec<_>>()).ok()
        };
        let torchvision = whole("val_crop_size");
        let statistics = torchvision.map(|_| IMAGENET);
        let found = Preprocessing {
            size: torchvision.or(whole("img_size")).or(whole("input_size")),
            resize: whole("val_resize_size"),
            crop: self.number_at(args, "crop_pct"),
            squash: false,
            interpolation: self.text_at(args, "interpolation"),
            mean: three("mean").or(statistics.map(|(mean, _)| mean)),
            deviation: three("std").or(statistics.map(|(_, deviation)| deviation)),
            source: "args".to_string(),
        };
        (found != Preprocessing { source: "args".to_string(), ..Preprocessing::default() }).then_some(found)
    }
}

/// Names by index, if the indices are 0, 1, 2, …
pub(super) fn in_order(names: BTreeMap<usize, String>) -> Option<Vec<String>> {
    let whole = !names.is_empty() && names.keys().copied().eq(0..names.len());
    whole.then(|| names.into_values().collect())
}
