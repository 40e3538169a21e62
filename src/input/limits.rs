//! Limits: a small input never becomes endless work.
//!
//! [`Limits`] are what a person may set. For each outer file a [`Budget`] is made of them, which all decoders
//! that are nested in the file share. Whoever exceeds a limit reports a [`Limit`], whose text names the flag
//! that changes it; what precedes it counts.
//!
//! | attack | limit |
//! |---|---|
//! | 40 KB that decode to terabytes | decoded bytes: 4 GiB, or 200 times the size of the outer file |
//! | an archive that contains itself | nesting: 8 levels |
//! | millions of empty members | members: 100,000 |
//! | millions of empty frames | a cost of each frame, in decoded bytes |
//! | a name of 1 GiB in a tar header | bytes of a name: 1 MiB |
//! | a zstd window of 2 GiB, promised by a header | memory of decoders: 256 MiB for all of them together |
//!
//! Bytes of inner streams are taken from the same budget as those of outer ones, so that a bomb inside a bomb
//! costs what both decode to. The limit cuts at the same byte however many threads share the work, because
//! parts of an archive are charged in their order (see `scan`).

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

/// Decoded bytes of one outer file that are always read, by default.
const MIN_OUTPUT_BYTES: u64 = 4 << 30;
/// Decoded bytes for each byte of a larger outer file, by default. Logs shrink to a tenth or a fiftieth,
/// bombs to a thousandth and less.
const MAX_OUTPUT_RATIO: u64 = 200;

/// The limits of decoding, each with its default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How deep archives and compressed streams may be nested, each counted: 8.
    pub nesting: u32,
    /// Members of all archives in one outer file: 100,000.
    pub members: u64,
    /// Decoded bytes of one member or compressed file: unlimited.
    pub member_bytes: Option<u64>,
    /// Decoded bytes of one outer file; `None` for the default of 4 GiB or 200 times its size, whichever is
    /// more.
    pub output_bytes: Option<u64>,
    /// Bytes of one name or extended header in a tar archive: 1 MiB.
    pub metadata_bytes: u64,
    /// Bytes that decoders nested in each other may hold together: 256 MiB. A zstd window, an xz dictionary
    /// or a zip archive in a stream takes at most half of what those around it have left: 128 MiB, zstd's own
    /// limit (2^27).
    pub decoder_memory: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            nesting: 8,
            members: 100_000,
            member_bytes: None,
            output_bytes: None,
            metadata_bytes: 1 << 20,
            decoder_memory: 256 << 20,
        }
    }
}

impl Limits {
    /// What may be taken from an outer file of `bytes` bytes.
    pub fn allowance(&self, bytes: u64) -> Amount {
        let output = self.output_bytes.unwrap_or(default_output_bytes(bytes));
        Amount { output, members: self.members }
    }
}

/// How many bytes an outer file of `bytes` bytes may decode to by default.
fn default_output_bytes(bytes: u64) -> u64 {
    MIN_OUTPUT_BYTES.max(bytes.saturating_mul(MAX_OUTPUT_RATIO))
}

/// A limit that was exceeded, in words that name its flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::nesting`].
    Nesting(u32),
    /// [`Limits::members`].
    Members,
    /// [`Limits::member_bytes`].
    MemberBytes(u64),
    /// [`Limits::output_bytes`].
    OutputBytes,
    /// [`Limits::metadata_bytes`].
    MetadataBytes(u64),
    /// [`Limits::decoder_memory`].
    DecoderMemory,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Nesting(most) => write!(f, "nested deeper than {most} (--max-nesting)"),
            Limit::Members => write!(f, "too many members in this file (--max-members)"),
            Limit::MemberBytes(most) => {
                write!(f, "more than {most} bytes in this member (--max-member-bytes)")
            }
            Limit::OutputBytes => write!(f, "too many decoded bytes in this file (--max-output-bytes)"),
            Limit::MetadataBytes(most) => {
                write!(f, "a name or extended header of more than {most} bytes (--max-metadata-bytes)")
            }
            Limit::DecoderMemory => write!(f, "decoding needs too much memory (--max-decoder-memory)"),
        }
    }
}

impl std::error::Error for Limit {}

impl From<Limit> for io::Error {
    fn from(limit: Limit) -> io::Error {
        io::Error::other(limit)
    }
}

/// Decoded bytes and members: what has been taken, or what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Decoded bytes.
    pub output: u64,
    /// Members.
    pub members: u64,
}

impl Amount {
    /// Returns what is left after `other` is taken; `None` if that is more than there is.
    pub fn less(self, other: Amount) -> Option<Amount> {
        Some(Amount {
            output: self.output.checked_sub(other.output)?,
            members: self.members.checked_sub(other.members)?,
        })
    }
}

