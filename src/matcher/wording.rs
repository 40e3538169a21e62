//! Wordings: whether a text says what a template says, and with which arguments.
//!
//! A compiled [`Wording`], and the place of one of its literals in a [`Haystack`], come in; what was matched,
//! how well, and the arguments go out. This file does not know windows or anchors: the caller chooses the
//! haystack and the place.
//!
//! # How a wording is verified
//!
//! A wording is a list of literals with arguments between them. An anchor hit says where one literal is; the
//! others are found from there, first those before it (`Wording::backward`), then those after it
//! (`Wording::forward`). Literals are compared in normalized text; arguments are read from unescaped text,
//! between the literals. For
//!
//! ```text
//! Database {database} exists on the target server. Ensure the target server doesn't have ...
//! part 0   part 1     part 2                       part 3
//! ```
//!
//! and the log line `603101 Database exists in target Database x exists on the target server.` the hit is in
//! part 2, and two places fit the short literal before it. Matching forward, the nearest place of the next
//! literal is taken: an argument is as short as possible, unless it starts with a quote mark, and then a
//! place where the quote is closed is preferred. Matching backward, that rule fails. In this line the nearest
//! "Database" is right; the first one is in the title, which logs print before the message, and would make
//! the argument `exists in target Database x`. But in "Database my database 2 exists on the target server."
//! the nearest one is a part of the name, and the first one is right. So every place has a `StartCost`; the
//! least wins, and of equal ones the nearest. From worst to best:
//!
//! 1. The argument would end with a quote mark, but not start with one.
//! 2. The title of the entry starts there.
//! 3. It is in the middle of a sentence.
//! 4. It is after a mark that may end a sentence.
//! 5. It is directly after the title.
//!
//! # Where a match may end
//!
//! Logs often keep only the first sentences of a message. A match may end after each sentence, starting with
//! the one that completes the arguments (`Wording::stops`). A literal that is one closing mark may be
//! missing where the text ends.
//!
//! # Incomplete haystacks
//!
//! If the haystack ends before the wording is decided, the answer is [`Verification::Incomplete`], not a
//! mismatch: the message may be wrapped over several lines, and the caller tries again with more of them.

use super::argument::{
    MAX_ARGUMENT, argument, closes, ends_quoted, first_message_end, is_message_end, message_start,
    opening_quote, shown, value,
};
use super::bounds::Side;
use super::bytes::is_word;
use super::normalized::{Normalized, UnescapedText};
use super::prefilter::WordBoundaries;
use super::work;
use crate::catalog::{ArgValue, Entry, QUOTES, Template, TemplatePart, ValueKind};
use memchr::memmem;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A template ready to be matched.
#[derive(Debug)]
pub struct Wording {
    /// The entry it belongs to, by index.
    pub entry: usize,
    /// Literals and arguments, sentence by sentence.
    pub parts: Vec<WordingPart>,
    /// Part counts at which a match may end: after each sentence, starting with the one that completes the
    /// arguments.
    stops: Vec<usize>,
    /// The search for each literal; none for arguments.
    finders: Vec<Option<memmem::Finder<'static>>>,
    /// Each literal's own text without what normalizing drops at its edges; empty for arguments.
    exact: Vec<Box<[u8]>>,
    /// The edges of each literal that must be word boundaries.
    boundaries: Vec<WordBoundaries>,
    /// The normalized title of the entry without its closing mark.
    title: Vec<u8>,
}

/// A part of a wording.
#[derive(Debug)]
pub enum WordingPart {
    /// Text that is compared in its normalized form.
    Literal {
        /// The normalized form.
        normalized: Vec<u8>,
        /// The template's own text, trimmed: an exact match has it.
        text: String,
        /// Whether it belongs to the first sentence.
        first_sentence: bool,
    },
    /// An argument of the entry.
    Argument {
        /// Index in the entry's arguments.
        index: usize,
        /// The form of its values.
        kind: ValueKind,
    },
}

/// How well a text agrees with the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(rename = "Grade"))]
#[serde(rename_all = "lowercase")]
pub enum MatchQuality {
    /// A catalogued wording, quotes around arguments aside.
    Exact,
    /// Equal to a catalogued wording after both are normalized.
    Normalized,
    /// The code is there, the wording is not in the catalogue; arguments were recovered by alignment.
    Drifted,
    /// Code only.
    Absent,
}

