//! The registry: which methods there are, and how a person asks for one.

use super::eigen_cam::EigenCam;
use super::error::ExplainError;
use super::generic_relevance::GenericRelevance;
use super::grad_cam::GradCam;
use super::grad_cam_plus_plus::GradCamPlusPlus;
use super::gradient_rollout::GradientRollout;
use super::hires_cam::HiResCam;
use super::input_gradient::InputGradient;
use super::integrated_gradients::IntegratedGradients;
use super::layer_cam::LayerCam;
use super::le_grad::LeGrad;
use super::method::{Method, MethodSpec, Runner};
use super::occlusion::Occlusion;
use super::pass::Reader;
use super::raw_attention::RawAttention;
use super::rollout::Rollout;
use super::site::Site;
use super::smooth_grad::SmoothGrad;
use super::xgrad_cam::XGradCam;
use crate::models::{Tap, TapSpec};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// Makes the variant, the list and the dispatch out of a row per method. The variant in kebab case is the method's name.
macro_rules! methods {
    ($($variant:ident($method:ident),)+) => {
        /// A method with its settings.
        ///
        /// In a config file it is a table (`{ kind = "rollout", fusion = "max" }`) or, as on the command line, its
        /// specification: the kind and settings behind colons (`"rollout:fusion=max:discard=0.9"`).
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(remote = "Self", tag = "kind", rename_all = "kebab-case")]
        pub enum Explainer {
            $(
                #[doc = concat!("[`", stringify!($method), "`](super::", stringify!($method), ")")]
                $variant($method),
            )+
        }

        impl Explainer {
            /// Every method, its settings at their defaults.
            pub fn all() -> Vec<Explainer> {
                vec![$(Explainer::$variant($method::default())),+]
            }

            /// The facts about the method.
            pub fn method(&self) -> MethodSpec {
                match self {
                    $(Explainer::$variant(_) => MethodSpec::of::<$method>(),)+
                }
            }

            /// How it runs.
            pub(super) fn runner(&self) -> Runner<'_> {
                match self {
                    $(Explainer::$variant(method) => method.runner(),)+
                }
            }
        }
    };
}

methods! {
    GradCam(GradCam),
    GradCamPlusPlus(GradCamPlusPlus),
    HiresCam(HiResCam),
    LayerCam(LayerCam),
    XgradCam(XGradCam),
    EigenCam(EigenCam),
    RawAttention(RawAttention),
    Rollout(Rollout),
    GradientRollout(GradientRollout),
    GenericRelevance(GenericRelevance),
    LeGrad(LeGrad),
    InputGradient(InputGradient),
    SmoothGrad(SmoothGrad),
    IntegratedGradients(IntegratedGradients),
    Occlusion(Occlusion),
}

impl Explainer {
    /// What every epoch explains where nothing else is asked for, of a model with these taps: Grad-CAM on a CNN's last
    /// stage; Grad-CAM on the last block's tokens, and rollout, on a ViT.
    pub fn defaults(taps: &[TapSpec]) -> Vec<Explainer> {
        let grad_cam = Explainer::GradCam(GradCam::default());
        match taps.iter().any(|spec| matches!(spec.tap, Tap::Attention(_))) {
            true => vec![grad_cam, Explainer::Rollout(Rollout::default())],
            false => vec![grad_cam],
        }
    }

    /// The method's name and whatever differs from its defaults, as in file names: `rollout`, `rollout-fusion-max`,
    /// `grad-cam-layer-3`.
    pub fn name(&self) -> String {
        let name = self.method().name;
        let plain = Explainer::all().into_iter().find(|plain| plain.method().name == name);
        let plain = plain.map(|plain| plain.settings()).unwrap_or_default();
        let mut full = name.to_string();
        for (key, value) in self.settings().iter().filter(|(key, value)| plain.get(*key) != Some(value)) {
            let value = if let Value::String(text) = value { text.clone() } else { value.to_string() };
            full += &format!("-{}", key.replace('_', "-"));
            if value != "true" {
                full += &format!("-{value}");
            }
        }
        full
    }