/// What one outer file, or a part of one, may still take.
#[derive(Debug)]
pub struct Budget {
    left: Cell<Amount>,
    taken: Cell<Amount>,
    exceeded: Cell<bool>,
    /// How many bytes of the outer file have been read, if its size is only known at its end.
    input_bytes: Option<Cell<u64>>,
}

impl Budget {
    /// A budget of `left`.
    pub fn new(left: Amount) -> Budget {
        Budget {
            left: Cell::new(left),
            taken: Cell::default(),
            exceeded: Cell::new(false),
            input_bytes: None,
        }
    }

    /// A budget for a stream, which grows with what a [`CountingReader`] has read of it.
    pub fn growing(limits: &Limits) -> Budget {
        let input_bytes = limits.output_bytes.is_none().then(Cell::default);
        Budget { input_bytes, ..Budget::new(limits.allowance(0)) }
    }

    fn count_input(&self, bytes: u64) {
        let Some(input_bytes) = &self.input_bytes else { return };
        input_bytes.set(input_bytes.get() + bytes);
        let (mut left, taken) = (self.left.get(), self.taken.get());
        left.output = default_output_bytes(input_bytes.get()).saturating_sub(taken.output);
        self.left.set(left);
    }

    /// What has been taken.
    pub fn taken(&self) -> Amount {
        self.taken.get()
    }

    /// Whether more was wanted than there was.
    pub fn exceeded(&self) -> bool {
        self.exceeded.get()
    }

    /// Replaces what is left.
    pub fn set_left(&self, left: Amount) {
        self.left.set(left);
    }

    /// Takes at most `bytes` decoded bytes; returns how many.
    pub fn take_output(&self, bytes: u64) -> u64 {
        let (mut left, mut taken) = (self.left.get(), self.taken.get());
        let got = bytes.min(left.output);
        left.output -= got;
        taken.output += got;
        self.left.set(left);
        self.taken.set(taken);
        got
    }

    /// Notes that decoded bytes were wanted beyond the budget; returns the error for that.
    pub fn output_exceeded(&self) -> io::Error {
        self.exceeded.set(true);
        Limit::OutputBytes.into()
    }

    /// Takes a member.
    ///
    /// # Errors
    ///
    /// [`Limit::Members`] if none is left.
    pub fn take_member(&self) -> Result<(), Limit> {
        let (mut left, mut taken) = (self.left.get(), self.taken.get());
        if left.members == 0 {
            self.exceeded.set(true);
            return Err(Limit::Members);
        }
        left.members -= 1;
        taken.members += 1;
        self.left.set(left);
        self.taken.set(taken);
        Ok(())
    }
}

/// Counts the bytes of an outer stream, so that its budget grows.
pub struct CountingReader<R> {
    inner: R,
    budget: Rc<Budget>,
}

impl<R> CountingReader<R> {
    /// Counts what is read of `inner` for `budget`.
    pub fn new(inner: R, budget: Rc<Budget>) -> CountingReader<R> {
        CountingReader { inner, budget }
    }
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(into)?;
        self.budget.count_input(got as u64);
        Ok(got)
    }
}

/// Takes the bytes of a decoder from a budget; ends with an error when nothing is left.
pub struct BudgetReader<R> {
    inner: R,
    budget: Rc<Budget>,
    /// Whether bytes of `inner` were lost because the budget ended among them.
    cut: bool,
}

impl<R> BudgetReader<R> {
    /// Takes what is read of `inner` from `budget`.
    pub fn new(inner: R, budget: Rc<Budget>) -> BudgetReader<R> {
        BudgetReader { inner, budget, cut: false }
    }
}

impl<R: Read> Read for BudgetReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.left.get().output;
        let len = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if self.cut || len == 0 && !into.is_empty() {
            // A stream of exactly what was left is no problem: one more byte decides.
            let exceeded = self.cut || self.inner.read(&mut [0])? > 0;
            return if exceeded { Err(self.budget.output_exceeded()) } else { Ok(0) };
        }
        let got = self.inner.read(&mut into[..len])?;
        // Decoders further in have taken from the same budget meanwhile.
        let taken = self.budget.take_output(got as u64) as usize;
        self.cut = taken < got;
        if self.cut && taken == 0 { Err(self.budget.output_exceeded()) } else { Ok(taken) }
    }
}

/// The first bytes of a reader; if there are more, an error says which limit was exceeded.
pub struct CappedReader<R> {
    inner: R,
    left: u64,
    limit: Limit,
}

impl<R> CappedReader<R> {
    /// At most `bytes` bytes of `inner`.
    pub fn new(inner: R, bytes: u64, limit: Limit) -> CappedReader<R> {
        CappedReader { inner, left: bytes, limit }
    }
}

impl<R: Read> Read for CappedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !into.is_empty() {
            return match self.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(self.limit.into()),
            };
        }
        let len = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let got = self.inner.read(&mut into[..len])?;
        self.left -= got as u64;
        Ok(got)
    }
}
