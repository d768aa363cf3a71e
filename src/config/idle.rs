//! Settings that would have no effect in combination with the others, found before a run begins.
//!
//! Only what was typed is checked. A switch that is off (`false`, or 0) is allowed everywhere. The number of epochs plays no
//! part, because a run may be continued for more.

use super::keys;
use super::typed::FileConfig;
use crate::explain::Explainer;
use crate::models::ModelName;

/// `KEY: only valid …`, one line each. `has_weights` says whether there is a file of weights, where that is known. Keys that
/// were `inherited` from another run may do nothing.
pub(super) fn problems(
    file: &FileConfig,
    model: ModelName,
    has_weights: Option<bool>,
    inherited: Option<&toml::Table>,
) -> Vec<String> {
    let inherited = |key: &str| inherited.is_some_and(|table| keys::find(table, key).is_some());
    let all = all(file, model, has_weights).into_iter();
    let found = all.filter(|idle| idle.typed && !idle.works && !inherited(idle.key));
    found.map(|idle| format!("{}: only valid {}", idle.key, idle.only)).collect()
}

/// Keys of the augmentation policy's table that this policy does not take, one line each. They are looked for in the table
/// as it was typed, because a [`Policy`](crate::data::Policy) no longer holds them.
pub(super) fn policy_problems(typed: &toml::Table, inherited: Option<&toml::Table>) -> Vec<String> {
    const POLICY: &str = "augmentation.policy";
    let part = |name: &str| format!("{POLICY}.{name}");
    let Some(policy) = keys::find(typed, POLICY).and_then(toml::Value::as_table) else { return Vec::new() };
    let is_trivial = policy.get("kind").and_then(toml::Value::as_str) == Some("trivial-augment-wide");
    let problem = |name: &String| match keys::kind(&part(name)) {
        None => Some(format!("{} is no setting, expected kind, operations or magnitude", part(name))),
        Some(_) if is_trivial && name != "kind" => {
            Some(format!("{}: only valid with {POLICY}.kind = \"rand-augment\"", part(name)))
        }
        Some(_) => None,
    };
    let typed_here = |name: &&String| inherited.is_none_or(|table| keys::find(table, &part(name)).is_none());
    policy.keys().filter(typed_here).filter_map(problem).collect()
}

/// A setting that has an effect only in combination with another one.
#[derive(Clone)]
struct Needs {
    key: &'static str,
    /// Whether it was typed and is not switched off.
    typed: bool,
    works: bool,
    /// Where it works, in words that follow "only valid".
    only: &'static str,
}

fn needs(key: &'static str, typed: bool, works: bool, only: &'static str) -> Needs {
    Needs { key, typed, works, only }
}

/// Whether a number was typed that does not switch the setting off.
fn on(value: Option<f64>) -> bool {
    value.is_some_and(|value| value != 0.0)
}

fn all(file: &FileConfig, model: ModelName, has_weights: Option<bool>) -> Vec<Needs> {
    [of_model(file, model, has_weights), of_augmentation(file), of_optimizer(file), of_panel(file, model)].concat()
}

fn of_model(file: &FileConfig, model: ModelName, has_weights: Option<bool>) -> Vec<Needs> {
    let has_weights = has_weights.unwrap_or_else(|| match file.weights.as_deref() {
        None => model.spec().repository.is_some(),
        Some(weights) => weights != "none",
    });
    let excuses = file.allow_missing.as_ref().is_some_and(|patterns| !patterns.is_empty());
    let (vit, batch_norm) = (model.spec().has_attention(), file.freeze.batch_norm == Some(true));
    vec![
        needs("weights_key", file.weights_key.is_some(), has_weights, "with a file of weights"),
        needs("allow_missing", excuses, has_weights, "with a file of weights"),
        needs("drop_path", on(file.drop_path), vit, "for a vision transformer"),
        needs("freeze.batch_norm", batch_norm, !vit, "for a ResNet"),
        needs("ema.warmup", file.ema.warmup == Some(true), file.ema.decay.is_some(), "with ema.decay"),
    ]
}

