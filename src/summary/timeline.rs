//! Timelines: findings by time, for plots.
//!
//! Seconds come in; at most [`MAX_BUCKETS`] buckets go out. What is counted is not known here.
//!
//! A bucket is a power of two seconds wide and starts at a multiple of its width. The width is the smallest
//! at which everything fits. So a wider timeline is always a narrower one with neighbours added up, and the
//! buckets depend only on the times, not on their order: timelines of two logs merge to the timeline of both.
//!
//! Example with at most 4 buckets: 3 s, 5 s and 6 s fit buckets of 1 s (3 to 6). With 9 s, buckets of 2 s
//! start at 2, 4, 6 and 8.

/// The most buckets. An even number, so that the starts of the buckets alone need the same width as the times
/// in them: a timeline that was written as buckets is read back as it was.
pub const MAX_BUCKETS: usize = 64;

/// Counts by time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The binary logarithm of a bucket's width in seconds.
    exponent: u32,
    /// The number of the first bucket: its start divided by its width.
    first: i64,
    /// Counts of the buckets from the first that has any to the last.
    counts: Vec<u64>,
}

/// One bucket of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its first second since 1970; it ends where the next bucket starts.
    pub start: i64,
    /// What was counted in it.
    pub count: u64,
}

impl Timeline {
    /// Adds `count` at `second` since 1970.
    pub fn add(&mut self, second: i64, count: u64) {
        if count == 0 {
            return;
        }
        let Some(last) = self.last() else {
            self.first = second >> self.exponent;
            self.counts.push(count);
            return;
        };
        let mut bucket = second >> self.exponent;
        let (mut low, mut high) = (bucket.min(self.first), bucket.max(last));
        while high.abs_diff(low) >= MAX_BUCKETS as u64 {
            self.widen();
            (low, high, bucket) = (low >> 1, high >> 1, bucket >> 1);
        }
        let before = usize::try_from(self.first - low).unwrap_or_default();
        if before > 0 {
            self.counts.splice(..0, std::iter::repeat_n(0, before));
            self.first = low;
        }
        let place = usize::try_from(bucket - low).unwrap_or_default();
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += count;
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Timeline) {
        if self.counts.is_empty() {
            *self = other.clone();
            return;
        }
        while self.exponent < other.exponent && !other.counts.is_empty() {
            self.widen();
        }
        for bucket in other.buckets() {
            self.add(bucket.start, bucket.count);
        }
    }

    /// Returns the same with buckets of at least `1 << exponent` seconds.
    pub fn widened(&self, exponent: u32) -> Timeline {
        let mut wide = self.clone();
        while wide.exponent < exponent {
            wide.widen();
        }
        wide
    }

    /// Returns the width of a bucket in seconds.
    pub fn width_seconds(&self) -> i64 {
        1 << self.exponent
    }

    /// Returns the buckets that have any, in order.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let start = |place: usize| (self.first + place as i64) << self.exponent;
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(move |(place, count)| Bucket { start: start(place), count: *count })
    }

    /// Returns the sum of all counts.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The number of the last bucket; none where there is none.
    fn last(&self) -> Option<i64> {
        Some(self.first + self.counts.len().checked_sub(1)? as i64)
    }

    /// Makes buckets twice as wide: each pair of neighbours becomes one.
    fn widen(&mut self) {
        // A first bucket with an odd number is the second of its pair.
        let odd = usize::from(self.first & 1 == 1);
        let mut counts = vec![0; (self.counts.len() + odd).div_ceil(2)];
        for (place, count) in self.counts.iter().enumerate() {
            counts[(place + odd) / 2] += count;
        }
        self.counts = counts;
        self.first >>= 1;
        self.exponent += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(seconds: &[i64]) -> Timeline {
        let mut timeline = Timeline::default();
        for second in seconds {
            timeline.add(*second, 1);
        }
        timeline
    }

    fn buckets(timeline: &Timeline) -> Vec<(i64, u64)> {
        timeline.buckets().map(|bucket| (bucket.start, bucket.count)).collect()
    }

    #[test]
    fn buckets_are_as_narrow_as_fits() {
        assert_eq!(buckets(&of(&[100, 163, 100])), [(100, 2), (163, 1)]);
        let wider = of(&[100, 165, 100]);
        assert_eq!((wider.width_seconds(), buckets(&wider)), (2, vec![(100, 2), (164, 1)]));
        let before = of(&[0, -1, -128]);
        assert_eq!((before.width_seconds(), buckets(&before)), (4, vec![(-128, 1), (-4, 1), (0, 1)]));
        assert_eq!(of(&[]).buckets().count(), 0);
        assert_eq!(of(&[i64::MIN / 2, i64::MAX / 2]).count(), 2);
    }

    fn seconds() -> impl Strategy<Value = Vec<i64>> {
        (0u32..40, prop::collection::vec(-1_000_000_000i64..1_000_000_000, 0..60))
            .prop_map(|(shift, seconds)| seconds.into_iter().map(|second| second >> shift).collect())
    }

    proptest! {
        /// Merging is associative and commutative, and the buckets depend on the times alone.
        #[test]
        fn timelines_add_up_in_any_order(x in seconds(), y in seconds(), z in seconds()) {
            let all = [x.clone(), y.clone(), z.clone()].concat();
            let whole = of(&all);
            let merged = |parts: &[&Timeline]| parts.iter().fold(Timeline::default(), |mut sum, part| {
                sum.merge(part);
                sum
            });
            let (x, y, z) = (of(&x), of(&y), of(&z));
            prop_assert_eq!(&merged(&[&x, &y, &z]), &whole);
            prop_assert_eq!(&merged(&[&z, &x, &Timeline::default(), &y]), &whole);
            prop_assert_eq!(&merged(&[&x, &merged(&[&z, &y])]), &whole);
            let mut reversed = all.clone();
            reversed.reverse();
            prop_assert_eq!(&of(&reversed), &whole);

            prop_assert_eq!(whole.count(), all.len() as u64);
            let width = whole.width_seconds();
            for bucket in whole.buckets() {
                let within = all.iter().filter(|second| second.div_euclid(width) * width == bucket.start);
                prop_assert_eq!(bucket.count, within.count() as u64);
            }
            if let (Some(first), Some(last)) = (all.iter().min(), all.iter().max()) {
                let span = |width: i64| last.div_euclid(width) - first.div_euclid(width);
                prop_assert!(span(width) < MAX_BUCKETS as i64);
                prop_assert!(width == 1 || span(width / 2) >= MAX_BUCKETS as i64);
            }
        }

        /// A timeline that was written as starts and counts of its buckets is read back by adding them.
        #[test]
        fn adding_the_buckets_makes_the_timeline_again(seconds in seconds()) {
            let whole = of(&seconds);
            let mut again = Timeline::default();
            whole.buckets().for_each(|bucket| again.add(bucket.start, bucket.count));
            prop_assert_eq!(again, whole);
        }
    }
}
