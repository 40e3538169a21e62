//! The matcher: from the bytes of a window to the matches of a catalogue in it, in two stages.
//!
//! A [`Window`] comes in; the [`Match`]es that start in its core go out. The matcher knows nothing of files,
//! times or outputs.
//!
//! # Two stages
//!
//! A log has millions of lines and a handful of messages. So stage 1, the *prefilter*, sees every byte and
//! does little with it, and stage 2 does a lot with the few places that stage 1 reports. For the line
//!
//! ```text
//! 2024-06-06 21:42:53.039 80 ERROR  validate.c:214   603101: Database exists in target. Database "orders" doesn\u0027t ...
//! ```
//!
//! - **Stage 1** (`Matcher::hits`) finds `603101` by the prefix that its code space declares, and parts of
//!   "Database" or "exists" by the *anchors*: substrings chosen so that every message of the catalogue
//!   contains at least one. Hits whose neighbors exclude a message or a code are dropped at once.
//! - **Stage 2** (`Matcher::matches`) bounds the line around each hit, undoes its escapes, normalizes it,
//!   verifies the wordings that contain the anchor, reads their arguments, judges whether `603101` is
//!   a code here, and joins the code, the title and the message to one match.
//!
//! | file | stage | what it does |
//! |---|---|---|
//! | `anchors`, `frequency` | | chooses the anchors, by how often four bytes occur in logs |
//! | `searcher` | 1 | finds the anchors with SIMD instructions |
//! | `code_anchors` | 1 | finds the prefixes of codes |
//! | `prefilter` | 1 | drops hits by the bytes next to them |
//! | `lines` | 1 | counts line breaks while the bytes are in the cache |
//! | `bounds` | 2 | how far around a hit the matcher looks; lines and records |
//! | `normalized`, `region` | 2 | undoes escapes and normalizes text, with a map to raw offsets |
//! | `wording`, `argument`, `messages` | 2 | verifies wordings and reads arguments |
//! | `code` | 2 | judges whether what has the form of a code is one |
//! | `link` | 2 | decides which codes and messages are one finding |
//! | `matches` | 2 | makes a match of each, with all that its text says |
//! | `work` | | counts steps, for tests of how time grows |
//! | `align` | 2 | recovers arguments from messages with other words than the catalogue's |
//! | `naive` | | the definition: the same without stage 1, for tests |
//!
//! # Invariants
//!
//! - *Cut invariance*: matches are a function of the bytes within fixed distances of the hit, so a source may
//!   be cut into windows anywhere. See `bounds`.
//! - *Two stages are one*: on any text, the matches are those of `naive`, which verifies every wording at
//!   every place.

pub(crate) mod align;
pub(crate) mod anchors;
mod argument;
#[doc(hidden)]
pub mod bounds;
pub(crate) mod bytes;
pub(crate) mod code;
mod code_anchors;
mod frequency;
mod lines;
pub(crate) mod link;
mod matches;
mod messages;
#[cfg(any(test, fuzzing))]
mod naive;
#[doc(hidden)]
pub mod normalized;
mod prefilter;
mod region;
mod searcher;
#[doc(hidden)]
pub mod wording;
pub(crate) mod work;

use crate::catalog::{ArgValue, Catalog, Code, Entry, Template};
use crate::input::Window;
use anchors::Anchor;
use bounds::Stop;
use code::Mention;
use code_anchors::{CodeAnchors, CodeCandidate};
use lines::BLOCK;
pub(crate) use lines::Lines;
use link::{Token, TokenKind};
use messages::{Message, Verifier, distinct, is_near};
#[cfg(any(test, fuzzing))]
pub use naive::naive;
use normalized::UnescapedText;
use prefilter::{NeighborFilter, Neighbors};
use region::Region;
use searcher::Searcher;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
pub use wording::MatchQuality;
use wording::Wording;

/// A compiled catalogue.
#[derive(Debug)]
pub struct Matcher {
    /// The entries to which matches refer by index.
    pub entries: Vec<Arc<Entry>>,
    wordings: Vec<Wording>,
    /// Each wording as it is aligned with drifted messages, once it was needed.
    patterns: Vec<OnceLock<align::Pattern>>,
    /// Sentences that add arguments to a match of their entry.
    followups: Vec<Wording>,
    /// The normalized title of each entry.
    titles: Vec<Vec<u8>>,
    /// The entry of each code, by index.
    codes: BTreeMap<Code, usize>,
    anchors: Vec<Anchor>,
    /// The filter of each anchor.
    filters: Vec<NeighborFilter>,
    searcher: Searcher,
    code_anchors: CodeAnchors,
}

