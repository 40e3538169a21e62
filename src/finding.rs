//! Findings: one match with its context, ready to be counted and printed.
//!
//! A match, its window and its source's name come in; a [`Finding`] goes out, the record that NDJSON prints.
//! Other findings are not known here, nor how many there are.

mod sanitize;

pub use sanitize::Sanitizer;

use crate::catalog::{ArgValue, Code, Entry, Severity};
use crate::context::{Context, ContextLines, ContextReader, Level, MigrationInfo, State, Time};
use crate::input::Window;
use crate::matcher::bytes::lossy;
use crate::matcher::{Match, MatchId, MatchQuality, Matcher};
use crate::source::Origin;
use std::ops::Range;
use std::sync::Arc;

/// The longest `text` of a finding, in characters.
pub const MAX_TEXT: usize = 1024;
/// How many context lines count as one more finding: a line is shared by the findings around it, so it costs
/// little.
const LINES_PER_COST: usize = 16;
/// The title of a code that the catalogue does not list.
const UNKNOWN_TITLE: &str = "Not in the catalogue";

/// Arguments by name, in the template's order.
pub type Args = Vec<(Arc<str>, ArgValue)>;

/// One occurrence of a condition in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The entry's id; for an unknown code, the code.
    pub id: Arc<str>,
    /// The entry's code, also when the log does not print it.
    pub code: Option<Code>,
    /// Whether the catalogue lists it.
    pub known: bool,
    /// The entry's severity, lowered to warning if the context says so.
    pub severity: Severity,
    /// The entry's title.
    pub title: Arc<str>,
    /// Whether the log prints the code with the message.
    pub code_in_log: bool,
    /// How well the text matches the catalogue.
    pub wording: MatchQuality,
    /// The arguments that the text names.
    pub args: Args,
    /// The record's own time.
    pub time: Option<Time>,
    /// The source it was found in.
    pub origin: Arc<Origin>,
    /// 1-based line of the first byte.
    pub line: u64,
    /// Offset of the first byte in the source.
    pub offset: u64,
    /// Bytes from the first to the last of code and text.
    pub length: u64,
    /// What the record and document around it say.
    pub context: Context,
    /// What the migration's resource around it says. Many findings share it, so it is not printed with each.
    pub migration_info: Option<Arc<MigrationInfo>>,
    /// Those bytes, unescaped, at most [`MAX_TEXT`] characters.
    pub text: String,
    /// Whether `text` has replacement characters for bytes that are not UTF-8.
    pub lossy: bool,
    /// The lines around it, if they were asked for.
    pub context_lines: Option<Box<ContextLines>>,
}

/// Builds findings from the matches in one source.
#[derive(Debug)]
pub struct Builder<'m> {
    /// The matcher that found them; a match is an index into its entries.
    pub matcher: &'m Matcher,
    /// The source's name.
    pub origin: Arc<Origin>,
}

impl Builder<'_> {
    /// Returns the entry that was matched, or none for an unknown code.
    pub fn entry(&self, what: MatchId) -> Option<&Entry> {
        match what {
            MatchId::Entry(index) => Some(&self.matcher.entries[index]),
            MatchId::Unknown(_) => None,
        }
    }

    /// Returns the finding for `found` on `line` of its source.
    pub fn build(
        &self,
        found: &Match,
        window: &Window<'_>,
        reader: &ContextReader<'_, '_>,
        line: u64,
    ) -> Finding {
        let mut finding = self.without_text(found.clone(), window, reader, line);
        finding.load_text(&found.range, reader);
        finding
    }

    /// Returns the same without its text, for findings that are only counted.
    pub(crate) fn without_text(
        &self,
        found: Match,
        window: &Window<'_>,
        reader: &ContextReader<'_, '_>,
        line: u64,
    ) -> Finding {
        let (time, context) = reader.read(&found.range);
        let migration_info = reader.migration_info(&found.range);
        let entry = self.entry(found.id);
        let (id, code) = match (found.id, entry) {
            (MatchId::Unknown(code), _) => (Arc::from(code.as_str()), Some(code)),
            (_, Some(entry)) => (entry.id.clone(), entry.code),
            (_, None) => unreachable!("an entry has its index"),
        };
        let named = |(index, value): (usize, ArgValue)| Some((entry?.arguments[index].name.clone(), value));
        Finding {
            id,
            code,
            known: entry.is_some(),
            severity: severity(entry, &context),
            title: entry.map_or_else(|| UNKNOWN_TITLE.into(), |entry| entry.title.clone()),
            code_in_log: found.code_in_log,
            wording: found.quality,
            args: found.args.into_iter().filter_map(named).collect(),
            time,
            origin: self.origin.clone(),
            line,
            offset: window.base + found.range.start as u64,
            length: found.range.len() as u64,
            context,
            migration_info,
            text: String::new(),
            lossy: false,
            context_lines: None,
        }
    }
}

impl Finding {
    /// Returns its share of the bound on output that waits: 1, and more with context lines.
    pub(crate) fn cost(&self) -> usize {
        let lines = self.context_lines.as_ref().map_or(0, |known| known.before.len() + known.after.len());
        1 + lines / LINES_PER_COST
    }

    /// Sets the text to that of `range`, with escapes undone.
    pub(crate) fn load_text(&mut self, range: &Range<usize>, reader: &ContextReader<'_, '_>) {
        (self.text, self.lossy) = clipped(&reader.unescaped(range));
    }
}

/// The entry's severity, but a validation that only warns and a symptom at level LOG or below are warnings.
fn severity(entry: Option<&Entry>, context: &Context) -> Severity {
    let Some(entry) = entry else { return Severity::Error };
    let warns = context.state == Some(State::Warning);
    let quiet = entry.code.is_none() && context.level.as_ref().is_some_and(Level::is_informational);
    if warns || quiet { Severity::Warning } else { entry.severity }
}

/// At most [`MAX_TEXT`] characters of `raw`, and whether any of its bytes are not UTF-8.
fn clipped(raw: &[u8]) -> (String, bool) {
    let text = lossy(raw);
    let lossy = matches!(text, std::borrow::Cow::Owned(_));
    // A text of at most that many bytes has at most that many characters; nothing to count.
    let clip = if text.len() > MAX_TEXT { text.char_indices().nth(MAX_TEXT) } else { None };
    match clip {
        Some((end, _)) => (text[..end].to_string(), lossy),
        None => (text.into_owned(), lossy),
    }
}
