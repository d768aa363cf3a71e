//! What a file of weights is, by its first bytes and whatever its name says.

use super::error::CheckpointError;
use crate::fsx;
use std::path::Path;

/// Formats whose tensors can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Safetensors,
    /// What `torch.save` has written since 1.6.
    Zip,
    /// What PyTorch wrote before 0.1.10.
    Tar,
    /// What `torch.save` wrote in between, or a bare pickle.
    Pickle,
}

impl Format {
    /// What a file of the format is called in an error.
    pub(super) fn container(self) -> &'static str {
        match self {
            Format::Safetensors => "safetensors file",
            Format::Zip | Format::Tar | Format::Pickle => "PyTorch checkpoint",
        }
    }
}

/// How many bytes are looked at.
const HEAD: usize = 512;
/// The longest header that the safetensors format allows, in bytes.
const LONGEST_HEADER: u64 = 100_000_000;
/// Where a TAR archive says what it is.
const TAR: std::ops::Range<usize> = 257..262;

/// Says which reader takes the file.
///
/// # Errors
///
/// Where it cannot be read, or is something else; the error says what it looks like.
pub(super) fn recognise(path: &Path) -> Result<Format, CheckpointError> {
    let not_weights = |found: &str| CheckpointError::NotWeights { path: path.to_path_buf(), found: found.to_string() };
    let metadata = fsx::metadata(path)?;
    if !metadata.is_file() {
        return Err(not_weights("something that is not a regular file"));
    }
    let head = fsx::read_start(path, HEAD)?;
    match format(&head) {
        Some(format) => Ok(format),
        None => Err(not_weights(&looks_like(&head, path))),
    }
}

/// By the first bytes of a file.
pub(super) fn format(head: &[u8]) -> Option<Format> {
    let length = head.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    if length.is_some_and(|length| length <= LONGEST_HEADER) && head.get(8) == Some(&b'{') {
        return Some(Format::Safetensors);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(Format::Zip);
    }
    if head.get(TAR) == Some(b"ustar") {
        return Some(Format::Tar);
    }
    // A pickle begins with its protocol, from 2 on, or the opening of a tuple, as old ones do.
    let pickle = matches!(head, [0x80, 2..=5, ..]) || head.starts_with(b"(dp") || head.starts_with(b"L1195470371");
    pickle.then_some(Format::Pickle)
}

/// In a few words, what a file is that cannot be read as weights.
fn looks_like(head: &[u8], path: &Path) -> String {
    const MAGIC: [(&[u8], &str); 14] = [
        (b"version https://git-lfs", "a Git-LFS pointer, not the file itself: fetch that with `git lfs pull`"),
        (b"GGUF", "a GGUF file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras writes"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"\x1f\x8b", "a gzip archive: unpack it first"),
        (b"\xfd7zXZ\0", "an xz archive: unpack it first"),
        (b"BZh", "a bzip2 archive: unpack it first"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it first"),
        (b"\x89PNG", "an image"),
        (b"\xff\xd8\xff", "an image"),
        (b"%PDF", "a PDF"),
        (b"\x7fELF", "a program"),
        (b"PAR1", "a Parquet file"),
    ];
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let holds = |word: &[u8]| head.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    let text = std::str::from_utf8(head).or_else(|error| match error.error_len() {
        None => std::str::from_utf8(&head[..error.valid_up_to()]), // cut in the middle of a letter
        Some(_) => Err(error),
    });
    let text = text
        .ok()
        .filter(|text| !text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()))
        .map(|text| text.trim_start_matches('\u{FEFF}').trim_start());
    let known = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, words)| *words);
    let words = match (known, text) {
        _ if head.is_empty() => "an empty file",
        _ if head.iter().all(|byte| *byte == 0) => "nothing but zeros, as a broken download leaves them",
        (Some(words), _) => words,
        _ if head.get(4..8) == Some(b"TFL3") => "a TensorFlow Lite model",
        (None, Some(text)) if text.starts_with('<') => "an HTML or XML page, not the file itself",
        (None, Some(text)) if text.starts_with(['{', '[']) => "JSON",
        (None, Some(_)) => "a text file",
        _ if name.ends_with(".onnx") || (head[0] == 8 && (holds(b"onnx") || holds(b"pytorch"))) => "an ONNX model",
        _ if name.ends_with(".pb") || name.ends_with(".index") || name.contains(".data-0") || holds(b"tensorflow") => {
            "a TensorFlow model"
        }
        _ => "something else",
    };
    words.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, bytes: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        match recognise(&path) {
            Ok(format) => format!("{format:?}"),
            Err(error) => {
                let message = error.to_string();
                assert!(message.contains(name) && message.contains("safetensors"), "{message}");
                message
            }
        }
    }

    #[test]
    fn a_file_is_known_by_its_content_whatever_it_is_called() {
        let safetensors = [&8_u64.to_le_bytes()[..], b"{}      "].concat();
        let tar = [vec![b'a'; 257], b"ustar".to_vec()].concat();
        for (bytes, expected) in [
            (&safetensors[..], "Safetensors"),
            (b"PK\x03\x04zip", "Zip"),
            (b"\x80\x02}q\0.", "Pickle"),
            (&tar, "Tar"),
            (b"", "an empty file"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git-LFS pointer"),
            (b"\n <!DOCTYPE html><html>", "HTML"),
            (b"{\"error\": 404}", "JSON"),
            (b"Not Found", "a text file"),
            (b"GGUF\x03\0\0\0", "GGUF"),
            (b"\x89HDF\r\n\x1a\n\0", "HDF5"),
            (b"\x08\x07\x12\x07pytorch\x1a", "ONNX"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (&[0; 64], "zeros"),
            (b"\x01\x02\xff\xfe", "something else"),
        ] {
            for name in ["w.safetensors", "w.pth.tar", "w.ckpt", "weights"] {
                assert!(found(name, bytes).contains(expected), "{expected}: {}", found(name, bytes));
            }
        }
        assert!(found("saved_model.pb", b"\x08\x01\x12\xff\xfe").contains("TensorFlow"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = recognise(&dir.path().join("w.pth")).unwrap_err().to_string();
        assert!(missing.contains("w.pth") && missing.contains("No such file"), "{missing}");
    }
}
