//! Anchors: the few short substrings of which every message contains at least one.
//!
//! All wordings come in; a small set of [`Anchor`]s goes out. The first sentence of each wording contains one
//! of them (logs often keep only that sentence), and stage 1 searches for them in every byte. This file does
//! not know how.
//!
//! # Which substrings may be anchors
//!
//! An anchor is found in raw bytes, before anything is normalized. So it must not contain what logs vary:
//! white space, quotes, hyphens, a word's first letter (`Database`, `database`), a plural's last one, a
//! contraction (`doesn't`), or the joint of a compound ("allow-list", "allowlist"). What is left are
//! substrings of four to eight bytes of the inner parts of words. The wording "Database {database} exists on
//! the target server." offers those of `atabase`, `xist`, `arget` and `erver`. Fewer than four bytes occur
//! everywhere; more than eight are not rarer.
//!
//! # How anchors are chosen
//!
//! This is the weighted set cover problem: cover all wordings by substrings of the least total cost. The cost
//! of a substring is the time that searching for it takes in a megabyte of log text (`cost`):
//!
//! - a fixed part for one more anchor in the vectorised search,
//! - a part for each time its first four bytes are expected, where the search looks closer, and
//! - a larger part for each expected hit, where the search stops and the bytes around the hit are judged.
//!
//! The expected numbers are those of `frequency`. `server` is in most wordings, so its substrings cover
//! much, but logs are full of it; `unsuccessful` is in few, but costs hardly more than the fixed part. The
//! cover is computed in three steps:
//!
//! 1. `greedy`: always the substring that covers the most uncovered wordings for its cost.
//! 2. `drop_redundant`: a substring whose wordings are all covered by later choices is dropped, the most
//!    expensive first.
//! 3. `improve`: each chosen substring in turn is taken out, and what only it covered is covered anew by
//!    others. The result is kept if it costs less in all.
//!
//! At the end, each wording belongs to the rarest of the anchors that cover it, and is tried at the hits of
//! that one alone.
//!
//! # Invariants
//!
//! - Every wording that offers a substring has a [`Placement`] at some anchor. (One whose words are all too
//!   short has none.)
//! - The same wordings make the same anchors in the same order: ties are broken by the bytes, never by a
//!   hash.

use super::bytes::is_word;
use super::frequency;
use super::wording::{Wording, WordingPart};
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashSet};

/// The shortest anchor: the searcher's fingerprint is four bytes, and shorter ones occur everywhere.
const MIN_LEN: usize = 4;
/// The longest anchor; longer ones are hardly rarer.
const MAX_LEN: usize = 8;
/// The cost of one more anchor, in microseconds for a million bytes. Measured: the vectorised search needs 84
/// with 8 anchors, 122 with 16 and 270 with 25, which share its buckets.
const ANCHOR_COST: f64 = 6.0;
/// The cost of a hit, in microseconds: the search stops and starts anew, and the bytes around the hit are
/// judged.
const HIT_COST: f64 = 0.1;
/// The cost of an anchor's first four bytes without the rest of it, in microseconds: the search looks closer
/// and goes on.
const FALSE_COST: f64 = 0.02;
/// The most wordings for which the greedy choice is improved.
const MAX_IMPROVED: usize = 2_000;
/// The normalized length of a phrase: two or three words.
const PHRASE_LEN: usize = 14;
/// First parts of compounds that logs join with or without a hyphen.
const COMPOUNDS: [&str; 6] = ["allow", "block", "non", "post", "pre", "sub"];

/// A substring that stage 1 searches for, and its places in wordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The bytes, the same in raw and in normalized text.
    pub bytes: Vec<u8>,
    /// The places in wordings that are tried at a hit.
    pub placements: Vec<Placement>,
}

/// A place of an anchor in a wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The wording, by index.
    pub wording: usize,
    /// Its part, a literal of the first sentence.
    pub part: usize,
    /// The offset of the anchor in that literal, in normalized bytes.
    pub offset: usize,
}

/// A substring that may become an anchor. Shorter ones are padded with zeros, so that they order as their
/// bytes do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Substring([u8; MAX_LEN]);

