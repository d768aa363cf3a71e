//! TAR archives that PyTorch wrote before 0.1.10: storages, tensors and a pickle that names tensors by number.
//!
//! # Source
//!
//! torch 2.9.1, `torch/serialization.py`: `legacy_load`.

use super::arena::{Arena, Value};
use super::bytes::{Cursor, Source};
use super::document::{Document, Storages};
use super::error::Fault;
use super::legacy::{self, stretch};
use super::tensor::{Kind, Storage, Tensor};
use super::unpickle::unpickle;
use std::collections::BTreeMap;

/// Length of a block of the archive.
const BLOCK: u64 = 512;
/// The most axes of a tensor.
const AXES: i32 = 64;

pub(super) fn read(archive: &Source) -> Result<Document, Fault> {
    let files = files(archive)?;
    let file = |name: &str| match files.get(name) {
        Some(file) => Ok(file.clone()),
        None => Fault::refused(format!("a TAR archive without '{name}': unpack it and name the file in it")),
    };
    let (pickle, storages, tensors) = (file("pickle")?, file("storages")?, file("tensors")?);
    let storages = read_storages(storages)?;
    let tensors = read_tensors(tensors, &storages)?;
    let (arena, root, source) = legacy::pickle(pickle)?;
    Ok(Document::new(arena, root, source, Storages::Tensors(tensors)))
}

/// The plain files at the top of an archive, by name without `./`.
fn files(archive: &Source) -> Result<BTreeMap<String, Source>, Fault> {
    let (mut files, mut at) = (BTreeMap::new(), 0);
    while at + BLOCK <= archive.length() {
        let header = archive.part(at, BLOCK)?.bytes(BLOCK)?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_string()
        };
        let Ok(length) = u64::from_str_radix(&text(124..136), 8) else {
            return Fault::broken(format!("a header of the TAR archive at byte {at} has no size"));
        };
        let bytes = archive.part(at + BLOCK, length)?;
        if matches!(header[156], b'0' | 0) {
            files.insert(text(0..100).trim_start_matches("./").to_string(), bytes);
        }
        at += BLOCK + length.div_ceil(BLOCK) * BLOCK;
    }
    Ok(files)
}

/// A count, as a pickle.
fn count(cursor: &mut Cursor, arena: &mut Arena) -> Result<i64, Fault> {
    match unpickle(cursor, arena)? {
        Value::Int(count) => Ok(count),
        _ => Fault::broken("the number of tensors or storages is none"),
    }
}

/// The key that a pickle has for a storage or a tensor, which is a number.
fn key(value: Option<&Value>) -> Result<i64, Fault> {
    match value {
        Some(Value::Int(key)) => Ok(*key),
        _ => Fault::broken("the name of a tensor or a storage is no number"),
    }
}

fn read_storages(source: Source) -> Result<BTreeMap<i64, (Kind, Source)>, Fault> {
    let (mut cursor, mut arena) = (Cursor::new(source), Arena::default());
    let mut storages = BTreeMap::new();
    for _ in 0..count(&mut cursor, &mut arena)? {
        let named = unpickle(&mut cursor, &mut arena)?;
        let named = arena.items(named).unwrap_or_default();
        let class = named.get(2).and_then(|class| arena.global(*class)).map(|(_, name)| name);
        let Some(kind) = class.and_then(|name| Kind::named(name.strip_suffix("Storage")?)) else {
            return Fault::broken("a storage is of a type that is not known");
        };
        let bytes = stretch(&mut cursor, kind)?;
        storages.insert(key(named.first())?, (kind, bytes));
    }
    let views = unpickle(&mut cursor, &mut arena)?;
    for view in arena.items(views).unwrap_or_default() {
        let view = arena.items(*view).unwrap_or_default();
        let whole = storages.get(&key(view.get(1))?).cloned();
        let (Some((kind, bytes)), [_, _, Value::Int(start), Value::Int(length)]) = (whole, view) else {
            return Fault::broken("a view of a storage is of none");
        };
        let of = |number: &i64| u64::try_from(*number).ok()?.checked_mul(kind.size());
        let Some((start, length)) = of(start).zip(of(length)) else { return Fault::broken("a view has no size") };
        storages.insert(key(view.first())?, (kind, bytes.part(start, length)?));
    }
    Ok(storages)
}

fn read_tensors(source: Source, storages: &BTreeMap<i64, (Kind, Source)>) -> Result<BTreeMap<String, Tensor>, Fault> {
    let (mut cursor, mut arena) = (Cursor::new(source), Arena::default());
    let mut tensors = BTreeMap::new();
    for _ in 0..count(&mut cursor, &mut arena)? {
        let named = unpickle(&mut cursor, &mut arena)?;
        let named = arena.items(named).unwrap_or_default();
        let storage = storages.get(&key(named.get(1))?);
        let name = key(named.first())?.to_string();
        let axes = i32::from_le_bytes(cursor.array()?);
        cursor.skip(4)?;
        if !(0..=AXES).contains(&axes) {
            return Fault::broken(format!("a tensor of {axes} axes"));
        }
        let mut numbers =
            || -> Result<Vec<u64>, Fault> { (0..axes).map(|_| Ok(u64::from_le_bytes(cursor.array()?))).collect() };
        let (shape, strides) = (numbers()?, numbers()?);
        let offset = u64::from_le_bytes(cursor.array()?);
        let Some((kind, bytes)) = storage else { return Fault::broken("a tensor is of no storage") };
        let storage = Storage { bytes: bytes.clone(), entry: None };
        let tensor = Tensor::new(*kind, shape, strides, offset, storage).map_err(Fault::Broken)?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}
