//! Sinks: where findings go while a scan runs.
//!
//! A sink receives findings in the order of the report: path, member, offset. It is an object-safe trait with
//! one required method. Two more traits are for what only some sinks need: rows that workers encode
//! ([`RowSink`], for speed) and the start and end of files ([`FileSink`], for the store). How findings are
//! put in order is not known here: see `scheduler`.

use super::Content;
use crate::error::Error;
use crate::finding::Finding;
use std::path::Path;

/// Receives findings while the scan runs.
///
/// One method is required; the others say what else a sink can receive: finished rows ([`RowSink`]) and the
/// start and end of files ([`FileSink`]). All calls come in the order of the report, from one thread at a
/// time.
pub trait Sink: Send {
    /// Receives the next finding in order.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn finding(&mut self, finding: &Finding) -> Result<(), Error>;

    /// Whether [`Sink::finding`] is called at all. A sink that only writes rows returns `false`, so that
    /// findings need not be kept until it is their turn.
    fn wants_findings(&self) -> bool {
        true
    }

    /// The part of the sink that receives rows, if it has one.
    fn row_sink(&mut self) -> Option<&mut dyn RowSink> {
        None
    }

    /// The part of the sink that is called at the start and the end of files, if it has one. It is used only
    /// where [`identify`](super::Options::identify) is set.
    fn file_sink(&mut self) -> Option<&mut dyn FileSink> {
        None
    }
}

/// Receives findings as rows: bytes that the workers encoded, so that the thread that writes only copies
/// them.
pub trait RowSink {
    /// The function that encodes a finding. It runs on the worker that found it.
    fn encoder(&self) -> Encode;

    /// Receives the rows of the next findings in order.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn rows(&mut self, rows: &[u8]) -> Result<(), Error>;
}

/// Receives the start and the end of each file. The findings between the two belong to the file.
pub trait FileSink {
    /// Called before the first finding of a file.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn start(&mut self, file: &FileStart<'_>) -> Result<(), Error>;

    /// Called after the last finding of a file that is not an archive, with the content that could be read.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn end(&mut self, path: &Path, content: Content) -> Result<(), Error>;
}

/// A file at its start: its findings come next.
#[derive(Debug)]
pub struct FileStart<'b> {
    /// Its path as walked.
    pub path: &'b Path,
    /// The offset at which reading starts: 0, or where a known file is resumed.
    pub from: u64,
    /// The hash of the first bytes that are read.
    pub head: u64,
    /// The identity of its content, if it is known already: always for archives and for files of one window.
    pub content: Option<&'b Content>,
}

/// Appends a finding to `rows` as one row, without its line number, and returns the position in `rows` where
/// that number belongs. A worker does not know the number yet: it depends on all that precedes the window.
pub type Encode = fn(&Finding, rows: &mut Vec<u8>) -> usize;

/// Passes `sink` a finding whose line is known, as a row and as a finding, whichever it wants.
///
/// # Errors
///
/// Those of the sink.
#[cfg(feature = "history")]
pub fn emit(sink: &mut dyn Sink, finding: &Finding) -> Result<(), Error> {
    if let Some(rows) = sink.row_sink() {
        let mut row = Vec::new();
        let place = rows.encoder()(finding, &mut row);
        row.splice(place..place, finding.line.to_string().into_bytes());
        rows.rows(&row)?;
    }
    if sink.wants_findings() { sink.finding(finding) } else { Ok(()) }
}

/// A closure that receives each finding.
impl<F: FnMut(&Finding) -> Result<(), Error> + Send> Sink for F {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        self(finding)
    }
}
