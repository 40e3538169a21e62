//! Plans: the commands printed for people are the catalogue's, whatever values a log holds.

use migsift::catalog::Fix;
use migsift::catalog::command::{CommandPart, CommandTemplate, Filled};
use migsift::catalog::{ArgValue, Catalog, FixKind, Side, builtin, parse};
use migsift::finding::Finding;
use migsift::print::safe;
use migsift::report::plan::{Command, CommandLanguage, Plan};
use migsift::report::{Report, Segment};
use migsift::scan::Outcome;
use migsift::summary::Summary;
use migsift::text::is_hidden;
use proptest::prelude::*;
use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};
use std::mem::discriminant;

use crate::oracle::findings;

/// The report of these findings, found with `catalog`.
fn report(found: &[Finding], catalog: &Catalog) -> Report {
    let mut summary = Summary::default();
    for finding in found {
        summary.add(finding, catalog.entry(&finding.id).map(|entry| &**entry), 1);
        summary.sample(finding);
    }
    let mut outcome = Outcome::default();
    outcome.summary = summary;
    Report::build(outcome, catalog)
}

/// A finding of the entry `id` with these arguments.
fn finding(id: &str, args: &[(&str, ArgValue)], database: Option<&str>) -> Finding {
    let mut finding = findings(b"Error 603410: System table permission error.").remove(0);
    let entry = builtin().entry(id).expect("an entry");
    finding.id = entry.id.clone();
    finding.code = entry.code;
    finding.title = entry.title.clone();
    finding.severity = entry.severity;
    finding.args = args.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    finding.context.database = database.map(str::to_string);
    finding
}

fn one(value: &str) -> ArgValue {
    ArgValue::One(value.to_string())
}

fn many(values: &[&str]) -> ArgValue {
    ArgValue::Many(values.iter().map(|value| (*value).to_string()).collect())
}

/// The statements of `sql`, with blanks as names. A statement that the parser does not know is parsed as one
/// of the same form.
fn statements(sql: &str, blanks: &[String]) -> Vec<Statement> {
    let filled = blanks.iter().fold(sql.to_string(), |sql, blank| sql.replace(blank, "blank"));
    let known = [("ALTER SYSTEM SET ", "SET "), ("ALTER DATABASE ", "ALTER SCHEMA ")];
    let filled = known.iter().fold(filled, |sql, (unknown, known)| match sql.strip_prefix(unknown) {
        Some(rest) => format!("{known}{rest}"),
        None => sql,
    });
    Parser::parse_sql(&PostgreSqlDialect {}, &filled).unwrap_or_else(|error| panic!("{filled}: {error}"))
}

fn tokens(sql: &str) -> Vec<Token> {
    Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Whether the command is its template with other values: as many tokens, of which only the values differ.
fn is_template(text: &str, template: &CommandTemplate, item: &str) -> bool {
    let plain = template.fill(|_| Some("plain")).expect("fills").text;
    let (plain, filled) = (tokens(&plain), tokens(text));
    plain.len() == filled.len()
        && plain.iter().zip(&filled).all(|(plain, filled)| {
            let value = match plain {
                Token::Word(word) => word.value == "plain",
                Token::SingleQuotedString(text) => text == "plain",
                _ => false,
            };
            let same = match filled {
                Token::Word(word) => word.value == item && word.quote_style == Some('"'),
                Token::SingleQuotedString(text) => text == item,
                _ => false,
            };
            if value { same && discriminant(plain) == discriminant(filled) } else { plain == filled }
        })
}

/// Names as an attacker would choose them.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\"",
        "'",
        ";",
        "--",
        "/*",
        "*/",
        "\\",
        "\\!",
        "\n",
        "\r\n",
        "\0",
        "$$",
        "$a$",
        "`",
        "x",
        "Größe",
        "表",
        " ",
        "DROP TABLE x",
        ":'v'",
        ":v",
        "\u{202e}",
        "\u{200b}",
        "\u{fffd}",
        "\t",
        "<a>",
        "{",
        "}",
        "%s",
        "E'",
        "U&",
        "\u{2019}",
        "\u{1b}[31m",
        "(",
        ")",
        ",",
        "😀",
    ]);
    prop_oneof![
        3 => prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => Just("x".repeat(80)),
        1 => Just("\"; DROP TABLE x; --".to_string()),
    ]
}

