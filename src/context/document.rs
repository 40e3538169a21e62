//! JSON documents: what the objects around a place say.
//!
//! A document comes in as bytes; a [`Document`] answers, for an offset, with the names and scalar values of the objects
//! that enclose it, innermost first. It is read by serde_json; offsets come from where its raw values lie.

use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::ops::Range;

/// The deepest nesting that is read; deeper objects have the context of the last one read.
const MAX_DEPTH: usize = 64;

/// An object of a document.
#[derive(Debug)]
struct Object {
    range: Range<usize>,
    /// The key it stands under, if it is a value of an object.
    name: Option<String>,
    /// Its scalar members, strings unescaped.
    scalars: Vec<(String, String)>,
    parent: Option<usize>,
}

/// The objects of a JSON document.
#[derive(Debug)]
pub struct Document {
    objects: Vec<Object>,
}

/// What one enclosing object says.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    /// The key it stands under.
    pub name: Option<&'a str>,
    scalars: &'a [(String, String)],
}

impl<'a> Level<'a> {
    /// The value of the first of `keys` that it has as a scalar; keys are compared without case.
    pub fn get(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| {
            let found = self.scalars.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            found.map(|(_, value)| value.as_str())
        })
    }
}

impl Document {
    /// Reads `bytes`; none if they are not one JSON object or array.
    pub fn parse(bytes: &[u8]) -> Option<Document> {
        let first = bytes.trim_ascii_start().first()?;
        if !matches!(first, b'{' | b'[') {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let root: &RawValue = serde_json::from_str(text).ok()?;
        let mut document = Document { objects: Vec::new() };
        document.read(text, root.get(), None, None, 0);
        Some(document)
    }

    fn read(&mut self, whole: &str, value: &str, name: Option<&str>, parent: Option<usize>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        if value.starts_with('{') {
            let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(value) else { return };
            let start = value.as_ptr() as usize - whole.as_ptr() as usize;
            let index = self.objects.len();
            let scalars =
                members.iter().filter_map(|(key, value)| Some((key.clone(), scalar(value.get())?))).collect();
            let name = name.map(str::to_string);
            self.objects.push(Object { range: start..start + value.len(), name, scalars, parent });
            for (key, value) in &members {
                self.read(whole, value.get(), Some(key), Some(index), depth + 1);
            }
        } else if value.starts_with('[') {
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value) else { return };
            for item in items {
                self.read(whole, item.get(), None, parent, depth + 1);
            }
        }
    }

    /// The objects around `offset`, innermost first.
    pub fn around(&self, offset: usize) -> Vec<Level<'_>> {
        // Objects are in the order of reading: the last one that holds the offset is the innermost.
        let mut at = self.objects.iter().rposition(|object| object.range.contains(&offset));
        let mut levels = Vec::new();
        while let Some(index) = at {
            let object = &self.objects[index];
            levels.push(Level { name: object.name.as_deref(), scalars: &object.scalars });
            at = object.parent;
        }
        levels
    }
}

/// A string, number or boolean as text.
fn scalar(value: &str) -> Option<String> {
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enclosing_objects_tell_their_scalars() {
        let text = r#"{"a": 1, "list": [{"databaseName": "hr", "x": {"message": "HERE"}}, {"b": "\u0041"}]}"#;
        let document = Document::parse(text.as_bytes()).expect("JSON");
        let levels = document.around(text.find("HERE").expect("there"));
        assert_eq!(levels.len(), 3);
        assert_eq!(levels[0].get(&["message"]), Some("HERE"));
        assert_eq!(levels[0].name, Some("x"));
        assert_eq!(levels[1].get(&["DatabaseName"]), Some("hr"));
        assert_eq!(levels[2].get(&["a"]), Some("1"));
        assert_eq!(document.around(text.find("u0041").expect("there"))[0].get(&["b"]), Some("A"));
        assert!(Document::parse(b"plain").is_none());
        assert!(Document::parse(b"{\"a\": 1} trailing").is_none());
        assert!(Document::parse(&[b'['; 200_000]).is_none(), "deep nesting is refused, not followed");
    }
}
