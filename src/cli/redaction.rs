//! `--redact[=MAPFILE]`: the key of a redaction, new for each run or kept in a file with the names of its
//! tokens.
//!
//! The path of the file comes in; a [`Redactor`] goes out. Whoever has the file can undo the redaction, so it
//! is created for its owner alone, and refused if others can read it. It is saved before the outputs are
//! written, so that every token in an output can be resolved. Which texts are names is the library's
//! decision.

use super::files::{self, Choice};
use super::writer::{self, TEMPORARY_PREFIX};
use migsift::error::Error;
use migsift::record::{TOOL, VERSION};
use migsift::redact::{KEY_BYTES, MAX_REMEMBERED, Redactor};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// The version of the file's format.
const MAP_VERSION: u32 = 1;
/// The largest map that is read, in bytes; a map of all names that a redactor remembers is smaller.
const MAX_MAP_BYTES: usize = 256 << 20;

/// A redactor, and the file that keeps its key.
pub struct Redaction {
    /// Replaces names by tokens.
    pub redactor: Arc<Redactor>,
    file: Option<MapFile>,
}

struct MapFile {
    path: PathBuf,
    /// Its content when the run started.
    map: Map,
}

/// The content of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    tool: String,
    version: u32,
    /// The secret key in hexadecimal digits.
    key: String,
    /// Names by token.
    names: BTreeMap<String, String>,
}

impl Redaction {
    /// Creates a redaction with a new key, or with the key of the file, which is created if it does not
    /// exist.
    pub fn new(path: Option<&Path>) -> Result<Redaction, Error> {
        let Some(path) = path else {
            return Ok(Redaction { redactor: Arc::new(Redactor::new(&random_key("--redact")?)), file: None });
        };
        let name = path.display().to_string();
        let map = match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let map = Map {
                    tool: TOOL.into(),
                    version: MAP_VERSION,
                    key: random_key(&name)?.iter().map(|byte| format!("{byte:02x}")).collect(),
                    names: BTreeMap::new(),
                };
                // At once: a file that cannot be written must not be found out after hours.
                write(path, &map)
                    .map_err(|error| Error::unusable(&name, None, format!("cannot be written: {error}")))?;
                map
            }
            _ => read(path, &name)?,
        };
        let redactor = Arc::new(Redactor::new(&key(&name, &map)?));
        Ok(Redaction { redactor, file: Some(MapFile { path: path.to_path_buf(), map }) })
    }

    /// Adds the names of this run's tokens to the file, if there is one. Another run may have added names
    /// meanwhile, so the file is read again.
    pub fn save(&self) -> Result<(), Error> {
        let Some(MapFile { path, map: known }) = &self.file else { return Ok(()) };
        let name = path.display().to_string();
        let mut map = read(path, &name)?;
        if map.key != known.key {
            let message = "another run has replaced the key, so the tokens of this run could not be resolved; run it again";
            return Err(Error::unusable(&name, Some("key".into()), message));
        }
        let before = map.names.len();
        map.names.extend(self.redactor.remembered());
        if map.names.len() > before {
            write(path, &map).map_err(|error| Error::output(&name, error))?;
        }
        Ok(())
    }

    /// A warning, if not all names can be kept.
    pub fn warning(&self) -> Option<String> {
        let full = self.file.is_some() && self.redactor.remembered().len() >= MAX_REMEMBERED;
        full.then(|| {
            format!(
                "the map has the names of {MAX_REMEMBERED} tokens of this run; those of further tokens are not kept"
            )
        })
    }
}

fn random_key(name: &str) -> Result<[u8; KEY_BYTES], Error> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key)
        .map_err(|error| Error::unusable(name, None, format!("no random key: {error}")))?;
    Ok(key)
}

fn key(name: &str, map: &Map) -> Result<[u8; KEY_BYTES], Error> {
    let digits = map.key.as_bytes();
    let pair = |at: usize| u8::from_str_radix(map.key.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    let key = bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
    key.ok_or_else(|| {
        let message = format!("not {} hexadecimal digits", 2 * KEY_BYTES);
        Error::unusable(name, Some("key".into()), message)
    })
}

fn read(path: &Path, name: &str) -> Result<Map, Error> {
    let unusable =
        |place: Option<&str>, message: String| Error::unusable(name, place.map(str::to_string), message);
    check_private(path).map_err(|mode| {
        let message = format!(
            "others than its owner can use it (mode {mode:04o}): chmod 600, and create a new one if they have read it"
        );
        unusable(None, message)
    })?;
    let bytes = files::bytes(path, Choice::Listed, MAX_MAP_BYTES)
        .map_err(|error| unusable(None, error.to_string()))?;
    let map: Map = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("not a map that `--redact=MAPFILE` wrote ({})", error_kind(&error));
        unusable(Some(&format!("{}:{}", error.line(), error.column())), message)
    })?;
    match map {
        Map { ref tool, .. } if tool != TOOL => Err(unusable(Some("tool"), format!("not {TOOL}"))),
        Map { version: MAP_VERSION, .. } => Ok(map),
        Map { version, .. } => {
            let message = format!("version {version} is not known; {TOOL} {VERSION} reads {MAP_VERSION}");
            Err(unusable(Some("version"), message))
        }
    }
}

/// The error without any content of the file, which holds a key.
fn error_kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Eof => "it is truncated",
        Category::Syntax => "it is not valid JSON",
        Category::Data | Category::Io => "it has other content",
    }
}

/// Checks that only its owner can use a file; returns the mode otherwise.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().map(|known| known.permissions().mode()).unwrap_or_default();
    if mode & 0o077 == 0 { Ok(()) } else { Err(mode & 0o7777) }
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), u32> {
    Ok(())
}

/// Writes the file whole or not at all. Temporary files can be used only by their owner, so neither can the
/// result.
fn write(path: &Path, map: &Map) -> io::Result<()> {
    // A symbolic link is kept, and its target replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut file = NamedTempFile::with_prefix_in(TEMPORARY_PREFIX, writer::folder(&path))?;
    let mut writer = io::BufWriter::new(&mut file);
    serde_json::to_writer_pretty(&mut writer, map)?;
    writer.write_all(b"\n")?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}
