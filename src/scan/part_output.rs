//! The output of a part while the part is worked on.
//!
//! Outputs of windows come in, in their order; numbered chunks go out to the scheduler.

use super::chunk::{Chunk, FileEvent, WindowOutput};
use super::content::{self, ReadAs};
use super::numbering::{PartId, Source};
use super::shared::Shared;
use super::totals::WorkerTotals;
use crate::input::FileReader;

/// A chunk is submitted when it costs this much or holds this many windows.
const MAX_CHUNK: usize = 1_000;

/// The end of a part's output: chunks are numbered in its order, whoever submits them.
pub(super) struct PartOutput {
    pub part_id: PartId,
    /// How many chunks have a number.
    pub chunks: usize,
    chunk: Chunk,
    cost: usize,
}

impl PartOutput {
    pub fn new(part_id: PartId) -> PartOutput {
        PartOutput { part_id, chunks: 0, chunk: Chunk::default(), cost: 0 }
    }

    /// Appends the output of the next window.
    pub fn push(&mut self, shared: &Shared<'_, '_>, window: WindowOutput) {
        self.cost += window.cost();
        self.chunk.windows.push(window);
        if self.cost >= MAX_CHUNK || self.chunk.windows.len() >= MAX_CHUNK {
            self.flush(shared);
        }
    }

    /// Appends the event that `source` is an archive of these bytes.
    pub fn archive(&mut self, shared: &Shared<'_, '_>, source: &Source, bytes: FileReader<'_>) {
        let (origin, content) = (source.origin.clone(), content::archive(bytes));
        self.push(shared, WindowOutput::of_event(source, FileEvent::Archive { origin, content }));
    }

    /// Appends the event that the outer file `source` is done, if files are identified.
    pub fn end(&mut self, shared: &Shared<'_, '_>, source: &Source, read_as: ReadAs) {
        if shared.options.identify {
            let event = FileEvent::End { origin: source.origin.clone(), read_as };
            self.push(shared, WindowOutput::of_event(source, event));
        }
    }

    /// Adds totals that count only if the part is not done again.
    pub fn add_totals(&mut self, totals: WorkerTotals) {
        self.chunk.totals = Some(Box::new(totals));
    }

    /// Submits what has been gathered.
    pub fn flush(&mut self, shared: &Shared<'_, '_>) {
        if self.chunk.windows.is_empty() && self.chunk.totals.is_none() {
            return;
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.cost = 0;
        shared.scheduler.submit(self.part_id, self.chunks, chunk);
        self.chunks += 1;
    }

    /// Returns the number of the next chunk, for windows that another worker will match and submit.
    pub fn reserve_chunk(&mut self, shared: &Shared<'_, '_>) -> usize {
        self.flush(shared);
        self.chunks += 1;
        self.chunks - 1
    }
}
