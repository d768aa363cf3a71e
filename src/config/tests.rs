//! What a person types, and what becomes of it.

use super::file::Settings;
use super::*;
use crate::explain::Explainer;
use std::path::Path;

fn settings(text: &str) -> Settings {
    Settings(toml::from_str(text).unwrap())
}

fn refused(text: &str) -> String {
    let error = settings(text).resolve().unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    format!("{error} {source}")
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let text = refused("model = \"deit_mini\"\nlearning_rat = 1");
    assert!(text.contains("learning_rat"), "{text}");
}

#[test]
fn a_file_without_a_model_is_told_which_there_are() {
    assert!(refused("").contains("deit_mini"));
}

#[test]
fn all_problems_are_reported_at_once() {
    let error = refused(
        "model = \"deit_mini\"\nepochs = 0\naccumulate = 0\n[augmentation]\nflip = 2\ncrop_scale = [0.9, 0.1]\n\
         [optimizer]\nclip_norm = 0.0\n[schedule]\ndecay = \"step\"\nstep_epochs = 0",
    );
    for name in [
        "epochs",
        "accumulate",
        "augmentation.flip",
        "augmentation.crop_scale",
        "optimizer.clip_norm",
        "schedule.step_epochs",
    ] {
        assert!(error.contains(name), "{name} is missing from: {error}");
    }
}

#[test]
fn explainers_are_chosen_by_kind() {
    let config = settings("model = \"deit_mini\"\n[[explainers]]\nkind = \"rollout\"").resolve().unwrap();
    assert_eq!(config.explainers.iter().map(Explainer::name).collect::<Vec<_>>(), ["rollout"]);
    assert!(refused("model = \"deit_mini\"\n[[explainers]]\nkind = \"tea-leaves\"").contains("tea-leaves"));
    let text = "model = \"deit_mini\"\nexplainers = [\"grad-cam:layer=1\", { kind = \"rollout\", discard = 0.5 }]";
    let config = settings(text).resolve().unwrap();
    assert_eq!(
        config.explainers.iter().map(Explainer::name).collect::<Vec<_>>(),
        ["grad-cam-layer-1", "rollout-discard-0.5"]
    );
}

#[test]
fn a_setting_that_would_do_nothing_is_refused_by_name() {
    for (model, text, key, only) in [
        ("resnet_mini", "drop_path = 0.1", "drop_path", "vision transformer"),
        ("deit_mini", "[freeze]\nbatch_norm = true", "freeze.batch_norm", "ResNet"),
        ("deit_mini", "allow_missing = [\"head.*\"]", "allow_missing", "weights"),
        ("deit_mini", "weights = \"none\"\nweights_key = \"ema\"", "weights_key", "weights"),
        ("deit_mini", "weights = \"none\"\nallow_missing = [\"head.*\"]", "allow_missing", "weights"),
        ("deit_mini", "[augmentation]\nerasing_area = [0.1, 0.2]", "augmentation.erasing_area", "augmentation.erasing"),
        ("deit_mini", "[augmentation]\nerasing = 0\nerasing_ratio = [1, 2]", "augmentation.erasing_ratio", "erasing"),
        ("deit_mini", "[augmentation]\ncrop_scale = [1, 1]\ncrop_ratio = [1, 2]", "augmentation.crop_ratio", "crop"),
        ("deit_mini", "[optimizer]\nmomentum = 0.9", "optimizer.momentum", "sgd"),
        ("deit_mini", "[optimizer]\nnesterov = true", "optimizer.nesterov", "sgd"),
        ("deit_mini", "[optimizer]\nkind = \"sgd\"\nbetas = [0.9, 0.99]", "optimizer.betas", "adamw"),
        ("deit_mini", "[optimizer]\nkind = \"sgd\"\nepsilon = 1e-6", "optimizer.epsilon", "adamw"),
        ("deit_mini", "[optimizer]\nkind = \"adam\"\ndecay_all = true", "optimizer.decay_all", "weight_decay"),
        ("deit_mini", "[optimizer]\nweight_decay = 0\ndecay_all = true", "optimizer.decay_all", "weight_decay"),
        ("deit_mini", "[schedule]\nstep_epochs = 3", "schedule.step_epochs", "step"),
        ("deit_mini", "[schedule]\nstep_factor = 0.5", "schedule.step_factor", "step"),
        ("deit_mini", "[schedule]\ndecay = \"constant\"\nminimum = 1e-5", "schedule.minimum", "cosine"),
        ("deit_mini", "[schedule]\nwarmup_epochs = 0\nwarmup_start = 0.5", "schedule.warmup_start", "warmup_epochs"),
        ("deit_mini", "[ema]\nwarmup = true", "ema.warmup", "ema.decay"),
        ("deit_mini", "explainers = []\n[panel]\noverlays = 3", "panel.overlays", "explainers"),
        ("deit_mini", "explainers = []\n[panel]\ntargets = [\"prediction\"]", "panel.targets", "grad-cam"),
        ("deit_mini", "explainers = [\"rollout\"]\n[panel]\ntargets = [\"label\"]", "panel.targets", "grad-cam"),
        (
            "deit_mini",
            "[augmentation]\npolicy = { kind = \"trivial-augment-wide\", magnitude = 9 }",
            "augmentation.policy.magnitude",
            "rand-augment",
        ),
    ] {
        let message = refused(&format!("model = \"{model}\"\n{text}"));
        assert!(message.contains(&format!("{key}: only valid")) && message.contains(only), "{text}: {message}");
    }
    let message = refused("model = \"deit_mini\"\n[data]\nsplit = 2");
    assert!(message.contains("data.split") && message.contains("only valid for"), "{message}");
}

