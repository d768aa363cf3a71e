//! What PyTorch's own names in a pickle mean: storages, tensors, parameters and modules.
//!
//! # Source
//!
//! torch 2.9.1: `torch/_utils.py` (`_rebuild_*`), `torch/serialization.py` (`persistent_load`), `torch/storage.py`
//! (`_load_from_bytes`), `torch/nn/modules/module.py` (`state_dict`).

use super::arena::{MOST, Node, Value};
use super::document::{Document, Storages};
use super::tensor::{Kind, Storage, Tensor};
use super::{legacy, numpy};

/// How deep wrappers of a tensor may be nested: a parameter of a subclass of a tensor, and a file within a file.
const WRAPPERS: usize = 8;

/// What an opcode costs beside the memory of its node.
const STEP: usize = 16;

impl Document {
    /// Memory and time that reading it has taken, as one number.
    fn cost(&self) -> usize {
        self.arena.charged() + STEP * self.arena.steps + self.nested.get()
    }

    /// The tensor that a value is, or why it cannot be read; none where it is no tensor.
    pub(super) fn tensor(&self, value: Value) -> Option<Result<Tensor, String>> {
        self.tensor_within(value, WRAPPERS)
    }

    fn tensor_within(&self, value: Value, depth: usize) -> Option<Result<Tensor, String>> {
        if depth == 0 {
            return None;
        }
        if let (Node::Persistent(id), Storages::Tensors(tensors)) = (self.arena.node(value)?, &self.storages) {
            return tensors.get(self.arena.text(*id)?).cloned().map(Ok);
        }
        let call = self.arena.call(value)?;
        let (module, name) = self.arena.global(call.callable)?;
        let arguments = self.arena.items(call.arguments).unwrap_or_default();
        match (module, name) {
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
            | ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor")
            | ("torch.nn.parameter", "Parameter" | "Buffer") => self.tensor_within(*arguments.first()?, depth - 1),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3") => {
                Some(self.rebuilt(name, arguments, depth))
            }
            ("torch._tensor", "_rebuild_from_type_v2" | "_rebuild_from_type") => {
                let (function, inner) =
                    (self.arena.global(*arguments.first()?)?, self.arena.items(*arguments.get(2)?)?);
                match function {
                    ("torch._utils", name) if name.starts_with("_rebuild_tensor") => {
                        Some(self.rebuilt(name, inner, depth))
                    }
                    ("torch._utils", "_rebuild_parameter") => self.tensor_within(*inner.first()?, depth - 1),
                    (_, name) => Some(Err(unreadable(name))),
                }
            }
            ("torch._utils", name) if name.starts_with("_rebuild_") => Some(Err(unreadable(name))),
            ("torch", name) if name.ends_with("Tensor") => {
                // The oldest tensors have storage, offset, size and stride as their state.
                Some(self.rebuilt("_rebuild_tensor", self.arena.items(call.state?)?, depth))
            }
            _ => numpy::array(self, value),
        }
    }

    /// The tensor of `_rebuild_tensor` and its successors: storage, offset, size, stride, …
    fn rebuilt(&self, function: &str, arguments: &[Value], depth: usize) -> Result<Tensor, String> {
        let [storage, offset, shape, strides, rest @ ..] = arguments else {
            return Err("it is a tensor without a shape".to_string());
        };
        let whole = |value: &Value| match value {
            Value::Int(number) => u64::try_from(*number).map_err(|_| "it has a negative size or stride".to_string()),
            _ => Err("its shape is no list of whole numbers".to_string()),
        };
        let list = |value: Value| self.sizes(value).ok_or("its shape is no list of whole numbers".to_string());
        let shape = list(*shape)?.iter().map(whole).collect::<Result<Vec<_>, _>>()?;
        let strides = list(*strides)?.iter().map(whole).collect::<Result<Vec<_>, _>>()?;
        let (kind, storage) = self.storage(*storage, depth)?;
        let (kind, notes) = if function == "_rebuild_tensor_v3" {
            let dtype = rest.get(2).and_then(|dtype| self.arena.global(*dtype));
            (dtype.and_then(|(_, name)| Kind::named(name)), rest.get(3))
        } else {
            (kind, rest.get(2))
        };
        let kind = kind.ok_or("it is of a type that is not known")?;
        // A negated or conjugated view says so, and has the sign only there.
        if notes.and_then(|notes| self.arena.entries(*notes)).is_some_and(|notes| !notes.is_empty()) {
            return Err("it is a negated or conjugated view: save tensor.resolve_neg()".to_string());
        }
        Tensor::new(kind, shape, strides, whole(offset)?, storage)
    }

    /// A tuple of sizes, also as a `torch.Size`.
    fn sizes(&self, value: Value) -> Option<&[Value]> {
        match self.arena.call(value) {
            Some(call) => self.arena.items(*self.arena.items(call.arguments)?.first()?),
            None => self.arena.items(value),
        }
    }

    /// A storage, with the type of its numbers where it has one of its own.
    fn storage(&self, value: Value, depth: usize) -> Result<(Option<Kind>, Storage), String> {
        if self.arena.callable(value) == Some(("torch.storage", "_load_from_bytes")) && depth > 0 {
            let arguments = self.arena.call(value).and_then(|call| self.arena.items(call.arguments));
            let bytes = arguments.and_then(|arguments| self.bytes(*arguments.first()?));
            let bytes = bytes.ok_or("its storage is no bytes")?;
            if self.nested.get() > MOST {
                return Err("too much is stored in files within the file".to_string());
            }
            // What a file within the file costs is counted, so that one that is named often is not read as often. Of a broken
            // one only its length is known.
            let length = usize::try_from(bytes.length()).unwrap_or(usize::MAX);
            let inner = legacy::read(bytes);
            let cost = match &inner {
                Ok(inner) => inner.cost(),
                Err(_) => length.saturating_mul(STEP),
            };
            self.nested.set(self.nested.get().saturating_add(cost));
            let inner = inner.map_err(|fault| format!("its storage: {fault}"))?;
            return inner.storage(inner.root, depth - 1);
        }
        let Some(Node::Persistent(id)) = self.arena.node(value) else {
            return Err("its storage is not in the file".to_string());
        };
        let Some([_, class, key, _, _, rest @ ..]) = self.arena.items(*id) else {
            return Err("its storage has no name".to_string());
        };
        let (Some((_, class)), Some(key)) = (self.arena.global(*class), self.arena.text(*key)) else {
            return Err("its storage has no name".to_string());
        };
        let kind = class.strip_suffix("Storage").and_then(Kind::named);
        let missing = || format!("its storage '{}' is not in the file", key.escape_debug());
        let storage = match &self.storages {
            Storages::Archive(directory, prefix) => {
                let name = format!("{prefix}data/{key}");
                let entry = directory.get(&name).ok_or_else(missing)?;
                entry.readable(&name)?;
                Storage { bytes: entry.bytes.clone(), entry: Some((name, entry.clone())) }
            }
            Storages::Stretches(stretches) => {
                let (kind, bytes) = stretches.get(key).ok_or_else(missing)?;
                // A view of a storage: its own key, where it begins, and how many numbers it has.
                let view = rest.first().and_then(|view| self.arena.items(*view));
                let bytes = match view {
                    Some([_, Value::Int(start), Value::Int(count)]) => {
                        let of = |number: &i64| u64::try_from(*number).ok()?.checked_mul(kind.size());
                        let part = of(start).zip(of(count)).map(|(start, count)| bytes.part(start, count));
                        part.ok_or_else(missing)?.map_err(|fault| fault.to_string())?
                    }
                    _ => bytes.clone(),
                };
                Storage { bytes, entry: None }
            }
            Storages::Tensors(_) => return Err(missing()),
        };
        Ok((kind, storage))
    }

    /// Parameters, buffers and submodules of a value that is a module; none where it is none.
    ///
    /// A TorchScript program is one whose state has all three in one dict.
    pub(super) fn module(&self, value: Value) -> Option<[Vec<(Value, Value)>; 3]> {
        let state = self.arena.state(value)?;
        if self.arena.callable(value)?.0.starts_with("__torch__") {
            let (tensors, others) = state.iter().partition(|(_, value)| self.tensor(*value).is_some());
            return Some([tensors, Vec::new(), others]);
        }
        let part = |name| Some(self.arena.entries(self.arena.get(value, name)?).unwrap_or_default());
        let mut parts = [part("_parameters")?, part("_buffers")?, part("_modules")?];
        let hidden = self.arena.get(value, "_non_persistent_buffers_set");
        let hidden: Vec<&str> = hidden
            .and_then(|set| match self.arena.node(set)? {
                Node::List(items) => Some(&items[..]),
                Node::Call(call) => self.arena.items(*self.arena.items(call.arguments)?.first()?),
                _ => None,
            })
            .into_iter()
            .flatten()
            .filter_map(|name| self.arena.text(*name))
            .collect();
        parts[1].retain(|(name, _)| self.arena.text(*name).is_none_or(|name| !hidden.contains(&name)));
        Some(parts)
    }
}

/// Why a tensor is not read, by the function that would rebuild it.
fn unreadable(function: &str) -> String {
    let what = match function {
        "_rebuild_qtensor" => "quantised: save the weights before quantisation, or model.dequantize()",
        "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor" => "sparse: save tensor.to_dense()",
        "_rebuild_nested_tensor" => "a nested tensor",
        "_rebuild_meta_tensor_no_storage" => "on the device 'meta', so its numbers were never saved",
        "_rebuild_device_tensor_from_numpy" | "_rebuild_xla_tensor" => "on an XLA device: save tensor.cpu()",
        _ => "a tensor of a kind that is not known",
    };
    format!("it is {what}")
}
