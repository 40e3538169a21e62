//! Reports that this program wrote, recognized by what they start with.
//!
//! The first bytes of a file come in; whether it is a report in any format goes out. A bundle that was
//! scanned before may contain its report: to scan that, too, would count its samples again.

/// How many first bytes of a file are looked at.
pub const HEAD: usize = 256;

/// Whether a file that starts with `head` is a report of this program in any of its formats.
pub fn is(head: &[u8]) -> bool {
    let starts = |mark: &str| head.starts_with(mark.as_bytes());
    let holds = |mark: &str| memchr::memmem::find(head, mark.as_bytes()).is_some();
    match head.first() {
        Some(b'{') => holds("\"tool\":\"migsift\"") || holds("\"tool\": \"migsift\""),
        Some(b'i') => starts("id,code,known,severity,title,code_in_log,wording"),
        Some(b'<') => {
            starts("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"migsift\"")
                || starts("<!DOCTYPE html>") && holds("<meta name=\"generator\" content=\"migsift ")
        }
        Some(b'#') => starts("# migsift: ") || starts("# HELP migsift_"),
        Some(b'N') if starts("Nothing found") || starts("No blockers, ") => counts_inputs(head),
        Some(b'a') if starts("at least ") => counts_inputs(head),
        // Most lines of logs start with digits, too, and end here.
        Some(b'0'..=b'9') => {
            let Some(space) = head.iter().position(|byte| *byte == b' ') else { return false };
            match &head[space..] {
                rest if rest.starts_with(b" blocker") => counts_inputs(head),
                rest if rest.starts_with(b" new, ") => difference(&String::from_utf8_lossy(head)),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether the coverage follows the verdict, which has one or two lines.
fn counts_inputs(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).lines().take(3).any(is_coverage)
}

/// Whether the line counts inputs: `1,204 of 1,207 inputs read (34.8 kB)`.
fn is_coverage(line: &str) -> bool {
    let Some((counts, _)) = line.split_once(" read (") else { return false };
    let counts: Vec<&str> = counts.split(' ').collect();
    matches!(counts[..], [read, "of", asked, "input" | "inputs"] if count(read) && count(asked))
}

/// Whether it is what `diff` prints: `2 new, 3 still failing, 1 fixed`.
fn difference(head: &str) -> bool {
    let parts: Vec<&str> = head.lines().next().unwrap_or_default().split(", ").collect();
    let counts = |part: &str, what| part.strip_suffix(what).is_some_and(count);
    matches!(parts[..], [new, still, fixed]
        if counts(new, " new") && counts(still, " still failing") && counts(fixed, " fixed"))
}

/// Whether it is a number as people read it.
fn count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_distinguished_from_logs() {
        for head in [
            "{\n  \"schema_version\": 1,\n  \"tool\": \"migsift\",",
            "{\"type\":\"run\",\"schema_version\":1,\"tool\":\"migsift\",",
            "id,code,known,severity,title,code_in_log,wording,args.collation",
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"generator\" content=\"migsift 0.1.0\">",
            "# migsift: 9 failures\n",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"migsift\" tests=\"47\"",
            "# HELP migsift_build_info The program",
            "9 blockers in 2 of 8 databases, 1 warning\n9 yours to fix\n1,204 of 1,207 inputs read (34.8 kB): 12 findings\n",
            "at least 2,000 blockers\n2,000 yours to fix\n1 of 1 input read (34.8 kB): 12 findings\n",
            "No blockers, 1 warning\n1 of 1 input read (0 bytes): 2 findings\n",
            "No blockers, 0 warnings, 1 failure known and accepted\n1 of 1 input read (0 bytes): 2 findings\n",
            "Nothing found\n1 of 1 input read (0 bytes)\n",
            "1,200 new, 3 still failing, 0 fixed\n\nNew (1,200)\n",
        ] {
            assert!(is(head.as_bytes()), "{head}");
        }
        for head in [
            "{\"tool\":\"other\"}",
            "# migsift",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"other\"",
            "# HELP other_info",
            "<!DOCTYPE html><html><head><title>migsift</title>",
            "12 of 30 rows read (ok)\n",
            "3 new, 4 old\n",
            "",
            "migsift said so",
            "a of b inputs read (x): y",
            "1 of 1 input read (0 bytes)\n",
            "9 blockers in 2 of 8 databases, says a mail\n",
        ] {
            assert!(!is(head.as_bytes()), "{head}");
        }
    }
}
