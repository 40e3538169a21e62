//! From bytes to matches, in two stages.
//!
//! A [`Window`] comes in, [`Match`]es that begin in its core go out. Stage 1 sees every byte: a SIMD search for a
//! handful of [`anchors`], chosen by the `background` of log text, and one for the code prefix; it drops what the bytes
//! around a hit (`around`) cannot be, and counts `lines`, while they are in a near cache. Stage 2 looks only at what
//! is left: it bounds the line ([`bounds`]), undoes its escapes ([`normalized`]), tries the [`wording`]s that own the
//! anchor, judges the digits ([`code`]) and joins what belongs together ([`link`]). What is found is a function of the
//! bytes within fixed distances of the hit, so windows can be cut anywhere. The room knows nothing of files, times or
//! outputs.

pub mod align;
pub mod anchors;
pub mod bounds;
pub mod bytes;
pub mod code;
mod frequency;
mod lines;
pub mod link;
#[cfg(any(test, fuzzing))]
mod naive;
pub mod normalized;
mod prefilter;
mod searcher;
pub mod wording;

use crate::catalog::{ArgValue, CODE_PREFIX, Catalog, Entry};
use crate::input::Window;
use anchors::{Anchor, Placement};
use code::{CODE_LEN, Mention};
pub use lines::Lines;
use link::{Cluster, Token, TokenKind};
#[cfg(any(test, fuzzing))]
pub use naive::naive;
use normalized::{Normalized, UnescapedText};
use prefilter::NeighborFilter;
use searcher::Searcher;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use wording::{Haystack, MatchQuality, MissingSide, Verification, Wording, WordingMatch};

/// How many bytes both searches take in turn, so that the second finds them in a near cache.
const BLOCK: usize = 64 << 10;

/// A compiled catalogue.
#[derive(Debug)]
pub struct Matcher {
    /// The entries matches refer to by index.
    pub entries: Vec<Arc<Entry>>,
    wordings: Vec<Wording>,
    followups: Vec<Wording>,
    titles: Vec<Vec<u8>>,
    codes: BTreeMap<u32, usize>,
    anchors: Vec<Anchor>,
    /// What stands around each anchor in its owners.
    around: Vec<NeighborFilter>,
    searcher: Searcher,
    prefix: memchr::memmem::Finder<'static>,
}

/// What was found, in offsets of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// What it is.
    pub id: MatchId,
    /// How the text agrees with the catalogue.
    pub quality: MatchQuality,
    /// Arguments by the entry's index, in its order.
    pub args: Vec<(usize, ArgValue)>,
    /// The bytes from the first to the last of code and text.
    pub range: Range<usize>,
    /// Whether the code stands in the log.
    pub code_in_log: bool,
}

/// An entry of the catalogue or a code that it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchId {
    /// An entry, by index.
    Entry(usize),
    /// A code in the service's range that no entry has.
    Unknown(u32),
}

/// A hit of stage 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    at: usize,
    kind: HitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HitKind {
    /// An anchor, by index, with the first of its owners that the bytes around it may be.
    Anchor { anchor: usize, first: usize },
    /// Six digits, ambiguous ones being no code without their title or message.
    Digits { ambiguous: bool },
}

/// A wording found, in offsets of the window.
#[derive(Debug, Clone)]
struct Message {
    range: Range<usize>,
    entry: usize,
    quality: MatchQuality,
    args: Vec<(usize, ArgValue)>,
}

/// The canonical form of a region, kept for the next hit on the same line.
struct Region<'b> {
    range: Range<usize>,
    text: UnescapedText<'b>,
    /// Made when first asked for: most digits are judged without.
    keys: OnceCell<Normalized>,
    /// Memory for them.
    spare: Cell<Normalized>,
}

