//! Which curves stand in one chart: the layout of TensorBoard's page of custom scalars.
//!
//! It is a summary under a tag of its own, whose value is a tensor of one string, and that a `Layout` message.
//!
//! | message                 | field         | number | type                              |
//! |-------------------------|---------------|--------|-----------------------------------|
//! | `Layout`                | `category`    | 2      | `Category`, repeated              |
//! | `Category`              | `title`       | 1      | string                            |
//! |                         | `chart`       | 2      | `Chart`, repeated                 |
//! | `Chart`                 | `title`       | 1      | string                            |
//! |                         | `multiline`   | 2      | `MultilineChartContent`           |
//! | `MultilineChartContent` | `tag`         | 1      | string, a regular expression      |
//! | `TensorProto`           | `dtype`       | 1      | enum, 7 is a string               |
//! |                         | `tensor_shape`| 2      | `TensorShapeProto`, empty: scalar |
//! |                         | `string_val`  | 8      | bytes, repeated                   |
//! | `SummaryMetadata`       | `plugin_data` | 1      | `PluginData`                      |
//! | `PluginData`            | `plugin_name` | 1      | string                            |
//!
//! # Source
//!
//! `tensorboard/plugins/custom_scalar/layout.proto` and `summary.py`, `tensorflow/core/framework/tensor.proto`.

use super::message::Message;

/// The tag and the plug-in: `tensorboard/plugins/custom_scalar/metadata.py`.
const TAG: &str = "custom_scalars__config__";
const PLUGIN: &str = "custom_scalars";
/// `DataType.DT_STRING`.
const STRING: u64 = 7;

/// Charts under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// The heading above the charts.
    pub title: String,
    /// The charts, in their order on the page.
    pub charts: Vec<Chart>,
}

/// One chart with several curves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The title above it.
    pub title: String,
    /// The tags of its curves.
    pub tags: Vec<String>,
}

/// The `Summary.Value` of a layout.
pub(super) fn layout(categories: &[Category]) -> Message {
    let chart = |chart: &Chart| {
        let lines = chart.tags.iter().fold(Message::default(), |lines, tag| lines.text(1, &exactly(tag)));
        Message::default().text(1, &chart.title).message(2, &lines)
    };
    let category = |category: &Category| {
        let titled = Message::default().text(1, &category.title);
        category.charts.iter().fold(titled, |titled, one| titled.message(2, &chart(one)))
    };
    let layout = categories.iter().fold(Message::default(), |layout, one| layout.message(2, &category(one)));
    let tensor = Message::default().integer(1, STRING).message(2, &Message::default()).message(8, &layout);
    let plugin = Message::default().text(1, PLUGIN);
    Message::default().text(1, TAG).message(8, &tensor).message(9, &Message::default().message(1, &plugin))
}

/// A regular expression that matches this tag and no other.
fn exactly(tag: &str) -> String {
    let mut pattern = String::from("^");
    for letter in tag.chars() {
        if letter.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + "$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_matched_letter_by_letter() {
        assert_eq!(exactly("drift/grad-cam (µ)"), r"^drift\/grad\-cam \(µ\)$");
    }

    /// One category "D" of one chart "c" of one tag "a", byte by byte:
    ///
    /// - `MultilineChartContent`: key 0a, length 3, "^a$": 5 bytes
    /// - `Chart`: 0a 01 "c", then 12 05 and that: 10 bytes
    /// - `Category`: 0a 01 "D", then 12 0a and that: 15 bytes
    /// - `Layout`: 12 0f and that: 17 bytes
    /// - `TensorProto`: 08 07, 12 00, 42 11 and that: 23 bytes
    /// - `SummaryMetadata`: 0a 10, then 0a 0e and the 14 letters of the plug-in: 18 bytes
    /// - `Summary.Value`: 0a 18 and the 24 letters of the tag, 42 17 and the tensor, 4a 12 and the metadata
    #[test]
    fn a_layout_is_these_bytes() {
        let charts = vec![Chart { title: "c".to_string(), tags: vec!["a".to_string()] }];
        let found = layout(&[Category { title: "D".to_string(), charts }]);
        let expected = [
            &b"\x0a\x18custom_scalars__config__"[..],
            &b"\x42\x17\x08\x07\x12\x00\x42\x11\x12\x0f\x0a\x01D\x12\x0a\x0a\x01c\x12\x05\x0a\x03^a$"[..],
            &b"\x4a\x12\x0a\x10\x0a\x0ecustom_scalars"[..],
        ];
        assert_eq!(found.0, expected.concat());
    }
}
