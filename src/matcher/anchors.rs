//! Anchors: the few short substrings that every message holds one of.
//!
//! All wordings come in; a small set of [`Anchor`]s goes out such that the first sentence of each wording holds at
//! least one (logs often keep only that sentence). They are what stage 1 searches every byte for, so they are chosen
//! to be few and rare: a weighted set cover, greedy and then improved, where an anchor's weight is the time it is
//! expected to take by the searcher's costs and the `background` of log text. Each wording is
//! tried at its rarest anchor alone. An anchor never holds what logs vary: white space, quotes, hyphens and the joints
//! of compounds ("allow-list"), a word's first letter, a plural's last, or a contraction.

use super::bytes::is_word;
use super::frequency;
use super::wording::{Wording, WordingPart};
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashSet};

/// The shortest anchor: the searcher's fingerprint is four bytes, and shorter ones match everywhere.
const MIN_LEN: usize = 4;
/// The longest anchor; more bytes find nothing more and are compared only at candidates.
const MAX_LEN: usize = 8;
/// What one more anchor costs, in microseconds a million bytes. Measured: the vectorised search takes 84 with 8 anchors, 122
/// with 16 and 270 with 25, which share its buckets.
const ANCHOR_COST: f64 = 6.0;
/// What an occurrence costs, in microseconds: the search stops and begins anew, and the bytes around it are looked at.
const HIT_COST: f64 = 0.1;
/// What four bytes cost that are not followed by the rest of the anchor, in microseconds: the search looks and goes on.
const FALSE_COST: f64 = 0.02;
/// The most wordings for which the greedy choice is improved.
const MAX_IMPROVED: usize = 2_000;
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
    pub owners: Vec<Placement>,
}

/// A place of an anchor in a wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
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
    if wordings.len() <= MAX_IMPROVED {
        improve(&mut chosen, &covers, wordings.len());
    }
    chosen.sort_unstable_by_key(|gain| gain.candidate);
    let mut anchors: Vec<Anchor> = chosen
        .iter()
        .map(|gain| Anchor { bytes: gain.candidate.bytes().to_vec(), owners: Vec::new() })
        .collect();
    for (index, own) in rarest_of(&chosen, &covers, wordings.len()).into_iter().enumerate() {
        if let Some(anchor) = own.and_then(|own| anchors.get_mut(own)) {
            let owners = places(&wordings[index].parts, &anchor.bytes);
            anchor.owners.extend(owners.map(|(part, offset)| Placement { wording: index, part, offset }));
        }
    }
    anchors
}

