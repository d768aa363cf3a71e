//! JPEGs made block by block, for tests: flat blocks, with or without two more coefficients.

/// A JPEG of flat 8×8 blocks.
pub(super) struct Sketch {
    /// Blocks across and down.
    pub(super) blocks: [usize; 2],
    /// Values of each component's blocks, row by row.
    pub(super) planes: Vec<Vec<u8>>,
    /// Ids of the components.
    pub(super) ids: Vec<u8>,
    /// An Adobe segment with this colour transform.
    pub(super) adobe: Option<u8>,
    pub(super) jfif: bool,
    /// An EXIF segment with this orientation.
    pub(super) orientation: Option<u8>,
    /// Units between restart markers; 0: none.
    pub(super) restart: usize,
    /// Whether blocks have two AC coefficients, 3 at place 1 and 1 at place 5.
    pub(super) textured: bool,
}

impl Sketch {
    pub(super) fn new(blocks: [usize; 2], planes: Vec<Vec<u8>>) -> Self {
        let ids = (1..=planes.len() as u8).collect();
        let (adobe, orientation) = (None, None);
        Self { blocks, planes, ids, adobe, jfif: false, orientation, restart: 0, textured: false }
    }

    /// A grey one of 3×3 blocks.
    pub(super) fn grey() -> Self {
        Self::new([3, 3], vec![vec![10, 200, 30, 90, 128, 255, 0, 60, 170]])
    }

    fn head(&self, frame: u8) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        if self.jfif {
            segment(&mut bytes, 0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        }
        if let Some(transform) = self.adobe {
            segment(&mut bytes, 0xEE, &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat());
        }
        if let Some(orientation) = self.orientation {
            // A little-endian TIFF with one directory of one entry: tag 0x112, a short, one of them.
            let tiff = [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation], &[0; 7]].concat();
            segment(&mut bytes, 0xE1, &[b"Exif\0\0".as_slice(), &tiff].concat());
        }
        segment(&mut bytes, 0xDB, &[vec![0], vec![1; 64]].concat());
        let [width, height] = self.blocks.map(|blocks| (8 * blocks as u16).to_be_bytes());
        let mut size = [&[8], &height[..], &width, &[self.ids.len() as u8]].concat();
        self.ids.iter().for_each(|&id| size.extend([id, 0x11, 0]));
        segment(&mut bytes, frame, &size);
        // DC: lengths 0 to 11, four bits each. AC: end of band 00, 0/1 010, 3/1 011, 0/2 100.
        segment(&mut bytes, 0xC4, &[vec![0, 0, 0, 0, 12], vec![0; 12], (0..12).collect()].concat());
        segment(&mut bytes, 0xC4, &[vec![0x10, 0, 1, 3], vec![0; 13], vec![0x00, 0x01, 0x31, 0x02]].concat());
        if self.restart > 0 {
            segment(&mut bytes, 0xDD, &(self.restart as u16).to_be_bytes());
        }
        bytes
    }

    /// All in one scan.
    pub(super) fn sequential(&self) -> Vec<u8> {
        let mut bytes = self.head(0xC0);
        let parts: Vec<u8> = self.ids.iter().flat_map(|&id| [id, 0]).collect();
        scan(&mut bytes, &parts, [0, 63, 0]);
        let (mut bits, mut before) = (Bits::default(), vec![0; self.planes.len()]);
        for block in 0..self.blocks[0] * self.blocks[1] {
            if self.restart > 0 && block > 0 && block % self.restart == 0 {
                bits.flush(&mut bytes);
                bytes.extend([0xFF, 0xD0 + ((block / self.restart - 1) % 8) as u8]);
                before.fill(0);
            }
            for (plane, before) in self.planes.iter().zip(&mut before) {
                bits.dc(8 * (i32::from(plane[block]) - 128), before);
                if self.textured {
                    bits.put(0b100, 3); // no zeros, two bits
                    bits.put(3, 2);
                    bits.put(0b011, 3); // three zeros, one bit
                    bits.put(1, 1);
                }
                bits.put(0b00, 2); // the rest is zero
            }
        }
        bits.flush(&mut bytes);
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    /// The same coefficients in four scans, grey alone: all but their lowest bits, then those.
    pub(super) fn progressive(&self) -> Vec<u8> {
        let mut bytes = self.head(0xC2);
        let levels: Vec<i32> = self.planes[0].iter().map(|&value| 8 * (i32::from(value) - 128)).collect();
        scan(&mut bytes, &[1, 0], [0, 0, 0x01]);
        let (mut bits, mut before) = (Bits::default(), 0);
        levels.iter().for_each(|level| bits.dc(level >> 1, &mut before));
        bits.flush(&mut bytes);
        scan(&mut bytes, &[1, 0], [1, 63, 0x01]);
        for _ in &levels {
            bits.put(0b010, 3); // at place 1: one bit, 3 >> 1
            bits.put(1, 1);
            bits.put(0b00, 2);
        }
        bits.flush(&mut bytes);
        scan(&mut bytes, &[1, 0], [0, 0, 0x10]);
        levels.iter().for_each(|level| bits.put((level & 1) as u32, 1));
        bits.flush(&mut bytes);
        scan(&mut bytes, &[1, 0], [1, 63, 0x10]);
        for _ in &levels {
            bits.put(0b011, 3); // three zeros, then a new one
            bits.put(1, 1); // above zero
            bits.put(1, 1); // the low bit of the 3 that is passed
            bits.put(0b00, 2);
        }
        bits.flush(&mut bytes);
        bytes.extend([0xFF, 0xD9]);
        bytes
    }
}

fn segment(bytes: &mut Vec<u8>, marker: u8, body: &[u8]) {
    bytes.extend([0xFF, marker]);
    bytes.extend((body.len() as u16 + 2).to_be_bytes());
    bytes.extend(body);
}

fn scan(bytes: &mut Vec<u8>, parts: &[u8], band: [u8; 3]) {
    segment(bytes, 0xDA, &[&[parts.len() as u8 / 2], parts, &band].concat());
}

/// Bits on their way to bytes.
#[derive(Default)]
struct Bits {
    buffer: u64,
    count: u32,
    bytes: Vec<u8>,
}

impl Bits {
    fn put(&mut self, value: u32, bits: u32) {
        self.buffer = self.buffer << bits | u64::from(value);
        self.count += bits;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.buffer >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
    }

    /// The difference to the block before: its length on four bits, then itself, less one where it is negative.
    fn dc(&mut self, level: i32, before: &mut i32) {
        let difference = level - *before;
        *before = level;
        let length = 32 - difference.unsigned_abs().leading_zeros();
        self.put(length, 4);
        let value = if difference < 0 { difference - 1 } else { difference } as u32;
        self.put(value & ((1 << length) - 1), length);
    }

    fn flush(&mut self, bytes: &mut Vec<u8>) {
        if self.count > 0 {
            let fill = 8 - self.count;
            self.put((1 << fill) - 1, fill);
        }
        bytes.append(&mut self.bytes);
    }
}
