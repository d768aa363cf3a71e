//! From a set of named tensors to the weights of a model: what stands before the names is cut, the names become those that are
//! used here, the head is found, and what belongs to something else is left aside.

use super::candidates::{Candidate, Readable};
use super::dialect::{Dialect, Place};
use super::tensor::Tensor;
use std::collections::BTreeMap;

/// How weights stand to others of the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// What was trained.
    Raw,
    /// A moving average of what was trained, or another average.
    Averaged,
    /// A teacher, or something inside settings: taken only if there is nothing else.
    Aside,
}

/// Weights under the names that are used here.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// What they are called in the file, for a person and for `--key`.
    pub(super) keys: Vec<String>,
    /// What was cut from the beginning of every name.
    pub(super) prefix: String,
    /// Whose names they had; none where no first convolution was found and they are as they were.
    pub(super) dialect: Option<Dialect>,
    pub(super) standing: Standing,
    /// Floating-point tensors by name; the parts of one are joined along the first axis.
    pub(super) tensors: BTreeMap<String, BTreeMap<usize, Tensor>>,
    /// Tensors of another type, by name: the type.
    pub(super) others: BTreeMap<String, String>,
    /// Tensors that cannot be read, by name: why.
    pub(super) unreadable: BTreeMap<String, String>,
    /// Names in the file that belong to something else.
    pub(super) dropped: Vec<String>,
    /// A head that is not one linear map: the names of its tensors.
    pub(super) own_head: Vec<String>,
}

/// Parts of a name that wrappers put anywhere.
const WRAPPERS: [&str; 3] = ["_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module"];
/// What people call a head.
const HEADS: [&str; 11] = [
    "fc",
    "head",
    "heads",
    "classifier",
    "cls_classifier",
    "distillation_classifier",
    "head_dist",
    "linear",
    "last_linear",
    "cls_head",
    "classification_head",
];

/// The most models that are told apart in one set of tensors.
const MOST_MODELS: usize = 16;

/// A tensor with its name in the file and the parts of it that count.
struct Item<'a> {
    name: &'a str,
    parts: Vec<&'a str>,
    tensor: &'a Readable,
}

/// A first convolution: what its name begins with, as it is and without wrappers.
struct Anchor<'a> {
    dialect: Dialect,
    parts: Vec<&'a str>,
    prefix: String,
}

/// The weights of every model in a candidate: none, one, or a student and its teacher.
pub(super) fn readings(candidate: &Candidate) -> Vec<Reading> {
    let items: Vec<Item> = candidate.tensors.iter().map(|(name, tensor)| item(name, tensor)).collect();
    let anchors = anchors(&items);
    (0..anchors.len()).map(|index| reading(candidate, &items, &anchors, index)).collect()
}

/// The tensors of a candidate under the names that they have, for one that is no model known here.
pub(super) fn as_it_is(candidate: &Candidate) -> Reading {
    let mut reading = empty(candidate, String::new(), None);
    for (name, tensor) in &candidate.tensors {
        reading.put(name.clone(), 0, tensor);
    }
    reading
}

fn item<'a>(name: &'a str, tensor: &'a Readable) -> Item<'a> {
    Item { name, parts: name.split('.').filter(|part| !WRAPPERS.contains(part)).collect(), tensor }
}

fn anchors<'a>(items: &'a [Item<'a>]) -> Vec<Anchor<'a>> {
    let mut anchors: Vec<Anchor> = Vec::new();
    for item in items {
        let Some((dialect, parts)) = Dialect::anchored(&item.parts) else { continue };
        let sees_colours = item.tensor.as_ref().map_or(true, |tensor| matches!(tensor.shape[..], [_, 3, _, _]));
        let behind = item.parts.len() - parts.len();
        let prefix = item.name.rsplitn(behind + 1, '.').nth(behind).map(|prefix| format!("{prefix}."));
        let is_new = !anchors.iter().any(|anchor| anchor.parts == parts);
        if sees_colours
            && is_new
            && anchors.len() < MOST_MODELS
            && (dialect != Dialect::Fastai || is_fastai(items, parts))
        {
            anchors.push(Anchor { dialect, parts: parts.to_vec(), prefix: prefix.unwrap_or_default() });
        }
    }
    anchors
}

/// Whether the stages are where fastai's body of a ResNet has them.
fn is_fastai(items: &[Item], prefix: &[&str]) -> bool {
    let stage = |item: &Item| item.parts.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(&["0", "4", "0"]));
    items.iter().any(stage)
}

fn empty(candidate: &Candidate, prefix: String, dialect: Option<Dialect>) -> Reading {
    let words = |text: &str| -> Vec<String> { text.split(['.', '_']).map(str::to_lowercase).collect() };
    let has = |wanted: &[&str]| {
        let in_key = candidate.keys.iter().all(|key| words(key).iter().any(|word| wanted.contains(&word.as_str())));
        in_key || words(&prefix).iter().any(|word| wanted.contains(&word.as_str()))
    };
    let counted = candidate.tensors.iter().any(|(name, _)| name == "n_averaged");
    let standing = if candidate.aside || has(&["teacher", "optimizer", "optim"]) {
        Standing::Aside
    } else if counted || has(&["ema", "averaged", "average", "avg", "swa", "shadow"]) {
        Standing::Averaged
    } else {
        Standing::Raw
    };
    Reading {
        keys: candidate.keys.clone(),
        prefix,
        dialect,
        standing,
        tensors: BTreeMap::new(),
        others: BTreeMap::new(),
        unreadable: BTreeMap::new(),
        dropped: Vec::new(),
        own_head: Vec::new(),
    }
}

