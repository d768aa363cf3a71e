//! Names of files as ids: text that is unique whatever the bytes are.

use std::path::Path;

/// A path below the data's folder as an id: parts joined by `/`. Bytes that are no text, control characters and the
/// backslash itself are written `\xNN`, so that two paths never share an id and an id is one line.
pub(in crate::data) fn id_of(path: &Path) -> String {
    path.components().map(|part| escaped(part.as_os_str().as_encoded_bytes())).collect::<Vec<_>>().join("/")
}

/// As the first version named them: other bytes become `\u{fffd}`, and `\` becomes `/`.
pub(super) fn old_id_of(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// One name of a path, escaped.
pub(super) fn escaped(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => text.push_str("\\x5c"),
                letter if letter.is_control() => {
                    letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")))
                }
                letter => text.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_an_id_of_its_own_on_one_line() {
        assert_eq!(id_of(Path::new("a/b c/é.png")), "a/b c/é.png");
        let names: [&[u8]; 5] = [b"a\xff.png", b"a\xfe.png", b"a\\xff.png", b"a\n.png", "a\u{fffd}.png".as_bytes()];
        let ids = names.map(escaped);
        assert_eq!(ids[0], "a\\xff.png");
        assert_eq!(ids[2], "a\\x5cxff.png");
        assert_eq!(ids[3], "a\\x0a.png");
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[index + 1..].contains(id) && id.lines().count() == 1, "{ids:?}");
        }
    }
}
