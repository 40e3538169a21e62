//! JSON documents: what the objects around a place say.
//!
//! A document comes in as bytes; a [`Document`] answers, for an offset, with the names and scalar values of the objects
//! that enclose it, innermost first. serde_json says whether it is JSON; what it is then needs one walk over the bytes.

use super::about::{self, About};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

/// The deepest nesting that is read; deeper objects have the context of the last one read.
const MAX_DEPTH: usize = 64;

/// An object of a document.
#[derive(Debug)]
struct Object<'a> {
    range: Range<usize>,
    /// The key it stands under, if it is a value of an object.
    name: Option<Cow<'a, str>>,
    /// Its scalar members by key, as they are written; of equal keys the last.
    scalars: Vec<(Cow<'a, str>, &'a str)>,
    parent: Option<usize>,
}

/// The objects of a JSON document.
#[derive(Debug)]
pub struct Document<'a> {
    /// In the order in which they begin.
    objects: Vec<Object<'a>>,
    /// The arrays that list the databases of a migration, as written, with the object they stand in.
    lists: Vec<(usize, &'a str)>,
    /// What the resource asked for last says, by its object.
    kept: RefCell<Option<(usize, Arc<About>)>>,
}

/// How many members an object has room for at first: most records have no more.
const USUAL_MEMBERS: usize = 8;
/// The key under which a migration's resource lists its databases.
const LIST_KEY: &str = "dbsToMigrate";

/// What one enclosing object says.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    /// The key it stands under.
    pub name: Option<&'a str>,
    scalars: &'a [(Cow<'a, str>, &'a str)],
}

impl<'a> Level<'a> {
    /// The value of the first of `keys` that it has as a scalar; keys are compared without case.
    pub fn get(&self, keys: &[&str]) -> Option<Cow<'a, str>> {
        keys.iter().find_map(|key| {
            let mut named = self.scalars.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
            named.find_map(|(_, value)| scalar(value))
        })
    }

    /// Whether `is` holds for one of the keys of its scalars.
    pub fn names(&self, is: impl Fn(&str) -> bool) -> bool {
        self.scalars.iter().any(|(key, _)| is(key))
    }

    /// Its strings by key, escapes as they are written.
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
        let mut walk = Walk { text, at, objects: Vec::new(), lists: Vec::new() };
        walk.value(None, None, 0);
        Some(Document { objects: walk.objects, lists: walk.lists, kept: RefCell::new(None) })
    }

    /// What the migration's resource around `offset` and the ids around it say, if there is anything.
    pub fn about(&self, offset: usize) -> Option<Arc<About>> {
        let mut found = About::default();
        about::levels(self.around(offset), &mut found);
        let Some(index) = self.indices(offset).find(|index| about::is_migration(self.level(*index))) else {
            return (found != About::default()).then(|| Arc::new(found));
        };
        let mut kept = self.kept.borrow_mut();
        let resource = match &*kept {
            Some((known, resource)) if *known == index => resource.clone(),
            _ => kept.insert((index, Arc::new(about::resource(self, index)))).1.clone(),
        };
        if found == About::default() {
            return Some(resource);
        }
        let About { server, tracking, .. } = found;
        Some(Arc::new(About { server, tracking, ..About::clone(&resource) }))
    }

    /// The object with this index.
    pub fn level(&self, index: usize) -> Level<'_> {
        let object = &self.objects[index];
        Level { name: object.name.as_deref(), scalars: &object.scalars }
    }

    /// The object around the one with this index.
    pub fn parent(&self, index: usize) -> Option<usize> {
        self.objects[index].parent
    }

    /// The objects in the one with this index, with the key under which the object around each stands.
    pub fn within(&self, index: usize) -> impl Iterator<Item = (Level<'_>, Option<&str>)> {
        let end = self.objects[index].range.end;
        let inner = self.objects[index + 1..].iter().take_while(move |object| object.range.start < end);
        inner.map(|object| {
            let above = object.parent.and_then(|parent| self.objects[parent].name.as_deref());
            (Level { name: object.name.as_deref(), scalars: &object.scalars }, above)
        })
    }

    /// The databases that the object with this index lists.
    pub fn names_within(&self, index: usize) -> Vec<String> {
        let list = self.lists.iter().rfind(|(object, _)| *object == index);
        let values: Vec<&RawValue> =
            list.and_then(|(_, list)| serde_json::from_str(list).ok()).unwrap_or_default();
        values.into_iter().filter_map(|value| serde_json::from_str(value.get()).ok()).collect()
    }

    /// The objects around `offset`, innermost first.
    pub fn around(&self, offset: usize) -> impl Iterator<Item = Level<'_>> {
        self.indices(offset).map(|index| self.level(index))
    }

    /// The same as indices.
    fn indices(&self, offset: usize) -> impl Iterator<Item = usize> {
        // Around it are only the last object that begins before it and those that hold this one.
        let last = self.objects.partition_point(|object| object.range.start <= offset).checked_sub(1);
        let up = |at: &usize| self.objects[*at].parent;
        std::iter::successors(last, up).filter(move |at| self.objects[*at].range.contains(&offset))
    }
}

/// A walk over a text that is known to be JSON.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    objects: Vec<Object<'a>>,
    lists: Vec<(usize, &'a str)>,
}

