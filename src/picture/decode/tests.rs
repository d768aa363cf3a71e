//! Whole pictures are read, others are named; nothing panics.

use super::testing::Sketch;
use super::*;
use crc::{CRC_32_ISO_HDLC, Crc};
use image::{ImageBuffer, Luma, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const STRICT: ReadOptions =
    ReadOptions { limits: Limits { max_megapixels: 100, max_decoder_mib: 1024 }, lenient: false };
const LENIENT: ReadOptions = ReadOptions { lenient: true, ..STRICT };

fn read(bytes: &[u8]) -> Result<Picture, String> {
    decode(bytes, &STRICT, false)
}

/// A busy picture in a format.
fn written(format: ImageFormat) -> Vec<u8> {
    let shade = |x: u32, y: u32| image::Rgb([(x * 13 % 256) as u8, (y * 29 % 256) as u8, ((x * y) % 251) as u8]);
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_fn(40, 30, shade).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn pixel(picture: &Picture, column: usize, row: usize) -> [u8; 3] {
    [0, 1, 2].map(|channel| picture.at(row as isize, column as isize, channel))
}

/// Fails with every part.
fn refused(bytes: &[u8], parts: &[&str]) {
    let reason = read(bytes).unwrap_err();
    for part in parts {
        assert!(reason.contains(part), "'{part}' is missing from: {reason}");
    }
}

#[test]
fn every_format_that_is_promised_is_read_and_told_by_its_bytes() {
    for format in &FORMATS {
        let picture = read(&written(format.image)).unwrap();
        assert_eq!((picture.width(), picture.height()), (40, 30), "{}", format.name);
        assert_eq!(dimensions(&written(format.image), &STRICT.limits), Ok([40, 30]), "{}", format.name);
    }
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Pnm] {
        assert_eq!(pixel(&read(&written(format)).unwrap(), 7, 9), [91, 5, 63], "{format:?}");
    }
    let ascii = b"P3 # a comment\n2 1\n255\n1 2 3  40 50 60\n";
    assert_eq!(read(ascii).unwrap().pixels(), [1, 2, 3, 40, 50, 60]);
    assert_eq!(read(b"P4\n8 1\n\x0f").unwrap().pixels()[..3], [255; 3], "in a bitmap 0 is white");
    assert_eq!(read(b"P5 2 1 255\n\x07\x09").unwrap().pixels(), [7, 7, 7, 9, 9, 9]);
}

#[test]
fn a_file_that_ends_early_is_named_in_every_format() {
    for format in &FORMATS {
        let bytes = written(format.image);
        for length in [bytes.len() / 2, bytes.len() * 9 / 10] {
            refused(&bytes[..length], &["truncated", format.name]);
        }
    }
    assert!(decode(&written(ImageFormat::Jpeg)[..1000], &LENIENT, false).is_ok(), "as the first version took it");
}

/// Cut anywhere before its last byte of data a JPEG is refused; with all of it, and no end marker or anything after it, it
/// is read.
#[test]
fn a_jpeg_is_whole_or_refused_wherever_it_is_cut() {
    let restarted = Sketch { restart: 2, ..Sketch::grey() };
    let textured = Sketch { textured: true, ..Sketch::grey() };
    let colour = Sketch::new([2, 2], vec![vec![10, 60, 200, 255], vec![128; 4], vec![90, 128, 140, 128]]);
    let all = [
        Sketch::grey().sequential(),
        restarted.sequential(),
        textured.sequential(),
        textured.progressive(),
        colour.sequential(),
        written(ImageFormat::Jpeg),
    ];
    for bytes in all {
        let whole = read(&bytes).unwrap();
        let end = bytes.len() - 2;
        assert_eq!(read(&bytes[..end]).unwrap(), whole, "without the end marker");
        assert_eq!(read(&[&bytes[..], b"anything \xff\xd8 after it"].concat()).unwrap(), whole);
        for length in 2..end {
            assert!(read(&bytes[..length]).is_err(), "cut at {length} of {}", bytes.len());
            let closed = [&bytes[..length], &[0xFF, 0xD9]].concat();
            if bytes[..length].last() != Some(&0xFF) && !bytes.starts_with(&closed) {
                let progressive = bytes.windows(2).any(|two| two == [0xFF, 0xC2]);
                assert!(progressive || read(&closed).is_err(), "cut at {length} of {}, and closed", bytes.len());
            }
        }
    }
}

/// Whole as it is, without its end marker, and with something behind it: where no check is made, as where one is.
#[test]
fn a_jpeg_that_was_found_whole_has_the_same_pixels_without_the_check() {
    let restarted = Sketch { restart: 2, ..Sketch::grey() };
    for bytes in [written(ImageFormat::Jpeg), restarted.sequential(), Sketch::grey().progressive()] {
        let end = bytes.len() - 2;
        for bytes in [bytes.clone(), bytes[..end].to_vec(), [&bytes[..], b"more"].concat()] {
            assert_eq!(decode(&bytes, &STRICT, true).unwrap(), read(&bytes).unwrap());
        }
    }
    let bytes = written(ImageFormat::Jpeg);
    let cut = [&bytes[..bytes.len() * 9 / 10], &[0xFF, 0xD9]].concat();
    assert!(read(&cut).is_err() && decode(&cut, &STRICT, true).is_ok(), "the check is what refuses it");
}

/// Zeros are codes too: with them the data may even be complete.
#[test]
fn a_jpeg_whose_end_was_never_written_is_refused() {
    for bytes in [written(ImageFormat::Jpeg), Sketch::grey().sequential(), Sketch::grey().progressive()] {
        for length in [bytes.len() - 2, bytes.len() - 8, bytes.len() - 12] {
            refused(&[&bytes[..length], &[0; 500]].concat(), &["JPEG"]);
        }
    }
}

#[test]
fn a_progressive_jpeg_has_the_pixels_of_the_sequential_one() {
    let sketch = Sketch { textured: true, ..Sketch::grey() };
    assert_eq!(read(&sketch.progressive()).unwrap(), read(&sketch.sequential()).unwrap());
}

#[test]
fn damage_within_a_jpegs_data_is_named() {
    let sketch = Sketch { restart: 2, ..Sketch::grey() };
    let bytes = sketch.sequential();
    let restart = bytes.windows(2).position(|two| two == [0xFF, 0xD1]).unwrap();
    let mut missing = bytes.clone();
    missing.drain(restart..restart + 2);
    assert!(read(&missing).is_err());
    let mut wrong = bytes.clone();
    wrong[restart + 1] = 0xD5;
    refused(&wrong, &["damaged", "%"]);
    // All bits set are no code of the table of 12 codes of 4 bits.
    let start = bytes.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap() + 10;
    let mut nonsense = bytes.clone();
    nonsense.splice(start..start + 1, [0xFE, 0xFE]);
    refused(&nonsense, &["damaged", "after 0 %"]);
}

/// What Pillow's `convert("RGB")` gives, worked out from the values in the file.
#[test]
fn jpegs_have_their_colours_with_and_without_their_markers() {
    let flat = |values: &[u8]| Sketch::new([1, 1], values.iter().map(|&value| vec![value]).collect());
    let colour = |sketch: &Sketch| pixel(&read(&sketch.sequential()).unwrap(), 3, 3);
    assert_eq!(colour(&flat(&[77])), [77; 3]);
    assert_eq!(colour(&Sketch { jfif: true, ..flat(&[77]) }), [77; 3]);
    // YCbCr: R = Y + 1.402 (Cr − 128) = 100 + 56.08, G = 100 − 0.714 · 40 = 71.4, B = 100.
    for sketch in [flat(&[100, 128, 168]), Sketch { jfif: true, ..flat(&[100, 128, 168]) }] {
        let [red, green, blue] = colour(&sketch);
        assert!(red.abs_diff(156) <= 1 && green.abs_diff(71) <= 1 && blue.abs_diff(100) <= 1, "{red} {green} {blue}");
    }
    let by_marker = Sketch { adobe: Some(0), ..flat(&[100, 128, 168]) };
    let by_name = Sketch { ids: b"RGB".to_vec(), ..flat(&[100, 128, 168]) };
    assert_eq!(colour(&by_marker), [100, 128, 168]);
    assert_eq!(colour(&by_name), [100, 128, 168]);
    // CMYK is kept inverted: R = 200 · 128 / 255 = 100.4.
    for sketch in [Sketch { adobe: Some(0), ..flat(&[200, 100, 50, 128]) }, flat(&[200, 100, 50, 128])] {
        let found = colour(&sketch);
        assert!(found.iter().zip([100, 50, 25]).all(|(one, other)| one.abs_diff(other) <= 1), "{found:?}");
    }
    // YCCK: C = 255 − 200 = 55 for all three inks, K = 128: 55 · 128 / 255 = 27.6.
    let found = colour(&Sketch { adobe: Some(2), ..flat(&[200, 128, 128, 128]) });
    assert!(found.iter().all(|value| value.abs_diff(28) <= 1), "{found:?}");
}

/// The four corners a b / c d as each of the eight orientations shows them.
#[test]
fn exif_orientations_turn_and_mirror() {
    let [a, b, c, d] = [0, 85, 170, 255];
    let shown = [
        [a, b, c, d],
        [b, a, d, c],
        [d, c, b, a],
        [c, d, a, b],
        [a, c, b, d],
        [c, a, d, b],
        [d, b, c, a],
        [b, d, a, c],
    ];
    for (orientation, expected) in (1..).zip(shown) {
        let sketch = Sketch { orientation: Some(orientation), ..Sketch::new([2, 2], vec![vec![a, b, c, d]]) };
        let picture = read(&sketch.sequential()).unwrap();
        let corners = [(4, 4), (12, 4), (4, 12), (12, 12)].map(|(column, row)| pixel(&picture, column, row)[0]);
        assert_eq!(corners, expected, "orientation {orientation}");
    }
    let nonsense = Sketch { orientation: Some(200), ..Sketch::grey() };
    assert!(read(&nonsense.sequential()).is_ok());
}

#[test]
fn sixteen_bits_become_eight() {
    let deep = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(3, 1, |x, _| Luma([[0, 0x8080, 0xFFFF][x as usize]]));
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Pnm] {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageLuma16(deep.clone()).write_to(&mut bytes, format).unwrap();
        assert_eq!(read(&bytes.into_inner()).unwrap().pixels(), [0, 0, 0, 128, 128, 128, 255, 255, 255], "{format:?}");
    }
}

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let text = [kind.as_slice(), body].concat();
    let sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&text);
    [&(body.len() as u32).to_be_bytes()[..], &text, &sum.to_be_bytes()].concat()
}

