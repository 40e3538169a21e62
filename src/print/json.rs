//! JSON: records as indented documents and as lines.
//!
//! The shapes are defined by the [`record`](crate::record)s; this module knows only how they are laid out and
//! escaped.

use super::definition::{Definition, Writer};
use super::safe::{Compact, Pretty};
use crate::catalog::ArgValue;
use crate::finding::Args;
use crate::input::Signature;
use crate::record::ReportRecord;
use crate::report::Report;
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "json",
    aliases: &[],
    about: "One JSON document",
    signatures: &[Signature::Text { start: "{", marker: "\"tool\": \"migsift\"" }],
    writer: Writer::Report(|report, _, out| write_report(report, out)),
};

/// The buffer for a document, in bytes.
const BUFFER: usize = 64 << 10;

/// Writes the report as one indented document.
///
/// # Errors
///
/// Those of the writer.
pub fn write_report(report: &Report, writer: &mut dyn Write) -> io::Result<()> {
    write_pretty(&ReportRecord::from(report), writer)
}

/// Writes `value` as one indented document.
///
/// # Errors
///
/// Those of the writer.
pub fn write_pretty<T: Serialize>(value: &T, writer: &mut dyn Write) -> io::Result<()> {
    // The serializer writes many small pieces. Without a buffer, the dynamic calls cost more than the
    // serialization.
    let mut writer = BufWriter::with_capacity(BUFFER, writer);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut writer, Pretty::default()))?;
    writeln!(writer)?;
    writer.flush()
}

/// Writes `value` as one line. `line` is a buffer for it, so that the writer is called once.
///
/// # Errors
///
/// Those of the writer.
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
