//! Weights from elsewhere into a model: strict, with an excuse list, and a new head where the classes differ.

use super::file::{self, FileError};
use super::{StateDict, replace, state_shapes};
use crate::models::{HEADS, Model};
use glob::Pattern;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Weights that do not fit the model.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Names or shapes that do not fit.
    #[error("{path} does not fit the model: {}", list(problems))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every missing or unexpected name and every wrong shape.
        problems: Vec<String>,
    },
    /// Pretrained weights that nobody has downloaded yet.
    #[error(
        "no pretrained weights for {model} in {cache}: download {url} and pass it with --weights FILE, \
         or train from scratch with --weights none"
    )]
    NotInCache {
        /// The model.
        model: String,
        /// Where they are.
        url: String,
        /// Where they were looked for.
        cache: PathBuf,
    },
    /// A size that nobody has pretrained.
    #[error("there are no pretrained weights for {model}: give --weights none or a file")]
    NeverPretrained {
        /// The model.
        model: String,
    },
    /// A pattern that does not parse.
    #[error("'{pattern}' is no pattern of names")]
    Pattern {
        /// What was given.
        pattern: String,
        /// Why.
        #[source]
        source: glob::PatternError,
    },
}

/// A long list of problems is cut: the first ones tell what is wrong.
fn list(problems: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = problems.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    match problems.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

/// A model with weights from elsewhere, and what was not in them.
#[derive(Debug)]
pub struct Imported {
    /// The model.
    pub model: Model,
    /// Names that kept their drawn values because the file lacks them and they were excused.
    pub missing: Vec<String>,
    /// Names in the file that were excused.
    pub unexpected: Vec<String>,
    /// Classes in the file and in the model, where they differ and the head is new.
    pub new_head: Option<[usize; 2]>,
}

/// Loads a file into `model`, which keeps its drawn values only where `excused` (patterns such as `layer4.*`) says so, and
/// in a head of another number of classes.
///
/// # Errors
///
/// [`WeightsError`] lists every name that is missing or unexpected and every shape that is wrong.
pub fn import(model: Model, path: &Path, excused: &[String]) -> Result<Imported, WeightsError> {
    let parse = |pattern: &String| {
        Pattern::new(pattern).map_err(|source| WeightsError::Pattern { pattern: pattern.clone(), source })
    };
    let excused = excused.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let mut tensors = file::read(path)?;
    let mut expected = state_shapes(&model);
    let new_head = take_head(&mut expected, &mut tensors);
    let is_excused = |name: &String| excused.iter().any(|pattern| pattern.matches(name));
    let missing: Vec<String> =
        expected.keys().filter(|name| !tensors.contains_key(*name) && is_excused(name)).cloned().collect();
    let unexpected: Vec<String> =
        tensors.keys().filter(|name| !expected.contains_key(*name) && is_excused(name)).cloned().collect();
    missing.iter().for_each(|name| drop(expected.remove(name)));
    unexpected.iter().for_each(|name| drop(tensors.remove(name)));
    check(&expected, &tensors, path)?;
    Ok(Imported { model: replace(model, tensors), missing, unexpected, new_head })
}

/// Takes the head out of both where the number of classes differs.
fn take_head(expected: &mut BTreeMap<String, Vec<usize>>, tensors: &mut StateDict) -> Option<[usize; 2]> {
    let head = HEADS.into_iter().find(|head| expected.contains_key(&format!("{head}.weight")))?;
    let (weight, bias) = (format!("{head}.weight"), format!("{head}.bias"));
    let found = *tensors.get(&weight)?.shape.first()?;
    let wanted = *expected.get(&weight)?.first()?;
    if found == wanted {
        return None;
    }
    for name in [weight, bias] {
        expected.remove(&name);
        tensors.remove(&name);
    }
    Some([found, wanted])
}

/// Every name there, no other, and every shape right.
pub(super) fn check(
    expected: &BTreeMap<String, Vec<usize>>,
    found: &StateDict,
    path: &Path,
) -> Result<(), WeightsError> {
    let missing_or_wrong = expected.iter().filter_map(|(name, shape)| match found.get(name) {
        None => Some(format!("{name} is missing")),
        Some(tensor) if tensor.shape != *shape => {
            Some(format!("{name} has shape {:?}, expected {shape:?}", tensor.shape))
        }
        Some(_) => None,
    });
    let unexpected = found.keys().filter(|name| !expected.contains_key(*name));
    let problems: Vec<String> =
        missing_or_wrong.chain(unexpected.map(|name| format!("{name} is unexpected"))).collect();
    if problems.is_empty() { Ok(()) } else { Err(WeightsError::Mismatch { path: path.to_path_buf(), problems }) }
}
