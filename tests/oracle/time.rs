//! Times: text before a stamp does not change it, printed times are read back the same, bounds and zones never panic.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use migsift::context::{Time, time};

/// Longer than any head of a line.
const MAX_BYTES: usize = 4 << 10;

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(&data[..data.len().min(MAX_BYTES)]);
    let zones =
        [TimeZone::UTC, time::zone("Europe/Berlin").expect("a zone"), time::zone("-03:30").expect("a zone")];
    for zone in &zones {
        let Some((found, range)) = time::first(&text, zone) else {
            // A stamp at the start of a line is read by other code than one after a blank.
            assert_eq!(time::first(&format!(" {text}"), zone), None, "after a blank: {text:?}");
            continue;
        };
        let stamp = text.get(range.clone()).expect("a range of the text");
        let shifted = time::first(&format!(" {text}"), zone);
        assert_eq!(shifted, Some((found, range.start + 1..range.end + 1)), "after a blank: {text:?}");
        let printed = serde_json::to_string(&found).expect("writes");
        let read: Time = serde_json::from_str(&printed).expect("reads");
        assert_eq!(read, found, "{stamp:?}");
        assert_eq!(printed, format!("\"{found}\""));
        assert!((3..=9).contains(&found.digits), "{stamp:?}");
    }
    let now = Timestamp::from_second(1_717_700_000).expect("a time");
    for zone in &zones {
        if let Err(message) = time::bound(&text, now, zone) {
            assert!(message.contains("is no time"), "{message}");
        }
    }
    if let Ok(zone) = time::zone(&text) {
        time::first("2024-06-06 21:42:53 x", &zone).expect("a stamp in any zone");
    }
}
