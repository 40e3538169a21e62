//! Signals: an interrupted scan ends with a valid partial result; a second signal ends it at once.
//!
//! A signal handler may do next to nothing, so it only sets flags. The scan polls [`Signals::stop`] and
//! returns what it has, and the outputs are written as always. If that takes too long, the user presses
//! Ctrl-C again: the handler finds the flag set and restores the default, which ends the process. Files are
//! safe even then, because they are renamed only when they are complete.

use super::exit::Exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that were received.
pub struct Signals {
    /// Set by any of them.
    pub stop: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Registers the handlers. A signal whose handler cannot be registered ends the program, as by default.
    pub fn register() -> Signals {
        let flag = || Arc::new(AtomicBool::new(false));
        let signals = Signals { stop: flag(), interrupted: flag(), terminated: flag() };
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
            use signal_hook::flag::{register, register_conditional_default};
            for (signal, own) in [(SIGINT, &signals.interrupted), (SIGTERM, &signals.terminated)] {
                // Handlers run in this order, so the first signal does not find the flag that it sets.
                let _ = register_conditional_default(signal, signals.stop.clone());
                let _ = register(signal, own.clone());
                let _ = register(signal, signals.stop.clone());
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
