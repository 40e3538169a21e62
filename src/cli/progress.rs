//! Progress: a bar on standard error while a scan runs.

use crate::cli::args::When;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use migsift::input::{InputKind, Walk};
use migsift::scan::Progress;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the bar is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Runs `work` with a bar that polls `progress`, if one is to be shown.
pub fn with<T>(when: When, quiet: bool, walk: &Walk, progress: &Progress, work: impl FnOnce() -> T) -> T {
    let shown = match when {
        When::Always => true,
        When::Never => false,
        When::Auto => !quiet && std::io::stderr().is_terminal(),
    };
    if !shown {
        return work();
    }
    let bar = bar(walk);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let poll = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                bar.set_position(progress.bytes.load(Ordering::Relaxed));
                let inputs = progress.inputs.load(Ordering::Relaxed);
                bar.set_message(format!("{inputs}/{} inputs", walk.inputs.len()));
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

/// A bar over all bytes, or a count of them where a stream's end is not known.
fn bar(walk: &Walk) -> ProgressBar {
    let sizes: Option<Vec<u64>> = walk
        .inputs
        .iter()
        .map(|input| match input.kind {
            InputKind::File { bytes } => Some(bytes),
            InputKind::Stream | InputKind::Stdin => None,
        })
        .collect();
    let (bar, template) = match sizes {
        Some(sizes) => (
            ProgressBar::new(sizes.iter().sum()),
            "{bar:30} {percent:>3} % {bytes}/{total_bytes} {bytes_per_sec} {msg}",
        ),
        None => (ProgressBar::no_length(), "{spinner} {bytes} {bytes_per_sec} {msg}"),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
