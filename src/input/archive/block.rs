//! Blocks: what a tar archive consists of.

use crate::input::peek::PeekReader;
use std::io::{self, Read};

/// A tar block, in bytes.
pub(super) const BLOCK_BYTES: u64 = 512;

/// What is reported of an archive that ends too early.
pub(super) fn cut_short() -> io::Error {
    io::Error::other("the tar archive is cut short")
}

/// Returns how many bytes fill up the last block of `bytes` bytes of data.
pub(super) fn padding(bytes: u64) -> u64 {
    (BLOCK_BYTES - bytes % BLOCK_BYTES) % BLOCK_BYTES
}

/// Skips `bytes` bytes.
pub(super) fn skip(reader: &mut PeekReader<'_>, bytes: u64) -> io::Result<()> {
    match io::copy(&mut reader.by_ref().take(bytes), &mut io::sink())? {
        got if got == bytes => Ok(()),
        _ => Err(cut_short()),
    }
}

/// Reads a block; returns how much of it there was.
pub(super) fn read_block(reader: &mut PeekReader<'_>, block: &mut [u8]) -> io::Result<u64> {
    let mut got = 0;
    while got < block.len() {
        match reader.read(&mut block[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got as u64)
}

/// Returns the number in a field of a header, as GNU tar reads it: octal digits after blanks, up to a blank or
/// a zero; or, after a byte with the highest bit, base 256. `None` if it is none, or can be no size or offset.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    const MARK: u8 = 0x80;
    const SIGN: u8 = 0x40;
    let first = *field.first()?;
    let number = if first & MARK == 0 {
        // Some writers leave a zero here when the field before overflows.
        let field = field.strip_prefix(b"\0").unwrap_or(field).trim_ascii_start();
        let digits = field.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        let ended = field.get(digits).is_none_or(|byte| *byte == 0 || byte.is_ascii_whitespace());
        std::str::from_utf8(&field[..digits])
            .ok()
            .filter(|_| ended)
            .and_then(|digits| u64::from_str_radix(digits, 8).ok())?
    } else if first & SIGN == 0 {
        let add = |number: u64, byte: &u8| number.checked_mul(256)?.checked_add(u64::from(*byte));
        field[1..].iter().try_fold(u64::from(first & (SIGN - 1)), add)?
    } else {
        return None;
    };
    Some(number).filter(|number| *number <= i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_gnu_tar_reads_them() {
        let cases: [(&[u8], Option<u64>); 14] = [
            (b"00000000017\0", Some(15)),
            (b"000000000017", Some(15)),
            (b"         17 ", Some(15)),
            (b"17 \0", Some(15)),
            (b"\x0017 ", Some(15)),
            (b"1 7\0", Some(1)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX as u64)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"            ", None),
            (b"\0\0\0\0", None),
            (b"18\0", None),
            (b"zzz\0", None),
        ];
        for (field, want) in cases {
            assert_eq!(number(field), want, "{}", field.escape_ascii());
        }
    }
}
