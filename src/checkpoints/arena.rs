//! What a pickle describes, as inert data: nodes in an arena, and values that point at them.
//!
//! A memo of a pickle maps to a value, so what is shared stays shared and nothing is ever copied.

use super::error::Fault;

/// A scalar, or the place of a node. Nodes may contain themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Node(usize),
}

/// Anything that is no scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(Box<str>),
    /// Bytes, by where they begin in the pickle and how many they are: they may be the weights themselves.
    Bytes(u64, u64),
    Tuple(Box<[Value]>),
    /// Also a set.
    List(Vec<Value>),
    /// In the order of the file, with keys of any kind.
    Dict(Vec<(Value, Value)>),
    /// A class or a function, by module and name. It is never looked up.
    Global(Box<str>, Box<str>),
    /// What a file of PyTorch calls a storage.
    Persistent(Value),
    Call(Box<Call>),
    /// Something without any meaning here, such as a whole number beyond 64 bits.
    Opaque,
}

/// A call that was not made: an object by its class, arguments and everything that was put into it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) callable: Value,
    pub(super) arguments: Value,
    pub(super) state: Option<Value>,
    pub(super) list: Vec<Value>,
    pub(super) dict: Vec<(Value, Value)>,
}

/// The most memory that a pickle may take beside its tensors, in bytes; every node and item counts.
pub(super) const MOST: usize = 512 << 20;

/// All nodes of a pickle.
#[derive(Debug, Default)]
pub(super) struct Arena {
    nodes: Vec<Node>,
    charged: usize,
    /// How many opcodes were read.
    pub(super) steps: usize,
}

impl Arena {
    /// Counts memory that is about to be taken.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Fault> {
        self.charged = self.charged.saturating_add(bytes);
        if self.charged > MOST {
            return Fault::refused(format!(
                "what is stored beside the weights takes more than {} MiB of memory: save the weights alone, \
                 torch.save(model.state_dict(), FILE)",
                MOST >> 20
            ));
        }
        Ok(())
    }

    pub(super) fn add(&mut self, node: Node) -> Result<Value, Fault> {
        let pair = size_of::<(Value, Value)>();
        let inside = match &node {
            Node::Text(text) => text.len(),
            Node::Tuple(items) => items.len() * size_of::<Value>(),
            Node::List(items) => items.len() * size_of::<Value>(),
            Node::Dict(items) => items.len() * pair,
            Node::Global(module, name) => module.len() + name.len(),
            Node::Call(call) => size_of::<Call>() + call.dict.len() * pair,
            Node::Bytes(..) | Node::Persistent(_) | Node::Opaque => 0,
        };
        self.charge(size_of::<Node>() + inside)?;
        self.nodes.push(node);
        Ok(Value::Node(self.nodes.len() - 1))
    }

    /// How much memory was counted.
    pub(super) fn charged(&self) -> usize {
        self.charged
    }

    /// The node of a value; none of a scalar.
    pub(super) fn node(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(at) => self.nodes.get(at),
            _ => None,
        }
    }

    pub(super) fn node_mut(&mut self, value: Value) -> Option<&mut Node> {
        match value {
            Value::Node(at) => self.nodes.get_mut(at),
            _ => None,
        }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn text(&self, value: Value) -> Option<&str> {
        match self.node(value)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a tuple or a list.
    pub(super) fn items(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(items) => Some(items),
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// Module and name of a global.
    pub(super) fn global(&self, value: Value) -> Option<(&str, &str)> {
        match self.node(value)? {
            Node::Global(module, name) => Some((module, name)),
            _ => None,
        }
    }

    pub(super) fn call(&self, value: Value) -> Option<&Call> {
        match self.node(value)? {
            Node::Call(call) => Some(call),
            _ => None,
        }
    }

    /// Module and name of the class or function that a call names.
    pub(super) fn callable(&self, value: Value) -> Option<(&str, &str)> {
        self.global(self.call(value)?.callable)
    }

    /// The state that an object was given: a dict, or the first half of a pair of dict and slots.
    pub(super) fn state(&self, value: Value) -> Option<&[(Value, Value)]> {
        let state = self.call(value)?.state?;
        match self.node(state)? {
            Node::Dict(items) => Some(items),
            Node::Tuple(pair) => match self.node(*pair.first()?)? {
                Node::Dict(items) => Some(items),
                _ => None,
            },
            _ => None,
        }
    }

    /// The entries of a dict or of an object that is one: an `OrderedDict`, a `Counter`, a config of any package.
    pub(super) fn entries(&self, value: Value) -> Option<Vec<(Value, Value)>> {
        match self.node(value)? {
            Node::Dict(items) => Some(items.clone()),
            Node::Call(call) if !call.dict.is_empty() => Some(call.dict.clone()),
            Node::Call(call) => {
                let (_, name) = self.global(call.callable)?;
                if !name.ends_with("Dict") && !name.ends_with("dict") && name != "Counter" {
                    return None;
                }
                // Python 2 wrote OrderedDict([[key, value], …]).
                let Some(pairs) = self.items(call.arguments).and_then(|items| self.items(*items.last()?)) else {
                    return Some(Vec::new());
                };
                pairs.iter().map(|pair| <[Value; 2]>::try_from(self.items(*pair)?).ok().map(|[k, v]| (k, v))).collect()
            }
            _ => None,
        }
    }

    /// The value under a text key of a dict-like value, or of an object's state.
    pub(super) fn get(&self, value: Value, key: &str) -> Option<Value> {
        let of =
            |items: &[(Value, Value)]| items.iter().rfind(|(name, _)| self.text(*name) == Some(key)).map(|(_, v)| *v);
        match self.node(value)? {
            Node::Dict(items) => of(items),
            Node::Call(call) => of(&call.dict).or_else(|| of(self.state(value)?)),
            _ => None,
        }
    }
}
