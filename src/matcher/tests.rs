//! Tests of the whole matcher: that both stages find what `naive` finds, and what single texts mean.

use super::*;
use crate::catalog::{Alphabet, CodeSpace, Template, builtin};
use proptest::prelude::*;
use std::sync::OnceLock;

fn matcher() -> &'static Matcher {
    static MATCHER: OnceLock<Matcher> = OnceLock::new();
    MATCHER.get_or_init(|| Matcher::new(builtin()))
}

/// Short lines of messages and pieces of them: no line is longer than the matcher reads around a hit.
fn piece() -> impl Strategy<Value = String> {
    let message = (0..builtin().entries.len(), 0usize..6, 0usize..400).prop_map(|(index, container, cut)| {
        let entry = &builtin().entries[index];
        let text =
            Template::fill(entry.wordings.first().map_or("", |wording| &wording.text), |_| "9".to_string());
        let code = entry.code.as_deref().unwrap_or("none");
        match container {
            0 => format!("2024-06-06 21:42:53.039 80 ERROR  x.c:1   {text}\n"),
            1 => format!("603{}: {text}\n", &code[3..]),
            2 => text.replace("n't", "n\\u0027t").replace(' ', "  "),
            3 => text.chars().take(cut).collect(),
            4 => format!("{text}\n").replace("n't", " not"),
            _ => text.replacen(' ', "\n", 3),
        }
    });
    prop_oneof![4 => message, 1 => "[a-z .'\"]{0,30}", 2 => Just("\n".to_string()), 1 => "603[0-9]{3}: "]
}

proptest! {
    #[test]
    fn two_stages_find_what_trying_everything_finds(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let found = matcher().scan(&Window::whole(text.as_bytes()));
        prop_assert_eq!(found, naive(matcher(), text.as_bytes()));
    }
}

/// A code space, a code of it and the word that people call it.
fn coded() -> impl Strategy<Value = (CodeSpace, Code)> {
    let rest = prop_oneof![
        "[0-9]{2,6}".prop_map(|rest| (Alphabet::Digits, rest)),
        "[0-9A-Z]{2,6}".prop_map(|rest| (Alphabet::Alphanumeric, rest)),
    ];
    let word = prop::sample::select(vec!["code", "SQLSTATE", "service code"]);
    ("[0-9A-Z]{1,4}", rest, word)
        .prop_map(|(prefix, (alphabet, rest), word)| {
            let code = Code::new(format!("{prefix}{rest}")).expect("a code");
            (CodeSpace::new(&prefix, alphabet, code.len(), word).expect("a code space"), code)
        })
        .prop_filter("letters alone are no code", |(space, code)| space.contains(&**code))
}

/// The built-in catalogue with more code spaces, some of which overlap.
fn matcher_of_several_spaces() -> &'static Matcher {
    static MATCHER: OnceLock<Matcher> = OnceLock::new();
    MATCHER.get_or_init(|| {
        let mut catalog = builtin().clone();
        let more = [
            ("60", Alphabet::Digits, 6, "code"),
            ("60", Alphabet::Alphanumeric, 5, "code"),
            ("S", Alphabet::Digits, 5, "service code"),
            ("42", Alphabet::Alphanumeric, 5, "SQLSTATE"),
        ];
        let more =
            more.map(|(prefix, alphabet, length, word)| CodeSpace::new(prefix, alphabet, length, word));
        catalog.code_spaces.extend(more.map(|space| space.expect("a code space")));
        Matcher::new(&catalog)
    })
}

