//! The scheduler: hands out work, bounds memory, and puts what was found in order.
//!
//! Tasks come in from the walk, windows and parts of archives from workers; jobs go out to workers. Chunks of
//! output come back in any order and go to the [`Writer`] in the order of the report. What a job does, and
//! what is in a chunk, is not known here.
//!
//! # Order
//!
//! All work belongs to a *part*, which has a [`PartId`] (task, part); its output is a row of numbered chunks.
//! Workers submit chunks in any order. They *close* a part when they know how many chunks it has, and *end* a
//! task when they know how many parts it has. `turn` is the part whose chunks are written next. It moves to
//! the next part when the part is closed and all of its chunks are written, and to the next task when all
//! parts of the task are.
//!
//! ```text
//! part       (0,0)         (1,0)       (1,1)          (1,2)        (2,0)
//!            small files   zip, part 0 members        members      window of app.log
//! chunks     0 1 closed    0 closed    0 1 …          0 closed     0 closed
//!            └──── written ────┘       ▲ turn         └─ pending: wait for their turn ─┘
//! ```
//!
//! Writing happens outside the lock and by one worker at a time, in `write_due`: the worker that finds
//! something due takes all of it, writes it, and looks again; all others only submit, and go on working.
//!
//! # Back-pressure
//!
//! A slow part at `turn` makes all later output wait in memory. Three bounds keep that memory finite:
//!
//! - [`LOOKAHEAD`]: no task is started that far after the task at `turn`.
//! - [`MAX_PENDING`]: while more findings than that are pending, no task is started but the one at `turn`,
//!   and readers of later positions block.
//! - [`MAX_QUEUED_BYTES`] for each worker: windows that readers of streams have read and nobody has matched
//!   yet.
//!
//! A reader is in the middle of a stream and cannot be put aside. So it calls [`Scheduler::wait_or_help`]
//! between windows: it receives a queued job to do meanwhile, if there is one that it may do, and else blocks
//! until there is one or the pressure is gone.
//!
//! **Invariant: this never deadlocks.** The part at `turn` always makes progress. If it is being read, its
//! reader blocks only while another worker writes, and writing ends. If it waits in the queue, any blocked
//! reader takes it. If its task was not started, no later task was either, so no reader can be blocked. A job
//! that is done while helping is a batch of windows, which never blocks, or the part at `turn`, whose reader
//! can only be asked to match windows. So helping is at most two levels deep.
//!
//! # Workers
//!
//! A worker is started when there is a job that no worker is free for, until there are as many as the caller
//! allows ([`Scheduler::next_worker`]). So the number of threads is that of the pieces of work, however many
//! were asked for, and so is the memory for windows that are queued.
//!
//! # Speculative parts of archives
//!
//! The members of an archive share one allowance of decoded bytes and members. A limit must cut at the same
//! byte for any number of threads; but what is left for a part is known only when all parts before it are
//! done. Waiting for that would make large archives sequential. So a part that is started before its turn is
//! *speculative*: it runs with what was left when it started, and commits only if that turns out to be
//! enough.
//!
//! Example, 100 MB left: parts 1 and 2 start together, each with an allowance of 100 MB. Part 1 takes 70 MB.
//! Part 2 asks at its turn ([`Scheduler::admission`]). If it took 20 MB so far it is *admitted*, is no longer
//! speculative and goes on with 10 MB. If it took 40 MB it is *rejected*: its chunks are dropped, the totals
//! in them as well, and it is queued again; with its turn come, it runs with exactly 30 MB. A part that is
//! closed before its turn is judged the same way then. One that met a limit is always done again: with less
//! left, the limit cuts earlier.
//!
//! **Invariant:** output and totals of a speculative part are never written or merged before the part is
//! admitted.

use super::Work;
use super::chunk::Chunk;
use super::numbering::{PartId, Source};
use super::sink::Sink;
use super::tasks::{Task, Tasks};
use super::writer::{Writer, Written};
use super::zip_parts::ZipPart;
use crate::error::Error;
use crate::input::limits::Amount;
use crate::input::{OwnedWindow, STREAM_WINDOW_BYTES};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many tasks after the one at `turn` may be started.
const LOOKAHEAD: usize = 64;
/// The cost of output that may be pending, in findings, before those who would add to it block.
const MAX_PENDING: usize = 50_000;
/// How many bytes of windows may be queued for each worker.
const MAX_QUEUED_BYTES: usize = 8 << 20;
/// How many buffers are kept for the next windows.
const MAX_BUFFERS: usize = 16;
/// The largest buffer that is kept, in bytes.
const MAX_BUFFER_BYTES: usize = 2 * STREAM_WINDOW_BYTES;

