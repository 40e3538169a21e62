//! The migsift program: parses arguments, runs a command, says what went wrong, ends with the contract's exit codes.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic's message may quote a log; where it was is enough to find the defect.
    std::panic::set_hook(Box::new(|panic| {
        let place =
            panic.location().map_or(String::new(), |place| format!(" at {}:{}", place.file(), place.line()));
        cli::say(&format!("internal error{place}; please report it"));
    }));
    let exit = match cli::flags::parse() {
        Ok(arguments) => cli::run(&arguments.command).unwrap_or_else(|error| cli::say_error(&error)),
        Err(exit) => exit,
    };
    exit.into()
}
