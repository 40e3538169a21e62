//! JSON documents: an index of their objects by place.
//!
//! The bytes of a document come in; a [`Document`] returns, for an offset, the objects that enclose it,
//! innermost first, each with its own name and its scalar members. serde_json decides whether the bytes are
//! JSON; after that one walk over them is enough to build the index. The document does not know what its keys
//! mean, except that the text of one kind of array is kept for [`super::migration_info`].

use crate::matcher::work;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;

/// The deepest nesting that is indexed; what is deeper has the context of the last object indexed.
const MAX_DEPTH: usize = 64;
/// Members that an object has space for at first: most records have no more.
const USUAL_MEMBERS: usize = 8;
/// Arrays under this key are kept as text: a migration's resource lists its databases there.
const ARRAY_KEY: &str = "dbsToMigrate";

/// A part of the text, in bytes.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(range: Range<usize>) -> Span {
        // A text of four gigabytes is refused.
        Span { start: range.start as u32, end: range.end as u32 }
    }

    fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

/// The key of a member.
#[derive(Debug, Clone)]
enum Key {
    /// As written, without its quotes.
    Written(Span),
    /// One with escapes.
    Unescaped(Box<str>),
}

impl Key {
    fn of<'d>(&'d self, text: &'d str) -> &'d str {
        match self {
            Key::Written(span) => span.of(text),
            Key::Unescaped(key) => key,
        }
    }
}

/// An object of a document.
#[derive(Debug)]
struct Object {
    range: Range<usize>,
    /// The key it is the value of; none for the root and for items of an array.
    name: Option<Key>,
    /// Its scalar members by key, as written; of equal keys the last.
    scalars: Vec<(Key, Span)>,
    /// The last of its members that is an array under [`ARRAY_KEY`], as written.
    array: Option<Span>,
    parent: Option<usize>,
}

/// The objects of a JSON document.
///
/// It owns a copy of the text: the bytes of a mapped file may change after they were found to be UTF-8.
#[derive(Debug)]
pub struct Document {
    text: String,
    /// In the order in which they start.
    objects: Vec<Object>,
}

/// One object of a document, to look at.
#[derive(Debug, Clone, Copy)]
pub struct ObjectView<'d> {
    /// The key it is the value of.
    pub name: Option<&'d str>,
    text: &'d str,
    scalars: &'d [(Key, Span)],
}

impl<'d> ObjectView<'d> {
    /// The value of the first of `keys` that is a scalar here; keys are compared without case. This looks at every
    /// scalar, so a caller with many findings in one object keeps what it returns.
    pub fn get(&self, keys: &[&str]) -> Option<Cow<'d, str>> {
        keys.iter().find_map(|key| {
            let mut named = self.scalars().filter(|(name, _)| name.eq_ignore_ascii_case(key));
            named.find_map(|(_, value)| scalar(value))
        })
    }

    /// Whether one of the keys of its scalars satisfies `is`.
    pub fn has_key(&self, is: impl Fn(&str) -> bool) -> bool {
        self.scalars().any(|(key, _)| is(key))
    }

    /// Its strings by key, with their escapes.
    pub fn strings(&self) -> impl Iterator<Item = (&'d str, &'d str)> + use<'d> {
        let quoted = |value: &'d str| value.strip_prefix('"')?.strip_suffix('"');
        self.scalars().filter_map(move |(key, value)| Some((key, quoted(value)?)))
    }

    /// Its scalars by key, as written.
    fn scalars(&self) -> impl Iterator<Item = (&'d str, &'d str)> + use<'d> {
        work::add(self.scalars.len());
        let (text, scalars) = (self.text, self.scalars);
        scalars.iter().map(move |(key, value)| (key.of(text), value.of(text)))
    }
}

impl Document {
    /// Reads `bytes`; none if they are not one JSON object or array.
    pub fn parse(bytes: &[u8]) -> Option<Document> {
        let first = bytes.trim_ascii_start().first()?;
        if !matches!(first, b'{' | b'[') || u32::try_from(bytes.len()).is_err() {
            return None;
        }
        work::add(bytes.len());
        let text = String::from_utf8(bytes.to_vec()).ok()?;
        let root: &RawValue = serde_json::from_str(&text).ok()?;
        // What changed since the first look may be no object any more.
        let at = root
            .get()
            .starts_with(['{', '['])
            .then(|| root.get().as_ptr() as usize - text.as_ptr() as usize)?;
        let mut indexer = Indexer { text: &text, at, objects: Vec::new() };
        indexer.value(None, None, 0);
        let objects = indexer.objects;
        Some(Document { text, objects })
    }

