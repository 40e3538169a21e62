//! `--redact[=MAPFILE]`: the key of a redaction, new for each run or kept in a file with what its tokens stand for.
//!
//! The file is made for its owner alone and refused where others can read it. It is written before the outputs, so that
//! there is none whose tokens nobody can tell.

use super::files;
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

/// The version of the file's shape.
const MAP_VERSION: u32 = 1;
/// The largest map that is read, in bytes: as many names as are remembered have less.
const MAX_MAP_BYTES: usize = 256 << 20;

/// How names are hidden.
pub struct Redaction {
    /// Turns names into tokens.
    pub redactor: Arc<Redactor>,
    /// The file that keeps them, and what it is to say.
    map: Option<(PathBuf, Map)>,
}

/// What the file says.
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
    /// A redaction with a key of its own, or with the one in the file, which is new where the file is.
    pub fn new(path: Option<&Path>) -> Result<Redaction, Error> {
        let Some(path) = path else {
            return Ok(Redaction { redactor: Arc::new(Redactor::new(&random("--redact")?)), map: None });
        };
        let name = path.display().to_string();
        let map = match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let map = Map {
                    tool: TOOL.into(),
                    version: MAP_VERSION,
                    key: random(&name)?.iter().map(|byte| format!("{byte:02x}")).collect(),
                    names: BTreeMap::new(),
                };
                // At once: what cannot be kept must not be found out after hours.
                write(path, &map)
                    .map_err(|error| Error::unusable(&name, None, format!("cannot be written: {error}")))?;
                map
            }
            _ => read(path, &name)?,
        };
        let redactor = Arc::new(Redactor::new(&key(&name, &map)?));
        Ok(Redaction { redactor, map: Some((path.to_path_buf(), map)) })
    }

    /// Keeps what the tokens stand for, if there is a file for it, beside what it has by now.
    pub fn keep(&self) -> Result<(), Error> {
        let Some((path, known)) = &self.map else { return Ok(()) };
        let name = path.display().to_string();
        let mut map = read(path, &name)?;
        if map.key != known.key {
            let message =
                "another run has replaced the key: the tokens of this one would mean nothing; run it again";
            return Err(Error::unusable(&name, Some("key".into()), message));
        }
        let before = map.names.len();
        map.names.extend(self.redactor.remembered());
        if map.names.len() > before {
            write(path, &map).map_err(|error| Error::output(&name, error))?;
        }
        Ok(())
    }

    /// What people should know of it.
    pub fn warning(&self) -> Option<String> {
        let full = self.map.is_some() && self.redactor.remembered().len() >= MAX_REMEMBERED;
        full.then(|| {
            format!(
                "the map names {MAX_REMEMBERED} tokens of this run; what the others stand for is not kept"
            )
        })
    }
}

fn random(name: &str) -> Result<[u8; KEY_BYTES], Error> {
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
    private(path).map_err(|message| unusable(None, message))?;
    let bytes = files::bytes(path, false, MAX_MAP_BYTES).map_err(|message| unusable(None, message))?;
    let map: Map = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("no map that `--redact=MAPFILE` wrote ({})", kind(&error));
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

/// Without what the file says: it holds a key.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Eof => "it is cut short",
        Category::Syntax => "it is no valid JSON",
        Category::Data | Category::Io => "it says something else",
    }
}

#[cfg(unix)]
fn private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().map(|known| known.permissions().mode()).unwrap_or_default();
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(format!(
            "others than its owner can use it (mode {:04o}): chmod 600, and take a new one if they have",
            mode & 0o7777
        ))
    }
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Writes it whole or not at all, for its owner alone.
fn write(path: &Path, map: &Map) -> io::Result<()> {
    // A link stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files are their owner's alone.
    let mut file = NamedTempFile::with_prefix_in(".migsift-", folder)?;
    let mut writer = io::BufWriter::new(&mut file);
    serde_json::to_writer_pretty(&mut writer, map)?;
    writer.write_all(b"\n")?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}
