//! The command line: one file a subcommand, each from flags through the library to stdout.
//!
//! stdout carries data, stderr progress and errors. Exit codes: 0 done; 2 what was typed can never be right, be it a flag or a
//! setting in a file; 1 everything else that fails; 130 stopped by a signal and saved.

mod animate;
mod args;
mod cause;
mod compare;
mod data;
mod drift;
mod eval;
mod explain;
mod export;
mod limits;
mod list;
mod output;
mod plot;
mod report;
mod run_spec;
mod runs;
mod train;

use crate::config::file::ConfigError;
use crate::data::{DataConfig, DataError, DataSet};
use crate::device;
use crate::fsx::{self, FsError, one_line};
use crate::progress::{Progress, say};
use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use std::process::ExitCode;

/// Fine-tune vision models, explain them in every validation epoch, and measure how their explanations drift.
#[derive(Debug, Parser)]
#[command(name = "driftscope", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a model and explain it at every epoch.
    Train(Box<train::TrainArguments>),
    /// Evaluate a checkpoint on the test split, which training never sees.
    Eval(eval::EvalArguments),
    /// Write a checkpoint's weights as safetensors that timm and torchvision load strictly.
    Export(export::ExportArguments),
    /// List the runs below a directory.
    Runs(runs::RunsArguments),
    /// Check a data set: read every image, count classes and splits.
    Data(data::DataArguments),
    /// Explain a trained model, on its panel or on new images, by any method.
    Explain(explain::ExplainArguments),
    /// Measure how far a run's explanations drifted, beside their noise floor and chance.
    Drift(drift::DriftArguments),
    /// Find which part of the model caused the drift: head, batch-norm statistics or backbone.
    Cause(cause::CauseArguments),
    /// Compare runs: how their explanations drift, how wide they are, and whether the same images drift.
    Compare(compare::CompareArguments),
    /// Show one image's heat maps through the epochs, as a GIF or a film strip.
    Animate(animate::AnimateArguments),
    /// Plot loss, accuracy and drift over the epochs as SVG or PNG.
    Plot(plot::PlotArguments),
    /// Write one HTML page about one or more runs; a slider moves every heat map through the epochs.
    Report(report::ReportArguments),
    /// List models, methods, measures or devices.
    List(list::ListArguments),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Stopped by a signal, as shells count it.
const INTERRUPTED: u8 = 130;

/// What was typed can never be right, as clap says it too.
const WRONG: u8 = 2;

/// What was typed is wrong, whatever lies on the disk.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Wrong(String);

/// An error about what was typed. One about what lies on the disk is any other error.
fn wrong(text: String) -> anyhow::Error {
    Wrong(text).into()
}

/// Whether the fault is in what was typed, on the command line or in a config file.
fn is_wrong(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Wrong>() || cause.downcast_ref().is_some_and(ConfigError::is_about_settings))
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let command = Arguments::parse().command;
    let result = device::within_memory(|| dispatch(command));
    match result.unwrap_or_else(|out_of_memory| Err(out_of_memory.into())) {
        Ok(code) => code,
        Err(error) if is_stdout_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            format!("error: {}", chain(&error)).lines().for_each(say);
            if is_wrong(&error) { ExitCode::from(WRONG) } else { ExitCode::FAILURE }
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Train(arguments) => train::run(*arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Runs(arguments) => runs::run(&arguments),
        Command::Data(arguments) => data::run(&arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Completions { shell } => completions(shell),
        Command::Drift(arguments) => drift::run(&arguments),
        Command::Cause(arguments) => cause::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Animate(arguments) => animate::run(&arguments),
        Command::Plot(arguments) => plot::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
    }
}

fn completions(shell: Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "driftscope", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// The error and its causes on one line, each once: some messages already end in their cause. Only pictures that cannot be
/// read are listed, one a line, whatever their names hold.
fn chain(error: &anyhow::Error) -> String {
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
fn is_stdout_closed(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref().is_some_and(FsError::is_stdout_closed))
}

/// A run's data, with progress on stderr where it takes long.
fn open_data(config: &DataConfig) -> Result<DataSet> {
    let progress = Progress::new();
    let phase = progress.phase("checking images");
    Ok(DataSet::open_watched(config, &|done, all| phase.done(done, all))?)
}

/// What of the data is not used, and why: lines for a person.
fn left_out(data: &DataSet) -> Vec<String> {
    let mut lines = data.notes.clone();
    lines.extend(data.skipped.iter().map(|skipped| format!("skipped, cannot be read: {skipped}")));
    if !data.skipped.is_empty() {
        lines.push(format!("{} picture(s) skipped", data.skipped.len()));
    }
    lines
}

/// Writes data to stdout.
fn print(text: &str) -> Result<()> {
    Ok(fsx::write_stdout(text.as_bytes())?)
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

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
