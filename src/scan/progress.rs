//! Progress: counters that another thread reads while a scan runs, and the flag that ends it.

use crate::source::Origin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long an interrupted scan matches what it has read already. Whoever sent the signal waits: a second later at most the
/// outputs are complete, and most inputs need some milliseconds. The clock is read for nothing else.
const TIME_TO_END: Duration = Duration::from_millis(400);

/// The progress of a scan; read it from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes scanned, after decoding.
    pub bytes: AtomicU64,
    /// Bytes of the walk's inputs that were read, before decoding; those of streams are not counted.
    pub read: AtomicU64,
    /// Inputs done.
    pub inputs: AtomicU64,
    /// Set it from another thread or a signal handler to end the scan soon. Inputs that were not read by then
    /// are reported as problems; the outcome is correct for the rest.
    pub stop: Arc<AtomicBool>,
    /// When a worker first saw that `stop` is set.
    stopped_at: OnceLock<Instant>,
    current: Mutex<Option<Arc<Origin>>>,
}

impl Progress {
    /// Returns the progress of a scan that ends soon after `stop` is set.
    pub fn with_stop(stop: Arc<AtomicBool>) -> Progress {
        Progress { stop, ..Progress::default() }
    }

    /// Returns the progress of a scan that ends as soon as `stop` is set, as if it had known it at `stopped_at`.
    #[cfg(test)]
    pub(super) fn out_of_time_since(stopped_at: Instant, stop: Arc<AtomicBool>) -> Progress {
        Progress { stop, stopped_at: OnceLock::from(stopped_at), ..Progress::default() }
    }

    /// Returns the source that was opened last.
    pub fn current(&self) -> Option<Arc<Origin>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether the scan is to end, and what was read by then has had its time to be matched.
    pub(super) fn out_of_time(&self) -> bool {
        self.stopped() && self.stopped_at.get_or_init(Instant::now).elapsed() >= TIME_TO_END
    }

    /// Returns whether the scan is to end.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn set_current(&self, origin: &Arc<Origin>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin.clone());
    }
}
