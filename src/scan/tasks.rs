//! Tasks: the work, cut into pieces that keep all workers busy.
//!
//! Inputs in the order of the report come in; [`Task`]s go out one by one, in that order: a batch of small files, one
//! document, stream or archive, or a window of a large file. Only large files are opened here, so that no more of
//! them are open than are worked on.

use super::share::{Source, Sources};
use super::{Options, WINDOW_BYTES};
use crate::error::SourceError;
use crate::input::{Input, InputKind, MAX_WHOLE, Opened};
use crate::source::Origin;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Files up to this size are taken several at a time, in bytes.
pub(super) const SMALL_FILE: u64 = 1 << 20;
/// How much small files add up to in one task: bytes, and files.
const BATCH: (u64, usize) = (4 << 20, 256);

/// A piece of work.
pub(super) enum Task {
    /// Inputs, by index, read one after the other.
    Inputs(Range<usize>),
    /// A window of a large file.
    Window { source: Source, file: Arc<Opened>, core: Range<u64> },
    /// A large file that could not be opened.
    Failed { path: PathBuf, error: SourceError },
}

/// Where the queue of tasks stands.
pub(super) struct Tasks<'s> {
    inputs: &'s [Input],
    options: &'s Options,
    sources: &'s Sources,
    index: usize,
    windows: Option<(Source, Arc<Opened>, u64)>,
}

impl<'s> Tasks<'s> {
    pub fn new(inputs: &'s [Input], options: &'s Options, sources: &'s Sources) -> Tasks<'s> {
        Tasks { inputs, options, sources, index: 0, windows: None }
    }

    pub fn next(&mut self) -> Option<Task> {
        if let Some((source, file, from)) = self.windows.take() {
            let core = from..file.bytes.min(from + self.options.core(WINDOW_BYTES) as u64);
            if core.end < file.bytes {
                self.windows = Some((source.clone(), file.clone(), core.end));
            }
            return Some(Task::Window { source, file, core });
        }
        let first = self.index;
        let size = |input: &Input| match input.kind {
            InputKind::File { stat } => Some(stat.size),
            InputKind::Stream | InputKind::Stdin => None,
        };
        self.index += 1;
        match size(self.inputs.get(first)?) {
            Some(bytes) if bytes > MAX_WHOLE => self.large(first),
            Some(mut bytes) if bytes <= SMALL_FILE => {
                while let Some(more) = self.inputs.get(self.index).and_then(size)
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

    /// A large file: windows if its bytes are the source's own.
    fn large(&mut self, index: usize) -> Option<Task> {
        let path = &self.inputs[index].path;
        match Opened::input(&self.inputs[index], self.options.mmap, &mut Vec::new()) {
            Ok(file) if !file.plain => Some(Task::Inputs(index..index + 1)),
            Ok(file) => {
                let mut source = self.sources.add(Origin::path(path));
                source.from = self.inputs[index].from.filter(|from| from.offset < file.bytes);
                let from = source.from.map_or(0, |from| from.offset);
                self.windows = Some((source, Arc::new(file), from));
                self.next()
            }
            Err(error) => Some(Task::Failed { path: path.clone(), error }),
        }
    }
}
