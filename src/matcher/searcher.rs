//! The searcher: the first half of the prefilter, which finds all occurrences of the anchors and sees every
//! byte.
//!
//! Anchors come in; the places where they occur in raw bytes go out. It knows nothing of wordings or lines.
//!
//! # The vectorised search and its buckets
//!
//! Where the machine has the instructions, the search is aho-corasick's *Teddy*. It compares four bytes at
//! each of 16 or 32 places at once, and patterns share eight buckets (16 buckets for more than 32 patterns).
//! For each of the four bytes a bucket knows two sets: the low halves and the high halves of the bytes that
//! its patterns have there. It lets a place through if all eight halves are in its sets; only then the
//! patterns are compared in full. A bucket of several patterns therefore lets through mixtures: `erve` and
//! `oles` in one bucket also let through `elve` ("twelve"), `orve` and more. A frequent mixture costs as much
//! as a frequent anchor and finds nothing.
//!
//! Teddy assigns pattern number `i` to bucket `i % 8` (or `i % 16`), so the order of the patterns decides
//! which of them share a bucket. [`arranged`] computes an order in which the mixtures are rare in logs:
//!
//! 1. [`BucketModel`] predicts the candidates of a bucket: the sum of the rates of all four-grams, by the
//!    table of [`frequency`], that the bucket lets through.
//! 2. Each anchor goes to the bucket to which it adds the fewest candidates.
//! 3. Pairs of anchors of different buckets are exchanged as long as that saves candidates.
//!
//! For the built-in catalogue, step 2 alone leaves 770 false candidates in a megabyte of log and step 3
//! leaves 30: a sparse log takes 3 to 5 % less time. The test
//! `buckets_of_the_built_in_catalogue_let_through_hardly_anything_else` checks it. The order changes the
//! speed, never what is found.
//!
//! One search has at most [`MAX_GROUP`] anchors; more are split into several groups, and each group reads the
//! bytes again.

use super::anchors::Anchor;
use super::frequency::{self, FourGram};
use aho_corasick::{AhoCorasick, packed};
use std::ops::Range;

/// The most anchors that one vectorised search accepts.
const MAX_GROUP: usize = 64;
/// Four-grams that are rarer, in a million bytes, are ignored when anchors are arranged.
const MIN_RATE: f64 = 30.0;
/// How often all pairs of anchors are tried for an exchange; the second time finds hardly any.
const MAX_ROUNDS: usize = 3;

/// The search for the anchors.
#[derive(Debug)]
pub(super) enum Searcher {
    /// Vectorised, group by group, with the index of the anchor of each pattern.
    Packed(Vec<(packed::Searcher, Vec<usize>)>),
    /// Where the machine lacks the instructions.
    Automaton(AhoCorasick),
    /// For a catalogue without wordings.
    None,
}

impl Searcher {
    /// Builds the fastest searcher for `anchors`.
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

    /// Builds the searcher for machines without the instructions.
    pub fn automaton(anchors: &[Anchor]) -> Searcher {
        let patterns = anchors.iter().map(|anchor| &anchor.bytes);
        AhoCorasick::new(patterns).map_or(Searcher::None, Searcher::Automaton)
    }

    /// Calls `hit` with the index of the anchor and the offset of each occurrence in `range`, overlapping
    /// ones too.
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

/// Returns the anchors, by index, in `groups` groups of the same size, each in an order that makes few false
/// candidates.
fn arranged(anchors: &[Anchor], groups: usize) -> Vec<Vec<usize>> {
    let size = anchors.len().div_ceil(groups);
    let buckets_of_group = if size > 32 { 16 } else { 8 };
    let capacity = |bucket: usize| {
        // Patterns are assigned to buckets in turn, so the first buckets of the last group hold one more.
        let (group, place) = (bucket / buckets_of_group, bucket % buckets_of_group);
        let patterns = anchors.len().saturating_sub(group * size).min(size);
        patterns.saturating_sub(place).div_ceil(buckets_of_group)
    };
    let model = BucketModel::new(anchors);
    let mut buckets = vec![Bucket::default(); groups * buckets_of_group];
    for anchor in 0..anchors.len() {
        let open = (0..buckets.len()).filter(|bucket| buckets[*bucket].anchors.len() < capacity(*bucket));
        let with = open.map(|bucket| (model.with(&buckets[bucket], anchor), bucket));
        let added = |with: &Bucket, bucket: usize| with.rate - buckets[bucket].rate;
        let least = with.min_by(|(a, i), (b, j)| added(a, *i).total_cmp(&added(b, *j)).then(i.cmp(j)));
        if let Some((with, bucket)) = least {
            buckets[bucket] = with;
        }
    }
    for _ in 0..MAX_ROUNDS {
        if !model.exchange(&mut buckets) {
            break;
        }
    }
    buckets.chunks(buckets_of_group).map(in_turn).collect()
}

/// Returns the anchors of a group in the order in which Teddy assigns them to these buckets.
fn in_turn(buckets: &[Bucket]) -> Vec<usize> {
    let depth = buckets.iter().map(|bucket| bucket.anchors.len()).max().unwrap_or(0);
    (0..depth).flat_map(|i| buckets.iter().filter_map(move |bucket| bucket.anchors.get(i))).copied().collect()
}

/// Anchors, by index, that share a bucket.
#[derive(Debug, Clone, Default)]
struct Bucket {
    anchors: Vec<usize>,
    /// How many candidates it lets through, in a million bytes.
    rate: f64,
}

/// Predicts how many candidates a bucket lets through.
///
/// The rate of a bucket is needed for every exchange that is tried, and all pairs of anchors are tried. So the
/// four-grams of the table are numbered, and for each place and each half of a byte there is a bit set of the
/// four-grams that have it. A bucket lets through the intersection, over the eight halves, of the unions over
/// the values that its anchors have there.
struct BucketModel<'a> {
    anchors: &'a [Anchor],
    /// The rates of the frequent four-grams that a bucket of all anchors would let through.
    rates: Vec<f64>,
    /// For the low, then the high halves, each place and each value: the four-grams that have it, as bits.
    with_half: [[[Vec<u64>; 16]; 4]; 2],
}

