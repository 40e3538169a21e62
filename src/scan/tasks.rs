//! Tasks: the work, cut into pieces that keep all workers busy.
//!
//! Inputs in the order of the report come in; [`Task`]s go out one by one, numbered in that order: a batch of small
//! files, one document or stream, or a window of a large file. Only large files are opened here, so that no more of
//! them are open than are worked on.

use super::{Options, WINDOW_BYTES};
use crate::error::SourceError;
use crate::input::{Input, InputKind, MAX_WHOLE, Opened};
use std::ops::Range;
use std::sync::Arc;

/// Files up to this size are taken several at a time, in bytes.
const SMALL_FILE: u64 = 1 << 20;
/// How much small files add up to in one task: bytes, and files.
const BATCH: (u64, usize) = (4 << 20, 256);

/// A piece of work.
pub(super) enum Task {
    /// Inputs, by index, read one after the other.
    Inputs(Range<usize>),
    /// A window of a large file.
    Window { source: usize, file: Arc<Opened>, core: Range<u64> },
    /// A large file that could not be opened.
    Failed { source: usize, error: SourceError },
}

/// Where the queue of tasks stands.
#[derive(Default)]
pub(super) struct Tasks {
    next: usize,
    index: usize,
    windows: Option<(usize, Arc<Opened>, u64)>,
}

impl Tasks {
    pub(super) fn take(&mut self, inputs: &[Input], options: &Options) -> Option<(usize, Task)> {
        let task = self.next_task(inputs, options)?;
        self.next += 1;
        Some((self.next - 1, task))
    }

    pub(super) fn next_task(&mut self, inputs: &[Input], options: &Options) -> Option<Task> {
        if let Some((source, file, from)) = self.windows.take() {
            let core = from..file.bytes.min(from + options.window_bytes.unwrap_or(WINDOW_BYTES) as u64);
            if core.end < file.bytes {
                self.windows = Some((source, file.clone(), core.end));
            }
            return Some(Task::Window { source, file, core });
        }
        let first = self.index;
        let size = |input: &Input| match input.kind {
            InputKind::File { bytes } => Some(bytes),
            InputKind::Stream | InputKind::Stdin => None,
        };
        self.index += 1;
        match size(inputs.get(first)?) {
            Some(bytes) if bytes > MAX_WHOLE => match Opened::input(&inputs[first], options.mmap) {
                Ok(file) if file.marked => Some(Task::Inputs(first..first + 1)),
                Ok(file) => {
                    self.windows = Some((first, Arc::new(file), 0));
                    self.next_task(inputs, options)
                }
                Err(error) => Some(Task::Failed { source: first, error }),
            },
            Some(mut bytes) if bytes <= SMALL_FILE => {
                while let Some(more) = inputs.get(self.index).and_then(size)
                    && bytes + more <= BATCH.0
                    && self.index - first < BATCH.1
                {
                    bytes += more;
                    self.index += 1;
                }
                Some(Task::Inputs(first..self.index))
            }
            _ => Some(Task::Inputs(first..first + 1)),
        }
    }
}
