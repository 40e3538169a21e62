//! What a format consists of, without knowing any of them.
//!
//! Each format's file fills in a [`Definition`]; the table in `format.rs` lists them. This file is below both, so that
//! neither imports the other by way of it.

use super::human::Layout;
use crate::catalog::{Catalog, Entry};
use crate::context::Time;
use crate::error::Error;
use crate::input::Signature;
use crate::report::{CodeReport, Report};
use crate::scan::Sink;
use std::io::{self, Write};

/// What a format is called, how its output is recognised, and how it is written.
pub(super) struct Definition {
    /// Its name on the command line.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// One line of help.
    pub about: &'static str,
    /// How its output starts, so that a later scan skips it.
    pub signatures: &'static [Signature],
    /// How it is written.
    pub writer: Writer,
}

/// How a format is written.
#[derive(Clone, Copy)]
pub enum Writer {
    /// From the report, when the scan has ended.
    Report(WriteReport),
    /// Finding by finding, while the scan runs.
    Findings(StartFindings),
}

/// Writes a whole report.
pub type WriteReport = fn(&Report, &Settings<'_>, &mut dyn Write) -> io::Result<()>;

/// Starts an output that then accepts findings.
pub type StartFindings = fn(Box<dyn Destination>, &Settings<'_>) -> Result<Box<dyn Streamed>, Error>;

/// A streamed output that has been started: it accepts findings, then the report that completes it.
pub trait Streamed: Sink {
    /// Writes what follows the findings and completes the destination.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    fn complete(self: Box<Self>, report: &Report) -> Result<(), Error>;
}

/// Where a streamed output goes.
pub trait Destination: Write + Send {
    /// Its name in errors.
    fn name(&self) -> &str;

    /// Flushes it and, if it is a file, puts that in its place.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    fn complete(self: Box<Self>) -> Result<(), Error>;
}

/// What a format may need besides the report and its findings.
pub struct Settings<'a> {
    /// The catalogue that the scan uses.
    pub catalog: &'a Catalog,
    /// Width and colours of text for people.
    pub layout: Layout,
    /// The time that a page says it was made at, if it says one.
    pub generated: Option<Time>,
    /// What JUnit makes test cases of, and which of them fail.
    pub cases: TestCases<'a>,
    /// What happens to cells that a spreadsheet would read as formulas.
    pub formulas: Formulas,
    /// The id of the key under which names are tokens, if they are.
    pub redaction: Option<&'a str>,
}

/// What happens to cells that a spreadsheet would read as formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formulas {
    /// They are escaped, so that a spreadsheet shows them as text.
    Escape,
    /// They stay as they are, for programs that read the file.
    Keep,
}

/// Which test cases there are, and which of them fail.
pub struct TestCases<'a> {
    /// The entries that the scan searched for.
    pub entries: Vec<&'a Entry>,
    /// Whether a code that was found fails.
    pub fails: Box<dyn Fn(&CodeReport) -> bool + 'a>,
}
