//! Checks of a pattern file with its own examples and negatives, which the real matcher scans.
//!
//! A parsed file and the catalogue that it will be used with come in; problems and warnings go out, each with its line.
//! A well-formed file can still be useless: whether a wording finds anything, only the matcher knows. So each example
//! must be found, alone and with exactly its arguments; no negative may be found; and a wording must not match what a
//! wording of another entry matches, because one of the two would never be reported. A wording that is found, but makes
//! every scan slow, is a warning. The module knows nothing of paths or outputs.

use crate::catalog::{ArgValue, Catalog, Entry, Example};
use crate::error::CatalogProblem;
use crate::input::Window;
use crate::matcher::wording::{MatchQuality, Wording, WordingPart};
use crate::matcher::{Match, MatchId, Matcher, anchors};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most candidates that the rarest anchor of a wording should have in a million bytes; more are warned about. The
/// built-in wordings have 808 or fewer, most far fewer than 100. A candidate costs a tenth of a microsecond, so that 900
/// of them cost as much as the search for eight anchors in these bytes.
pub const MANY_CANDIDATES: f64 = 900.0;
/// The most characters of an example or negative that a message quotes.
const MAX_QUOTED: usize = 60;

/// The result of checking a pattern file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What must be fixed, in order of lines within each entry.
    pub problems: Vec<CatalogProblem>,
    /// What works, but should be fixed.
    pub warnings: Vec<CatalogProblem>,
    /// The number of entries that were checked.
    pub entries: usize,
    /// The number of examples that were scanned.
    pub examples: usize,
    /// The number of negatives that were scanned.
    pub negatives: usize,
}

/// Checks `own`, the entries of the pattern file `file`, as a scan uses them together with the catalogue `others`: an own
/// entry replaces one of `others` with its id.
pub fn check(file: &str, own: &Catalog, others: &Catalog) -> Checked {
    let mut catalog = others.clone();
    catalog.add(own.clone());
    let mut check = Check { file, matcher: Matcher::new(&catalog), checked: Checked::default() };
    let places: HashMap<&str, usize> =
        catalog.entries.iter().enumerate().map(|(i, entry)| (&*entry.id, i)).collect();
    let mut owners = owners_of_wordings(own, others);
    for entry in &own.entries {
        check.checked.entries += 1;
        check.wordings(entry, &mut owners);
        let Some(&index) = places.get(&*entry.id) else { continue };
        for (example, line) in entry.examples.iter().zip(&entry.lines.examples) {
            check.checked.examples += 1;
            check.example(entry, index, example, *line);
        }
        for (text, line) in entry.negatives.iter().zip(&entry.lines.negatives) {
            check.checked.negatives += 1;
            check.negative(entry, index, text, *line);
        }
    }
    check.checked
}

/// The entries by what their wordings match.
type Owners = HashMap<Vec<u8>, Arc<str>>;

/// Returns the owners of the wordings of `others`, without the entries that `own` replaces.
fn owners_of_wordings(own: &Catalog, others: &Catalog) -> Owners {
    let replaced: HashSet<&str> = own.entries.iter().map(|entry| &*entry.id).collect();
    let kept = others.entries.iter().filter(|entry| !replaced.contains(&*entry.id));
    let owned = |entry: &Arc<Entry>| {
        let id = entry.id.clone();
        compiled(entry).into_iter().map(move |wording| (literals(&wording), id.clone()))
    };
    kept.flat_map(owned).collect()
}

fn compiled(entry: &Entry) -> Vec<Wording> {
    entry.wordings.iter().map(|template| Wording::new(0, entry, template)).collect()
}

/// Returns the normalized literals with a mark for each argument: equal for wordings that match the same texts.
fn literals(wording: &Wording) -> Vec<u8> {
    let mut all = Vec::new();
    for part in &wording.parts {
        match part {
            WordingPart::Literal { normalized, .. } => all.extend_from_slice(normalized),
            WordingPart::Argument { .. } => all.push(0),
        }
    }
    all
}

struct Check<'a> {
    file: &'a str,
    matcher: Matcher,
    checked: Checked,
}

