//! Templates: what a message looks like, as literal text with named placeholders.
//!
//! The text of a wording, followup or resolution comes in, such as
//!
//! ```text
//! Database `{database}` doesn't exist on the source server. Provide a valid database.
//! ```
//!
//! and goes out as sentences of parts:
//!
//! ```text
//! 1  Literal("Database ")  Argument(0)  Literal(" doesn't exist on the source server.")
//! 2  Literal(" Provide a valid database.")
//! ```
//!
//! Three decisions are made here, because all that matches or fills templates relies on them:
//!
//! - **Placeholders are indices.** `{name}` must be one of the entry's arguments and becomes its index, so that nothing
//!   looks names up while it scans. `{{` and `}}` are literal braces. Two placeholders need text between them: without
//!   it nothing says where the first value ends.
//! - **Quotes around a placeholder are dropped.** Logs quote a value in every way (`{x}`, `'x'`, `"x"`, `“x”`, bare),
//!   so quote marks are no part of the literals; the matcher accepts any pair or none around a value.
//! - **Sentences are kept apart.** Services cut messages short, so that the first sentence alone counts as the wording
//!   if it has all the arguments. A sentence ends after `.`, `!` or `?` before white space, or before a capital letter
//!   that is glued to it (`SSL.Check`), but not inside `3.2.3` or `U.S.A`. White space belongs to the sentence that
//!   follows it: the parts add up to the text.
//!
//! The module does not know what values look like, how text is compared, or what is quoted in commands.

use std::fmt;

/// The longest template and the longest command, in bytes: they must fit into the text in which a match is looked for.
pub const MAX_TEMPLATE_BYTES: usize = 2_048;
/// Quote marks that may be around an argument: ASCII quotes, the backtick and typographic quotes.
pub const QUOTES: [char; 12] = ['\'', '"', '`', '‘', '’', '‚', '‛', '“', '”', '„', '«', '»'];

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
    pub parts: Vec<TemplatePart>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text of the message itself.
    Literal(String),
    /// A placeholder, by the index of its argument in the entry.
    Argument(usize),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// It is longer than `MAX_TEMPLATE_BYTES`.
    TooLong,
    /// A brace without its partner.
    UnpairedBrace(char),
    /// A placeholder whose name is not declared.
    NotDeclared(String),
    /// A placeholder directly after another.
    Adjacent(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplateError::TooLong => write!(f, "a text longer than {MAX_TEMPLATE_BYTES} bytes"),
            TemplateError::UnpairedBrace(brace) => {
                write!(f, "unpaired `{brace}`; a literal brace is written `{brace}{brace}`")
            }
            TemplateError::NotDeclared(name) => {
                write!(f, "placeholder `{{{name}}}` is not among the entry's arguments")
            }
            TemplateError::Adjacent(name) => {
                write!(f, "placeholder `{{{name}}}` follows another with nothing between")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Parses `text`, whose placeholders must be among `names`.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] for a text that is too long, or whose braces or names are wrong.
    pub fn parse(text: &str, names: &[&str]) -> Result<Template, TemplateError> {
        let mut sentences = Vec::new();
        let mut sentence = Sentence::default();
        for part in drop_quotes(parts(text, names)?) {
            let TemplatePart::Literal(literal) = part else {
                sentence.parts.push(part);
                continue;
            };
            for (i, piece) in split_sentences(&literal).into_iter().enumerate() {
                if i > 0 {
                    sentences.push(std::mem::take(&mut sentence));
                }
                if !piece.is_empty() {
                    sentence.parts.push(TemplatePart::Literal(piece.to_string()));
                }
            }
        }
        sentences.push(sentence);
        sentences.retain(|sentence| !sentence.parts.is_empty());
        Ok(Template { text: text.to_string(), sentences })
    }

    /// Returns the text of each sentence, placeholders included, without the white space around it.
    pub fn sentence_texts(&self) -> Vec<&str> {
        split_sentences(&self.text).into_iter().map(str::trim).collect()
    }

    /// Replaces each `{name}` in `text` by what `value` returns for it, and each doubled brace by one.
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

    /// Returns the indices of the arguments in the text, in the order in which they first occur.
    pub fn arguments(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for part in self.sentences.iter().flat_map(|sentence| &sentence.parts) {
            if let TemplatePart::Argument(index) = part
                && !found.contains(index)
            {
                found.push(*index);
            }
        }
        found
    }
}

/// Splits `text` at its braces, doubled ones undone; placeholders become their index in `names`.
fn parts(text: &str, names: &[&str]) -> Result<Vec<TemplatePart>, TemplateError> {
    if text.len() > MAX_TEMPLATE_BYTES {
        return Err(TemplateError::TooLong);
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let brace = if rest[at..].starts_with('{') { '{' } else { '}' };
        if rest[at + 1..].starts_with(brace) {
            literal.push(brace);
            rest = &rest[at + 2..];
            continue;
        }
        let close = rest[at..].find('}').filter(|_| brace == '{');
        let close = close.ok_or(TemplateError::UnpairedBrace(brace))?;
        let name = &rest[at + 1..at + close];
        let Some(index) = names.iter().position(|known| *known == name) else {
            return Err(TemplateError::NotDeclared(name.to_string()));
        };
        if !literal.is_empty() {
            parts.push(TemplatePart::Literal(std::mem::take(&mut literal)));
        }
        if matches!(parts.last(), Some(TemplatePart::Argument(_))) {
            return Err(TemplateError::Adjacent(name.to_string()));
        }
        parts.push(TemplatePart::Argument(index));
        rest = &rest[at + close + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(TemplatePart::Literal(literal));
    }
    Ok(parts)
}

/// Drops the quote marks directly around placeholders.
fn drop_quotes(mut parts: Vec<TemplatePart>) -> Vec<TemplatePart> {
    for i in 0..parts.len() {
        if !matches!(parts[i], TemplatePart::Argument(_)) {
            continue;
        }
        if let Some(TemplatePart::Literal(before)) = i.checked_sub(1).map(|i| &mut parts[i]) {
            before.truncate(before.trim_end_matches(QUOTES).len());
        }
        if let Some(TemplatePart::Literal(after)) = parts.get_mut(i + 1) {
            *after = after.trim_start_matches(QUOTES).to_string();
        }
    }
    parts.retain(|part| !matches!(part, TemplatePart::Literal(literal) if literal.is_empty()));
    parts
}

/// Splits a literal into sentences, as described in the module documentation.
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
        let show = |part: &TemplatePart| match part {
            TemplatePart::Literal(text) => text.clone(),
            TemplatePart::Argument(index) => format!("<{index}>"),
        };
        template.sentences.iter().map(|s| s.parts.iter().map(show).collect()).collect()
    }

    #[test]
    fn sentences_are_split_and_quotes_dropped() {
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
        let error = |text: &str| Template::parse(text, &["b"]).expect_err("no template");
        assert_eq!(error("a {b"), TemplateError::UnpairedBrace('{'));
        assert_eq!(error("a } b"), TemplateError::UnpairedBrace('}'));
        assert_eq!(error("a {c}"), TemplateError::NotDeclared("c".into()));
        assert_eq!(error("a {b}{b}"), TemplateError::Adjacent("b".into()));
        assert_eq!(error(&"x".repeat(MAX_TEMPLATE_BYTES + 1)), TemplateError::TooLong);
        let template = Template::parse("a {{b}} c", &[]).expect("parses");
        assert_eq!(literals(&template), [vec!["a {b} c"]]);
    }
}
