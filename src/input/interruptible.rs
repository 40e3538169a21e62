//! Streams that can be interrupted while they wait for data, or for somebody who writes it.
//!
//! A pipe or terminal may stay silent for hours. A plain read on it would block until data comes, and Ctrl-C
//! would not end the scan with what it has. An [`InterruptibleReader`] waits in short steps and looks at a
//! flag in between. It knows nothing of signals; whoever handles them sets the flag.
//!
//! A named pipe blocks before that: opening it waits for the other end, and no system offers to open it in steps
//! (with `O_NONBLOCK`, some report the end of a pipe that nobody has written to yet). So another thread opens
//! it. If the flag is set first, that thread is left waiting, until somebody comes or the process ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How long an interruption goes unnoticed at most: too short for a person to mind.
const STEP: Duration = Duration::from_millis(100);

/// A stream whose reads end with an error as soon as a flag is set, also while they wait.
#[derive(Debug)]
pub struct InterruptibleReader<'s> {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: Box<dyn Readable>,
    #[cfg_attr(not(unix), expect(dead_code, reason = "reads cannot be interrupted there"))]
    stop: &'s AtomicBool,
}

/// What is read where standard input is no file.
#[cfg(not(unix))]
trait Readable: Read + std::fmt::Debug {}

#[cfg(not(unix))]
impl<R: Read + std::fmt::Debug> Readable for R {}

impl<'s> InterruptibleReader<'s> {
    /// Opens the file, pipe or device at `path`, and reads it until `stop` is set. To wait for a writer can be
    /// interrupted, too.
    ///
    /// # Errors
    ///
    /// The operating system's reason, or that `stop` was set.
    pub fn open(path: &Path, stop: &'s AtomicBool) -> io::Result<InterruptibleReader<'s>> {
        let file = open_until(path, OpenOptions::new().read(true), stop)?;
        #[cfg(not(unix))]
        let file = Box::new(file);
        Ok(InterruptibleReader { file, stop })
    }

    /// Standard input until `stop` is set.
    ///
    /// # Errors
    ///
    /// The operating system's reason.
    #[cfg(unix)]
    pub fn stdin(stop: &'s AtomicBool) -> io::Result<InterruptibleReader<'s>> {
        use std::os::fd::AsFd;
        // Without the standard library's buffer: while that holds data, waiting for more would block.
        let file = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(InterruptibleReader { file: file.into(), stop })
    }

    /// Standard input, not interrupted.
    ///
    /// # Errors
    ///
    /// None.
    #[cfg(not(unix))]
    pub fn stdin(stop: &'s AtomicBool) -> io::Result<InterruptibleReader<'s>> {
        Ok(InterruptibleReader { file: Box::new(io::stdin()), stop })
    }
}

/// Opens the file, pipe or device at `path`. To wait for the other end of a pipe is ended by `stop`.
///
/// # Errors
///
/// The operating system's reason, or that `stop` was set.
pub fn open_until(path: &Path, options: &OpenOptions, stop: &AtomicBool) -> io::Result<File> {
    // A file that does not exist has no other end either.
    if std::fs::metadata(path).map_or(true, |known| known.is_file() || known.is_dir()) {
        return options.open(path);
    }
    let (sender, opened) = mpsc::channel();
    let (path, options) = (path.to_path_buf(), options.clone());
    let opener = std::thread::Builder::new().name("open".into());
    // Nobody receives what is opened after an interruption.
    opener.spawn(move || drop(sender.send(options.open(path))))?;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(interrupted());
        }
        match opened.recv_timeout(STEP) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("it cannot be opened")),
        }
    }
}

fn interrupted() -> io::Error {
    io::Error::other("interrupted")
}

impl Read for InterruptibleReader<'_> {
    #[cfg(unix)]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let step = Timespec { tv_sec: 0, tv_nsec: STEP.subsec_nanos().into() };
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&step)) {
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