/// Something for a worker to do.
pub(super) enum Job<'s> {
    /// A task, by its number.
    Task(usize, Task),
    /// Windows to match.
    Windows(WindowBatch),
    /// A part of an archive to unpack.
    ZipPart(ZipPart<'s>),
}

/// Windows that a reader has read, to be matched by another worker.
pub(super) struct WindowBatch {
    pub part_id: PartId,
    /// The number of the chunk that their output becomes.
    pub chunk: usize,
    /// Whether their totals go into the chunk, as the part may have to be done again.
    pub totals_in_chunk: bool,
    pub windows: Vec<(Source, OwnedWindow)>,
}

impl WindowBatch {
    /// Returns how much memory it holds, in bytes; never 0.
    fn memory(&self) -> usize {
        1 + self.windows.iter().map(|(_, cut)| cut.bytes.capacity()).sum::<usize>()
    }
}

/// What a part of an archive may take when it starts.
pub(super) struct Allowance {
    pub left: Amount,
    pub certainty: Certainty,
}

/// Whether the allowance of a part is final.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// All parts before it are done.
    Exact,
    /// The part was started before its turn; parts before it may still take some.
    Speculative,
}

/// Whether a speculative part may go on.
pub(super) enum Admission {
    /// Its turn has not come.
    Undecided,
    /// It is no longer speculative; this is left for it.
    Admitted(Amount),
    /// It took more than was left: what it found is dropped, and it is done again.
    Rejected,
}

/// Whether a part met a limit of the archive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitMet {
    Yes,
    No,
}

/// Hands out jobs and puts their output in order.
pub(super) struct Scheduler<'s, 'k> {
    state: Mutex<State<'s>>,
    writer: Mutex<Writer<'k>>,
    /// Notified when there may be a job, or less pressure.
    changed: Condvar,
    /// Notified when another worker may be wanted, and when all is done.
    hiring: Condvar,
    stop: AtomicBool,
}

struct State<'s> {
    tasks: Tasks<'s>,
    /// The number of the next task.
    next_task: usize,
    /// Whether there are no more tasks.
    exhausted: bool,
    /// Jobs in progress, but for those that a reader does while it waits.
    running: usize,
    /// The workers that were started.
    workers: usize,
    /// Those of them that have no job: they wait for one, or have not asked yet.
    free: usize,
    /// How many workers there may be.
    max_workers: usize,
    /// Jobs by position, and chunk number for windows.
    queue: BTreeMap<(PartId, usize), Job<'s>>,
    /// How many bytes the windows in the queue hold.
    queued_bytes: usize,
    /// The part whose output is written next.
    turn: PartId,
    /// The parts that were started and are not written yet.
    parts: BTreeMap<PartId, PartState<'s>>,
    /// How many parts a task has, where that is known and the task is not written yet.
    part_counts: BTreeMap<usize, usize>,
    /// The cost of all chunks in `parts`.
    pending: usize,
    /// Whether a worker is writing.
    writing: bool,
    buffers: Vec<Vec<u8>>,
}

/// The output of a part that is not written yet.
#[derive(Default)]
struct PartState<'s> {
    chunks: BTreeMap<usize, Chunk>,
    /// The number of the next chunk to write.
    next_chunk: usize,
    /// How many chunks it has, once it is closed.
    chunk_count: Option<usize>,
    speculative: Option<Speculative<'s>>,
}

/// A part of an archive that was started before its turn.
struct Speculative<'s> {
    part: ZipPart<'s>,
    /// What it took, once it is closed and if no limit cut it.
    spent: Option<Amount>,
}

impl Speculative<'_> {
    /// Returns what the closed part took, if no limit cut it and that much is left.
    fn committed(&self) -> Option<Amount> {
        self.spent.filter(|spent| self.part.zip.left().less(*spent).is_some())
    }
}

