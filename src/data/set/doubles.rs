//! Images that are there twice where that matters: in two splits, or under two labels.
//!
//! Bytes are compared, by their digests, and files, by their places on the disk: a link to another file has its bytes too.

use crate::data::catalogue::Stamp;
use crate::data::sample::{FileDigest, Index, Sample};
use crate::data::split::Split;
use std::collections::HashMap;
use std::hash::Hash;

/// An image and where it stands.
#[derive(Clone, Copy)]
struct Placed<'a> {
    split: Split,
    sample: &'a Sample,
}

/// A line for a person for each kind of double that there is. `digests` are of the files in the order of the splits; `seen`
/// is what was found out about each.
pub(super) fn notes(splits: &[Index; 3], digests: &[FileDigest], seen: &[Vec<Stamp>; 3]) -> Vec<String> {
    let placed: Vec<Placed> = Split::ALL
        .into_iter()
        .flat_map(|split| splits[split as usize].samples().iter().map(move |sample| Placed { split, sample }))
        .collect();
    let bytes = groups(&placed, digests.iter().map(|file| &file.sha256));
    let files = groups(&placed, seen.iter().flatten().map(Stamp::file));
    let pairs = [(Split::Val, Split::Train), (Split::Test, Split::Train), (Split::Test, Split::Val)];
    let shared = pairs.into_iter().filter_map(|(judged, other)| {
        let doubles = |image: &Placed, twin: &Placed| image.split == judged && twin.split == other;
        let (count, example) = counted(&bytes, doubles)?;
        Some(format!(
            "{} of {judged} {} the same bytes as an image of {other}, such as {example}: figures on {judged} are too good",
            images(count),
            have(count)
        ))
    });
    let labels = counted(&bytes, |image, twin| image.sample.label != twin.sample.label).map(|(count, example)| {
        format!(
            "{} {} the same bytes as an image of another class, such as {example}: one of the two labels \
             is wrong",
            images(count),
            have(count)
        )
    });
    let elsewhere =
        |image: &Placed, twin: &Placed| image.split != twin.split || image.sample.label != twin.sample.label;
    let links = counted(&files, elsewhere).map(|(count, example)| {
        format!("{} share a file with an image of another class or split, by links, such as {example}", images(count))
    });
    shared.chain(labels).chain(links).collect()
}

/// Images of the same key, in order; only where there are two or more.
fn groups<'a, K: Eq + Hash>(placed: &[Placed<'a>], keys: impl Iterator<Item = K>) -> Vec<Vec<Placed<'a>>> {
    let mut numbers: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Vec<Placed>> = Vec::new();
    for (image, key) in placed.iter().zip(keys) {
        let number = *numbers.entry(key).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(*image);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// How many images have a twin in their group, and the first with its first twin; none where none has.
fn counted(groups: &[Vec<Placed>], is_twin: impl Fn(&Placed, &Placed) -> bool) -> Option<(usize, String)> {
    let mut found = Vec::new();
    for group in groups {
        for image in group {
            let twin = group.iter().find(|twin| is_twin(image, twin));
            found.extend(twin.map(|twin| (image.sample.id.as_str(), twin.sample.id.as_str())));
        }
    }
    found.first().map(|(image, twin)| (found.len(), format!("{image} and {twin}")))
}

fn images(count: usize) -> String {
    format!("{count} image{}", if count == 1 { "" } else { "s" })
}

fn have(count: usize) -> &'static str {
    if count == 1 { "has" } else { "have" }
}
