//! Where methods look in a model.

use super::error::ExplainError;
use super::pass::Request;
use crate::models::{Tap, TapSpec};
use serde::de::{self, Deserializer, Unexpected};
use std::fmt;

/// What a person may write for the layer or block that is taken where none is chosen.
pub const LAST: &str = "last";

/// Reads the number of a layer or block; [`LAST`], and nothing, choose none.
pub(super) fn number_or_last<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = Option<usize>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a whole number or {LAST}")
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            usize::try_from(number).map(Some).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            usize::try_from(number).map(Some).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
        }
        fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
            if word == LAST { Ok(None) } else { Err(E::invalid_value(Unexpected::Str(word), &self)) }
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Visitor)
}

/// Where an explainer looks in a model: the tap's name, and the grid of its maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The tap's state-dict name, the first and last of several, or `input`.
    pub tap: String,
    /// Rows and columns of its maps.
    pub grid: [usize; 2],
}

impl Site {
    /// Where a method looks that makes these requests, of which there is at least one.
    pub(super) fn over(requests: &[Request]) -> Self {
        let [Request { spec: first, .. }, .., Request { spec: last, .. }] = requests else {
            let only = requests[0].spec;
            return Site { tap: only.tap.to_string(), grid: only.grid };
        };
        Site { tap: format!("{}..{}", first.tap, last.tap), grid: last.grid }
    }
}

/// The feature map of a layer, or the last one.
pub(super) fn feature_map(
    taps: &[TapSpec],
    layer: Option<usize>,
    explainer: &'static str,
) -> Result<TapSpec, ExplainError> {
    let number = |spec: &TapSpec| match spec.tap {
        Tap::Stage(number) | Tap::BlockNorm(number) => Some(number),
        Tap::Attention(_) | Tap::Block(_) => None,
    };
    let maps: Vec<(usize, TapSpec)> = taps.iter().filter_map(|spec| Some((number(spec)?, *spec))).collect();
    let found = match layer {
        Some(layer) => maps.iter().find(|(number, _)| *number == layer),
        None => maps.last(),
    };
    found.map(|(_, spec)| *spec).ok_or_else(|| match layer {
        Some(layer) => {
            let available = maps.iter().map(|(number, _)| *number).collect();
            ExplainError::NoLayer { explainer, setting: "layer", layer, available }
        }
        None => ExplainError::NotForThisModel { explainer, needs: "a feature map" },
    })
}

/// Where maps of the input itself lie: pooled to the grid of the model's last feature map, so that they compare with it.
pub(super) fn input_site(taps: &[TapSpec], explainer: &'static str) -> Result<Site, ExplainError> {
    Ok(Site { tap: "input".to_string(), grid: feature_map(taps, None, explainer)?.grid })
}