impl<'b> Region<'b> {
    fn new(bytes: &'b [u8], range: Range<usize>) -> Region<'b> {
        let text = UnescapedText::new(&bytes[range.clone()], range.start);
        Region { range, text, keys: OnceCell::new(), spare: Cell::default() }
    }

    /// The same in the memory of the one before.
    fn after(known: Option<Region<'_>>, bytes: &'b [u8], range: Range<usize>) -> Region<'b> {
        let spare = known.map(|known| known.keys.into_inner().unwrap_or_else(|| known.spare.take()));
        let canon = Region::new(bytes, range);
        canon.spare.set(spare.unwrap_or_default());
        canon
    }

    /// The canonical form of the line around `at`: the one that is kept, or a new one that then is.
    fn at<'k>(window: &Window<'b>, at: usize, kept: &'k mut Option<Region<'b>>) -> &'k Region<'b> {
        let line = match kept {
            Some(known) if bounds::is_line(&known.range, at, bounds::GRID) => known.range.clone(),
            _ => bounds::line(window, at),
        };
        match kept.take() {
            Some(known) if known.range == line => kept.insert(known),
            known => kept.insert(Region::after(known, window.bytes, line)),
        }
    }

    fn keys(&self) -> &Normalized {
        self.keys.get_or_init(|| self.spare.take().of(&self.text.bytes))
    }

    /// The key that came from the raw offset `at` or behind it.
    fn key(&self, at: usize) -> usize {
        self.keys().index_of(self.text.index_of(at))
    }

    fn region(&self) -> Haystack<'_> {
        Haystack { text: &self.text, keys: self.keys() }
    }
}

impl Matcher {
    /// Compiles `catalog`.
    pub fn new(catalog: &Catalog) -> Matcher {
        let compile = |templates: fn(&Entry) -> &[crate::catalog::Template]| -> Vec<Wording> {
            let indexed = catalog.entries.iter().enumerate();
            indexed
                .flat_map(|(i, entry)| {
                    templates(entry).iter().map(move |template| Wording::new(i, entry, template))
                })
                .collect()
        };
        let wordings = compile(|entry| &entry.wordings);
        let anchors = anchors::choose(&wordings);
        let code = |entry: &Entry| entry.code.as_ref().and_then(|code| code.parse().ok());
        Matcher {
            titles: catalog.entries.iter().map(|entry| wording::title_keys(&entry.title)).collect(),
            codes: catalog
                .entries
                .iter()
                .enumerate()
                .filter_map(|(i, entry)| Some((code(entry)?, i)))
                .collect(),
            followups: compile(|entry| &entry.followups),
            around: anchors.iter().map(|anchor| around(anchor, &wordings)).collect(),
            searcher: Searcher::new(&anchors),
            prefix: memchr::memmem::Finder::new(CODE_PREFIX).into_owned(),
            entries: catalog.entries.clone(),
            wordings,
            anchors,
        }
    }

    /// The anchors in use, in order of their bytes.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// Finds what begins in the core of `window`, in order of its begin.
    pub fn scan(&self, window: &Window<'_>) -> Vec<Match> {
        self.scan_lines(window).0
    }

    /// The same, with an index of the window's lines, which is made while its bytes are in a near cache.
    pub fn scan_lines(&self, window: &Window<'_>) -> (Vec<Match>, Lines) {
        let from = window.core.start.saturating_sub(bounds::SCAN_MARGIN);
        let to = window.bytes.len().min(window.core.end + bounds::SCAN_MARGIN);
        let (hits, lines) = self.hits(window.bytes, from..to, !window.is_only());
        (self.matches(window, &hits), lines)
    }

