//! What `torch.save` wrote before 1.6, and bare pickles: several pickles one after another, and then the storages.
//!
//! # Source
//!
//! torch 2.9.1, `torch/serialization.py`: `_legacy_save`, `_legacy_load`.

use super::arena::{Arena, Node, Value};
use super::bytes::{Cursor, Source};
use super::document::{Document, Storages};
use super::error::Fault;
use super::tensor::Kind;
use super::unpickle::unpickle;
use std::collections::BTreeMap;

/// How the first of the pickles begins: a whole number of ten bytes, `0x1950a86a20f9469cfc6c`.
const MAGIC: [u8; 12] = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The same number in a pickle of protocol 0.
const MAGIC_TEXT: &[u8] = b"L119547037146038801333356L\n";

/// A pickle from its first byte on; what stands behind it is left alone.
pub(super) fn pickle(source: Source) -> Result<(Arena, Value, Source), Fault> {
    let (mut arena, mut cursor) = (Arena::default(), Cursor::new(source.clone()));
    let root = unpickle(&mut cursor, &mut arena)?;
    Ok((arena, root, source))
}

/// A file of `torch.save` from before 1.6, or a bare pickle.
pub(super) fn read(source: Source) -> Result<Document, Fault> {
    let head = source.part(0, source.length().min(32))?.bytes(32)?;
    if head.get(2..14) != Some(&MAGIC) && !head.starts_with(MAGIC_TEXT) {
        let (arena, root, source) = pickle(source)?;
        return Ok(Document::new(arena, root, source, Storages::Stretches(BTreeMap::new())));
    }
    let mut cursor = Cursor::new(source.clone());
    let mut beside = Arena::default();
    unpickle(&mut cursor, &mut beside)?; // the magic number
    unpickle(&mut cursor, &mut beside)?; // the version
    let system = unpickle(&mut cursor, &mut beside)?;
    if beside.get(system, "little_endian") == Some(Value::Bool(false)) {
        return Fault::refused("it was saved on a big-endian machine: load it with torch.load and save it again here");
    }
    let mut arena = Arena::default();
    let root = unpickle(&mut cursor, &mut arena)?;
    let keys = unpickle(&mut cursor, &mut beside)?;
    let kinds = kinds(&arena);
    let mut stretches = BTreeMap::new();
    for key in beside.items(keys).unwrap_or_default() {
        let Some(key) = beside.text(*key) else { return Fault::broken("the name of a storage is no text") };
        let Some(kind) = kinds.get(key) else {
            return Fault::broken(format!("the storage '{}' is of a type that is not known", key.escape_debug()));
        };
        let bytes = stretch(&mut cursor, *kind)?;
        stretches.insert(key.to_string(), (*kind, bytes));
    }
    Ok(Document::new(arena, root, source, Storages::Stretches(stretches)))
}

/// The next storage: how many numbers it has, and their bytes.
pub(super) fn stretch(cursor: &mut Cursor, kind: Kind) -> Result<Source, Fault> {
    let count = u64::from_le_bytes(cursor.array()?);
    let Some(length) = count.checked_mul(kind.size()) else {
        return Fault::broken(format!("a storage of {count} numbers"));
    };
    let bytes = cursor.source().part(cursor.at(), length)?;
    cursor.skip(length)?;
    Ok(bytes)
}

/// The type of every storage that a pickle refers to, by key.
fn kinds(arena: &Arena) -> BTreeMap<String, Kind> {
    let of = |node: &Node| {
        let Node::Persistent(id) = node else { return None };
        let [_, class, key, ..] = arena.items(*id)? else { return None };
        let (_, class) = arena.global(*class)?;
        let kind = match class.strip_suffix("Storage")? {
            "Untyped" => Kind::U8,
            name => Kind::named(name)?,
        };
        Some((arena.text(*key)?.to_string(), kind))
    };
    arena.nodes().iter().filter_map(of).collect()
}
