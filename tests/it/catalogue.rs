//! The built-in catalogue as data: it is complete, and every example is found with exactly its arguments.

use migsift::catalog::{BUILTIN_FILE, Catalog, builtin, parse};
use migsift::check::check;
use migsift::input::Window;
use migsift::matcher::{Match, MatchId, MatchQuality, Matcher};
use migsift::summary::Summary;

fn scan(matcher: &Matcher, text: &str) -> Vec<Match> {
    matcher.scan(&Window::whole(text.as_bytes()))
}

/// The table of 2024-05 has 23 codes and a warning without one, later editions have 19 more codes, and PostgreSQL prints
/// four symptoms.
#[test]
fn there_are_42_codes_and_five_conditions_without_one() {
    let entries = &builtin().entries;
    assert_eq!(entries.len(), 47);
    let first: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.code.as_deref())
        .filter(|code| FIRST.contains(code))
        .collect();
    assert_eq!(first, FIRST);
    assert_eq!(entries.iter().filter(|entry| entry.code.is_some()).count(), 42);
    let resolutions = |id: &str| builtin().entry(id).map(|entry| entry.resolutions.len());
    assert_eq!(resolutions("603406"), Some(3));
    assert_eq!(resolutions("603105"), Some(1));
    let unresolved =
        entries.iter().filter(|entry| entry.code.as_deref().is_some_and(|code| FIRST.contains(&code)));
    let unresolved = unresolved.filter(|entry| entry.resolutions.is_empty()).count();
    assert_eq!(unresolved, 13, "13 of the 23 codes have no resolution in the table");
}

/// The codes of the table of 2024-05.
const FIRST: [&str; 23] = [
    "603000", "603001", "603100", "603101", "603102", "603103", "603104", "603105", "603106", "603107",
    "603108", "603109", "603400", "603401", "603402", "603403", "603404", "603405", "603406", "603407",
    "603408", "603409", "603410",
];

#[test]
fn the_builtin_file_passes_its_own_check() {
    for entry in &builtin().entries {
        assert!(entry.examples.len() >= 2 && !entry.negatives.is_empty(), "{}", entry.id);
    }
    let checked = check(BUILTIN_FILE, builtin(), &Catalog::default());
    assert_eq!((checked.problems, checked.warnings), (Vec::new(), Vec::new()));
    assert_eq!(checked.entries, builtin().entries.len());
}

#[test]
fn a_title_alone_is_no_finding() {
    let matcher = Matcher::new(builtin());
    for entry in &builtin().entries {
        assert_eq!(scan(&matcher, &entry.title), [], "{}", entry.title);
        let coded = entry.code.as_ref().map(|code| format!("Error {code}: {}", entry.title));
        assert!(coded.is_none_or(|text| scan(&matcher, &text).len() == 1), "{}", entry.id);
    }
}

/// The template's text with plausible values is an exact match with all arguments, with any quotes.
#[test]
fn every_wording_is_exact_in_all_quotes() {
    let matcher = Matcher::new(builtin());
    for (index, entry) in builtin().entries.iter().enumerate() {
        for wording in &entry.wordings {
            for quotes in ["", "'", "\"", "`"] {
                let bare = wording.text.replace("`{", "{").replace("}`", "}");
                let text = migsift::catalog::Template::fill(&bare, |name| {
                    let argument =
                        entry.arguments.iter().find(|argument| &*argument.name == name).expect("declared");
                    let value = match argument.kind {
                        migsift::catalog::ValueKind::Text => "app.orders-2",
                        migsift::catalog::ValueKind::List => "postgis, pg_cron",
                        migsift::catalog::ValueKind::Number => "12",
                        migsift::catalog::ValueKind::Version => "9.6",
                        migsift::catalog::ValueKind::Word => "replica",
                    };
                    format!("{quotes}{value}{quotes}")
                });
                let found = scan(&matcher, &text);
                let [only] = &found[..] else { panic!("{text:?}: {found:?}") };
                assert_eq!((only.id, only.quality), (MatchId::Entry(index), MatchQuality::Exact), "{text}");
                assert_eq!(only.args.len(), wording.arguments().len(), "{text}");
            }
        }
    }
}

#[test]
fn anchors_are_few_and_long_enough() {
    let matcher = Matcher::new(builtin());
    let anchors: Vec<String> =
        matcher.anchors().iter().map(|anchor| String::from_utf8_lossy(&anchor.bytes).into_owned()).collect();
    assert!(anchors.len() <= 32, "{anchors:?}");
    assert!(anchors.iter().all(|anchor| anchor.len() >= 4), "{anchors:?}");
}

/// An argument's subject decides what it names; its own name does not matter.
#[test]
fn servers_are_counted_by_the_subject_of_an_argument() {
    let text = std::fs::read_to_string(crate::top().join("patterns/azure-postgres-migration.toml"));
    let text = text.expect("reads").replace("{server}", "{host}");
    let text = text.replace("name = \"server\"", "name = \"host\"").replace("server = \"", "host = \"");
    let catalog = parse("renamed.toml", &text).expect("a catalogue");
    let matcher = Matcher::new(&catalog);
    let log =
        b"The password for server pg1 is incorrect. Enter the correct password and retry the migration.\n";
    let mut summary = Summary::default();
    for finding in matcher.findings(log) {
        assert_eq!(&*finding.args[0].0, "host");
        summary.add(&finding, catalog.entry(&finding.id).map(|entry| &**entry), 0);
    }
    let servers: Vec<_> = summary.codes.values().flat_map(|code| &code.servers).collect();
    assert_eq!(servers, [(&"pg1".to_string(), &1)]);
}
