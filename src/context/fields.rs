//! The fields of a context: what one record says about the place of a failure.
//!
//! Words as logged come in, typed fields come out. Levels and states are open sets: PostgreSQL, pgcopydb and
//! the migration service each have their own words and add to them. So each type lists the words that the
//! program knows and keeps every other word as it was logged; printing a value returns the logged text byte
//! for byte. Nothing here knows how a record is read.

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The longest text of a document that names anything, in bytes: names of PostgreSQL have 63 and ids of Azure's resources
/// some hundred. What is longer is no name, and copying it for every finding would take long.
pub(super) const MAX_NAME: usize = 1024;

/// The fields of a record around a match; a field that the record does not have is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct Context {
    /// The database it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The server it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The migration's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<String>,
    /// The validation that found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
    /// The state of that validation, database or migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The level it was logged at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

impl Context {
    /// Fills the absent fields from `other`.
    pub(super) fn fill_from(&mut self, other: Context) {
        let text = |mine: &mut Option<String>, theirs: Option<String>| *mine = mine.take().or(theirs);
        text(&mut self.database, other.database);
        text(&mut self.server, other.server);
        text(&mut self.migration, other.migration);
        text(&mut self.validation, other.validation);
        self.state = self.state.take().or(other.state);
        self.level = self.level.take().or(other.level);
    }
}

/// An open set of words: those that are known, and any other as it was logged.
macro_rules! open_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        ///
        /// Words are compared as written: `ERROR` and `Error` are two values. Values are ordered by their
        /// text.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A word that is not listed, as logged. `From` never makes it of a word that is listed.
            Other(Box<str>),
        }

        impl $name {
            /// The value of a word that is listed; none for any other.
            pub fn known(word: &str) -> Option<$name> {
                match word {
                    $($text => Some($name::$variant),)+
                    _ => None,
                }
            }

            /// The word as logged.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)+
                    $name::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> $name {
                $name::known(word).unwrap_or_else(|| $name::Other(word.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &$name) -> Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &$name) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                Ok($name::from(&*Cow::<str>::deserialize(deserializer)?))
            }
        }

        #[cfg(test)]
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }
    };
}

open_words! {
    /// The level that a record was logged at: PostgreSQL's, pgcopydb's and the common ones of JSON logs.
    Level {
        /// PostgreSQL's and others' least level.
        Debug = "DEBUG",
        /// PostgreSQL's most important level for developers.
        Debug1 = "DEBUG1",
        /// More detail than `DEBUG1`.
        Debug2 = "DEBUG2",
        /// More detail than `DEBUG2`.
        Debug3 = "DEBUG3",
        /// More detail than `DEBUG3`.
        Debug4 = "DEBUG4",
        /// PostgreSQL's most detailed level.
        Debug5 = "DEBUG5",
        /// pgcopydb: steps of the program.
        Trace = "TRACE",
        /// pgcopydb: statements that it runs.
        Sql = "SQL",
        /// What was asked for.
        Info = "INFO",
        /// What may help the user.
        Notice = "NOTICE",
        /// What concerns administrators; PostgreSQL ranks it above `ERROR` for the server log.
        Log = "LOG",
        /// A warning in pgcopydb and many others.
        Warn = "WARN",
        /// A warning in PostgreSQL.
        Warning = "WARNING",
        /// A command failed.
        Error = "ERROR",
        /// A session ended.
        Fatal = "FATAL",
        /// All sessions ended.
        Panic = "PANIC",
        /// Other programs' word for what cannot go on.
        Critical = "CRITICAL",
    }
}

impl Level {
    /// Whether a record at this level reports no failure of the command that it is about.
    pub fn is_informational(&self) -> bool {
        use Level::{Info, Log, Notice, Sql, Trace};
        matches!(self, Log | Info | Notice | Trace | Sql) || self.as_str().starts_with("DEBUG")
    }
}

open_words! {
    /// The state of a migration, of one of its databases or of a validation, in the migration service's
    /// words.
    State {
        /// It is not done yet.
        InProgress = "InProgress",
        /// A validation has a warning; the migration continues.
        Warning = "Warning",
        /// It is done.
        Succeeded = "Succeeded",
        /// It ended with an error.
        Failed = "Failed",
        /// Somebody ended it.
        Canceled = "Canceled",
    }
}

impl State {
    /// Whether the migration has ended. Here case and the two spellings of "canceled" do not matter: the
    /// service's API, its command line and its portal differ in them.
    pub fn is_final(&self) -> bool {
        let last = ["succeeded", "failed", "canceled", "cancelled"];
        last.iter().any(|word| word.eq_ignore_ascii_case(self.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_as_they_were_logged() {
        for word in ["ERROR", "Error", "DEBUG3", "", "validation failed"] {
            assert_eq!(Level::from(word).as_str(), word);
            assert_eq!(State::from(word).to_string(), word);
            let json = serde_json::to_string(&Level::from(word)).expect("writes");
            assert_eq!(json, format!("{word:?}"));
            assert_eq!(serde_json::from_str::<Level>(&json).expect("reads"), Level::from(word));
        }
        assert_eq!(Level::from("ERROR"), Level::Error);
        assert_eq!(State::from("failed"), State::Other("failed".into()));
        let mut states = ["b", "Warning", "Failed"].map(State::from);
        states.sort();
        assert_eq!(states.map(|state| state.to_string()), ["Failed", "Warning", "b"]);
    }

    #[test]
    fn final_states_and_informational_levels() {
        for (word, is) in [("Failed", true), ("CANCELLED", true), ("InProgress", false), ("", false)] {
            assert_eq!(State::from(word).is_final(), is, "{word}");
        }
        for (word, is) in
            [("LOG", true), ("DEBUG2", true), ("DEBUG9", true), ("log", false), ("WARNING", false)]
        {
            assert_eq!(Level::from(word).is_informational(), is, "{word}");
        }
    }
}
