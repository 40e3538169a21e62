//! Anchors: the few short substrings that every message holds one of.
//!
//! All wordings come in; a small set of [`Anchor`]s goes out such that the first sentence of each wording holds at
//! least one (logs often keep only that sentence). They are what stage 1 searches every byte for, so they are chosen
//! to be few and rare: a greedy set cover by covered wordings per expected candidates, where a candidate's frequency
//! comes from how often its letters stand in log text. An anchor never holds what logs vary: white space, quotes,
//! hyphens and the joints of compounds ("allow-list"), a word's first letter, a plural's last, or a contraction.

use super::wording::{Piece, Wording, is_word};
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::OnceLock;

/// The shortest anchor: the searcher's fingerprint is four bytes, and shorter ones match everywhere.
const MIN_LEN: usize = 4;
/// The longest anchor; more bytes find nothing more and are compared only at candidates.
const MAX_LEN: usize = 8;
/// What one more anchor costs, in candidates in a million bytes. A candidate costs stage 2 a microsecond or two, an
/// anchor makes the search itself slower (they share the searcher's buckets) by some 5 to 15 microseconds a million bytes.
const ANCHOR_COST: f64 = 8.0;
/// The keys of a phrase: two or three words.
const PHRASE_KEYS: usize = 14;
/// First parts of compounds that logs join with or without a hyphen.
const COMPOUNDS: [&str; 6] = ["allow", "block", "non", "post", "pre", "sub"];

/// A substring that stage 1 searches for, and the places in wordings where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The bytes, as they stand in logs and in keys alike.
    pub bytes: Vec<u8>,
    /// Where it stands.
    pub owners: Vec<Owner>,
}

/// A place of an anchor in a wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The wording, by index.
    pub wording: usize,
    /// Its part, a literal of the first sentence.
    pub part: usize,
    /// The key in that literal at which the anchor begins.
    pub offset: usize,
}

/// A substring that may become an anchor; shorter ones are filled up with zeros, so that it orders as its bytes do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Candidate([u8; MAX_LEN]);

impl Candidate {
    fn new(bytes: &[u8]) -> Candidate {
        let mut filled = [0; MAX_LEN];
        filled[..bytes.len()].copy_from_slice(bytes);
        Candidate(filled)
    }

    fn bytes(&self) -> &[u8] {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(MAX_LEN);
        &self.0[..len]
    }
}

/// What choosing a candidate would give now: the wordings it covers that no other does, by its cost.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gain {
    gain: f64,
    candidate: Candidate,
    /// The wordings it covers, as a range of all covers.
    from: usize,
    to: usize,
}

impl Eq for Gain {}

