//! Weights from elsewhere into a model: strict, with an excuse list, and a new head where the classes differ.

use super::error::{WeightsError, mismatch};
use super::file::{self, Contents};
use super::misfit;
use super::origin::Origin;
use super::state_dict::{expected, replace};
use super::tensor::{HostTensor, StateDict};
use crate::models::{Group, Model, Parameter, Role};
use glob::Pattern;
use std::collections::BTreeMap;
use std::path::Path;

/// A model with weights from elsewhere, and what was not in them.
#[derive(Debug)]
pub struct Imported {
    /// The model with the weights.
    pub model: Model,
    /// Names that kept their drawn values because the file lacks them and they were excused.
    pub missing: Vec<String>,
    /// Names in the file that were excused.
    pub unexpected: Vec<String>,
    /// Where in the file the weights were.
    pub origin: Origin,
    /// Classes in the file and in the model, where they differ and the head is new.
    pub new_head: Option<[usize; 2]>,
}

/// Loads the weights under `key` of a file or a folder, or those that are meant, into `model`, which keeps its drawn values only where `excused` (patterns such as `layer4.*`) says so, and
/// in a head of another number of classes. A pattern must match a name that is missing or unexpected, or one of a head that
/// is replaced.
///
/// # Errors
///
/// [`WeightsError`] lists every name that is missing or unexpected and every shape that is wrong, or names a pattern that
/// excuses nothing.
pub fn import(model: Model, path: &Path, key: Option<&str>, excused: &[String]) -> Result<Imported, WeightsError> {
    let parse = |pattern: &String| {
        Pattern::new(pattern).map_err(|source| WeightsError::Pattern { pattern: pattern.clone(), source })
    };
    let excused = excused.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let Contents { mut tensors, others, origin, looks_like } = file::read_all(path, key)?;
    let mut expected = expected(&model);
    let names: Vec<String> = expected.keys().cloned().collect();
    let new_head = take_head(&mut expected, &mut tensors);
    let replaced: Vec<String> = names.into_iter().filter(|name| !expected.contains_key(name)).collect();
    let is_excused = |name: &String| excused.iter().any(|pattern| pattern.matches(name));
    let missing: Vec<String> =
        expected.keys().filter(|name| !tensors.contains_key(*name) && is_excused(name)).cloned().collect();
    let unexpected: Vec<String> =
        tensors.keys().filter(|name| !expected.contains_key(*name) && is_excused(name)).cloned().collect();
    missing.iter().for_each(|name| drop(expected.remove(name)));
    unexpected.iter().for_each(|name| drop(tensors.remove(name)));
    misfit::check(&expected, &tensors, &others).map_err(|mut misfit| {
        misfit.hint.get_or_insert(looks_like);
        mismatch(path, misfit)
    })?;
    finite(&tensors, path)?;
    let unfitting = || missing.iter().chain(&unexpected).chain(&replaced);
    if let Some(idle) = excused.iter().find(|pattern| !unfitting().any(|name| pattern.matches(name))) {
        return Err(WeightsError::IdlePattern { pattern: idle.as_str().to_string(), path: path.to_path_buf() });
    }
    Ok(Imported { model: replace(model, tensors), missing, unexpected, origin, new_head })
}

/// Takes the head out of both where the number of classes differs; the two numbers, of the file and of the model.
fn take_head(expected: &mut BTreeMap<String, Parameter>, tensors: &mut StateDict) -> Option<[usize; 2]> {
    let head: Vec<Parameter> = expected.values().filter(|one| one.group == Group::Head).cloned().collect();
    let weight = head.iter().find(|one| one.role == Role::Weight)?;
    let found = *tensors.get(&weight.name)?.shape.first()?;
    let wanted = *weight.shape.first()?;
    if found == wanted {
        return None;
    }
    for parameter in head {
        expected.remove(&parameter.name);
        tensors.remove(&parameter.name);
    }
    Some([found, wanted])
}

/// Refuses tensors that hold NaN or infinity.
fn finite(tensors: &StateDict, path: &Path) -> Result<(), WeightsError> {
    let bad = |tensor: &HostTensor| tensor.values.iter().filter(|value| !value.is_finite()).count();
    let found: Vec<(&String, usize, usize)> = tensors
        .iter()
        .map(|(name, tensor)| (name, bad(tensor), tensor.values.len()))
        .filter(|(_, count, _)| *count > 0)
        .collect();
    match found.first() {
        None => Ok(()),
        Some((name, count, total)) => Err(WeightsError::NotFinite {
            path: path.to_path_buf(),
            name: name.to_string(),
            count: *count,
            total: *total,
            tensors: found.len(),
        }),
    }
}
