//! `RUN`, `RUN@3`, `RUN@best` or `RUN@last`: a run's directory, and which of its checkpoints.

use crate::fsx;
use crate::run::Which;
use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser, ValueParserFactory};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A run and one of its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunSpec {
    pub(super) path: PathBuf,
    pub(super) which: Which,
}

impl RunSpec {
    /// From what a person typed, in whatever letters the file system has.
    pub(super) fn parse(text: &OsStr) -> Result<Self, String> {
        let whole = || RunSpec { path: PathBuf::from(text), which: Which::Newest };
        let Some(at) = text.as_bytes().iter().rposition(|byte| *byte == b'@') else { return Ok(whole()) };
        // A directory may have an @ in its name.
        if PathBuf::from(text).exists() {
            return Ok(whole());
        }
        let (path, which) = (OsStr::from_bytes(&text.as_bytes()[..at]), &text.as_bytes()[at + 1..]);
        let which = match which {
            b"best" => Which::Best,
            b"last" => Which::Newest,
            number => match std::str::from_utf8(number).ok().and_then(fsx::whole_number) {
                Some(epoch) => Which::Epoch(epoch),
                None => {
                    return Err(format!(
                        "there is no file or folder '{}', and '@{}' is no epoch of a run; expected @N, @best or @last",
                        text.display(),
                        String::from_utf8_lossy(number)
                    ));
                }
            },
        };
        Ok(RunSpec { path: PathBuf::from(path), which })
    }
}

impl ValueParserFactory for RunSpec {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        ValueParser::new(OsStringValueParser::new().try_map(|text: OsString| RunSpec::parse(&text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    #[test]
    fn a_run_is_named_alone_or_with_an_epoch() {
        let parse =
            |text: &str| RunSpec::parse(OsStr::new(text)).map(|spec| (spec.path.display().to_string(), spec.which));
        assert_eq!(parse("a/b"), Ok(("a/b".to_string(), Which::Newest)));
        assert_eq!(parse("a/b@3"), Ok(("a/b".to_string(), Which::Epoch(3))));
        assert_eq!(parse("a@b/c@best"), Ok(("a@b/c".to_string(), Which::Best)));
        assert_eq!(parse("a@last"), Ok(("a".to_string(), Which::Newest)));
        assert!(parse("a@first").unwrap_err().contains("@best"));
        assert!(parse("a@+5").unwrap_err().contains("'@+5' is no epoch of a run"));
        let missing = parse("photo@2x.png").unwrap_err();
        assert!(missing.contains("no file or folder 'photo@2x.png'"), "{missing}");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 300,
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Below a folder that is not there, so that no name means a file.
        #[test]
        fn what_stands_before_the_last_at_is_the_path(name in vec(any::<u8>(), 0..12), epoch in any::<usize>()) {
            let path = [&b"/nowhere/"[..], &name].concat();
            let spec = RunSpec::parse(OsStr::from_bytes(&[&path[..], b"@", epoch.to_string().as_bytes()].concat())).unwrap();
            prop_assert_eq!((spec.path.as_os_str().as_bytes(), spec.which), (&path[..], Which::Epoch(epoch)));
            match (name.iter().rposition(|byte| *byte == b'@'), RunSpec::parse(OsStr::from_bytes(&path))) {
                (None, whole) => {
                    let whole = whole.unwrap();
                    prop_assert_eq!(whole.path.as_os_str().as_bytes(), &path[..]);
                }
                (Some(at), Ok(spec)) => {
                    prop_assert_eq!(spec.path.as_os_str().as_bytes(), &path[.."/nowhere/".len() + at]);
                }
                (Some(_), Err(message)) => prop_assert!(message.contains("no epoch of a run"), "{message}"),
            }
        }
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_a_name() {
        let spec = RunSpec::parse(OsStr::from_bytes(b"run\xff@2")).unwrap();
        assert_eq!((spec.path.as_os_str().as_bytes(), spec.which), (&b"run\xff"[..], Which::Epoch(2)));
        assert!(RunSpec::parse(OsStr::from_bytes(b"run@\xff")).is_err());
    }
}
