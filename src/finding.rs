//! Findings: what one match says, ready to be counted and printed.
//!
//! A match, its window and its source's name come in; a [`Finding`] goes out, the record that NDJSON prints. It knows
//! nothing of other findings.

mod sanitize;

pub use sanitize::Sanitizer;

use crate::catalog::{ArgValue, Entry, Severity};
use crate::context::{Context, ContextLines, ContextReader, Level, MigrationInfo, State, Time};
use crate::input::Window;
use crate::matcher::bytes::lossy;
use crate::matcher::{Match, MatchId, Matcher, wording::MatchQuality};
use crate::source::Origin;
use std::ops::Range;
use std::sync::Arc;

/// The longest `text` of a finding, in characters.
pub const MAX_TEXT: usize = 1024;
/// How many lines around a finding take as much memory as the finding: the lines themselves are shared.
const LINES_PER_COST: usize = 16;
/// The title of a code that no catalogue lists.
const UNKNOWN_TITLE: &str = "Not in the catalogue";

/// Arguments by name, in the template's order.
pub type Args = Vec<(Arc<str>, ArgValue)>;

/// One occurrence of a condition in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The entry's id; an unknown code is its own.
    pub id: Arc<str>,
    /// The entry's code, also when the log does not print it.
    pub code: Option<Arc<str>>,
    /// Whether a catalogue lists it.
    pub known: bool,
    /// The entry's severity, lowered to warning where the surroundings say so.
    pub severity: Severity,
    /// The entry's title.
    pub title: Arc<str>,
    /// Whether the code stands in the log with the message.
    pub code_in_log: bool,
    /// How the text agrees with the catalogue.
    pub wording: MatchQuality,
    /// The arguments the text gave.
    pub args: Args,
    /// The record's own time.
    pub time: Option<Time>,
    /// Where it was found.
    pub origin: Arc<Origin>,
    /// 1-based line of the first byte.
    pub line: u64,
    /// Offset of the first byte in the source.
    pub offset: u64,
    /// Bytes from the first to the last of code and text.
    pub length: u64,
    /// What the surroundings say.
    pub context: Context,
    /// What the migration's resource around it says; it belongs to many findings and is not printed with each.
    pub migration_info: Option<Arc<MigrationInfo>>,
    /// Those bytes, unescaped, at most [`MAX_TEXT`] characters.
    pub text: String,
    /// Whether `text` replaces bytes that are no UTF-8.
    pub lossy: bool,
    /// The lines around it, where they were asked for.
    pub context_lines: Option<Box<ContextLines>>,
}

/// Makes findings of one source's windows.
#[derive(Debug)]
pub struct Builder<'m> {
    /// Whose entries the matches refer to.
    pub matcher: &'m Matcher,
    /// The source's name.
    pub origin: Arc<Origin>,
}

impl Builder<'_> {
    /// What was matched, if a catalogue lists it.
    pub fn entry(&self, what: MatchId) -> Option<&Entry> {
        match what {
            MatchId::Entry(index) => Some(&self.matcher.entries[index]),
            MatchId::Unknown(_) => None,
        }
    }

    /// The finding for `found` on `line` of its source.
    pub fn build(
        &self,
        found: &Match,
        window: &Window<'_>,
        reader: &ContextReader<'_, '_>,
        line: u64,
    ) -> Finding {
        let mut finding = self.without_text(found.clone(), window, reader, line);
        finding.load_text(&found.range, window, reader);
        finding
    }

    /// The same without its text, for findings that are only counted.
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
            (MatchId::Unknown(code), _) => {
                let code: Arc<str> = code.to_string().into();
                (code.clone(), Some(code))
            }
            (_, Some(entry)) => (entry.id.clone(), entry.code.clone()),
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
    /// How much of the room for findings that wait it takes: a plain one takes 1.
    pub(crate) fn cost(&self) -> usize {
        let lines = self.context_lines.as_ref().map_or(0, |known| known.before.len() + known.after.len());
        1 + lines / LINES_PER_COST
    }

    /// Reads the text of `range`, where it stands.
    pub(crate) fn load_text(
        &mut self,
        range: &Range<usize>,
        window: &Window<'_>,
        reader: &ContextReader<'_, '_>,
    ) {
        let known = reader.unescaped(range);
        let raw = known.unwrap_or_else(|| Matcher::text(window, range));
        (self.text, self.lossy) = clipped(&raw);
    }
}

/// The entry's severity; a validation that only warns, or a symptom at level LOG or below, is a warning.
fn severity(entry: Option<&Entry>, context: &Context) -> Severity {
    let Some(entry) = entry else { return Severity::Error };
    let warns = context.state == Some(State::Warning);
    let quiet = entry.code.is_none() && context.level.as_ref().is_some_and(Level::is_informational);
    if warns || quiet { Severity::Warning } else { entry.severity }
}

/// At most [`MAX_TEXT`] characters of `raw`, and whether any of its bytes are no UTF-8.
fn clipped(raw: &[u8]) -> (String, bool) {
    let text = lossy(raw);
    let lossy = matches!(text, std::borrow::Cow::Owned(_));
    // As many bytes are at most as many characters.
    let clip = if text.len() > MAX_TEXT { text.char_indices().nth(MAX_TEXT) } else { None };
    match clip {
        Some((end, _)) => (text[..end].to_string(), lossy),
        None => (text.into_owned(), lossy),
    }
}
