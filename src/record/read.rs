//! Reads a JSON report, or reports what is wrong and where.
//!
//! Bytes come in; a [`ReportRecord`] goes out whose numbers add up, so that its users may sum and index
//! without further checks. The bytes may be hostile, cut short, or no report at all. Where they are from is
//! not known here.

pub use super::consistency::MAX_COUNT;
use super::consistency::{Mismatch, check};
use super::{ReportRecord, TOOL};
use crate::error::Error;
use crate::report::SCHEMA_VERSION;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

/// The largest report that is read, in bytes: ten thousand sets of arguments for each of a hundred codes have
/// less.
pub const MAX_REPORT_BYTES: usize = 256 << 20;
/// The longest error message, in characters: it may quote the file.
const MAX_MESSAGE: usize = 300;

/// A report and the name of its file.
#[derive(Debug)]
pub struct ReportFile {
    /// The file, as it was named.
    pub name: String,
    /// Its content.
    pub record: ReportRecord<'static>,
}

/// The fields that distinguish a report from other JSON.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    r#type: Option<&'a RawValue>,
    #[serde(borrow)]
    tool: Option<&'a RawValue>,
    #[serde(borrow)]
    schema_version: Option<&'a RawValue>,
    #[serde(borrow)]
    codes: Option<&'a RawValue>,
}

/// Reads the report in the file `name` with the content `bytes`.
///
/// # Errors
///
/// [`Error::Unusable`].
pub fn parse(name: &str, bytes: &[u8]) -> Result<ReportFile, Error> {
    let wrong = |place: Option<String>, message: String| Error::unusable(name, place, message);
    if bytes.len() > MAX_REPORT_BYTES {
        return Err(wrong(None, format!("larger than {MAX_REPORT_BYTES} bytes")));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let syntax = |error: serde_json::Error| {
        let text = error.to_string();
        let end = text.rfind(" at line ").unwrap_or(text.len());
        let kind = match error.classify() {
            Category::Syntax => "no valid JSON: ",
            Category::Eof => "cut short: ",
            Category::Data | Category::Io => "",
        };
        let place = (error.line() > 0).then(|| format!("{}:{}", error.line(), error.column()));
        wrong(place, kind.chars().chain(text[..end].chars()).take(MAX_MESSAGE).collect())
    };
    if let Some(message) = other(bytes) {
        return Err(wrong(None, message.into()));
    }
    // Only the first value: with a second one it is NDJSON, and its first line says so.
    let head = Head::deserialize(&mut serde_json::Deserializer::from_slice(bytes)).map_err(syntax)?;
    let is = |value: Option<&RawValue>, text: &str| value.is_some_and(|value| value.get() == text);
    if !is(head.tool, &format!("\"{TOOL}\"")) {
        return Err(wrong(None, format!("no report of {TOOL}: its \"tool\" is not \"{TOOL}\"")));
    }
    if is(head.r#type, "\"run\"") {
        return Err(wrong(None, "findings in NDJSON, no report; make one with --format json".into()));
    }
    if !is(head.schema_version, &SCHEMA_VERSION.to_string()) {
        let theirs = head.schema_version.map_or("none", RawValue::get).chars().take(20).collect::<String>();
        let message = format!("schema_version is {theirs}; this program reads {SCHEMA_VERSION}");
        return Err(wrong(None, message));
    }
    if head.codes.is_none() {
        return Err(wrong(None, format!("written by {TOOL}, but no report: it has no \"codes\"")));
    }
    let record: ReportRecord<'static> = serde_json::from_slice(bytes).map_err(syntax)?;
    match check(&record) {
        Ok(()) => Ok(ReportFile { name: name.to_string(), record }),
        Err(Mismatch { place, message }) => Err(wrong(Some(place), message)),
    }
}

/// Describes what is plainly not a JSON report, in words that help more than those of a parser.
fn other(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [] => Some("empty"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("UTF-16, not UTF-8; write the report with --output instead of a shell's redirection")
        }
        _ => None,
    }
}
