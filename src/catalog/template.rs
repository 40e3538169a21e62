//! Templates: what a message looks like, as literals and named placeholders.
//!
//! A template comes in as text with `{name}` placeholders (`{{` and `}}` are braces) and goes out as sentences of
//! literal and placeholder parts. It knows nothing of matching. Quote marks around a placeholder are dropped from
//! the literals, because logs quote arguments in every way: `{x}`, `'x'`, `"x"` or bare.

/// A message template, or a resolution text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The text as the pattern file has it, braces and quotes included.
    pub text: String,
    /// Its sentences in order; each has at least one part.
    pub sentences: Vec<Sentence>,
}

/// The parts of one sentence, its closing mark included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentence {
    /// Literals and placeholders in order; no two literals are neighbours.
    pub parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stands in the message as it is.
    Literal(String),
    /// An argument, by its index in the entry's arguments.
    Argument(usize),
}

/// Marks that may stand around an argument: ASCII quotes, the backtick and typographic quotes.
pub const QUOTES: [char; 12] = ['\'', '"', '`', '‘', '’', '‚', '‛', '“', '”', '„', '«', '»'];

impl Template {
    /// Parses `text`, whose placeholders must be among `names`.
    ///
    /// # Errors
    ///
    /// What is wrong with the braces or names, in words.
    pub fn parse(text: &str, names: &[&str]) -> Result<Template, String> {
        let mut sentences = vec![Sentence::default()];
        for part in unquote(parts(text, names)?) {
            match part {
                Part::Argument(_) => last(&mut sentences).parts.push(part),
                Part::Literal(literal) => {
                    for (i, piece) in split_sentences(&literal).into_iter().enumerate() {
                        if i > 0 {
                            sentences.push(Sentence::default());
                        }
                        if !piece.is_empty() {
                            last(&mut sentences).parts.push(Part::Literal(piece.to_string()));
                        }
                    }
                }
            }
        }
        sentences.retain(|sentence| !sentence.parts.is_empty());
        Ok(Template { text: text.to_string(), sentences })
    }

    /// The text of each sentence, placeholders in place, without the white space around it.
    pub fn sentence_texts(&self) -> Vec<&str> {
        split_sentences(&self.text).into_iter().map(str::trim).collect()
    }