fn fixes() -> impl Iterator<Item = (&'static str, &'static Fix)> {
    builtin().entries.iter().filter_map(|entry| Some((&*entry.id, entry.fix.as_ref()?)))
}

proptest! {
    /// Escape: a name from a log is exactly one name in a statement, or the statement is not printed.
    #[test]
    fn statements_match_their_templates_for_any_name(name in hostile(), database in hostile()) {
        for entry in &builtin().entries {
            let args: Vec<(&str, ArgValue)> = entry.arguments.iter().map(|argument| {
                let list = argument.kind == migsift::catalog::ValueKind::List;
                (&*argument.name, if list { many(&[&name, "second"]) } else { one(&name) })
            }).collect();
            let found = [finding(&entry.id, &args, Some(&database))];
            let report = report(&found, builtin());
            let templates = entry.fix.iter().flat_map(|fix| fix.sql.iter().chain(&fix.az));
            let refused = templates.flat_map(|template| &template.parts).any(|part| match part {
                CommandPart::Value(of, quoting) => {
                    args.iter().any(|(known, _)| known == of) && quoting.quote(&name).is_err()
                }
                CommandPart::Literal(_) => false,
            });
            for step in &report.plan.steps {
                prop_assert!(!refused || !step.refused.is_empty(), "{} {name:?}", entry.id);
                for command in &step.commands {
                    check(command, entry.fix.as_ref().expect("a fix"), &[&name, "second", &database])?;
                }
            }
            for segment in report.codes[0].advice().concat() {
                if let Segment::Code(code) = segment
                    && !code.contains("<user>")
                {
                    prop_assert_eq!(statements(&code, &[]).len(), 1, "{}", code);
                    prop_assert!(!code.contains(is_hidden));
                }
            }
        }
    }
}

fn check(command: &Command, fix: &Fix, values: &[&str]) -> Result<(), TestCaseError> {
    let text = &command.text;
    prop_assert!(!text.contains(is_hidden) && !text.contains('\\'), "{text:?}");
    prop_assert_eq!(&*safe::line(text), text, "what is shown is what is copied");
    if command.language == CommandLanguage::Az {
        let plain = |c: char| c.is_ascii_alphanumeric() || " ._-:/<>\",@".contains(c);
        prop_assert!(text.starts_with("az postgres flexible-server ") && text.chars().all(plain), "{text}");
        return Ok(());
    }
    prop_assert_eq!(statements(text, &command.blanks).len(), 1, "{}", text);
    if fix.parameters.is_empty() && command.blanks.is_empty() {
        let is = |template: &CommandTemplate| values.iter().any(|value| is_template(text, template, value));
        prop_assert!(fix.sql.iter().any(is), "{text}");
    }
    Ok(())
}

