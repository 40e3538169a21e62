//! The method of a run: everything that changes which findings the same bytes yield.
//!
//! The caller describes version, catalogue and options as texts. The store only compares them.

use std::fmt;

/// How a stream was read. A stream that was read with another method is stale and is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// The program's version.
    pub version: String,
    /// The catalogue's fingerprint.
    pub catalog: String,
    /// The options that change findings, in a text that depends only on their values.
    pub options: String,
}

impl Method {
    /// Returns the first difference from `old`.
    pub(super) fn changed_since(&self, old: &Method) -> StaleReason {
        if self.version != old.version {
            StaleReason::Version
        } else if self.catalog != old.catalog {
            StaleReason::Catalog
        } else {
            StaleReason::Options
        }
    }
}

/// Why an unchanged file is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StaleReason {
    /// Other options.
    Options,
    /// Another catalogue.
    Catalog,
    /// Another version of the program.
    Version,
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StaleReason::Options => "options that change findings have changed",
            StaleReason::Catalog => "the catalogue has changed",
            StaleReason::Version => "they were read by another version of migsift",
        })
    }
}
