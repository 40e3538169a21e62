//! The searcher: where anchors stand, every byte seen once.
//!
//! Anchors come in; their occurrences go out. The search is vectorised where the machine has the instructions: it tells
//! by the first four bytes, and anchors share eight buckets (sixteen for more than 32 of them), where each byte may be
//! that of any anchor of the bucket. So anchors are put together whose mixtures are rare in the
//! `background`. More than fit are searched for in several groups.

use super::anchors::Anchor;
use super::background::{self, Quad};
use aho_corasick::{AhoCorasick, packed};
use std::ops::Range;

/// The most anchors that one vectorised search takes.
const MAX_GROUP: usize = 64;
/// Rarer bytes than these, in a million, do not count where anchors are put together.
const MIN_RATE: f64 = 30.0;

/// The engine of stage 1.
#[derive(Debug)]
pub(super) enum Searcher {
    /// Vectorised, group by group; each has its patterns' anchors, by index.
    Packed(Vec<(packed::Searcher, Vec<usize>)>),
    /// Where the machine lacks the instructions.
    Automaton(AhoCorasick),
    /// A catalogue of codes alone.
    None,
}

impl Searcher {
    /// The searcher for `anchors`.
    pub fn new(anchors: &[Anchor]) -> Searcher {
        if anchors.is_empty() {
            return Searcher::None;
        }
        let groups = anchors.len().div_ceil(MAX_GROUP);
        let order = arranged(anchors, groups);
        let packed = order.into_iter().map(|order| {
            let patterns = order.iter().map(|anchor| &anchors[*anchor].bytes);
            Some((packed::Config::new().builder().extend(patterns).build()?, order))
        });
        packed.collect::<Option<_>>().map_or_else(|| Searcher::automaton(anchors), Searcher::Packed)
    }

    /// The searcher for machines without the instructions.
    pub fn automaton(anchors: &[Anchor]) -> Searcher {
        let patterns = anchors.iter().map(|anchor| &anchor.bytes);
        AhoCorasick::new(patterns).map_or(Searcher::None, Searcher::Automaton)
    }

    /// Calls `hit` with the anchor's index and the place of each occurrence in `range`, overlapping ones too.
    pub fn each(&self, bytes: &[u8], range: Range<usize>, mut hit: impl FnMut(usize, usize)) {
        match self {
            Searcher::Packed(groups) => {
                for (searcher, order) in groups {
                    let mut from = range.start;
                    while let Some(found) =
                        searcher.find_in(bytes, aho_corasick::Span { start: from, end: range.end })
                    {
                        hit(order[found.pattern().as_usize()], found.start());
                        from = found.start() + 1;
                    }
                }
            }
            Searcher::Automaton(automaton) => {
                for found in automaton.find_overlapping_iter(&bytes[range.clone()]) {
                    hit(found.pattern().as_usize(), range.start + found.start());
                }
            }
            Searcher::None => {}
        }
    }
}

/// The anchors, by index, in `groups` groups of the same size, each in an order that gives buckets few false candidates.
fn arranged(anchors: &[Anchor], groups: usize) -> Vec<Vec<usize>> {
    let size = anchors.len().div_ceil(groups);
    let buckets_of_one = if size > 32 { 16 } else { 8 };
    let mut buckets: Vec<Bucket> = (0..groups * buckets_of_one).map(|_| Bucket::default()).collect();
    let room = |bucket: usize| {
        // Patterns go to the buckets in turn, so the first buckets of the last group's are fuller.
        let (group, place) = (bucket / buckets_of_one, bucket % buckets_of_one);
        let patterns = anchors.len().saturating_sub(group * size).min(size);
        patterns.saturating_sub(place).div_ceil(buckets_of_one)
    };
    let frequent: Vec<(Quad, f64)> =
        background::table().iter().filter(|(_, rate)| *rate >= MIN_RATE).copied().collect();
    for (index, anchor) in anchors.iter().enumerate() {
        let Some(quad) = anchor.bytes.first_chunk() else { continue };
        let open = (0..buckets.len()).filter(|bucket| buckets[*bucket].anchors.len() < room(*bucket));
        let added = open.map(|bucket| (buckets[bucket].added(quad, &frequent), bucket));
        if let Some((_, bucket)) = added.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) {
            buckets[bucket].take(index, quad, &frequent);
        }
    }
    let in_turn = |buckets: &[Bucket]| -> Vec<usize> {
        let depth = buckets.iter().map(|bucket| bucket.anchors.len()).max().unwrap_or(0);
        (0..depth)
            .flat_map(|i| buckets.iter().filter_map(move |bucket| bucket.anchors.get(i)))
            .copied()
            .collect()
    };
    buckets.chunks(buckets_of_one).map(in_turn).collect()
}

/// Anchors that are told from everything else together: at each of four places by the halves of a byte.
#[derive(Debug, Clone, Default)]
struct Bucket {
    anchors: Vec<usize>,
    low: [u16; 4],
    high: [u16; 4],
    rate: f64,
}

impl Bucket {
    /// How many candidates more there would be with an anchor that begins with `quad`, in a million bytes.
    fn added(&self, quad: &Quad, frequent: &[(Quad, f64)]) -> f64 {
        let mut with = self.clone();
        with.open(quad);
        with.expected(frequent) - self.rate
    }

    fn take(&mut self, anchor: usize, quad: &Quad, frequent: &[(Quad, f64)]) {
        self.anchors.push(anchor);
        self.open(quad);
        self.rate = self.expected(frequent);
    }

    fn open(&mut self, quad: &Quad) {
        for (i, byte) in quad.iter().enumerate() {
            self.low[i] |= 1 << (byte & 15);
            self.high[i] |= 1 << (byte >> 4);
        }
    }

    fn expected(&self, frequent: &[(Quad, f64)]) -> f64 {
        let lets = |quad: &Quad| {
            (0..4).all(|i| self.low[i] >> (quad[i] & 15) & 1 != 0 && self.high[i] >> (quad[i] >> 4) & 1 != 0)
        };
        frequent.iter().filter(|(quad, _)| lets(quad)).map(|(_, rate)| rate).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(count: usize) -> Vec<Anchor> {
        let name = |i: usize| format!("a{:03}", i * 7 % 1000).into_bytes();
        (0..count).map(|i| Anchor { bytes: name(i), owners: Vec::new() }).collect()
    }

    #[test]
    fn every_anchor_is_in_one_group() {
        for count in [1usize, 7, 8, 9, 21, 32, 33, 64, 65, 200] {
            let groups = count.div_ceil(MAX_GROUP);
            let order = arranged(&anchors(count), groups);
            assert_eq!(order.len(), groups);
            let mut all = order.concat();
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>(), "{count}");
        }
    }

    #[test]
    fn groups_find_what_one_automaton_finds() {
        let anchors = anchors(150);
        let text: String = (0..1000).map(|i| format!("ba{:03} ", i * 13 % 1000)).collect();
        let all = |searcher: &Searcher| {
            let mut hits = Vec::new();
            searcher.each(text.as_bytes(), 0..text.len(), |anchor, at| hits.push((at, anchor)));
            hits.sort_unstable();
            hits
        };
        let want = all(&Searcher::automaton(&anchors));
        assert!(want.len() > 140);
        assert_eq!(all(&Searcher::new(&anchors)), want);
    }
}