fn reading(candidate: &Candidate, items: &[Item], anchors: &[Anchor], index: usize) -> Reading {
    let own = &anchors[index];
    let mut reading = empty(candidate, own.prefix.clone(), Some(own.dialect));
    if anchors.len() > 1 {
        for key in &mut reading.keys {
            let inner = own.parts.join(".");
            *key = [key.as_str(), inner.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(".");
        }
    }
    // The model that an item belongs to is the one with the longest prefix.
    let owner = |item: &Item| {
        let fitting = anchors.iter().enumerate().filter(|(_, anchor)| item.parts.starts_with(&anchor.parts));
        fitting.max_by_key(|(_, anchor)| anchor.parts.len()).map(|(index, _)| index)
    };
    let depth = own.parts.len();
    let (mut inside, mut outside, mut heads) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match owner(item) {
            Some(owner) if owner == index && is_head(&item.parts[depth..]) => heads.push((depth, item)),
            Some(owner) if owner == index => inside.push(item),
            _ => outside.push(item),
        }
    }
    // A head beside the body: at the nearest level above it that has one.
    for level in (0..depth).rev() {
        if !heads.is_empty() {
            break;
        }
        let here = |item: &&Item| item.parts.starts_with(&own.parts[..level]) && is_head(&item.parts[level..]);
        let (here, rest) = outside.into_iter().partition(here);
        outside = rest;
        let here: Vec<&Item> = here;
        heads.extend(here.into_iter().map(|item| (level, item)));
    }
    for item in inside.into_iter().filter(|item| item.parts.last() != Some(&"num_batches_tracked")) {
        match own.dialect.place(&item.parts[depth..]) {
            _ if is_beside(&item.parts[depth..]) => reading.dropped.push(item.name.to_string()),
            Place::Whole(name) if name == "mask_token" => reading.dropped.push(item.name.to_string()),
            Place::Whole(name) => reading.put(name, 0, item.tensor),
            Place::Part(name, part) => reading.put(name, part, item.tensor),
        }
    }
    outside.retain(|item| item.parts.last() != Some(&"num_batches_tracked"));
    reading.dropped.extend(outside.iter().map(|item| item.name.to_string()));
    reading.head(own.dialect, &heads);
    reading
}

fn is_head(parts: &[&str]) -> bool {
    parts.len() > 1 && HEADS.contains(&parts[0])
}

/// Whether a name inside a model is of a loss, a metric, a counter or the like, which are saved with it.
fn is_beside(parts: &[&str]) -> bool {
    const FIRST: [&str; 9] = [
        "criterion",
        "loss",
        "loss_fn",
        "loss_fun",
        "loss_func",
        "optimizer",
        "data_preprocessor",
        "pooler",
        "n_averaged",
    ];
    const LAST: [&str; 3] = ["pos_weight", "total_ops", "total_params"];
    let (first, last) = (parts.first().copied().unwrap_or_default(), parts.last().copied().unwrap_or_default());
    let metric = ["train_", "val_", "valid_", "test_"].iter().any(|stage| first.starts_with(stage));
    // mmcv 1 kept an average in buffers of one part: ema_backbone_conv1_weight.
    let average = parts.len() == 1 && first.starts_with("ema_");
    FIRST.contains(&first) || LAST.contains(&last) || metric || average
}

impl Reading {
    /// Puts a tensor under its name, or says why it is not there.
    fn put(&mut self, name: String, part: usize, tensor: &Readable) {
        match tensor {
            Err(why) => drop(self.unreadable.insert(name, why.clone())),
            Ok(tensor) if !tensor.kind.is_float() => drop(self.others.insert(name, tensor.kind.to_string())),
            Ok(tensor) => {
                // Query, key and value may come in any order, and one that is missing shows in the shape.
                let parts = self.tensors.entry(name.clone()).or_default();
                if parts.insert(part, tensor.clone()).is_some() {
                    self.unreadable.insert(name, "two tensors of the file have this name".to_string());
                }
            }
        }
    }

    /// Names the head: one linear map, wherever in a sequence it stands, and a second one of a distilled model.
    fn head(&mut self, dialect: Dialect, heads: &[(usize, &Item)]) {
        let is_second =
            |parts: &[&str]| parts.iter().any(|part| matches!(*part, "head_dist" | "distillation_classifier"));
        let mut groups: BTreeMap<String, bool> = BTreeMap::new();
        for (level, item) in heads {
            let Some((last, path)) = item.parts[*level..].split_last() else { continue };
            let is_linear = *last == "weight" && item.tensor.as_ref().map_or(true, |tensor| tensor.shape.len() == 2);
            if !is_second(path) {
                *groups.entry(path.join(".")).or_default() |= is_linear;
            }
        }
        let single = groups.len() == 1 && groups.values().all(|linear| *linear);
        for (level, item) in heads {
            let parts = &item.parts[*level..];
            let last = parts.last().copied().unwrap_or_default();
            if is_second(parts) {
                self.put(format!("head_dist.{last}"), 0, item.tensor);
            } else if single {
                self.put(format!("{}.{last}", dialect.head()), 0, item.tensor);
            } else {
                self.own_head.push(item.name.to_string());
                self.put(parts.join("."), 0, item.tensor);
            }
        }
    }
}