impl PartialOrd for Gain {
    fn partial_cmp(&self, other: &Gain) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Gain {
    fn cmp(&self, other: &Gain) -> Ordering {
        self.gain.total_cmp(&other.gain).then_with(|| other.candidate.cmp(&self.candidate))
    }
}

/// Chooses anchors for `wordings`; the same wordings give the same anchors in the same order.
pub fn choose(wordings: &[Wording]) -> Vec<Anchor> {
    let mut covers: Vec<(Candidate, u32)> = Vec::new();
    for (index, wording) in wordings.iter().enumerate() {
        covers.extend(candidates(wording).into_iter().map(|candidate| (candidate, index as u32)));
    }
    covers.sort_unstable();
    let mut chosen = greedy(&covers, wordings.len());
    drop_redundant(&mut chosen, &covers, wordings.len());
    chosen.sort_unstable_by_key(|gain| gain.candidate);
    let bytes = chosen.iter().map(|gain| gain.candidate.bytes().to_vec());
    let mut owners = owners(&chosen, wordings);
    bytes.map(|bytes| Anchor { owners: owners.remove(&*bytes).unwrap_or_default(), bytes }).collect()
}

/// The greedy cover. What a candidate gives only sinks while others are chosen, so the first of the queue is the best
/// as soon as its gain is up to date: few are looked at again.
fn greedy(covers: &[(Candidate, u32)], wordings: usize) -> Vec<Gain> {
    let mut open = vec![true; wordings];
    let mut from = 0;
    let mut queue = BinaryHeap::new();
    for same in covers.chunk_by(|a, b| a.0 == b.0) {
        let (candidate, to) = (same[0].0, from + same.len());
        let gain = same.len() as f64 / (ANCHOR_COST + candidates_per_million(candidate.bytes()));
        queue.push(Gain { gain, candidate, from, to });
        from = to;
    }
    let mut chosen = Vec::new();
    while let Some(best) = queue.pop() {
        let covered = &covers[best.from..best.to];
        let left = covered.iter().filter(|(_, wording)| open[*wording as usize]).count();
        if left == 0 {
            continue;
        }
        let gain = left as f64 / (ANCHOR_COST + candidates_per_million(best.candidate.bytes()));
        let now = Gain { gain, ..best };
        if queue.peek().is_some_and(|next| *next > now) {
            queue.push(now);
            continue;
        }
        covered.iter().for_each(|(_, wording)| open[*wording as usize] = false);
        chosen.push(now);
    }
    chosen
}

/// Later choices can make an earlier one superfluous; the most frequent go first.
fn drop_redundant(chosen: &mut Vec<Gain>, covers: &[(Candidate, u32)], wordings: usize) {
    let mut times = vec![0u32; wordings];
    for gain in &*chosen {
        covers[gain.from..gain.to].iter().for_each(|(_, wording)| times[*wording as usize] += 1);
    }
    let frequency = |gain: &Gain| candidates_per_million(gain.candidate.bytes());
    let mut order: Vec<(f64, Gain)> = chosen.iter().map(|gain| (frequency(gain), *gain)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.candidate.cmp(&b.1.candidate)));
    let mut dropped = HashSet::new();
    for (_, gain) in order {
        let covered = &covers[gain.from..gain.to];
        if covered.iter().all(|(_, wording)| times[*wording as usize] > 1) {
            covered.iter().for_each(|(_, wording)| times[*wording as usize] -= 1);
            dropped.insert(gain.candidate);
        }
    }
    chosen.retain(|gain| !dropped.contains(&gain.candidate));
}

/// All places of the chosen in first sentences, by their bytes.
fn owners<'a>(chosen: &'a [Gain], wordings: &[Wording]) -> HashMap<&'a [u8], Vec<Owner>> {
    let mut owners: HashMap<&[u8], Vec<Owner>> =
        chosen.iter().map(|gain| (gain.candidate.bytes(), Vec::new())).collect();
    for (wording, parts) in wordings.iter().map(|wording| &wording.parts).enumerate() {
        let least = least_keys(parts);
        for (part, piece) in parts.iter().enumerate() {
            let Piece::Literal { keys, first_sentence: true, .. } = piece else { continue };
            if keys.len() < least {
                continue;
            }
            for offset in 0..keys.len() {
                for len in MIN_LEN..=MAX_LEN.min(keys.len() - offset) {
                    if let Some(places) = owners.get_mut(&keys[offset..offset + len]) {
                        places.push(Owner { wording, part, offset });
                    }
                }
            }
        }
    }
    owners
}

/// How many keys a literal must have to be searched by: a lone word such as "Collation" stands on many lines and tells
/// little, a phrase is refused at its first other letter. A phrase of short words offers nothing and sets no measure.
fn least_keys(parts: &[Piece]) -> usize {
    let longest = parts.iter().map(|piece| match piece {
        Piece::Literal { text, keys, first_sentence: true } if !offered(text, keys).is_empty() => keys.len(),
        _ => 0,
    });
    longest.max().unwrap_or(0).min(PHRASE_KEYS)
}

