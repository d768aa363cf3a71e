//! A sentence whose words lead somewhere on a page, and are plain text elsewhere.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// Of a longer list so many items are named.
const MOST: usize = 3;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words that lead nowhere.
    Text(String),
    /// An epoch, by its number.
    Epoch(usize),
    /// An explainer.
    Method {
        /// Its name in files.
        name: String,
        /// What people call it.
        words: String,
    },
    /// An image of the panel.
    Image {
        /// Its place, counted from 0.
        index: usize,
        /// Its id.
        words: String,
    },
    /// A class, by its name.
    Class(String),
}

impl Part {
    /// As it is read.
    pub fn words(&self) -> String {
        match self {
            Part::Text(words) | Part::Class(words) => words.clone(),
            Part::Method { words, .. } | Part::Image { words, .. } => words.clone(),
            Part::Epoch(epoch) => epoch.to_string(),
        }
    }
}

/// `text`, and `epoch`, `method`, `image` or `class` where it is one.
impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("text", &self.words())?;
        match self {
            Part::Text(_) => {}
            Part::Epoch(epoch) => map.serialize_entry("epoch", epoch)?,
            Part::Method { name, .. } => map.serialize_entry("method", name)?,
            Part::Image { index, .. } => map.serialize_entry("image", index)?,
            Part::Class(name) => map.serialize_entry("class", name)?,
        }
        map.end()
    }
}

/// Pieces in a row; blanks are in their texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Sentence(Vec<Part>);

impl Sentence {
    /// The pieces.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn text(mut self, words: impl Into<String>) -> Self {
        let words = words.into();
        match self.0.last_mut() {
            Some(Part::Text(before)) => *before += &words,
            _ => self.0.push(Part::Text(words)),
        }
        self
    }

    pub(super) fn epoch(mut self, epoch: usize) -> Self {
        self.0.push(Part::Epoch(epoch));
        self
    }

    pub(super) fn method(mut self, name: &str, words: &str) -> Self {
        self.0.push(Part::Method { name: name.to_string(), words: words.to_string() });
        self
    }

    pub(super) fn image(mut self, index: usize, words: &str) -> Self {
        self.0.push(Part::Image { index, words: words.to_string() });
        self
    }

    pub(super) fn class(mut self, name: &str) -> Self {
        self.0.push(Part::Class(name.to_string()));
        self
    }

    /// The pieces of another one behind these.
    pub(super) fn then(self, other: Sentence) -> Self {
        other.0.into_iter().fold(self, |all, part| match part {
            Part::Text(words) => all.text(words),
            part => Self([all.0, vec![part]].concat()),
        })
    }

    /// The items with commas between them and `and` before the last; of many the first three and how many more.
    pub(super) fn listed(self, mut items: Vec<Sentence>) -> Self {
        if items.len() > MOST + 1 {
            let more = items.split_off(MOST).len();
            items.push(Sentence::new().text(format!("{more} more")));
        }
        let last = items.len().saturating_sub(1);
        items.into_iter().enumerate().fold(self, |all, (index, item)| {
            let between = match index {
                0 => "",
                index if index == last => " and ",
                _ => ", ",
            };
            all.text(between).then(item)
        })
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| out.write_str(&part.words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_plain_text_and_its_words_lead_somewhere() {
        let items = vec![Sentence::new().class("dotted"), Sentence::new().image(3, "a.png"), Sentence::new().text("x")];
        let sentence = Sentence::new().method("grad-cam", "Grad-CAM").text(" at ").text("epoch ").epoch(5).text(": ");
        let sentence = sentence.listed(items);
        assert_eq!(sentence.to_string(), "Grad-CAM at epoch 5: dotted, a.png and x");
        let five = ["a", "b", "c", "d", "e"].map(|word| Sentence::new().text(word));
        assert_eq!(Sentence::new().listed(five[..4].to_vec()).to_string(), "a, b, c and d");
        assert_eq!(Sentence::new().listed(five.to_vec()).to_string(), "a, b, c and 2 more");
        let json = serde_json::to_value(&sentence).unwrap();
        let expected = serde_json::json!([
            {"text": "Grad-CAM", "method": "grad-cam"}, {"text": " at epoch "}, {"text": "5", "epoch": 5},
            {"text": ": "}, {"text": "dotted", "class": "dotted"}, {"text": ", "}, {"text": "a.png", "image": 3},
            {"text": " and x"}
        ]);
        assert_eq!(json, expected);
    }
}