    /// The text with each `{name}` replaced by what `value` gives for it, braces undone.
    pub fn fill(text: &str, mut value: impl FnMut(&str) -> String) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            filled.push_str(&rest[..at]);
            let doubled = rest[at + 1..].starts_with(&rest[at..=at]);
            match rest[at..].find('}').filter(|_| !doubled && rest[at..].starts_with('{')) {
                Some(close) => {
                    filled.push_str(&value(&rest[at + 1..at + close]));
                    rest = &rest[at + close + 1..];
                }
                None => {
                    filled.push_str(&rest[at..=at]);
                    rest = &rest[at + 1 + usize::from(doubled)..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    /// The arguments that occur, by index, in order of their first occurrence.
    pub fn arguments(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for part in self.sentences.iter().flat_map(|sentence| &sentence.parts) {
            if let Part::Argument(index) = part
                && !found.contains(index)
            {
                found.push(*index);
            }
        }
        found
    }
}

fn last(sentences: &mut Vec<Sentence>) -> &mut Sentence {
    if sentences.is_empty() {
        sentences.push(Sentence::default());
    }
    let end = sentences.len() - 1;
    &mut sentences[end]
}

/// Cuts at braces: literals with `{{` and `}}` undone, placeholders by index in `names`.
fn parts(text: &str, names: &[&str]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        if rest[at + 1..].starts_with(brace) {
            literal.push_str(brace);
            rest = &rest[at + 2..];
            continue;
        }
        let close = rest[at..].find('}').filter(|_| brace == "{");
        let Some(close) = close else {
            return Err(format!("unpaired `{brace}`; a literal brace is written `{brace}{brace}`"));
        };
        let name = &rest[at + 1..at + close];
        let Some(index) = names.iter().position(|known| *known == name) else {
            return Err(format!("placeholder `{{{name}}}` is not among the entry's arguments"));
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        if matches!(parts.last(), Some(Part::Argument(_))) {
            return Err(format!("placeholder `{{{name}}}` follows another with nothing between"));
        }
        parts.push(Part::Argument(index));
        rest = &rest[at + close + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// Drops the quote marks that stand directly around placeholders.
fn unquote(mut parts: Vec<Part>) -> Vec<Part> {
    for i in 0..parts.len() {
        if !matches!(parts[i], Part::Argument(_)) {
            continue;
        }
        if let Some(Part::Literal(before)) = i.checked_sub(1).map(|i| &mut parts[i]) {
            before.truncate(before.trim_end_matches(QUOTES).len());
        }
        if let Some(Part::Literal(after)) = parts.get_mut(i + 1) {
            *after = after.trim_start_matches(QUOTES).to_string();
        }
    }
    parts.retain(|part| !matches!(part, Part::Literal(literal) if literal.is_empty()));
    parts
}

/// Cuts behind sentence marks: a `.`, `!` or `?` with white space or, glued, a capital behind it ("SSL.Check").
/// White space stays with the sentence it leads to, so that the pieces add up to the text.
pub(super) fn split_sentences(literal: &str) -> Vec<&str> {
    let bytes = literal.as_bytes();
    let mut cuts = vec![0];
    for (i, byte) in bytes.iter().enumerate() {
        let next = bytes.get(i + 1);
        let ends = matches!(byte, b'.' | b'!' | b'?')
            && next.is_some_and(|next| next.is_ascii_whitespace() || next.is_ascii_uppercase());
        let initial =
            i > 0 && bytes[i - 1].is_ascii_uppercase() && (i == 1 || !bytes[i - 2].is_ascii_alphanumeric());
        let abbreviation = initial && next.is_some_and(u8::is_ascii_uppercase);
        if ends && !abbreviation && !literal[i + 1..].trim().is_empty() {
            cuts.push(i + 1);
        }
    }
    cuts.push(literal.len());
    cuts.windows(2).map(|cut| &literal[cut[0]..cut[1]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(template: &Template) -> Vec<Vec<String>> {
        let show = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Argument(index) => format!("<{index}>"),
        };
        template.sentences.iter().map(|s| s.parts.iter().map(show).collect()).collect()
    }

    #[test]
    fn sentences_are_cut_and_quotes_dropped() {
        let text = "The server `{server}` doesn't support SSL.Check SSL settings. Set SSL mode to *prefer*.";
        let template = Template::parse(text, &["server"]).expect("parses");
        assert_eq!(
            literals(&template),
            [
                vec!["The server ", "<0>", " doesn't support SSL."],
                vec!["Check SSL settings."],
                vec![" Set SSL mode to *prefer*."]
            ]
        );
    }

    #[test]
    fn an_argument_at_the_end_keeps_its_mark() {
        let text = "POSTGIS version 3.2.3, which is incompatible with source's {b}.";
        let template = Template::parse(text, &["a", "b"]).expect("parses");
        assert_eq!(
            literals(&template),
            [vec!["POSTGIS version 3.2.3, which is incompatible with source's ", "<1>", "."]]
        );
        assert_eq!(template.arguments(), [1]);
    }

    #[test]
    fn braces_are_checked() {
        assert!(Template::parse("a {b", &["b"]).is_err());
        assert!(Template::parse("a } b", &[]).is_err());
        assert!(Template::parse("a {c}", &["b"]).is_err());
        assert!(Template::parse("a {b}{b}", &["b"]).is_err());
        let template = Template::parse("a {{b}} c", &[]).expect("parses");
        assert_eq!(literals(&template), [vec!["a {b} c"]]);
    }
}
