//! Progress: a bar on standard error while a scan runs.
//!
//! The scan counts bytes and inputs in atomic counters; a thread polls them ten times a second and draws. The
//! scan itself never waits for the terminal.

use super::args::When;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use migsift::input::{Input, Walk};
use migsift::print::safe;
use migsift::scan::Progress;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The time between two redraws.
const TICK: Duration = Duration::from_millis(100);

/// Whether a bar is shown, and what it shows.
#[derive(Clone, Copy)]
pub struct ProgressDisplay {
    /// The value of `--progress`.
    pub when: When,
    /// Whether `--quiet` is given.
    pub quiet: bool,
    /// Whether it shows the current path.
    pub show_paths: bool,
}

impl ProgressDisplay {
    /// Whether a bar is shown.
    pub fn is_enabled(self) -> bool {
        match self.when {
            When::Always => true,
            When::Never => false,
            When::Auto => !self.quiet && std::io::stderr().is_terminal(),
        }
    }
}

/// Runs `work`, with a bar over `progress` if one is shown.
pub fn with<T>(display: ProgressDisplay, walk: &Walk, progress: &Progress, work: impl FnOnce() -> T) -> T {
    if !display.is_enabled() {
        return work();
    }
    let total = total(walk);
    let bar = bar(total);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let poll = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let scanned = progress.bytes.load(Ordering::Relaxed);
                bar.set_position(total.map_or(scanned, |_| progress.read.load(Ordering::Relaxed)));
                let current = progress.current().filter(|_| display.show_paths);
                let current = current.map(|origin| origin.to_string()).unwrap_or_default();
                let mut message =
                    format!("{}/{} inputs", progress.inputs.load(Ordering::Relaxed), walk.inputs.len());
                if total.is_some() {
                    message += &format!(", {} scanned", HumanBytes(scanned));
                }
                bar.set_message(format!("{message}  {}", safe::line(&current)));
                bar.tick();
                std::thread::park_timeout(TICK);
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        poll.thread().unpark();
        let _ = poll.join();
        bar.finish_and_clear();
        result
    })
}

/// The bytes of all inputs before decoding; `None` if one is a stream.
fn total(walk: &Walk) -> Option<u64> {
    walk.inputs.iter().map(Input::bytes).sum()
}

/// A bar over `total` bytes, or a count of bytes if that is not known.
fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => {
            (ProgressBar::new(total), "{percent:>3} % of {total_bytes}, {bytes_per_sec}, {wide_msg}")
        }
        None => (ProgressBar::no_length(), "{spinner} {bytes}, {bytes_per_sec}, {wide_msg}"),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
