//! Laws that hold for any bytes, each a function that panics where one is broken.
//!
//! The suite holds them to random bytes and to inputs that were found before (`tests/it/found.rs`); fuzzers look for
//! bytes that break them for as long as there is time (`tests/fuzz`). So that both say the same, they are written once.

pub mod canonical;
pub mod catalogue;
pub mod made;
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

/// A law: what it is called, and what holds any bytes to it.
pub type Law = (&'static str, fn(&[u8]));

/// All of them.
pub const LAWS: [Law; 8] = [
    ("canonical", canonical::law),
    ("catalogue", catalogue::law),
    ("printers", printers::law),
    ("redact", redact::law),
    ("store", store::law),
    ("time", time::law),
    ("unpack", unpack::law),
    ("windows", windows::law),
];

/// The matcher of the built-in catalogue.
pub fn matcher() -> &'static Matcher {
    static MATCHER: OnceLock<Matcher> = OnceLock::new();
    MATCHER.get_or_init(|| Matcher::new(builtin()))
}

/// What is found in a source that is one window.
pub fn findings(bytes: &[u8]) -> Vec<Finding> {
    findings_in(bytes, Origin::path(Path::new("a.log")))
}

/// The same in a source of this name.
pub fn findings_in(bytes: &[u8], origin: Origin) -> Vec<Finding> {
    let window = Window::whole(bytes);
    let utc = jiff::tz::TimeZone::UTC;
    let reader = ContextReader::new(&window, &utc);
    let builder = Builder { matcher: matcher(), origin: Arc::new(origin) };
    matcher().scan(&window).iter().map(|found| builder.build(found, &window, &reader, 1)).collect()
}
