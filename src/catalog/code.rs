//! Codes and code spaces: which texts are error codes of a service.
//!
//! A pattern file declares the form of its codes in `[[code_space]]` tables: a prefix, the characters that
//! follow it and the length of the whole. That is all that any other module knows of codes: the matcher
//! searches for the prefixes, and whether a text is a code is decided by [`CodeSpace::contains`] alone, for
//! `--code` as for a baseline, a merge, an import or a pattern file's own entries. Where a code counts in a
//! log is not known here, but to [`crate::matcher::code`].

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// The longest code, in characters.
pub const MAX_CODE_LEN: usize = 15;
/// The most code spaces of a catalogue. Each costs a scan another search, even if that is a fast one.
pub const MAX_CODE_SPACES: usize = 16;
/// The longest word for codes, in bytes.
const MAX_WORD_LEN: usize = 30;

/// An error code: one to [`MAX_CODE_LEN`] digits and upper-case letters. It is kept inline, so that it is
/// copied and compared without memory of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    /// The characters, then zeros, then the length.
    bytes: [u8; MAX_CODE_LEN + 1],
}

impl Code {
    /// The code with this text; none if it has other characters or is too long.
    pub fn new(text: impl AsRef<[u8]>) -> Option<Code> {
        let text = text.as_ref();
        let valid = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        if text.is_empty() || text.len() > MAX_CODE_LEN || !text.iter().all(valid) {
            return None;
        }
        let mut bytes = [0; MAX_CODE_LEN + 1];
        bytes[..text.len()].copy_from_slice(text);
        bytes[MAX_CODE_LEN] = text.len() as u8;
        Some(Code { bytes })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// The text's bytes, without validating them as [`Code::as_str`] does: every place where a prefix is found in a log
    /// is compared with one.
    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.bytes[MAX_CODE_LEN])]
    }

    /// The bytes as one number, which is ordered as they are. A scan looks up every place that has the form of a code,
    /// and this compares two codes in two instructions.
    fn number(self) -> u128 {
        u128::from_be_bytes(self.bytes)
    }
}

/// As their texts.
impl Ord for Code {
    fn cmp(&self, other: &Code) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Code) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Deref for Code {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let wrong = || {
            de::Error::invalid_value(de::Unexpected::Str(&text), &"a code of digits and upper-case letters")
        };
        Code::new(&*text).ok_or_else(wrong)
    }
}

#[cfg(test)]
impl JsonSchema for Code {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

stable_names! {
    /// The characters of a code after its prefix.
    Alphabet {
        /// `0` to `9`.
        Digits = "digits",
        /// `0` to `9` and `A` to `Z`, as in an SQLSTATE.
        Alphanumeric = "alphanumeric",
    }
}

impl Alphabet {
    /// Whether it has this character.
    pub fn contains(self, byte: u8) -> bool {
        byte.is_ascii_digit() || self == Alphabet::Alphanumeric && byte.is_ascii_uppercase()
    }
}

/// The form of a service's codes: all texts of `length` characters that start with `prefix`, go on in `alphabet` and have
/// a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeSpace {
    /// The first characters of every code; scans search for it.
    prefix: Code,
    /// The characters after the prefix.
    alphabet: Alphabet,
    /// The length of a code, prefix included.
    length: usize,
    /// How people call such a code: "code", "SQLSTATE", "service code".
    word: String,
}

impl CodeSpace {
    /// The space of these codes.
    ///
    /// # Errors
    ///
    /// A message where no code can have this form, or where it could not be searched for.
    pub fn new(prefix: &str, alphabet: Alphabet, length: usize, word: &str) -> Result<CodeSpace, String> {
        if prefix.is_empty() {
            return Err("the prefix is empty; codes are searched for by their prefix, so name at least one character \
                        (several prefixes are several [[code_space]] tables)"
                .into());
        }
        let Some(first) = Code::new(prefix) else {
            return Err(format!(
                "the prefix `{prefix}` is not up to {MAX_CODE_LEN} digits and upper-case letters"
            ));
        };
        if length <= prefix.len() || length > MAX_CODE_LEN {
            return Err(format!(
                "the length {length} is not that of a whole code, prefix included: from {} to {MAX_CODE_LEN}",
                prefix.len() + 1
            ));
        }
        let is_word = |c: char| c.is_ascii_alphabetic() || c == ' ';
        if word.trim() != word || word.is_empty() || word.len() > MAX_WORD_LEN || !word.chars().all(is_word) {
            return Err(format!("the word `{word}` is not up to {MAX_WORD_LEN} letters and blanks"));
        }
        Ok(CodeSpace { prefix: first, alphabet, length, word: word.to_string() })
    }

