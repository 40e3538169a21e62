//! Anchors: the few short substrings that every message holds one of.
//!
//! All wordings come in; a small set of [`Anchor`]s goes out such that the first sentence of each wording holds at
//! least one (logs often keep only that sentence). They are what stage 1 searches every byte for, so they are chosen
//! to be few and rare: a greedy set cover by covered wordings per expected candidates, where a candidate's frequency
//! comes from how often its letters stand in log text. An anchor never holds what logs vary: white space, quotes,
//! hyphens and the joints of compounds ("allow-list"), a word's first letter, a plural's last, or a contraction.

use super::wording::{Piece, Wording, is_word};
use std::collections::{BTreeMap, BTreeSet};

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

/// Chooses anchors for `wordings`; the same wordings give the same anchors in the same order.
pub fn choose(wordings: &[Wording]) -> Vec<Anchor> {
    let mut covers: BTreeMap<Vec<u8>, BTreeSet<usize>> = BTreeMap::new();
    for (index, wording) in wordings.iter().enumerate() {
        for candidate in candidates(wording) {
            covers.entry(candidate).or_default().insert(index);
        }
    }
    let mut open: BTreeSet<usize> = covers.values().flatten().copied().collect();
    let mut chosen: Vec<Vec<u8>> = Vec::new();
    while !open.is_empty() {
        let gain = |(bytes, covered): &(&Vec<u8>, &BTreeSet<usize>)| {
            covered.intersection(&open).count() as f64 / (ANCHOR_COST + candidates_per_million(bytes))
        };
        let Some((best, _)) =
            covers.iter().max_by(|a, b| gain(a).total_cmp(&gain(b)).then_with(|| b.0.cmp(a.0)))
        else {
            break;
        };
        let best = best.clone();
        for covered in &covers[&best] {
            open.remove(covered);
        }
        chosen.push(best);
    }
    drop_redundant(&mut chosen, &covers);
    chosen.sort();
    chosen.into_iter().map(|bytes| Anchor { owners: owners(&bytes, wordings), bytes }).collect()
}

/// Later choices can make an earlier one superfluous; the most frequent go first.
fn drop_redundant(chosen: &mut Vec<Vec<u8>>, covers: &BTreeMap<Vec<u8>, BTreeSet<usize>>) {
    let mut order = chosen.clone();
    order.sort_by(|a, b| {
        candidates_per_million(b).total_cmp(&candidates_per_million(a)).then_with(|| a.cmp(b))
    });
    for bytes in order {
        let others: BTreeSet<usize> = chosen
            .iter()
            .filter(|other| **other != bytes)
            .flat_map(|other| covers[other].iter().copied())
            .collect();
        if covers[&bytes].is_subset(&others) {
            chosen.retain(|other| *other != bytes);
        }
    }
}

/// All places of `bytes` in first sentences.
fn owners(bytes: &[u8], wordings: &[Wording]) -> Vec<Owner> {
    let mut owners = Vec::new();
    for (wording, parts) in wordings.iter().map(|wording| &wording.parts).enumerate() {
        let least = least_keys(parts);
        for (part, piece) in parts.iter().enumerate() {
            let Piece::Literal { keys, first_sentence: true, .. } = piece else { continue };
            if keys.len() < least {
                continue;
            }
            let places = memchr::memmem::find_iter(keys, bytes);
            owners.extend(places.map(|offset| Owner { wording, part, offset }));
        }
    }
    owners
}

/// How many keys a literal must have to be searched by: a lone word such as "Collation" stands on many lines and tells
/// little, a phrase is refused at its first other letter.
fn least_keys(parts: &[Piece]) -> usize {
    let longest = parts.iter().map(|piece| match piece {
        Piece::Literal { keys, first_sentence: true, .. } if keys.iter().any(|key| is_word(*key)) => {
            keys.len()
        }
        _ => 0,
    });
    longest.max().unwrap_or(0).min(PHRASE_KEYS)
}

/// Substrings of the words in the wording's first sentence that logs do not vary.
fn candidates(wording: &Wording) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let least = least_keys(&wording.parts);
    for piece in &wording.parts {
        let Piece::Literal { text, keys, first_sentence: true } = piece else { continue };
        if keys.len() < least {
            continue;
        }
        for word in stable_words(text) {
            for len in MIN_LEN..=MAX_LEN.min(word.len()) {
                for part in word.windows(len) {
                    if memchr::memmem::find(keys, part).is_some() {
                        found.insert(part.to_vec());
                    }
                }
            }
        }
    }
    found
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

/// How often the first four bytes, the searcher's fingerprint, are expected in a million bytes of log text: in the words
/// such logs are full of, and by chance.
fn candidates_per_million(bytes: &[u8]) -> f64 {
    let fingerprint = &bytes[..bytes.len().min(4)];
    let holds = |word: &&(&str, u32)| memchr::memmem::find(word.0.as_bytes(), fingerprint).is_some();
    let common: u32 = COMMON_WORDS.iter().filter(holds).map(|(_, count)| count).sum();
    let chance = 1e6 * fingerprint.iter().map(|byte| frequency(*byte)).product::<f64>();
    // Bytes behind the fingerprint only spare the look at the line.
    (f64::from(common) + chance) * if bytes.len() > 4 { 0.8 } else { 1.0 }
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