/// Substrings of the words in the wording's first sentence that logs do not vary.
fn candidates(wording: &Wording) -> BTreeSet<Candidate> {
    let least = least_keys(&wording.parts);
    let literals = wording.parts.iter().filter_map(|piece| match piece {
        Piece::Literal { text, keys, first_sentence: true } if keys.len() >= least => Some((text, keys)),
        _ => None,
    });
    literals.flat_map(|(text, keys)| offered(text, keys)).collect()
}

/// What a literal offers, in order.
fn offered(text: &str, keys: &[u8]) -> Vec<Candidate> {
    let windows = (MIN_LEN..=MAX_LEN).flat_map(|len| keys.windows(len));
    let held: HashSet<Candidate> = windows.map(Candidate::new).collect();
    let words = stable_words(text);
    let parts =
        words.iter().flat_map(|word| (MIN_LEN..=MAX_LEN.min(word.len())).flat_map(|len| word.windows(len)));
    parts.map(Candidate::new).filter(|candidate| held.contains(candidate)).collect()
}

/// The inner part of each word: without what logs vary.
fn stable_words(text: &str) -> Vec<&[u8]> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = bytes[start..].iter().position(|byte| !is_word(*byte)).map_or(bytes.len(), |i| start + i);
        let word = &bytes[start..end];
        let contracted = text[end..].starts_with(['\'', '’']) || text[..start].ends_with(['\'', '’']);
        if word.is_ascii() && !(contracted && contraction(text, start, end)) && word != b"cannot" {
            let joint =
                COMPOUNDS.iter().find(|first| word.to_ascii_lowercase().starts_with(first.as_bytes()));
            let from = joint.map_or(1, |first| first.len() + 1).min(word.len());
            let plural = usize::from(word.ends_with(b"s") || text[end..].starts_with("(s)"));
            words.push(&word[from..word.len().saturating_sub(plural).max(from)]);
        }
        start = end + 1;
    }
    words
}

/// Whether the word at `start..end` is a part of "doesn't", "they're" and the like, not a quoted word.
fn contraction(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let joins = |at: usize| at > 0 && bytes.get(at).is_some_and(|byte| !byte.is_ascii_whitespace());
    let left = start > 1 && text[..start].ends_with('\'') && is_word(bytes[start - 2]);
    let right =
        text[end..].starts_with('\'') && joins(end + 1) && bytes.get(end + 1).is_some_and(|b| is_word(*b));
    left || right || text[end..].starts_with('’') || text[..start].ends_with('’')
}

/// The rarest anchor that the wording offers, with its expected candidates in a million bytes; none if no word of its
/// first sentence is long enough to be searched for.
pub fn rarest(wording: &Wording) -> Option<(Vec<u8>, f64)> {
    let measured = candidates(wording).into_iter().map(|candidate| {
        let bytes = candidate.bytes().to_vec();
        let expected = candidates_per_million(&bytes);
        (bytes, expected)
    });
    measured.min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)))
}

/// How often the first four bytes, the searcher's fingerprint, are expected in a million bytes of log text: in the words
/// such logs are full of, and by chance.
fn candidates_per_million(bytes: &[u8]) -> f64 {
    let fingerprint = &bytes[..bytes.len().min(MIN_LEN)];
    let common = common_fingerprints().get(fingerprint).copied().unwrap_or_default();
    let chance = 1e6 * fingerprint.iter().map(|byte| frequency(*byte)).product::<f64>();
    // Bytes behind the fingerprint only spare the look at the line.
    (f64::from(common) + chance) * if bytes.len() > 4 { 0.8 } else { 1.0 }
}

/// How often each fingerprint stands in the common words: each word counts once.
fn common_fingerprints() -> &'static HashMap<&'static [u8], u32> {
    static COMMON: OnceLock<HashMap<&[u8], u32>> = OnceLock::new();
    COMMON.get_or_init(|| {
        let mut common = HashMap::new();
        for (word, count) in COMMON_WORDS {
            for part in word.as_bytes().windows(MIN_LEN).collect::<BTreeSet<_>>() {
                *common.entry(part).or_default() += count;
            }
        }
        common
    })
}