/// A match, in offsets of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// What was matched.
    pub id: MatchId,
    /// How well the text agrees with the catalogue.
    pub quality: MatchQuality,
    /// Arguments by the entry's index, in its order.
    pub args: Vec<(usize, ArgValue)>,
    /// The bytes from the first to the last of code and message.
    pub range: Range<usize>,
    /// Whether the code is in the log.
    pub code_in_log: bool,
}

/// An entry of the catalogue, or a code that it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchId {
    /// An entry, by index.
    Entry(usize),
    /// A code of a declared space that no entry has.
    Unknown(Code),
}

/// A hit of stage 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    /// Its raw offset in the window.
    at: usize,
    kind: HitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HitKind {
    /// An anchor, by index, with the first of its placements that the prefilter left.
    Anchor { anchor: usize, first: usize },
    /// What may be a code, with its form by index; an ambiguous one is no code without its title or message.
    Code { form: usize, ambiguous: bool },
}

/// When the lines of a window are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineCounting {
    /// While stage 1 has them in the cache.
    Now,
    /// When their number is asked for.
    OnDemand,
}

impl Matcher {
    /// Compiles `catalog`.
    pub fn new(catalog: &Catalog) -> Matcher {
        let compile = |templates: fn(&Entry) -> &[Template]| -> Vec<Wording> {
            let indexed = catalog.entries.iter().enumerate();
            indexed
                .flat_map(|(i, entry)| {
                    templates(entry).iter().map(move |template| Wording::new(i, entry, template))
                })
                .collect()
        };
        let wordings = compile(|entry| &entry.wordings);
        let anchors = anchors::choose(&wordings);
        Matcher {
            titles: catalog.entries.iter().map(|entry| wording::normalized_title(&entry.title)).collect(),
            codes: catalog
                .entries
                .iter()
                .enumerate()
                .filter_map(|(i, entry)| Some((entry.code?, i)))
                .collect(),
            followups: compile(|entry| &entry.followups),
            patterns: wordings.iter().map(|_| OnceLock::new()).collect(),
            filters: anchors.iter().map(|anchor| neighbor_filter(anchor, &wordings)).collect(),
            searcher: Searcher::new(&anchors),
            code_anchors: CodeAnchors::new(&catalog.code_spaces),
            entries: catalog.entries.clone(),
            wordings,
            anchors,
        }
    }

    /// Returns the anchors in use, in order of their bytes.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// Returns the matches that start in the core of `window`, in order of their start.
    pub fn scan(&self, window: &Window<'_>) -> Vec<Match> {
        self.scan_lines(window).0
    }

    /// Returns the matches and the number of line breaks before each block, counted while the bytes are in
    /// the cache.
    pub fn scan_lines(&self, window: &Window<'_>) -> (Vec<Match>, Lines) {
        let scanned = self.scan_until(window, &|| false);
        scanned.unwrap_or_else(|| unreachable!("nothing stops it"))
    }

    /// Returns the same as [`Matcher::scan_lines`]; none if `stop` said so before all of the window was searched. It is
    /// asked often enough that the answer takes effect within milliseconds, whatever the window holds.
    pub fn scan_until(&self, window: &Window<'_>, stop: Stop<'_>) -> Option<(Vec<Match>, Lines)> {
        let from = window.core.start.saturating_sub(bounds::SCAN_MARGIN);
        let to = window.bytes.len().min(window.core.end + bounds::SCAN_MARGIN);
        let counting = if window.is_only() { LineCounting::OnDemand } else { LineCounting::Now };
        let (hits, lines) = self.hits(window.bytes, from..to, counting, stop)?;
        Some((self.matches(window, &hits, stop)?, lines))
    }

