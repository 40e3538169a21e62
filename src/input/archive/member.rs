//! Members: names of bounded length, and exactly as many bytes as a header promises.

use std::io::{self, Read};

/// The longest name of a member that is kept, in bytes: file systems allow no longer paths either.
const MAX_NAME_BYTES: usize = 4096;

/// Reads exactly as many bytes as were promised; fewer are an error.
pub(super) struct ExactReader<R> {
    inner: R,
    left: u64,
    promised: u64,
}

impl<R> ExactReader<R> {
    /// The next `bytes` bytes of `inner`.
    pub fn new(inner: R, bytes: u64) -> ExactReader<R> {
        ExactReader { inner, left: bytes, promised: bytes }
    }
}

impl<R: Read> Read for ExactReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let got = self.inner.read(&mut into[..len])?;
        if got == 0 && len > 0 {
            let had = self.promised - self.left;
            let text = format!("the archive ends {had} bytes into the member's {}", self.promised);
            return Err(io::Error::other(text));
        }
        self.left -= got as u64;
        Ok(got)
    }
}

/// Returns a member's name as text. A name that is too long is cut and gets a hash, so that two of them stay
/// different.
pub(super) fn member_name(name: &[u8]) -> String {
    if name.len() <= MAX_NAME_BYTES {
        return String::from_utf8_lossy(name).into_owned();
    }
    let start = String::from_utf8_lossy(&name[..MAX_NAME_BYTES]);
    format!("{start}…{:016x}", xxhash_rust::xxh3::xxh3_64(name))
}