    /// Stage 1: everything that is worth a closer look in `range`, in order, and its lines, `counted` or not.
    fn hits(&self, bytes: &[u8], range: Range<usize>, counted: bool) -> (Vec<Hit>, Lines) {
        let mut hits = Vec::new();
        let mut lines = Lines::new(range.start);
        let overlap =
            self.anchors.iter().map(|anchor| anchor.bytes.len()).max().unwrap_or(1).max(CODE_LEN) - 1;
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + BLOCK);
            let reach = range.end.min(end + overlap);
            let known = hits.len();
            self.searcher.each(bytes, start..reach, |anchor, at| {
                if at >= end {
                    return;
                }
                if let Some(first) = self.owner(bytes, at, anchor, 0) {
                    hits.push(Hit { at, kind: HitKind::Anchor { anchor, first } });
                }
            });
            for at in self.prefix.find_iter(&bytes[start..reach]).map(|at| start + at) {
                if at < end && code::may_be_code(bytes, at) {
                    let ambiguous = code::is_ambiguous(bytes, at);
                    // What is perhaps a code needs an entry's title or message.
                    if !ambiguous || self.entry_at(bytes, at).is_some() {
                        hits.push(Hit { at, kind: HitKind::Digits { ambiguous } });
                    }
                }
            }
            hits[known..].sort_unstable();
            if counted {
                lines.push(&bytes[start..end]);
            }
            start = end;
        }
        (hits, lines)
    }

    /// Stage 2 over `hits`; gives what begins in the core.
    fn matches(&self, window: &Window<'_>, hits: &[Hit]) -> Vec<Match> {
        let bytes = window.bytes;
        // In a window full of findings lists that grow would be moved again and again.
        let mut messages: Vec<Message> = Vec::with_capacity(hits.len());
        let mut codes: Vec<Token> = Vec::with_capacity(hits.len());
        let mut kept: Option<Region<'_>> = None;
        let mut ambiguous = Vec::new();
        for hit in hits {
            if hit.kind == (HitKind::Digits { ambiguous: true }) {
                ambiguous.push(hit.at);
                continue;
            }
            let canon = Region::at(window, hit.at, &mut kept);
            match hit.kind {
                HitKind::Anchor { anchor, first } => {
                    let next = |owner: &usize| self.owner(bytes, hit.at, anchor, owner + 1);
                    let owners = std::iter::successors(Some(first), next);
                    let owners = owners.map(|owner| self.anchors[anchor].owners[owner]);
                    self.messages_at(window, canon, hit.at, owners, &mut messages);
                }
                HitKind::Digits { .. } => codes.extend(self.code_at(bytes, canon, hit.at)),
            }
        }
        let messages = distinct(messages);
        for at in ambiguous.into_iter().filter(|at| self.may_be_called(bytes, *at, &messages)) {
            codes.extend(self.code_at(bytes, Region::at(window, at, &mut kept), at));
        }
        let mut matches = self.join(window, messages, codes);
        matches.retain(|found| window.core.contains(&found.range.start));
        matches
    }

    /// The first of the anchor's owners, by index from `first` on, that the raw bytes around the hit at `at` may be.
    fn owner(&self, bytes: &[u8], at: usize, anchor: usize, first: usize) -> Option<usize> {
        let Anchor { bytes: own, owners } = &self.anchors[anchor];
        self.around[anchor].owner(bytes, (at, at + own.len()), first, |index| {
            let owner = owners[index];
            let wording = &self.wordings[owner.wording];
            prefilter::plausible(bytes, at, wording.keys(owner.part), owner.offset, wording.edges(owner.part))
        })
    }

    /// The entry of the code that the digits at `at` are.
    fn entry_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        self.codes.get(&code::number(&bytes[at..at + CODE_LEN])).copied()
    }

    /// Whether the digits at `at`, a ambiguous mention at most, may stand beside their title or message.
    fn may_be_called(&self, bytes: &[u8], at: usize, messages: &[Message]) -> bool {
        let end = at + CODE_LEN;
        let Some(entry) = self.entry_at(bytes, at) else { return false };
        near(messages, &(at..end), entry) || code::may_be_titled(bytes, end, &self.titles[entry])
    }

    /// Joins distinct messages and codes to what is one finding each, in order.
    fn join(&self, window: &Window<'_>, mut messages: Vec<Message>, codes: Vec<Token>) -> Vec<Match> {
        let mut atoms = codes;
        // What is perhaps a code is none, and parts nothing, without its own title or message.
        atoms.retain(|atom| match atom.kind {
            TokenKind::Code { ambiguous: true, titled: false, .. } => {
                atom.entry.is_some_and(|entry| near(&messages, &atom.range, entry))
            }
            _ => true,
        });
        atoms.extend(messages.iter().enumerate().map(|(i, message)| Token {
            range: message.range.clone(),
            entry: Some(message.entry),
            kind: TokenKind::Message(i),
        }));
        atoms.sort_by_key(|atom| {
            (atom.range.start, atom.range.end, matches!(atom.kind, TokenKind::Message(_)))
        });
        let is_title = |entry: usize, line: &[u8]| {
            let keys = Normalized::new(line).bytes;
            keys.strip_suffix(b".").unwrap_or(&keys) == self.titles[entry]
        };
        let groups = link::groups(window.bytes, &atoms, &is_title);
        let joined = |group: &Cluster| self.joined(window, group, &atoms, &mut messages);
        let mut matches: Vec<Match> = Vec::with_capacity(groups.len());
        matches.extend(groups.iter().filter_map(joined));
        matches.sort_by_key(|found| (found.range.start, found.range.end, found.id));
        matches
    }

    /// The wordings that own the anchor at `at`, each tried.
    fn messages_at(
        &self,
        window: &Window<'_>,
        canon: &Region<'_>,
        at: usize,
        owners: impl Iterator<Item = Placement>,
        found: &mut Vec<Message>,
    ) {
        let mut wide = None;
        let key = canon.key(at);
        for owner in owners {
            found.extend(self.message_at(window, canon, &mut wide, (at, key), owner));
        }
    }

    /// The wording tried on the line, and where the line ends too early on the lines around it.
    fn message_at<'b>(
        &self,
        window: &Window<'b>,
        line: &Region<'b>,
        wide: &mut Option<Region<'b>>,
        (at, key): (usize, usize),
        owner: Placement,
    ) -> Option<Message> {
        let bytes = window.bytes;
        let attempt = self.try_at(line, key, owner);
        // A line that begins a record begins its messages too, and none goes on into a new record.
        let unfinished = match &attempt {
            Verification::Mismatch => return None,
            Verification::Incomplete(MissingSide::Before) => {
                !bounds::starts_record(&bytes[line.range.clone()])
            }
            Verification::Incomplete(MissingSide::After) => !bounds::ends_record(bytes, line.range.end),
            // Sentences that are missing may go on on the next line.
            Verification::Match(found) => found.cut && !bounds::ends_record(bytes, line.range.end),
        };
        let region = if unfinished { bounds::wrapped(window, at) } else { line.range.clone() };
        if region != line.range {
            let wide = wide.get_or_insert_with(|| Region::new(bytes, region));
            if let Verification::Match(more) = self.try_at(wide, wide.key(at), owner) {
                let message = self.message(wide, owner, more);
                // One on other lines is theirs to find: each is read by what its own lines show to be escapes.
                if message.range.contains(&at) {
                    return Some(message);
                }
            }
        }
        match attempt {
            Verification::Match(here) => Some(self.message(line, owner, here)),
            Verification::Mismatch | Verification::Incomplete(_) => None,
        }
    }

    fn try_at(&self, canon: &Region<'_>, key: usize, owner: Placement) -> Verification {
        self.wordings[owner.wording].try_at(&canon.region(), owner.part, owner.offset, key)
    }

    fn message(&self, canon: &Region<'_>, owner: Placement, found: WordingMatch) -> Message {
        Message {
            range: canon.text.raw_start(found.start)..canon.text.raw_end(found.end),
            entry: self.wordings[owner.wording].entry,
            quality: found.quality,
            args: found.args,
        }
    }

    /// Judges the digits at `at`, and whether the entry's title stands behind them.
    fn code_at(&self, bytes: &[u8], canon: &Region<'_>, at: usize) -> Option<Token> {
        let above = || {
            let Some(end) = canon.range.start.checked_sub(1) else { return Vec::new() };
            let line = bounds::line_within(bytes, end, 64, 0);
            UnescapedText::new(&bytes[line.start..end], 0).bytes.into_owned()
        };
        let start = canon.text.index_of(at);
        let Mention { range, ambiguous, trailing } = code::mention(&canon.text.bytes, start, above)?;
        let code = code::number(&canon.text.bytes[start..start + CODE_LEN]);
        let entry = self.codes.get(&code).copied();
        let behind = canon.keys().index_of(range.end);
        let title = entry.and_then(|entry| code::title_behind(canon.keys(), behind, &self.titles[entry]));
        // The closing mark of the title belongs to it.
        let end = title.map_or(range.end, |key| {
            let end = canon.keys().at(key - 1) + 1;
            end + usize::from(canon.text.bytes.get(end) == Some(&b'.'))
        });
        Some(Token {
            range: canon.text.raw_start(range.start)..canon.text.raw_end(end),
            entry,
            kind: TokenKind::Code { code, ambiguous, trailing, titled: title.is_some() },
        })
    }

    /// What a group says; takes the arguments of its message.
    fn joined(
        &self,
        window: &Window<'_>,
        group: &Cluster,
        atoms: &[Token],
        messages: &mut [Message],
    ) -> Option<Match> {
        let members = || group.message.iter().chain(&group.codes).map(|index| &atoms[*index]);
        let start = members().map(|atom| atom.range.start).min()?;
        let end = members().map(|atom| atom.range.end).max()?;
        let message = group.message.and_then(|index| match atoms[index].kind {
            TokenKind::Message(message) => Some(&mut messages[message]),
            TokenKind::Code { .. } => None,
        });
        let code = group.codes.first().and_then(|index| match atoms[*index].kind {
            TokenKind::Code { code, titled, .. } => Some((code, atoms[*index].entry, titled)),
            TokenKind::Message(_) => None,
        });
        let alone = message.is_none();
        let mut found = match (message, code) {
            (Some(message), _) if !group.foreign => Match {
                id: MatchId::Entry(message.entry),
                quality: message.quality,
                args: std::mem::take(&mut message.args),
                range: start..end,
                code_in_log: code.is_some(),
            },
            (_, Some((code, entry, titled))) => {
                // An entry without wordings is its title.
                let whole = titled && entry.is_some_and(|entry| self.entries[entry].wordings.is_empty());
                Match {
                    id: entry.map_or(MatchId::Unknown(code), MatchId::Entry),
                    quality: if whole { MatchQuality::Exact } else { MatchQuality::Absent },
                    args: Vec::new(),
                    range: start..end,
                    code_in_log: true,
                }
            }
            (_, None) => return None,
        };
        if alone && found.quality == MatchQuality::Absent {
            self.recover(window, group, atoms, &mut found);
        }
        if !group.foreign {
            self.follow(window, &mut found);
        }
        Some(found)
    }

    /// Aligns the text around a code that no wording matches with the entry's wordings.
    fn recover(&self, window: &Window<'_>, group: &Cluster, atoms: &[Token], found: &mut Match) {
        let MatchId::Entry(entry) = found.id else { return };
        let (Some(first), Some(last)) = (group.codes.first(), group.codes.last()) else { return };
        let trailing = matches!(atoms[*first].kind, TokenKind::Code { trailing: true, .. });
        let mut region = bounds::around(window, &found.range, trailing);
        let canon = Region::new(window.bytes, region.clone());
        // What is another finding's is not this one's text.
        let counts = |atom: &&Token| !matches!(atom.kind, TokenKind::Code { ambiguous: true, .. });
        if let Some(before) = atoms[..*first].iter().rev().find(counts) {
            region.start = region.start.max(before.range.end);
        }
        if let Some(behind) = atoms[last + 1..].iter().find(counts) {
            region.end = region.end.min(behind.range.start);
        }
        let (from, to) = (canon.text.index_of(region.start), canon.text.index_of(region.end));
        let wordings = self.wordings.iter().filter(|wording| wording.entry == entry);
        let Some(aligned) = align::best(wordings, &canon.text.bytes[from..to.max(from)]) else { return };
        found.quality = MatchQuality::Drifted;
        found.args = aligned.args;
        found.range.start = found.range.start.min(canon.text.raw_start(from + aligned.start));
        found.range.end = found.range.end.max(canon.text.raw_end(from + aligned.end));
    }

    /// Takes in a sentence that gives arguments only beside the entry's code or message.
    fn follow(&self, window: &Window<'_>, found: &mut Match) {
        let MatchId::Entry(entry) = found.id else { return };
        let mut followups = self.followups.iter().filter(|followup| followup.entry == entry).peekable();
        if followups.peek().is_none() {
            return;
        }
        let bytes = window.bytes;
        let region = found.range.end..bounds::line_within(bytes, found.range.end, 0, bounds::WRAP_AFTER).end;
        // The marks before it decide which escapes are undone.
        let context = bounds::line(window, found.range.start).start.min(found.range.start)..region.end;
        let canon = Region::new(bytes, context);
        let first = canon.keys().index_of(canon.text.index_of(region.start));
        for followup in followups {
            let Some((part, keys)) = followup.parts.iter().enumerate().find_map(|(i, part)| match part {
                wording::WordingPart::Literal { keys, .. } => Some((i, keys)),
                wording::WordingPart::Argument { .. } => None,
            }) else {
                continue;
            };
            for at in memchr::memmem::find_iter(&canon.keys().bytes[first..], keys) {
                if let Verification::Match(more) = followup.try_at(&canon.region(), part, 0, first + at) {
                    found.range.end = canon.text.raw_end(more.end);
                    found.args.extend(more.args);
                    found.args.sort_by_key(|(index, _)| *index);
                    return;
                }
            }
        }
    }

    /// The unescaped text of `range`.
    pub fn text(window: &Window<'_>, range: &Range<usize>) -> Vec<u8> {
        let lines = Matcher::lines(window, range);
        UnescapedText::new(&window.bytes[lines.clone()], lines.start).slice(range).to_vec()
    }

    /// The lines that decide how the text of `range` is unescaped.
    pub fn lines(window: &Window<'_>, range: &Range<usize>) -> Range<usize> {
        bounds::line(window, range.start).start..bounds::line(window, range.end).end.max(range.end)
    }
}