impl Check<'_> {
    fn located(&self, entry: &Entry, line: usize, message: String) -> CatalogProblem {
        let (file, entry) = (self.file.to_string(), Some(entry.id.to_string()));
        CatalogProblem { file, line: Some(line), entry, message }
    }

    fn problem(&mut self, entry: &Entry, line: usize, message: String) {
        let problem = self.located(entry, line, message);
        self.checked.problems.push(problem);
    }

    fn warning(&mut self, entry: &Entry, line: usize, message: String) {
        let warning = self.located(entry, line, message);
        self.checked.warnings.push(warning);
    }

    /// Checks that the wordings can be found, cheaply enough, and match what no other entry matches.
    fn wordings(&mut self, entry: &Entry, owners: &mut Owners) {
        if !entry.wordings.is_empty() && entry.examples.is_empty() {
            self.problem(entry, entry.lines.id, "no example shows that its wordings are found".into());
        }
        for (wording, line) in compiled(entry).iter().zip(&entry.lines.wordings) {
            match anchors::rarest(wording) {
                None => {
                    let message =
                        "no word of the first sentence is long enough to be searched for".to_string();
                    self.problem(entry, *line, message);
                }
                Some((anchor, expected)) if expected > MANY_CANDIDATES => {
                    let message = format!(
                        "all words of the first sentence are frequent in logs: the rarest, `{}`, some {expected:.0} \
                         times in a million bytes; a rarer word makes every scan faster",
                        String::from_utf8_lossy(&anchor)
                    );
                    self.warning(entry, *line, message);
                }
                Some(_) => {}
            }
            let other = owners.entry(literals(wording)).or_insert_with(|| entry.id.clone()).clone();
            if other != entry.id {
                self.problem(entry, *line, format!("this wording says the same as one of `{other}`"));
            }
        }
    }

    /// Checks that the example has one finding, the entry's own, with exactly its arguments.
    fn example(&mut self, entry: &Entry, index: usize, example: &Example, line: usize) {
        let found = self.matcher.scan(&Window::whole(example.text.as_bytes()));
        let text = quoted(&example.text);
        match &found[..] {
            [] => self.problem(entry, line, format!("the example {text} is not found")),
            [only] if only.id == MatchId::Entry(index) => {
                for difference in differences(entry, only, example) {
                    self.problem(entry, line, format!("the example {text}: {difference}"));
                }
                if only.quality > MatchQuality::Normalized && !entry.wordings.is_empty() {
                    let message =
                        format!("the example {text} is found by its code; its text is none of the wordings");
                    self.warning(entry, line, message);
                }
            }
            [other] => {
                let other = self.name(other);
                self.problem(entry, line, format!("the example {text} is found as `{other}`"));
            }
            several => {
                let names: Vec<String> = several.iter().map(|found| self.name(found)).collect();
                let message = format!(
                    "the example {text} has {} findings instead of one: {}",
                    several.len(),
                    names.join(", ")
                );
                self.problem(entry, line, message);
            }
        }
    }

    /// Checks that the negative is not found as its entry.
    fn negative(&mut self, entry: &Entry, index: usize, text: &str, line: usize) {
        let found = self.matcher.scan(&Window::whole(text.as_bytes()));
        if found.iter().any(|found| found.id == MatchId::Entry(index)) {
            self.problem(entry, line, format!("the negative {} is found", quoted(text)));
        }
    }

    fn name(&self, found: &Match) -> String {
        match found.id {
            MatchId::Entry(index) => self.matcher.entries[index].id.to_string(),
            MatchId::Unknown(code) => code.to_string(),
        }
    }
}

/// Returns how the arguments found differ from the example's, in the entry's order.
fn differences(entry: &Entry, found: &Match, example: &Example) -> Vec<String> {
    let show = |value: Option<&ArgValue>| match value {
        None => "nothing".to_string(),
        Some(ArgValue::One(value)) => format!("{value:?}"),
        Some(ArgValue::Many(values)) => format!("{values:?}"),
    };
    let compare = |(index, argument): (usize, &crate::catalog::Argument)| {
        let want = example.args.get(&*argument.name);
        let got = found.args.iter().find(|(known, _)| *known == index).map(|(_, value)| value);
        let differs = want != got;
        differs.then(|| format!("{}: expected {}, got {}", argument.name, show(want), show(got)))
    };
    entry.arguments.iter().enumerate().filter_map(compare).collect()
}