proptest! {
    #[test]
    fn codes_of_any_space_are_found_where_the_text_announces_them(
        (space, code) in coded(),
        container in 0usize..7,
        (before, after) in ("[a-z ,]{0,40}\n", "\n[a-z ,]{0,40}"),
    ) {
        let word = space.word().to_string();
        let announced = match container {
            0 => format!("failed with error code {code}"),
            1 => format!("2024-06-06 21:42:53.039 UTC ERROR:  {code}: it failed"),
            2 => format!("{{\"code\": \"{code}\"}}"),
            3 => format!("{code}: it failed"),
            4 => format!("{word} {code} was returned"),
            5 => format!("it failed ({word}={code})"),
            _ => format!("[{code}] it failed"),
        };
        let matcher = Matcher::new(&Catalog { code_spaces: vec![space], ..Catalog::default() });
        let text = format!("{before}{announced}{after}");
        let found = matcher.scan(&Window::whole(text.as_bytes()));
        let ids: Vec<MatchId> = found.iter().map(|found| found.id).collect();
        prop_assert_eq!(ids, [MatchId::Unknown(code)], "{}", text);
        prop_assert_eq!(found, naive(&matcher, text.as_bytes()));
    }

    #[test]
    fn several_code_spaces_find_what_verifying_everything_finds(
        pieces in prop::collection::vec(
            prop_oneof![
                2 => piece(),
                1 => "(Error code |SQLSTATE |: |\\[|\\()(60[0-9]{4}|60[0-9]{2}[A-Z]|S[0-9]{4}|42[0-9A-Z]{3})(: |\\] |\\)|\n| rows)",
            ],
            0..12,
        ),
    ) {
        let (text, matcher) = (pieces.concat(), matcher_of_several_spaces());
        prop_assert_eq!(matcher.scan(&Window::whole(text.as_bytes())), naive(matcher, text.as_bytes()));
    }
}

/// The fallback without SIMD finds the same.
#[test]
fn both_searchers_find_the_same_anchors() {
    let anchors = matcher().anchors();
    let automaton = Searcher::automaton(anchors);
    let text: String = builtin().entries.iter().flat_map(|e| &e.wordings).map(|w| w.text.repeat(3)).collect();
    let all = |searcher: &Searcher| {
        let mut hits = Vec::new();
        searcher.each(text.as_bytes(), 0..text.len(), |anchor, at| hits.push((at, anchor)));
        hits.sort_unstable();
        hits
    };
    assert!(all(&automaton).len() > 100);
    assert_eq!(all(&matcher().searcher), all(&automaton));
}

/// Returns id, quality and arguments of each match in `text`.
fn found(text: &str) -> Vec<(String, MatchQuality, Vec<String>)> {
    let entries = &matcher().entries;
    let show = |found: &Match| {
        let id = match found.id {
            MatchId::Entry(index) => entries[index].id.to_string(),
            MatchId::Unknown(code) => code.to_string(),
        };
        (id, found.quality, found.args.iter().map(|(_, value)| value.to_string()).collect())
    };
    matcher().scan(&Window::whole(text.as_bytes())).iter().map(show).collect()
}

#[test]
fn arguments_end_where_they_end() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "Source Database Missing Database orders doesn't exist on the source server.",
            "603102",
            &["orders"],
        ),
        ("603101 Database exists in target Database x exists on the target server.", "603101", &["x"]),
        ("Database my database exists on the target server.", "603101", &["my database"]),
        ("Database my database 2 exists on the target server.", "603101", &["my database 2"]),
        (
            "Collation de_DE@euro for table \"sales.\"Order Lines\"\" in column 'Full Name' isn't present on target server.",
            "603402",
            &["de_DE@euro", "sales.\"Order Lines\"", "Full Name"],
        ),
        ("The password for server db1.contoso.com:6432 is incorrect.", "603100", &["db1.contoso.com:6432"]),
        (
            "Target PostgreSQL 15 supports POSTGIS version 3.2.3, which is incompatible with source's 2.5.5.",
            "603406",
            &["15", "2.5.5"],
        ),
        (
            "Extensions 'a', \"b\", `c` couldn't be installed on the target server because they're not allow-listed.",
            "603108",
            &["a, b, c"],
        ),
        ("Database `o'brien_db` does not exist on the source server.", "603102", &["o'brien_db"]),
        (
            "User ‘azure superuser’ doesn’t have the replication role on server “src-1”.",
            "603104",
            &["azure superuser", "src-1"],
        ),
    ];
    for (text, id, args) in cases {
        let all = found(text);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        assert_eq!(
            (all[0].0.as_str(), all[0].2.iter().map(String::as_str).collect::<Vec<_>>()),
            (*id, args.to_vec()),
            "{text}"
        );
    }
}