impl<'s, 'k> Scheduler<'s, 'k> {
    /// A scheduler for at most `max_workers` workers, which are started as [`Scheduler::next_worker`] says.
    pub fn new(
        tasks: Tasks<'s>,
        sink: Option<&'k mut (dyn Sink + 'k)>,
        max_workers: usize,
    ) -> Scheduler<'s, 'k> {
        let state = State {
            tasks,
            next_task: 0,
            exhausted: false,
            running: 0,
            workers: 0,
            free: 0,
            max_workers,
            queue: BTreeMap::new(),
            queued_bytes: 0,
            turn: PartId { task: 0, part: 0 },
            parts: BTreeMap::new(),
            part_counts: BTreeMap::new(),
            pending: 0,
            writing: false,
            buffers: Vec::new(),
        };
        Scheduler {
            state: Mutex::new(state),
            writer: Mutex::new(Writer::new(sink)),
            changed: Condvar::new(),
            hiring: Condvar::new(),
            stop: AtomicBool::new(false),
        }
    }

    /// Waits until another worker is wanted; the caller starts it. Returns false when all is done.
    pub fn next_worker(&self) -> bool {
        let mut state = self.state();
        loop {
            if self.stopped() || state.is_done() {
                return false;
            }
            if state.wants_worker() {
                state.workers += 1;
                state.free += 1;
                return true;
            }
            state = self.hiring.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the search for more workers, because the last one that was wanted could not be started. Returns
    /// how many there are.
    pub fn worker_failed(&self) -> usize {
        let mut state = self.state();
        state.workers -= 1;
        state.free -= 1;
        state.max_workers = state.workers;
        state.workers
    }

    /// Returns whether the sink has failed, so that all work is in vain.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Returns the next job, or none when all is done. Call [`Scheduler::finish_job`] when it is done.
    ///
    /// Queued jobs go first, those of the first positions first of all: what is started should end before
    /// more is started.
    pub fn next(&self) -> Option<Job<'s>> {
        let mut state = self.state();
        loop {
            if self.stopped() || state.is_done() {
                self.hiring.notify_one();
                return None;
            }
            if let Some(job) = state.pop_queue() {
                return Some(self.start_job(state, job));
            }
            if !state.exhausted && state.may_start_task() {
                match state.tasks.next() {
                    Some(task) => {
                        state.next_task += 1;
                        let job = Job::Task(state.next_task - 1, task);
                        return Some(self.start_job(state, job));
                    }
                    None => state.exhausted = true,
                }
                continue;
            }
            state = self.wait(state);
        }
    }

    /// Gives a job to a worker that was free.
    fn start_job(&self, mut state: MutexGuard<'_, State<'s>>, job: Job<'s>) -> Job<'s> {
        state.running += 1;
        state.free -= 1;
        self.hire(&state);
        job
    }

    /// Ends a job from [`Scheduler::next`].
    pub fn finish_job(&self) {
        let mut state = self.state();
        state.running -= 1;
        state.free += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Asks for another worker, if one is wanted.
    fn hire(&self, state: &State<'s>) {
        if state.wants_worker() {
            self.hiring.notify_one();
        }
    }

    /// Queues windows that a reader has read.
    pub fn queue_windows(&self, batch: WindowBatch) {
        let mut state = self.state();
        state.queued_bytes += batch.memory();
        state.queue.insert((batch.part_id, batch.chunk), Job::Windows(batch));
        self.hire(&state);
        drop(state);
        self.changed.notify_one();
    }

    /// Queues parts of an archive.
    pub fn queue_zip_parts(&self, parts: Vec<ZipPart<'s>>) {
        let mut state = self.state();
        for part in parts {
            state.queue.insert((part.part_id, 0), Job::ZipPart(part));
        }
        self.hire(&state);
        drop(state);
        self.changed.notify_all();
    }

    /// Returns work for a reader at `part_id` to do before it reads on, or none if it may read on. Blocks
    /// while there is too much pressure and nothing to help with.
    pub fn wait_or_help(&self, part_id: PartId) -> Option<Job<'s>> {
        let mut state = self.state();
        loop {
            let output_pressure = state.output_pressure(part_id);
            let queue_pressure = state.queued_bytes > state.queue_capacity();
            if self.stopped() || !output_pressure && !queue_pressure {
                return None;
            }
            if let Some(key) = state.help(output_pressure) {
                return state.take_queued(key);
            }
            state = self.wait(state);
        }
    }

    /// Starts a part of an archive.
    pub fn start_zip_part(&self, part: &ZipPart<'s>) -> Allowance {
        let mut state = self.state();
        let speculative = state.turn != part.part_id;
        let known = state.parts.entry(part.part_id).or_default();
        known.speculative = speculative.then(|| Speculative { part: part.clone(), spent: None });
        let certainty = if speculative { Certainty::Speculative } else { Certainty::Exact };
        Allowance { left: part.zip.left(), certainty }
    }

    /// Decides whether a speculative part that took `spent` so far may go on.
    pub fn admission(&self, part: &ZipPart<'s>, spent: Amount) -> Admission {
        let mut state = self.state();
        if state.turn != part.part_id {
            return Admission::Undecided;
        }
        let Some(left) = part.zip.left().less(spent) else { return Admission::Rejected };
        if let Some(known) = state.parts.get_mut(&part.part_id) {
            known.speculative = None;
        }
        self.write_due(state);
        Admission::Admitted(left)
    }

    /// Submits the output of windows as the chunk `number` of a part.
    pub fn submit(&self, part_id: PartId, number: usize, chunk: Chunk) {
        let mut state = self.state();
        state.pending += chunk.cost();
        state.parts.entry(part_id).or_default().chunks.insert(number, chunk);
        self.write_due(state);
    }

    /// Closes a part: it has `chunks` chunks, of which some may still be in progress.
    pub fn close(&self, part_id: PartId, chunks: usize) {
        let mut state = self.state();
        state.parts.entry(part_id).or_default().chunk_count = Some(chunks);
        self.write_due(state);
    }

    /// Closes a part of an archive that took `spent` of the allowance.
    pub fn close_zip_part(&self, part: &ZipPart<'s>, chunks: usize, spent: Amount, limit: LimitMet) {
        let mut state = self.state();
        let known = state.parts.entry(part.part_id).or_default();
        known.chunk_count = Some(chunks);
        match &mut known.speculative {
            Some(speculative) => speculative.spent = (limit == LimitMet::No).then_some(spent),
            None => part.zip.take(spent),
        }
        self.write_due(state);
    }

    /// Ends a task: it has `parts` parts, of which some may still be in progress.
    pub fn end_task(&self, task: usize, parts: usize) {
        let mut state = self.state();
        state.part_counts.insert(task, parts);
        self.write_due(state);
    }

    /// Returns a buffer for a window, perhaps a used one.
    pub fn take_buffer(&self) -> Vec<u8> {
        self.state().buffers.pop().unwrap_or_default()
    }

    /// Takes a buffer back for the next window.
    pub fn return_buffer(&self, buffer: Vec<u8>) {
        let mut state = self.state();
        if state.buffers.len() < MAX_BUFFERS && buffer.capacity() <= MAX_BUFFER_BYTES {
            state.buffers.push(buffer);
        }
    }

    /// Ends the scan. Returns the work it had, and what the writer kept.
    ///
    /// # Errors
    ///
    /// That of the sink.
    pub fn finish(self) -> Result<(Work<'s>, Written), Error> {
        let writer = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((state.tasks.into_work(), writer.finish()?))
    }

    fn state(&self) -> MutexGuard<'_, State<'s>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<'s>>) -> MutexGuard<'g, State<'s>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is due, outside the lock and in order. If another worker is writing, that one will write
    /// this, too.
    fn write_due<'g>(&'g self, mut state: MutexGuard<'g, State<'s>>) {
        if state.writing {
            return;
        }
        state.writing = true;
        loop {
            let due = state.take_due();
            // More tasks may be started after `turn` has moved.
            self.hire(&state);
            self.changed.notify_all();
            if due.is_empty() {
                state.writing = false;
                return;
            }
            drop(state);
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.write_all(due);
            if writer.error.is_some() {
                self.stop.store(true, Ordering::Relaxed);
            }
            drop(writer);
            state = self.state();
        }
    }
}

