//! Timelines in JSON: buckets with their starts as times.

use crate::context::Time;
use crate::summary::timeline::{Bucket, Timeline};
use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The widest buckets of any real timeline have a smaller exponent; a hostile report may state a larger one.
const MAX_EXPONENT: u32 = 40;

/// Dated findings by time.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Timeline", deny_unknown_fields))]
pub struct TimelineRecord {
    /// The width of a bucket: a power of two.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub bucket_seconds: u64,
    /// The buckets that have any findings, in order, at most 64.
    pub buckets: Vec<BucketRecord>,
}

/// A bucket of a timeline.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Bucket", deny_unknown_fields))]
pub struct BucketRecord {
    /// Its start.
    pub start: Time,
    /// Dated findings in it.
    pub count: u64,
}

impl From<&Timeline> for TimelineRecord {
    fn from(timeline: &Timeline) -> TimelineRecord {
        let record = |bucket: Bucket| BucketRecord {
            // A wide bucket may start before the first time that can be written.
            start: Time {
                instant: Timestamp::from_second(bucket.start).unwrap_or(Timestamp::MIN),
                digits: 3,
            },
            count: bucket.count,
        };
        TimelineRecord {
            bucket_seconds: timeline.width_seconds().unsigned_abs(),
            buckets: timeline.buckets().map(record).collect(),
        }
    }
}

impl From<&TimelineRecord> for Timeline {
    fn from(record: &TimelineRecord) -> Timeline {
        let mut timeline = Timeline::default();
        for bucket in &record.buckets {
            timeline.add(bucket.start.instant.as_second(), bucket.count);
        }
        // Such a start was moved into its bucket, so the starts alone do not determine the width.
        timeline.widened(record.bucket_seconds.trailing_zeros().min(MAX_EXPONENT))
    }
}
