//! Flags: short options of commands whose argument is a password.
//!
//! A text comes in; the ranges of such arguments go out. Long options (`--password x`) have names and are known to
//! [`named`](super::named).
//!
//! `-p` is a password for `az`, `mysql`, `docker login` and `sshpass`, and a port for the programs of PostgreSQL. A port
//! is a number, so everything else is a password, unless it is a path (`mkdir -p /var/x`). `-u` is `user:password` for
//! `curl`; only what is after the colon is one.

use super::Text;
use super::values::{self, Separator, Value};
use std::ops::Range;

/// Every such option holds one of these.
pub(super) const MARKS: &[&str] = &[" -p", " -u", "\"-p\"", "\"-u\""];

/// Appends the ranges of the arguments that are passwords.
pub(super) fn find(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    let bytes = text.bytes;
    for hyphen in memchr::memchr_iter(b'-', bytes) {
        let before = hyphen.checked_sub(1).map(|at| bytes[at]);
        let Some(option) = bytes.get(hyphen + 1).map(u8::to_ascii_lowercase) else { continue };
        if !matches!(before, Some(b' ' | b'"')) || !matches!(option, b'p' | b'u') {
            continue;
        }
        let mut at = hyphen + 2;
        // `["login", "-p", "x"]`.
        if before == Some(b'"') {
            if text.at(at) != Some(b'"') {
                continue;
            }
            at += 1 + bytes[at + 1..].iter().take_while(|byte| matches!(byte, b',' | b' ')).count();
        } else {
            let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
            // `mysql -phunter2`, but not `-print`.
            if blanks == 0 && !(option == b'p' && bytes[hyphen + 1] == b'p' && is_mysql(bytes, hyphen)) {
                continue;
            }
            at += blanks;
        }
        if at >= bytes.len() {
            continue;
        }
        let value = values::range(text, &(hyphen..hyphen + 2), Value { at, separator: Separator::Argument });
        let argument = &bytes[value.clone()];
        match option {
            b'u' => {
                let colon =
                    memchr::memchr(b':', argument).filter(|colon| !argument[*colon..].starts_with(b"://"));
                found.extend(colon.map(|colon| value.start + colon + 1..value.end));
            }
            _ if is_password(argument) => found.push(value),
            _ => {}
        }
    }
}

/// Whether the command before the option is one of MySQL, whose `-p` has its argument without a blank.
fn is_mysql(bytes: &[u8], at: usize) -> bool {
    let from = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |at| at + 1);
    memchr::memmem::find(&bytes[from..at], b"mysql").is_some()
}

/// Whether the argument of `-p` is a password: no port, no mapping of ports, no path, no other option.
fn is_password(argument: &[u8]) -> bool {
    let quoted = argument.strip_prefix(b"\"").or(argument.strip_prefix(b"'"));
    let inner = quoted.unwrap_or(argument);
    let ports = inner.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'"' | b'\''));
    !inner.is_empty() && !ports && (quoted.is_some() || !matches!(inner[0], b'/' | b'.' | b'-' | b'~'))
}
