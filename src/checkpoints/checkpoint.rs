//! A checkpoint, the weights in it, and which of them are meant.

use super::architecture::Architecture;
use super::candidates::Candidate;
use super::container::{self, Contents};
use super::error::{CheckpointError, Fault};
use super::facts::Facts;
use super::layout::Shapes;
use super::reading::{self, Reading, Standing};
use super::tensor::Tensor;
use super::zip;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many times its own size a file's tensors may come to, and what they may come to in any case, in bytes: tensors that
/// share their storage are more than the file, but not by much.
const SHARED: (u64, u64) = (16, 64 << 20);

/// A file or a folder that was looked through; no number of any tensor has been read.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    container: &'static str,
    /// Size of all its files.
    bytes: u64,
    readings: Vec<Reading>,
    facts: Facts,
}

/// The weights that are meant.
#[derive(Debug)]
pub struct Found<'a> {
    checkpoint: &'a Checkpoint,
    reading: &'a Reading,
}

/// A tensor with its numbers, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// torchvision's name for a ResNet, timm's for a ViT.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// As many numbers as the product of `shape`.
    pub values: Vec<f32>,
}

impl Checkpoint {
    /// Looks through a file or a folder.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] names the path, and says what it is where it is no checkpoint, or what is broken.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        Ok(Self::of(path, container::open(path)?))
    }

    /// What was found in a file or a folder.
    pub(super) fn of(path: &Path, contents: Contents) -> Self {
        let mut readings: Vec<Reading> = contents.candidates.iter().flat_map(reading::readings).collect();
        if readings.is_empty() {
            readings.extend(plain(&contents.candidates).map(reading::as_it_is));
        }
        if contents.swapped {
            swap(&mut readings);
        }
        let readings = distinct(readings);
        let (container, bytes, facts) = (contents.container, contents.bytes, contents.facts);
        Self { path: path.to_path_buf(), container, bytes, readings, facts }
    }

    /// What it says beside its weights.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The keys that may be asked for.
    pub fn keys(&self) -> Vec<String> {
        self.readings.iter().filter_map(|reading| reading.keys.first().cloned()).collect()
    }

    /// The weights under `key`, or the only ones that may be meant: an average rather than what it is of.
    ///
    /// # Errors
    ///
    /// Where more than one are meant, or none is under the key.
    pub fn choose(&self, key: Option<&str>) -> Result<Found<'_>, CheckpointError> {
        let (path, keys) = (self.path.clone(), self.keys());
        let found = |reading| Found { checkpoint: self, reading };
        if let Some(key) = key {
            let wanted = key.trim_end_matches('.');
            let named = self.readings.iter().find(|reading| reading.keys.iter().any(|key| key == wanted));
            return named.map(found).ok_or(CheckpointError::NoKey { path, key: key.to_string(), keys });
        }
        for standing in [Standing::Averaged, Standing::Raw, Standing::Aside] {
            let mut standing = self.readings.iter().filter(|reading| reading.standing == standing);
            match (standing.next(), standing.next()) {
                (Some(only), None) => return Ok(found(only)),
                (Some(_), Some(_)) => return Err(CheckpointError::Ambiguous { path, keys }),
                (None, _) => {}
            }
        }
        let what = "it holds no weights: there is no tensor under a name in it".to_string();
        Err(CheckpointError::Refused { path, what })
    }
}

/// The set that is most likely meant where no model is known in any.
fn plain(candidates: &[Candidate]) -> Option<&Candidate> {
    let under = |key: &str| candidates.iter().find(|candidate| candidate.keys.iter().any(|one| one == key));
    let largest = || candidates.iter().filter(|one| !one.aside).max_by_key(|candidate| candidate.tensors.len());
    ["model", "state_dict", ""].into_iter().find_map(under).or_else(largest)
}

/// Lightning's and mmengine's averages take the place of the weights, which are kept under another key.
fn swap(readings: &mut [Reading]) {
    for reading in readings {
        let is = |key: &str| reading.keys.iter().any(|one| one == key || one.starts_with(&format!("{key}.")));
        if is("current_model_state") || is("ema_state_dict") {
            reading.standing = Standing::Raw;
        } else if is("state_dict") && reading.standing == Standing::Raw {
            reading.standing = Standing::Averaged;
        }
    }
}

