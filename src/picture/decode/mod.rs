//! Decoding a file's bytes to pixels, strictly and within limits.
//!
//! Sizes are checked against [`Limits`] before a decoder asks for memory; a JPEG's data is checked to be whole, which its
//! decoder does not; and where a decoder panics the picture counts as damaged. Every error is a sentence that says
//! what is wrong with the file.

mod formats;
mod gif;
mod huffman;
mod jpeg;
mod limits;
mod scan;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use formats::{FORMATS, Format};
pub use limits::Limits;

pub(crate) use formats::is_ending;
pub(crate) use limits::ReadOptions;

use super::pixels::Picture;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation};
use std::borrow::Cow;
use std::cell::Cell;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Columns and rows of a picture, from its header.
pub(crate) fn dimensions(bytes: &[u8], limits: &Limits) -> Result<[u64; 2], String> {
    let format = formats::recognise(bytes)?;
    guarded(|| match format.image {
        ImageFormat::Gif => gif::dimensions(bytes),
        ImageFormat::Jpeg => jpeg::header(bytes).map(|header| header.size()),
        _ => Ok(<[u32; 2]>::from(opened(bytes, format, limits)?.dimensions()).map(u64::from)),
    })
    .and_then(|size| limits.check(size, 0).map(|()| size))
}

/// The picture, turned as its EXIF orientation says. Grey becomes three equal channels, 16 bits become 8, CMYK becomes RGB,
/// and an alpha channel is dropped, as `PIL.Image.convert("RGB")` does. Of a file that `is_whole`, which was found before, a
/// JPEG's data is not checked again: that takes half as long as decoding it.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn decode(bytes: &[u8], options: &ReadOptions, is_whole: bool) -> Result<Picture, String> {
    let format = formats::recognise(bytes)?;
    guarded(|| match format.image {
        ImageFormat::Gif => gif::decode(bytes, &options.limits, options.lenient),
        _ => with_image_crate(bytes, format, options, is_whole),
    })
}

/// What strict reading finds wrong with a picture that lenient reading accepts; `None` where nothing.
pub(crate) fn complaint(bytes: &[u8]) -> Option<String> {
    let format = formats::recognise(bytes).ok()?;
    if format.image == ImageFormat::Jpeg { guarded(|| jpeg::verify(bytes)).err() } else { None }
}

fn opened<'a>(bytes: &'a [u8], format: &Format, limits: &Limits) -> Result<impl ImageDecoder + 'a, String> {
    if format.image == ImageFormat::WebP {
        whole_chunks(bytes)?;
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.image);
    reader.limits(limits.of_image_crate());
    reader.into_decoder().map_err(|error| said(error, format, bytes))
}

fn with_image_crate(bytes: &[u8], format: &Format, options: &ReadOptions, is_whole: bool) -> Result<Picture, String> {
    let limits = &options.limits;
    let mut bytes = Cow::Borrowed(bytes);
    if format.image == ImageFormat::Jpeg {
        let header = jpeg::header(&bytes)?;
        limits.check(header.size(), header.decoder_bytes())?;
        // Without an end marker its decoder takes complete data for data that ends early.
        let is_known = options.lenient || is_whole && bytes.ends_with(&[0xFF, 0xD9]);
        if !is_known && !jpeg::verify(&bytes)? {
            bytes.to_mut().extend([0xFF, 0xD9]);
        }
    }
    let bytes = bytes.as_ref();
    let mut decoder = opened(bytes, format, limits)?;
    let (width, height) = decoder.dimensions();
    limits.check([width, height].map(u64::from), decoder.total_bytes())?;
    if width == 0 || height == 0 {
        return Err("the image has no pixels".to_string());
    }
    if matches!(decoder.color_type(), ColorType::Rgb32F | ColorType::Rgba32F) {
        return Err(format!("a {} of floating-point samples is not read; convert it to 8 or 16 bits", format.name));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms); // a damaged note, not a damaged picture
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| said(error, format, bytes))?;
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    Ok(Picture::new(rgb.width() as usize, rgb.height() as usize, rgb.into_raw()))
}

/// A decoder's error in words for a person.
fn said(error: ImageError, format: &Format, bytes: &[u8]) -> String {
    let name = format.name;
    match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("truncated: the {name} ends before its data does")
        }
        ImageError::Unsupported(error) => {
            let kind = if format.image == ImageFormat::Tiff { tiff_kind(bytes) } else { None };
            match kind {
                Some(kind) => format!("a TIFF {kind} is not read; convert it to 8-bit RGB"),
                None => format!("a {name} of a kind that is not read: {error}"),
            }
        }
        ImageError::Limits(_) => {
            format!("decoding this {name} takes more memory than the limit (raise it with --max-decoder-mib)")
        }
        error => {
            let text = error.to_string();
            let lower = text.to_lowercase();
            let cut = ["unexpected end", "unexpected eof", "failed to fill", "truncated", "exhausted", "no more bytes"];
            match cut.iter().any(|word| lower.contains(word)) {
                true => format!("truncated: the {name} ends before its data does ({text})"),
                false => format!("damaged {name}: {text}"),
            }
        }
    }
}

/// What is unusual about a TIFF: its first directory's photometric interpretation (tag 262) and sample format (339).
fn tiff_kind(bytes: &[u8]) -> Option<&'static str> {
    let big = bytes.starts_with(b"MM");
    let number = |at: usize, length: usize| {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        let digits = bytes.iter().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
        Some(if big { digits } else { bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte)) })
    };
    let directory = number(4, 4)?;
    let tag = |wanted: usize| {
        let entries = (0..number(directory, 2)?).map(|entry| directory + 2 + 12 * entry);
        let entry = entries.into_iter().find(|&entry| number(entry, 2) == Some(wanted))?;
        // Up to two short values lie in the entry itself; more of them, all alike, at an offset.
        if number(entry + 4, 4)? > 2 { number(number(entry + 8, 4)?, 2) } else { number(entry + 8, 2) }
    };
    match (tag(339), tag(262)) {
        (Some(3), _) => Some("of floating-point samples"),
        (Some(2), _) => Some("of signed samples"),
        (_, Some(3)) => Some("with a palette"),
        (_, Some(6)) => Some("in YCbCr"),
        (_, Some(8..=10)) => Some("in CIE L*a*b*"),
        _ => None,
    }
}

/// Whether every chunk of a WebP lies within the file: the decoder asks for as much memory as a chunk claims.
fn whole_chunks(bytes: &[u8]) -> Result<(), String> {
    let mut at = 12;
    while let Some(header) = bytes.get(at..at + 8) {
        let size = header[4..].iter().rev().fold(0_usize, |size, &byte| size << 8 | usize::from(byte));
        if size > bytes.len() - at - 8 {
            return Err("truncated: the WebP ends before its data does".to_string());
        }
        at += 8 + size + size % 2;
    }
    Ok(())
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder and turns a panic, which a damaged file may cause, into an error. Nothing of the panic is printed.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                previous(panic);
            }
        }));
    });
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    result.unwrap_or_else(|_| Err("damaged: its decoder could make nothing of it".to_string()))
}
