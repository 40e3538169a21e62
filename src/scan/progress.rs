//! Progress: counters that another thread reads while a scan runs, and the flag that ends it.

use crate::source::Origin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long an interrupted scan matches what it has read already, in CPU time of all its threads. Whoever sent the signal
/// waits, and most inputs need some milliseconds. On a machine that is busy with other work, a time of the wall's clock
/// would be over before anything is done.
const TIME_TO_END: Duration = Duration::from_millis(700);

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
    /// The CPU time of the process at which the scan ends; known once a worker has seen that `stop` is set.
    ends_at: OnceLock<Duration>,
    current: Mutex<Option<Arc<Origin>>>,
}

impl Progress {
    /// Returns the progress of a scan that ends soon after `stop` is set.
    pub fn with_stop(stop: Arc<AtomicBool>) -> Progress {
        Progress { stop, ..Progress::default() }
    }

    /// Returns the progress of a scan that has no time left as soon as `stop` is set.
    #[cfg(test)]
    pub(super) fn without_time_to_end(stop: Arc<AtomicBool>) -> Progress {
        Progress { stop, ends_at: OnceLock::from(Duration::ZERO), ..Progress::default() }
    }

    /// Returns the source that was opened last.
    pub fn current(&self) -> Option<Arc<Origin>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether the scan is to end, and what was read by then has had its time to be matched.
    pub(super) fn out_of_time(&self) -> bool {
        self.stopped() && cpu_time() >= *self.ends_at.get_or_init(|| cpu_time() + TIME_TO_END)
    }

    /// Returns whether the scan is to end.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn set_current(&self, origin: &Arc<Origin>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin.clone());
    }
}

/// Returns the CPU time that the process has used. No other clock is read here, and this one only when a scan is to end.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// Returns the time since this was first asked, in place of the CPU time.
#[cfg(not(unix))]
fn cpu_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
