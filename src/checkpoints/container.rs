//! What a file is by its first bytes, whatever its name says, and what is in it.

use super::bytes::Source;
use super::candidates::{self, Candidate};
use super::document::Document;
use super::error::{CheckpointError, Fault};
use super::facts::{self, Facts};
use super::recognise::{Format, recognise};
use super::{archive, folder, legacy, safetensors, tar};
use crate::fsx;
use std::path::Path;

/// What a file or a folder holds.
pub(super) struct Contents {
    /// Its format, for errors.
    pub(super) container: &'static str,
    /// Size of all files of weights.
    pub(super) bytes: u64,
    pub(super) candidates: Vec<Candidate>,
    pub(super) facts: Facts,
    /// Whether what is under `state_dict` is an average, and what was trained is elsewhere.
    pub(super) swapped: bool,
}

/// Looks through a file or a folder.
pub(super) fn open(path: &Path) -> Result<Contents, CheckpointError> {
    if !fsx::metadata(path)?.is_dir() {
        return file(path);
    }
    let files = folder::weights(path)?;
    let mut whole = Contents {
        container: "folder of weights",
        bytes: 0,
        candidates: vec![Candidate { keys: vec![String::new()], ..Candidate::default() }],
        facts: Facts::default(),
        swapped: false,
    };
    let single = files.len() == 1;
    for one in &files {
        let mut contents = file(one)?;
        if single {
            whole = contents;
            break;
        }
        whole.bytes += contents.bytes;
        for candidate in contents.candidates.drain(..).filter(|candidate| candidate.keys == [""]) {
            whole.candidates[0].tensors.extend(candidate.tensors);
        }
    }
    folder::side_facts(path, &mut whole.facts)?;
    Ok(whole)
}

fn file(path: &Path) -> Result<Contents, CheckpointError> {
    let format = recognise(path)?;
    let source = Source::open(path)?;
    look(format, source).map_err(|fault| fault.of(path, format.container()))
}

/// Looks through the bytes of a file.
pub(super) fn look(format: Format, source: Source) -> Result<Contents, Fault> {
    let (container, bytes) = (format.container(), source.length());
    let document = match format {
        Format::Safetensors => {
            let tensors = safetensors::read(&source)?.into_iter().map(|(name, tensor)| (name, Ok(tensor))).collect();
            let candidates = vec![Candidate { keys: vec![String::new()], tensors, aside: false }];
            return Ok(Contents { container, bytes, candidates, facts: Facts::default(), swapped: false });
        }
        Format::Zip => archive::read(&source)?,
        Format::Tar => tar::read(&source)?,
        Format::Pickle => legacy::read(source)?,
    };
    let candidates = candidates::find(&document)?;
    Ok(Contents { container, bytes, candidates, facts: facts::of(&document), swapped: is_swapped(&document) })
}

/// Lightning's `WeightAveraging` keeps what was trained under `current_model_state`, mmengine's `EMAHook` under
/// `ema_state_dict`: the average has taken its place.
fn is_swapped(document: &Document) -> bool {
    let has = |key| document.arena.get(document.root, key).is_some();
    has("current_model_state") || has("ema_state_dict") && (has("message_hub") || has("meta"))
}