    /// The first characters of every code.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The characters after the prefix.
    pub fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    /// The length of a code, prefix included.
    pub fn length(&self) -> usize {
        self.length
    }

    /// How people call such a code.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Whether `text` is a code of this space, listed in a catalogue or not. Letters alone are no code: with the prefix
    /// `E`, `ERROR` would be one of five characters.
    pub fn contains(&self, text: impl AsRef<[u8]>) -> bool {
        let text = text.as_ref();
        if text.len() != self.length {
            return false;
        }
        let (prefix, rest) = text.split_at(self.prefix.bytes().len());
        // The rest decides for most places where a scan finds the prefix.
        let is_rest = match self.alphabet {
            Alphabet::Digits => rest.iter().all(u8::is_ascii_digit),
            Alphabet::Alphanumeric => {
                rest.iter().all(|byte| self.alphabet.contains(*byte)) && text.iter().any(u8::is_ascii_digit)
            }
        };
        is_rest && prefix == self.prefix.bytes()
    }
}

/// The form in words: "603 and 3 digits".
impl fmt::Display for CodeSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = self.length - self.prefix.len();
        let one = match self.alphabet {
            Alphabet::Digits => "digit",
            Alphabet::Alphanumeric => "digit or upper-case letter",
        };
        let many = match self.alphabet {
            Alphabet::Digits => "digits",
            Alphabet::Alphanumeric => "digits or upper-case letters",
        };
        write!(f, "{} and {more} {}", self.prefix, if more == 1 { one } else { many })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn space(prefix: &str, alphabet: Alphabet, length: usize) -> CodeSpace {
        CodeSpace::new(prefix, alphabet, length, "code").expect("a space")
    }

    #[test]
    fn a_space_contains_whole_codes_only() {
        let service = space("603", Alphabet::Digits, 6);
        for (text, is) in [
            ("603401", true),
            ("603abc", false),
            ("60340", false),
            ("6034011", false),
            ("604401", false),
            ("", false),
        ] {
            assert_eq!(service.contains(text), is, "{text}");
        }
        let state = space("42", Alphabet::Alphanumeric, 5);
        for (text, is) in [("42P01", true), ("42601", true), ("42p01", false), ("4260é", false)] {
            assert_eq!(state.contains(text), is, "{text}");
        }
        let letters = space("E", Alphabet::Alphanumeric, 5);
        assert_eq!((letters.contains("ERROR"), letters.contains("E1000")), (false, true));
        assert_eq!(
            (service.to_string(), state.to_string()),
            ("603 and 3 digits".into(), "42 and 3 digits or upper-case letters".into())
        );
        assert_eq!(space("S000", Alphabet::Digits, 5).to_string(), "S000 and 1 digit");
    }

    #[test]
    fn spaces_that_cannot_be_searched_for_are_refused() {
        let refused = |prefix: &str, length: usize, word: &str| {
            CodeSpace::new(prefix, Alphabet::Digits, length, word).expect_err("refused")
        };
        assert!(
            refused("", 5, "SQLSTATE")
                .starts_with("the prefix is empty; codes are searched for by their prefix")
        );
        assert!(refused("é", 5, "code").contains("`é` is not up to 15 digits"));
        assert!(refused("603", 3, "code").contains("from 4 to 15"));
        assert!(refused("603", 16, "code").contains("from 4 to 15"));
        for word in ["", " code", "co-de", "a word of more than thirty letters"] {
            assert!(refused("603", 6, word).contains("is not up to 30 letters"), "{word}");
        }
    }

    proptest! {
        #[test]
        fn codes_are_ordered_and_written_as_their_texts(a in "[0-9A-Z]{1,15}", b in "[0-9A-Z]{1,15}", other in ".{0,20}") {
            let (one, two) = (Code::new(&a).expect("a code"), Code::new(&b).expect("a code"));
            prop_assert_eq!(one.cmp(&two), a.cmp(&b));
            prop_assert_eq!(one == two, a == b);
            prop_assert_eq!(serde_json::to_string(&one).expect("writes"), format!("\"{a}\""));
            let read = serde_json::from_str::<Code>(&format!("{other:?}"));
            prop_assert!(read.is_err() || read.is_ok_and(|code| *code == *other));
        }
    }
}
