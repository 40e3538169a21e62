//! The searcher: where anchors stand, every byte seen once.
//!
//! Anchors come in; their occurrences go out. The search is vectorised where the machine has the instructions: it tells
//! by the first four bytes, and anchors share eight buckets (sixteen for more than 32 of them), where each byte may be
//! that of any anchor of the bucket. So anchors are put together whose mixtures are rare in the
//! `background`. More than fit are searched for in several groups.

use super::anchors::Anchor;
use super::frequency::{self, FourGram};
use aho_corasick::{AhoCorasick, packed};
use std::ops::Range;

/// The most anchors that one vectorised search takes.
const MAX_GROUP: usize = 64;
/// Rarer bytes than these, in a million, do not count where anchors are put together.
const MIN_RATE: f64 = 30.0;
/// How often it is gone over all buckets to let anchors change places; the second time hardly anything does.
const MAX_ROUNDS: usize = 3;

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
    let room = |bucket: usize| {
        // Patterns go to the buckets in turn, so the first buckets of the last group's are fuller.
        let (group, place) = (bucket / buckets_of_one, bucket % buckets_of_one);
        let patterns = anchors.len().saturating_sub(group * size).min(size);
        patterns.saturating_sub(place).div_ceil(buckets_of_one)
    };
    let mixtures = Mixtures::new(anchors);
    let mut buckets = vec![Bucket::default(); groups * buckets_of_one];
    // Each anchor goes where it adds the least, then any two change places as long as that helps.
    for anchor in 0..anchors.len() {
        let open = (0..buckets.len()).filter(|bucket| buckets[*bucket].anchors.len() < room(*bucket));
        let with = open.map(|bucket| (mixtures.with(&buckets[bucket], anchor), bucket));
        let added = |with: &Bucket, bucket: usize| with.rate - buckets[bucket].rate;
        let least = with.min_by(|(a, i), (b, j)| added(a, *i).total_cmp(&added(b, *j)).then(i.cmp(j)));
        if let Some((with, bucket)) = least {
            buckets[bucket] = with;
        }
    }
    for _ in 0..MAX_ROUNDS {
        if !mixtures.exchange(&mut buckets) {
            break;
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

/// Anchors, by index, that are told from everything else together.
#[derive(Debug, Clone, Default)]
struct Bucket {
    anchors: Vec<usize>,
    /// How many candidates they give, in a million bytes.
    rate: f64,
}

/// What buckets let through. At each of four places they tell the halves of a byte, and those of different anchors mix.
struct Mixtures<'a> {
    anchors: &'a [Anchor],
    /// The rates of the frequent quads that some bucket may let through.
    rates: Vec<f64>,
    /// Which of them have each half of a byte at each place, as bits: the lower halves, then the higher.
    halves: [[[Vec<u64>; 16]; 4]; 2],
}

impl<'a> Mixtures<'a> {
    fn new(anchors: &'a [Anchor]) -> Mixtures<'a> {
        let all = opened(anchors.iter());
        let lets = |(quad, rate): &&(FourGram, f64)| {
            *rate >= MIN_RATE
                && quad.iter().enumerate().all(|(place, byte)| {
                    let halves = halves_of(*byte);
                    (0..2).all(|half| all[half][place] >> halves[half] & 1 != 0)
                })
        };
        let let_through: Vec<&(FourGram, f64)> = frequency::table().iter().filter(lets).collect();
        let mut halves: [[[Vec<u64>; 16]; 4]; 2] = Default::default();
        let words = let_through.len().div_ceil(64);
        halves.iter_mut().flatten().flatten().for_each(|bits| bits.resize(words, 0));
        for (i, (quad, _)) in let_through.iter().enumerate() {
            for (place, byte) in quad.iter().enumerate() {
                for (half, value) in halves_of(*byte).into_iter().enumerate() {
                    halves[half][place][value][i / 64] |= 1 << (i % 64);
                }
            }
        }
        Mixtures { anchors, rates: let_through.into_iter().map(|(_, rate)| *rate).collect(), halves }
    }

    /// How many candidates a bucket of `anchors` gives, in a million bytes.
    fn rate(&self, anchors: &[usize]) -> f64 {
        let open = opened(anchors.iter().map(|anchor| &self.anchors[*anchor]));
        let mut rate = 0.0;
        for word in 0..self.rates.len().div_ceil(64) {
            let mut left = u64::MAX;
            for (halves, open) in self.halves.iter().flatten().zip(open.iter().flatten()) {
                let mut values = *open;
                let mut some = 0;
                while values != 0 {
                    some |= halves[values.trailing_zeros() as usize][word];
                    values &= values - 1;
                }
                left &= some;
            }
            while left != 0 {
                rate += self.rates[word * 64 + left.trailing_zeros() as usize];
                left &= left - 1;
            }
        }
        rate
    }

    /// `bucket` with one more anchor.
    fn with(&self, bucket: &Bucket, anchor: usize) -> Bucket {
        let mut anchors = bucket.anchors.clone();
        anchors.push(anchor);
        Bucket { rate: self.rate(&anchors), anchors }
    }

    /// Lets two anchors of different buckets change places wherever that gives fewer candidates. Whether any did.
    fn exchange(&self, buckets: &mut [Bucket]) -> bool {
        let mut changed = false;
        for second in 1..buckets.len() {
            let (before, behind) = buckets.split_at_mut(second);
            let other = &mut behind[0];
            for one in before {
                for i in 0..one.anchors.len() {
                    for j in 0..other.anchors.len() {
                        std::mem::swap(&mut one.anchors[i], &mut other.anchors[j]);
                        let (left, right) = (self.rate(&one.anchors), self.rate(&other.anchors));
                        if left + right < one.rate + other.rate {
                            (one.rate, other.rate) = (left, right);
                            changed = true;
                        } else {
                            std::mem::swap(&mut one.anchors[i], &mut other.anchors[j]);
                        }
                    }
                }
            }
        }
        changed
    }
}

/// The halves of bytes at each place that a bucket of `anchors` lets through, as bits: the lower ones, then the higher.
fn opened<'a>(anchors: impl Iterator<Item = &'a Anchor>) -> [[u16; 4]; 2] {
    let mut open = [[0; 4]; 2];
    for quad in anchors.filter_map(|anchor| anchor.bytes.first_chunk::<4>()) {
        for (place, byte) in quad.iter().enumerate() {
            let [low, high] = halves_of(*byte);
            open[0][place] |= 1 << low;
            open[1][place] |= 1 << high;
        }
    }
    open
}

/// The lower and the higher half of a byte.
fn halves_of(byte: u8) -> [usize; 2] {
    [usize::from(byte & 15), usize::from(byte >> 4)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;
    use crate::matcher::Matcher;
    use proptest::prelude::*;
    use std::sync::LazyLock;

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

    static BUILT_IN: LazyLock<Vec<Anchor>> = LazyLock::new(|| Matcher::new(builtin()).anchors().to_vec());

    proptest! {
        /// The sets of bits say what the table says.
        #[test]
        fn a_bucket_lets_through_what_its_halves_mix(picked in prop::collection::vec(0usize..1_000, 0..5)) {
            let anchors = &*BUILT_IN;
            let picked: Vec<usize> = picked.into_iter().map(|index| index % anchors.len()).collect();
            let has = |place: usize, of: fn(u8) -> u8, byte: u8| {
                picked.iter().any(|anchor| of(anchors[*anchor].bytes[place]) == of(byte))
            };
            let through = frequency::table().iter().filter(|(quad, rate)| {
                let mut places = quad.iter().enumerate();
                *rate >= MIN_RATE && places.all(|(i, byte)| has(i, |byte| byte & 15, *byte) && has(i, |byte| byte >> 4, *byte))
            });
            let want: f64 = through.map(|(_, rate)| rate).sum();
            prop_assert!((Mixtures::new(anchors).rate(&picked) - want).abs() < 1e-6);
        }
    }

    /// Anchors that share a bucket would otherwise give half as many candidates again as they have hits.
    #[test]
    fn buckets_of_the_built_in_catalogue_let_through_hardly_anything_else() {
        let anchors = &*BUILT_IN;
        let mixtures = Mixtures::new(anchors);
        let order = arranged(anchors, 1).concat();
        let bucket = |number| order.iter().skip(number).step_by(8).copied().collect::<Vec<_>>();
        let all: f64 = (0..8).map(|number| mixtures.rate(&bucket(number))).sum();
        let own: f64 = (0..anchors.len()).map(|anchor| mixtures.rate(&[anchor])).sum();
        assert!(own > 100.0 && (own..own * 1.1).contains(&all), "{all} candidates a megabyte for {own} hits");
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
