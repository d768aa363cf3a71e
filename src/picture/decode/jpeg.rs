//! Whether a JPEG's data is complete: where it ends early, the decoder fills the rest with grey without an error.
//!
//! All scans are read code by code, without making pixels of them.
//!
//! # Source
//!
//! ITU-T T.81, sections B (segments), F.2 (sequential) and G.2 (progressive). Takes data that is complete
//! but for the end-of-image marker, junk between segments, and anything after the end.

use super::huffman::{Stop, Table};
use super::scan::{Broken, Component, Scan, Tables};

/// What the segments before the first scan say.
#[derive(Debug)]
pub(super) struct Header {
    size: [usize; 2],
    decoder_bytes: u64,
}

impl Header {
    pub(super) fn size(&self) -> [u64; 2] {
        self.size.map(|side| side as u64)
    }

    /// What the decoder asks for: the pixels, and 16 bits a coefficient where the data comes in several scans.
    pub(super) fn decoder_bytes(&self) -> u64 {
        self.decoder_bytes
    }
}

/// Reads up to the first scan.
pub(super) fn header(bytes: &[u8]) -> Result<Header, String> {
    let mut reader = Reader::new(bytes);
    match reader.next()? {
        Some(Segment::Scan(scan)) => {
            let frame = reader.frame.as_ref().ok_or("damaged JPEG: its data comes before its size")?;
            let pixels: u64 = frame.size.iter().map(|&side| side as u64).product();
            let coefficients: u64 = frame.components.iter().map(|one| 64 * product(one.padded)).sum();
            let kept = frame.progressive || scan.parts.len() < frame.components.len();
            let decoder_bytes = pixels * 3 + if kept { 2 * coefficients } else { 0 };
            Ok(Header { size: frame.size, decoder_bytes })
        }
        Some(Segment::End) => Err("damaged JPEG: it ends before its data begins".to_string()),
        Some(Segment::Unsupported(kind)) => Err(format!("a JPEG of a kind that is not read: {kind}")),
        None => Err(TRUNCATED_HEADER.to_string()),
    }
}

const TRUNCATED_HEADER: &str = "truncated: the JPEG ends within its header";

fn product([one, two]: [usize; 2]) -> u64 {
    one as u64 * two as u64
}

/// The most scans, as many as the decoder accepts. Encoders write about ten, and each costs a pass over the picture.
const MOST_SCANS: usize = 100;

/// Reads all scans; returns whether there is an end marker.
///
/// # Errors
///
/// Where data is missing or damaged; the message says how much of it is there.
pub(super) fn verify(bytes: &[u8]) -> Result<bool, String> {
    let mut reader = Reader::new(bytes);
    let mut scans = 0;
    while let Some(segment) = reader.next()? {
        let Segment::Scan(scan) = segment else { break };
        scans += 1;
        if scans > MOST_SCANS {
            return Err(format!("damaged JPEG: it has more than {MOST_SCANS} scans"));
        }
        let (restart, at) = (reader.restart, reader.at);
        let frame = reader.frame.as_mut().ok_or("damaged JPEG: its data comes before its size")?;
        if frame.progressive {
            frame.components.iter_mut().for_each(|one| one.nonzero.resize(product(one.padded) as usize, 0));
        }
        match scan.read((bytes, at), &reader.tables, &mut frame.components, restart, frame.units) {
            Ok(after) => reader.at = after,
            Err(Broken { why: Stop::NoTable, .. }) if bytes.windows(2).skip(at).any(|two| two == [0xFF, 0xD9]) => {
                return Ok(true); // the usual tables: the decoder knows them, and we see at least where it ends
            }
            Err(broken) => return Err(said(&broken, frame.progressive.then_some(scans))),
        }
        for &(component, ..) in &scan.parts {
            frame.components[component].known_to[scan.band[0]..=scan.band[1]].fill(scan.low_bit);
        }
        if !frame.progressive && frame.is_complete() {
            return has_end(bytes, reader.at); // what else follows is no part of it
        }
    }
    let frame = reader.frame.as_ref().ok_or(TRUNCATED_HEADER)?;
    let something = frame.components.iter().all(|component| component.known_to[0] < u8::MAX);
    match (frame.is_complete(), reader.ended) {
        (true, true) => Ok(true),
        (true, false) => has_end(bytes, reader.at),
        (false, true) if frame.progressive && something => Ok(true), // an encoder may leave the last bits out
        (false, true) => Err("damaged JPEG: the data of a colour channel is missing".to_string()),
        (false, false) => Err(format!("truncated: the JPEG ends after scan {scans}, and more were to come")),
    }
}

