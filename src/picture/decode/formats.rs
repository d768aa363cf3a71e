//! Which formats are read, by their first bytes, and what else a file under a picture's name may be.

use image::ImageFormat;

/// A format that is read.
#[derive(Debug)]
pub struct Format {
    /// Its usual name, such as `JPEG`.
    pub name: &'static str,
    /// Endings by which its files are found in folders, in lower case; `PHOTO.JPG` is found too.
    pub endings: &'static [&'static str],
    pub(super) image: ImageFormat,
}

/// Every format that is read. Folders are searched for these endings and no others; what a found file holds is told by its
/// first bytes, not by its ending. Of an animation the first frame is read.
pub const FORMATS: [Format; 7] = [
    Format { name: "JPEG", endings: &["jpg", "jpeg", "jpe", "jfif"], image: ImageFormat::Jpeg },
    Format { name: "PNG", endings: &["png", "apng"], image: ImageFormat::Png },
    Format { name: "WebP", endings: &["webp"], image: ImageFormat::WebP },
    Format { name: "GIF", endings: &["gif"], image: ImageFormat::Gif },
    Format { name: "BMP", endings: &["bmp", "dib"], image: ImageFormat::Bmp },
    Format { name: "TIFF", endings: &["tif", "tiff"], image: ImageFormat::Tiff },
    Format { name: "PNM", endings: &["ppm", "pgm", "pbm", "pnm"], image: ImageFormat::Pnm },
];

/// `JPEG, PNG, …`
pub(super) fn names() -> String {
    FORMATS.each_ref().map(|format| format.name).join(", ")
}

/// Whether files of this ending, in lower case, are taken for pictures.
pub(crate) fn is_ending(ending: &str) -> bool {
    FORMATS.iter().any(|format| format.endings.contains(&ending))
}

/// First bytes at an offset, and what a file is that has them there.
type Sign = (usize, &'static [u8], &'static str);

/// Formats of pictures, and of other things that are found under a picture's name, which are not read.
const OTHERS: [Sign; 38] = [
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftypavis", "an AVIF image"),
    (4, b"ftypheic", "a HEIC image"),
    (4, b"ftypheix", "a HEIC image"),
    (4, b"ftyphevc", "a HEIC image"),
    (4, b"ftypmif1", "a HEIF image"),
    (4, b"ftypmsf1", "a HEIF image"),
    (4, b"ftypcrx", "a raw photograph (CR3)"),
    (4, b"ftypqt", "a QuickTime film"),
    (4, b"ftyp", "an MP4 film"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"II\xbc", "a JPEG XR image"),
    (0, b"II+\0", "a BigTIFF image"),
    (0, b"MM\0+", "a BigTIFF image"),
    (0, b"FUJIFILM", "a raw photograph (RAF)"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"gimp xcf", "a GIMP file"),
    (0, b"\0\0\x01\0", "an icon (ICO)"),
    (0, b"DDS ", "a DDS image"),
    (0, b"qoif", "a QOI image"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (0, b"#?RADIANCE", "a Radiance HDR image"),
    (0, b"farbfeld", "a farbfeld image"),
    (0, b"PF\n", "a float PFM image"),
    (0, b"Pf\n", "a float PFM image"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"\0\x05\x16\x07", "an AppleDouble file, which macOS writes beside the real one"),
    (0, b"SIMPLE  =", "a FITS image"),
    (0, b"\x1aE\xdf\xa3", "a Matroska film"),
];

/// The format of these bytes.
///
/// # Errors
///
/// Where the format is not supported; the message says what the bytes look like instead.
pub(super) fn recognise(bytes: &[u8]) -> Result<&'static Format, String> {
    // An AVIF, a HEIC and others hold the signs of formats that are read nowhere near their beginning.
    if let Some(found) = image::guess_format(bytes).ok().filter(|_| !is_text_after_p(bytes))
        && let Some(format) = FORMATS.iter().find(|format| format.image == found)
    {
        return Ok(format);
    }
    let read = names();
    let other = OTHERS.iter().find(|(at, sign, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(sign)));
    Err(match other {
        Some((.., what)) => format!("it is {what}, which is not read; read are {read}"),
        None => unknown(bytes),
    })
}

/// `P5 is a fine processor` begins as a picture does: in a PNM file white space follows the sign, then a number or a
/// comment.
fn is_text_after_p(bytes: &[u8]) -> bool {
    let [b'P', b'1'..=b'6', rest @ ..] = bytes else { return false };
    let first = rest.iter().find(|byte| !byte.is_ascii_whitespace());
    !rest.first().is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'#')
        || first.is_some_and(|byte| !byte.is_ascii_digit() && *byte != b'#')
}

fn unknown(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "the file is empty".to_string();
    }
    let head = &bytes[..bytes.len().min(512)];
    if head.iter().all(|byte| *byte == 0) {
        return "it begins with nothing but zeros, as a file does whose download or copy did not end".to_string();
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => "",
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let lower = text.to_lowercase();
    if text.starts_with("version https://git-lfs") {
        return "it is a Git LFS pointer, not the image itself: run `git lfs pull` where it came from".to_string();
    }
    if lower.contains("<svg") {
        return format!("it is an SVG drawing, which is not read; read are {}", names());
    }
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.contains("<html") {
        return "it is an HTML page, as servers send one in place of an image".to_string();
    }
    if lower.starts_with("<?xml") {
        return "it is an XML file".to_string();
    }
    if !text.is_empty() && !text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
        let first: String = text.lines().next().unwrap_or("").chars().take(40).collect();
        return format!("it is a text file, which begins: {first}");
    }
    let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("it is no format that is read ({}): it begins with the bytes {}", names(), first.join(" "))
}
