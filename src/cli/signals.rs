//! Signals: an interrupted scan ends with a valid partial result; a later signal ends it at once.
//!
//! A signal handler may do next to nothing, so it only sets flags. The scan polls [`stop`] and returns what it
//! has, and the outputs are written as always. If that takes too long, the user presses Ctrl-C again: the
//! handler finds that a second has passed since the first signal and restores the default, which ends the
//! process. Files are safe even then, because they are renamed only when they are complete.
//!
//! Within that second, further signals count as the first. `timeout` sends its signal twice, to the process and
//! to its group, and so do some supervisors; the scan would end without a result each time.

use super::exit::Exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
#[cfg(unix)]
use std::time::Duration;

/// Set by any of the signals.
static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The flag that a signal sets, once [`Signals::register`] was called.
pub fn stop() -> &'static Arc<AtomicBool> {
    &STOP
}

/// The signals that were received.
pub struct Signals {
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Registers the handlers. A signal whose handler cannot be registered ends the program, as by default.
    pub fn register() -> Signals {
        let flag = || Arc::new(AtomicBool::new(false));
        let signals = Signals { interrupted: flag(), terminated: flag() };
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
            use signal_hook::flag::{register, register_conditional_default};
            let handled = [(SIGINT, &signals.interrupted), (SIGTERM, &signals.terminated)];
            // Without a clock, the second signal ends the process, however soon it comes.
            let deadly = deadly().unwrap_or_else(|_| stop().clone());
            for (signal, own) in handled {
                // Handlers run in this order, so the first signal does not find a flag that it sets.
                let _ = register_conditional_default(signal, deadly.clone());
                let _ = register(signal, own.clone());
                let _ = register(signal, stop().clone());
            }
            // By default a write beyond `ulimit -f` kills the process; with a handler it is an error of that
            // write.
            let _ = register(SIGXFSZ, flag());
        }
        signals
    }

    /// The exit code, if a signal was received.
    pub fn exit(&self) -> Option<Exit> {
        let is_set = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        match (is_set(&self.interrupted), is_set(&self.terminated)) {
            (true, _) => Some(Exit::Interrupted),
            (false, true) => Some(Exit::Terminated),
            (false, false) => None,
        }
    }
}

/// How long further signals count as the first.
#[cfg(unix)]
const GRACE: Duration = Duration::from_secs(1);
/// How often the first signal is looked for.
#[cfg(unix)]
const TICK: Duration = Duration::from_millis(100);

/// A flag that is set a while after the first signal. A handler cannot measure time, so a thread does. It
/// looks for the signal now and then: to be woken by the handler it would need a pipe.
#[cfg(unix)]
fn deadly() -> std::io::Result<Arc<AtomicBool>> {
    let deadly = Arc::new(AtomicBool::new(false));
    let flag = deadly.clone();
    let watch = move || {
        while !stop().load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
        std::thread::sleep(GRACE);
        flag.store(true, Ordering::Relaxed);
    };
    std::thread::Builder::new().name("signals".into()).spawn(watch)?;
    Ok(deadly)
}