/// A member of an object that is being read.
struct Member<'a> {
    key: Cow<'a, str>,
    /// Its value, if that is a scalar.
    scalar: Option<&'a str>,
    /// The objects in its value, by index.
    objects: Range<usize>,
}

impl<'a> Walk<'a> {
    /// Reads the value that begins here and goes behind it; gives it if it is a scalar.
    fn value(&mut self, name: Option<&Cow<'a, str>>, parent: Option<usize>, depth: usize) -> Option<&'a str> {
        match self.text.as_bytes()[self.at] {
            b'{' if depth <= MAX_DEPTH => {
                let index = self.objects.len();
                if self.object(name, parent, depth).is_none() {
                    self.objects.truncate(index);
                    self.lists.retain(|(object, _)| *object < index);
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

    /// Reads an object; none where a key is no text.
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
            // Behind the colon.
            self.blanks();
            self.at += 1;
            self.blanks();
            let first = self.objects.len();
            readable &= key.is_some();
            let key = key.unwrap_or_default();
            let start = self.at;
            let scalar = self.value(Some(&key), Some(index), depth + 1);
            if self.text.as_bytes()[start] == b'[' && key.eq_ignore_ascii_case(LIST_KEY) {
                self.lists.push((index, &self.text[start..self.at]));
            }
            members.push(Member { key, scalar, objects: first..self.objects.len() });
        }
        members.sort_by(|a, b| a.key.cmp(&b.key));
        for i in 1..members.len() {
            if members[i - 1].key == members[i].key {
                members[i - 1].scalar = None;
                // What stands in a value that does not count is told by what is around.
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

    /// Goes on from an opening bracket or a member to the next member; behind `close` and no if there is none.
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

    /// Goes behind the string that begins here and gives it with its quotes, and whether anything in it is escaped.
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

    /// Goes behind the object or array that begins here.
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

/// What a quoted string says; none where it is no text (half a surrogate pair).
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

    type Told = (Option<String>, Vec<(String, String)>);

    /// The objects around `offset`, outermost first, as serde_json alone reads them.
    fn plain(
        whole: &str,
        value: &str,
        name: Option<&str>,
        depth: usize,
        offset: usize,
        told: &mut Vec<Told>,
    ) {
        let start = value.as_ptr() as usize - whole.as_ptr() as usize;
        if depth > MAX_DEPTH || !(start..start + value.len()).contains(&offset) {
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
            told.push((name.map(str::to_string), scalars));
            members.iter().for_each(|(key, value)| {
                plain(whole, value.get(), Some(key), depth + 1, offset, told);
            });
        } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value) {
            items.iter().for_each(|item| plain(whole, item.get(), None, depth + 1, offset, told));
        }
    }

    fn agree(text: &str) {
        let root = serde_json::from_str::<&RawValue>(text).ok();
        let root = root.filter(|root| root.get().starts_with(['{', '[']));
        let document = Document::parse(text.as_bytes());
        assert_eq!(document.is_some(), root.is_some(), "{text}");
        let (Some(document), Some(root)) = (document, root) else { return };
        for offset in 0..text.len() {
            let mut want = Vec::new();
            plain(text, root.get(), None, 0, offset, &mut want);
            want.reverse();
            let told = |level: Level<'_>| {
                let text = |value| Some(scalar(value)?.into_owned());
                let scalars =
                    level.scalars.iter().filter_map(|(key, value)| Some((key.to_string(), text(value)?)));
                (level.name.map(str::to_string), scalars.collect())
            };
            let got: Vec<Told> = document.around(offset).map(told).collect();
            assert_eq!(got, want, "{text} at {offset}");
        }
    }

    /// JSON and what is nearly JSON, with few keys so that some are equal.
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
        fn one_walk_tells_what_serde_tells(text in texts(), any in "[\\[\\]{}\":, a\\\\1-]{0,24}") {
            agree(&text);
            agree(&any);
        }
    }

    #[test]
    fn deep_objects_have_the_context_of_the_last_one_read() {
        agree(&format!("{}1{}", r#"{"a": ["x", "#.repeat(40), "]}".repeat(40)));
    }

    #[test]
    fn enclosing_objects_tell_their_scalars() {
        let text = r#"{"a": 1, "list": [{"databaseName": "hr", "x": {"message": "HERE"}}, {"b": "\u0041"}]}"#;
        let document = Document::parse(text.as_bytes()).expect("JSON");
        let levels_at = |mark| document.around(text.find(mark).expect("there")).collect::<Vec<Level<'_>>>();
        let levels = levels_at("HERE");
        assert_eq!(levels.len(), 3);
        assert_eq!(levels[0].get(&["message"]).as_deref(), Some("HERE"));
        assert_eq!(levels[0].name, Some("x"));
        assert_eq!(levels[1].get(&["DatabaseName"]).as_deref(), Some("hr"));
        assert_eq!(levels[2].get(&["a"]).as_deref(), Some("1"));
        assert_eq!(levels_at("u0041")[0].get(&["b"]).as_deref(), Some("A"));
        assert!(Document::parse(b"plain").is_none());
        assert!(Document::parse(b"{\"a\": 1} trailing").is_none());
        assert!(Document::parse(&[b'['; 200_000]).is_none(), "deep nesting is refused, not followed");
    }
}
