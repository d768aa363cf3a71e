//! Settings at the ends of their ranges run, and flags beyond them are refused before anything is made.

use crate::support::{alone, driftscope, succeed};
use std::fs;

const SMALL: &str =
    "epochs = 1\n[data]\ntrain_per_class = 2\nval_per_class = 1\n[panel]\nper_class = 1\noverlays = 1000000\n";

fn runs(text: &str) {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.toml"), text).unwrap();
    let output = succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "run"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    assert!(dir.path().join("run/epoch-0001/manifest.json").exists());
}

#[test]
fn a_run_with_everything_at_its_greatest_ends_well() {
    runs(&format!(
        "model = \"deit_mini\"\ndrop_path = 0.99\nbatch_size = 1000000\naccumulate = 1000000\n\
         seed = 9223372036854775807\nlabel_smoothing = 0.99\n{SMALL}seed = 9223372036854775807\n\
         [preprocessing]\nresize = 512\n[augmentation]\ncrop_scale = [1e-6, 1.0]\ncrop_ratio = [0.001, 1000.0]\n\
         flip = 1.0\ncolour_jitter = [100, 100, 100, 0.5]\nerasing = 1.0\nerasing_area = [1e-6, 1.0]\n\
         erasing_ratio = [0.001, 1000.0]\nmixup = 1000.0\ncutmix = 1000.0\n\
         policy = {{ kind = \"rand-augment\", operations = 100, magnitude = 30 }}\n\
         [optimizer]\nweight_decay = 1e3\nbetas = [0.999999, 0.999999]\nepsilon = 1e30\nlayer_decay = 1.0\n\
         [schedule]\nlearning_rate = 1e-9\nwarmup_epochs = 1.0\nwarmup_start = 1.0\n\
         [freeze]\nhead_only_epochs = 1\n[ema]\ndecay = 0.999999999\n\
         [early_stopping]\npatience = 1000000\n[checkpoints]\nkeep_best = 1000000\nkeep_last = 1000000\n"
    ));
}

#[test]
fn a_run_with_everything_at_its_least_ends_well() {
    runs(&format!(
        "model = \"resnet_mini\"\nbatch_size = 1\naccumulate = 1\n{SMALL}seed = 0\n\
         [augmentation]\ncrop_scale = [1e-6, 1e-6]\ncrop_ratio = [0.001, 0.001]\nflip = 0.0\n\
         erasing = 1e-300\nerasing_area = [1e-6, 1e-6]\nerasing_ratio = [1000.0, 1000.0]\nmixup = 0.001\ncutmix = 0.001\n\
         policy = {{ kind = \"rand-augment\", operations = 1, magnitude = 0 }}\n\
         [optimizer]\nkind = \"sgd\"\nmomentum = 0.0\nweight_decay = 0.0\nlayer_decay = 1e-300\nclip_norm = 1e-300\n\
         [schedule]\nlearning_rate = 1e-300\nwarmup_epochs = 0.0\ndecay = \"step\"\nstep_epochs = 1\nstep_factor = 1e-300\n\
         [ema]\ndecay = 0.0\n[checkpoints]\nkeep_best = 0\nkeep_last = 1\n"
    ));
}

#[test]
fn a_flag_out_of_range_is_refused_by_its_setting_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (flags, part) in [
        (&["--lr", "nan"][..], "schedule.learning_rate is NaN, expected a positive number"),
        (&["--lr", "inf"], "schedule.learning_rate is inf, expected a positive number"),
        (&["--lr=-1"], "schedule.learning_rate is -1, expected a positive number"),
        (&["--lr", "0"], "schedule.learning_rate is 0, expected a positive number"),
        (&["--epochs", "0"], "epochs is 0, expected a whole number between 1 and 1000000"),
        (&["--epochs", "4294967295"], "epochs is 4294967295, expected"),
        (&["--batch-size", "0"], "batch_size is 0, expected"),
        (&["--stop-when-stable", "0"], "early_stopping.stable_epochs is 0, expected"),
        (&["--patience", "0"], "evidence.patience is 0, expected"),
        (&["--margin", "101"], "'101' is no margin; expected a number from 0 to 100"),
        (&["--set", "accumulate=9223372036854775807"], "accumulate is 9223372036854775807, expected"),
        (&["--set", "seed=9223372036854775808"], "seed is '9223372036854775808', expected a whole number"),
        (&["--set", "augmentation.erasing=1", "--set", "augmentation.erasing_ratio=[0.5, inf]"], "erasing_ratio"),
        (&["--methods", "rollout:start_block=99"], "rollout: start_block is 99"),
        (&["--methods", "occlusion:window=99"], "occlusion: window is 99, expected 1 to 12"),
        (&["--set", "data.source=123"], "123"),
    ] {
        let output = driftscope(dir.path(), &[&["train", "--model", "deit_mini"], flags].concat()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        // What was typed can never be right; a folder called 123 might have been there.
        let code = if part == "123" { 1 } else { 2 };
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {message}");
        assert!(message.contains(part) && !message.contains("panicked"), "{flags:?}: {message}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_bare_number_names_a_folder_of_pictures() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    for (class, shade) in [("a", 20), ("b", 200)] {
        for split in ["train", "val"] {
            let folder = dir.path().join("123").join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            image::RgbImage::from_pixel(96, 96, image::Rgb([shade, 90, 7])).save(folder.join("1.png")).unwrap();
        }
    }
    let train = ["train", "--model", "deit_mini", "--set", "data.source=123", "--epochs", "1", "--run-dir", "run"];
    succeed(dir.path(), &train);
}
