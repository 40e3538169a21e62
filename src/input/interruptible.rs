//! Streams that can be interrupted while they wait for data.
//!
//! A pipe or terminal may stay silent for hours. A plain read on it would block until data comes, and Ctrl-C
//! would not end the scan with what it has. An [`InterruptibleReader`] waits in short steps and looks at a
//! flag in between. It knows nothing of signals; whoever handles them sets the flag.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::AtomicBool;

/// A stream whose reads end with an error as soon as a flag is set, also while they wait.
#[derive(Debug)]
pub struct InterruptibleReader<'s> {
    file: File,
    #[cfg_attr(not(unix), expect(dead_code, reason = "reads cannot be interrupted there"))]
    stop: &'s AtomicBool,
}

impl<'s> InterruptibleReader<'s> {
    /// Reads `file` until `stop` is set.
    pub fn new(file: File, stop: &'s AtomicBool) -> InterruptibleReader<'s> {
        InterruptibleReader { file, stop }
    }
}

/// Standard input until `stop` is set.
///
/// # Errors
///
/// If it is closed.
#[cfg(unix)]
pub fn stdin(stop: &AtomicBool) -> io::Result<InterruptibleReader<'_>> {
    use std::os::fd::AsFd;
    // Without the standard library's buffer: while that holds data, waiting for more would block.
    let file = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(InterruptibleReader::new(file.into(), stop))
}

/// Standard input, not interrupted.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn stdin(_: &AtomicBool) -> io::Result<io::StdinLock<'static>> {
    Ok(io::stdin().lock())
}

impl Read for InterruptibleReader<'_> {
    #[cfg(unix)]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use std::sync::atomic::Ordering;
        /// How long an interruption goes unnoticed at most: too short for a person to mind.
        const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("interrupted"));
            }
            match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&STEP)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                // If waiting fails, the read returns data or the reason.
                Ok(_) | Err(_) => return self.file.read(into),
            }
        }
    }

    #[cfg(not(unix))]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}
