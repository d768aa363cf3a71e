//! Which methods there are, their names, and how a person asks for one.

use super::questions::Asker;
use super::seen::Reader;
use super::{
    EigenCam, ExplainError, GenericRelevance, GradCam, GradCamPlusPlus, GradientRollout, HiResCam, InputGradient,
    IntegratedGradients, LayerCam, LeGrad, Occlusion, RawAttention, Rollout, SmoothGrad, View, XGradCam,
};
use crate::models::{ModelName, TapSpec};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// A method, with its settings.
///
/// In a config file it is a table (`{ kind = "rollout", fusion = "max" }`) or, as on the command line, its
/// specification: the kind and settings behind colons (`"rollout:fusion=max:discard=0.9"`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "kind", rename_all = "kebab-case")]
pub enum Explainer {
    /// Gradient-weighted class activation map.
    GradCam(GradCam),
    /// Grad-CAM++.
    GradCamPlusPlus(GradCamPlusPlus),
    /// HiResCAM.
    HiresCam(HiResCam),
    /// LayerCAM.
    LayerCam(LayerCam),
    /// XGrad-CAM.
    XgradCam(XGradCam),
    /// Eigen-CAM.
    EigenCam(EigenCam),
    /// One block's attention.
    RawAttention(RawAttention),
    /// Attention rollout.
    Rollout(Rollout),
    /// Gradient-weighted rollout.
    GradientRollout(GradientRollout),
    /// Generic attention relevance.
    GenericRelevance(GenericRelevance),
    /// LeGrad.
    LeGrad(LeGrad),
    /// Gradient of the input.
    InputGradient(InputGradient),
    /// SmoothGrad.
    SmoothGrad(SmoothGrad),
    /// Integrated Gradients.
    IntegratedGradients(IntegratedGradients),
    /// Occlusion.
    Occlusion(Occlusion),
}