impl MatchQuality {
    /// All qualities, best first.
    pub const ALL: [MatchQuality; 4] =
        [MatchQuality::Exact, MatchQuality::Normalized, MatchQuality::Drifted, MatchQuality::Absent];

    /// Returns the name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            MatchQuality::Exact => "exact",
            MatchQuality::Normalized => "normalized",
            MatchQuality::Drifted => "drifted",
            MatchQuality::Absent => "absent",
        }
    }
}

/// The result of verifying a wording at one place.
#[derive(Debug, PartialEq, Eq)]
pub enum Verification {
    /// The text does not say it.
    Mismatch,
    /// The haystack ends on this side before it is decided; a larger one may decide it.
    Incomplete(Side),
    /// The text says it.
    Match(WordingMatch),
}

/// A wording found in a haystack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordingMatch {
    /// Text index of the first byte.
    pub start: usize,
    /// Text index after the last byte.
    pub end: usize,
    /// Exact or normalized.
    pub quality: MatchQuality,
    /// Arguments by the entry's index.
    pub args: Vec<(usize, ArgValue)>,
    /// Whether the haystack ends where the template goes on.
    pub cut: bool,
}

/// The text in which a wording is searched for, in both of its forms.
pub struct Haystack<'a> {
    /// The unescaped text.
    pub text: &'a UnescapedText,
    /// Its normalized form.
    pub normalized: &'a Normalized,
}

impl Haystack<'_> {
    /// Returns the text index after the normalized byte before `end`.
    fn text_end(&self, end: usize) -> usize {
        self.normalized.text_index(end - 1) + 1
    }
}

/// The range of an argument in the text.
#[derive(Clone, Copy)]
struct ArgumentSpan {
    /// The argument, by its part.
    part: usize,
    from: usize,
    to: usize,
}

/// The range of a literal in the normalized text.
#[derive(Clone, Copy)]
struct LiteralSpan {
    start: usize,
    end: usize,
}

impl LiteralSpan {
    fn new(start: usize, len: usize) -> LiteralSpan {
        LiteralSpan { start, end: start + len }
    }
}

/// An argument of which one end is known: the literal on the other side is still to be found.
#[derive(Clone, Copy)]
struct OpenArgument {
    /// The argument, by its part.
    part: usize,
    kind: ValueKind,
    /// The known end in the normalized text.
    at: usize,
    /// The known end in the text.
    text_at: usize,
}

/// Where a match ends.
#[derive(Clone, Copy)]
struct End {
    /// The index after its last normalized byte.
    at: usize,
    /// How many parts of the wording were matched.
    parts: usize,
}

/// How badly a place fits as the start of the message; the least cost is best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct StartCost {
    /// The argument after it ends with a quote mark, but does not start with one.
    half_quoted: bool,
    fit: StartFit,
}

/// How a place fits as the start of the message, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum StartFit {
    /// Directly after the title; or the wording does not start here, so that it does not matter.
    AfterTitle,
    /// After a mark that may end a sentence.
    AfterMark,
    /// In the middle of a sentence.
    InSentence,
    /// Where the title itself starts.
    AtTitle,
}

impl Wording {
    /// Compiles `template` of `entry`, which has the index `index`.
    pub fn new(index: usize, entry: &Entry, template: &Template) -> Wording {
        let mut parts = Vec::new();
        let mut stops = Vec::new();
        let wanted = template.arguments().len();
        let mut seen = Vec::new();
        for (number, sentence) in template.sentences.iter().enumerate() {
            for part in &sentence.parts {
                match part {
                    TemplatePart::Literal(text) => {
                        let normalized = Normalized::new(text.as_bytes()).bytes;
                        if !normalized.is_empty() {
                            let text = text.trim().to_string();
                            parts.push(WordingPart::Literal {
                                normalized,
                                text,
                                first_sentence: number == 0,
                            });
                        }
                    }
                    TemplatePart::Argument(index) => {
                        seen.push(*index);
                        let kind = entry.arguments[*index].kind;
                        parts.push(WordingPart::Argument { index: *index, kind });
                    }
                }
            }
            seen.sort_unstable();
            seen.dedup();
            if seen.len() == wanted {
                stops.push(parts.len());
            }
        }
        let finder = |part: &WordingPart| match part {
            WordingPart::Literal { normalized, .. } => Some(memmem::Finder::new(normalized).into_owned()),
            WordingPart::Argument { .. } => None,
        };
        let exact = |part: &WordingPart| match part {
            WordingPart::Literal { text, .. } => text.trim_matches(is_dropped).as_bytes().into(),
            WordingPart::Argument { .. } => Box::default(),
        };
        Wording {
            entry: index,
            stops,
            finders: parts.iter().map(finder).collect(),
            exact: parts.iter().map(exact).collect(),
            boundaries: (0..parts.len()).map(|part| boundaries(&parts, part)).collect(),
            title: normalized_title(&entry.title),
            parts,
        }
    }

