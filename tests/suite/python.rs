//! What Python reads of a run: every map in one line.

use crate::support::{alone, succeed};
use driftscope::store::RunReader;
use std::fs;
use std::io::Write;
use std::process::Command;

/// The line that the schema's documentation promises.
const ONE_LINE: &str = "import sys, safetensors.numpy; maps = safetensors.numpy.load_file(sys.argv[1])['maps']; \
                        print(maps.shape, maps.dtype, *maps.ravel().tolist())";

#[test]
fn python_reads_every_map_in_one_line() {
    // A folder with numpy and safetensors; scripts/test.sh makes one.
    let Some(packages) = std::env::var_os("DRIFTSCOPE_PYTHON_PACKAGES") else {
        // Straight to the stream: what a passing test prints is not shown.
        let what = "skipped: DRIFTSCOPE_PYTHON_PACKAGES, a folder with numpy and safetensors, is not set";
        writeln!(std::io::stderr(), "{what}").unwrap();
        return;
    };
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let text = "model = \"resnet_mini\"\nepochs = 1\nbatch_size = 8\n[data]\ntrain_per_class = 1\nval_per_class = 1\n\
                [panel]\nper_class = 1\n";
    fs::write(dir.path().join("config.toml"), text).unwrap();
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "run"]);
    let run = RunReader::open(&dir.path().join("run")).unwrap();
    let expected = run.explanations(1, "grad-cam").unwrap();

    let file = run.epoch_dir(1).join("explanations/grad-cam.safetensors");
    let python = Command::new("python3").args(["-c", ONE_LINE]).arg(file).env("PYTHONPATH", packages).output().unwrap();
    let text = String::from_utf8_lossy(&python.stdout).into_owned();
    let [rows, columns] = expected.grid;
    let values = text.strip_prefix(&format!("({}, 1, {rows}, {columns}) float32 ", expected.images()));
    let values = values.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&python.stderr)));
    let values: Vec<f32> = values.split_whitespace().map(|value| value.parse().unwrap()).collect();
    assert_eq!(values, expected.maps);
}
