//! Where data goes: standard output, or a file that appears whole or not at all.

use crate::cli::args::When;
use migsift::error::Error;
use migsift::print::human::Layout;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A buffered writer to standard output or to a file in the making.
pub struct Output {
    writer: BufWriter<Target>,
    name: String,
}

enum Target {
    Stdout(io::Stdout),
    /// A device or pipe that exists: written as it is.
    Special(File),
    File(NamedTempFile, PathBuf),
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Stdout(stdout) => stdout.write(bytes),
            Target::Special(file) => file.write(bytes),
            Target::File(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Stdout(stdout) => stdout.flush(),
            Target::Special(file) => file.flush(),
            Target::File(file, _) => file.flush(),
        }
    }
}

impl Output {
    /// Standard output, or the file at `path`, which is made beside it and moved there by [`Output::finish`].
    pub fn new(path: Option<&Path>) -> Result<Output, Error> {
        let (target, name) = match path {
            None => (Target::Stdout(io::stdout()), "standard output".to_string()),
            Some(path) if path.metadata().is_ok_and(|known| !known.is_file()) => {
                let name = path.display().to_string();
                let file =
                    File::options().write(true).open(path).map_err(|error| Error::output(&name, error))?;
                (Target::Special(file), name)
            }
            Some(path) => {
                let name = path.display().to_string();
                let folder =
                    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let mut builder = tempfile::Builder::new();
                builder.prefix(".migsift-");
                // A report is no secret of the user's alone: it gets the permissions that any new file gets.
                #[cfg(unix)]
                builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
                let file = builder.tempfile_in(folder).map_err(|error| Error::output(&name, plain(error)))?;
                (Target::File(file, path.to_path_buf()), name)
            }
        };
        Ok(Output { writer: BufWriter::with_capacity(64 << 10, target), name })
    }

    /// What it is called in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes what `write` writes.
    pub fn put(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        write(&mut self.writer).map_err(|error| Error::output(&self.name, error))
    }

    /// Writes what is left; a file comes to its place.
    pub fn finish(self) -> Result<(), Error> {
        let failed = |error| Error::output(&self.name, error);
        let mut target = self.writer.into_inner().map_err(|error| failed(error.into_error()))?;
        target.flush().map_err(failed)?;
        match target {
            Target::Stdout(_) | Target::Special(_) => Ok(()),
            Target::File(file, path) => {
                file.as_file().sync_all().map_err(failed)?;
                file.persist(path).map(|_| ()).map_err(|error| failed(error.error))
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The reason without the name of the file in the making.
fn plain(error: io::Error) -> io::Error {
    error.raw_os_error().map_or(error, io::Error::from_raw_os_error)
}

/// How to lay out text on standard output: the terminal's width and colours, if it is one and a person reads it.
pub fn layout(color: When, to_file: bool) -> Layout {
    let terminal = !to_file && io::stdout().is_terminal();
    let width =
        terminal.then(|| terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let color = match color {
        When::Always => true,
        When::Never => false,
        When::Auto => terminal && !plain,
    };
    Layout { width, color, plan: false }
}