/// What stands around the anchor in its owners' literals.
fn around(anchor: &Anchor, wordings: &[Wording]) -> NeighborFilter {
    NeighborFilter::new(anchor.owners.iter().map(|owner| {
        let keys = wordings[owner.wording].keys(owner.part);
        (&keys[..owner.offset], &keys[owner.offset + anchor.bytes.len()..])
    }))
}

/// Whether one of `messages`, which are in order, is of `entry` and stands near enough to `range` to belong to a code there.
fn near(messages: &[Message], range: &Range<usize>, entry: usize) -> bool {
    // The brackets around the digits count, too.
    let reach = bounds::MAX_LINK + 2;
    let floor = range.start.saturating_sub(reach + bounds::MAX_MESSAGE);
    let from = messages.partition_point(|message| message.range.start < floor);
    let candidates = messages[from..].iter().take_while(|message| message.range.start <= range.end + reach);
    candidates.into_iter().any(|message| message.entry == entry && range.start <= message.range.end + reach)
}

/// Each message once: of those that overlap the longest, of equal ones of one entry the first.
fn distinct(mut messages: Vec<Message>) -> Vec<Message> {
    messages.sort_by(|a, b| {
        let order =
            |message: &Message| (message.range.start, std::cmp::Reverse(message.range.end), message.quality);
        order(a).cmp(&order(b)).then(b.args.len().cmp(&a.args.len())).then(a.entry.cmp(&b.entry))
    });
    let mut kept: Vec<Message> = Vec::with_capacity(messages.len());
    for message in messages {
        let overlaps = |other: &Message| other.range.end > message.range.start;
        let Some(last) = kept.last().filter(|last| overlaps(last)) else {
            kept.push(message);
            continue;
        };
        let longer = message.range.len() > last.range.len();
        let twin = message.range == last.range
            && kept
                .iter()
                .rev()
                .take(8)
                .all(|other| other.entry != message.entry || other.range != message.range);
        if longer {
            kept.retain(|other| !overlaps(other));
            kept.push(message);
        } else if twin {
            kept.push(message);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
