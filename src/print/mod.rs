//! Printers: a report or findings in, bytes out.
//!
//! Each format is a room of its own. [`ndjson`] and [`csv`] print findings as they come; the others are made from the
//! [`Report`](crate::report::Report). What comes from a log goes through [`safe`] first.

pub mod csv;
pub mod difference;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod ndjson;
pub mod prometheus;
pub mod safe;
mod steps;
mod words;
