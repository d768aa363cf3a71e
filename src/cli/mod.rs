//! The command line: one file a subcommand, each from flags through the library to stdout.
//!
//! stdout carries data, stderr progress and errors. Exit codes: 0 done; 2 what was typed can never be right, be it a flag or a
//! setting in a file; 1 everything else that fails; 130 stopped by a signal and saved.

mod animate;
mod args;
mod bench;
mod cause;
mod compare;
mod data;
mod drift;
mod error;
mod eval;
mod explain;
mod export;
mod input;
mod limits;
mod list;
mod output;
mod plot;
mod precision;
mod report;
mod run_spec;
mod runs;
mod train;

use crate::device;
use crate::progress::say;
use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use error::{WRONG, chain, is_stdout_closed, is_wrong};
use output::print;
use std::process::ExitCode;

/// Fine-tune vision models, explain them in every validation epoch, and measure how their explanations drift.
#[derive(Debug, Parser)]
#[command(name = "driftscope", version, max_term_width = 100, disable_help_subcommand = true)]
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
    /// Time each part of a run on this machine, beside what the device could do at most.
    Bench(bench::BenchArguments),
    /// List models, methods, measures or devices.
    List(list::ListArguments),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the help of a command.
    Help {
        /// Which command, such as train or list models [default: all of them]
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
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
        Command::Bench(arguments) => bench::run(&arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Completions { shell } => completions(shell),
        Command::Help { command } => help(&command),
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

/// What `driftscope COMMAND --help` prints.
fn help(path: &[String]) -> Result<ExitCode> {
    let asked = ["driftscope"].into_iter().chain(path.iter().map(String::as_str)).chain(["--help"]);
    match Arguments::command().try_get_matches_from(asked) {
        Err(shown) if shown.kind() == ErrorKind::DisplayHelp => print(&shown.render().to_string())?,
        Err(error) => error.exit(),
        Ok(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
