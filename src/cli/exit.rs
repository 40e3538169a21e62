//! Exit codes, the same for every command and format.

use migsift::error::Error;
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
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

impl Exit {
    /// How the program ends with a fatal error. A reader that has closed the pipe has what it wanted.
    pub fn of(error: &Error) -> Exit {
        match error {
            Error::Output { source, .. } if source.kind() == ErrorKind::BrokenPipe => Exit::Clean,
            Error::Catalog(_) => Exit::Usage,
            _ => Exit::Output,
        }
    }
}
