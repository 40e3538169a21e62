//! What files import: lower layers only, and no file depends on itself by way of others.
//!
//! Imports are read from the sources: `use` declarations, braces included, and paths in the code that start with
//! `crate`, `super`, `self` or `migsift`. A name that a module re-exports counts as an import of the file that defines it.

use crate::{files, top};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The layers of the modules, as the table in the crate's documentation has them.
const LAYERS: [(&str, u32); 23] = [
    ("error", 0),
    ("source", 0),
    ("text", 0),
    ("catalog", 10),
    ("redact", 15),
    ("input", 20),
    ("matcher", 30),
    ("context", 31),
    ("finding", 40),
    ("summary", 41),
    ("check", 42),
    ("scan", 50),
    ("report", 60),
    ("explain", 61),
    ("baseline", 62),
    ("record", 63),
    ("merge", 64),
    ("diff", 65),
    ("store", 66),
    ("print", 70),
    ("builder", 75),
    ("cli", 80),
    ("main", 81),
];

/// A module's path from the crate's root, `cli` counted as a module of it.
type Module = Vec<String>;

/// All modules with the text of their files.
struct Crate {
    texts: BTreeMap<Module, String>,
    /// The names that a module re-exports, with the paths that it gives for them.
    reexports: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

impl Crate {
    fn read() -> Crate {
        let source = top().join("src");
        let mut texts = BTreeMap::new();
        for path in files(&source, "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            texts.insert(module(path.strip_prefix(&source).expect("in src")), code(&text));
        }
        let reexports = texts.iter().map(|(module, text)| (module.clone(), reexports(text))).collect();
        Crate { texts, reexports }
    }

    /// The modules whose files define what `module` imports.
    fn imports(&self, module: &Module) -> BTreeSet<Module> {
        let paths = paths(&self.texts[module]);
        let resolved = paths.iter().filter_map(|path| self.resolve(module, path, 0));
        resolved.filter(|target| target != module).collect()
    }

    /// The module that defines what `path`, as written in `module`, names.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        let mut at = module.clone();
        let mut rest = path;
        while let [first, more @ ..] = rest {
            match first.as_str() {
                "crate" | "migsift" => at = Vec::new(),
                "super" => drop(at.pop()?),
                "self" => {}
                _ => break,
            }
            rest = more;
        }
        while let [name, more @ ..] = rest {
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.texts.contains_key(&child) {
                (at, rest) = (child, more);
                continue;
            }
            let reexported = self.reexports.get(&at).and_then(|names| names.get(name));
            return match reexported {
                Some(path) if depth < 8 => self.resolve(&at, path, depth + 1),
                _ => Some(at),
            };
        }
        Some(at)
    }
}

/// The module of a file in `src`; the crate's root and the program's main file are the root.
fn module(path: &Path) -> Module {
    let parts = path.with_extension("");
    let mut parts: Module =
        parts.iter().map(|part| part.to_str().expect("a plain name").to_string()).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] {
        parts.pop();
    }
    parts
}

/// The text without comments and tests.
fn code(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..tests].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The bodies of `use` declarations that start with `start`.
fn declarations<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(start) {
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        if line.trim().is_empty() {
            found.extend(text[at + start.len()..].split(';').next());
        }
    }
    found
}

/// The paths of a `use` tree, braces expanded; a new name (`as`) is dropped.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    if let Some((head, inner)) = tree.split_once('{') {
        let head: Vec<String> = names(head);
        let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
        let mut depth = 0;
        let parts = inner.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        let parts = parts.filter(|part| !part.trim().is_empty()).flat_map(expand);
        return parts.map(|part| [head.clone(), part].concat()).collect();
    }
    vec![names(tree.split(" as ").next().unwrap_or_default())]
}

fn names(path: &str) -> Vec<String> {
    path.split("::").map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect()
}

