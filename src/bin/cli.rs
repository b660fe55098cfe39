//! The command line. It uses the same library and the same links as the page. `lookahead help` lists its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    match lookahead::command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_status())
        }
    }
}
