//! Arguments in JSON: an object in the template's order, each name once.

use crate::catalog::{ArgValue, MAX_ARGUMENTS};
use crate::finding::Args;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::Serializer;
use std::borrow::Cow;
#[cfg(test)]
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Arguments as the schema describes them.
#[cfg(test)]
pub type Described = BTreeMap<String, ArgValue>;

/// Writes the arguments as an object.
pub fn serialize<S: Serializer>(args: &Args, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(args.iter().map(|(name, value)| (&**name, value)))
}

/// Reads the arguments in order. A name that appears twice is an error, as it is unclear which value counts.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, Args>, D::Error> {
    deserializer.deserialize_map(ArgsVisitor).map(Cow::Owned)
}

struct ArgsVisitor;

impl<'de> Visitor<'de> for ArgsVisitor {
    type Value = Args;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Args, A::Error> {
        let mut args: Args = Vec::new();
        while let Some((name, value)) = map.next_entry::<Arc<str>, ArgValue>()? {
            // No entry has more than a few, but a hostile report may.
            if args.len() >= MAX_ARGUMENTS {
                return Err(A::Error::custom(format_args!("more than {MAX_ARGUMENTS} arguments")));
            }
            if args.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("the argument `{name}` appears twice")));
            }
            args.push((name, value));
        }
        Ok(args)
    }
}