/// The greedy cover. What a candidate gives only sinks while others are chosen, so the first of the queue is the best
/// as soon as its gain is up to date: few are looked at again.
fn greedy(covers: &[(Candidate, u32)], wordings: usize) -> Vec<Gain> {
    let mut open = vec![true; wordings];
    let mut from = 0;
    let mut queue = BinaryHeap::new();
    for same in covers.chunk_by(|a, b| a.0 == b.0) {
        let (candidate, to) = (same[0].0, from + same.len());
        let gain = same.len() as f64 / cost(candidate.bytes());
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
        let gain = left as f64 / cost(best.candidate.bytes());
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

/// Later choices can make an earlier one superfluous; the dearest go first.
fn drop_redundant(chosen: &mut Vec<Gain>, covers: &[(Candidate, u32)], wordings: usize) {
    let mut times = vec![0u32; wordings];
    for gain in &*chosen {
        covers[gain.from..gain.to].iter().for_each(|(_, wording)| times[*wording as usize] += 1);
    }
    let mut order: Vec<(f64, Gain)> =
        chosen.iter().map(|gain| (cost(gain.candidate.bytes()), *gain)).collect();
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

/// Takes each of the chosen out in turn and covers anew what it alone covered, as long as that costs less in all.
fn improve(chosen: &mut Vec<Gain>, covers: &[(Candidate, u32)], wordings: usize) {
    let mut offers: Vec<Vec<Gain>> = vec![Vec::new(); wordings];
    let mut from = 0;
    for same in covers.chunk_by(|a, b| a.0 == b.0) {
        let to = from + same.len();
        let offer = Gain { gain: cost(same[0].0.bytes()), candidate: same[0].0, from, to };
        same.iter().for_each(|(_, wording)| offers[*wording as usize].push(offer));
        from = to;
    }
    let total = |chosen: &[Gain]| chosen.iter().map(|gain| cost(gain.candidate.bytes())).sum::<f64>();
    let mut best = total(chosen);
    for out in chosen.clone() {
        let mut next: Vec<Gain> =
            chosen.iter().filter(|gain| gain.candidate != out.candidate).copied().collect();
        let mut open = vec![true; wordings];
        let cover = |open: &mut [bool], gain: &Gain| {
            covers[gain.from..gain.to].iter().for_each(|(_, wording)| open[*wording as usize] = false);
        };
        next.iter().for_each(|gain| cover(&mut open, gain));
        let left = |open: &[bool], offer: &Gain| {
            covers[offer.from..offer.to].iter().filter(|(_, wording)| open[*wording as usize]).count() as f64
        };
        while let Some(more) = open
            .iter()
            .zip(&offers)
            .filter(|(open, _)| **open)
            .flat_map(|(_, offers)| offers)
            .filter(|offer| offer.candidate != out.candidate)
            .max_by(|a, b| {
                let worth = |offer: &Gain| left(&open, offer) / offer.gain;
                worth(a).total_cmp(&worth(b)).then_with(|| b.candidate.cmp(&a.candidate))
            })
            .copied()
        {
            cover(&mut open, &more);
            next.push(more);
        }
        // What only the one that was taken out offers stays with it.
        let covered = |index: usize| !open[index] || offers[index].is_empty();
        drop_redundant(&mut next, covers, wordings);
        if (0..wordings).all(covered) && total(&next) < best {
            best = total(&next);
            *chosen = next;
        }
    }
}

/// The rarest of the chosen for each wording, by index; none for a wording that offers nothing.
fn rarest_of(chosen: &[Gain], covers: &[(Candidate, u32)], wordings: usize) -> Vec<Option<usize>> {
    let mut rarest: Vec<Option<usize>> = vec![None; wordings];
    let costs: Vec<f64> = chosen.iter().map(|gain| cost(gain.candidate.bytes())).collect();
    for (index, gain) in chosen.iter().enumerate() {
        for (_, wording) in &covers[gain.from..gain.to] {
            let known = &mut rarest[*wording as usize];
            if known.is_none_or(|known| costs[index] < costs[known]) {
                *known = Some(index);
            }
        }
    }
    rarest
}

/// All places of an anchor in the literals of a first sentence: part, and key in it.
fn places<'a>(parts: &'a [WordingPart], anchor: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let least = least_keys(parts);
    parts.iter().enumerate().flat_map(move |(part, piece)| {
        let keys: &[u8] = match piece {
            WordingPart::Literal { keys, first_sentence: true, .. } if keys.len() >= least => keys,
            _ => &[],
        };
        let offsets = keys.windows(anchor.len()).enumerate().filter(move |(_, window)| *window == anchor);
        offsets.map(move |(offset, _)| (part, offset))
    })
}

/// How many keys a literal must have to be searched by: a lone word such as "Collation" stands on many lines and tells
/// little, a phrase is refused at its first other letter. A phrase of short words offers nothing and sets no measure.
fn least_keys(parts: &[WordingPart]) -> usize {
    let longest = parts.iter().map(|piece| match piece {
        WordingPart::Literal { text, keys, first_sentence: true } if offered(text, keys).next().is_some() => {
            keys.len()
        }
        _ => 0,
    });
    longest.max().unwrap_or(0).min(PHRASE_KEYS)
}

/// Substrings of the words in the wording's first sentence that logs do not vary.
fn candidates(wording: &Wording) -> BTreeSet<Candidate> {
    let least = least_keys(&wording.parts);
    let literals = wording.parts.iter().filter_map(|piece| match piece {
        WordingPart::Literal { text, keys, first_sentence: true } if keys.len() >= least => {
            Some((text, keys))
        }
        _ => None,
    });
    literals.flat_map(|(text, keys)| offered(text, keys)).collect()
}

/// What a literal offers, in order: parts of its words' inner parts, where the keys hold those as they are.
fn offered<'t>(text: &'t str, keys: &'t [u8]) -> impl Iterator<Item = Candidate> + 't {
    let words = stable_words(text).into_iter();
    let held = words.filter(|word| word.len() >= MIN_LEN && memchr::memmem::find(keys, word).is_some());
    let parts = held.flat_map(|word| (MIN_LEN..=MAX_LEN.min(word.len())).flat_map(|len| word.windows(len)));
    parts.map(Candidate::new)
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

/// The rarest anchor that the wording offers, with its expected occurrences in a million bytes; none if no word of its
/// first sentence is long enough to be searched for.
pub fn rarest(wording: &Wording) -> Option<(Vec<u8>, f64)> {
    let measured = candidates(wording).into_iter().map(|candidate| {
        let bytes = candidate.bytes().to_vec();
        let expected = occurrences(&bytes);
        (bytes, expected)
    });
    measured.min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)))
}

/// What searching for `bytes` costs, in microseconds a million bytes of log text.
fn cost(bytes: &[u8]) -> f64 {
    let (all, whole) = (fingerprint(bytes), occurrences(bytes));
    ANCHOR_COST + HIT_COST * whole + FALSE_COST * (all - whole)
}

/// How often the first four bytes are expected in a million: the searcher looks closer at each.
fn fingerprint(bytes: &[u8]) -> f64 {
    bytes.first_chunk().map_or(0.0, |quad| frequency::rate(*quad))
}

/// How often `bytes` are expected in a million, at most: as often as the rarest four of them.
fn occurrences(bytes: &[u8]) -> f64 {
    let quads = bytes.windows(MIN_LEN).filter_map(|quad| quad.first_chunk());
    quads.map(|quad| frequency::rate(*quad)).fold(f64::INFINITY, f64::min)
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
