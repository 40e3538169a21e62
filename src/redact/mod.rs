//! Redaction: secrets masked, names turned into tokens, so that logs can be shown to others.
//!
//! A name and what it names come in, a token such as `server-7f3a5b0c9d1e2f34` goes out. Text comes in with the names
//! that it is known to hold; they and whatever else looks like a private name (addresses, hosts, resource ids, what is
//! called a server, database or role) go out as tokens. `secrets` masks passwords and needs no key. The module does not
//! know which parts of a finding hold names.
//!
//! # Tokens
//!
//! A token is the kind of the name and the first 64 bits of HMAC-SHA-256 over kind and name, under a secret key. So
//!
//! - one name has one token in all inputs, files and runs with the same key: counts, failures and joins stay as they
//!   are, and a command with a redacted resource id is still a command;
//! - without the key nobody can find out a name by trying likely ones, which a plain hash would allow: there are not
//!   many names that a database can have;
//! - a role and a database of one name have different tokens: that they are the same word is the user's own affair.
//!   The kind is in the token, as otherwise a reader could not follow the text;
//! - two names get the same token only by chance: with a million names, about one time in 37 million.
//!
//! Names are normalized before they are hashed where several spellings are the same thing: hosts and resources ignore
//! case, and a server has one token with or without its domain and port (`name`). The redactor remembers the name of
//! each token that it has made, so that `--redact=MAPFILE` can keep the list for the owner of the logs.

mod name;
mod patterns;
pub mod secrets;
mod text;

pub use name::{UUID_CHARS, is_uuid};
pub use text::{KnownName, NamePosition};

use crate::catalog::{ArgValue, Subject};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// The most names that are remembered with their tokens; further names get tokens that are not remembered.
pub const MAX_REMEMBERED: usize = 1 << 20;
/// Bytes of the HMAC in a token.
const TOKEN_BYTES: usize = 8;

/// Turns names into tokens, always the same under one key.
pub struct Redactor {
    /// The HMAC after it has read the key.
    keyed: Hmac<Sha256>,
    id: String,
    remembered: Mutex<BTreeMap<String, String>>,
}

/// Does not show the key.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Redactor {
    /// Makes a redactor with this key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Redactor {
        let keyed = Hmac::new_from_slice(key).expect("a key of any length");
        let id = hmac_digits(&keyed, "", "key");
        Redactor { keyed, id, remembered: Mutex::default() }
    }

    /// Returns an id of the key, from which the key cannot be computed.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the token for a name of this subject.
    pub fn token_for(&self, subject: Subject, name: &str) -> String {
        match subject {
            Subject::Server => self.server(name),
            Subject::Database | Subject::Role | Subject::Table | Subject::Column | Subject::Extension => {
                self.token(subject.name(), name)
            }
        }
    }

    /// Returns an argument's value with private names as tokens.
    pub fn redact_argument(&self, subject: Option<Subject>, value: &ArgValue) -> ArgValue {
        let Some(subject) = subject.filter(|subject| subject.is_private()) else { return value.clone() };
        match value {
            ArgValue::One(name) => ArgValue::One(self.token_for(subject, name)),
            ArgValue::Many(names) => {
                ArgValue::Many(names.iter().map(|name| self.token_for(subject, name)).collect())
            }
        }
    }

    /// Returns the names of the tokens that were made, by token.
    pub fn remembered(&self) -> BTreeMap<String, String> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the token for a name of this kind, `kind-…`. An empty name stays empty.
    fn token(&self, kind: &str, name: &str) -> String {
        if name.is_empty() {
            return String::new();
        }
        let token = format!("{kind}-{}", hmac_digits(&self.keyed, kind, name));
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < MAX_REMEMBERED && !remembered.contains_key(&token) {
            remembered.insert(token.clone(), name.to_string());
        }
        token
    }
}

/// Returns the start of the HMAC of kind and name, in hexadecimal digits. A NUL between them keeps `ab` `c` from being
/// `a` `bc`.
fn hmac_digits(keyed: &Hmac<Sha256>, kind: &str, name: &str) -> String {
    let mut mac = keyed.clone();
    mac.update(kind.as_bytes());
    mac.update(&[0]);
    mac.update(name.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().take(TOKEN_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_depend_on_key_kind_and_name() {
        let (one, other) = (Redactor::new(&[1; KEY_BYTES]), Redactor::new(&[2; KEY_BYTES]));
        let token = one.token_for(Subject::Role, "orders");
        assert_eq!(token, Redactor::new(&[1; KEY_BYTES]).token_for(Subject::Role, "orders"));
        assert_eq!(token.len(), "role-".len() + 2 * TOKEN_BYTES);
        for different in [
            other.token_for(Subject::Role, "orders"),
            one.token_for(Subject::Database, "orders"),
            one.token_for(Subject::Role, "Orders"),
        ] {
            assert_ne!(token, different);
        }
        assert_ne!(one.id(), other.id());
        assert_eq!(one.remembered().get(&token).map(String::as_str), Some("orders"));
        let list = ArgValue::Many(vec!["orders".into(), String::new()]);
        assert_eq!(
            one.redact_argument(Some(Subject::Role), &list),
            ArgValue::Many(vec![token, String::new()])
        );
        assert_eq!(one.redact_argument(None, &list), list);
        assert_eq!(one.redact_argument(Some(Subject::Extension), &list), list, "extensions are public");
        assert!(!format!("{one:?}").contains("keyed"), "the key is not shown");
    }
}
