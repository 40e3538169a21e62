//! Chunks: what was found in some windows, on its way from the worker that matched them to the writer.

use super::content::{Content, ReadAs, WindowHashes};
use super::numbering::Source;
use super::rows::Rows;
use super::totals::WorkerTotals;
use crate::finding::Finding;
use crate::source::Origin;
use std::sync::Arc;

/// What was found in some consecutive windows of a part.
#[derive(Default)]
pub(super) struct Chunk {
    pub windows: Vec<WindowOutput>,
    /// Totals that count only if the chunk is written: those of a part that may have to be done again.
    pub totals: Option<Box<WorkerTotals>>,
}

impl Chunk {
    /// Returns its share of the bound on output that waits.
    pub fn cost(&self) -> usize {
        self.windows.iter().map(WindowOutput::cost).sum()
    }
}

/// What was found in one window.
pub(super) struct WindowOutput {
    pub source: u32,
    /// The findings that the sink or the samples need one by one. Their lines are counted from the window's
    /// core: how many lines precede it is known only when all before it is written.
    pub findings: Vec<Finding>,
    /// All findings as rows, if the sink receives rows.
    pub rows: Rows,
    /// Line breaks in the window's core.
    pub lines: u64,
    /// An event of the file that the window belongs to, if files are identified.
    pub event: Option<Box<FileEvent>>,
}

/// Something that happens to an outer file between its findings.
pub(super) enum FileEvent {
    /// A window of it was read; comes before the window's findings.
    Window { source: Source, hashes: WindowHashes },
    /// It is an archive; comes before the findings in its members.
    Archive { origin: Arc<Origin>, content: Content },
    /// It is done.
    End { origin: Arc<Origin>, read_as: ReadAs },
}

impl WindowOutput {
    /// Returns the output of a window in which nothing was found.
    pub fn empty(source: &Source) -> WindowOutput {
        WindowOutput {
            source: source.number,
            findings: Vec::new(),
            rows: Rows::default(),
            lines: 0,
            event: None,
        }
    }

    /// Returns an output that is only an event of the file `source`.
    pub fn of_event(source: &Source, event: FileEvent) -> WindowOutput {
        WindowOutput { event: Some(Box::new(event)), ..WindowOutput::empty(source) }
    }

    /// Drops the event if `unchanged` is an error: the file changed while it was read, and its hashes mean
    /// nothing.
    pub fn verified<E>(mut self, unchanged: &Result<(), E>) -> WindowOutput {
        if unchanged.is_err() {
            self.event = None;
        }
        self
    }

    /// Returns its share of the bound on output that waits.
    pub fn cost(&self) -> usize {
        self.rows.cost() + self.findings.iter().map(Finding::cost).sum::<usize>()
    }
}
