//! The bits of a JPEG scan and the codes in them.

/// Why a scan cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A marker, or the end of the file, comes before the data is complete.
    Ended,
    /// Bits that are no code of the table, or a code for a coefficient beyond the last.
    Damaged,
    /// The file has no such table; frames of a motion JPEG have none.
    NoTable,
}

/// A table of Huffman codes.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// For each possible next 16 bits' first [`QUICK`]: length and symbol, or length 0 for a longer code.
    quick: Vec<(u8, u8)>,
    /// For each length: the first code beyond those of this length, on 16 bits.
    limits: [u32; 17],
    /// For each length: what to add to a code for its place among the symbols.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

const QUICK: u32 = 9;

impl Table {
    /// From the segment that defines it: how many codes there are of each length, and their symbols.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table =
            Self { quick: vec![(0, 0); 1 << QUICK], limits: [0; 17], offsets: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut place) = (0_u32, 0_usize);
        for length in 1..=16_usize {
            table.offsets[length] = place as i32 - code as i32;
            for _ in 0..counts[length - 1] {
                let symbol = *symbols.get(place)?;
                if code >> length != 0 {
                    return None; // more codes than so many bits can tell apart
                }
                if length <= QUICK as usize {
                    let free = QUICK - length as u32;
                    let first = (code << free) as usize;
                    table.quick[first..first + (1 << free)].fill((length as u8, symbol));
                }
                (code, place) = (code + 1, place + 1);
            }
            table.limits[length] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }
}

/// The bits between two markers, stuffed zeros left out.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, count: 0 }
    }

    /// Fills the buffer with as many bits as fit, but none from beyond a marker or the end.
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => {
                    self.at += 2;
                    0xFF
                }
                (Some(0xFF), _) | (None, _) => return,
                (Some(&byte), _) => {
                    self.at += 1;
                    byte
                }
            };
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next 16 bits, zeros beyond the end.
    fn peek(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        let bits = if self.count >= 16 { self.buffer >> (self.count - 16) } else { self.buffer << (16 - self.count) };
        (bits & 0xFFFF) as u32
    }

    fn skip(&mut self, bits: u32) -> Result<(), Stop> {
        if self.count < bits {
            self.fill();
        }
        self.count = self.count.checked_sub(bits).ok_or(Stop::Ended)?;
        Ok(())
    }

    /// A number of up to 16 bits.
    pub(super) fn number(&mut self, bits: u32) -> Result<u32, Stop> {
        let number = self.peek() >> (16 - bits.min(16));
        self.skip(bits)?;
        Ok(number)
    }

    pub(super) fn symbol(&mut self, table: &Table) -> Result<u8, Stop> {
        let bits = self.peek();
        let (length, symbol) = table.quick[(bits >> (16 - QUICK)) as usize];
        if length > 0 {
            self.skip(u32::from(length))?;
            return Ok(symbol);
        }
        let length = (QUICK as usize + 1..=16).find(|&length| bits < table.limits[length]);
        // Padded with zeros where it ends: then it is not the code that is wrong.
        let none = if self.count < 16 { Stop::Ended } else { Stop::Damaged };
        let length = length.ok_or(none)?;
        let place = (bits >> (16 - length)) as i32 + table.offsets[length];
        self.skip(length as u32)?;
        usize::try_from(place).ok().and_then(|place| table.symbols.get(place)).copied().ok_or(Stop::Damaged)
    }

    /// Leaves the rest of the bits up to the next marker: where that is, and how many bytes other than padding were left.
    pub(super) fn finish(mut self) -> (usize, usize) {
        self.fill();
        self.count -= self.count % 8;
        let mut left = 0;
        while self.count > 0 {
            self.count -= 8;
            let byte = (self.buffer >> self.count) as u8;
            left += usize::from(byte != 0 && byte != 0xFF);
            if self.count == 0 {
                self.fill();
            }
        }
        (self.at, left)
    }
}
