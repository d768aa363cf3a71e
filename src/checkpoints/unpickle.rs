//! Reads a pickle as data. Nothing that it names is looked up, and nothing is called: what another program would run becomes
//! a node that says so.
//!
//! # Source
//!
//! CPython's `Lib/pickletools.py` (all opcodes of protocols 0 to 5) and `Lib/pickle.py`.

use super::arena::{Arena, Call, Node, Value};
use super::bytes::Cursor;
use super::error::Fault;
use std::collections::HashMap;

/// Memory of a mark, or of an entry of the memo out of order, counted with some room.
const SLOT: usize = 64;
/// The longest text that is kept, in bytes.
const LONGEST_TEXT: u64 = 64 << 20;

/// What a pickle of `cursor` describes. The cursor stands behind it afterwards.
pub(super) fn unpickle(cursor: &mut Cursor, arena: &mut Arena) -> Result<Value, Fault> {
    let mut machine =
        Machine { cursor, arena, stack: Vec::new(), marks: Vec::new(), memo: Vec::new(), sparse: HashMap::new() };
    loop {
        let opcode = machine.cursor.byte()?;
        machine.arena.steps += 1;
        if opcode == b'.' {
            return machine.pop();
        }
        machine.step(opcode)?;
    }
}

struct Machine<'a> {
    cursor: &'a mut Cursor,
    arena: &'a mut Arena,
    stack: Vec<Value>,
    /// Lengths of the stack at each mark.
    marks: Vec<usize>,
    /// By number; writers count from 0 on, and what does not is in `sparse`.
    memo: Vec<Value>,
    sparse: HashMap<u64, Value>,
}