/// The two kinds of method.
pub(super) enum Method<'a> {
    /// Reads the shared tapped pass.
    Reads(&'a dyn Reader),
    /// Runs the model itself.
    Asks(&'a dyn Asker),
}

impl Explainer {
    /// Every kind, its settings at their defaults.
    pub fn all() -> Vec<Explainer> {
        vec![
            Explainer::GradCam(GradCam::default()),
            Explainer::GradCamPlusPlus(GradCamPlusPlus::default()),
            Explainer::HiresCam(HiResCam::default()),
            Explainer::LayerCam(LayerCam::default()),
            Explainer::XgradCam(XGradCam::default()),
            Explainer::EigenCam(EigenCam::default()),
            Explainer::RawAttention(RawAttention::default()),
            Explainer::Rollout(Rollout::default()),
            Explainer::GradientRollout(GradientRollout::default()),
            Explainer::GenericRelevance(GenericRelevance::default()),
            Explainer::LeGrad(LeGrad::default()),
            Explainer::InputGradient(InputGradient::default()),
            Explainer::SmoothGrad(SmoothGrad::default()),
            Explainer::IntegratedGradients(IntegratedGradients::default()),
            Explainer::Occlusion(Occlusion::default()),
        ]
    }

    /// What is looked at in every epoch where nothing else is asked for: Grad-CAM on a CNN's last stage; Grad-CAM on the
    /// last block's tokens, and rollout, on a ViT.
    pub fn defaults(model: ModelName) -> Vec<Explainer> {
        let grad_cam = Explainer::GradCam(GradCam::default());
        if model.spec().has_attention() {
            vec![grad_cam, Explainer::Rollout(Rollout::default())]
        } else {
            vec![grad_cam]
        }
    }

    /// The kind and whatever differs from its defaults, as in file names: `rollout`, `rollout-fusion-max`,
    /// `grad-cam-layer-3`.
    pub fn name(&self) -> String {
        let settings = self.settings();
        let kind = settings.get("kind").and_then(Value::as_str).unwrap_or_default().to_string();
        let plain = Explainer::all().into_iter().map(|explainer| explainer.settings());
        let plain = plain.into_iter().find(|plain| plain.get("kind") == settings.get("kind")).unwrap_or_default();
        let mut name = kind;
        for (key, value) in settings.iter().filter(|(key, value)| plain.get(*key) != Some(value)) {
            let value = if let Value::String(text) = value { text.clone() } else { value.to_string() };
            name += &format!("-{}", key.replace('_', "-"));
            if value != "true" {
                name += &format!("-{value}");
            }
        }
        name
    }

    /// All settings, and the kind among them.
    pub fn settings(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(settings)) => settings,
            _ => Map::new(),
        }
    }

    /// Whether its maps answer for one class. Those of an untrained head are noise.
    pub fn class_specific(&self) -> bool {
        !matches!(self, Explainer::Rollout(_) | Explainer::RawAttention(_) | Explainer::EigenCam(_))
    }

    /// Whether a model with these taps has what the method looks at.
    ///
    /// # Errors
    ///
    /// Where a setting is out of range, or names a layer that the model does not have: another model is then not what is
    /// wanted.
    pub fn fits(&self, taps: &[TapSpec]) -> Result<bool, ExplainError> {
        match view(self, taps) {
            Ok(_) => Ok(true),
            Err(ExplainError::NotForThisModel { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The method, where it reads the shared pass.
    pub(super) fn reader(&self) -> Option<&dyn Reader> {
        match self.method() {
            Method::Reads(reader) => Some(reader),
            Method::Asks(_) => None,
        }
    }

    pub(super) fn method(&self) -> Method<'_> {
        match self {
            Explainer::GradCam(method) => Method::Reads(method),
            Explainer::GradCamPlusPlus(method) => Method::Reads(method),
            Explainer::HiresCam(method) => Method::Reads(method),
            Explainer::LayerCam(method) => Method::Reads(method),
            Explainer::XgradCam(method) => Method::Reads(method),
            Explainer::EigenCam(method) => Method::Reads(method),
            Explainer::RawAttention(method) => Method::Reads(method),
            Explainer::Rollout(method) => Method::Reads(method),
            Explainer::GradientRollout(method) => Method::Reads(method),
            Explainer::GenericRelevance(method) => Method::Reads(method),
            Explainer::LeGrad(method) => Method::Asks(method),
            Explainer::InputGradient(method) => Method::Asks(method),
            Explainer::SmoothGrad(method) => Method::Asks(method),
            Explainer::IntegratedGradients(method) => Method::Asks(method),
            Explainer::Occlusion(method) => Method::Asks(method),
        }
    }
}

/// Where `explainer` looks in a model with these taps.
///
/// # Errors
///
/// Where the model does not have it, or a setting is out of range.
pub fn view(explainer: &Explainer, taps: &[TapSpec]) -> Result<View, ExplainError> {
    match explainer.method() {
        Method::Reads(reader) => Ok(View::over(&reader.requests(taps)?)),
        Method::Asks(asker) => asker.view(taps),
    }
}

/// What a person typed is no method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is no explainer: {why}")]
pub struct UnknownExplainer {
    /// What was typed.
    pub found: String,
    /// What is wrong with it.
    pub why: String,
}

impl FromStr for Explainer {
    type Err = UnknownExplainer;

    fn from_str(text: &str) -> Result<Self, UnknownExplainer> {
        let unknown = |why: String| UnknownExplainer { found: text.to_string(), why };
        let mut parts = text.split(':');
        let kind = parts.next().unwrap_or_default();
        let mut settings = Map::from_iter([("kind".to_string(), Value::from(kind))]);
        for part in parts {
            let (key, value) =
                part.split_once('=').ok_or_else(|| unknown(format!("expected SETTING=VALUE, found '{part}'")))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            settings.insert(key.replace('-', "_"), value);
        }
        Explainer::deserialize(Value::Object(settings)).map_err(|error| unknown(error.to_string()))
    }
}

impl Serialize for Explainer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Explainer::serialize(self, serializer) // the derived function, which `remote` makes an inherent one
    }
}

impl<'de> Deserialize<'de> for Explainer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Explainer;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an explainer's specification or a table with its kind")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Explainer, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Explainer, A::Error> {
                Explainer::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_read_back_whole() {
        for explainer in Explainer::all() {
            assert_eq!(explainer.name().parse::<Explainer>(), Ok(explainer.clone()));
            let json = serde_json::to_string(&explainer).unwrap();
            assert_eq!(serde_json::from_str::<Explainer>(&json).unwrap(), explainer, "{json}");
        }
    }

    #[test]
    fn settings_stand_behind_colons_and_show_in_the_name() {
        let parse = |text: &str| text.parse::<Explainer>();
        let rollout = parse("rollout:fusion=max:discard=0.9:per-head=true").unwrap();
        assert_eq!(rollout.name(), "rollout-discard-0.9-fusion-max-per-head");
        assert_eq!(parse("grad-cam:layer=3").unwrap().name(), "grad-cam-layer-3");
        assert_eq!(parse("rollout:fusion=mean").unwrap().name(), "rollout", "a default is not named");
        for (text, why) in [
            ("tea-leaves", "grad-cam-plus-plus"),
            ("rollout:fusion", "SETTING=VALUE"),
            ("rollout:fusion=most", "most"),
            ("rollout:cups=3", "cups"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(why), "{error}");
        }
    }
}
