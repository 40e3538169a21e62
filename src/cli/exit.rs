//! Exit codes, the same for every command and format.

use super::args::{FailOn, JudgeArgs};
use migsift::error::Error;
use migsift::report::{CodeReport, Report};
use std::io::ErrorKind;
use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was read; nothing to fail on.
    Clean = 0,
    /// Everything asked for was read; something to fail on was found.
    Found = 1,
    /// Usage, configuration or catalogue error; nothing was scanned.
    Usage = 2,
    /// The results hold for what was read; something was not.
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
    /// How the program ends with this report.
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

    /// How the program ends with a fatal error. A reader that has closed the pipe has what it wanted.
    pub fn of(error: &Error) -> Exit {
        match error {
            Error::Output { source, .. } if source.kind() == ErrorKind::BrokenPipe => Exit::Clean,
            Error::Catalog(_) | Error::Unusable(_) => Exit::Usage,
            Error::Busy { .. } => Exit::Busy,
            _ => Exit::Output,
        }
    }
}

/// Whether a code that was found is one to fail on: what is known and accepted of it does not count.
pub fn fails(on: FailOn, code: &CodeReport) -> bool {
    let open = code.open_by_severity();
    match on {
        FailOn::Error => open.errors > 0,
        FailOn::Warning => !open.is_empty(),
        FailOn::Unknown => !code.known && !open.is_empty(),
        FailOn::Never => false,
    }
}