impl<'s> State<'s> {
    /// Returns whether nothing is left to do.
    fn is_done(&self) -> bool {
        self.exhausted && self.running == 0 && self.queue.is_empty()
    }

    /// Returns whether there may be a job that no worker is free for.
    fn wants_worker(&self) -> bool {
        let has_job = !self.queue.is_empty() || !self.exhausted && self.may_start_task();
        has_job && self.free == 0 && self.workers < self.max_workers
    }

    /// Returns how many bytes of windows may be queued. A single worker matches what it has read at once.
    fn queue_capacity(&self) -> usize {
        if self.max_workers == 1 { 0 } else { MAX_QUEUED_BYTES * self.workers }
    }

    /// Returns whether the next task may be started now.
    fn may_start_task(&self) -> bool {
        let near = self.next_task < self.turn.task + LOOKAHEAD;
        let adds_to_pending = self.pending > MAX_PENDING && self.next_task > self.turn.task;
        near && !adds_to_pending
    }

    /// Returns whether a reader at `part_id` would add to output that already waits too long.
    ///
    /// A reader at `turn` usually does not: its output is written at once. But while a worker is writing, it
    /// waits, too.
    fn output_pressure(&self, part_id: PartId) -> bool {
        self.pending > MAX_PENDING && (self.turn != part_id || self.writing)
    }

