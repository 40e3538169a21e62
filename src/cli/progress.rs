//! Progress: a bar on standard error while a scan runs.

use crate::cli::args::When;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use migsift::input::{Input, Walk};
use migsift::print::safe;
use migsift::scan::Progress;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the bar is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Whether a bar is to be shown, and what on it.
#[derive(Clone, Copy)]
pub struct Show {
    /// When the command line wants one.
    pub when: When,
    /// Whether it wants no talk.
    pub quiet: bool,
    /// Whether inputs are named.
    pub named: bool,
}

impl Show {
    /// Whether there is one.
    pub fn at_all(self) -> bool {
        match self.when {
            When::Always => true,
            When::Never => false,
            When::Auto => !self.quiet && std::io::stderr().is_terminal(),
        }
    }
}

/// Runs `work` with a bar that polls `progress`, if one is to be shown.
pub fn with<T>(show: Show, walk: &Walk, progress: &Progress, work: impl FnOnce() -> T) -> T {
    if !show.at_all() {
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
                let current = progress.current().filter(|_| show.named);
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

/// The bytes of all inputs before decoding; none where a stream's end is not known.
fn total(walk: &Walk) -> Option<u64> {
    walk.inputs.iter().map(Input::bytes).sum()
}

/// A bar over `total` bytes, or a count of bytes where that is not known.
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