fn of_augmentation(file: &FileConfig) -> Vec<Needs> {
    let augmentation = &file.augmentation;
    let crops = augmentation.crop_scale.is_none_or(|[least, _]| least < 1.0);
    let (erases, erasing) = (on(augmentation.erasing), "with augmentation.erasing above 0");
    let cropping = "with a random crop (augmentation.crop_scale from below 1)";
    vec![
        needs("augmentation.crop_ratio", augmentation.crop_ratio.is_some(), crops, cropping),
        needs("augmentation.erasing_area", augmentation.erasing_area.is_some(), erases, erasing),
        needs("augmentation.erasing_ratio", augmentation.erasing_ratio.is_some(), erases, erasing),
    ]
}

fn of_optimizer(file: &FileConfig) -> Vec<Needs> {
    let (optimizer, schedule) = (&file.optimizer, &file.schedule);
    let kind = optimizer.kind.as_deref().unwrap_or("adamw");
    let decays = optimizer.weight_decay.map_or(kind == "adamw", |decay| decay != 0.0);
    let decay = schedule.decay.as_deref().unwrap_or("cosine");
    let warms_up = schedule.warmup_epochs.is_none_or(|epochs| epochs != 0.0);
    let (for_adam, for_sgd) = ("with optimizer.kind = \"adamw\" or \"adam\"", "with optimizer.kind = \"sgd\"");
    let (for_cosine, for_steps) = ("with schedule.decay = \"cosine\"", "with schedule.decay = \"step\"");
    let warming_up = "with schedule.warmup_epochs above 0";
    vec![
        needs("optimizer.betas", optimizer.betas.is_some(), kind != "sgd", for_adam),
        needs("optimizer.epsilon", optimizer.epsilon.is_some(), kind != "sgd", for_adam),
        needs("optimizer.momentum", on(optimizer.momentum), kind == "sgd", for_sgd),
        needs("optimizer.nesterov", optimizer.nesterov == Some(true), kind == "sgd", for_sgd),
        needs("optimizer.decay_all", optimizer.decay_all == Some(true), decays, "with optimizer.weight_decay above 0"),
        needs("schedule.step_epochs", schedule.step_epochs.is_some(), decay == "step", for_steps),
        needs("schedule.step_factor", schedule.step_factor.is_some(), decay == "step", for_steps),
        needs("schedule.minimum", on(schedule.minimum), decay == "cosine", for_cosine),
        needs("schedule.warmup_start", schedule.warmup_start.is_some(), warms_up, warming_up),
    ]
}

/// A run without explainers has a panel too, for `explain` and `cause`, so settings that choose its images always have an
/// effect.
fn of_panel(file: &FileConfig, model: ModelName) -> Vec<Needs> {
    let (panel, evidence) = (&file.panel, &file.evidence);
    let explainers = file.explainers.clone().unwrap_or_else(|| Explainer::defaults(&model.taps()));
    let of_a_class = explainers.iter().any(Explainer::class_specific);
    let counts = panel.overlays.is_some_and(|count| count > 0);
    let targets = panel.targets.as_ref().is_some_and(|targets| !targets.is_empty());
    let listless = "without panel.list, which names the images";
    vec![
        needs("panel.per_class", panel.per_class.is_some(), panel.list.is_none(), listless),
        needs("panel.overlays", counts, !explainers.is_empty(), "with explainers"),
        needs("evidence.margin", evidence.margin.is_some(), !explainers.is_empty(), "with explainers"),
        needs("evidence.patience", evidence.patience.is_some(), !explainers.is_empty(), "with explainers"),
        needs("panel.targets", targets, of_a_class, "with an explainer that explains a class, such as grad-cam"),
    ]
}