/// A panel is kept without explainers too: `explain` and `cause` look at it later. And any explainer of a class has targets.
#[test]
fn what_shapes_a_panel_without_explainers_is_taken() {
    let list = listed("a\n");
    let of_list = format!("explainers = []\n[panel]\nlist = \"{}\"", list.path().display());
    for text in [
        "explainers = []\n[panel]\nper_class = 2\nseed = 3",
        &of_list,
        "[panel]\ntargets = [\"prediction\"]",
        "explainers = [\"rollout\", \"input-gradient\"]\n[panel]\ntargets = [\"label\", \"prediction\"]",
    ] {
        settings(&format!("model = \"deit_mini\"\n{text}")).resolve().unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn a_policy_has_no_settings_but_its_own() {
    let policy = |text: &str| format!("model = \"deit_mini\"\n[augmentation]\npolicy = {{ {text} }}");
    let message = refused(&policy("kind = \"rand-augment\", operations = 1, magnitude = 9, strength = 2"));
    assert!(message.contains("augmentation.policy.strength is no setting"), "{message}");
    let mut typed = settings(&policy("kind = \"trivial-augment-wide\", operations = 2"));
    assert!(typed.resolve().unwrap_err().to_string().contains("augmentation.policy.operations: only valid with"));
    // A run that was begun with it goes on in a branch.
    let saved = settings(&policy("kind = \"trivial-augment-wide\"")).resolve().unwrap();
    typed.resolve_branch(&typed.clone(), &saved).unwrap();
    typed.set_text("augmentation.policy.magnitude=3").unwrap();
    assert!(typed.resolve_branch(&settings(""), &saved).is_err());
}

#[test]
fn pictures_a_class_beside_a_list_of_pictures_are_refused() {
    let list = listed("a\nb\n");
    let text = format!("model = \"deit_mini\"\n[panel]\nper_class = 2\nlist = \"{}\"", list.path().display());
    assert!(refused(&text).contains("panel.per_class: only valid without panel.list"), "{}", refused(&text));
    let text = text.replace("per_class", "seed"); // draws the perturbations, whatever the images
    assert_eq!(settings(&text).resolve().unwrap().panel.images.unwrap(), ["a", "b"]);
}

#[test]
fn a_switch_that_is_off_may_stand_anywhere() {
    let text = "drop_path = 0.0\nexplainers = []\n[freeze]\nbatch_norm = false\n[ema]\nwarmup = false\n\
                [optimizer]\nmomentum = 0\nnesterov = false\ndecay_all = false\n[schedule]\ndecay = \"constant\"\n\
                minimum = 0\n[panel]\noverlays = 0\n";
    for model in ["resnet_mini", "deit_mini"] {
        settings(&format!("model = \"{model}\"\n{text}")).resolve().unwrap();
    }
}

#[test]
fn wrong_kinds_idle_settings_and_ranges_are_reported_together() {
    let error = refused(
        "model = \"resnet_mini\"\nepochs = -1\nbatch_size = 1.5\nseed = \"x\"\ndrop_path = 0.1\nweights = 3\n\
         [optimizer]\nkind = \"rmsprop\"\n[augmentation]\nflip = nan\n[data]\nsource = \"nowhere\"\ntrain_per_class = 3",
    );
    for part in [
        "epochs is -1, expected a whole number between 1 and 1000000",
        "batch_size is 1.5, expected a whole number",
        "seed is 'x'",
        "weights is 3, expected a text",
        "optimizer.kind is 'rmsprop', expected adamw, adam or sgd",
        "drop_path: only valid",
        "augmentation.flip is NaN, expected a number between 0 and 1",
        "data.train_per_class",
    ] {
        assert!(error.contains(part), "{part} is missing from: {error}");
    }
}

#[test]
fn key_and_value_set_what_a_file_sets() {
    let mut typed = settings("model = \"deit_mini\"\n[schedule]\nlearning_rate = 1e-3");
    for text in ["schedule.decay=step", "schedule.step_epochs = 4", "optimizer.weight_decay=0.1", "explainers=[]"] {
        typed.set_text(text).unwrap();
    }
    let config = typed.resolve().unwrap();
    assert_eq!(config.schedule.decay, Decay::Step { every_epochs: 4, factor: 0.1 });
    assert_eq!((config.schedule.learning_rate, config.optimizer.weight_decay), (1e-3, 0.1));
    assert!(config.explainers.is_empty());
    assert!(typed.set_text("epochs").is_err() && typed.set_text("model.size=3").is_err());
}

#[test]
fn what_counts_as_settled_is_a_setting_of_runs_that_explain() {
    let of = |text: &str| settings(&format!("model = \"deit_mini\"\n{text}")).resolve().unwrap();
    assert_eq!(of("").evidence, EvidenceConfig { margin: 5.0, patience: 2 });
    let typed = of("evidence = { margin = 2.5, patience = 4 }");
    assert_eq!(typed.evidence, EvidenceConfig { margin: 2.5, patience: 4 });
    assert_eq!(
        typed.differences(&of("")),
        ["evidence.margin: 5.0 there, 2.5 here", "evidence.patience: 2 there, 4 here"]
    );
    // A run of before there was a choice.
    let mut old = serde_json::to_value(of("")).unwrap();
    old.as_object_mut().unwrap().remove("evidence");
    assert_eq!(serde_json::from_value::<RunConfig>(old).unwrap(), of(""));
    let error = refused("model = \"deit_mini\"\nexplainers = []\n[evidence]\nmargin = 101\npatience = 0");
    for part in [
        "evidence.margin is 101, expected a number between 0 and 100",
        "evidence.patience is 0, expected a whole number",
        "evidence.margin: only valid with explainers",
    ] {
        assert!(error.contains(part), "{part} is missing from: {error}");
    }
}

#[test]
fn differences_name_the_setting_and_both_values() {
    let one = settings("model = \"deit_mini\"").resolve().unwrap();
    let mut other = one.clone();
    other.optimizer.weight_decay = 0.3;
    other.early_stopping = Some(2);
    assert_eq!(
        other.differences(&one),
        ["early_stopping: nothing there, 2 here", "optimizer.weight_decay: 0.01 there, 0.3 here"]
    );
}

fn listed(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn a_bare_value_is_a_text_where_the_key_takes_one() {
    let mut typed = Settings::default();
    for text in ["data.source=123", "weights=1e3", "model=true", "panel.list=2026-01-01", "panel.targets=label"] {
        typed.set_text(text).unwrap();
    }
    let expected = "weights = \"1e3\"\nmodel = \"true\"\n[data]\nsource = \"123\"\n\
                    [panel]\nlist = \"2026-01-01\"\ntargets = [\"label\"]\n";
    assert_eq!(typed, settings(expected));
    // A number stays one where the key takes a number, quotes stay quotes, and nothing takes a key back.
    let mut typed = settings("[schedule]\nwarmup_start = 0.1");
    for text in ["epochs=3", "data.source='4 5'", "panel.targets=[\"a\", \"b\"]", "schedule.warmup_start="] {
        typed.set_text(text).unwrap();
    }
    let expected = "epochs = 3\n[data]\nsource = \"4 5\"\n[panel]\ntargets = [\"a\", \"b\"]\n[schedule]\n";
    assert_eq!(typed, settings(expected));
}

#[test]
fn a_file_that_is_no_toml_is_named_and_a_byte_order_mark_is_not_minded() {
    let read = |bytes: &[u8]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let chain = |error: file::ConfigError| {
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            format!("{error} {source}").replace(&file.path().display().to_string(), "FILE")
        };
        Settings::read(file.path()).map_err(chain)
    };
    assert_eq!(read("\u{FEFF}model = \"deit_mini\"".as_bytes()).unwrap(), settings("model = \"deit_mini\""));
    for (bytes, part) in [
        (&b"model = \"\xFF\""[..], "FILE is not a config file: expected UTF-8 text, found something else at byte 9"),
        (&b"\xFF\xFEm\0"[..], "found UTF-16"),
        (&b"{\"model\": 1}"[..], "FILE is not a config file"),
        (&b"model = \"deit_mini\"\nepoch = 3"[..], "line 2"),
    ] {
        let message = read(bytes).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
    // A value of the wrong kind is told with all the others, later.
    assert!(read(b"model = \"deit_mini\"\nepochs = \"three\"").is_ok());
}

#[test]
fn typed_paths_become_absolute_and_words_stay_words() {
    let base = Path::new("/somewhere");
    let typed = settings("weights = \"w.pth\"\n[data]\nsource = \"./pics\"\n[panel]\nlist = \"/l.txt\"");
    let absolute = "weights = \"/somewhere/w.pth\"\n[data]\nsource = \"/somewhere/pics\"\n[panel]\nlist = \"/l.txt\"";
    assert_eq!(typed.with_absolute_paths(base, None), settings(absolute));
    assert_eq!(typed.with_absolute_paths(base, Some(&typed)), typed, "typed elsewhere");
    for words in
        ["weights = \"none\"\n[data]\nsource = \"textures\"", "weights = \"pretrained\"\n[data]\nsource = \"dtd\""]
    {
        assert_eq!(settings(words).with_absolute_paths(base, None), settings(words));
    }
}

#[test]
fn a_branch_takes_places_from_the_run_and_looks_for_nothing() {
    let list = listed("\u{FEFF}a\n# not this\nb\n");
    let text = format!(
        "model = \"deit_mini\"\nweights = \"w.pth\"\nallow_missing = [\"head.*\"]\n[data]\nsource = \"pics\"\n\
         [panel]\nlist = \"{}\"",
        list.path().display()
    );
    let old = settings(&text);
    let mut saved = old.resolve().unwrap();
    drop(list);
    // As if the run had been begun elsewhere.
    let crate::data::DataConfig::Folder(folder) = &mut saved.data else { panic!("a folder") };
    folder.root = "/gone/pics".into();
    saved.weights.file = Some("/gone/w.pth".into());

    let mut new = old.clone();
    new.set_text("schedule.decay=constant").unwrap();
    let branch = new.resolve_branch(&old, &saved).unwrap();
    assert_eq!(
        branch.differences(&saved),
        ["schedule.decay.kind: \"cosine\" there, \"constant\" here", "schedule.decay.minimum: 0.0 there, nothing here"]
    );
    // The same place by its whole path is the same place; another one is another one.
    new.set("data.source", "/gone/pics").unwrap();
    assert_eq!(new.resolve_branch(&old, &saved).unwrap().data, saved.data);
    new.set("weights", "/there/w.pth").unwrap();
    assert_eq!(new.resolve_branch(&old, &saved).unwrap().weights.file.unwrap(), Path::new("/there/w.pth"));
    new.set("panel.list", "/gone/other").unwrap();
    assert!(matches!(new.resolve_branch(&old, &saved), Err(file::ConfigError::PanelList(_))));
}

#[test]
fn what_came_along_from_another_run_may_do_nothing_in_a_branch() {
    let old = settings("model = \"deit_mini\"\n[schedule]\ndecay = \"step\"\nstep_epochs = 3");
    let saved = old.resolve().unwrap();
    let mut new = old.clone();
    new.set_text("schedule.decay=constant").unwrap();
    assert_eq!(new.resolve_branch(&old, &saved).unwrap().schedule.decay, Decay::Constant);
    assert!(new.resolve().is_err());
    new.set_text("schedule.minimum=1e-6").unwrap();
    let message = new.resolve_branch(&old, &saved).unwrap_err().to_string();
    assert!(message.contains("schedule.minimum: only valid") && !message.contains("step_epochs"), "{message}");
}

#[test]
fn every_recipe_that_comes_with_the_program_works() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let recipes = crate::fsx::list_dir(&folder).unwrap();
    assert!(recipes.len() >= 8, "{recipes:?}");
    for recipe in recipes {
        let mut settings = Settings::read(&recipe).unwrap();
        if !recipe.display().to_string().contains("textures") {
            settings.set_text("data.source=images").unwrap();
        }
        settings.set_text("weights=none").unwrap();
        settings.resolve().unwrap_or_else(|error| panic!("{}: {error}", recipe.display()));
    }
}