/// Words in a million bytes of PostgreSQL, pgcopydb, worker and export logs, rounded.
const COMMON_WORDS: [(&str, u32); 62] = [
    ("access", 150),
    ("applied", 100),
    ("authorized", 300),
    ("buffers", 300),
    ("category", 700),
    ("checkpoint", 300),
    ("client", 200),
    ("collation", 150),
    ("column", 200),
    ("command", 150),
    ("complete", 500),
    ("connection", 800),
    ("constraint", 150),
    ("contains", 100),
    ("control", 80),
    ("copied", 300),
    ("create", 400),
    ("database", 1200),
    ("detected", 100),
    ("duration", 500),
    ("encoding", 100),
    ("enabled", 100),
    ("errorLevel", 700),
    ("error", 300),
    ("execute", 300),
    ("extension", 400),
    ("failed", 250),
    ("file", 300),
    ("flexible", 300),
    ("function", 150),
    ("host", 400),
    ("index", 300),
    ("information", 100),
    ("located", 50),
    ("message", 900),
    ("migration", 800),
    ("missing", 50),
    ("operationName", 700),
    ("parameter", 250),
    ("password", 100),
    ("permission", 100),
    ("position", 200),
    ("postgresql", 700),
    ("PostgreSQLLogs", 700),
    ("process", 300),
    ("properties", 700),
    ("public", 400),
    ("replication", 500),
    ("reporting", 200),
    ("restore", 250),
    ("role", 250),
    ("schema", 300),
    ("server", 1200),
    ("source", 600),
    ("statement", 400),
    ("supported", 100),
    ("supports", 60),
    ("table", 900),
    ("target", 700),
    ("timestamp", 700),
    ("transaction", 250),
    ("version", 250),
];

/// Shares of letters in PostgreSQL and migration service logs, per thousand bytes.
fn frequency(byte: u8) -> f64 {
    const PER_MILLE: [u16; 26] =
        [50, 9, 25, 27, 75, 11, 13, 15, 45, 2, 6, 29, 18, 43, 46, 17, 2, 47, 43, 60, 19, 8, 7, 4, 9, 2];
    let per_mille = match byte {
        b'a'..=b'z' => PER_MILLE[usize::from(byte - b'a')],
        b'0'..=b'9' => 20,
        b'_' => 10,
        b'A'..=b'Z' => 6,
        _ => 3,
    };
    f64::from(per_mille) / 1000.0
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    #[test]
    fn every_wording_is_covered_and_no_anchor_is_superfluous() {
        let entries = &builtin().entries;
        let compiled = |count: usize| -> Vec<Wording> {
            let wordings = |(i, entry): (usize, &std::sync::Arc<crate::catalog::Entry>)| {
                entry.wordings.iter().map(|text| Wording::new(i, entry, text)).collect::<Vec<_>>()
            };
            entries.iter().enumerate().take(count).flat_map(wordings).collect()
        };
        for count in 0..=entries.len() {
            let wordings = compiled(count);
            let anchors = choose(&wordings);
            let covered = |without: Option<usize>| -> BTreeSet<usize> {
                let others = anchors.iter().enumerate().filter(|(i, _)| Some(*i) != without);
                others.flat_map(|(_, anchor)| anchor.owners.iter().map(|owner| owner.wording)).collect()
            };
            assert_eq!(covered(None).len(), wordings.len());
            for (i, anchor) in anchors.iter().enumerate() {
                let rest = covered(Some(i));
                let stable =
                    |wording: usize| candidates(&wordings[wording]).contains(&Candidate::new(&anchor.bytes));
                assert!(
                    anchor.owners.iter().any(|owner| !rest.contains(&owner.wording) || stable(owner.wording)),
                    "{anchor:?}"
                );
            }
        }
    }
}