impl Substring {
    fn new(bytes: &[u8]) -> Substring {
        let mut padded = [0; MAX_LEN];
        padded[..bytes.len()].copy_from_slice(bytes);
        Substring(padded)
    }

    fn bytes(&self) -> &[u8] {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(MAX_LEN);
        &self.0[..len]
    }
}

/// Which substring covers which wording.
struct Covers {
    /// Pairs of a substring and the index of a wording that offers it, in order.
    pairs: Vec<(Substring, u32)>,
    /// How many wordings there are.
    wordings: usize,
}

/// A substring with its cost and the wordings that it covers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    substring: Substring,
    cost: f64,
    /// The range of its pairs in [`Covers`].
    from: usize,
    to: usize,
}

impl Covers {
    fn new(wordings: &[Wording]) -> Covers {
        let mut pairs: Vec<(Substring, u32)> = Vec::new();
        for (index, wording) in wordings.iter().enumerate() {
            pairs.extend(substrings(wording).into_iter().map(|substring| (substring, index as u32)));
        }
        pairs.sort_unstable();
        Covers { pairs, wordings: wordings.len() }
    }

    /// All candidates, in order of their bytes.
    fn candidates(&self) -> impl Iterator<Item = Candidate> {
        let mut from = 0;
        self.pairs.chunk_by(|a, b| a.0 == b.0).map(move |same| {
            let (substring, to) = (same[0].0, from + same.len());
            let candidate = Candidate { substring, cost: cost(substring.bytes()), from, to };
            from = to;
            candidate
        })
    }

    /// The wordings that `candidate` covers, by index.
    fn of(&self, candidate: &Candidate) -> impl Iterator<Item = usize> + Clone {
        self.pairs[candidate.from..candidate.to].iter().map(|(_, wording)| *wording as usize)
    }

    /// How many of the wordings that `candidate` covers are not yet covered.
    fn uncovered(&self, candidate: &Candidate, open: &[bool]) -> usize {
        self.of(candidate).filter(|wording| open[*wording]).count()
    }
}

/// A candidate in the queue of the greedy choice, with its gain: the wordings that only it would cover, for
/// its cost.
#[derive(PartialEq)]
struct Queued {
    gain: f64,
    candidate: Candidate,
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Queued) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Queued) -> Ordering {
        let by_bytes = || other.candidate.substring.cmp(&self.candidate.substring);
        self.gain.total_cmp(&other.gain).then_with(by_bytes)
    }
}

/// Chooses anchors for `wordings`; the same wordings make the same anchors in the same order.
pub fn choose(wordings: &[Wording]) -> Vec<Anchor> {
    let covers = Covers::new(wordings);
    let mut chosen = greedy(&covers);
    drop_redundant(&mut chosen, &covers);
    if wordings.len() <= MAX_IMPROVED {
        improve(&mut chosen, &covers);
    }
    chosen.sort_unstable_by_key(|candidate| candidate.substring);
    let mut anchors: Vec<Anchor> = chosen
        .iter()
        .map(|candidate| Anchor { bytes: candidate.substring.bytes().to_vec(), placements: Vec::new() })
        .collect();
    for (index, own) in rarest_of(&chosen, &covers).into_iter().enumerate() {
        if let Some(anchor) = own.and_then(|own| anchors.get_mut(own)) {
            let places = places(&wordings[index].parts, &anchor.bytes);
            anchor.placements.extend(places.map(|(part, offset)| Placement { wording: index, part, offset }));
        }
    }
    anchors
}

/// Computes the greedy cover. The gain of a candidate only sinks while others are chosen, so the first of the
/// queue is the best as soon as its gain is up to date: few are computed again.
fn greedy(covers: &Covers) -> Vec<Candidate> {
    let mut open = vec![true; covers.wordings];
    let mut queue: BinaryHeap<Queued> = covers
        .candidates()
        .map(|candidate| Queued { gain: (candidate.to - candidate.from) as f64 / candidate.cost, candidate })
        .collect();
    let mut chosen = Vec::new();
    while let Some(Queued { candidate, .. }) = queue.pop() {
        let left = covers.uncovered(&candidate, &open);
        if left == 0 {
            continue;
        }
        let now = Queued { gain: left as f64 / candidate.cost, candidate };
        if queue.peek().is_some_and(|next| *next > now) {
            queue.push(now);
            continue;
        }
        covers.of(&candidate).for_each(|wording| open[wording] = false);
        chosen.push(candidate);
    }
    chosen
}