    /// Returns how many parts there are up to the end of the sentence that completes the arguments.
    pub fn first_stop(&self) -> usize {
        self.stops.first().copied().unwrap_or(self.parts.len())
    }

    /// Returns the normalized literal `part`; empty for an argument.
    pub fn literal(&self, part: usize) -> &[u8] {
        match &self.parts[part] {
            WordingPart::Literal { normalized, .. } => normalized,
            WordingPart::Argument { .. } => &[],
        }
    }

    /// Returns which edges of the literal `part` must be word boundaries.
    pub fn boundaries(&self, part: usize) -> WordBoundaries {
        self.boundaries[part]
    }

    /// Verifies the wording where its literal `part` would have its byte `offset` at the normalized index
    /// `at`.
    pub fn verify_at(&self, haystack: &Haystack<'_>, part: usize, offset: usize, at: usize) -> Verification {
        let WordingPart::Literal { normalized, .. } = &self.parts[part] else {
            return Verification::Mismatch;
        };
        let have = &haystack.normalized.bytes;
        // The bytes of the literal that are inside the haystack must agree, whether or not all of them are.
        let (from, skip) = (at.saturating_sub(offset), offset.saturating_sub(at));
        let inside = normalized.len().min(skip + have.len() - from);
        if have[from..from + inside - skip] != normalized[skip..inside] {
            return Verification::Mismatch;
        }
        if skip > 0 {
            return Verification::Incomplete(Side::Before);
        }
        if inside < normalized.len() {
            return Verification::Incomplete(Side::After);
        }
        let span = LiteralSpan::new(from, normalized.len());
        if !self.is_bounded(haystack, part, span) {
            return Verification::Mismatch;
        }
        let mut args = Vec::new();
        let Some(start) = self.backward(haystack, part, span.start, &mut args) else {
            return Verification::Incomplete(Side::Before);
        };
        args.reverse();
        let Some(end) = self.forward(haystack, part + 1, span.end, &mut args) else {
            return Verification::Incomplete(Side::After);
        };
        let Some(start) = self.judged_start(haystack, part, start, end, &mut args) else {
            return Verification::Mismatch;
        };
        self.found(haystack, start, end, &args)
    }

    /// Returns the start of a match, judged by its cost whatever literal the anchor is in.
    ///
    /// If the anchor is in the first literal, nothing before it was matched, and the hit may be the one in
    /// the title: "Database exists in target. Database x exists on ...". Then the start is judged anew from
    /// the next literal.
    fn judged_start(
        &self,
        haystack: &Haystack<'_>,
        part: usize,
        start: usize,
        end: End,
        args: &mut [ArgumentSpan],
    ) -> Option<usize> {
        match (part, args.first()) {
            (0, Some(&ArgumentSpan { part: 1, to, .. })) if end.parts > 2 => {
                let mut first = Vec::new();
                let start = self.backward(haystack, 2, haystack.normalized.index_of(to), &mut first)?;
                args[0] = first[0];
                Some(start)
            }
            _ => Some(start),
        }
    }