    /// Returns the matches of a window whose bytes were those of `before` when stage 1 read them. They may be anything,
    /// but no change of the bytes makes the matcher fail. For tests of files that change while they are read.
    #[doc(hidden)]
    pub fn scan_changed(&self, before: &[u8], window: &Window<'_>) -> Vec<Match> {
        assert_eq!(before.len(), window.bytes.len(), "a mapping keeps its length");
        let hits = self.hits(before, 0..before.len(), LineCounting::Now, &|| false);
        hits.and_then(|(hits, _)| self.matches(window, &hits, &|| false)).unwrap_or_default()
    }

    /// Stage 1: returns all hits in `range`, in order, and its lines.
    ///
    /// The bytes are read in blocks, by each search in turn, so that all but the first search and the
    /// counting of lines find a block in the cache. A hit belongs to the block in which it starts and may
    /// reach into the next.
    /// None if `stop` said so.
    fn hits(
        &self,
        bytes: &[u8],
        range: Range<usize>,
        counting: LineCounting,
        stop: Stop<'_>,
    ) -> Option<(Vec<Hit>, Lines)> {
        let mut hits = Vec::new();
        let mut lines = Lines::new(range.start);
        let longest = self.anchors.iter().map(|anchor| anchor.bytes.len()).max().unwrap_or(1);
        let overlap = longest.max(self.code_anchors.longest()) - 1;
        let mut start = range.start;
        while start < range.end {
            if stop() {
                return None;
            }
            let end = range.end.min(start + BLOCK);
            let reach = range.end.min(end + overlap);
            let known = hits.len();
            self.searcher.each(bytes, start..reach, |anchor, at| {
                if at >= end {
                    return;
                }
                if let Some(first) = self.placement(bytes, at, anchor, 0) {
                    hits.push(Hit { at, kind: HitKind::Anchor { anchor, first } });
                }
            });
            self.code_anchors.each(bytes, start..reach, |candidate| {
                let CodeCandidate { at, form } = candidate;
                if at >= end {
                    return;
                }
                let ambiguous = code::is_ambiguous(bytes, at, self.code_anchors.form(form));
                // An ambiguous code needs an entry whose title or message is near.
                if !ambiguous || self.entry_at(bytes, candidate).is_some() {
                    hits.push(Hit { at, kind: HitKind::Code { form, ambiguous } });
                }
            });
            hits[known..].sort_unstable();
            if counting == LineCounting::Now {
                lines.push(&bytes[start..end]);
            }
            start = end;
        }
        // Where code spaces overlap, a place may have several forms; the first counts.
        let is_code = |hit: &Hit| matches!(hit.kind, HitKind::Code { .. });
        hits.dedup_by(|next, hit| next.at == hit.at && is_code(next) && is_code(hit));
        Some((hits, lines))
    }

    /// Stage 2: returns the matches at `hits` that start in the core.
    ///
    /// Ambiguous codes are judged last: most of them have neither a title nor a message near, which is known
    /// without unescaping their line once all messages are found. None if `stop` said so.
    fn matches(&self, window: &Window<'_>, hits: &[Hit], stop: Stop<'_>) -> Option<Vec<Match>> {
        let bytes = window.bytes;
        // In a window full of findings, growing lists would be moved again and again.
        let mut messages: Vec<Message> = Vec::with_capacity(hits.len());
        let mut codes: Vec<Token> = Vec::with_capacity(hits.len());
        let mut last: Option<Region> = None;
        let mut ambiguous = Vec::new();
        for hit in hits {
            if stop() {
                return None;
            }
            match hit.kind {
                HitKind::Code { form, ambiguous: true } => ambiguous.push(CodeCandidate { at: hit.at, form }),
                HitKind::Code { form, ambiguous: false } => {
                    let line = Region::line(window, hit.at, &mut last);
                    codes.extend(self.code_at(bytes, line, CodeCandidate { at: hit.at, form }));
                }
                HitKind::Anchor { anchor, first } => {
                    let line = Region::line(window, hit.at, &mut last);
                    let mut verifier = Verifier::new(&self.wordings, window, line, hit.at);
                    let next = |placement: &usize| self.placement(bytes, hit.at, anchor, placement + 1);
                    let placements = std::iter::successors(Some(first), next);
                    let placements = placements.map(|index| self.anchors[anchor].placements[index]);
                    messages.extend(placements.filter_map(|placement| verifier.message(placement)));
                }
            }
        }
        let messages = distinct(messages);
        for code in ambiguous {
            if stop() {
                return None;
            }
            if self.may_be_called(bytes, code, &messages) {
                codes.extend(self.code_at(bytes, Region::line(window, code.at, &mut last), code));
            }
        }
        let mut matches = self.join(window, messages, codes, stop)?;
        matches.retain(|found| window.core.contains(&found.range.start));
        Some(matches)
    }