/// Drops candidates that later ones made superfluous, the most expensive first.
fn drop_redundant(chosen: &mut Vec<Candidate>, covers: &Covers) {
    let mut times = vec![0u32; covers.wordings];
    for candidate in &*chosen {
        covers.of(candidate).for_each(|wording| times[wording] += 1);
    }
    let mut order = chosen.clone();
    order.sort_by(|a, b| b.cost.total_cmp(&a.cost).then_with(|| a.substring.cmp(&b.substring)));
    let mut dropped = HashSet::new();
    for candidate in order {
        let mut covered = covers.of(&candidate);
        if covered.clone().all(|wording| times[wording] > 1) {
            covered.by_ref().for_each(|wording| times[wording] -= 1);
            dropped.insert(candidate.substring);
        }
    }
    chosen.retain(|candidate| !dropped.contains(&candidate.substring));
}

/// Takes each of the chosen out in turn, covers anew what it alone covered, and keeps the result if it costs
/// less in all.
fn improve(chosen: &mut Vec<Candidate>, covers: &Covers) {
    let mut offers: Vec<Vec<Candidate>> = vec![Vec::new(); covers.wordings];
    for candidate in covers.candidates() {
        covers.of(&candidate).for_each(|wording| offers[wording].push(candidate));
    }
    let total = |chosen: &[Candidate]| chosen.iter().map(|candidate| candidate.cost).sum::<f64>();
    let mut best = total(chosen);
    for out in chosen.clone() {
        let Some(next) = without(out, chosen, covers, &offers) else { continue };
        if total(&next) < best {
            best = total(&next);
            *chosen = next;
        }
    }
}

/// Returns a cover without the candidate `out`, made of the other chosen ones and of the best `offers` for
/// what they leave uncovered; none if there is no such cover.
fn without(
    out: Candidate,
    chosen: &[Candidate],
    covers: &Covers,
    offers: &[Vec<Candidate>],
) -> Option<Vec<Candidate>> {
    let mut next: Vec<Candidate> =
        chosen.iter().filter(|candidate| candidate.substring != out.substring).copied().collect();
    let mut open = vec![true; covers.wordings];
    let cover = |open: &mut [bool], candidate: &Candidate| {
        covers.of(candidate).for_each(|wording| open[wording] = false);
    };
    next.iter().for_each(|candidate| cover(&mut open, candidate));
    while let Some(more) = open
        .iter()
        .zip(offers)
        .filter(|(open, _)| **open)
        .flat_map(|(_, offers)| offers)
        .filter(|offer| offer.substring != out.substring)
        .max_by(|a, b| {
            let gain = |offer: &Candidate| covers.uncovered(offer, &open) as f64 / offer.cost;
            gain(a).total_cmp(&gain(b)).then_with(|| b.substring.cmp(&a.substring))
        })
        .copied()
    {
        cover(&mut open, &more);
        next.push(more);
    }
    drop_redundant(&mut next, covers);
    // A wording that only `out` can cover is still open.
    let covered = |index: usize| !open[index] || offers[index].is_empty();
    (0..covers.wordings).all(covered).then_some(next)
}

/// Returns for each wording the rarest of the chosen that cover it, by index; none for a wording that offers
/// nothing.
fn rarest_of(chosen: &[Candidate], covers: &Covers) -> Vec<Option<usize>> {
    let mut rarest: Vec<Option<usize>> = vec![None; covers.wordings];
    for (index, candidate) in chosen.iter().enumerate() {
        for wording in covers.of(candidate) {
            let known = &mut rarest[wording];
            if known.is_none_or(|known| candidate.cost < chosen[known].cost) {
                *known = Some(index);
            }
        }
    }
    rarest
}

