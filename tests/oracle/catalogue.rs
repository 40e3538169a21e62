//! Pattern files and the tables they are made from: any text is accepted, or refused with the place of the problem. What is
//! accepted can be scanned with, checked and explained, and is the same when it is written and parsed again.

use migsift::catalog::import::{PlaceholderNames, import};
use migsift::catalog::{Catalog, builtin, diff::CatalogDifference, parse};
use migsift::check;
use migsift::error::Error;
use migsift::explain::Explanation;
use migsift::input::Window;
use migsift::matcher::Matcher;
use migsift::print::human;
use migsift::text::is_hidden;

/// A few entries.
const MOST: usize = 8 << 10;

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(&data[..data.len().min(MOST)]);
    match parse("own.toml", &text) {
        Ok(catalog) => accepted(&catalog, &text),
        Err(error) => refused(&error),
    }
    match import("codes.md", &text, &PlaceholderNames::new(), builtin()) {
        Ok(imported) => {
            let again = parse("imported.toml", &imported.text).expect("an imported file is accepted");
            assert!(CatalogDifference::new(&imported.catalog, &again).is_empty());
            accepted(&imported.catalog, &imported.text);
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &Error) {
    let Error::Catalog(problems) = error else { panic!("{error}") };
    assert!(!problems.is_empty());
    assert!(problems.iter().all(|problem| !problem.message.is_empty()));
}

fn accepted(catalog: &Catalog, text: &str) {
    assert!(!catalog.entries.is_empty());
    let again = parse("own.toml", text).expect("it is accepted again");
    assert_eq!(again.fingerprint(), catalog.fingerprint());
    let matcher = Matcher::new(catalog);
    let window = Window::whole(text.as_bytes());
    for found in matcher.scan(&window) {
        assert!(!found.range.is_empty() && found.range.end <= text.len());
    }
    let checked = check::check("own.toml", catalog, builtin());
    assert_eq!(checked.entries, catalog.entries.len());
    for entry in &catalog.entries {
        let mut shown = Vec::new();
        let layout = human::Layout { width: Some(80), color: false, plan: false };
        human::write_explanation(&Explanation::from(&**entry), layout, &mut shown).expect("writes");
        let shown = String::from_utf8(shown).expect("UTF-8");
        let raw = |c: char| is_hidden(c) && c != '\n';
        assert!(!shown.contains(raw), "{shown:?}");
    }
}
