//! Properties that hold for any bytes, each a function that panics where the property is broken.
//!
//! The test suite checks them with random bytes and with inputs that were found before (`tests/it/found.rs`);
//! fuzzers search for bytes that break them for as long as there is time (`tests/fuzz`). They are written
//! once, so that both check the same.

pub mod catalogue;
pub mod changing;
pub mod generated;
pub mod normalized;
pub mod printers;
pub mod redact;
pub mod store;
pub mod time;
pub mod unpack;
pub mod windows;

use migsift::catalog::builtin;
use migsift::context::ContextReader;
use migsift::finding::{Builder, Finding};
use migsift::input::Window;
use migsift::matcher::Matcher;
use migsift::source::Origin;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The name of a property and the function that checks it.
pub type Property = (&'static str, fn(&[u8]));

/// All properties.
pub const PROPERTIES: [Property; 9] = [
    ("normalized", normalized::check),
    ("catalogue", catalogue::check),
    ("changing", changing::check),
    ("printers", printers::check),
    ("redact", redact::check),
    ("store", store::check),
    ("time", time::check),
    ("unpack", unpack::check),
    ("windows", windows::check),
];

/// Returns the matcher of the built-in catalogue.
pub fn matcher() -> &'static Matcher {
    static MATCHER: OnceLock<Matcher> = OnceLock::new();
    MATCHER.get_or_init(|| Matcher::new(builtin()))
}

/// Returns the findings of a source that is one window.
pub fn findings(bytes: &[u8]) -> Vec<Finding> {
    findings_in(bytes, Origin::path(Path::new("a.log")))
}

/// Returns the findings of a source named `origin` that is one window.
pub fn findings_in(bytes: &[u8], origin: Origin) -> Vec<Finding> {
    let window = Window::whole(bytes);
    let utc = jiff::tz::TimeZone::UTC;
    let reader = ContextReader::new(&window, &utc);
    let builder = Builder { matcher: matcher(), origin: Arc::new(origin) };
    matcher().scan(&window).iter().map(|found| builder.build(found, &window, &reader, 1)).collect()
}
