//! Signals: an interrupted scan ends with a valid partial result, a second signal ends it at once.

use super::exit::Exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What signals have come.
pub struct Signals {
    /// Set by any of them.
    pub stop: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Takes signals from here on. Where they cannot be taken they end the program as ever.
    pub fn take() -> Signals {
        let flag = || Arc::new(AtomicBool::new(false));
        let signals = Signals { stop: flag(), interrupted: flag(), terminated: flag() };
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
            use signal_hook::flag::{register, register_conditional_default};
            for (signal, own) in [(SIGINT, &signals.interrupted), (SIGTERM, &signals.terminated)] {
                // In this order: the first signal does not meet the flag that it sets.
                let _ = register_conditional_default(signal, signals.stop.clone());
                let _ = register(signal, own.clone());
                let _ = register(signal, signals.stop.clone());
            }
            // A file that may not grow is an error of writing, not the end.
            let _ = register(SIGXFSZ, flag());
        }
        signals
    }

    /// How the program ends, if a signal has come.
    pub fn exit(&self) -> Option<Exit> {
        let came = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        match (came(&self.interrupted), came(&self.terminated)) {
            (true, _) => Some(Exit::Interrupted),
            (false, true) => Some(Exit::Terminated),
            (false, false) => None,
        }
    }
}