/// Whether there is an end marker from a place on. Zeros are codes as well, so a file whose end was never written may seem
/// complete without one, and is refused.
fn has_end(bytes: &[u8], from: usize) -> Result<bool, String> {
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let ends = bytes.windows(2).skip(from).any(|two| two == [0xFF, 0xD9]);
    match zeros >= 32 && !ends {
        true => {
            Err(format!("truncated: the JPEG ends in {zeros} zeros, as a file does whose download or copy did not end"))
        }
        false => Ok(ends),
    }
}

fn said(broken: &Broken, scan: Option<usize>) -> String {
    let percent = 100 * broken.done / broken.all.max(1);
    let of = scan.map_or(String::new(), |scan| format!(" of scan {scan}"));
    match broken.why {
        Stop::Ended => format!("truncated: the JPEG's data ends after {percent} %{of}"),
        Stop::Damaged if broken.done == broken.all => {
            format!("damaged: the JPEG has more data{of} than there is room for in its size")
        }
        Stop::Damaged => format!("damaged: the JPEG's data makes no sense after {percent} %{of}"),
        Stop::NoTable => "truncated: the JPEG ends before its data does".to_string(),
    }
}

/// The frame: what the start-of-frame segment says.
#[derive(Debug)]
struct Frame {
    size: [usize; 2],
    progressive: bool,
    components: Vec<Component>,
    /// Minimum coded units across and down.
    units: [usize; 2],
}

impl Frame {
    fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.known_to.iter().all(|bit| *bit == 0))
    }

    fn read(data: &[u8], progressive: bool) -> Option<Self> {
        let (&[_, h1, h2, w1, w2, count], rest) = data.split_first_chunk::<6>()?;
        let size = [[w1, w2], [h1, h2]].map(|side| usize::from(u16::from_be_bytes(side)));
        let parts: Vec<&[u8; 3]> = rest.as_chunks::<3>().0.iter().take(usize::from(count)).collect();
        let sampling = |part: &[u8; 3]| [part[1] >> 4, part[1] & 15].map(usize::from);
        let legal = |part: &&[u8; 3]| sampling(part).iter().all(|factor| (1..=4).contains(factor));
        if parts.len() != usize::from(count) || !(1..=4).contains(&count) || !parts.iter().all(legal) {
            return None;
        }
        let greatest = [0, 1].map(|axis| parts.iter().map(|part| sampling(part)[axis]).max().unwrap_or(1));
        let units = [0, 1].map(|axis| size[axis].div_ceil(8 * greatest[axis]));
        let component = |part: &&[u8; 3]| Component {
            id: part[0],
            sampling: sampling(part),
            blocks: [0, 1].map(|axis| (size[axis] * sampling(part)[axis]).div_ceil(8 * greatest[axis])),
            padded: [0, 1].map(|axis| units[axis] * sampling(part)[axis]),
            known_to: [u8::MAX; 64],
            nonzero: Vec::new(),
        };
        Some(Self { size, progressive, components: parts.iter().map(component).collect(), units })
    }
}