/// Quotes the start of a text, on one line.
fn quoted(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("`{}…`", &words[..end]),
        None => format!("`{words}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{builtin, parse};

    /// Id, wordings, negatives, examples with their arguments.
    type Written<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

    /// A file with entries made of an id, wordings, negatives, and examples with their arguments as TOML.
    fn checked(entries: &[Written<'_>], others: &Catalog) -> Checked {
        let mut text = "format = 1\n".to_string();
        for (id, wordings, negatives, examples) in entries {
            text += &format!(
                "[[entry]]\nid = \"{id}\"\ntitle = \"T\"\nseverity = \"error\"\nscope = \"server\"\nside = \"source\"\n\
                 actor = \"customer\"\narguments = [{{ name = \"x\", position = 0, kind = \"text\" }}]\n\
                 wordings = [{wordings}]\nnegatives = [{negatives}]\n"
            );
            for (example, args) in *examples {
                text += &format!("[[entry.examples]]\ntext = \"{example}\"\nargs = {{ {args} }}\n");
            }
        }
        check("my.toml", &parse("my.toml", &text).expect("parses"), others)
    }

    fn lines(problems: &[CatalogProblem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_builtin_catalogue_passes() {
        for others in [&Catalog::default(), builtin()] {
            let checked = check("builtin", builtin(), others);
            assert_eq!(lines(&checked.problems), [""; 0]);
            assert_eq!(lines(&checked.warnings), [""; 0]);
            assert_eq!(checked.entries, builtin().entries.len());
            assert!(checked.examples >= 2 * checked.entries && checked.negatives >= checked.entries);
        }
    }

    #[test]
    fn examples_must_be_found_and_negatives_must_not() {
        let quota = "\"Quota of tenant `{x}` is exhausted.\"";
        let problems = |negatives: &str, examples: &[(&str, &str)]| {
            lines(&checked(&[("quota", quota, negatives, examples)], builtin()).problems)
        };
        assert_eq!(problems("\"Quota\"", &[("Quota of tenant 'a' is exhausted.", "x = \"a\"")]), [""; 0]);
        assert_eq!(problems("", &[]), ["my.toml:3: quota: no example shows that its wordings are found"]);
        assert_eq!(
            problems("\"Quota of tenant b is exhausted.\"", &[("Quota of tenants is gone.", "")]),
            [
                "my.toml:13: quota: the example `Quota of tenants is gone.` is not found",
                "my.toml:11: quota: the negative `Quota of tenant b is exhausted.` is found",
            ]
        );
        assert_eq!(
            problems(
                "",
                &[("Quota of tenant a is exhausted.", "x = \"b\""), ("Quota of tenant a is exhausted.", "")]
            ),
            [
                "my.toml:13: quota: the example `Quota of tenant a is exhausted.`: x: expected \"b\", got \"a\"",
                "my.toml:16: quota: the example `Quota of tenant a is exhausted.`: x: expected nothing, got \"a\"",
            ]
        );
        let two = "Quota of tenant a is exhausted.\\nQuota of tenant b is exhausted.";
        assert_eq!(
            problems("", &[(two, "x = \"a\""), ("Failed to restore grants/revokes.", "")]),
            [
                "my.toml:13: quota: the example `Quota of tenant a is exhausted. Quota of tenant b is exhaust…` has 2 \
                 findings instead of one: quota, quota",
                "my.toml:16: quota: the example `Failed to restore grants/revokes.` is found as `603705`",
            ]
        );
    }

    #[test]
    fn wordings_that_another_entry_has_are_problems() {
        let shown = [("Failed to restore grants/revokes.", "")];
        let same = "\"failed to restore 'grants/revokes'.\"";
        let problems = lines(&checked(&[("mine", same, "", &shown)], builtin()).problems);
        assert_eq!(problems[0], "my.toml:10: mine: this wording says the same as one of `603705`");
        assert_eq!(lines(&checked(&[("mine", same, "", &shown)], &Catalog::default()).problems), [""; 0]);
        let quota: &[(&str, &str)] = &[("Quota of tenant a isn't free.", "x = \"a\"")];
        let entries = [
            ("one", "\"Quota of tenant {x} isn't free.\"", "", quota),
            ("two", "\"Quota of tenant '{x}' is not free.\"", "", quota),
        ];
        let problems = lines(&checked(&entries, builtin()).problems);
        assert!(
            problems.contains(&"my.toml:23: two: this wording says the same as one of `one`".to_string())
        );
    }

    #[test]
    fn a_wording_without_a_long_word_is_a_problem_and_a_frequent_one_a_warning() {
        let shown: &[(&str, &str)] = &[("A b users on x.", "x = \"x\"")];
        let checked_users = checked(&[("few", "\"A b users on {x}.\"", "", shown)], builtin());
        assert_eq!(
            lines(&checked_users.problems)[0],
            "my.toml:10: few: no word of the first sentence is long enough to be searched for"
        );
        let shown: &[(&str, &str)] = &[("The database of the server x.", "x = \"x\"")];
        let frequent = checked(&[("many", "\"The database of the server {x}.\"", "", shown)], builtin());
        assert_eq!(lines(&frequent.problems), [""; 0]);
        let [warning] = &frequent.warnings[..] else { panic!("{:?}", frequent.warnings) };
        assert!(warning.message.starts_with("all words of the first sentence are frequent"), "{warning}");
    }
}
