//! Numbers: of sources, and of the places that their output has in the report.

use crate::input::Resume;
use crate::redact::secrets::mask_origin;
use crate::source::Origin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A source, or an input without any, with a number that differs from all others, also from those of the same
/// name.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub number: u32,
    pub origin: Arc<Origin>,
    /// Where reading resumes; none if it starts at the first byte.
    pub from: Option<Resume>,
}

/// Numbers sources.
#[derive(Debug, Default)]
pub(super) struct Sources(AtomicU32);

impl Sources {
    /// Numbers a source. Its name is reported, so secrets in it are masked.
    pub fn add(&self, mut origin: Origin) -> Source {
        mask_origin(&mut origin);
        Source { number: self.0.fetch_add(1, Ordering::Relaxed), origin: Arc::new(origin), from: None }
    }
}

/// A position in the order of the report: the number of a task, and of a part of it.
///
/// Every task has a part 0. Only a large archive has more: part 0 opens it, the others are its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartId {
    pub task: usize,
    pub part: usize,
}