/// Returns all places of an anchor in the literals of a first sentence: the part, and the offset in it.
fn places<'a>(parts: &'a [WordingPart], anchor: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let least = min_literal_len(parts);
    parts.iter().enumerate().flat_map(move |(part, piece)| {
        let literal: &[u8] = match piece {
            WordingPart::Literal { normalized, first_sentence: true, .. } if normalized.len() >= least => {
                normalized
            }
            _ => &[],
        };
        let offsets = literal.windows(anchor.len()).enumerate().filter(move |(_, window)| *window == anchor);
        offsets.map(move |(offset, _)| (part, offset))
    })
}

/// Returns how long a literal of these parts must be to offer anchors. A lone word such as "Collation" is on
/// many lines and proves little, while a phrase is refused at its first other letter. So if there is a
/// phrase, only phrases offer anchors; one of short words, which offers nothing, does not count.
fn min_literal_len(parts: &[WordingPart]) -> usize {
    let longest = parts.iter().map(|part| match part {
        WordingPart::Literal { text, normalized, first_sentence: true }
            if offered(text, normalized).next().is_some() =>
        {
            normalized.len()
        }
        _ => 0,
    });
    longest.max().unwrap_or(0).min(PHRASE_LEN)
}

/// Returns the substrings of a wording's first sentence that may be anchors.
fn substrings(wording: &Wording) -> BTreeSet<Substring> {
    let least = min_literal_len(&wording.parts);
    let literals = wording.parts.iter().filter_map(|part| match part {
        WordingPart::Literal { text, normalized, first_sentence: true } if normalized.len() >= least => {
            Some((text, normalized))
        }
        _ => None,
    });
    literals.flat_map(|(text, normalized)| offered(text, normalized)).collect()
}

/// Returns the substrings that a literal offers, in order: those of its words' stable parts that normalizing
/// keeps.
fn offered<'t>(text: &'t str, normalized: &'t [u8]) -> impl Iterator<Item = Substring> + 't {
    let words = stable_words(text).into_iter();
    let kept = words.filter(|word| word.len() >= MIN_LEN && memchr::memmem::find(normalized, word).is_some());
    let parts = kept.flat_map(|word| (MIN_LEN..=MAX_LEN.min(word.len())).flat_map(|len| word.windows(len)));
    parts.map(Substring::new)
}

/// Returns the part of each word that logs do not vary.
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

/// Returns the rarest anchor that the wording offers, with its expected occurrences in a million bytes; none
/// if no word of its first sentence is long enough to be searched for.
pub fn rarest(wording: &Wording) -> Option<(Vec<u8>, f64)> {
    let measured = substrings(wording).into_iter().map(|substring| {
        let bytes = substring.bytes().to_vec();
        let expected = occurrences(&bytes);
        (bytes, expected)
    });
    measured.min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)))
}

/// Returns the cost of searching for `bytes`, in microseconds for a million bytes of log text.
fn cost(bytes: &[u8]) -> f64 {
    let (all, whole) = (fingerprint_rate(bytes), occurrences(bytes));
    ANCHOR_COST + HIT_COST * whole + FALSE_COST * (all - whole)
}

/// Returns how often the first four bytes are expected in a million: the searcher looks closer at each.
fn fingerprint_rate(bytes: &[u8]) -> f64 {
    bytes.first_chunk().map_or(0.0, |four_gram| frequency::rate(*four_gram))
}

/// Returns how often `bytes` are expected in a million, at most: as often as the rarest four of them.
fn occurrences(bytes: &[u8]) -> f64 {
    let four_grams = bytes.windows(MIN_LEN).filter_map(|four_gram| four_gram.first_chunk());
    four_grams.map(|four_gram| frequency::rate(*four_gram)).fold(f64::INFINITY, f64::min)
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
                others
                    .flat_map(|(_, anchor)| anchor.placements.iter().map(|placement| placement.wording))
                    .collect()
            };
            assert_eq!(covered(None).len(), wordings.len());
            for (i, anchor) in anchors.iter().enumerate() {
                let rest = covered(Some(i));
                let stable =
                    |wording: usize| substrings(&wordings[wording]).contains(&Substring::new(&anchor.bytes));
                assert!(
                    anchor
                        .placements
                        .iter()
                        .any(|placement| !rest.contains(&placement.wording) || stable(placement.wording)),
                    "{anchor:?}"
                );
            }
        }
    }
}
