//! Printers: a report or findings in, text out.
//!
//! Each format has its own file; [`Format`] lists them. [`ndjson`] and [`csv`] print findings while the scan
//! runs; the others are made from the [`Report`](crate::report::Report). Text from a log goes through
//! [`safe`] first.

pub mod csv;
mod definition;
pub mod difference;
mod format;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod ndjson;
pub mod prometheus;
mod published;
pub mod safe;
mod steps;
mod verdict;
mod words;

pub use definition::{Destination, Settings, StartFindings, Streamed, WriteReport, Writer};
pub use format::Format;

use crate::input::Signature;
use std::sync::LazyLock;

/// The signatures of everything that this program prints into files: all formats, and the difference of two
/// reports.
pub fn own_outputs() -> &'static [Signature] {
    static SIGNATURES: LazyLock<Vec<Signature>> = LazyLock::new(|| {
        let formats = Format::ALL.iter().flat_map(|format| format.signatures());
        formats.chain(difference::SIGNATURES).copied().collect()
    });
    &SIGNATURES
}