    /// Reads the values of the arguments and judges the quality of a match from `start` to `end`, normalized
    /// indices.
    fn found(&self, haystack: &Haystack<'_>, start: usize, end: End, args: &[ArgumentSpan]) -> Verification {
        let mut values: Vec<(usize, ArgValue)> = Vec::new();
        let mut spans: Vec<(Range<usize>, ValueKind)> = Vec::new();
        for &ArgumentSpan { part, from, to } in args {
            let WordingPart::Argument { index, kind } = self.parts[part] else { continue };
            let Some(value) = value(&haystack.text.bytes[from..to], kind) else {
                return Verification::Mismatch;
            };
            match values.iter().find(|(known, _)| *known == index) {
                Some((_, known)) if *known != value => return Verification::Mismatch,
                Some(_) => {}
                None => {
                    values.push((index, value));
                    spans.push((from..to, kind));
                }
            }
        }
        // After they were compared: a secret may be recognized at one of two equal arguments only.
        if !values.is_empty() && !haystack.text.secrets().is_empty() {
            for ((_, value), (range, kind)) in values.iter_mut().zip(spans) {
                *value =
                    shown(haystack.text, range, kind, std::mem::replace(value, ArgValue::Many(Vec::new())));
            }
        }
        values.sort_by_key(|(index, _)| *index);
        let exact = self.is_exact(haystack, start, end.at, args);
        let quality = if exact { MatchQuality::Exact } else { MatchQuality::Normalized };
        let rest = &haystack.normalized.bytes[end.at..];
        let cut = end.parts < self.parts.len() && self.literal(end.parts).starts_with(rest);
        let (start, end) = (haystack.normalized.text_index(start), haystack.text_end(end.at));
        let end = args.last().map_or(end, |argument| end.max(argument.to));
        Verification::Match(WordingMatch { start, end, quality, args: values, cut })
    }

    /// Whether the raw bytes of all literals are the template's own: nothing was escaped, nothing dropped.
    fn is_exact(&self, haystack: &Haystack<'_>, start: usize, end: usize, args: &[ArgumentSpan]) -> bool {
        let mut at = start;
        let mut args = args.iter();
        for (part, exact) in self.parts.iter().zip(&self.exact) {
            if at >= end {
                break;
            }
            match part {
                WordingPart::Literal { normalized, .. } => {
                    let from = haystack.normalized.text_index(at);
                    let to = haystack.text_end(at + normalized.len());
                    let raw_len = || haystack.text.raw_end(to) - haystack.text.raw_start(from);
                    if haystack.text.bytes[from..to] != **exact || raw_len() != exact.len() {
                        return false;
                    }
                    at += normalized.len();
                }
                WordingPart::Argument { .. } => {
                    let Some(&ArgumentSpan { to, .. }) = args.next() else { return false };
                    at = haystack.normalized.index_of(to);
                }
            }
        }
        true
    }

    /// Whether the outer edges of the literal `part` at `span` are word boundaries where they must be.
    fn is_bounded(&self, haystack: &Haystack<'_>, part: usize, span: LiteralSpan) -> bool {
        let text = &haystack.text.bytes;
        let (from, to) = (haystack.normalized.text_index(span.start), haystack.text_end(span.end));
        let WordBoundaries { left, right } = self.boundaries[part];
        let left = !left || !is_word(text[from]) || from == 0 || !is_word(text[from - 1]);
        let right = !right || text.get(to).is_none_or(|byte| !is_word(*byte));
        left && right
    }

