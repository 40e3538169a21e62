//! Streams that may say nothing for long: read with an eye on whether anybody still waits for them.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::AtomicBool;

/// A stream that ends with an error when it is told to stop, also while it says nothing.
#[derive(Debug)]
pub struct InterruptibleReader<'s> {
    file: File,
    #[cfg_attr(not(unix), expect(dead_code, reason = "nothing is awaited there"))]
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
/// Where it is closed.
#[cfg(unix)]
pub fn stdin(stop: &AtomicBool) -> io::Result<InterruptibleReader<'_>> {
    use std::os::fd::AsFd;
    // Without the buffer of the standard library, of which nobody can tell whether it holds something.
    let file = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(InterruptibleReader::new(file.into(), stop))
}

/// Standard input.
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
        /// How soon it is seen that nobody waits any longer.
        const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("interrupted"));
            }
            match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&PATIENCE)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                // What cannot be waited for is read, and says itself what is wrong.
                Ok(_) | Err(_) => return self.file.read(into),
            }
        }
    }

    #[cfg(not(unix))]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}
