//! Reading one scan of a JPEG without making pixels of it, to see whether every block is there.

use super::huffman::{Bits, Stop, Table};

/// A component of a JPEG: one of its one to four colour planes.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Its blocks in a minimum coded unit, across and down.
    pub(super) sampling: [usize; 2],
    /// Blocks that hold pixels, across and down.
    pub(super) blocks: [usize; 2],
    /// Blocks that are coded, whole units: across and down.
    pub(super) padded: [usize; 2],
    /// For each coefficient the lowest bit that is known; 255 where nothing is.
    pub(super) known_to: [u8; 64],
    /// Of a progressive picture, for each block, a bit for each coefficient that is not zero.
    pub(super) nonzero: Vec<u64>,
}

/// What a start-of-scan segment says.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// Indices of its components, with their tables for DC and AC.
    pub(super) parts: Vec<(usize, usize, usize)>,
    /// First and last coefficient.
    pub(super) band: [usize; 2],
    /// Whether it adds one bit to what is known.
    pub(super) refines: bool,
    /// The lowest bit that is known after it.
    pub(super) low_bit: u8,
    pub(super) progressive: bool,
}

/// Tables for DC and for AC.
pub(super) type Tables = [[Option<Table>; 4]; 2];

/// A scan that broke off, after so many of its units.
pub(super) struct Broken {
    pub(super) why: Stop,
    pub(super) done: usize,
    pub(super) all: usize,
}

/// Bytes that some cameras write too many before a marker.
const TOLERATED: usize = 8;

impl Scan {
    /// Reads all of it from `at`; returns where the marker after it is. `restart` is the restart interval, 0 for none;
    /// `units` those of the frame, across and down.
    pub(super) fn read(
        &self,
        (bytes, at): (&[u8], usize),
        tables: &Tables,
        components: &mut [Component],
        restart: usize,
        units: [usize; 2],
    ) -> Result<usize, Broken> {
        // A scan of one component is coded block by block and without the padding of units.
        let [across, down] = match self.parts.as_slice() {
            [(component, ..)] => components[*component].blocks,
            _ => units,
        };
        let all = across * down;
        let (mut bits, mut run, mut restarts) = (Bits::new(bytes, at), 0_u32, 0_u8);
        for unit in 0..all {
            let broken = |why| Broken { why, done: unit, all };
            if restart > 0 && unit > 0 && unit % restart == 0 {
                let (marker, left) = bits.finish();
                let after = expect_restart(bytes, marker, restarts).map_err(broken)?;
                if left > TOLERATED {
                    return Err(broken(Stop::Damaged));
                }
                (bits, run, restarts) = (Bits::new(bytes, after), 0, (restarts + 1) % 8);
            }
            self.unit(&mut bits, &mut run, tables, components, [unit % across, unit / across]).map_err(broken)?;
        }
        let (marker, left) = bits.finish();
        if left > TOLERATED { Err(Broken { why: Stop::Damaged, done: all, all }) } else { Ok(marker) }
    }

    /// The blocks of the unit at `[column, row]`.
    fn unit(
        &self,
        bits: &mut Bits,
        run: &mut u32,
        tables: &Tables,
        components: &mut [Component],
        [column, row]: [usize; 2],
    ) -> Result<(), Stop> {
        let alone = self.parts.len() == 1;
        for &(index, dc, ac) in &self.parts {
            let component = &mut components[index];
            let table = |kind: usize, number: usize| tables[kind][number].as_ref().ok_or(Stop::NoTable);
            let [wide, high] = if alone { [1, 1] } else { component.sampling };
            for block in 0..wide * high {
                if !self.progressive {
                    sequential(bits, table(0, dc)?, table(1, ac)?)?;
                    continue;
                }
                if self.band[0] == 0 {
                    match self.refines {
                        true => bits.number(1).map(drop)?,
                        false => skip_number(bits, table(0, dc)?)?,
                    }
                    continue;
                }
                let place = (row * high + block / wide) * component.padded[0] + column * wide + block % wide;
                let nonzero = component.nonzero.get_mut(place).ok_or(Stop::Damaged)?;
                match self.refines {
                    true => refine(bits, table(1, ac)?, self.band, run, nonzero)?,
                    false => first(bits, table(1, ac)?, self.band, run, nonzero)?,
                }
            }
        }
        Ok(())
    }
}

