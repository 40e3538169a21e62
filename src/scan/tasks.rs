//! Tasks: the work, cut into pieces that keep all workers busy.
//!
//! Inputs in the order of the report come in, from a list or from a walk that goes on as they are taken; [`Task`]s go out
//! one by one, in that order: a batch of small files, one document, stream or archive, or a window of a large file. Only
//! large files are opened here, so that no more of them are open than are worked on.

use super::share::{Source, Sources};
use super::{Options, WINDOW_BYTES, Work};
use crate::error::SourceError;
use crate::input::{Input, InputKind, MAX_WHOLE_BYTES, OpenFile};
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
    /// Inputs, read one after the other.
    Inputs(Vec<Input>),
    /// A window of a large file.
    Window { source: Source, file: Arc<OpenFile>, core: Range<u64> },
    /// A large file that could not be opened.
    Failed { path: PathBuf, error: SourceError },
}

/// Where the queue of tasks stands.
pub(super) struct Tasks<'s> {
    work: Work<'s>,
    options: &'s Options,
    sources: &'s Sources,
    /// How many inputs of a list have been taken.
    index: usize,
    /// The next input, if it has been looked at already.
    ahead: Option<Input>,
    windows: Option<(Source, Arc<OpenFile>, u64)>,
}

impl<'s> Tasks<'s> {
    pub fn new(work: Work<'s>, options: &'s Options, sources: &'s Sources) -> Tasks<'s> {
        Tasks { work, options, sources, index: 0, ahead: None, windows: None }
    }

    pub fn next(&mut self) -> Option<Task> {
        if let Some((source, file, from)) = self.windows.take() {
            let core = from..file.bytes.min(from + self.options.core(WINDOW_BYTES) as u64);
            if core.end < file.bytes {
                self.windows = Some((source.clone(), file.clone(), core.end));
            }
            return Some(Task::Window { source, file, core });
        }
        let first = self.input()?;
        match size(&first) {
            Some(bytes) if bytes > MAX_WHOLE_BYTES => self.large(first),
            Some(bytes) if bytes <= SMALL_FILE => Some(Task::Inputs(self.batch(first, bytes))),
            _ => Some(Task::Inputs(vec![first])),
        }
    }

    /// What the inputs were taken from.
    pub fn into_work(self) -> Work<'s> {
        self.work
    }

    fn input(&mut self) -> Option<Input> {
        if let Some(input) = self.ahead.take() {
            return Some(input);
        }
        match &mut self.work {
            Work::Walked(walk) => {
                let input = walk.inputs.get(self.index)?;
                self.index += 1;
                Some(input.clone())
            }
            Work::Walking(walker) => walker.next(),
        }
    }

    /// Small files from `first` on, which has so many bytes.
    fn batch(&mut self, first: Input, mut bytes: u64) -> Vec<Input> {
        let mut batch = vec![first];
        while batch.len() < BATCH.1
            && let Some(input) = self.input()
        {
            match size(&input) {
                Some(more) if bytes + more <= BATCH.0 => {
                    bytes += more;
                    batch.push(input);
                }
                _ => {
                    self.ahead = Some(input);
                    break;
                }
            }
        }
        batch
    }

    /// A large file: windows if its bytes are the source's own.
    fn large(&mut self, input: Input) -> Option<Task> {
        match OpenFile::open_input(&input, self.options.mmap, &mut Vec::new()) {
            Ok(file) if !file.plain => Some(Task::Inputs(vec![input])),
            Ok(file) => {
                let mut source = self.sources.add(Origin::path(&input.path));
                source.from = input.resume.filter(|from| from.offset < file.bytes);
                let from = source.from.map_or(0, |from| from.offset);
                self.windows = Some((source, Arc::new(file), from));
                self.next()
            }
            Err(error) => Some(Task::Failed { path: input.path, error }),
        }
    }
}

/// The size of what is read by offset, in bytes.
fn size(input: &Input) -> Option<u64> {
    match input.kind {
        InputKind::File { stat } => Some(stat.size),
        InputKind::Stream | InputKind::Stdin => None,
    }
}
