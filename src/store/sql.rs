//! Values of the store's columns: how paths and resume points become SQL values, and how resume points are
//! read back.
//!
//! Paths and [`Continuation`]s come in, SQLite values go out. Nothing here knows tables or statements.

use crate::input::Resume;
use crate::redact::secrets::mask_path;
use crate::scan::Continuation;
use crate::source::STDIN;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The encoded length of an [`Continuation`]: two numbers and two hashes.
const CONTINUATION_BYTES: usize = 48;

/// The bytes that identify a path: absolute, without `.` components and doubled slashes, so that `logs/a.log`
/// and `./logs//a.log` are one input. Links and `..` stay, as what they point to may change between runs.
/// Secrets in it are masked, as in everything that is reported.
pub fn path_key<'p>(folder: &Path, path: &'p Path) -> Cow<'p, [u8]> {
    match mask_path(path) {
        Cow::Borrowed(path) => absolute(folder, path),
        Cow::Owned(masked) => Cow::Owned(absolute(folder, &masked).into_owned()),
    }
}

fn absolute<'p>(folder: &Path, path: &'p Path) -> Cow<'p, [u8]> {
    if path.as_os_str() == STDIN || is_path_key(path) {
        return Cow::Borrowed(path.as_os_str().as_encoded_bytes());
    }
    #[cfg(unix)]
    let key: PathBuf = folder.join(path).components().collect();
    #[cfg(not(unix))]
    let key: PathBuf = std::path::absolute(path).unwrap_or_else(|_| folder.join(path));
    Cow::Owned(key.into_os_string().into_encoded_bytes())
}

/// Whether a path is its own key. Walks of absolute folders yield only such paths, and need no allocation.
fn is_path_key(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    let may_change = |slash: usize| matches!(bytes.get(slash + 1), Some(b'/' | b'.'));
    cfg!(unix) && path.is_absolute() && !memchr::memchr_iter(b'/', bytes).any(may_change)
}

/// Returns the path of a key; `None` if this platform cannot express it.
pub fn key_path(key: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    return Some(std::os::unix::ffi::OsStrExt::from_bytes(key)).map(|name: &std::ffi::OsStr| name.into());
    #[cfg(not(unix))]
    std::str::from_utf8(key).ok().map(PathBuf::from)
}

/// A path key as a column value: text if it is UTF-8, so that people can query it, else its bytes.
pub fn path_value(key: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match std::str::from_utf8(key) {
        Ok(_) => ValueRef::Text(key),
        Err(_) => ValueRef::Blob(key),
    })
}

/// A resume point as the value of `read_on`: null if the stream has none.
pub fn continuation_value(continuation: Option<&Continuation>) -> Value {
    continuation.map_or(Value::Null, |continuation| Value::Blob(encode(continuation).into()))
}

/// Reads the value of `read_on`; `None` if it does not have the right length.
pub fn decode_continuation(bytes: &[u8]) -> Option<Continuation> {
    let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let hash = |at: usize| bytes.get(at..at + 16)?.try_into().ok();
    let from = Resume { offset: number(0)?, lines: number(8)?, chain: hash(16)? };
    Some(Continuation { from, tail: hash(32)? })
}

/// Offset, line breaks before it, hash up to it, hash of the bytes before the end; numbers are big-endian.
fn encode(end: &Continuation) -> [u8; CONTINUATION_BYTES] {
    let mut bytes = [0; CONTINUATION_BYTES];
    bytes[..8].copy_from_slice(&end.from.offset.to_be_bytes());
    bytes[8..16].copy_from_slice(&end.from.lines.to_be_bytes());
    bytes[16..32].copy_from_slice(&end.from.chain);
    bytes[32..].copy_from_slice(&end.tail);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resume_points_survive_a_round_trip() {
        let end = Continuation { from: Resume { offset: 1 << 40, lines: 77, chain: [3; 16] }, tail: [9; 16] };
        assert_eq!(decode_continuation(&encode(&end)), Some(end));
        assert_eq!(decode_continuation(&encode(&end)[1..]), None);
    }
}
