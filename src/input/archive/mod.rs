//! Archives: what both kinds read their members with.

pub mod tar;
pub mod zip;

use std::io::{self, Read};

/// The longest name of a member that is kept, in bytes; paths of file systems end there, too.
const MAX_NAME: usize = 4096;

/// Exactly as many bytes of a reader as were promised; fewer are an error.
struct ExactReader<R> {
    inner: R,
    left: u64,
    of: u64,
}

impl<R> ExactReader<R> {
    fn new(inner: R, bytes: u64) -> ExactReader<R> {
        ExactReader { inner, left: bytes, of: bytes }
    }
}

impl<R: Read> Read for ExactReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let got = self.inner.read(&mut into[..len])?;
        if got == 0 && len > 0 {
            let had = self.of - self.left;
            return Err(io::Error::other(format!(
                "the archive ends {had} bytes into the member's {}",
                self.of
            )));
        }
        self.left -= got as u64;
        Ok(got)
    }
}

/// A member's name as text; of one that is too long only the begin, with a hash of all of it.
fn member_name(name: &[u8]) -> String {
    if name.len() <= MAX_NAME {
        return String::from_utf8_lossy(name).into_owned();
    }
    format!("{}…{:016x}", String::from_utf8_lossy(&name[..MAX_NAME]), xxhash_rust::xxh3::xxh3_64(name))
}