    /// Matches the parts before `part`, which starts at the normalized index `start`, and returns where the
    /// wording starts. The arguments are appended to `args`, the last first.
    fn backward(
        &self,
        haystack: &Haystack<'_>,
        part: usize,
        start: usize,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<usize> {
        let Some(before) = part.checked_sub(1) else { return Some(start) };
        match &self.parts[before] {
            WordingPart::Literal { normalized, .. } => {
                let span = LiteralSpan { start: start.checked_sub(normalized.len())?, end: start };
                let here = haystack.normalized.bytes[span.start..span.end] == **normalized;
                (here && self.is_bounded(haystack, before, span))
                    .then(|| self.backward(haystack, before, span.start, args))
                    .flatten()
            }
            WordingPart::Argument { kind, .. } => {
                let text_at = haystack.normalized.text_index(start);
                let open = OpenArgument { part: before, kind: *kind, at: start, text_at };
                match before.checked_sub(1) {
                    Some(literal) => self.best_literal_before(haystack, literal, open, args),
                    None => leading_argument(haystack, open, args),
                }
            }
        }
    }

    /// Matches the parts before `argument`, of which the nearest is `literal`, at the place that costs least.
    fn best_literal_before(
        &self,
        haystack: &Haystack<'_>,
        literal: usize,
        argument: OpenArgument,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<usize> {
        let (len, finder) = (self.literal(literal).len(), self.finders[literal].as_ref()?);
        let mut floor = haystack.normalized.index_of(argument.text_at.saturating_sub(MAX_ARGUMENT + len * 2));
        let known = args.len();
        let mut best: Option<(StartCost, usize)> = None;
        work::add(argument.at - floor);
        while let Some(at) = finder.find(&haystack.normalized.bytes[floor..argument.at]) {
            let span = LiteralSpan::new(floor + at, len);
            floor = span.start + 1;
            if span.end >= argument.at || !self.is_bounded(haystack, literal, span) {
                continue;
            }
            // The arguments of this place come after those of the best one so far.
            let best_args = args.len();
            let place = self.literal_before(haystack, literal, span, argument, args);
            match place {
                // Of equal ones the nearest, which is found last.
                Some((cost, start)) if best.is_none_or(|(least, _)| cost <= least) => {
                    best = Some((cost, start));
                    args.drain(known..best_args);
                }
                _ => args.truncate(best_args),
            }
        }
        best.map(|(_, start)| start)
    }

    /// Matches the parts before `argument` with the nearest of them, `literal`, at `span`. Returns where the
    /// wording starts and what that costs.
    fn literal_before(
        &self,
        haystack: &Haystack<'_>,
        literal: usize,
        span: LiteralSpan,
        open: OpenArgument,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<(StartCost, usize)> {
        let text = &haystack.text.bytes;
        let (from, to) = (haystack.text_end(span.end), open.text_at);
        let range = argument(text, from, to, open.kind)?;
        args.push(ArgumentSpan { part: open.part, from: range.start, to: range.end });
        let start = self.backward(haystack, literal, span.start, args)?;
        let half_quoted = opening_quote(text, from).is_none() && ends_quoted(&text[from..to]);
        let fit = if literal == 0 { self.start_fit(haystack, start) } else { StartFit::AfterTitle };
        Some((StartCost { half_quoted, fit }, start))
    }

    /// Returns how the normalized index `start` fits as the start of the message.
    fn start_fit(&self, haystack: &Haystack<'_>, start: usize) -> StartFit {
        let bytes = &haystack.normalized.bytes;
        let mut before = &bytes[..start];
        while let [rest @ .., b'.' | b':' | b',' | b'|'] = before {
            before = rest;
        }
        let text_start = haystack.normalized.text_index(start);
        if bytes[start..].starts_with(&self.title) {
            StartFit::AtTitle
        } else if before.ends_with(&self.title) {
            StartFit::AfterTitle
        } else if message_start(&haystack.text.bytes, text_start) == text_start {
            StartFit::AfterMark
        } else {
            StartFit::InSentence
        }
    }

    /// Matches the parts from `part` on after the normalized index `end`, and returns where the match ends.
    /// The arguments are appended to `args`.
    fn forward(
        &self,
        haystack: &Haystack<'_>,
        part: usize,
        end: usize,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<End> {
        let stopped = || self.stops.contains(&part).then_some(End { at: end, parts: part });
        match self.parts.get(part) {
            None => stopped(),
            Some(WordingPart::Literal { normalized, .. }) => {
                let span = LiteralSpan::new(end, normalized.len());
                let here = haystack.normalized.bytes[end..].starts_with(normalized)
                    && self.is_bounded(haystack, part, span);
                let further = here.then(|| self.forward(haystack, part + 1, span.end, args)).flatten();
                further.or_else(stopped).or_else(|| self.missing_mark(haystack, part, end))
            }
            Some(WordingPart::Argument { kind, .. }) => {
                let open = OpenArgument { part, kind: *kind, at: end, text_at: haystack.text_end(end) };
                let quoted = opening_quote(&haystack.text.bytes, open.text_at).is_some();
                let closed = quoted.then(|| self.nearest_literal_after(haystack, open, Quote::Closed, args));
                closed
                    .flatten()
                    .or_else(|| self.nearest_literal_after(haystack, open, Quote::Any, args))
                    .or_else(|| self.trailing_argument(haystack, open, args))
            }
        }
    }

    /// Returns the end of the match if only the closing mark `part` is missing, because the text ends there.
    fn missing_mark(&self, haystack: &Haystack<'_>, part: usize, end: usize) -> Option<End> {
        (self.only_a_mark_follows(part) && is_message_end(&haystack.text.bytes, haystack.text_end(end)))
            .then_some(End { at: end, parts: part + 1 })
    }

    /// Matches the parts after `open` with the next literal at the nearest place where all of them match;
    /// with [`Quote::Closed`] only where the quote that opens the argument is closed.
    fn nearest_literal_after(
        &self,
        haystack: &Haystack<'_>,
        open: OpenArgument,
        quote: Quote,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<End> {
        let next = open.part + 1;
        let finder = self.finders.get(next)?.as_ref()?;
        let (text, len) = (&haystack.text.bytes, self.literal(next).len());
        let ceiling = haystack.normalized.index_of(open.text_at + MAX_ARGUMENT);
        work::add(haystack.normalized.bytes.len() - open.at);
        for at in finder.find_iter(&haystack.normalized.bytes[open.at..]) {
            work::add(1);
            let span = LiteralSpan::new(open.at + at, len);
            if span.start > ceiling {
                break;
            }
            let gap_end = haystack.normalized.text_index(span.start);
            if !self.is_bounded(haystack, next, span)
                || quote == Quote::Closed && !closes(text, open.text_at, gap_end)
            {
                continue;
            }
            let Some(range) = argument(text, open.text_at, gap_end, open.kind) else { continue };
            let known = args.len();
            args.push(ArgumentSpan { part: open.part, from: range.start, to: range.end });
            if let Some(end) = self.forward(haystack, next + 1, span.end, args) {
                return Some(end);
            }
            args.truncate(known);
        }
        None
    }

    /// Matches an argument that is the last part of the message: it ends where the message does.
    fn trailing_argument(
        &self,
        haystack: &Haystack<'_>,
        open: OpenArgument,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<End> {
        let (text, parts) = (&haystack.text.bytes, open.part + 1);
        let last = self.stops.contains(&parts) || self.only_a_mark_follows(parts);
        let gap_end = last.then(|| first_message_end(text, open.text_at)).flatten()?;
        let range = argument(text, open.text_at, gap_end, open.kind)?;
        args.push(ArgumentSpan { part: open.part, from: range.start, to: range.end });
        Some(End { at: haystack.normalized.index_of(range.end).max(open.at), parts })
    }

    /// Whether only the closing mark `part` is missing to a place where a match may end.
    fn only_a_mark_follows(&self, part: usize) -> bool {
        matches!(self.parts.get(part), Some(WordingPart::Literal { normalized, .. })
            if normalized.len() == 1 && !is_word(normalized[0]))
            && self.stops.contains(&(part + 1))
    }
}

/// Where an argument may end that starts with a quote mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    /// Only where the quote is closed.
    Closed,
    /// Anywhere.
    Any,
}

/// Matches an argument that is the first part of the message: it reaches back to where the message starts.
fn leading_argument(
    haystack: &Haystack<'_>,
    open: OpenArgument,
    args: &mut Vec<ArgumentSpan>,
) -> Option<usize> {
    let text = &haystack.text.bytes;
    let range = argument(text, message_start(text, open.text_at), open.text_at, open.kind)?;
    args.push(ArgumentSpan { part: open.part, from: range.start, to: range.end });
    Some(haystack.normalized.index_of(range.start))
}

/// Returns the normalized title without its closing mark.
pub fn normalized_title(title: &str) -> Vec<u8> {
    Normalized::new(title.trim_end_matches(['.', '!', ':']).as_bytes()).bytes
}

/// Whether normalizing drops `c`, or may drop it, at the edge of a literal.
fn is_dropped(c: char) -> bool {
    c.is_whitespace() || c == '-' || c == '*' || QUOTES.contains(&c)
}

/// Returns which edges of the part must be word boundaries: those next to an argument or at the wording's
/// end.
fn boundaries(parts: &[WordingPart], part: usize) -> WordBoundaries {
    let is_literal = |part: Option<&WordingPart>| matches!(part, Some(WordingPart::Literal { .. }));
    let WordingPart::Literal { normalized, .. } = &parts[part] else { return WordBoundaries::default() };
    // No letter follows a mark that ends a sentence: the dots of "db1.contoso.com" end none. After words, the
    // next sentence may follow without a blank ("SSL.Check").
    let only_a_mark = !normalized.iter().any(|byte| is_word(*byte));
    let glued = !only_a_mark && is_literal(parts.get(part + 1));
    WordBoundaries { left: !is_literal(part.checked_sub(1).and_then(|i| parts.get(i))), right: !glued }
}
