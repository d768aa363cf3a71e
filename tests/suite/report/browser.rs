//! A page, opened in headless Chromium with a probe inside.

use data_encoding::BASE64;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::ops::Index;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

const PROBE: &str = include_str!("probe.js");

/// What the probe saw.
pub(super) struct Probe {
    seen: Value,
    /// Lines of the browser's console.
    pub(super) console: Vec<String>,
}

impl Index<&str> for Probe {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.seen[name]
    }
}

/// Opens a copy of the page, `width` CSS pixels wide, with the probe in front of its own scripts.
///
/// The copy's content security policy allows the probe by its hash and is otherwise the page's own.
pub(super) fn probed(page: &str, grids: &Value, width: u32) -> Probe {
    opened(page, grids, width, PROBE)
}

/// As [`probed`], with another script that drives the page, of statements that may use what the probe defines.
pub(super) fn probed_by(page: &str, grids: &Value, width: u32, drive: &str) -> Probe {
    let call = "await drive();";
    assert_eq!(PROBE.matches(call).count(), 1);
    opened(page, grids, width, &PROBE.replace(call, drive))
}

fn opened(page: &str, grids: &Value, width: u32, probe: &str) -> Probe {
    let hash = format!("'sha256-{}'", BASE64.encode(&Sha256::digest(probe.as_bytes())));
    let scripts = format!(
        "<script type=\"application/json\" id=\"probe-grids\" data-width=\"{width}\">{grids}</script><script>{probe}</script>"
    );
    let policy = format!("script-src {hash} ");
    let data = "<script id=\"data\"";
    assert!(page.matches("script-src ").count() == 1 && page.matches(data).count() == 1);
    let copy = page.replace("script-src ", &policy).replace(data, &format!("{scripts}{data}"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.html");
    fs::write(&file, copy).unwrap();
    let profile = dir.path().join("profile");
    let output = Command::new(chromium())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--window-size={width},3000"))
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let result = dom.split_once("id=\"probe-result\">").and_then(|(_, rest)| rest.split_once("</script>"));
    let (json, _) = result.unwrap_or_else(|| panic!("the probe did not come to its end: {log}"));
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_string).collect();
    let seen: Value = serde_json::from_str(json).unwrap();
    assert_eq!(seen["errors"], serde_json::json!([]), "{console:?}");
    Probe { seen, console }
}

/// `$CHROMIUM`, or the first browser of the family in the path.
fn chromium() -> PathBuf {
    if let Some(named) = env::var_os("CHROMIUM") {
        return named.into();
    }
    let path: OsString = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name))).find(|file| file.is_file());
    found.expect("the report is tested in a browser: install chromium or google-chrome, or name one in $CHROMIUM")
}
