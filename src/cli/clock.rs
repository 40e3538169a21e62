//! The clock, read here and in no other place.
//!
//! The system's time comes in; a time stamp goes out, also where the system's clock is set to a time that no
//! time stamp can express. Such a clock spoils the times of a run, not the run.

use jiff::Timestamp;
use std::time::SystemTime;

/// The current time.
pub fn now() -> Timestamp {
    at(SystemTime::now())
}

/// The time stamp of `clock`; the first or last that there is, if `clock` is before or after that.
fn at(clock: SystemTime) -> Timestamp {
    let edge = if clock < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::try_from(clock).unwrap_or(edge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use migsift::context::Time;
    use std::time::Duration;

    /// Regression: a clock beyond the year 9999 ended the program with an internal error.
    #[test]
    fn any_clock_has_a_time_stamp() {
        let years = |count: u64| Duration::from_secs(count * 366 * 86_400);
        let clock = |count: u64| SystemTime::UNIX_EPOCH.checked_add(years(count)).expect("a time");
        let before = |count: u64| SystemTime::UNIX_EPOCH.checked_sub(years(count)).expect("a time");
        assert_eq!(at(SystemTime::UNIX_EPOCH).as_second(), 0);
        for far in [10_000, 100_000, 1_000_000_000] {
            assert_eq!((at(clock(far)), at(before(20_000 + far))), (Timestamp::MAX, Timestamp::MIN));
        }
        // What is done with the time works at its edges, too.
        for clock in [clock(10_000), clock(8_020), before(1), before(3_000), before(1_000_000)] {
            let now = at(clock);
            for zone in ["UTC", "+23:59", "-23:59", "Pacific/Kiritimati"] {
                let zone = migsift::context::time::zone(zone).expect("a zone");
                for text in ["now", "today", "yesterday", "-3d", "2h30m"] {
                    let _ = migsift::context::time::bound(text, now, &zone);
                }
            }
            let time = Time { instant: now, digits: 3 };
            assert!(time.to_string().ends_with('Z') && !now.to_string().is_empty());
            let _ = now.to_zoned(TimeZone::UTC).date();
        }
    }
}