/// All paths to modules of the crate that a text names.
fn paths(text: &str) -> Vec<Vec<String>> {
    let is_ours = |path: &Vec<String>| matches!(path[0].as_str(), "crate" | "super" | "self" | "migsift");
    let uses = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
    let declared = uses.iter().flat_map(|start| declarations(text, start)).flat_map(expand);
    let mut paths: Vec<Vec<String>> = declared.filter(|path| !path.is_empty()).collect();
    for start in ["crate::", "super::", "self::", "migsift::"] {
        for (at, _) in text.match_indices(start) {
            let whole = |c: char| c.is_alphanumeric() || c == '_';
            if !text[..at].ends_with(|c: char| whole(c) || c == ':') {
                let path = text[at..].split(|c: char| !whole(c) && c != ':').next().unwrap_or_default();
                paths.push(names(path));
            }
        }
    }
    // `use board::Board;` is a parent's import of its child, and `crate::{` was expanded above.
    paths.retain(|path| path.len() > 1 && is_ours(path));
    paths
}

/// The names that `pub use` declarations give to what other modules define.
fn reexports(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for start in ["pub use ", "pub(crate) use ", "pub(super) use "] {
        for tree in declarations(text, start) {
            for path in expand(tree) {
                found.extend(path.last().cloned().map(|name| (name, path)));
            }
        }
    }
    found
}

#[test]
fn modules_import_only_lower_layers() {
    let layer = |name: &str| LAYERS.iter().find(|(known, _)| *known == name).map(|(_, layer)| *layer);
    let source = Crate::read();
    for module in source.texts.keys().filter(|module| !module.is_empty()) {
        let own = layer(&module[0]).unwrap_or_else(|| panic!("{} has no layer", module[0]));
        for import in source.imports(module).iter().filter(|import| !import.is_empty()) {
            let other = layer(&import[0]).unwrap_or_else(|| panic!("{} has no layer", import[0]));
            assert!(import[0] == module[0] || other < own, "{}: imports {}", module.join("::"), import[0]);
        }
    }
}

/// A parent may import its children and be imported by them; apart from that, imports form no cycle.
#[test]
fn no_file_depends_on_itself() {
    let source = Crate::read();
    let is_kin = |a: &Module, b: &Module| a.starts_with(b) || b.starts_with(a);
    let graph: BTreeMap<&Module, Vec<Module>> = source
        .texts
        .keys()
        .map(|module| (module, source.imports(module).into_iter().filter(|to| !is_kin(module, to)).collect()))
        .collect();
    let mut cycles = Vec::new();
    for start in graph.keys() {
        // What is reached from here; a file reached by its own imports is on a cycle.
        let (mut reached, mut open) = (BTreeSet::new(), graph[*start].clone());
        while let Some(next) = open.pop() {
            if reached.insert(next.clone()) {
                open.extend(graph[&next].iter().cloned());
            }
        }
        if reached.contains(*start) {
            let with: Vec<String> = graph[*start].iter().map(|to| to.join("::")).collect();
            cycles.push(format!("{} (imports {})", start.join("::"), with.join(", ")));
        }
    }
    assert!(cycles.is_empty(), "files on a cycle:\n{}", cycles.join("\n"));
}

#[test]
fn imports_are_read_from_braces_paths_and_reexports() {
    let text = |text: &str| code(text);
    let texts = BTreeMap::from([
        (vec![], text("pub mod a;\npub mod b;\n")),
        (vec!["a".into()], text("mod x;\nmod y;\npub use x::{X, Z as W};\n")),
        (vec!["a".into(), "x".into()], text("// use crate::b;\npub struct X;\n")),
        (vec!["a".into(), "y".into()], text("use super::{X};\nuse crate::{b::{self, B}, a};\n")),
        (
            vec!["b".into()],
            text("fn f() { crate::a::X::new() }\n#[cfg(test)]\nmod tests { use crate::a; }\n"),
        ),
    ]);
    let reexports = texts.iter().map(|(module, text): (&Module, &String)| (module.clone(), reexports(text)));
    let source = Crate { reexports: reexports.collect(), texts: texts.clone() };
    let imports = |path: &[&str]| -> Vec<String> {
        let module: Module = path.iter().map(|name| name.to_string()).collect();
        source.imports(&module).iter().map(|to| to.join("::")).collect()
    };
    assert_eq!(imports(&["a", "y"]), ["a", "a::x", "b"]);
    assert_eq!(imports(&["b"]), ["a::x"]);
    assert!(imports(&["a", "x"]).is_empty());
}
