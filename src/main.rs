//! The `driftscope` command: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    driftscope::cli::run()
}
