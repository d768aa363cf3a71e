//! Errors as a person and a script meet them: one line, and an exit code.

use crate::config::file::ConfigError;
use crate::data::DataError;
use crate::explain::ExplainError;
use crate::fsx::{FsError, one_line};
use crate::probe::CauseError;
use crate::train::TrainError;

/// Stopped by a signal, as shells count it.
pub(super) const INTERRUPTED: u8 = 130;

/// The exit code where what was typed can never be right; clap's too.
pub(super) const WRONG: u8 = 2;

/// What was typed is wrong, whatever lies on the disk.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Wrong(String);

/// An error about what was typed. One about what lies on the disk is any other error.
pub(super) fn wrong(text: String) -> anyhow::Error {
    Wrong(text).into()
}

/// Whether the fault is in what was typed, on the command line or in a config file.
pub(super) fn is_wrong(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Wrong>()
            || cause.downcast_ref().is_some_and(ConfigError::is_about_settings)
            || of_explaining(cause).is_some_and(ExplainError::is_about_settings)
    })
}

/// What is wrong with explaining, be it on its own or handed on word for word by what explains.
fn of_explaining<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a ExplainError> {
    match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(TrainError::Explain(error)), _) | (_, Some(CauseError::Explain(error))) => Some(error),
        _ => cause.downcast_ref(),
    }
}

/// The error and its causes on one line, each once: some messages already end in their cause. Only images that cannot be
/// read are listed, one a line, whatever their names hold.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.contains(cause.trim_end()) {
            let separator = if line.is_empty() { "" } else { ": " };
            line = format!("{line}{separator}{}", cause.trim_end());
        }
    }
    let of_data =
        |cause: &(dyn std::error::Error + 'static)| matches!(cause.downcast_ref(), Some(DataError::BadImages { .. }));
    match error.chain().any(of_data) {
        true => line.lines().map(one_line).collect::<Vec<_>>().join("\n"),
        false => one_line(&line).into_owned(),
    }
}

/// The reader of our stdout has seen enough: no failure of ours. That of another pipe is a file that was not written.
pub(super) fn is_stdout_closed(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref().is_some_and(FsError::is_stdout_closed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Skipped;
    use std::io::{Error, ErrorKind};
    use std::path::{Path, PathBuf};

    #[test]
    fn an_error_is_one_line_whatever_a_name_holds() {
        let error = anyhow::anyhow!("no class 'a\nerror: b\x1b[2J'").context("data\r\nin c");
        assert_eq!(chain(&error), "data\\r\\nin c: no class 'a\\nerror: b\\u{1b}[2J'");
        let skipped = |name: &str| Skipped { path: PathBuf::from(name), reason: "the file is\nempty".to_string() };
        let error = DataError::BadImages { bad: vec![skipped("1\n  2.png"), skipped("3.png")], all: 9 };
        let text = chain(&error.into());
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("\n  3.png: the file is\\nempty"), "{text}");
    }

    /// A pipe that was named as output is a file that is not written; `| head` is how people look at the beginning.
    #[test]
    fn a_pipe_that_closed_is_a_success_for_stdout_alone() {
        let closed = || Error::from(ErrorKind::BrokenPipe);
        assert!(is_stdout_closed(&anyhow::Error::from(FsError::Stdout(closed())).context("plot")));
        assert!(!is_stdout_closed(&FsError::Stdout(Error::from(ErrorKind::StorageFull)).into()));
        assert!(!is_stdout_closed(&FsError::of("write", Path::new("pipe"))(closed()).into()));
        assert!(!is_stdout_closed(&anyhow::Error::from(closed())));
    }
}
