//! How a file of weights does not fit a model, in words that say what to do about it.

use super::tensor::StateDict;
use crate::models::{Group, Parameter};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Every name and shape that does not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misfit {
    /// Names of the model that the file lacks.
    pub missing: Vec<String>,
    /// Names in the file that are not the model's.
    pub unexpected: Vec<String>,
    /// `NAME has shape […], expected […]`.
    pub shapes: Vec<String>,
    /// `NAME is I64`: tensors that are there, but are not floating-point.
    pub kinds: Vec<String>,
    /// What may be wrong, and what would help.
    pub hint: Option<String>,
}

/// How many of each are shown: the first ones tell what is wrong.
const SHOWN: usize = 4;

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("of another shape", &self.shapes),
            ("not floating-point", &self.kinds),
        ];
        let mut first = true;
        for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = if names.len() > SHOWN { ", …" } else { "" };
            let separator = if first { "" } else { "; " };
            write!(f, "{separator}{} {what} ({shown}{more})", names.len())?;
            first = false;
        }
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// Checks that every name is there, no other is, and every shape is right. `others` are tensors of the file that are not
/// floating-point.
pub(super) fn check(
    expected: &BTreeMap<String, Parameter>,
    found: &StateDict,
    others: &BTreeMap<String, String>,
) -> Result<(), Box<Misfit>> {
    let mut misfit = Misfit::default();
    for (name, Parameter { shape, .. }) in expected {
        match (found.get(name), others.get(name)) {
            (Some(tensor), _) if tensor.shape == *shape => {}
            (Some(tensor), _) => {
                misfit.shapes.push(format!("{name} has shape {:?}, expected {shape:?}", tensor.shape));
            }
            (None, Some(kind)) => misfit.kinds.push(format!("{name} is {kind}")),
            (None, None) => misfit.missing.push(name.clone()),
        }
    }
    misfit.unexpected = found.keys().filter(|name| !expected.contains_key(*name)).cloned().collect();
    if misfit == Misfit::default() {
        return Ok(());
    }
    misfit.hint = hint(expected, found, &misfit);
    Err(Box::new(misfit))
}

/// A prefix without which more names would be there.
fn hint(expected: &BTreeMap<String, Parameter>, found: &StateDict, misfit: &Misfit) -> Option<String> {
    if found.is_empty() {
        return Some("the file holds no floating-point tensors at all".to_string());
    }
    // A head of another number of classes is no obstacle.
    let fits = |prefix: &str| {
        let there = |parameter: &&Parameter| {
            let from = usize::from(parameter.group == Group::Head);
            let tensor = found.get(&format!("{prefix}{}", parameter.name));
            tensor.is_some_and(|tensor| !tensor.shape.is_empty() && tensor.shape[from..] == parameter.shape[from..])
        };
        expected.values().filter(there).count()
    };
    let (prefix, count) =
        prefixes(found).into_iter().map(|prefix| (prefix, fits(prefix))).max_by_key(|(_, count)| *count)?;
    let present = expected.len() - misfit.missing.len() - misfit.kinds.len() - misfit.shapes.len();
    if count <= present {
        return None;
    }
    let beginning = found.keys().filter(|name| name.starts_with(prefix)).count();
    let who =
        if beginning == found.len() { "every name begins".to_string() } else { format!("{beginning} names begin") };
    let what = match count == expected.len() {
        true => "they would fit".to_string(),
        false => format!("{count} of the model's {} would be there", expected.len()),
    };
    Some(format!("{who} with '{prefix}', and without it {what}"))
}

/// What names begin with, up to their third dot: `module.`, `module.model.`, …
fn prefixes(found: &StateDict) -> BTreeSet<&str> {
    let of = |name: &String| -> Vec<usize> { name.match_indices('.').take(3).map(|(at, _)| at + 1).collect() };
    found.keys().flat_map(|name| of(name).into_iter().map(move |end| &name[..end])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Role;
    use crate::weights::HostTensor;

    fn refused(names: &[(&str, &[usize])], others: &[(&str, &str)]) -> String {
        let expected = [
            ("conv.weight", vec![2, 3], Group::Stem),
            ("conv.bias", vec![2], Group::Stem),
            ("fc.weight", vec![5, 2], Group::Head),
        ];
        let parameter = |(name, shape, group): (&str, Vec<usize>, Group)| {
            (name.to_string(), Parameter { name: name.to_string(), shape, group, role: Role::Weight })
        };
        let expected = expected.map(parameter).into();
        let tensor = |shape: &[usize]| HostTensor { shape: shape.to_vec(), values: vec![0.0; shape.iter().product()] };
        let found = names.iter().map(|(name, shape)| (name.to_string(), tensor(shape))).collect();
        let others = others.iter().map(|(name, kind)| (name.to_string(), kind.to_string())).collect();
        check(&expected, &found, &others).unwrap_err().to_string()
    }

    #[test]
    fn a_prefix_of_every_name_is_found_and_named() {
        for prefix in ["module.", "_orig_mod.", "model.", "state_dict_ema.", "module.backbone."] {
            let names = ["conv.weight", "conv.bias", "fc.weight"].map(|name| format!("{prefix}{name}"));
            // The head has other classes, which is no obstacle.
            let shapes: [&[usize]; 3] = [&[2, 3], &[2], &[1000, 2]];
            let found: Vec<(&str, &[usize])> = names.iter().map(String::as_str).zip(shapes).collect();
            let message = refused(&found, &[]);
            for part in [
                "3 missing (conv.bias, conv.weight, fc.weight)",
                &format!("3 unexpected ({prefix}conv.bias, "),
                &format!("every name begins with '{prefix}', and without it they would fit"),
            ] {
                assert!(message.contains(part), "{part} is missing from: {message}");
            }
        }
    }

    #[test]
    fn all_lists_are_counted_and_a_few_of_each_are_shown() {
        let many: Vec<String> = (0..9).map(|index| format!("other{index}.weight")).collect();
        let mut found: Vec<(&str, &[usize])> = many.iter().map(|name| (name.as_str(), &[1][..])).collect();
        found.push(("conv.weight", &[3, 2]));
        let message = refused(&found, &[("fc.weight", "I64")]);
        for part in [
            "1 missing (conv.bias)",
            "9 unexpected (other0.weight, other1.weight, other2.weight, other3.weight, …)",
            "1 of another shape (conv.weight has shape [3, 2], expected [2, 3])",
            "1 not floating-point (fc.weight is I64)",
        ] {
            assert!(message.contains(part), "{part} is missing from: {message}");
        }
        assert!(!message.contains("begin"), "no prefix would help: {message}");
        assert!(refused(&[], &[]).contains("no floating-point tensors at all"));
    }

    #[test]
    fn a_prefix_beside_other_things_is_told_apart() {
        let found: [(&str, &[usize]); 3] =
            [("ema.conv.weight", &[2, 3]), ("ema.conv.bias", &[2]), ("optimizer.0", &[7])];
        let message = refused(&found, &[]);
        assert!(
            message.contains("2 names begin with 'ema.', and without it 2 of the model's 3 would be there"),
            "{message}"
        );
    }
}