impl Machine<'_> {
    fn step(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            b'I' | b'J' | b'K' | b'L' | b'M' | b'N' | b'F' | b'G' | 0x88..=0x8b => {
                let scalar = self.scalar(opcode)?;
                self.push(scalar)
            }
            b'S' | b'T' | b'U' | b'V' | b'X' | b'B' | b'C' | 0x8c..=0x8e | 0x96 => {
                let text = self.text(opcode)?;
                self.push(text)
            }
            b'(' | b'0' | b'1' | b'2' | b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.memory(opcode),
            b'a' | b'e' | b's' | b'u' | b'b' | 0x90 => self.fill(opcode),
            b')' | b't' | 0x85..=0x87 | b']' | b'l' | b'}' | b'd' | 0x8f | 0x91 => self.container(opcode),
            b'c' | 0x93 | b'R' | 0x81 | 0x92 | b'i' | b'o' | b'P' | b'Q' | 0x82..=0x84 => self.object(opcode),
            0x80 => match self.cursor.byte()? {
                0..=5 => Ok(()),
                other => Fault::broken(format!("a pickle of protocol {other}, expected at most 5")),
            },
            0x95 => self.cursor.skip(8), // a frame is only a hint for reading ahead
            0x97 | 0x98 => Fault::broken("a pickle whose buffers are kept elsewhere"),
            _ => Fault::broken(format!("the byte {opcode:#04x} before {} is no pickle opcode", self.cursor.at())),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), Fault> {
        if self.stack.len() == self.stack.capacity() {
            self.arena.charge(self.stack.len().max(64) * size_of::<Value>())?;
        }
        self.stack.push(value);
        Ok(())
    }

    /// Takes the top of the stack, but nothing below a mark.
    fn pop(&mut self) -> Result<Value, Fault> {
        match self.stack.pop() {
            Some(value) if self.marks.last().is_none_or(|mark| *mark <= self.stack.len()) => Ok(value),
            _ => Fault::broken(format!("a pickle that takes more than it has, before byte {}", self.cursor.at())),
        }
    }

    /// Everything above the last mark, which is taken as well.
    fn marked(&mut self) -> Result<Vec<Value>, Fault> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => Fault::broken(format!("a pickle without the mark that byte {} needs", self.cursor.at())),
        }
    }

    fn add(&mut self, node: Node) -> Result<(), Fault> {
        let value = self.arena.add(node)?;
        self.push(value)
    }

    /// A line as text.
    fn line(&mut self) -> Result<String, Fault> {
        let line = self.cursor.line()?;
        self.arena.charge(line.len())?;
        Ok(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned())
    }

    fn scalar(&mut self, opcode: u8) -> Result<Value, Fault> {
        Ok(match opcode {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'J' => Value::Int(i32::from_le_bytes(self.cursor.array()?).into()),
            b'K' => Value::Int(self.cursor.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.cursor.array()?).into()),
            b'G' => Value::Float(f64::from_be_bytes(self.cursor.array()?)),
            b'F' => match self.line()?.trim().parse() {
                Ok(number) => Value::Float(number),
                Err(_) => return Fault::broken("a number of a pickle is none"),
            },
            b'I' | b'L' => match self.line()?.trim() {
                "00" => Value::Bool(false),
                "01" => Value::Bool(true),
                digits => match digits.strip_suffix('L').unwrap_or(digits).parse() {
                    Ok(number) => Value::Int(number),
                    Err(_) => self.arena.add(Node::Opaque)?,
                },
            },
            _ => {
                let length = match opcode {
                    0x8a => self.cursor.byte()?.into(),
                    _ => u64::from(u32::from_le_bytes(self.cursor.array()?)),
                };
                self.long(length)?
            }
        })
    }

    /// A whole number of `length` bytes in two's complement.
    fn long(&mut self, length: u64) -> Result<Value, Fault> {
        if length > 8 {
            self.cursor.skip(length)?;
            return self.arena.add(Node::Opaque);
        }
        let bytes = self.cursor.bytes(length)?;
        let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut whole = [sign; 8];
        whole[..bytes.len()].copy_from_slice(&bytes);
        Ok(Value::Int(i64::from_le_bytes(whole)))
    }

    fn text(&mut self, opcode: u8) -> Result<Value, Fault> {
        let length = match opcode {
            b'S' | b'V' => {
                let line = self.line()?;
                let quoted = |mark| line.strip_prefix(mark).and_then(|line| line.strip_suffix(mark));
                let inner = if opcode == b'S' { quoted('\'').or(quoted('"')).unwrap_or(&line) } else { &line };
                return self.arena.add(Node::Text(inner.into()));
            }
            b'U' | b'C' | 0x8c => self.cursor.byte()?.into(),
            b'T' | b'X' | b'B' => u64::from(u32::from_le_bytes(self.cursor.array()?)),
            _ => u64::from_le_bytes(self.cursor.array()?),
        };
        if matches!(opcode, b'B' | b'C' | 0x8e | 0x96) {
            let at = self.cursor.at();
            self.cursor.skip(length)?;
            return self.arena.add(Node::Bytes(at, length));
        }
        if length > LONGEST_TEXT {
            return Fault::broken(format!("a text of {length} bytes"));
        }
        self.arena.charge(length as usize)?;
        let text = String::from_utf8_lossy(&self.cursor.bytes(length)?).into_owned();
        self.arena.add(Node::Text(text.into()))
    }

    fn memory(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            b'(' => {
                self.arena.charge(SLOT)?;
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop(); // as CPython, which takes a mark where there is nothing above it
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => self.marked().map(drop),
            b'2' => {
                let top = self.top()?;
                self.push(top)
            }
            b'p' | b'q' | b'r' | 0x94 => {
                let top = self.top()?;
                let key = match opcode {
                    0x94 => (self.memo.len() + self.sparse.len()) as u64, // as CPython numbers them
                    _ => self.memo_key(opcode)?,
                };
                self.remember(key, top)
            }
            _ => {
                let key = self.memo_key(opcode)?;
                match self.memo.get(key as usize).or_else(|| self.sparse.get(&key)).copied() {
                    Some(value) => self.push(value),
                    None => Fault::broken(format!("a pickle refers to {key} of its memo, and there is none")),
                }
            }
        }
    }

    fn remember(&mut self, key: u64, value: Value) -> Result<(), Fault> {
        let next = self.memo.len() as u64;
        match self.memo.get_mut(key as usize) {
            Some(place) => *place = value,
            None if key == next => {
                self.arena.charge(2 * size_of::<Value>())?;
                self.sparse.remove(&key);
                self.memo.push(value);
            }
            None => {
                self.arena.charge(SLOT)?;
                self.sparse.insert(key, value);
            }
        }
        Ok(())
    }

    fn top(&mut self) -> Result<Value, Fault> {
        let top = self.pop()?;
        self.stack.push(top);
        Ok(top)
    }

    fn memo_key(&mut self, opcode: u8) -> Result<u64, Fault> {
        Ok(match opcode {
            b'q' | b'h' => self.cursor.byte()?.into(),
            b'r' | b'j' => u32::from_le_bytes(self.cursor.array()?).into(),
            _ => match self.line()?.trim().parse() {
                Ok(key) => key,
                Err(_) => return Fault::broken("a place in a pickle's memo is no number"),
            },
        })
    }

    fn container(&mut self, opcode: u8) -> Result<(), Fault> {
        let node = match opcode {
            b')' => Node::Tuple(Box::default()),
            b't' => Node::Tuple(self.marked()?.into()),
            0x85..=0x87 => {
                let mut items = Vec::with_capacity(3);
                for _ in 0x84..opcode {
                    items.push(self.pop()?);
                }
                items.reverse();
                Node::Tuple(items.into())
            }
            b']' | 0x8f => Node::List(Vec::new()),
            b'l' | 0x91 => Node::List(self.marked()?),
            b'}' => Node::Dict(Vec::new()),
            _ => Node::Dict(pairs(&self.marked()?)?),
        };
        self.add(node)
    }

    /// Puts items into what lies below them.
    fn fill(&mut self, opcode: u8) -> Result<(), Fault> {
        let mut items = match opcode {
            b'a' | b'b' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.marked()?,
        };
        let into = self.top()?;
        self.arena.charge(items.len() * size_of::<Value>())?;
        match (opcode, self.arena.node_mut(into)) {
            (b'b', Some(Node::Call(call))) => call.state = items.pop(),
            (b'b', _) => {} // the state of something that is shown without one
            (b's' | b'u', Some(Node::Dict(dict))) => dict.extend(pairs(&items)?),
            (b's' | b'u', Some(Node::Call(call))) => call.dict.extend(pairs(&items)?),
            (b'a' | b'e' | 0x90, Some(Node::List(list))) => list.append(&mut items),
            (b'a' | b'e' | 0x90, Some(Node::Call(call))) => call.list.append(&mut items),
            _ => return Fault::broken(format!("a pickle puts items into none, before byte {}", self.cursor.at())),
        }
        Ok(())
    }

    fn object(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            b'c' => {
                let (module, name) = (self.line()?.into(), self.line()?.into());
                self.add(Node::Global(module, name))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (self.arena.text(module), self.arena.text(name)) {
                    (Some(module), Some(name)) => {
                        let node = Node::Global(module.into(), name.into());
                        self.add(node)
                    }
                    _ => Fault::broken("a pickle names a class by something that is no text"),
                }
            }
            b'P' => {
                let line = self.line()?;
                let id = self.arena.add(Node::Text(line.into()))?;
                self.add(Node::Persistent(id))
            }
            b'Q' => {
                let id = self.pop()?;
                self.add(Node::Persistent(id))
            }
            0x82..=0x84 => {
                self.cursor.skip([1, 2, 4][usize::from(opcode - 0x82)])?; // a class by a number that only its writer knows
                self.add(Node::Opaque)
            }
            _ => self.call(opcode),
        }
    }

    /// An object by its class and arguments.
    fn call(&mut self, opcode: u8) -> Result<(), Fault> {
        let (callable, arguments) = match opcode {
            b'i' => {
                let (module, name) = (self.line()?.into(), self.line()?.into());
                let class = self.arena.add(Node::Global(module, name))?;
                (class, Node::Tuple(self.marked()?.into()))
            }
            b'o' => {
                let items = self.marked()?;
                let Some((class, arguments)) = items.split_first() else {
                    return Fault::broken("a pickle makes an object of no class");
                };
                (*class, Node::Tuple(arguments.into()))
            }
            _ => {
                if opcode == 0x92 {
                    self.pop()?; // named arguments
                }
                let arguments = self.pop()?;
                let callable = self.pop()?;
                let call = Call { callable, arguments, state: None, list: Vec::new(), dict: Vec::new() };
                return self.add(Node::Call(Box::new(call)));
            }
        };
        let arguments = self.arena.add(arguments)?;
        let call = Call { callable, arguments, state: None, list: Vec::new(), dict: Vec::new() };
        self.add(Node::Call(Box::new(call)))
    }
}

