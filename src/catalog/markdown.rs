//! Tables in Markdown, as GitHub and the documentation's own renderer read them.
//!
//! A document comes in; its pipe tables go out, each cell as plain text: escapes and entities decoded, `<br>` a blank,
//! white space normalized. Backticks, emphasis and links stay, because messages and advice keep them. What the cells
//! mean is not known here.
//!
//! A table is a line with pipes, then a line of dashes with as many cells, then lines with pipes. Text in fenced code is
//! no table, however it looks. A pipe in a cell is written `\|`, also in code, where no other escape is decoded.

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The 1-based line of its head.
    pub line: usize,
    /// The head's cells.
    pub head: Vec<String>,
    /// The rows below the head.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its 1-based line.
    pub line: usize,
    /// Its cells; there can be fewer or more than the head has.
    pub cells: Vec<String>,
}

/// Returns the tables of `text`, without those in fenced code.
pub fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut open = false;
    let mut fence: Option<&str> = None;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut i = 0;
    while i < lines.len() {
        let line = lines[i];
        match (fence, ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark))) {
            (None, Some(mark)) => (fence, open) = (Some(mark), false),
            (Some(mark), _) if line.starts_with(mark) => fence = None,
            (Some(_), _) => {}
            (None, None) if !line.contains('|') => open = false,
            (None, None) if open => {
                let row = Row { line: i + 1, cells: cells(line) };
                tables.last_mut().into_iter().for_each(|table| table.rows.push(row.clone()));
            }
            (None, None) => {
                let head = cells(line);
                if lines.get(i + 1).is_some_and(|next| is_rule(next, head.len())) {
                    tables.push(Table { line: i + 1, head, rows: Vec::new() });
                    open = true;
                    i += 1;
                }
            }
        }
        i += 1;
    }
    tables
}

/// Whether the line separates the head from the rows: dashes, with colons where columns are aligned.
fn is_rule(line: &str, columns: usize) -> bool {
    let cells = cells(line);
    let dashes = |cell: &String| {
        let inner = cell.strip_prefix(':').unwrap_or(cell);
        let inner = inner.strip_suffix(':').unwrap_or(inner);
        !inner.is_empty() && inner.bytes().all(|byte| byte == b'-')
    };
    line.contains('|') && cells.len() == columns && cells.iter().all(dashes)
}

/// Splits a line into cells; a pipe after a backslash belongs to its cell.
fn cells(line: &str) -> Vec<String> {
    let inner = line.strip_prefix('|').unwrap_or(line);
    let mut cells = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (i, c) in inner.char_indices() {
        if c == '|' && !escaped {
            cells.push(plain(&inner[start..i]));
            start = i + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    // The closing pipe is optional, so the text after the last one is a cell unless it is blank.
    if !inner[start..].trim().is_empty() {
        cells.push(plain(&inner[start..]));
    }
    cells
}

/// Decodes a cell's text; in code, only the escape of the pipe.
fn plain(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some(c) = rest.chars().next() {
        let (length, part) = if c == '`' {
            let ticks = rest.len() - rest.trim_start_matches('`').len();
            let code = code_len(rest, ticks).unwrap_or(ticks);
            (code, rest[..code].replace("\\|", "|"))
        } else if let Some((len, character)) = unescape(rest) {
            (len, character.to_string())
        } else {
            (c.len_utf8(), c.to_string())
        };
        text.push_str(&part);
        rest = &rest[length..];
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the length of the code that starts with this many backticks and ends with as many.
fn code_len(text: &str, ticks: usize) -> Option<usize> {
    let mut at = ticks;
    while let Some(found) = text[at..].find('`') {
        let run = text[at + found..].len() - text[at + found..].trim_start_matches('`').len();
        at += found + run;
        if run == ticks {
            return Some(at);
        }
    }
    None
}

/// Decodes an escape, entity or line break at the start of `text`: its length and its character.
fn unescape(text: &str) -> Option<(usize, char)> {
    const MARKS: [(&str, char); 13] = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&amp;", '&'),
        ("&quot;", '"'),
        ("&apos;", '\''),
        ("&#39;", '\''),
        ("&#124;", '|'),
        ("&vert;", '|'),
        ("&nbsp;", ' '),
        ("<br>", ' '),
        ("<br/>", ' '),
        ("<br />", ' '),
        ("<BR>", ' '),
    ];
    if let Some(c) = text.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
        return c.is_ascii_punctuation().then_some((2, c));
    }
    MARKS.iter().find(|(mark, _)| text.starts_with(mark)).map(|(mark, c)| (mark.len(), *c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_plain_text() {
        let cases: [(&str, &[&str]); 8] = [
            ("| a | b |", &["a", "b"]),
            ("a|b", &["a", "b"]),
            ("| | b | |", &["", "b", ""]),
            (r"| a \| b | `c \| d\n` |", &["a | b", r"`c | d\n`"]),
            (r"| a \\| b |", &["a \\", "b"]),
            (r"| pg\_shadow \*x\* CORP\user |", &[r"pg_shadow *x* CORP\user"]),
            ("| a<br>b  c&lt;d&gt; &amp;&nbsp;e |", &["a b c<d> & e"]),
            ("| ``a`b`` ` \\_ |", &["``a`b`` ` _"]),
        ];
        for (line, want) in cases {
            assert_eq!(cells(line), want, "{line}");
        }
    }

    #[test]
    fn tables_have_a_head_a_rule_and_end_where_the_pipes_end() {
        let text = "a | b\n\n| Code | Text |\r\n|:---|---:|\r\n| 1 | x |\r\n| 2 |\r\n\nno | table\n```\n| c | d |\n\
                    |---|---|\n| e | f |\n```\ng | h\n- | -\ni | j | k";
        let found = tables(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, &found[0].head[..]), (3, &["Code".to_string(), "Text".to_string()][..]));
        assert_eq!(
            found[0].rows.iter().map(|row| (row.line, row.cells.len())).collect::<Vec<_>>(),
            [(5, 2), (6, 1)]
        );
        assert_eq!((found[1].line, found[1].rows[0].line, found[1].rows[0].cells.len()), (14, 16, 3));
    }
}
