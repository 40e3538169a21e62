//! Redaction: secrets masked, names turned into tokens, so that logs can be shown to others.
//!
//! A name and what it is comes in, a token such as `server-7f3a5b0c9d1e2f34` goes out: the first 64 bits of HMAC-SHA-256
//! over both under a secret key, so that the same name gives the same token and nobody without the key can try names out.
//! Text comes in with the names that are known to stand in it; they and whatever looks like a name of somebody's own
//! (addresses, hosts, resource ids, what is called a server, database or role) go out as tokens. `secrets` needs no key.

mod name;
mod patterns;
pub mod secrets;
mod text;

pub use name::{UUID_CHARS, is_uuid};
pub use text::{Known, Where};

use crate::catalog::{ArgValue, Subject};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// How many names are remembered with their tokens; beyond that tokens are made, but nobody is told what for.
pub const MAX_REMEMBERED: usize = 1 << 20;
/// Bytes of the code that make a token.
const TOKEN_BYTES: usize = 8;

/// Turns names into tokens, always the same under one key.
pub struct Redactor {
    keyed: Hmac<Sha256>,
    id: String,
    remembered: Mutex<BTreeMap<String, String>>,
}

/// Without the key.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor with this key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Redactor {
        let keyed = Hmac::new_from_slice(key).expect("a key of any length");
        let id = code(&keyed, "", "key");
        Redactor { keyed, id, remembered: Mutex::default() }
    }

    /// Tells the key from others without giving it away.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The token for what an argument of this subject names.
    pub fn name(&self, subject: Subject, name: &str) -> String {
        match subject {
            Subject::Server => self.server(name),
            Subject::Database | Subject::Role | Subject::Table | Subject::Column => {
                self.token(&subject.to_string(), name)
            }
        }
    }

    /// An argument's value with its names as tokens.
    pub fn argument(&self, subject: Option<Subject>, value: &ArgValue) -> ArgValue {
        let Some(subject) = subject else { return value.clone() };
        match value {
            ArgValue::One(name) => ArgValue::One(self.name(subject, name)),
            ArgValue::Many(names) => {
                ArgValue::Many(names.iter().map(|name| self.name(subject, name)).collect())
            }
        }
    }

    /// What the tokens stand for, by token.
    pub fn remembered(&self) -> BTreeMap<String, String> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `kind-…` for `name`; nothing stays nothing.
    fn token(&self, kind: &str, name: &str) -> String {
        if name.is_empty() {
            return String::new();
        }
        let token = format!("{kind}-{}", code(&self.keyed, kind, name));
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < MAX_REMEMBERED && !remembered.contains_key(&token) {
            remembered.insert(token.clone(), name.to_string());
        }
        token
    }
}

/// The code of `name` as a thing of this kind, in hexadecimal digits.
fn code(keyed: &Hmac<Sha256>, kind: &str, name: &str) -> String {
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
        let token = one.name(Subject::Role, "orders");
        assert_eq!(token, Redactor::new(&[1; KEY_BYTES]).name(Subject::Role, "orders"));
        assert_eq!(token.len(), "role-".len() + 2 * TOKEN_BYTES);
        for different in [
            other.name(Subject::Role, "orders"),
            one.name(Subject::Database, "orders"),
            one.name(Subject::Role, "Orders"),
        ] {
            assert_ne!(token, different);
        }
        assert_ne!(one.id(), other.id());
        assert_eq!(one.remembered().get(&token).map(String::as_str), Some("orders"));
        let list = ArgValue::Many(vec!["orders".into(), String::new()]);
        assert_eq!(one.argument(Some(Subject::Role), &list), ArgValue::Many(vec![token, String::new()]));
        assert_eq!(one.argument(None, &list), list);
        assert!(!format!("{one:?}").contains("keyed"), "the key is not shown");
    }
}
