//! Wordings: whether a text says what a template says, and with which arguments.
//!
//! A compiled [`Wording`] and the place of one of its literals in a region's [`Normalized`] come in; what was matched, how
//! well, and the arguments go out. Literals are compared by keys; arguments are read from the text. Where several
//! places fit a short literal ("Database x exists" behind a title "Database exists in target"), the one that reads as
//! the begin of the message wins, then the shortest argument: a guess would otherwise swallow the title.

use super::bytes::{is_word, lossy, mail_quote};
use super::normalized::{Normalized, UnescapedText};
use super::prefilter::WordBoundaries;
use crate::catalog::{ArgValue, Entry, Kind, Part, QUOTES, Template};
use memchr::memmem;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The longest argument between quotes, and the longest list, in bytes of text.
pub const MAX_ARGUMENT: usize = 1024;
/// The most blanks in an argument that no quotes hold together.
const MAX_BARE_BLANKS: usize = 6;

/// A template ready to be matched.
#[derive(Debug)]
pub struct Wording {
    /// The entry it belongs to, by index.
    pub entry: usize,
    /// Literals and arguments, sentence by sentence.
    pub parts: Vec<WordingPart>,
    /// Part counts at which a match may end: behind each sentence from the one that completes the arguments on.
    stops: Vec<usize>,
    /// How each literal is looked for; none for arguments.
    finders: Vec<Option<memmem::Finder<'static>>>,
    /// Each literal's own text without what evening out drops at its edges; empty for arguments.
    exact: Vec<Box<[u8]>>,
    /// Which edges of each literal are word boundaries.
    edges: Vec<WordBoundaries>,
    /// Normalized of the entry's title without its closing mark.
    title: Vec<u8>,
}

/// A part of a wording.
#[derive(Debug)]
pub enum WordingPart {
    /// Text to be compared by its keys.
    Literal {
        /// The keys.
        keys: Vec<u8>,
        /// The template's own text, trimmed: what an exact match is.
        text: String,
        /// Whether the sentence it belongs to is the first.
        first_sentence: bool,
    },
    /// An argument of the entry, by index.
    Argument {
        /// Index in the entry's arguments.
        index: usize,
        /// What values look like.
        kind: Kind,
    },
}

/// How a text agrees with the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MatchQuality {
    /// A catalogued wording, quotes around arguments aside.
    Exact,
    /// Equal after evening out.
    Normalized,
    /// The code is there, the wording is not in the catalogue; arguments were recovered by alignment.
    Drifted,
    /// Code only.
    Absent,
}

impl MatchQuality {
    /// All grades, best first.
    pub const ALL: [MatchQuality; 4] =
        [MatchQuality::Exact, MatchQuality::Normalized, MatchQuality::Drifted, MatchQuality::Absent];

    /// The name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            MatchQuality::Exact => "exact",
            MatchQuality::Normalized => "normalized",
            MatchQuality::Drifted => "drifted",
            MatchQuality::Absent => "absent",
        }
    }
}

/// What trying a wording at one place gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Verification {
    /// The text does not say it.
    Mismatch,
    /// The region ends before it is decided; a larger region may tell.
    Incomplete(MissingSide),
    /// The text says it.
    Match(WordingMatch),
}

/// Where a region is too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingSide {
    /// What stands before it is wanted.
    Before,
    /// What stands behind it is wanted.
    After,
}

/// A wording found in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordingMatch {
    /// Text index of the first byte.
    pub start: usize,
    /// Text index behind the last byte.
    pub end: usize,
    /// Exact or normalized.
    pub quality: MatchQuality,
    /// Arguments by the entry's index.
    pub args: Vec<(usize, ArgValue)>,
    /// Whether the region ends where the template goes on.
    pub cut: bool,
}

/// A region to look in: its text and its keys.
pub struct Haystack<'a> {
    /// The unescaped text.
    pub text: &'a UnescapedText<'a>,
    /// Its keys.
    pub keys: &'a Normalized,
}

/// An argument's part and its range in the text.
#[derive(Clone, Copy)]
struct ArgumentSpan {
    part: usize,
    from: usize,
    to: usize,
}

/// A matched part: where it begins and ends in keys.
#[derive(Clone, Copy)]
struct LiteralSpan {
    start: usize,
    end: usize,
}

