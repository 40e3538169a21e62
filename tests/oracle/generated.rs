//! Logs generated from bytes: each byte chooses a piece of the log, so that a fuzzer that changes a byte
//! changes a piece.

use migsift::catalog::{Template, builtin};

/// Bytes that are read one after the other; zeros after their end.
pub struct Choices<'d>(pub &'d [u8]);

impl<'d> Choices<'d> {
    /// Returns the next byte.
    pub fn byte(&mut self) -> usize {
        self.take(1).first().map_or(0, |byte| usize::from(*byte))
    }

    /// Returns the next `len` bytes, or as many as are left.
    pub fn take(&mut self, len: usize) -> &'d [u8] {
        let (first, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        first
    }

    /// Returns some bytes, fewer than 64.
    pub fn some(&mut self) -> &'d [u8] {
        let len = self.byte() % 64;
        self.take(len)
    }

    /// Returns some text.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.some()).into_owned()
    }
}

/// Returns a log of the pieces that the choices name, of at most `most` bytes: messages in containers, codes,
/// heads of lines, JSON keys that are context, long lines and any bytes.
pub fn log(choices: &mut Choices<'_>, most: usize) -> Vec<u8> {
    let mut log = Vec::new();
    while !choices.0.is_empty() && log.len() < most {
        let piece = match choices.byte() % 12 {
            0 => choices.some().to_vec(),
            1..=4 => message(choices).into_bytes(),
            5 => code(choices).into_bytes(),
            6 => b"\n".to_vec(),
            7 => b"x y ".repeat(choices.byte() * 16),
            8 => b"2024-06-06 21:42:53.039 80 ERROR  pgsql.c:4041   ".to_vec(),
            9 => context(choices).into_bytes(),
            10 => b"> ".to_vec(),
            _ => b"\\\"{}[],:'"[choices.byte() % 9..][..1].to_vec(),
        };
        log.extend(piece);
    }
    log.truncate(most);
    log
}

fn message(choices: &mut Choices<'_>) -> String {
    let entries = &builtin().entries;
    let entry = &entries[choices.byte() % entries.len()];
    let container = choices.byte();
    let wording = entry.wordings.get(container / 16 % entry.wordings.len().max(1));
    let text = Template::fill(wording.map_or("", |wording| &wording.text), |_| {
        let value = choices.text();
        match choices.byte() % 3 {
            0 => format!("`{value}`"),
            1 => format!("'{value}'"),
            _ => value,
        }
    });
    let code = entry.code.as_deref().unwrap_or("none");
    match container % 8 {
        0 => format!("2024-06-06T21:42:53.039Z\torders\t62\tx.c\tERROR\t {text}\n"),
        1 => format!("Error {code}: {} {text}\n", entry.title),
        2 => format!("{{\"message\": {}, \"code\": \"{code}\"}}\n", serde_json::json!(text)),
        3 => text.replace(' ', "\n> "),
        4 => format!("{text} (error code {code})"),
        5 => text.replace('\'', "''").replace('"', "\"\""),
        6 => format!("{code}\n{}\n{text}\n", entry.title),
        _ => text,
    }
}

fn code(choices: &mut Choices<'_>) -> String {
    let code = 603_000 + choices.byte() * 2;
    match choices.byte() % 6 {
        0 => format!("{code}: "),
        1 => format!("error code {code} "),
        2 => format!("[{code}] "),
        3 => format!("{{\"code\":{code}}}"),
        4 => format!("{code}"),
        _ => format!("errorCode={code}, code={code} "),
    }
}

fn context(choices: &mut Choices<'_>) -> String {
    let key = [
        "databaseName",
        "state",
        "type",
        "sourceDbServerResourceId",
        "migrationId",
        "time",
        "level",
        "server",
    ];
    let value = serde_json::json!(choices.text());
    format!("{{\"{}\": {value},", key[choices.byte() % key.len()])
}
