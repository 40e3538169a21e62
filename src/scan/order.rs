//! Order: where what the workers find comes together.
//!
//! Chunks of findings come in from any worker; they go to the sink in the order of the tasks, with the lines of their
//! source. A worker that is too far ahead waits, which bounds the memory; the oldest task never waits.

use super::Sink;
use crate::error::Error;
use crate::finding::Finding;
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many tasks a worker may be ahead of the oldest unfinished one.
const LOOKAHEAD: usize = 64;
/// How many windows of a stream may wait for the tasks before it.
const STREAM_LOOKAHEAD: usize = 8;

/// Findings of one window on their way to the sink.
pub(super) struct Chunk {
    /// The source they are of, by number.
    pub source: usize,
    /// The findings, with lines counted from the window's core.
    pub findings: Vec<Finding>,
    /// Line breaks in the window's core.
    pub lines: u64,
}

/// Brings chunks into order.
pub(super) struct Order<'k> {
    state: Mutex<State<'k>>,
    turn: Condvar,
    stop: AtomicBool,
}

struct State<'k> {
    sink: Option<&'k mut (dyn Sink + 'k)>,
    /// The task whose turn it is.
    next: usize,
    /// The source last written and the line breaks before its next window.
    source: usize,
    lines: u64,
    pending: BTreeMap<usize, Pending>,
    samples: Summary,
    error: Option<Error>,
}

/// What waits for its turn.
#[derive(Default)]
struct Pending {
    chunks: Vec<Chunk>,
    done: bool,
}

impl<'k> Order<'k> {
    pub fn new(sink: Option<&'k mut (dyn Sink + 'k)>) -> Order<'k> {
        let state = State {
            sink,
            next: 0,
            source: 0,
            lines: 0,
            pending: BTreeMap::new(),
            samples: Summary::default(),
            error: None,
        };
        Order { state: Mutex::new(state), turn: Condvar::new(), stop: AtomicBool::new(false) }
    }

    /// Whether the sink has failed and nothing more is wanted.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Hands in a part of the task `index`; waits where too much of it is waiting already.
    pub fn submit(&self, index: usize, chunk: Chunk) {
        let mut state = self.state();
        state.pending.entry(index).or_default().chunks.push(chunk);
        self.advance(&mut state);
        while !self.stopped()
            && state.pending.get(&index).is_some_and(|own| own.chunks.len() >= STREAM_LOOKAHEAD)
        {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Says that the task `index` has handed in all.
    pub fn done(&self, index: usize) {
        let mut state = self.state();
        state.pending.entry(index).or_default().done = true;
        self.advance(&mut state);
    }

    /// Waits until the task `index` is not too far ahead.
    pub fn wait_for(&self, index: usize) {
        let mut state = self.state();
        while !self.stopped() && index >= state.next + LOOKAHEAD {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The samples taken, or what the sink failed with.
    pub fn into_samples(self) -> Result<Summary, Error> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.error.map_or(Ok(state.samples), Err)
    }

    fn state(&self) -> MutexGuard<'_, State<'k>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what has become due.
    fn advance(&self, state: &mut State<'k>) {
        while let Some(mut pending) = state.pending.remove(&state.next) {
            pending.chunks.drain(..).for_each(|chunk| state.write(chunk));
            if !pending.done {
                break;
            }
            state.next += 1;
        }
        if state.error.is_some() {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.turn.notify_all();
    }
}

impl State<'_> {
    fn write(&mut self, chunk: Chunk) {
        if self.source != chunk.source {
            (self.source, self.lines) = (chunk.source, 0);
        }
        for mut finding in chunk.findings {
            finding.line += self.lines;
            self.samples.sample(&finding);
            if let Some(sink) = &mut self.sink
                && self.error.is_none()
            {
                self.error = sink.finding(&finding).err();
            }
        }
        self.lines += chunk.lines;
    }
}
