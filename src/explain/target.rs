//! Which class of an image is explained, and how a person asks for it.

use super::error::ExplainError;

/// Which class of an image is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Its true class.
    Label,
    /// The class with the greatest logit.
    Prediction,
    /// This class, whatever the image.
    Class(usize),
}

impl Target {
    /// The word for [`Target::Label`].
    pub const LABEL: &'static str = "label";
    /// The word for [`Target::Prediction`].
    pub const PREDICTION: &'static str = "prediction";
    /// The prefix that makes a word the name of a class, whatever else it could mean.
    pub const CLASS: &'static str = "class:";

    /// What a word stands for: `label`, `prediction`, or a class by its name; `class:NAME` is always the class.
    ///
    /// # Errors
    ///
    /// Where there is no such class.
    pub fn parse(word: &str, classes: &[String]) -> Result<Self, ExplainError> {
        match word {
            Self::LABEL => Ok(Target::Label),
            Self::PREDICTION => Ok(Target::Prediction),
            word => class(word, classes)
                .map(Target::Class)
                .ok_or_else(|| ExplainError::UnknownTarget { found: word.to_string(), classes: classes.to_vec() }),
        }
    }

    /// The words in what a person typed: a text is one word where it names a class as it is, commas included, and is
    /// split at its commas otherwise.
    pub fn words(texts: &[String], classes: &[String]) -> Vec<String> {
        let split = |text: &String| match class(text, classes) {
            Some(_) => vec![text.clone()],
            None => text.split(',').map(str::to_string).collect(),
        };
        texts.iter().flat_map(split).collect()
    }

    /// The word under which maps are stored: a class is called by its name alone, unless that means something else.
    pub fn stored(word: &str, classes: &[String], reserved: &[&str]) -> String {
        let named = word.strip_prefix(Self::CLASS).and(class(word, classes)).map(|class| classes[class].as_str());
        match named {
            Some(name) if name != Self::LABEL && name != Self::PREDICTION && !reserved.contains(&name) => {
                name.to_string()
            }
            _ => word.to_string(),
        }
    }
}

/// The class that a word names, with or without `class:`.
fn class(word: &str, classes: &[String]) -> Option<usize> {
    let find = |name: &str| classes.iter().position(|class| class == name);
    word.strip_prefix(Target::CLASS).and_then(find).or_else(|| find(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Vec<String> {
        ["a", "a,b", "label", "prediction", "class:a", "any"].map(str::to_string).to_vec()
    }

    #[test]
    fn a_class_can_be_asked_for_whatever_it_is_called() {
        let parse = |word: &str| Target::parse(word, &classes()).ok();
        assert_eq!((parse("label"), parse("prediction")), (Some(Target::Label), Some(Target::Prediction)));
        assert_eq!((parse("a"), parse("a,b")), (Some(Target::Class(0)), Some(Target::Class(1))));
        assert_eq!(parse("class:label"), Some(Target::Class(2)));
        assert_eq!(parse("class:prediction"), Some(Target::Class(3)));
        assert_eq!((parse("class:a"), parse("class:class:a")), (Some(Target::Class(0)), Some(Target::Class(4))));
        assert_eq!((parse("b"), parse("class:b")), (None, None));
        let error = Target::parse("class:b", &classes()).unwrap_err().to_string();
        assert!(error.contains("'class:b'") && error.contains("prediction"), "{error}");
    }

    #[test]
    fn a_text_is_whole_where_it_names_a_class_and_split_otherwise() {
        let words = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
            Target::words(&texts, &classes())
        };
        assert_eq!(words(&["a,b"]), ["a,b"]);
        assert_eq!(words(&["class:a,b", "label,a"]), ["class:a,b", "label", "a"]);
        assert_eq!(words(&["prediction,nobody"]), ["prediction", "nobody"]);
    }

    #[test]
    fn maps_are_stored_under_a_name_that_means_one_thing() {
        let stored = |word: &str| Target::stored(word, &classes(), &["any"]);
        assert_eq!(
            ["label", "a", "class:a", "class:label", "class:any"].map(stored),
            ["label", "a", "a", "class:label", "class:any"]
        );
    }
}