    /// What a person reads: the method's title and, behind it, whatever differs from its defaults: `Grad-CAM (layer 3)`.
    pub fn title(&self) -> String {
        let (method, name) = (self.method(), self.name());
        match name.strip_prefix(method.name).and_then(|settings| settings.strip_prefix('-')) {
            Some(settings) => format!("{} ({})", method.title, settings.replace('-', " ")),
            None => method.title.to_string(),
        }
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
        self.method().class_specific
    }

    /// Where it looks in a model with these taps.
    ///
    /// # Errors
    ///
    /// Where the model does not have it, or a setting is out of range.
    pub fn site(&self, taps: &[TapSpec]) -> Result<Site, ExplainError> {
        match self.runner() {
            Runner::Reads(reader) => Ok(Site::over(&reader.requests(taps)?)),
            Runner::Asks(asker) => asker.site(taps),
        }
    }

    /// Whether a model with these taps has what the method looks at.
    ///
    /// # Errors
    ///
    /// Where a setting is out of range, or names a layer that the model does not have: another model is then not what is
    /// wanted.
    pub fn fits(&self, taps: &[TapSpec]) -> Result<bool, ExplainError> {
        match self.site(taps) {
            Ok(_) => Ok(true),
            Err(ExplainError::NotForThisModel { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The method as a reader of the shared pass, where it is one.
    pub(super) fn reader(&self) -> Option<&dyn Reader> {
        match self.runner() {
            Runner::Reads(reader) => Some(reader),
            Runner::Asks(_) => None,
        }
    }
}

/// A text that is no explainer's specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is no explainer: {why}")]
pub struct UnknownExplainer {
    /// The text that was given.
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
    use crate::models::ModelName;

    #[test]
    fn every_kind_is_found_by_its_name_and_read_back_whole() {
        for explainer in Explainer::all() {
            assert_eq!(explainer.name(), explainer.method().name, "a variant in kebab case is its method's name");
            assert_eq!(explainer.settings()["kind"], explainer.method().name);
            assert_eq!(explainer.name().parse::<Explainer>(), Ok(explainer.clone()));
            let json = serde_json::to_string(&explainer).unwrap();
            assert_eq!(serde_json::from_str::<Explainer>(&json).unwrap(), explainer, "{json}");
        }
    }

    #[test]
    fn a_method_fits_the_models_that_have_what_it_reads() {
        for (explainer, model) in Explainer::all().iter().flat_map(|one| ModelName::ALL.map(|model| (one, model))) {
            let has = explainer.method().reads.is_in(model.spec().has_attention());
            assert_eq!(explainer.fits(&model.taps()).unwrap(), has, "{} on {}", explainer.name(), model.spec().name);
        }
    }

    #[test]
    fn settings_stand_behind_colons_and_show_in_the_name() {
        let parse = |text: &str| text.parse::<Explainer>();
        let rollout = parse("rollout:fusion=max:discard=0.9:per-head=true").unwrap();
        assert_eq!(rollout.name(), "rollout-discard-0.9-fusion-max-per-head");
        assert_eq!(parse("grad-cam:layer=3").unwrap().name(), "grad-cam-layer-3");
        assert_eq!(parse("rollout:fusion=mean").unwrap().name(), "rollout", "a default is not named");
        for (last, plain) in [("grad-cam:layer=last", "grad-cam"), ("raw-attention:block=last", "raw-attention")] {
            assert_eq!(parse(last), parse(plain));
        }
        for (text, why) in [
            ("tea-leaves", "grad-cam-plus-plus"),
            ("rollout:fusion", "SETTING=VALUE"),
            ("rollout:fusion=most", "most"),
            ("rollout:cups=3", "cups"),
            ("grad-cam:layer=first", "expected a whole number or last"),
            ("grad-cam:layer=-1", "expected a whole number or last"),
            ("grad-cam:layer=+1", "expected a whole number or last"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(why), "{error}");
        }
    }
}
