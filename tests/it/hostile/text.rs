//! Text that is hardly text: marks, zeros, broken encodings, endless lines, unfinished documents.

use super::{Case, whole};
use crate::bundles::line;

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn utf32(text: &str, unit: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|c| unit(c.into())).collect()
}

/// A message with these bytes as its argument.
fn with(argument: &[u8]) -> Vec<u8> {
    let (before, after) =
        ("603101: Database exists in target. Database `", "` exists on the target server.\n");
    [before.as_bytes(), argument, after.as_bytes()].concat()
}

/// A message in `depth` JSON strings, one inside the other.
fn in_strings(depth: usize) -> String {
    (0..depth)
        .fold(line("a").trim_end().to_string(), |inner, _| serde_json::json!({ "m": inner }).to_string())
}

pub fn cases() -> Vec<Case> {
    let (a, b) = (line("a"), line("b"));
    let both = |between: &[u8]| [a.as_bytes(), between, b.as_bytes()].concat();
    let long = "x".repeat(1 << 20);
    vec![
        whole("nothing at all", 0, ""),
        whole("one byte", 0, "6"),
        whole("a megabyte of line breaks", 0, "\n".repeat(1 << 20)),
        whole("zeros between lines", 2, both(&[0; 100_000])),
        whole("a zero before each line", 2, format!("\0{a}\0{b}")),
        whole("zeros alone", 0, vec![0; 1 << 20]),
        whole("every byte", 2, both(&(0..=255).collect::<Vec<u8>>().repeat(50))),
        whole("a mark in the middle", 2, both("\u{feff}".as_bytes())),
        whole("the mark of UTF-8 twice", 1, format!("\u{feff}\u{feff}{a}")),
        whole("the mark of UTF-16 and nothing", 0, [0xff, 0xfe]),
        whole(
            "UTF-16 with half a character at the end",
            1,
            [utf16(&format!("\u{feff}{a}"), u16::to_le_bytes), vec![b'x']].concat(),
        ),
        whole(
            "UTF-16 with half a pair",
            2,
            [utf16(&format!("\u{feff}{a}"), u16::to_le_bytes), vec![0, 0xd8], utf16(&b, u16::to_le_bytes)]
                .concat(),
        ),
        whole("big-endian UTF-16 without a mark", 1, utf16(&a, u16::to_be_bytes)),
        whole("little-endian UTF-32", 1, utf32(&format!("\u{feff}{a}"), u32::to_le_bytes)),
        whole("big-endian UTF-32", 1, utf32(&format!("\u{feff}{a}"), u32::to_be_bytes)),
        whole(
            "UTF-32 with numbers that are no characters",
            2,
            [
                utf32(&format!("\u{feff}{a}"), u32::to_le_bytes),
                vec![0xff, 0xff, 0xff, 0xff, 0, 0xd8, 0, 0],
                utf32(&b, u32::to_le_bytes),
                vec![0; 3],
            ]
            .concat(),
        ),
        whole("bytes that are no UTF-8 in an argument", 1, with(b"\xff\xfe\x80x")),
        whole("an overlong slash in an argument", 1, with(b"a\xc0\xafb")),
        whole("half a surrogate in an argument", 1, with(b"a\xed\xa0\x80b")),
        whole("half a character at the end", 1, [a.as_bytes(), b"\xe2\x80"].concat()),
        whole("Latin-1 around it", 1, [b"\xdcberblick \xe4\xf6\xfc ", a.as_bytes()].concat()),
        whole("carriage returns for line breaks", 2, format!("{a}{b}").replace('\n', "\r")),
        whole("form feeds for line breaks", 2, format!("{a}{b}").replace('\n', "\x0c")),
        whole("a line of a megabyte before it", 1, format!("{long} {a}")),
        whole("a line of a megabyte after it", 1, format!("{} {long}", a.trim_end())),
        whole(
            "a thousand of them on one line",
            1_000,
            format!("{} {}", a.trim_end(), "x ".repeat(200)).repeat(1_000),
        ),
        whole("two thousand codes on one line", 2_000, "error 603101; error 603102; ".repeat(1_000)),
        whole("an argument of 100 KB", 1, with(&[b'n'; 100_000])),
        whole("no end of the message", 1, "603101: Database exists in target. Database `"),
        whole("half a message", 1, &a[..70]),
        whole("half a code", 0, "error 60310"),
        whole("a code and nothing after it", 1, "error 603101"),
        whole("a JSON string without an end", 1, format!("{{\"message\":\"{}", a.trim_end())),
        whole(
            "JSON 200,000 deep",
            1,
            format!("{}\"{}\"{}", "[".repeat(200_000), a.trim_end(), "]".repeat(200_000)),
        ),
        whole(
            "objects 100,000 deep",
            1,
            format!("{}\"{}\"{}", "{\"a\":".repeat(100_000), a.trim_end(), "}".repeat(100_000)),
        ),
        whole("JSON that only opens", 1, format!("{}\"{}\"", "[{\"a\":".repeat(50_000), a.trim_end())),
        whole(
            "numbers without end",
            1,
            format!("{{\"n\":{},\"e\":1e999999999,\"m\":\"{}\"}}", "9".repeat(100_000), a.trim_end()),
        ),
        whole(
            "one key a hundred thousand times",
            1,
            format!("{{{}\"m\":\"{}\"}}", "\"state\":\"x\",".repeat(100_000), a.trim_end()),
        ),
        whole("three strings within each other", 1, in_strings(3)),
        whole("backslashes without end", 1, format!("{} {a}", "\\".repeat(100_000))),
        whole("quotes without end", 2, both(format!("{}\n", "\"'`".repeat(50_000)).as_bytes())),
        whole("entities without end", 2, both(format!("{}\n", "&amp;".repeat(50_000)).as_bytes())),
        whole("escapes without end", 2, both(format!("{}\n", "\x1b[".repeat(50_000)).as_bytes())),
        whole("time stamps without end", 1, format!("{}{a}", "2024-06-06T21:42:53.039Z ".repeat(20_000))),
        whole("impossible times", 1, format!("99999-99-99T99:99:99.999999999Z {}", &a[25..])),
        whole("starts of messages without end", 0, "Database exists in ".repeat(20_000)),
        whole("quoted mail without end", 1, format!("{} {a}", "> ".repeat(50_000))),
    ]
}