/// Where the data goes on after the restart marker with this number at `at`.
fn expect_restart(bytes: &[u8], at: usize, number: u8) -> Result<usize, Stop> {
    let code = bytes[at.min(bytes.len())..].iter().position(|&byte| byte != 0xFF).map(|fill| at + fill);
    match code.and_then(|code| Some((code, *bytes.get(code)?))) {
        Some((code, found)) if found == 0xD0 + number => Ok(code + 1),
        Some((_, 0xD0..=0xD7)) => Err(Stop::Damaged),
        _ => Err(Stop::Ended),
    }
}

/// Skips a code for the length of a number, and the number.
fn skip_number(bits: &mut Bits, table: &Table) -> Result<(), Stop> {
    match bits.symbol(table)? {
        length @ 0..=16 => bits.number(u32::from(length)).map(drop),
        _ => Err(Stop::Damaged),
    }
}

fn sequential(bits: &mut Bits, dc: &Table, ac: &Table) -> Result<(), Stop> {
    skip_number(bits, dc)?;
    let mut place = 1;
    while place < 64 {
        let symbol = bits.symbol(ac)?;
        let (zeros, length) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (zeros, length) {
            (15, 0) => place += 16,
            (_, 0) => break,
            _ => {
                place += zeros;
                if place > 63 {
                    return Err(Stop::Damaged);
                }
                bits.number(length)?;
                place += 1;
            }
        }
    }
    Ok(())
}

/// How many blocks an end-of-band code ends, this one among them.
fn end_of_band(bits: &mut Bits, power: usize) -> Result<u32, Stop> {
    Ok((1 << power) + bits.number(power as u32)?)
}

/// The first bits of a band of AC coefficients.
fn first(bits: &mut Bits, ac: &Table, [from, to]: [usize; 2], run: &mut u32, nonzero: &mut u64) -> Result<(), Stop> {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut place = from;
    while place <= to {
        let symbol = bits.symbol(ac)?;
        let (zeros, length) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (zeros, length) {
            (15, 0) => place += 16,
            (power, 0) => {
                *run = end_of_band(bits, power)? - 1;
                return Ok(());
            }
            _ => {
                place += zeros;
                if place > to {
                    return Err(Stop::Damaged);
                }
                bits.number(length)?;
                *nonzero |= 1 << place;
                place += 1;
            }
        }
    }
    Ok(())
}

/// One more bit of a band: of each coefficient that is known not to be zero, and new ones among the zeros.
fn refine(bits: &mut Bits, ac: &Table, [from, to]: [usize; 2], run: &mut u32, nonzero: &mut u64) -> Result<(), Stop> {
    let mut place = from;
    while *run == 0 && place <= to {
        let symbol = bits.symbol(ac)?;
        let (mut zeros, length) = (usize::from(symbol >> 4), symbol & 15);
        if length == 0 && zeros < 15 {
            *run = end_of_band(bits, zeros)?;
            break;
        }
        if length > 0 {
            bits.number(1)?; // its sign
        }
        while place <= to {
            if *nonzero >> place & 1 == 1 {
                bits.number(1)?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            place += 1;
        }
        if length > 0 {
            if place > to {
                return Err(Stop::Damaged);
            }
            *nonzero |= 1 << place;
        }
        place += 1;
    }
    if *run > 0 {
        *run -= 1;
        for place in place..=to {
            if *nonzero >> place & 1 == 1 {
                bits.number(1)?;
            }
        }
    }
    Ok(())
}