/// The same tensors under two names are one set of weights with two keys.
fn distinct(readings: Vec<Reading>) -> Vec<Reading> {
    let mut kept: Vec<Reading> = Vec::with_capacity(readings.len());
    let places = |reading: &Reading| -> BTreeSet<_> {
        reading
            .tensors
            .iter()
            .flat_map(|(name, parts)| parts.values().map(move |part| (name.clone(), part.place())))
            .collect()
    };
    let mut seen = BTreeMap::new();
    for reading in readings {
        let own = places(&reading);
        match seen.get(&own).and_then(|at: &usize| kept.get_mut(*at)) {
            Some(same) => {
                same.keys.extend(reading.keys);
                if same.standing == Standing::Aside {
                    same.standing = reading.standing;
                }
            }
            None => {
                seen.insert(own, kept.len());
                kept.push(reading);
            }
        }
    }
    kept
}

impl Found<'_> {
    /// The key in the file; empty where the file itself is the weights.
    pub fn key(&self) -> &str {
        self.reading.keys.first().map_or("", String::as_str)
    }

    /// What was cut from the beginning of every name.
    pub fn prefix(&self) -> &str {
        &self.reading.prefix
    }

    /// Whether they are a moving or other average of what was trained.
    pub fn is_average(&self) -> bool {
        self.reading.standing == Standing::Averaged
    }

    /// Keys of other weights that are not an average where these are one, or the other way round.
    pub fn others_in_file(&self) -> Vec<String> {
        self.checkpoint.keys().into_iter().filter(|key| key != self.key()).collect()
    }

    /// Whose names they had; none where they are as they were.
    pub fn names_of(&self) -> Option<&'static str> {
        self.reading.dialect.map(super::dialect::Dialect::whose)
    }

    /// Names in the file that belong to something else, such as a loss or a counter.
    pub fn dropped(&self) -> &[String] {
        &self.reading.dropped
    }

    /// Tensors that are not floating-point, by name: their types.
    pub fn not_floats(&self) -> &BTreeMap<String, String> {
        &self.reading.others
    }

    /// Shapes by name.
    pub fn shapes(&self) -> Shapes {
        let whole = |(name, parts): (&String, &BTreeMap<usize, Tensor>)| (name.clone(), shape(parts.values()));
        self.reading.tensors.iter().map(whole).collect()
    }

    /// The model that the shapes are of.
    ///
    /// # Errors
    ///
    /// What it is that makes it none known here: no head, a head of several layers, or another variant, by name.
    pub fn architecture(&self) -> Result<Architecture, CheckpointError> {
        let path = || self.checkpoint.path.clone();
        self.recognised().map_err(|what| CheckpointError::Refused { path: path(), what })
    }

    /// As [`architecture`](Self::architecture), without the path in the error.
    ///
    /// # Errors
    ///
    /// The words that say why it is no model known here.
    pub fn recognised(&self) -> Result<Architecture, String> {
        if self.reading.dialect.is_none() {
            return Err(self.foreign());
        }
        if let Some((name, why)) = self.reading.unreadable.iter().next() {
            return Err(format!("the tensor {name} cannot be read: {why}"));
        }
        if !self.reading.own_head.is_empty() {
            let names = self.reading.own_head.join(", ");
            return Err(format!(
                "its head is not one linear map ({names}), and what lies between its layers is in no file: \
                 train a head of one linear map"
            ));
        }
        let fastai = |name: &String| name.ends_with("1.8.weight");
        if self.reading.dropped.iter().chain(self.reading.tensors.keys()).any(fastai) {
            return Err("it has the head of fastai's vision_learner (two pools and two linear maps), which is not \
                        supported: train with Learner(dls, model), or with a custom_head of one linear map"
                .to_string());
        }
        Architecture::of(&self.shapes())
    }

    /// What a file without a known model looks like.
    fn foreign(&self) -> String {
        const FAMILIES: [(&str, &str); 9] = [
            ("relative_position_bias_table", "a Swin transformer or a BEiT"),
            ("downsample_layers.0.0.weight", "a ConvNeXt"),
            ("stages.0.blocks.0.conv_dw.weight", "a ConvNeXt"),
            ("conv_stem.weight", "an EfficientNet or a MobileNet"),
            ("features.0.0.weight", "an EfficientNet, a MobileNet or a ConvNeXt of torchvision"),
            ("features.0.weight", "a VGG or an AlexNet"),
            ("features.conv0.weight", "a DenseNet"),
            ("conv1.0.weight", "a ResNet with a deep stem (timm's ResNet-C, -D, -S or -T)"),
            ("model.0.conv.weight", "an Ultralytics model"),
        ];
        let names = || self.reading.tensors.keys();
        let family = FAMILIES.iter().find(|(part, _)| names().any(|name| name.ends_with(part)));
        let colours = self
            .reading
            .tensors
            .iter()
            .find(|(name, _)| name.ends_with("conv1.weight") || name.ends_with("patch_embed.proj.weight"));
        match (family, colours) {
            (Some((_, words)), _) => format!("it is {words}: only ResNets and plain ViTs are supported"),
            (None, Some((name, parts))) => {
                format!("{name} has shape {:?}, expected one that takes 3 colours", shape(parts.values()))
            }
            _ => "no ResNet and no ViT is in it: there is no first convolution under a name that is known".to_string(),
        }
    }

    /// Reads the numbers, a tensor after the other; each is dropped once it is done with.
    ///
    /// # Errors
    ///
    /// Where a tensor cannot be read, the file is broken or damaged, or claims more than it can hold. The error names the
    /// tensor.
    pub fn read(&self) -> Result<Vec<Taken>, CheckpointError> {
        let checkpoint = self.checkpoint;
        self.numbers().map_err(|fault| fault.of(&checkpoint.path, checkpoint.container))
    }

    fn numbers(&self) -> Result<Vec<Taken>, Fault> {
        if let Some((name, why)) = self.reading.unreadable.iter().next() {
            return Fault::refused(format!("the tensor {name} cannot be read: {why}"));
        }
        let bytes = self.checkpoint.bytes;
        let mut room = bytes.saturating_mul(SHARED.0).max(SHARED.1);
        let mut checked = BTreeSet::new();
        let mut taken = Vec::with_capacity(self.reading.tensors.len());
        for (name, parts) in &self.reading.tensors {
            let mut count = 0_u64;
            for part in parts.values() {
                let own = part.count().and_then(|own| count.checked_add(own));
                let wanted = own.and_then(|own| own.checked_mul(size_of::<f32>() as u64));
                match (own, wanted.and_then(|wanted| room.checked_sub(wanted))) {
                    (Some(own), Some(_)) => count = own,
                    _ => return Err(Fault::Claim { name: name.clone(), shape: part.shape.clone(), bytes }),
                }
                if let Some((entry_name, entry)) = part.storage.entry.as_ref().filter(|(name, _)| checked.insert(name))
                {
                    zip::check(entry_name, entry)?;
                }
            }
            room -= count * size_of::<f32>() as u64;
            let mut values = Vec::with_capacity(count as usize);
            parts.values().try_for_each(|part| part.read(&mut values))?;
            let shape = shape(parts.values());
            if shape.iter().try_fold(1_usize, |count, side| count.checked_mul(*side)) != Some(values.len()) {
                return Fault::broken(format!("the parts of {name} have shapes that do not fit together"));
            }
            taken.push(Taken { name: name.clone(), shape, values });
        }
        Ok(taken)
    }
}

/// The shape of parts that are joined along the first axis.
fn shape<'a>(parts: impl Iterator<Item = &'a Tensor>) -> Vec<usize> {
    let mut whole: Vec<usize> = Vec::new();
    for part in parts {
        let sides = part.shape.iter().map(|side| *side as usize);
        match whole.first_mut() {
            None => whole.extend(sides),
            Some(first) => *first = first.saturating_add(sides.take(1).sum()),
        }
    }
    whole
}
