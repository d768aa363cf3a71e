//! Protobuf messages, encoded by hand: the formats are small and frozen, so that no compiler is needed.

/// A protobuf message in the making: each field is a key, `number << 3 | wire type`, and its value.
#[derive(Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    /// Wire type 0: seven bits a byte, the lowest first, all but the last marked.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, number: u64, wire_type: u64) {
        self.varint(number << 3 | wire_type);
    }

    pub(super) fn integer(mut self, number: u64, value: u64) -> Self {
        self.key(number, 0);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, number: u64, value: f64) -> Self {
        self.key(number, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Bytes, a text or a message: their length first.
    pub(super) fn bytes(mut self, number: u64, value: &[u8]) -> Self {
        self.key(number, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(super) fn text(self, number: u64, value: &str) -> Self {
        self.bytes(number, value.as_bytes())
    }

    /// A field that holds another message.
    pub(super) fn message(self, number: u64, value: &Message) -> Self {
        self.bytes(number, &value.0)
    }

    pub(super) fn float(mut self, number: u64, value: f32) -> Self {
        self.key(number, 5);
        self.0.extend(value.to_le_bytes());
        self
    }
}