#[test]
fn a_png_with_a_bad_checksum_beside_the_picture_is_read() {
    let bytes = written(ImageFormat::Png);
    let mut note = chunk(b"tEXt", b"Comment\0hello");
    *note.last_mut().unwrap() ^= 1;
    // After the signature of 8 bytes and a header chunk of 25.
    let noted = [&bytes[..33], &note, &bytes[33..]].concat();
    assert_eq!(read(&noted).unwrap(), read(&bytes).unwrap());
}

/// A GIF of one frame of one row, [1, 2], with the palette red, green, blue.
fn gif(canvas: [u16; 2], corner: [u16; 2], transparent: Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder =
        ::gif::Encoder::new(&mut bytes, canvas[0], canvas[1], &[255, 0, 0, 0, 255, 0, 0, 0, 255]).unwrap();
    let (left, top) = (corner[0], corner[1]);
    let frame = ::gif::Frame {
        width: 2,
        height: 1,
        left,
        top,
        transparent,
        buffer: vec![1, 2].into(),
        ..::gif::Frame::default()
    };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    bytes
}

/// As `PIL.Image.open(…).convert("RGB")` gives it, Pillow 13.
#[test]
fn around_a_gif_frame_is_its_transparent_colour_or_its_first() {
    let [red, green, blue] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
    let opaque = read(&gif([4, 2], [1, 1], None)).unwrap();
    assert_eq!(opaque.pixels().as_chunks::<3>().0, [red, red, red, red, red, green, blue, red]);
    let transparent = read(&gif([4, 2], [1, 1], Some(2))).unwrap();
    assert_eq!(transparent.pixels().as_chunks::<3>().0, [blue, blue, blue, blue, blue, green, blue, blue]);
    let beyond = read(&gif([1, 1], [1, 0], None)).unwrap();
    assert_eq!(beyond.pixels().as_chunks::<3>().0, [red, green, blue]);
    let first = decode(&gif([4, 2], [1, 1], None), &LENIENT, false).unwrap();
    let black = [0; 3];
    let expected = [black, black, black, black, black, green, blue, black];
    assert_eq!(first.pixels().as_chunks::<3>().0, expected, "as the first version filled it");
}