#[test]
fn every_template_is_one_statement() {
    let mut count = 0;
    for (id, fix) in fixes() {
        for template in &fix.sql {
            let Filled { text, blanks } = template.fill(|_| Some("name")).expect("fills");
            assert_eq!(statements(&text, &blanks).len(), 1, "{id}: {text}");
            count += 1;
        }
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn every_builtin_entry_has_a_fix() {
    for entry in &builtin().entries {
        let fix = entry.fix.as_ref().unwrap_or_else(|| panic!("{} has no fix", entry.id));
        let support = entry.actor == migsift::catalog::Actor::Support;
        assert_eq!(fix.kind == FixKind::Support, support, "{}", entry.id);
        let restarts = !fix.parameters.is_empty() || !entry.restart;
        assert!(restarts, "{}: only parameters restart a server", entry.id);
    }
}

#[test]
fn steps_are_in_order_and_parameters_of_one_server_are_one_step() {
    let number = |value: &str| [("min_replication_slots", one(value))];
    let found = [
        finding("603101", &[("database", one("hr"))], None),
        finding("603109", &[("extensions", many(&["pg_cron"]))], None),
        finding("603105", &number("9"), Some("hr")),
        finding("603105", &number("12"), Some("orders")),
        finding("603108", &[("extensions", many(&["pg_cron", "postgis"]))], Some("orders")),
        finding("603108", &[("extensions", many(&["hstore"]))], Some("hr")),
        finding("603107", &[("wal_level", one("replica"))], None),
        finding("603106", &[("max_wal_senders", one("5"))], None),
        finding("connection-timeout", &[], None),
        finding("603701", &[], None),
        finding("603402", &[], Some("hr")),
    ];
    let plan = report(&found, builtin()).plan;
    let kinds: Vec<(u64, FixKind, Side, bool)> =
        plan.steps.iter().map(|step| (step.number, step.kind, step.side, step.restart)).collect();
    assert_eq!(
        kinds,
        [
            (1, FixKind::Support, Side::Both, false),
            (2, FixKind::Parameter, Side::Source, true),
            (3, FixKind::Parameter, Side::Target, true),
            (4, FixKind::Drop, Side::Target, false),
        ]
    );
    assert_eq!(plan.steps[0].codes, ["603402", "603701"]);
    let texts = |step: usize| -> Vec<&str> {
        plan.steps[step].commands.iter().map(|command| command.text.as_str()).collect()
    };
    assert_eq!(
        texts(1),
        [
            "ALTER SYSTEM SET max_replication_slots = 12;",
            "ALTER SYSTEM SET max_wal_senders = 12;",
            "ALTER SYSTEM SET tcp_keepalives_count = 60;",
            "ALTER SYSTEM SET tcp_keepalives_idle = 10;",
            "ALTER SYSTEM SET tcp_keepalives_interval = 10;",
            "ALTER SYSTEM SET wal_level = 'logical';",
        ]
    );
    let target = texts(2);
    let place = |text: &str| target.iter().position(|command| command.contains(text)).expect("a command");
    let sets = "parameter set --resource-group <resource-group> --server-name <target-server> --name";
    let allow = place(&format!("{sets} azure.extensions --value \"<current-value>,hstore,pg_cron,postgis\""));
    let preload = place(&format!("{sets} shared_preload_libraries --value \"<current-value>,pg_cron\""));
    assert!(allow < preload, "allowed before it is loaded");
    let restarts: Vec<usize> =
        (0..target.len()).filter(|i| target[*i].contains("flexible-server restart")).collect();
    assert_eq!(restarts, [target.len() - 1], "one restart, at the end");
    assert_eq!(texts(3), ["DROP DATABASE \"hr\";"]);
}

#[test]
fn an_entry_without_a_fix_shows_its_advice() {
    let text = "format = 1\n[[entry]]\nid = \"disk-quota\"\ntitle = \"T\"\nseverity = \"error\"\nscope = \"server\"\n\
                side = \"target\"\nactor = \"customer\"\nwordings = [\"Storage is full.\"]\nresolutions = [\"Enlarge it.\"]\n";
    let catalog = parse("own.toml", text).expect("parses");
    let mut found = finding("603107", &[], Some("orders"));
    found.id = "disk-quota".into();
    let plan: Plan = report(&[found], &catalog).plan;
    assert_eq!(plan.steps.len(), 1);
    let step = &plan.steps[0];
    assert_eq!((step.kind, &*step.title), (FixKind::Advice, "Follow the advice for disk-quota"));
    assert_eq!((&step.advice[..], step.commands.len()), (&["Enlarge it.".to_string()][..], 0));
    assert_eq!(step.databases, ["orders"]);
}

#[test]
fn a_report_part_reads_back_as_it_was_written() {
    let found = [
        finding("603108", &[("extensions", many(&["a b", "hstore"]))], Some("orders")),
        finding("603104", &[("user", one("u\u{0}")), ("server", one("src"))], None),
    ];
    let mut report = report(&found, builtin());
    assert_eq!(report.plan.steps.iter().map(|step| step.refused.len()).sum::<usize>(), 2);
    // It follows from the catalogue, so no report stores it.
    report.plan.steps.iter_mut().for_each(|step| step.support.clear());
    let json = serde_json::to_string(&(&report.plan, &report.support, &report.pivots)).expect("JSON");
    let (plan, support, pivots) = serde_json::from_str(&json).expect("reads");
    assert_eq!((report.plan, report.support, report.pivots), (plan, support, pivots));
}