impl Wording {
    /// Compiles `template` of the entry with index `entry`.
    pub fn new(index: usize, entry: &Entry, template: &Template) -> Wording {
        let mut parts = Vec::new();
        let mut stops = Vec::new();
        let wanted = template.arguments().len();
        let mut seen = Vec::new();
        for (number, sentence) in template.sentences.iter().enumerate() {
            for part in &sentence.parts {
                match part {
                    Part::Literal(text) => {
                        let keys = Normalized::new(text.as_bytes()).bytes;
                        if !keys.is_empty() {
                            let text = text.trim().to_string();
                            parts.push(WordingPart::Literal { keys, text, first_sentence: number == 0 });
                        }
                    }
                    Part::Argument(index) => {
                        seen.push(*index);
                        parts.push(WordingPart::Argument {
                            index: *index,
                            kind: entry.arguments[*index].kind,
                        });
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
            WordingPart::Literal { keys, .. } => Some(memmem::Finder::new(keys).into_owned()),
            WordingPart::Argument { .. } => None,
        };
        let exact = |part: &WordingPart| match part {
            WordingPart::Literal { text, .. } => text.trim_matches(evened).as_bytes().into(),
            WordingPart::Argument { .. } => Box::default(),
        };
        let (finders, exact) = (parts.iter().map(finder).collect(), parts.iter().map(exact).collect());
        let edges = (0..parts.len()).map(|part| edges(&parts, part)).collect();
        Wording { entry: index, parts, stops, finders, exact, edges, title: title_keys(&entry.title) }
    }

    /// How many parts there are up to the end of the sentence that completes the arguments.
    pub fn first_stop(&self) -> usize {
        self.stops.first().copied().unwrap_or(self.parts.len())
    }

    /// The keys of the literal `part`; empty for an argument.
    pub fn keys(&self, part: usize) -> &[u8] {
        match &self.parts[part] {
            WordingPart::Literal { keys, .. } => keys,
            WordingPart::Argument { .. } => &[],
        }
    }

    /// Which edges of the literal `part` are word boundaries.
    pub fn edges(&self, part: usize) -> WordBoundaries {
        self.edges[part]
    }

    /// Tries the wording where its literal `part` would have its key `offset` at the region's key `key`.
    pub fn try_at(&self, region: &Haystack<'_>, part: usize, offset: usize, key: usize) -> Verification {
        let WordingPart::Literal { keys, .. } = &self.parts[part] else { return Verification::Mismatch };
        let have = &region.keys.bytes;
        // What of the literal lies inside the region must agree, whether or not all of it does.
        let (from, skip) = (key.saturating_sub(offset), offset.saturating_sub(key));
        let inside = keys.len().min(skip + have.len() - from);
        if have[from..from + inside - skip] != keys[skip..inside] {
            return Verification::Mismatch;
        }
        if skip > 0 {
            return Verification::Incomplete(MissingSide::Before);
        }
        if inside < keys.len() {
            return Verification::Incomplete(MissingSide::After);
        }
        let place = LiteralSpan { start: from, end: from + keys.len() };
        if !self.bounded(region, part, place) {
            return Verification::Mismatch;
        }
        let mut args = Vec::new();
        let Some(start) = self.backward(region, part, place.start, &mut args) else {
            return Verification::Incomplete(MissingSide::Before);
        };
        args.reverse();
        let Some((end, stop)) = self.forward(region, part + 1, place.end, &mut args) else {
            return Verification::Incomplete(MissingSide::After);
        };
        // A begin that stands further back may swallow the title: the begin is always judged from the next literal.
        let start = match (part, args.first()) {
            (0, Some(&ArgumentSpan { part: 1, to, .. })) if stop > 2 => {
                let mut again = Vec::new();
                let Some(start) = self.backward(region, 2, region.keys.index_of(to), &mut again) else {
                    return Verification::Mismatch;
                };
                args[0] = again[0];
                start
            }
            _ => start,
        };
        self.found(region, start, end, stop, args)
    }

    /// Puts the arguments' spans and the literals' places together.
    fn found(
        &self,
        region: &Haystack<'_>,
        start: usize,
        end: usize,
        stop: usize,
        args: Vec<ArgumentSpan>,
    ) -> Verification {
        let mut values: Vec<(usize, ArgValue)> = Vec::new();
        for &ArgumentSpan { part, from, to } in &args {
            let WordingPart::Argument { index, kind } = self.parts[part] else { continue };
            let Some(value) = value(&region.text.bytes[from..to], kind) else {
                return Verification::Mismatch;
            };
            match values.iter().find(|(known, _)| *known == index) {
                Some((_, known)) if *known != value => return Verification::Mismatch,
                Some(_) => {}
                None => values.push((index, value)),
            }
        }
        values.sort_by_key(|(index, _)| *index);
        let quality = if self.exact(region, start, end, &args) {
            MatchQuality::Exact
        } else {
            MatchQuality::Normalized
        };
        let rest = &region.keys.bytes[end..];
        let cut = stop < self.parts.len() && self.keys(stop).starts_with(rest);
        let (start, end) = (region.keys.at(start), region.keys.at(end - 1) + 1);
        let end = args.last().map_or(end, |gap| end.max(gap.to));
        Verification::Match(WordingMatch { start, end, quality, args: values, cut })
    }

    /// Whether the raw bytes of all literals are the template's own: nothing escaped, nothing evened out.
    fn exact(&self, region: &Haystack<'_>, start: usize, end: usize, args: &[ArgumentSpan]) -> bool {
        let mut key = start;
        let mut args = args.iter();
        for (part, exact) in self.parts.iter().zip(&self.exact) {
            if key >= end {
                break;
            }
            match part {
                WordingPart::Literal { keys, .. } => {
                    let (from, to) = (region.keys.at(key), region.keys.at(key + keys.len() - 1) + 1);
                    let raw_len = || region.text.raw_end(to) - region.text.raw_start(from);
                    if region.text.bytes[from..to] != **exact || raw_len() != exact.len() {
                        return false;
                    }
                    key += keys.len();
                }
                WordingPart::Argument { .. } => {
                    let Some(&ArgumentSpan { to, .. }) = args.next() else { return false };
                    key = region.keys.index_of(to);
                }
            }
        }
        true
    }

    /// Whether the literal's outer edges fall on word boundaries in the text.
    fn bounded(&self, region: &Haystack<'_>, part: usize, place: LiteralSpan) -> bool {
        let text = &region.text.bytes;
        let (from, to) = (region.keys.at(place.start), region.keys.at(place.end - 1) + 1);
        let edges = self.edges[part];
        let left = !edges.left || !is_word(text[from]) || from == 0 || !is_word(text[from - 1]);
        let right = !edges.right || text.get(to).is_none_or(|byte| !is_word(*byte));
        left && right
    }

    /// Matches the parts before `part`, which begins at key `start`; gives the key where the wording begins.
    /// Arguments are pushed last first as (part, from, to) in the text.
    fn backward(
        &self,
        region: &Haystack<'_>,
        part: usize,
        start: usize,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<usize> {
        let Some(before) = part.checked_sub(1) else { return Some(start) };
        let (bytes, gap_end) = (&region.text.bytes, region.keys.at(start));
        let kind = match &self.parts[before] {
            WordingPart::Literal { keys, .. } => {
                let from = start.checked_sub(keys.len())?;
                let here = region.keys.bytes[from..start] == **keys;
                let place = LiteralSpan { start: from, end: start };
                return (here && self.bounded(region, before, place))
                    .then(|| self.backward(region, before, from, args))
                    .flatten();
            }
            WordingPart::Argument { kind, .. } => *kind,
        };
        let Some(literal) = before.checked_sub(1) else {
            // The wording begins with its argument: it reaches back to the begin of the message.
            let from = message_start(bytes, gap_end);
            let (from, to) = argument(bytes, from, gap_end, kind)?;
            args.push(ArgumentSpan { part: before, from, to });
            return Some(region.keys.index_of(from));
        };
        let (keys, finder) = (self.keys(literal), self.finders[literal].as_ref()?);
        let mut floor = region.keys.index_of(gap_end.saturating_sub(MAX_ARGUMENT + keys.len() * 2));
        let known = args.len();
        let mut best: Option<(usize, usize)> = None;
        while let Some(at) = finder.find(&region.keys.bytes[floor..start]) {
            let place = LiteralSpan { start: floor + at, end: floor + at + keys.len() };
            floor = place.start + 1;
            if place.end >= start || !self.bounded(region, literal, place) {
                continue;
            }
            let gap_start = region.keys.at(place.end - 1) + 1;
            let Some((from, to)) = argument(bytes, gap_start, gap_end, kind) else { continue };
            // Behind those of the best place known.
            let mark = args.len();
            args.push(ArgumentSpan { part: before, from, to });
            let Some(begin) = self.backward(region, literal, place.start, args) else {
                args.truncate(mark);
                continue;
            };
            let half_quoted =
                opening_quote(bytes, gap_start).is_none() && ends_quoted(&bytes[gap_start..gap_end]);
            let cost =
                4 * usize::from(half_quoted) + if literal == 0 { self.start_cost(region, begin) } else { 0 };
            // Of equal ones the nearest.
            if best.is_none_or(|(least, _)| cost <= least) {
                best = Some((cost, begin));
                args.drain(known..mark);
            } else {
                args.truncate(mark);
            }
        }
        best.map(|(_, begin)| begin)
    }

    /// How badly a key fits as the begin of the message: 0 behind the title, 1 behind a mark, 2 inside a sentence,
    /// 3 where the title itself begins.
    fn start_cost(&self, region: &Haystack<'_>, key: usize) -> usize {
        let keys = &region.keys.bytes;
        let mut before = &keys[..key];
        while let [rest @ .., b'.' | b':' | b',' | b'|'] = before {
            before = rest;
        }
        if keys[key..].starts_with(&self.title) {
            3
        } else if before.ends_with(&self.title) {
            0
        } else if message_start(&region.text.bytes, region.keys.at(key)) == region.keys.at(key) {
            1
        } else {
            2
        }
    }

    /// Matches the parts from `part` on behind key `end`; gives the key behind the match and how many parts it took.
    fn forward(
        &self,
        region: &Haystack<'_>,
        part: usize,
        end: usize,
        args: &mut Vec<ArgumentSpan>,
    ) -> Option<(usize, usize)> {
        let bytes = &region.text.bytes;
        let stopped = self.stops.contains(&part).then_some((end, part));
        let Some(piece) = self.parts.get(part) else { return stopped };
        let kind = match piece {
            WordingPart::Literal { keys, .. } => {
                let place = LiteralSpan { start: end, end: end + keys.len() };
                let here = region.keys.bytes[end..].starts_with(keys) && self.bounded(region, part, place);
                let further = if here { self.forward(region, part + 1, place.end, args) } else { None };
                // The closing mark of the last sentence may be missing where the text ends.
                let closing = || {
                    let ends = keys.len() == 1 && !is_word(keys[0]) && self.stops.contains(&(part + 1));
                    (ends && message_end(bytes, region.keys.at(end - 1) + 1)).then_some((end, part + 1))
                };
                return further.or(stopped).or_else(closing);
            }
            WordingPart::Argument { kind, .. } => *kind,
        };
        let gap_start = region.keys.at(end - 1) + 1;
        let quoted = opening_quote(bytes, gap_start);
        let ceiling = region.keys.index_of(gap_start + MAX_ARGUMENT);
        if let Some(Some(finder)) = self.finders.get(part + 1) {
            let keys = self.keys(part + 1);
            // First the places where the quote that opens the argument is closed, then any.
            for closed in [true, false] {
                if closed && quoted.is_none() {
                    continue;
                }
                for at in finder.find_iter(&region.keys.bytes[end..]) {
                    let place = LiteralSpan { start: end + at, end: end + at + keys.len() };
                    if place.start > ceiling {
                        break;
                    }
                    let gap_end = region.keys.at(place.start);
                    if !self.bounded(region, part + 1, place) || closed && !closes(bytes, gap_start, gap_end)
                    {
                        continue;
                    }
                    let Some((from, to)) = argument(bytes, gap_start, gap_end, kind) else { continue };
                    let mark = args.len();
                    args.push(ArgumentSpan { part, from, to });
                    if let Some(done) = self.forward(region, part + 2, place.end, args) {
                        return Some(done);
                    }
                    args.truncate(mark);
                }
            }
        }
        // The argument is the last thing said: it ends where the message does.
        let last = self.stops.contains(&(part + 1)) || self.only_a_mark_follows(part + 1);
        let gap_end = last.then(|| first_message_end(bytes, gap_start)).flatten()?;
        let (from, to) = argument(bytes, gap_start, gap_end, kind)?;
        args.push(ArgumentSpan { part, from, to });
        Some((region.keys.index_of(to).max(end), part + 1))
    }

    /// Whether nothing but a closing mark is missing to a place where a match may end.
    fn only_a_mark_follows(&self, part: usize) -> bool {
        matches!(self.parts.get(part), Some(WordingPart::Literal { keys, .. }) if keys.len() == 1 && !is_word(keys[0]))
            && self.stops.contains(&(part + 1))
    }
}

/// The keys of a title without its closing mark.
pub fn title_keys(title: &str) -> Vec<u8> {
    Normalized::new(title.trim_end_matches(['.', '!', ':']).as_bytes()).bytes
}

/// What evening out drops or may drop at a literal's edges.
fn evened(c: char) -> bool {
    c.is_whitespace() || c == '-' || c == '*' || QUOTES.contains(&c)
}

/// Which edges of the part are word boundaries: those beside an argument, or at the wording's end.
fn edges(parts: &[WordingPart], part: usize) -> WordBoundaries {
    let inner = |part: Option<&WordingPart>| matches!(part, Some(WordingPart::Literal { .. }));
    let WordingPart::Literal { keys, .. } = &parts[part] else { return WordBoundaries::default() };
    // A mark that ends a sentence is followed by no letter: the dots of "db1.contoso.com" end none. Behind words,
    // the next sentence may be glued on ("SSL.Check").
    let only_a_mark = !keys.iter().any(|key| is_word(*key));
    let glued = !only_a_mark && inner(parts.get(part + 1));
    WordBoundaries { left: !inner(part.checked_sub(1).and_then(|i| parts.get(i))), right: !glued }
}

/// Where the message that holds `at` begins: behind a line break, a sentence mark, a colon or an opening quote.
fn message_start(text: &[u8], at: usize) -> usize {
    let mut i = at;
    while i > 0 {
        let before = text[i - 1];
        let blank = text.get(i).is_none_or(|byte| byte.is_ascii_whitespace() || i == at);
        let mark =
            matches!(before, b'.' | b':' | b';' | b',' | b']' | b')' | b'}' | b'|' | b'=' | b'>' | b'-');
        if matches!(before, b'\n' | b'\t' | b'"' | b'\'' | b'`' | b'(' | b'[' | b'{') || mark && blank {
            break;
        }
        i -= 1;
    }
    while i < at && text[i].is_ascii_whitespace() {
        i += 1;
    }
    i
}

/// Whether nothing more of the message stands at `at`: only blanks before a line break, a closing quote or the end.
fn message_end(text: &[u8], at: usize) -> bool {
    let rest = text[at..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\'' | b'`'));
    matches!(rest, None | Some(b'\n' | b'"' | b'<' | b'}' | b']' | b'|' | b'('))
}

/// The first end of a message behind `from`.
fn first_message_end(text: &[u8], from: usize) -> Option<usize> {
    let limit = text.len().min(from + MAX_ARGUMENT);
    let quote = opening_quote(text, from);
    let skip = from + quote.map_or(0, |(_, behind)| behind - from);
    let end = (skip..limit).find(|&i| matches!(text[i], b'\n' | b'"' | b'<' | b'(') || sentence_end(text, i));
    end.or((limit == text.len()).then_some(limit))
}

fn sentence_end(text: &[u8], i: usize) -> bool {
    matches!(text[i], b'.' | b'!' | b'?') && text.get(i + 1).is_none_or(u8::is_ascii_whitespace)
}

/// The quote mark that opens an argument at `from`, and the index behind it.
fn opening_quote(text: &[u8], from: usize) -> Option<(char, usize)> {
    let skip = text[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = &text[from + skip..(from + skip + 4).min(text.len())];
    let character = first_char(rest)?;
    QUOTES.contains(&character).then(|| (character, from + skip + character.len_utf8()))
}

fn first_char(bytes: &[u8]) -> Option<char> {
    if let Some(byte) = bytes.first().filter(|byte| byte.is_ascii()) {
        return Some(char::from(*byte));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().next(),
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?.chars().next(),
    }
}

/// Whether the gap ends with a mark that closes the one it begins with.
fn closes(text: &[u8], from: usize, to: usize) -> bool {
    let Some((open, behind)) = opening_quote(text, from) else { return false };
    let inner = text[behind..to.max(behind)].trim_ascii_end();
    let close = match open {
        '‘' | '‚' | '‛' => '’',
        '“' | '„' => '”',
        '«' => '»',
        other => other,
    };
    let mut buffer = [0; 4];
    inner.ends_with(close.encode_utf8(&mut buffer).as_bytes())
}

/// Whether a gap ends with a quote mark.
fn ends_quoted(gap: &[u8]) -> bool {
    lossy(gap.trim_ascii_end()).ends_with(QUOTES)
}

/// Whether a mark that could close a quoted text stands inside of it with a blank behind: two quoted things.
fn closes_inside(quoted: &[u8]) -> bool {
    let text = lossy(quoted);
    let inner = unquoted(&text);
    let close = text.chars().next_back().unwrap_or_default();
    inner
        .char_indices()
        .any(|(i, c)| c == close && inner[i + c.len_utf8()..].starts_with(char::is_whitespace))
}

/// The trimmed range of a gap if it can be an argument of `kind`.
pub(super) fn argument(text: &[u8], from: usize, to: usize, kind: Kind) -> Option<(usize, usize)> {
    let gap = text.get(from..to)?;
    let lead = gap.len() - gap.trim_ascii_start().len();
    // Marks of quoted mail are no part of it.
    let lead = if gap[..lead].contains(&b'\n') { lead + mail_quote(&gap[lead..]) } else { lead };
    let trimmed = gap[lead..].trim_ascii_end();
    if !trimmed.iter().any(|byte| is_word(*byte)) || trimmed.len() > MAX_ARGUMENT || breaks_record(trimmed) {
        return None;
    }
    let quoted = closes(text, from, to) && !closes_inside(trimmed);
    let blanks = |part: &[u8]| part.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    let too_wordy = match kind {
        Kind::List => trimmed.split(|byte| *byte == b',').any(|item| blanks(item) > MAX_BARE_BLANKS),
        _ => blanks(trimmed) > MAX_BARE_BLANKS,
    };
    let sentences = trimmed.windows(2).any(|pair| pair == b". ");
    if (too_wordy || sentences) && !quoted || !is_value(trimmed, kind) {
        return None;
    }
    Some((from + lead, from + lead + trimmed.len()))
}

/// Whether a gap goes over an empty line, or over a line break behind which a new record begins.
fn breaks_record(gap: &[u8]) -> bool {
    gap.split(|byte| *byte == b'\n').skip(1).any(|line| {
        let line = line.trim_ascii_start();
        line.is_empty() || super::bounds::starts_record(line)
    })
}

/// The value of an argument's text: unquoted, lists split, line wraps as one blank.
pub(super) fn value(text: &[u8], kind: Kind) -> Option<ArgValue> {
    let text = unwrapped(text);
    let inner = unquoted(&text);
    if kind == Kind::List {
        let items: Vec<String> = items(inner).map(str::to_string).collect();
        return (!items.is_empty()).then_some(ArgValue::Many(items));
    }
    fits(inner, kind).then(|| ArgValue::One(inner.to_string()))
}

/// Whether there is a value in an argument's text.
fn is_value(text: &[u8], kind: Kind) -> bool {
    // No mark that is taken off is a letter or digit.
    if matches!(kind, Kind::Text | Kind::List) && text.iter().any(u8::is_ascii_alphanumeric) {
        return true;
    }
    let text = unwrapped(text);
    let inner = unquoted(&text);
    if kind == Kind::List { items(inner).next().is_some() } else { fits(inner, kind) }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|item| item.trim().trim_matches(QUOTES).trim()).filter(|item| !item.is_empty())
}

fn fits(value: &str, kind: Kind) -> bool {
    !value.is_empty()
        && match kind {
            Kind::Number => value.chars().all(|c| c.is_ascii_digit()),
            Kind::Version => value.chars().all(|c| c.is_ascii_digit() || c == '.'),
            Kind::Word => !value.contains(char::is_whitespace),
            Kind::Text | Kind::List => true,
        }
}

/// Without one pair of marks around it, or with one that is left alone taken off.
fn unquoted(text: &str) -> &str {
    let opened = text.strip_prefix(QUOTES);
    let closed = text.strip_suffix(QUOTES);
    match (opened, closed) {
        (Some(inner), Some(_)) if text.chars().nth(1).is_some() => {
            inner.strip_suffix(QUOTES).unwrap_or(inner)
        }
        _ => text,
    }
}

/// Trimmed text, line breaks and what mail puts behind them as one blank.
fn unwrapped(text: &[u8]) -> Cow<'_, str> {
    let text = match lossy(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_string()),
    };
    if !text.contains('\n') {
        return text;
    }
    let lines =
        text.split('\n').map(|line| line.trim().trim_start_matches("> ").trim_start_matches('>').trim());
    Cow::Owned(lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
}
