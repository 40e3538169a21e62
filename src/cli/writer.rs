//! Writers: standard output, or a file that appears whole or not at all.
//!
//! Reports are read by others while they are written: by a web server, by Prometheus' textfile collector, by
//! the next job. So a file is written under a temporary name in the same folder, synchronised to the disk,
//! and renamed over its target. If the run is killed or the disk is full, the old report stays as it was. A
//! device, a named pipe or an open stream such as `/dev/stdout` cannot be replaced, so it is written directly.

use super::args::When;
use super::{signals, stdio};
use migsift::error::Error;
use migsift::input::open_until;
use migsift::print::human::Layout;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The prefix of temporary files, so that what a killed run leaves is recognised.
pub const TEMPORARY_PREFIX: &str = ".migsift-";
/// The columns of a terminal that does not report its width.
const DEFAULT_WIDTH: usize = 80;

/// A buffered writer to standard output or to a file.
pub struct OutputWriter {
    writer: BufWriter<Destination>,
    name: String,
}

enum Destination {
    Stdout(io::Stdout),
    /// A device or pipe, written directly.
    Special(File),
    /// A temporary file, and the path that it gets.
    File(NamedTempFile, PathBuf),
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Destination::Stdout(stdout) => stdout.write(bytes),
            Destination::Special(file) => file.write(bytes),
            Destination::File(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Destination::Stdout(stdout) => stdout.flush(),
            Destination::Special(file) => file.flush(),
            Destination::File(file, _) => file.flush(),
        }
    }
}

impl OutputWriter {
    /// Opens standard output, or the file at `path`, which appears with [`OutputWriter::finish`].
    pub fn new(path: Option<&Path>) -> Result<OutputWriter, Error> {
        let name = path.map_or("standard output".to_string(), |path| path.display().to_string());
        let destination = match path {
            None if stdio::stdout_is_closed() => {
                return Err(Error::output(&name, io::Error::other("it is closed")));
            }
            None => Destination::Stdout(io::stdout()),
            Some(path) if is_descriptor(path) || path.metadata().is_ok_and(|known| !known.is_file()) => {
                // An open stream may go to a file that has content before it.
                let file = open_until(path, File::options().append(true), signals::stop());
                Destination::Special(file.map_err(|error| Error::output(&name, error))?)
            }
            Some(path) => {
                let file = temporary(path).map_err(|error| Error::output(&name, without_path(error)))?;
                Destination::File(file, path.to_path_buf())
            }
        };
        Ok(OutputWriter { writer: BufWriter::with_capacity(64 << 10, destination), name })
    }

    /// The name of the destination in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes what `write` writes.
    pub fn put(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        write(&mut self.writer).map_err(|error| Error::output(&self.name, error))
    }

    /// Writes the rest; a file gets its name.
    pub fn finish(self) -> Result<(), Error> {
        let failed = |error| Error::output(&self.name, error);
        let mut destination = self.writer.into_inner().map_err(|error| failed(error.into_error()))?;
        destination.flush().map_err(failed)?;
        match destination {
            Destination::Stdout(_) | Destination::Special(_) => Ok(()),
            Destination::File(file, path) => {
                file.as_file().sync_all().map_err(failed)?;
                file.persist(path).map(|_| ()).map_err(|error| failed(error.error))
            }
        }
    }
}

impl Write for OutputWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The folder of a file; renaming is atomic only within one file system.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether `path` is one of this process's open files, such as `/dev/stdout`, `/dev/fd/3` or
/// `/proc/self/fd/1`. As a symbolic link it would be replaced by a file.
fn is_descriptor(path: &Path) -> bool {
    let mut path = path.to_path_buf();
    // `/dev/stdout` is a link to `/proc/self/fd/1`, which is a link, too.
    for _ in 0..3 {
        let within = folder(&path).canonicalize().unwrap_or_default();
        if within.starts_with("/proc") || within == Path::new("/dev/fd") {
            return true;
        }
        match path.read_link() {
            Ok(target) => path = within.join(target),
            Err(_) => return false,
        }
    }
    false
}

/// Creates a temporary file beside `path`. It gets the permissions of any new file, not those of a temporary
/// one, which only its owner can read.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(path))
}

/// The error without the name of the temporary file.
fn without_path(error: io::Error) -> io::Error {
    error.raw_os_error().map_or(error, io::Error::from_raw_os_error)
}

/// The medium that a text is printed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    Stdout,
    File,
}

/// The layout of human text: the terminal's width and colours, if it is printed to a terminal.
pub fn layout(color: When, medium: Medium) -> Layout {
    let is_terminal = medium == Medium::Stdout && io::stdout().is_terminal();
    let columns = || terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let color = match color {
        When::Always => true,
        When::Never => false,
        When::Auto => is_terminal && !is_plain,
    };
    Layout { width: is_terminal.then(columns), color, plan: false }
}
