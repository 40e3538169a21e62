//! Exit codes, the same for every command and format, and the errors that end a command.
//!
//! A report or an error comes in, an exit code goes out. A partial result outranks findings: what was not
//! read may hold worse ones.

use super::args::{FailOn, JudgeArgs};
use migsift::error::Error;
use migsift::report::{CodeReport, Report};
use std::io::ErrorKind;
use std::process::ExitCode;

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was read; nothing to fail on.
    Clean = 0,
    /// Everything was read; something to fail on was found.
    Found = 1,
    /// Usage, configuration or catalogue error; nothing was scanned.
    Usage = 2,
    /// The result is valid for what was read; something was not read.
    Partial = 3,
    /// The output could not be written, or an internal failure.
    Output = 4,
    /// The store is in use by another run.
    Busy = 5,
    /// Interrupted, after a valid partial result.
    Interrupted = 130,
    /// Terminated, after a valid partial result.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

impl Exit {
    /// The exit code after this report.
    pub fn of_report(report: &Report, judge: &JudgeArgs) -> Exit {
        let found = report.codes.iter().any(|code| fails(judge.fail_on, code));
        if !report.inputs.complete() {
            Exit::Partial
        } else if found && !judge.exit_zero {
            Exit::Found
        } else {
            Exit::Clean
        }
    }

    /// The exit code after a fatal error. A reader that closed the pipe, such as `head`, has read what it
    /// wanted.
    pub fn of(error: &Error) -> Exit {
        match error {
            Error::Output { source, .. } if source.kind() == ErrorKind::BrokenPipe => Exit::Clean,
            Error::Catalog(_) | Error::Unusable(_) => Exit::Usage,
            Error::Busy { .. } => Exit::Busy,
            _ => Exit::Output,
        }
    }
}

/// Whether a found code is one to fail on. Its suppressed findings do not count.
pub fn fails(on: FailOn, code: &CodeReport) -> bool {
    let open = code.open_by_severity();
    match on {
        FailOn::Error => open.errors > 0,
        FailOn::Warning => !open.is_empty(),
        FailOn::Unknown => !code.known && !open.is_empty(),
        FailOn::Never => false,
    }
}

/// Arguments that cannot be used, although clap accepts them. The text names the flag.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    pub fn new(text: impl Into<String>) -> UsageError {
        UsageError(text.into())
    }
}

/// Why a command has no result.
#[derive(Debug)]
pub enum CommandError {
    Usage(UsageError),
    Fatal(Error),
}

impl From<UsageError> for CommandError {
    fn from(error: UsageError) -> CommandError {
        CommandError::Usage(error)
    }
}

impl From<Error> for CommandError {
    fn from(error: Error) -> CommandError {
        CommandError::Fatal(error)
    }
}