#[test]
fn a_code_its_title_and_its_message_are_one_finding() {
    let one = |text: &str, id: &str, quality: MatchQuality| {
        let all = found(text);
        assert!(all.len() == 1 && all[0].0 == id && all[0].1 == quality, "{text}: {all:?}");
    };
    let message =
        "Source database contains user-defined collations. Drop these collations and retry the migration.";
    one(&format!("603403: Collation mismatch. {message}"), "603403", MatchQuality::Exact);
    one(&format!("{message} (error code 603403)"), "603403", MatchQuality::Exact);
    one(
        &format!("Error code\n603403\nError message\nCollation mismatch.\nDetails\n{message}\n"),
        "603403",
        MatchQuality::Exact,
    );
    one(&format!("{{\"message\":\"{message}\",\"code\":603403}}"), "603403", MatchQuality::Exact);
    one(
        &format!("{{\n  \"code\": \"603403\",\n  \"x\": 1,\n  \"message\": \"{message}\"\n}}"),
        "603403",
        MatchQuality::Exact,
    );
    one(
        &format!("{{\"code\":\"603403\",\"errorCode\":603403,\"message\":\"{message}\"}}"),
        "603403",
        MatchQuality::Exact,
    );
    one(&format!("603999: {message}"), "603999", MatchQuality::Absent);
    one(&format!("603000: {message}"), "603000", MatchQuality::Absent);
    one("{\"code\":\"603403\",\"errorCode\":603403}", "603403", MatchQuality::Absent);
    one(
        "e: 'Target server version 16 does not support a extensions. Migrate\n  to version 15 or lower, then upgrade once the \
         extensions are supported.\n  (error code 603408)'\n",
        "603408",
        MatchQuality::Normalized,
    );
    one("Source  database contains\r\n> user defined collations.", "603403", MatchQuality::Normalized);

    let two = |text: &str, ids: [&str; 2]| {
        let all: Vec<String> = found(text).into_iter().map(|(id, ..)| id).collect();
        assert_eq!(all, ids, "{text}");
    };
    two(
        &format!("[{{\"code\":\"603403\",\"m\":\"{message}\"}},{{\"code\":\"603403\",\"m\":\"{message}\"}}]"),
        ["603403"; 2],
    );
    two(&format!("603403: {message}\n603403: {message}\n"), ["603403"; 2]);
    two(&format!("{message}\n2024-06-06 21:42:53.039 80 ERROR 603403\n"), ["603403"; 2]);
    two(&format!("error code 603104\n{message}\n"), ["603104", "603403"]);
}

/// Found by the property above: a start further back, or a quote that another message opened, made everything
/// in between one argument.
#[test]
fn an_argument_contains_no_other_message() {
    let role = "Microsoft Entra role `a` is missing on the target server. Create the Entra role and retry the migration.";
    let server = "Connection to the server `b` was unsuccessful.";
    let text = format!("603103: {role}\n{server}2024-06-06 21:42:53.039 80 ERROR  x.c:1   {role}\n");
    let ids: Vec<String> =
        found(&text).into_iter().map(|(id, _, args)| format!("{id} {}", args.join(" "))).collect();
    assert_eq!(ids, ["603103 a", "603000 b", "603103 a"]);
}

/// Found by fuzzing: a hit in a title found the message on the line below it. That message was unescaped by
/// the evidence of all lines around (JSON, so backslashes are escapes), not by what that line shows.
#[test]
fn a_hit_finds_the_message_that_it_is_part_of() {
    let text = "603101\nDatabase exists in target\nDatabase `a\\\\b` exists on the target server. \
                Ensure the target server doesn't have the database and retry the migration.\n\n{\"x\": \"y\"}\n";
    let all = naive(matcher(), text.as_bytes());
    assert_eq!(matcher().scan(&Window::whole(text.as_bytes())), all);
    assert_eq!(found(text), [("603101".to_string(), MatchQuality::Exact, vec![r"a\\b".to_string()])]);
}