/// What a segment asks of the caller.
enum Segment {
    Scan(Scan),
    End,
    /// A kind of coding that is not supported.
    Unsupported(&'static str),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    tables: Tables,
    restart: usize,
    /// Whether the end-of-image marker was met.
    ended: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 2, frame: None, tables: Default::default(), restart: 0, ended: false }
    }

    /// Takes segments in, up to the next scan or the end; none where the file ends without.
    fn next(&mut self) -> Result<Option<Segment>, String> {
        while let Some(marker) = self.marker() {
            match marker {
                0xD9 => {
                    self.ended = true;
                    return Ok(Some(Segment::End));
                }
                0x01 | 0xD0..=0xD8 => continue, // without a body
                0xC3 | 0xCB => return Ok(Some(Segment::Unsupported("lossless"))),
                0xC5..=0xC7 | 0xCD..=0xCF => return Ok(Some(Segment::Unsupported("hierarchical"))),
                0xC9 | 0xCA => return Ok(Some(Segment::Unsupported("arithmetic coding"))),
                _ => {}
            }
            let Some(body) = self.body()? else { return Ok(None) };
            match marker {
                0xC0..=0xC2 if body.first() != Some(&8) => return Ok(Some(Segment::Unsupported("12 bits a sample"))),
                0xC0..=0xC2 => {
                    let frame = Frame::read(body, marker == 0xC2).ok_or("damaged JPEG: its size makes no sense")?;
                    if frame.size.contains(&0) {
                        return Err("damaged JPEG: its size is 0".to_string());
                    }
                    self.frame = Some(frame);
                }
                0xC4 => self.define_tables(body).ok_or("damaged JPEG: a Huffman table makes no sense")?,
                0xDD => self.restart = body.iter().take(2).fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
                0xDA => return Ok(Some(Segment::Scan(self.scan(body).ok_or("damaged JPEG: a scan makes no sense")?))),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The next marker, whatever lies before it.
    fn marker(&mut self) -> Option<u8> {
        loop {
            let found = self.bytes.get(self.at..)?.iter().position(|&byte| byte == 0xFF)?;
            let fill = self.bytes[self.at + found..].iter().position(|&byte| byte != 0xFF)?;
            let at = self.at + found + fill;
            self.at = at + 1;
            if self.bytes[at] != 0 {
                return Some(self.bytes[at]);
            }
        }
    }

    /// The segment's bytes after its length; none where the file ends within.
    fn body(&mut self) -> Result<Option<&'a [u8]>, String> {
        let Some(&[high, low]) = self.bytes.get(self.at..self.at + 2) else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 2 {
            return Err("damaged JPEG: a segment is shorter than its own length".to_string());
        }
        let body = self.bytes.get(self.at + 2..self.at + length);
        self.at += length;
        Ok(body)
    }

    fn define_tables(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&place, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let all: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let table = Table::new(counts, rest.get(..all)?)?;
            *self.tables.get_mut(usize::from(place >> 4))?.get_mut(usize::from(place & 15))? = Some(table);
            body = &rest[all..];
        }
        Some(())
    }

    fn scan(&self, body: &[u8]) -> Option<Scan> {
        let frame = self.frame.as_ref()?;
        let (&count, rest) = body.split_first()?;
        let (parts, rest) = rest.split_at_checked(2 * usize::from(count))?;
        let part = |&[id, tables]: &[u8; 2]| {
            let component = frame.components.iter().position(|component| component.id == id)?;
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            (dc < 4 && ac < 4).then_some((component, dc, ac))
        };
        let parts: Vec<(usize, usize, usize)> = parts.as_chunks::<2>().0.iter().map(part).collect::<Option<_>>()?;
        let &[from, to, bits, ..] = rest else { return None };
        let progressive = frame.progressive;
        let band = if progressive { [from, to].map(usize::from) } else { [0, 63] };
        let legal = band[0] <= band[1] && band[1] < 64 && (band[0] > 0 || !progressive || band[1] == 0);
        let ac_alone = band[0] == 0 || parts.len() == 1;
        (!parts.is_empty() && legal && ac_alone).then_some(Scan {
            parts,
            band,
            refines: progressive && bits >> 4 > 0,
            low_bit: if progressive { bits & 15 } else { 0 },
            progressive,
        })
    }
}