impl<'a> BucketModel<'a> {
    fn new(anchors: &'a [Anchor]) -> BucketModel<'a> {
        let all = Masks::new(anchors.iter());
        let frequent = |(four_gram, rate): &&(FourGram, f64)| *rate >= MIN_RATE && all.let_through(four_gram);
        let let_through: Vec<&(FourGram, f64)> = frequency::table().iter().filter(frequent).collect();
        let mut with_half: [[[Vec<u64>; 16]; 4]; 2] = Default::default();
        let words = let_through.len().div_ceil(64);
        with_half.iter_mut().flatten().flatten().for_each(|bits| bits.resize(words, 0));
        for (i, (four_gram, _)) in let_through.iter().enumerate() {
            for (place, byte) in four_gram.iter().enumerate() {
                for (half, value) in halves_of(*byte).into_iter().enumerate() {
                    with_half[half][place][value][i / 64] |= 1 << (i % 64);
                }
            }
        }
        BucketModel { anchors, rates: let_through.into_iter().map(|(_, rate)| *rate).collect(), with_half }
    }

    /// Returns how many candidates a bucket of `anchors` lets through, in a million bytes.
    fn rate(&self, anchors: &[usize]) -> f64 {
        let masks = Masks::new(anchors.iter().map(|anchor| &self.anchors[*anchor]));
        let mut rate = 0.0;
        for word in 0..self.rates.len().div_ceil(64) {
            let mut left = u64::MAX;
            for (with_half, mask) in self.with_half.iter().flatten().zip(masks.0.iter().flatten()) {
                let mut values = *mask;
                let mut some = 0;
                while values != 0 {
                    some |= with_half[values.trailing_zeros() as usize][word];
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

    /// Returns `bucket` with one more anchor.
    fn with(&self, bucket: &Bucket, anchor: usize) -> Bucket {
        let mut anchors = bucket.anchors.clone();
        anchors.push(anchor);
        Bucket { rate: self.rate(&anchors), anchors }
    }

    /// Exchanges two anchors of different buckets wherever that makes fewer candidates. Returns whether any
    /// were.
    fn exchange(&self, buckets: &mut [Bucket]) -> bool {
        let mut changed = false;
        for second in 1..buckets.len() {
            let (before, after) = buckets.split_at_mut(second);
            let other = &mut after[0];
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

/// The halves of bytes that a bucket lets through at each of the four places, as bits: the low ones, then the
/// high ones.
struct Masks([[u16; 4]; 2]);

impl Masks {
    /// Returns the masks of a bucket of `anchors`.
    fn new<'a>(anchors: impl Iterator<Item = &'a Anchor>) -> Masks {
        let mut masks = [[0; 4]; 2];
        for fingerprint in anchors.filter_map(|anchor| anchor.bytes.first_chunk::<4>()) {
            for (place, byte) in fingerprint.iter().enumerate() {
                let [low, high] = halves_of(*byte);
                masks[0][place] |= 1 << low;
                masks[1][place] |= 1 << high;
            }
        }
        Masks(masks)
    }

    fn let_through(&self, four_gram: &FourGram) -> bool {
        four_gram.iter().enumerate().all(|(place, byte)| {
            let halves = halves_of(*byte);
            (0..2).all(|half| self.0[half][place] >> halves[half] & 1 != 0)
        })
    }
}

/// Returns the low and the high half of a byte.
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
        (0..count).map(|i| Anchor { bytes: name(i), placements: Vec::new() }).collect()
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
        /// The bit sets of the model say the same as the table.
        #[test]
        fn a_bucket_lets_through_what_its_halves_mix(picked in prop::collection::vec(0usize..1_000, 0..5)) {
            let anchors = &*BUILT_IN;
            let picked: Vec<usize> = picked.into_iter().map(|index| index % anchors.len()).collect();
            let has = |place: usize, of: fn(u8) -> u8, byte: u8| {
                picked.iter().any(|anchor| of(anchors[*anchor].bytes[place]) == of(byte))
            };
            let through = frequency::table().iter().filter(|(four_gram, rate)| {
                let mut places = four_gram.iter().enumerate();
                *rate >= MIN_RATE && places.all(|(i, byte)| has(i, |byte| byte & 15, *byte) && has(i, |byte| byte >> 4, *byte))
            });
            let want: f64 = through.map(|(_, rate)| rate).sum();
            prop_assert!((BucketModel::new(anchors).rate(&picked) - want).abs() < 1e-6);
        }
    }

    /// Without the arrangement, buckets let through half as many false candidates as there are hits.
    #[test]
    fn buckets_of_the_built_in_catalogue_let_through_hardly_anything_else() {
        let anchors = &*BUILT_IN;
        let model = BucketModel::new(anchors);
        let order = arranged(anchors, 1).concat();
        let bucket = |number| order.iter().skip(number).step_by(8).copied().collect::<Vec<_>>();
        let all: f64 = (0..8).map(|number| model.rate(&bucket(number))).sum();
        let own: f64 = (0..anchors.len()).map(|anchor| model.rate(&[anchor])).sum();
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
