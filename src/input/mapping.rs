//! The one door to memory mapping.
//!
//! A file and a range come in, a [`Mapping`] goes out. The contract: a mapped file must not be shortened while it is
//! read. Who cannot promise that reads instead (`--no-mmap`).

use memmap2::{Mmap, MmapOptions};
use std::fs::File;
use std::io;
use std::ops::Deref;

/// A read-only view of a part of a file.
#[derive(Debug)]
pub struct Mapping(Mmap);

impl Mapping {
    /// Maps `len` bytes of `file` from `offset` on; `len` is not 0.
    ///
    /// # Errors
    ///
    /// The operating system's reason; the caller then reads instead.
    #[allow(unsafe_code)]
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Mapping> {
        // SAFETY: the mapping is private to this process and never written. Another process that writes to the file
        // can change what is read, which the matcher takes like any bytes: it holds no pointers or invariants over
        // the content. One that shortens the file makes reads behind its new end fail with SIGBUS; the module's
        // contract and the README say so.
        let map = unsafe { MmapOptions::new().offset(offset).len(len).map(file)? };
        #[cfg(unix)]
        let _ = map.advise(memmap2::Advice::Sequential);
        Ok(Mapping(map))
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
