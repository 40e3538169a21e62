//! JSON documents: an index of their objects by place.
//!
//! The bytes of a document come in; a [`Document`] returns, for an offset, the objects that enclose it,
//! innermost first, each with its own name and its scalar members. serde_json decides whether the bytes are
//! JSON; after that one walk over them is enough to build the index. The document does not know what its keys
//! mean, except that the text of one kind of array is kept for [`super::migration_info`].

use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;

/// The deepest nesting that is indexed; what is deeper has the context of the last object indexed.
const MAX_DEPTH: usize = 64;
/// Members that an object has space for at first: most records have no more.
const USUAL_MEMBERS: usize = 8;
/// Arrays under this key are kept as text: a migration's resource lists its databases there.
const ARRAY_KEY: &str = "dbsToMigrate";

/// An object of a document.
#[derive(Debug)]
struct Object<'a> {
    range: Range<usize>,
    /// The key it is the value of; none for the root and for items of an array.
    name: Option<Cow<'a, str>>,
    /// Its scalar members by key, as written; of equal keys the last.
    scalars: Vec<(Cow<'a, str>, &'a str)>,
    parent: Option<usize>,
}

/// An array under [`ARRAY_KEY`].
#[derive(Debug)]
struct Array<'a> {
    /// The object that has it as a member, by index.
    object: usize,
    /// The array as written.
    text: &'a str,
}

/// The objects of a JSON document.
#[derive(Debug)]
pub struct Document<'a> {
    /// In the order in which they start.
    objects: Vec<Object<'a>>,
    arrays: Vec<Array<'a>>,
}

/// One object of a document, to look at.
#[derive(Debug, Clone, Copy)]
pub struct ObjectView<'a> {
    /// The key it is the value of.
    pub name: Option<&'a str>,
    scalars: &'a [(Cow<'a, str>, &'a str)],
}

impl<'a> ObjectView<'a> {
    /// The value of the first of `keys` that is a scalar here; keys are compared without case.
    pub fn get(&self, keys: &[&str]) -> Option<Cow<'a, str>> {
        keys.iter().find_map(|key| {
            let mut named = self.scalars.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
            named.find_map(|(_, value)| scalar(value))
        })
    }

    /// Whether one of the keys of its scalars satisfies `is`.
    pub fn has_key(&self, is: impl Fn(&str) -> bool) -> bool {
        self.scalars.iter().any(|(key, _)| is(key))
    }

    /// Its strings by key, with their escapes.
    pub fn strings(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let quoted = |value: &'a str| value.strip_prefix('"')?.strip_suffix('"');
        self.scalars.iter().filter_map(move |(key, value)| Some((&**key, quoted(value)?)))
    }
}

impl<'a> Document<'a> {
    /// Reads `bytes`; none if they are not one JSON object or array.
    pub fn parse(bytes: &'a [u8]) -> Option<Document<'a>> {
        let first = bytes.trim_ascii_start().first()?;
        if !matches!(first, b'{' | b'[') {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let root: &RawValue = serde_json::from_str(text).ok()?;
        let at = root.get().as_ptr() as usize - text.as_ptr() as usize;
        let mut indexer = Indexer { text, at, objects: Vec::new(), arrays: Vec::new() };
        indexer.value(None, None, 0);
        Some(Document { objects: indexer.objects, arrays: indexer.arrays })
    }

    /// The object with this index.
    pub fn object(&self, index: usize) -> ObjectView<'_> {
        let object = &self.objects[index];
        ObjectView { name: object.name.as_deref(), scalars: &object.scalars }
    }

    /// The index of the object around the one with this index.
    pub fn parent(&self, index: usize) -> Option<usize> {
        self.objects[index].parent
    }

    /// The objects inside the one with this index, each with the name of the object around it.
    pub fn within(&self, index: usize) -> impl Iterator<Item = (ObjectView<'_>, Option<&str>)> {
        let end = self.objects[index].range.end;
        let inner = self.objects[index + 1..].iter().take_while(move |object| object.range.start < end);
        inner.map(|object| {
            let outer = object.parent.and_then(|parent| self.objects[parent].name.as_deref());
            (ObjectView { name: object.name.as_deref(), scalars: &object.scalars }, outer)
        })
    }

    /// The strings of the kept array that the object with this index has as a member.
    pub fn array_strings(&self, index: usize) -> Vec<String> {
        let array = self.arrays.iter().rfind(|array| array.object == index);
        let values: Vec<&RawValue> =
            array.and_then(|array| serde_json::from_str(array.text).ok()).unwrap_or_default();
        values.into_iter().filter_map(|value| serde_json::from_str(value.get()).ok()).collect()
    }

    /// The objects around `offset`, innermost first.
    pub fn around(&self, offset: usize) -> impl Iterator<Item = ObjectView<'_>> {
        self.indices_around(offset).map(|index| self.object(index))
    }

