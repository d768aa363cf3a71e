//! Paths and texts for a person: whatever they hold, on one line; and whole numbers from one.

use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;

/// Whether a character would break the line it stands in, or change how the rest of it is shown: control characters, the
/// line ends of Unicode, and those that turn the direction of writing.
fn breaks(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text from elsewhere on one line: what would break the line is escaped as in Rust, `\n` or `\u{1b}`.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(breaks) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        match breaks(letter) {
            true => line.extend(letter.escape_debug()),
            false => line.push(letter),
        }
    }
    Cow::Owned(line)
}

/// A whole number, which a person typed or a file name holds: digits and nothing else. The standard library also takes
/// `+5` for 5, which reads as 5 more.
pub fn whole_number<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A path for a person: as it is, or quoted and escaped if it is not UTF-8 or would break the line.
pub fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.contains(breaks) => text.to_string(),
        _ => format!("{path:?}"),
    }
}

/// A path as a shell takes it, on one line. Bytes that are not UTF-8 and control characters are written as bash, zsh and
/// ksh read them, `$'a\nb'`.
pub fn quoted(path: &Path) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./@+:,%".contains(letter);
    match path.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_string(),
        Some(text) if !text.contains(breaks) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => escaped_for_a_shell(path),
    }
}

fn escaped_for_a_shell(path: &Path) -> String {
    let mut text = String::from("$'");
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' | '\'' => text.extend(['\\', letter]),
                letter if breaks(letter) => {
                    letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text += &format!("\\x{byte:02x}"));
                }
                letter => text.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|byte| text += &format!("\\x{byte:02x}"));
    }
    text + "'"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn what_would_break_a_line_is_escaped_and_nothing_else_is() {
        for plain in ["", "a b", "naïve 😀 日本", "C:\\dir", "it's \"quoted\""] {
            assert_eq!((one_line(plain), shown(Path::new(plain))), (plain.into(), plain.to_string()));
        }
        assert_eq!(one_line("a\nb\x1b[2J\u{2028}c"), "a\\nb\\u{1b}[2J\\u{2028}c");
        assert_eq!(shown(Path::new("a\nb")), "\"a\\nb\"");
        assert_eq!(shown(Path::new(OsStr::from_bytes(b"a\xff"))), "\"a\\xFF\"");
        assert!(!shown(Path::new("a\u{202e}b")).contains('\u{202e}'), "the direction of writing");
    }

    #[test]
    fn a_whole_number_is_digits() {
        assert_eq!(["0", "5", "007", "255"].map(whole_number::<u8>), [Some(0), Some(5), Some(7), Some(255)]);
        // 256 is one more than a byte holds; ٣ is a digit, but not one of ours.
        for text in ["", "+5", "-0", " 5", "5 ", "5.0", "1e1", "0x1", "1_0", "256", "٣"] {
            assert_eq!(whole_number::<u8>(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_path_is_quoted_for_the_shell() {
        let quoted = |bytes: &[u8]| quoted(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(quoted(b"checkpoints/a-b_1.2"), "checkpoints/a-b_1.2");
        assert_eq!(quoted(b"my run"), "'my run'");
        assert_eq!(quoted(b"it's"), "'it'\\''s'");
        assert_eq!(quoted(b""), "''");
        assert_eq!(quoted(b"it's\n\xff\\"), "$'it\\'s\\x0a\\xff\\\\'");
    }
}
