//! JSON: records as documents and lines.
//!
//! What they look like is said by the [`record`](crate::record)s.

use super::safe::{Compact, Pretty};
use crate::catalog::ArgValue;
use crate::finding::Args;
use crate::record::ReportRecord;
use crate::report::Report;
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// How much of a document is put together at once, in bytes.
const BUFFER: usize = 64 << 10;

/// Writes the report as one indented document.
///
/// # Errors
///
/// What the writer gives.
pub fn write_report(report: &Report, writer: &mut dyn Write) -> io::Result<()> {
    write_pretty(&ReportRecord::from(report), writer)
}

/// Writes `value` as one indented document.
///
/// # Errors
///
/// What the writer gives.
pub fn write_pretty<T: Serialize>(value: &T, writer: &mut dyn Write) -> io::Result<()> {
    // A document is many small pieces, and a call for each to a writer of any kind would take longer than to make them.
    let mut writer = BufWriter::with_capacity(BUFFER, writer);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut writer, Pretty::default()))?;
    writeln!(writer)?;
    writer.flush()
}

/// Writes `value` as one line, which is put together in `line`: many small pieces, one write.
///
/// # Errors
///
/// What the writer gives.
pub fn write_line<T: Serialize>(value: &T, line: &mut Vec<u8>, writer: &mut dyn Write) -> io::Result<()> {
    line.clear();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *line, Compact))?;
    line.push(b'\n');
    writer.write_all(line)
}

/// Arguments as one line of text: `name: value`, lists joined.
pub fn args_line(args: &Args) -> String {
    let show = |(name, value): &(std::sync::Arc<str>, ArgValue)| format!("{name}: {value}");
    args.iter().map(show).collect::<Vec<_>>().join(", ")
}
