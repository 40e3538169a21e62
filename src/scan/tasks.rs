//! Tasks: the inputs of a walk, cut into pieces that keep all workers busy.
//!
//! Inputs in the order of the report come in, from a list or from a walk that goes on as they are taken.
//! [`Task`]s go out one by one, in that order: a batch of small files, one document, stream or archive, or a
//! window of a large file. Only large files are opened here, one at a time, so that few are open at once.
//! What workers do with tasks is not known here.

use super::numbering::{Source, Sources};
use super::options::Options;
use super::{WINDOW_BYTES, Work};
use crate::error::SourceError;
use crate::input::{Access, Input, MAX_WHOLE_BYTES, OpenFile};
use crate::source::Origin;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Files up to this size are batched, in bytes.
pub(super) const SMALL_FILE: u64 = 1 << 20;
/// How many bytes the files of a batch add up to, at most.
const BATCH_BYTES: u64 = 4 << 20;
/// The most files in a batch.
const BATCH_FILES: usize = 256;

/// A piece of work.
pub(super) enum Task {
    /// Inputs, read one after the other.
    Inputs(Vec<Input>),
    /// A window of a large file.
    Window { source: Source, file: Arc<OpenFile>, core: Range<u64> },
    /// A large file that could not be opened.
    Failed { path: PathBuf, error: SourceError },
}

/// Cuts work into tasks.
pub(super) struct Tasks<'s> {
    work: Work<'s>,
    options: &'s Options,
    sources: &'s Sources,
    /// How many inputs of a list were taken.
    index: usize,
    /// An input that was taken but did not fit into the last batch.
    ahead: Option<Input>,
    large: Option<LargeFile>,
}

/// A large file whose windows are being handed out.
struct LargeFile {
    source: Source,
    file: Arc<OpenFile>,
    /// Where the next window's core starts.
    next: u64,
}

impl<'s> Tasks<'s> {
    pub fn new(work: Work<'s>, options: &'s Options, sources: &'s Sources) -> Tasks<'s> {
        Tasks { work, options, sources, index: 0, ahead: None, large: None }
    }

    pub fn next(&mut self) -> Option<Task> {
        if let Some(large) = self.large.take() {
            return Some(self.window(large));
        }
        let first = self.input()?;
        match first.bytes() {
            Some(bytes) if bytes > MAX_WHOLE_BYTES => self.large(first),
            Some(bytes) if bytes <= SMALL_FILE => Some(Task::Inputs(self.batch(first, bytes))),
            _ => Some(Task::Inputs(vec![first])),
        }
    }

    /// Returns the work that the inputs were taken from.
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

    /// Returns small files, starting with `first`, whose size is `bytes`.
    fn batch(&mut self, first: Input, mut bytes: u64) -> Vec<Input> {
        let mut batch = vec![first];
        while batch.len() < BATCH_FILES
            && let Some(input) = self.input()
        {
            match input.bytes() {
                Some(more) if bytes + more <= BATCH_BYTES => {
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

    /// Returns the first task of a large file: a window, if its bytes need no decoding.
    fn large(&mut self, input: Input) -> Option<Task> {
        match OpenFile::open_input(
            &input,
            Access::mapped_if(self.options.mmap),
            self.options.own_outputs,
            &mut Vec::new(),
        ) {
            Ok(file) if !file.plain => Some(Task::Inputs(vec![input])),
            Ok(file) => {
                let mut source = self.sources.add(Origin::path(&input.path));
                source.from = input.resume.filter(|from| from.offset < file.bytes);
                let next = source.from.map_or(0, |from| from.offset);
                Some(self.window(LargeFile { source, file: Arc::new(file), next }))
            }
            Err(error) => Some(Task::Failed { path: input.path, error }),
        }
    }

    /// Returns the next window, and keeps the file if it has more.
    fn window(&mut self, large: LargeFile) -> Task {
        let LargeFile { source, file, next } = large;
        let core = next..file.bytes.min(next + self.options.core_bytes(WINDOW_BYTES) as u64);
        if core.end < file.bytes {
            self.large = Some(LargeFile { source: source.clone(), file: file.clone(), next: core.end });
        }
        Task::Window { source, file, core }
    }
}