/// Each format's own way to claim a size; nothing of it is allocated.
#[test]
fn a_claimed_size_beyond_the_limit_is_refused_before_memory_is_asked_for() {
    let patched = |format, at: usize, new: &[u8]| {
        let mut bytes = written(format);
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    let huge = 60_000_u32;
    let header = [&huge.to_be_bytes()[..], &huge.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let png = written(ImageFormat::Png);
    let jpeg = written(ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    // 16383 × 16383. VP8L: 14 bits each of width − 1 and height − 1, after RIFF, size, WEBP, VP8L, size and the sign 0x2f.
    let all = [
        ("GIF", patched(ImageFormat::Gif, 6, &[0xFF; 4])),
        ("GIF frame", {
            let mut bytes = gif([4, 2], [0, 0], None);
            let frame = bytes.iter().rposition(|&byte| byte == 0x2C).unwrap();
            bytes[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
            bytes
        }),
        ("BMP", patched(ImageFormat::Bmp, 18, &[huge.to_le_bytes(), huge.to_le_bytes()].concat())),
        ("WebP", patched(ImageFormat::WebP, 21, &[0xFE, 0xBF, 0xFF, 0x0F])),
        ("PNG", [&png[..8], &chunk(b"IHDR", &header), &png[33..]].concat()),
        ("JPEG", patched(ImageFormat::Jpeg, frame + 5, &[0xEA, 0x60, 0xEA, 0x60])),
        ("TIFF", small_tiff(&[(256, 60_000), (257, 60_000), (278, 60_000)])),
        ("PNM", b"P6 60000 60000 255\n".to_vec()),
        ("PNM", b"P7\nWIDTH 60000\nHEIGHT 60000\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n".to_vec()),
    ];
    for (name, bytes) in all {
        let reason = read(&bytes).unwrap_err();
        assert!(reason.contains("megapixels") && reason.contains("--max-megapixels"), "{name}: {reason}");
    }
}

#[test]
fn limits_can_be_raised_and_lowered() {
    let bytes = Cursor::new(Vec::new());
    let mut bytes = bytes;
    RgbImage::new(1001, 1000).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let bytes = bytes.into_inner();
    let within = |limits| decode(&bytes, &ReadOptions { limits, lenient: false }, false);
    assert!(within(Limits::of_megapixels(1)).unwrap_err().contains("1001 × 1000 pixels are 2 megapixels"));
    assert!(within(Limits::of_megapixels(2)).is_ok());
    let small = Limits { max_megapixels: 2, max_decoder_mib: 1 };
    assert!(within(small).unwrap_err().contains("--max-decoder-mib"));
    assert_eq!(Limits::of_megapixels(1).max_decoder_mib, 1024);
    // 1 GiB for 100 megapixels: 10.24 MiB each.
    assert_eq!(Limits::of_megapixels(900).max_decoder_mib, 9216);
}

#[test]
fn what_is_no_picture_is_called_what_it_is() {
    for (bytes, part) in [
        (b"".as_slice(), "the file is empty"),
        (b"P5 is a fine processor", "it is a text file, which begins: P5 is a fine processor"),
        (b"404: Not Found\n", "it is a text file, which begins: 404: Not Found"),
        (b"\xef\xbb\xbf<!DOCTYPE html>\n<html></html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?><a/>", "an XML file"),
        (b"\0\0\0\x20ftypavif\0\0", "an AVIF image, which is not read; read are JPEG, PNG"),
        (b"\0\0\0\x18ftypheic\0\0", "a HEIC image"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0", "a JPEG 2000 image"),
        (b"\xff\x0a\0\0", "a JPEG XL image"),
        (b"8BPS\0\x01", "a Photoshop file"),
        (b"PK\x03\x04\x14\0", "a ZIP archive"),
        (b"\0\x05\x16\x07\0\x02", "AppleDouble"),
        (&[0; 64], "nothing but zeros"),
        (b"\x01\x02\x03\xfe", "01 02 03 fe"),
    ] {
        refused(bytes, &[part]);
    }
}

/// A TIFF directory of one row of two 8-bit samples, with these tags and short values changed.
fn small_tiff(changes: &[(u16, u16)]) -> Vec<u8> {
    let mut tags: Vec<(u16, u16)> =
        vec![(256, 2), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 2), (339, 1)];
    for &(tag, value) in changes {
        tags.iter_mut().filter(|(known, _)| *known == tag).for_each(|(_, old)| *old = value);
    }
    // The pixels lie at 8, the directory at 10.
    let mut bytes = b"II*\0\x0a\0\0\0\x05\x09".to_vec();
    bytes.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        bytes.extend([&tag.to_le_bytes()[..], &[3, 0, 1, 0, 0, 0], &value.to_le_bytes(), &[0, 0]].concat());
    }
    bytes.extend([0; 4]);
    bytes
}

#[test]
fn kinds_of_tiff_that_are_not_read_are_named() {
    assert_eq!(read(&small_tiff(&[])).unwrap().pixels(), [5, 5, 5, 9, 9, 9]);
    refused(&small_tiff(&[(262, 3)]), &["a TIFF with a palette is not read"]);
    refused(&small_tiff(&[(339, 3), (258, 32), (279, 8)]), &["floating-point", "not read"]);
}

#[test]
fn a_decoder_that_panics_is_an_error() {
    let result: Result<(), String> = guarded(|| panic!("of a decoder"));
    assert!(result.unwrap_err().contains("damaged"));
}

/// Bytes changed, cut out, doubled or cut off: an answer every time, and it comes soon.
#[test]
fn mutated_pictures_are_read_or_refused() {
    let mut samples: Vec<Vec<u8>> = FORMATS.iter().map(|format| written(format.image)).collect();
    samples.push(Sketch { textured: true, ..Sketch::grey() }.progressive());
    samples.push(
        Sketch { restart: 2, adobe: Some(2), ..Sketch::new([2, 2], vec![vec![9, 80, 120, 250]; 4]) }.sequential(),
    );
    samples.push(gif([4, 2], [1, 1], Some(1)));
    samples.push(small_tiff(&[]));
    let mut generator = ChaCha8Rng::seed_from_u64(11);
    for sample in samples {
        for _ in 0..400 {
            let mut bytes = sample.clone();
            for _ in 0..generator.random_range(1..=6) {
                let at = generator.random_range(0..bytes.len());
                match generator.random_range(0..6) {
                    0 => bytes.truncate(at.max(1)),
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, bytes[at]),
                    _ => bytes[at] = generator.random_range(0..=255) as u8,
                }
                if bytes.len() < 2 {
                    break;
                }
            }
            for options in [STRICT, LENIENT] {
                let _ = decode(&bytes, &options, false);
            }
            let _ = dimensions(&bytes, &STRICT.limits);
        }
    }
}