    /// Returns the first of the anchor's placements, by index from `first` on, that the raw bytes around the
    /// hit at `at` allow.
    fn placement(&self, bytes: &[u8], at: usize, anchor: usize, first: usize) -> Option<usize> {
        let Anchor { bytes: own, placements } = &self.anchors[anchor];
        self.filters[anchor].placement(bytes, (at, at + own.len()), first, |index| {
            let placement = placements[index];
            let wording = &self.wordings[placement.wording];
            let (literal, boundaries) = (wording.literal(placement.part), wording.boundaries(placement.part));
            prefilter::plausible(bytes, at, literal, placement.offset, boundaries)
        })
    }

    /// Returns the range of what may be a code.
    fn code_range(&self, code: CodeCandidate) -> Range<usize> {
        code.at..code.at + self.code_anchors.form(code.form).code_len()
    }

    /// Returns the entry of what may be a code, by index.
    fn entry_at(&self, bytes: &[u8], code: CodeCandidate) -> Option<usize> {
        self.codes.get(&Code::new(&bytes[self.code_range(code)])?).copied()
    }

    /// Whether an ambiguous code may be next to its title or message.
    fn may_be_called(&self, bytes: &[u8], code: CodeCandidate, messages: &[Message]) -> bool {
        let range = self.code_range(code);
        let Some(entry) = self.entry_at(bytes, code) else { return false };
        is_near(messages, &range, entry) || code::may_be_titled(bytes, range.end, &self.titles[entry])
    }

    /// Judges what may be a code in the line `line`, and whether the entry's title follows it.
    fn code_at(&self, bytes: &[u8], line: &Region, candidate: CodeCandidate) -> Option<Token> {
        let above = || {
            let Some(end) = line.range.start.checked_sub(1) else { return Vec::new() };
            let above = bounds::line_within(bytes, end, 64, 0);
            UnescapedText::new(&bytes[above.start..end], 0).bytes
        };
        let start = line.text.index_of(candidate.at);
        let form = self.code_anchors.form(candidate.form);
        let Mention { range, ambiguous, trailing } = code::mention(&line.text.bytes, start, form, above)?;
        let code = Code::new(&line.text.bytes[start..start + form.code_len()])?;
        let entry = self.codes.get(&code).copied();
        let after = line.normalized().index_of(range.end);
        let title = entry.and_then(|entry| code::title_after(line.normalized(), after, &self.titles[entry]));
        // The closing mark of the title belongs to it.
        let end = title.map_or(range.end, |title_end| {
            let end = line.normalized().text_index(title_end - 1) + 1;
            end + usize::from(line.text.bytes.get(end) == Some(&b'.'))
        });
        Some(Token {
            range: line.text.raw_start(range.start)..line.text.raw_end(end),
            entry,
            kind: TokenKind::Code { code, ambiguous, trailing, titled: title.is_some() },
        })
    }

    /// Returns the unescaped text of `range`, its secrets masked.
    pub fn text(window: &Window<'_>, range: &Range<usize>) -> Vec<u8> {
        let lines = Matcher::lines(window, range);
        UnescapedText::new(&window.bytes[lines.clone()], lines.start).slice(range).into_owned()
    }

    /// Returns the range of the lines that decide how the text of `range` is unescaped.
    pub fn lines(window: &Window<'_>, range: &Range<usize>) -> Range<usize> {
        bounds::line(window, range.start).start..bounds::line(window, range.end).end.max(range.end)
    }
}

/// Returns the filter of an anchor by the literals in which it is.
fn neighbor_filter(anchor: &Anchor, wordings: &[Wording]) -> NeighborFilter {
    NeighborFilter::new(anchor.placements.iter().map(|placement| {
        let literal = wordings[placement.wording].literal(placement.part);
        let (before, after) =
            (&literal[..placement.offset], &literal[placement.offset + anchor.bytes.len()..]);
        Neighbors { before, after }
    }))
}

#[cfg(test)]
mod tests;
