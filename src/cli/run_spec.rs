//! `RUN`, `RUN@3` or `RUN@best`: a run's directory, and which of its checkpoints.

use crate::train::Which;
use std::path::PathBuf;
use std::str::FromStr;

/// A run and one of its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunSpec {
    pub(super) path: PathBuf,
    pub(super) which: Which,
}

impl FromStr for RunSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = || RunSpec { path: PathBuf::from(text), which: Which::Newest };
        let Some((path, which)) = text.rsplit_once('@') else { return Ok(whole()) };
        // A directory may have an @ in its name.
        if PathBuf::from(text).exists() {
            return Ok(whole());
        }
        let which = match which {
            "best" => Which::Best,
            "last" => Which::Newest,
            number => {
                let epoch = number.parse();
                Which::Epoch(epoch.map_err(|_| format!("'@{number}' is no epoch; expected @N, @best or @last"))?)
            }
        };
        Ok(RunSpec { path: PathBuf::from(path), which })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_alone_or_with_an_epoch() {
        let parse = |text: &str| text.parse::<RunSpec>().map(|spec| (spec.path.display().to_string(), spec.which));
        assert_eq!(parse("a/b"), Ok(("a/b".to_string(), Which::Newest)));
        assert_eq!(parse("a/b@3"), Ok(("a/b".to_string(), Which::Epoch(3))));
        assert_eq!(parse("a@b/c@best"), Ok(("a@b/c".to_string(), Which::Best)));
        assert!(parse("a@first").unwrap_err().contains("@best"));
    }
}
