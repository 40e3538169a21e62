//! Limits: what keeps a small input from becoming endless work.
//!
//! [`Limits`] are what a person may set; a [`Budget`] is what of them is left for one outer file, shared by all the
//! decoders that are nested in it. Whoever meets a limit says which, and with which flag it is changed.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

/// Decoded bytes of one outer file that are always read, by default.
const OUTPUT_FLOOR: u64 = 4 << 30;
/// Decoded bytes for each byte of an outer file, above the floor: logs shrink to a tenth or a fiftieth, bombs to a
/// thousandth and less.
const OUTPUT_RATIO: u64 = 200;

/// The limits of decoding, each with its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How deep archives and compressed streams may be nested, each counted: 8.
    pub nesting: u32,
    /// Members of the archives in one outer file: 100,000.
    pub members: u64,
    /// Decoded bytes of one member or compressed file: none.
    pub member_bytes: Option<u64>,
    /// Decoded bytes of one outer file; none for the default of 4 GiB or 200 times its size, whichever is more.
    pub output_bytes: Option<u64>,
    /// Bytes of one name or extended header in a tar archive: 1 MiB.
    pub metadata_bytes: u64,
    /// Bytes that the decoders nested in each other may hold together: 256 MiB. A zstd window, an xz dictionary or a zip
    /// archive in a stream takes at most half of what those around it have left: 128 MiB, zstd's own limit (2^27).
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
        let output = self.output_bytes.unwrap_or(default_output(bytes));
        Amount { output, members: self.members }
    }
}

/// Decoded bytes that an outer file of `bytes` bytes may give where nobody says otherwise.
fn default_output(bytes: u64) -> u64 {
    OUTPUT_FLOOR.max(bytes.saturating_mul(OUTPUT_RATIO))
}

/// A limit that was met, in words that name its flag.
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

/// Decoded bytes and members, taken or left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Decoded bytes.
    pub output: u64,
    /// Members.
    pub members: u64,
}

impl Amount {
    /// What is left when `other` is taken; none if it is more than there is.
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
    met: Cell<bool>,
    /// How many bytes the outer file has had, where only its end tells.
    fed: Option<Cell<u64>>,
}

impl Budget {
    /// A budget of `left`.
    pub fn new(left: Amount) -> Budget {
        Budget { left: Cell::new(left), taken: Cell::default(), met: Cell::new(false), fed: None }
    }

    /// A budget for a stream, whose allowance grows with what has been read of it.
    pub fn growing(limits: &Limits) -> Budget {
        let fed = limits.output_bytes.is_none().then(Cell::default);
        Budget { fed, ..Budget::new(limits.allowance(0)) }
    }

    fn feed(&self, bytes: u64) {
        let Some(fed) = &self.fed else { return };
        fed.set(fed.get() + bytes);
        let (mut left, taken) = (self.left.get(), self.taken.get());
        left.output = default_output(fed.get()).saturating_sub(taken.output);
        self.left.set(left);
    }

    /// What has been taken.
    pub fn taken(&self) -> Amount {
        self.taken.get()
    }

    /// Whether more was wanted than there was.
    pub fn exceeded(&self) -> bool {
        self.met.get()
    }

    /// Makes `left` what is left.
    pub fn set_left(&self, left: Amount) {
        self.left.set(left);
    }

    /// Takes at most `bytes` decoded bytes; gives how many.
    pub fn take_output(&self, bytes: u64) -> u64 {
        let (mut left, mut taken) = (self.left.get(), self.taken.get());
        let got = bytes.min(left.output);
        left.output -= got;
        taken.output += got;
        self.left.set(left);
        self.taken.set(taken);
        got
    }

    /// The error for decoded bytes that were wanted beyond the budget.
    pub fn output_exceeded(&self) -> io::Error {
        self.met.set(true);
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
            self.met.set(true);
            return Err(Limit::Members);
        }
        left.members -= 1;
        taken.members += 1;
        self.left.set(left);
        self.taken.set(taken);
        Ok(())
    }
}

/// A stream's own bytes, which add to its budget.
pub struct CountingReader<R> {
    inner: R,
    budget: Rc<Budget>,
}

impl<R> CountingReader<R> {
    /// Adds what `inner` gives to `budget`.
    pub fn new(inner: R, budget: Rc<Budget>) -> CountingReader<R> {
        CountingReader { inner, budget }
    }
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(into)?;
        self.budget.feed(got as u64);
        Ok(got)
    }
}

/// A decoder's bytes, each taken from a budget.
pub struct BudgetReader<R> {
    inner: R,
    budget: Rc<Budget>,
    over: bool,
}

impl<R> BudgetReader<R> {
    /// Takes what `inner` gives from `budget`.
    pub fn new(inner: R, budget: Rc<Budget>) -> BudgetReader<R> {
        BudgetReader { inner, budget, over: false }
    }
}

impl<R: Read> Read for BudgetReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.left.get().output;
        let len = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if self.over || len == 0 && !into.is_empty() {
            // Only one more byte tells that there is more than was left.
            return match self.over || self.inner.read(&mut [0])? > 0 {
                false => Ok(0),
                true => Err(self.budget.output_exceeded()),
            };
        }
        let got = self.inner.read(&mut into[..len])?;
        // The decoders beneath have taken from the same budget meanwhile.
        let taken = self.budget.take_output(got as u64) as usize;
        self.over = taken < got;
        if self.over && taken == 0 { Err(self.budget.output_exceeded()) } else { Ok(taken) }
    }
}

/// The first bytes of a reader; more of them are a limit that was met.
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