    /// The indices of the objects around `offset`, innermost first.
    pub fn indices_around(&self, offset: usize) -> impl Iterator<Item = usize> {
        // Only the last object that starts before it and the ones around that one can enclose it.
        let last = self.objects.partition_point(|object| object.range.start <= offset).checked_sub(1);
        let parent = |index: &usize| self.objects[*index].parent;
        std::iter::successors(last, parent).filter(move |index| self.objects[*index].range.contains(&offset))
    }
}

/// Builds the index in one walk over a text that is known to be JSON.
struct Indexer<'a> {
    text: &'a str,
    at: usize,
    objects: Vec<Object<'a>>,
    arrays: Vec<Array<'a>>,
}

/// A member of an object that is being read.
struct Member<'a> {
    key: Cow<'a, str>,
    /// Its value, if that is a scalar.
    scalar: Option<&'a str>,
    /// The objects in its value, by index.
    objects: Range<usize>,
}

impl<'a> Indexer<'a> {
    /// Moves past the value that starts here; returns its text if it is a scalar other than null.
    fn value(&mut self, name: Option<&Cow<'a, str>>, parent: Option<usize>, depth: usize) -> Option<&'a str> {
        match self.text.as_bytes()[self.at] {
            b'{' if depth <= MAX_DEPTH => {
                let index = self.objects.len();
                if self.object(name, parent, depth).is_none() {
                    self.objects.truncate(index);
                    self.arrays.retain(|array| array.object < index);
                }
            }
            b'[' if depth <= MAX_DEPTH => {
                while self.next(b']') {
                    self.value(None, parent, depth + 1);
                }
            }
            b'{' | b'[' => self.skip(),
            b'"' => return Some(self.string().0),
            first => {
                let start = self.at;
                let rest = &self.text.as_bytes()[start..];
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
                return (first != b'n').then(|| &self.text[start..self.at]);
            }
        }
        None
    }

    /// Indexes an object; none where a key is not valid text (half a surrogate pair).
    fn object(&mut self, name: Option<&Cow<'a, str>>, parent: Option<usize>, depth: usize) -> Option<()> {
        let (index, start) = (self.objects.len(), self.at);
        self.objects.push(Object { range: start..start, name: name.cloned(), scalars: Vec::new(), parent });
        let mut members: Vec<Member<'a>> = Vec::with_capacity(USUAL_MEMBERS);
        let mut readable = true;
        while self.next(b'}') {
            let key = match self.string() {
                (quoted, false) => Some(Cow::Borrowed(&quoted[1..quoted.len() - 1])),
                (quoted, true) => unescaped(quoted),
            };
            // Past the colon.
            self.blanks();
            self.at += 1;
            self.blanks();
            let first = self.objects.len();
            readable &= key.is_some();
            let key = key.unwrap_or_default();
            let start = self.at;
            let scalar = self.value(Some(&key), Some(index), depth + 1);
            if self.text.as_bytes()[start] == b'[' && key.eq_ignore_ascii_case(ARRAY_KEY) {
                self.arrays.push(Array { object: index, text: &self.text[start..self.at] });
            }
            members.push(Member { key, scalar, objects: first..self.objects.len() });
        }
        members.sort_by(|a, b| a.key.cmp(&b.key));
        for i in 1..members.len() {
            if members[i - 1].key == members[i].key {
                members[i - 1].scalar = None;
                // The earlier of two equal keys does not count: objects in its value enclose nothing.
                self.objects[members[i - 1].objects.clone()]
                    .iter_mut()
                    .for_each(|object| object.range.end = object.range.start);
            }
        }
        let object = &mut self.objects[index];
        object.range.end = self.at;
        object.scalars.reserve_exact(members.len());
        object.scalars.extend(members.into_iter().filter_map(|member| Some((member.key, member.scalar?))));
        readable.then_some(())
    }

    /// Moves from an opening bracket or a member to the next member; where there is none, past `close`, and
    /// returns false.
    fn next(&mut self, close: u8) -> bool {
        self.blanks();
        if self.text.as_bytes()[self.at] != close {
            self.at += 1;
            self.blanks();
        }
        let more = self.text.as_bytes()[self.at] != close;
        self.at += usize::from(!more);
        more
    }

    fn blanks(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    /// Moves past the string that starts here; returns it with its quotes, and whether it has escapes.
    fn string(&mut self) -> (&'a str, bool) {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        while let Some(at) = memchr::memchr2(b'"', b'\\', &self.text.as_bytes()[self.at..]) {
            self.at += at + 1;
            if self.text.as_bytes()[self.at - 1] == b'"' {
                break;
            }
            self.at += 1;
            escaped = true;
        }
        (&self.text[start..self.at], escaped)
    }

    /// Moves past the object or array that starts here without indexing it.
    fn skip(&mut self) {
        let mut depth = 0;
        loop {
            match self.text.as_bytes()[self.at] {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

/// The text of a quoted string; none where that is not valid text (half a surrogate pair).
fn unescaped(quoted: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'\\', quoted.as_bytes()).is_some() {
        return serde_json::from_str(quoted).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
}

/// A string, number or boolean as text.
fn scalar(value: &str) -> Option<Cow<'_, str>> {
    if value.starts_with('"') { unescaped(value) } else { Some(Cow::Borrowed(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// An object's name and its scalars.
    type Named = (Option<String>, Vec<(String, String)>);

    /// Finds the objects around an offset with serde_json alone.
    struct Reference<'t> {
        text: &'t str,
        offset: usize,
        /// Outermost first.
        found: Vec<Named>,
    }

    impl Reference<'_> {
        fn descend(&mut self, value: &str, name: Option<&str>, depth: usize) {
            let start = value.as_ptr() as usize - self.text.as_ptr() as usize;
            if depth > MAX_DEPTH || !(start..start + value.len()).contains(&self.offset) {
                return;
            }
            if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(value) {
                let text = |value: &RawValue| match value.get().as_bytes()[0] {
                    b'"' => serde_json::from_str(value.get()).ok(),
                    b'{' | b'[' | b'n' => None,
                    _ => Some(value.get().to_string()),
                };
                let scalars =
                    members.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect();
                self.found.push((name.map(str::to_string), scalars));
                members.iter().for_each(|(key, value)| self.descend(value.get(), Some(key), depth + 1));
            } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value) {
                items.iter().for_each(|item| self.descend(item.get(), None, depth + 1));
            }
        }
    }

    fn agree(text: &str) {
        let root = serde_json::from_str::<&RawValue>(text).ok();
        let root = root.filter(|root| root.get().starts_with(['{', '[']));
        let document = Document::parse(text.as_bytes());
        assert_eq!(document.is_some(), root.is_some(), "{text}");
        let (Some(document), Some(root)) = (document, root) else { return };
        for offset in 0..text.len() {
            let mut reference = Reference { text, offset, found: Vec::new() };
            reference.descend(root.get(), None, 0);
            reference.found.reverse();
            let named = |object: ObjectView<'_>| {
                let text = |value| Some(scalar(value)?.into_owned());
                let scalars =
                    object.scalars.iter().filter_map(|(key, value)| Some((key.to_string(), text(value)?)));
                (object.name.map(str::to_string), scalars.collect())
            };
            let got: Vec<Named> = document.around(offset).map(named).collect();
            assert_eq!(got, reference.found, "{text} at {offset}");
        }
    }

    /// JSON and near misses, with few distinct keys so that some are equal.
    fn texts() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "1",
            "-2.5e3",
            "true",
            "null",
            "\"\"",
            "\"x\"",
            r#""\u0041\n""#,
            r#""\ud800""#,
            r#""{[\"""#,
            "\"é\"",
            "01",
            "x",
        ]);
        let key = prop::sample::select(vec!["a", "a", "b", "A", "é", "", r"\u0061", r"\ud800"]);
        let blank = prop::sample::select(vec!["", "", "", " ", "\n\t"]);
        leaf.prop_map(str::to_string).prop_recursive(5, 40, 4, move |inner| {
            let member = (key.clone(), blank.clone(), inner.clone())
                .prop_map(|(key, blank, value)| format!("{blank}\"{key}\"{blank}:{blank}{value}{blank}"));
            let item = (blank.clone(), inner).prop_map(|(blank, value)| format!("{value}{blank}"));
            prop_oneof![
                prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
                prop::collection::vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_serde(text in texts(), any in "[\\[\\]{}\":, a\\\\1-]{0,24}") {
            agree(&text);
            agree(&any);
        }
    }

    #[test]
    fn deep_objects_have_the_context_of_the_last_one_indexed() {
        agree(&format!("{}1{}", r#"{"a": ["x", "#.repeat(40), "]}".repeat(40)));
    }

    #[test]
    fn enclosing_objects_have_their_scalars() {
        let text = r#"{"a": 1, "list": [{"databaseName": "hr", "x": {"message": "HERE"}}, {"b": "\u0041"}]}"#;
        let document = Document::parse(text.as_bytes()).expect("JSON");
        let objects_at =
            |mark| document.around(text.find(mark).expect("present")).collect::<Vec<ObjectView<'_>>>();
        let objects = objects_at("HERE");
        assert_eq!(objects.len(), 3);
        assert_eq!(objects[0].get(&["message"]).as_deref(), Some("HERE"));
        assert_eq!(objects[0].name, Some("x"));
        assert_eq!(objects[1].get(&["DatabaseName"]).as_deref(), Some("hr"));
        assert_eq!(objects[2].get(&["a"]).as_deref(), Some("1"));
        assert_eq!(objects_at("u0041")[0].get(&["b"]).as_deref(), Some("A"));
        assert!(Document::parse(b"plain").is_none());
        assert!(Document::parse(b"{\"a\": 1} trailing").is_none());
        assert!(Document::parse(&[b'['; 200_000]).is_none(), "deep nesting is refused, not followed");
    }
}