    /// Returns the queued job that a blocked reader may do: the first windows, or before them the first job
    /// at all if it is of the part at `turn`, which relieves the pressure on output.
    ///
    /// No other part of an archive: it could block, too, and its reader would never get back to its own
    /// stream.
    fn help(&self, output_pressure: bool) -> Option<(PartId, usize)> {
        let at_turn =
            self.queue.first_key_value().filter(|((part_id, _), _)| output_pressure && *part_id == self.turn);
        let windows = || self.queue.iter().find(|(_, job)| matches!(job, Job::Windows(_)));
        at_turn.or_else(windows).map(|(key, _)| *key)
    }

    fn pop_queue(&mut self) -> Option<Job<'s>> {
        let key = *self.queue.first_key_value()?.0;
        self.take_queued(key)
    }

    fn take_queued(&mut self, key: (PartId, usize)) -> Option<Job<'s>> {
        let job = self.queue.remove(&key)?;
        if let Job::Windows(batch) = &job {
            self.queued_bytes -= batch.memory();
        }
        Some(job)
    }

    /// Takes the chunks that are due, and moves `turn` to the first part that is not done.
    fn take_due(&mut self) -> Vec<Chunk> {
        let mut due = Vec::new();
        loop {
            if !self.parts.contains_key(&self.turn) {
                if !self.move_to_next_task() {
                    return due;
                }
            } else if !self.commit() || !self.take_chunks(&mut due) {
                return due;
            }
        }
    }

    /// Moves `turn` to the next task if all parts of this one are written. Returns whether it moved.
    fn move_to_next_task(&mut self) -> bool {
        let PartId { task, part } = self.turn;
        if self.part_counts.get(&task) != Some(&part) {
            return false;
        }
        self.part_counts.remove(&task);
        self.turn = PartId { task: task + 1, part: 0 };
        true
    }

    /// Decides about the part at `turn` if it is speculative. Returns whether its chunks may be written.
    ///
    /// While it is in progress it asks for its [`Admission`] itself. Here are those that were done before
    /// their turn.
    fn commit(&mut self) -> bool {
        let Some(part) = self.parts.get_mut(&self.turn) else { return false };
        let Some(speculative) = &part.speculative else { return true };
        if part.chunk_count != Some(part.chunks.len()) {
            return false;
        }
        let Some(spent) = speculative.committed() else {
            self.redo();
            return false;
        };
        speculative.part.zip.take(spent);
        part.speculative = None;
        true
    }

    /// Drops the output of the part at `turn` and queues the part again.
    fn redo(&mut self) {
        let Some(part) = self.parts.remove(&self.turn) else { return };
        self.pending -= part.chunks.values().map(Chunk::cost).sum::<usize>();
        if let Some(speculative) = part.speculative {
            self.queue.insert((self.turn, 0), Job::ZipPart(speculative.part));
        }
    }

    /// Takes the next chunks of the part at `turn`, and moves `turn` to the next part if that was all of
    /// them. Returns whether it moved.
    fn take_chunks(&mut self, due: &mut Vec<Chunk>) -> bool {
        let Some(part) = self.parts.get_mut(&self.turn) else { return false };
        while let Some(chunk) = part.chunks.remove(&part.next_chunk) {
            part.next_chunk += 1;
            self.pending -= chunk.cost();
            due.push(chunk);
        }
        if part.chunk_count != Some(part.next_chunk) {
            return false;
        }
        self.parts.remove(&self.turn);
        self.turn.part += 1;
        true
    }
}
