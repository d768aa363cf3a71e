//! Every set of named tensors in a checkpoint: dicts that hold tensors, and modules that were saved whole.

use super::arena::Value;
use super::document::Document;
use super::error::Fault;
use super::tensor::Tensor;
use std::collections::HashMap;

/// A tensor, or why it cannot be read.
pub(super) type Readable = Result<Tensor, String>;

/// A set of named tensors.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidate {
    /// The keys that lead to it, joined by dots; empty for the file itself. More than one where it is stored once and named
    /// twice.
    pub(super) keys: Vec<String>,
    /// In the order of the file.
    pub(super) tensors: Vec<(String, Readable)>,
    /// Whether it is inside settings or another object, and not where weights are kept.
    pub(super) aside: bool,
}

/// How deep the search goes, and how deep modules may be nested.
const DEPTH: usize = 12;
const MODULES: usize = 64;
/// The most modules that a module may have in it.
const MOST: usize = 50_000;
/// Lists beyond this length hold samples or a history, and no weights.
const LONGEST_LIST: usize = 256;

/// The longest name of a tensor or a key, in bytes: a longer one is none.
const LONGEST_NAME: usize = 512;
/// The most tensors that are looked at: the largest model here has 461.
const MOST_TENSORS: usize = 200_000;

/// Every set of named tensors in a document, in the order of the file.
pub(super) fn find(document: &Document) -> Result<Vec<Candidate>, Fault> {
    let mut search = Search { document, found: Vec::new(), seen: HashMap::new(), tensors: 0 };
    search.visit(document.root, &mut Vec::new(), false);
    if search.tensors > MOST_TENSORS {
        return Fault::refused(format!(
            "more than {MOST_TENSORS} tensors have a name in it: save the weights alone, torch.save(model.state_dict(), FILE)"
        ));
    }
    Ok(search.found)
}

struct Search<'a> {
    document: &'a Document,
    found: Vec<Candidate>,
    /// What was visited, and the candidate that it is.
    seen: HashMap<usize, Option<usize>>,
    /// How many tensors were found.
    tensors: usize,
}

impl Search<'_> {
    fn visit(&mut self, value: Value, path: &mut Vec<String>, aside: bool) {
        let Value::Node(at) = value else { return };
        if let Some(seen) = self.seen.get(&at) {
            if let Some(candidate) = seen.and_then(|index| self.found.get_mut(index)) {
                candidate.keys.push(path.join("."));
                candidate.aside &= aside;
            }
            return;
        }
        self.seen.insert(at, None);
        if path.len() > DEPTH || self.tensors > MOST_TENSORS {
            return;
        }
        let arena = &self.document.arena;
        if self.document.module(value).is_some() {
            let mut module = Module { tensors: Vec::new(), left: MOST };
            self.module(value, "", MODULES, &mut module);
            self.tensors += module.tensors.len();
            self.keep(at, path, aside, module.tensors);
        } else if let Some(entries) = arena.entries(value) {
            self.entries(at, &entries, path, aside);
        } else if let Some(items) = arena.items(value) {
            if items.len() <= LONGEST_LIST {
                for (index, item) in items.iter().copied().enumerate() {
                    self.inside(item, index.to_string(), path, aside);
                }
            }
        } else if let Some(state) = arena.state(value) {
            // An object that is neither a dict nor a module: settings, or something that holds a model.
            let entries = state.to_vec();
            self.entries(at, &entries, path, true);
        }
    }

    fn inside(&mut self, value: Value, key: String, path: &mut Vec<String>, aside: bool) {
        path.push(key);
        self.visit(value, path, aside);
        path.pop();
    }

    fn entries(&mut self, at: usize, entries: &[(Value, Value)], path: &mut Vec<String>, aside: bool) {
        let arena = &self.document.arena;
        let (mut tensors, mut others) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            let key = match (key, arena.text(*key)) {
                (_, Some(text)) if text.len() <= LONGEST_NAME => text.to_string(),
                (Value::Int(number), _) => number.to_string(),
                _ => continue,
            };
            match self.document.tensor(*value) {
                Some(_) if self.tensors > MOST_TENSORS => return,
                Some(tensor) => {
                    self.tensors += 1;
                    tensors.push((key, tensor));
                }
                None if matches!(value, Value::Node(_)) => others.push((key, *value)),
                None => {}
            }
        }
        if !tensors.is_empty() {
            self.keep(at, path, aside, tensors);
        }
        for (key, value) in others {
            let settings = matches!(key.as_str(), "hyper_parameters" | "args" | "config" | "cfg" | "_metadata");
            self.inside(value, key, path, aside || settings);
        }
    }

    fn keep(&mut self, at: usize, path: &[String], aside: bool, tensors: Vec<(String, Readable)>) {
        self.seen.insert(at, Some(self.found.len()));
        self.found.push(Candidate { keys: vec![path.join(".")], tensors, aside });
    }

    /// The state dict of a module that was saved whole.
    fn module(&self, value: Value, prefix: &str, depth: usize, into: &mut Module) {
        let Some([parameters, buffers, modules]) = self.document.module(value).filter(|_| depth > 0) else { return };
        let name = |key| {
            let name = format!("{prefix}{}", self.document.arena.text(key).filter(|key| key.len() <= LONGEST_NAME)?);
            (name.len() <= LONGEST_NAME).then_some(name)
        };
        for (key, value) in parameters.into_iter().chain(buffers) {
            if into.tensors.len() > MOST_TENSORS {
                return;
            }
            if let (Some(name), Some(tensor)) = (name(key), self.document.tensor(value)) {
                into.tensors.push((name, tensor));
            }
        }
        for (key, value) in modules {
            // Modules may be shared, and so be at the end of any number of paths.
            let Some(left) = into.left.checked_sub(1) else { return };
            into.left = left;
            if let Some(name) = name(key) {
                self.module(value, &format!("{name}."), depth - 1, into);
            }
        }
    }
}

/// The state dict of a module as it grows.
struct Module {
    tensors: Vec<(String, Readable)>,
    /// How many more modules may be visited.
    left: usize,
}
