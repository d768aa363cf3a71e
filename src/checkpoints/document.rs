//! A pickle as it was read, and where the storages that it names are.

use super::arena::{Arena, Node, Value};
use super::bytes::Source;
use super::tensor::{Kind, Tensor};
use super::zip;
use std::cell::Cell;
use std::collections::BTreeMap;

/// A pickle that was read, and where its storages are.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) arena: Arena,
    pub(super) root: Value,
    /// The pickle's own bytes.
    pub(super) source: Source,
    pub(super) storages: Storages,
    /// Memory that files within this one have taken, one after another.
    pub(super) nested: Cell<usize>,
}

/// Where storages are, by their key.
#[derive(Debug)]
pub(super) enum Storages {
    /// Entries of a ZIP archive behind a prefix.
    Archive(zip::Directory, String),
    /// Stretches of the file.
    Stretches(BTreeMap<String, (Kind, Source)>),
    /// Whole tensors by their number, as the oldest archives have them.
    Tensors(BTreeMap<String, Tensor>),
}

impl Document {
    pub(super) fn new(arena: Arena, root: Value, source: Source, storages: Storages) -> Self {
        Self { arena, root, source, storages, nested: Cell::new(0) }
    }

    /// Bytes, also as the text that protocol 2 makes of them.
    pub(super) fn bytes(&self, value: Value) -> Option<Source> {
        match self.arena.node(value)? {
            Node::Bytes(at, length) => self.source.part(*at, *length).ok(),
            Node::Text(text) => latin(text),
            Node::Call(call) if self.arena.global(call.callable) == Some(("_codecs", "encode")) => {
                latin(self.arena.text(*self.arena.items(call.arguments)?.first()?)?)
            }
            _ => None,
        }
    }
}

/// Bytes that were written as text, a letter each.
fn latin(text: &str) -> Option<Source> {
    let bytes: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    bytes.map(Source::memory)
}