    /// The object with this index.
    pub fn object(&self, index: usize) -> ObjectView<'_> {
        self.view(&self.objects[index])
    }

    fn view<'d>(&'d self, object: &'d Object) -> ObjectView<'d> {
        let name = object.name.as_ref().map(|name| name.of(&self.text));
        ObjectView { name, text: &self.text, scalars: &object.scalars }
    }

    /// The index of the object around the one with this index.
    pub fn parent(&self, index: usize) -> Option<usize> {
        self.objects[index].parent
    }

    /// The objects inside the one with this index, each with the name of the object around it.
    pub fn within(&self, index: usize) -> impl Iterator<Item = (ObjectView<'_>, Option<&str>)> {
        let end = self.objects[index].range.end;
        let inner = self.objects[index + 1..].iter().take_while(move |object| object.range.start < end);
        inner.map(|object| (self.view(object), object.parent.and_then(|parent| self.object(parent).name)))
    }

    /// The strings of the kept array that the object with this index has as a member.
    pub fn array_strings(&self, index: usize) -> Vec<String> {
        let array = self.objects[index].array.map(|array| array.of(&self.text));
        work::add(array.map_or(0, str::len));
        let values: Vec<&RawValue> =
            array.and_then(|array| serde_json::from_str(array).ok()).unwrap_or_default();
        values.into_iter().filter_map(|value| serde_json::from_str(value.get()).ok()).collect()
    }

    /// The index of the innermost object around `offset`.
    pub fn innermost(&self, offset: usize) -> Option<usize> {
        // Only the last object that starts before it and the ones around that one can enclose it.
        let last = self.objects.partition_point(|object| object.range.start <= offset).checked_sub(1)?;
        self.outwards(last).find(|index| self.objects[*index].range.contains(&offset))
    }

    /// The indices of the object with this index and of those around it, innermost first: at most one for each level
    /// that is indexed.
    pub fn outwards(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(index), |index| self.objects[*index].parent)
    }
}

/// Builds the index in one walk over a text that is known to be JSON.
struct Indexer<'a> {
    text: &'a str,
    at: usize,
    objects: Vec<Object>,
}

/// A member of an object that is being read.
struct Member {
    key: Key,
    /// Its value, if that is a scalar.
    scalar: Option<Span>,
    /// The objects in its value, by index.
    objects: Range<usize>,
}

impl Indexer<'_> {
    /// Moves past the value that starts here; returns its text if it is a scalar other than null.
    fn value(&mut self, name: Option<&Key>, parent: Option<usize>, depth: usize) -> Option<Span> {
        match self.text.as_bytes()[self.at] {
            b'{' if depth <= MAX_DEPTH => {
                let index = self.objects.len();
                if self.object(name, parent, depth).is_none() {
                    self.objects.truncate(index);
                }
            }
            b'[' if depth <= MAX_DEPTH => {
                while self.next(b']') {
                    self.value(None, parent, depth + 1);
                }
            }
            b'{' | b'[' => self.skip(),
            b'"' => {
                let start = self.at;
                self.string();
                return Some(Span::new(start..self.at));
            }
            first => {
                let start = self.at;
                let rest = &self.text.as_bytes()[start..];
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
                return (first != b'n').then(|| Span::new(start..self.at));
            }
        }
        None
    }

    /// Indexes an object; none where a key is not valid text (half a surrogate pair).
    fn object(&mut self, name: Option<&Key>, parent: Option<usize>, depth: usize) -> Option<()> {
        let (index, start) = (self.objects.len(), self.at);
        let range = start..start;
        self.objects.push(Object { range, name: name.cloned(), scalars: Vec::new(), array: None, parent });
        let mut members: Vec<Member> = Vec::with_capacity(USUAL_MEMBERS);
        let mut readable = true;
        while self.next(b'}') {
            let quoted = self.at;
            let key = match self.string() {
                Escapes::None => Some(Key::Written(Span::new(quoted + 1..self.at - 1))),
                Escapes::Some => unescaped(&self.text[quoted..self.at]).map(|key| Key::Unescaped(key.into())),
            };
            // Past the colon.
            self.blanks();
            self.at += 1;
            self.blanks();
            let first = self.objects.len();
            readable &= key.is_some();
            let key = key.unwrap_or_else(|| Key::Unescaped("".into()));
            let start = self.at;
            let scalar = self.value(Some(&key), Some(index), depth + 1);
            if self.text.as_bytes()[start] == b'[' && key.of(self.text).eq_ignore_ascii_case(ARRAY_KEY) {
                self.objects[index].array = Some(Span::new(start..self.at));
            }
            members.push(Member { key, scalar, objects: first..self.objects.len() });
        }
        members.sort_by(|a, b| a.key.of(self.text).cmp(b.key.of(self.text)));
        for i in 1..members.len() {
            if members[i - 1].key.of(self.text) == members[i].key.of(self.text) {
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

    /// Moves past the string that starts here; returns whether it has escapes.
    fn string(&mut self) -> Escapes {
        let mut escapes = Escapes::None;
        self.at += 1;
        while let Some(at) = memchr::memchr2(b'"', b'\\', &self.text.as_bytes()[self.at..]) {
            self.at += at + 1;
            if self.text.as_bytes()[self.at - 1] == b'"' {
                break;
            }
            self.at += 1;
            escapes = Escapes::Some;
        }
        escapes
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

/// Whether a string has escapes.
enum Escapes {
    None,
    Some,
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
            let named = |index| {
                let object = document.object(index);
                let text = |value| Some(scalar(value)?.into_owned());
                let scalars =
                    object.scalars().filter_map(|(key, value)| Some((key.to_string(), text(value)?)));
                (object.name.map(str::to_string), scalars.collect())
            };
            let innermost = document.innermost(offset);
            let around = innermost.into_iter().flat_map(|innermost| document.outwards(innermost));
            let got: Vec<Named> = around.map(named).collect();
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
        let objects_at = |mark| {
            let innermost = document.innermost(text.find(mark).expect("present")).expect("an object");
            document.outwards(innermost).map(|index| document.object(index)).collect::<Vec<ObjectView<'_>>>()
        };
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
