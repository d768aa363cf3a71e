//! The command line: one file a subcommand, each from flags through the library to stdout.
//!
//! stdout carries data, stderr progress and errors. Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 stopped by a
//! signal and saved.

mod animate;
mod cause;
mod compare;
mod data;
mod drift;
mod eval;
mod explain;
mod export;
mod output;
mod plot;
mod report;
mod run_spec;
mod runs;
mod train;
mod watch;

use crate::data::{DataConfig, DataSet};
use crate::device;
use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::io::Write;
use std::process::ExitCode;

/// Fine-tune vision models, look at them in every validation epoch, and see how the evidence drifts.
#[derive(Debug, Parser)]
#[command(name = "driftscope", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a model, explain it at every epoch, keep both.
    Train(Box<train::TrainArguments>),
    /// Evaluate a checkpoint on the test split, which training never sees.
    Eval(eval::EvalArguments),
    /// Write a checkpoint's weights as safetensors that timm and torchvision load strictly.
    Export(export::ExportArguments),
    /// List the runs below a directory.
    Runs(runs::RunsArguments),
    /// Check data and count its pictures.
    Data(data::DataArguments),
    /// What a trained model looks at, on its panel or on new pictures, by any method.
    Explain(explain::ExplainArguments),
    /// How far the evidence of a run moved, beside its noise floor and chance level.
    Drift(drift::DriftArguments),
    /// Which part of the model moved its evidence: head, batch-norm statistics or backbone.
    Cause(cause::CauseArguments),
    /// Runs side by side: how their evidence drifts, how wide it is, and whether they see the same images move.
    Compare(compare::CompareArguments),
    /// One image's heat maps through the epochs, as a GIF or a film strip.
    Animate(animate::AnimateArguments),
    /// Loss, accuracy and drift over the epochs as SVG or PNG, for a paper.
    Plot(plot::PlotArguments),
    /// One HTML page for one or more runs: a slider moves every heat map through the epochs.
    Report(report::ReportArguments),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// How a table goes to stdout.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Columns for a person
    Table,
    /// One row a figure, for a dataframe
    Csv,
    /// Names and values, for a program
    Json,
}

/// Stopped by a signal, as shells count it.
const INTERRUPTED: u8 = 130;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let command = Arguments::parse().command;
    let result = device::within_memory(|| dispatch(command));
    match result.unwrap_or_else(|out_of_memory| Err(out_of_memory.into())) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere to complain if stderr is gone.
            drop(writeln!(std::io::stderr(), "error: {}", chain(&error)));
            ExitCode::FAILURE
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

/// The error and its causes on one line, each once: some messages already end in their cause.
fn chain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.contains(cause.trim_end()) {
            let separator = if line.is_empty() { "" } else { ": " };
            line = format!("{line}{separator}{}", cause.trim_end());
        }
    }
    line
}

/// The reader of our stdout has seen enough: no failure of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

/// A run's data, with progress on stderr where it takes long.
fn open_data(config: &DataConfig) -> Result<DataSet> {
    let watch = watch::Watch::new("checking pictures");
    let data = DataSet::open_watched(config, &|done, all| watch.told(done, all));
    watch.finish();
    Ok(data?)
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
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn a_path_with_a_blank_is_quoted_for_the_shell() {
        let quoted = |text: &str| crate::fsx::quoted(std::path::Path::new(text));
        assert_eq!(quoted("checkpoints/a-b_1.2"), "checkpoints/a-b_1.2");
        assert_eq!(quoted("my run"), "'my run'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