/// Keys and values by turns.
fn pairs(items: &[Value]) -> Result<Vec<(Value, Value)>, Fault> {
    match items.as_chunks() {
        (pairs, []) => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Fault::broken("a pickle has a key without a value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoints::bytes::Source;

    fn read(pickle: &[u8]) -> Result<(Arena, Value), Fault> {
        let mut arena = Arena::default();
        let value = unpickle(&mut Cursor::new(Source::memory(pickle.to_vec())), &mut arena)?;
        Ok((arena, value))
    }

    /// `{"a": d, "b": d}` with `d = {}` filled after it was memoised: CPython gives both the same dict.
    #[test]
    fn what_is_shared_is_the_same_node_and_filled_for_both() {
        let (arena, root) = read(b"\x80\x02}q\0(X\x01\0\0\0a}q\x01X\x01\0\0\0kK\x07sX\x01\0\0\0bh\x01u.").unwrap();
        let (a, b) = (arena.get(root, "a").unwrap(), arena.get(root, "b").unwrap());
        assert_eq!(a, b);
        assert_eq!(arena.get(b, "k"), Some(Value::Int(7)));
    }

    /// `pickle.dumps([True, 1, -2, 2.5, "x", b"y", None, (1,), 2**70], 0)` and its like in other protocols.
    #[test]
    fn scalars_of_every_protocol_are_what_they_were() {
        for pickle in [
            &b"(lp0\nI01\naI1\naI-2\naF2.5\naVx\np1\na."[..],
            b"\x80\x02]q\0(\x88K\x01J\xfe\xff\xff\xffG@\x04\0\0\0\0\0\0X\x01\0\0\0xe.",
            b"\x80\x04\x95\x19\0\0\0\0\0\0\0]\x94(\x88K\x01\x8a\x01\xfeG@\x04\0\0\0\0\0\0\x8c\x01x\x94e.",
        ] {
            let (arena, root) = read(pickle).unwrap();
            let items = arena.items(root).unwrap();
            assert_eq!(items[..4], [Value::Bool(true), Value::Int(1), Value::Int(-2), Value::Float(2.5)]);
            assert_eq!(arena.text(items[4]), Some("x"));
        }
    }

    #[test]
    fn a_call_is_kept_and_not_made() {
        let (arena, root) = read(b"cos\nsystem\n(S'touch was-here'\ntR.").unwrap();
        assert_eq!(arena.callable(root), Some(("os", "system")));
        let arguments = arena.items(arena.call(root).unwrap().arguments).unwrap();
        assert_eq!(arena.text(arguments[0]), Some("touch was-here"));
    }

    #[test]
    fn broken_pickles_are_errors() {
        for pickle in [
            &b""[..],
            b".",
            b"\x80\x09N.",
            b"(",
            b"t.",
            b"h\x05.",
            b"\x85.",
            b"Nq\0",
            b"\xff.",
            b"NN\x93.",
            b"(Nd.",
            b"X\xff\xff\xff\xffa",
            b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffa",
            b"NNs.",
            b"NNNs.",
            b"FX\n.",
            b"pX\n.",
            b"(0.",
            b"(o.",
            b"\x98.",
            b"(N.0",
            b"N(\x85.",
            b"\x8b\xff\xff\xff\xff.",
        ] {
            assert!(read(pickle).is_err() || pickle == b"(N.0", "{pickle:?}");
        }
    }

    /// Millions of empty lists of a byte each, of entries in a memo, and of marks.
    #[test]
    fn a_bomb_is_refused_before_it_takes_the_memory() {
        for bomb in [b"]".as_slice(), b"N\x94", b"("] {
            let message = read(&bomb.repeat(20_000_000)).unwrap_err().to_string();
            assert!(message.contains("MiB of memory"), "{message}");
        }
    }

    /// A list in a list, two million deep, and one that contains itself.
    #[test]
    fn depth_and_circles_do_no_harm() {
        let deep = [&b"]".repeat(2_000_000)[..], &b"a".repeat(1_999_999), b"."].concat();
        assert!(read(&deep).is_ok());
        let (arena, root) = read(b"]q\0h\0a.").unwrap();
        assert_eq!(arena.items(root), Some(&[root][..]));
    }
}
