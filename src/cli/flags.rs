//! Flags: the lists and texts that follow from the definitions in `args.rs`.
//!
//! `args.rs` gives every flag of `scan` an [`Effect`], beside its name and help. From the effects follow the
//! flags that `--store` cannot be combined with, and the options after whose change a store reads files
//! again; from the conflicts follows a sentence of the help. A flag cannot be missing from a list by
//! oversight: without an effect, a test fails.
//!
//! clap treats the members of a group as alternatives unless the group is declared otherwise. So all parsing
//! goes through [`command`], which declares the groups.

use super::args::{Cli, ScanArgs};
use super::effect::Effect;
use super::exit::Exit;
use super::{say_error, stdio};
use clap::builder::{Resettable, StyledStr};
use clap::{Arg, ArgGroup, Command, CommandFactory, FromArgMatches};
use migsift::error::Error;
use migsift::input::Limits;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Parses the command line; prints help or an error, and returns an exit code, if that is the result.
pub fn parse() -> Result<Cli, Exit> {
    let parsed = command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| print_error(&error).unwrap_or_else(|error| say_error(&error)))
}

/// Prints what clap returns instead of arguments: help and the version on standard output, errors on standard
/// error.
fn print_error(error: &clap::Error) -> Result<Exit, Error> {
    let stdout = "standard output";
    if error.use_stderr() {
        // If it is closed, there is nobody to inform.
        let _ = error.print();
        return Ok(Exit::Usage);
    }
    if stdio::stdout_is_closed() {
        return Err(Error::output(stdout, io::Error::other("it is closed")));
    }
    error.print().and_then(|()| io::stdout().flush()).map_err(|error| Error::output(stdout, error))?;
    Ok(Exit::Clean)
}

/// The command line with all its flags.
pub fn command() -> Command {
    complete(Cli::command())
}

/// Declares the effects, and documents the conflicts, of a command and its subcommands.
fn complete(command: Command) -> Command {
    let groups = Effect::ALL.map(|effect| ArgGroup::new(effect.id()).multiple(true));
    document_conflicts(command.groups(groups)).mut_subcommands(complete)
}

/// Appends a sentence to the help of each flag that cannot be combined with others.
fn document_conflicts(mut command: Command) -> Command {
    let mut built = command.clone();
    built.build();
    for flag in built.get_arguments() {
        let names: Vec<String> = conflicts(&built, flag).into_iter().filter_map(long).collect();
        if names.is_empty() {
            continue;
        }
        let sentence = format!("Cannot be combined with {}", names.join(", "));
        command = command.mut_arg(flag.get_id(), |arg| {
            let help = arg.get_help().map(|help| StyledStr::from(format!("{help}. {sentence}")));
            let long_help = arg.get_long_help().map(|help| StyledStr::from(format!("{help}. {sentence}")));
            arg.help(Resettable::from(help)).long_help(Resettable::from(long_help))
        });
    }
    command
}

/// The arguments that one cannot be combined with, whichever of the two declares it.
fn conflicts<'c>(command: &'c Command, flag: &Arg) -> Vec<&'c Arg> {
    let declares = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|conflict| conflict.get_id() == other.get_id())
    };
    command.get_arguments().filter(|other| declares(flag, other) || declares(other, flag)).collect()
}

/// The flag as it is written: `--store`.
fn long(flag: &Arg) -> Option<String> {
    flag.get_long().map(|name| format!("--{name}"))
}

/// The long names of the flags of `scan` that have this effect, in the order of the help.
fn with_effect(scan: &Command, effect: Effect) -> Vec<String> {
    let group = scan.get_groups().find(|group| group.get_id() == effect.id());
    let members: Vec<_> = group.into_iter().flat_map(ArgGroup::get_args).collect();
    let flags = scan.get_arguments().filter(|flag| members.contains(&flag.get_id()));
    flags.filter_map(|flag| flag.get_long().map(str::to_string)).collect()
}

/// The options of the method that a store remembers: the values of all flags that change findings, as a JSON
/// object by name. It depends on values only, so a default that is written out is no change, and neither is
/// `1M` for `1048576`.
pub fn finding_options(args: &ScanArgs) -> String {
    let mut command = command();
    command.build();
    let scan = command.find_subcommand("scan");
    let flags = scan.map(|scan| with_effect(scan, Effect::Findings)).unwrap_or_default();
    let values: BTreeMap<String, Value> =
        flags.into_iter().filter_map(|flag| finding_option(args, &flag).map(|value| (flag, value))).collect();
    json!(values).to_string()
}

/// The value of a flag that changes findings; `None` for those of the catalogue, which a store knows by its
/// fingerprint.
fn finding_option(args: &ScanArgs, flag: &str) -> Option<Value> {
    let limits = Limits::from(&args.limits);
    Some(match flag {
        "catalog" | "no-builtin" => return None,
        "context-lines" => json!(args.context_lines),
        "timezone" => json!(args.timezone),
        "include" => json!(args.walk.include),
        "exclude" => json!(args.walk.exclude),
        "max-nesting" => json!(limits.nesting),
        "max-members" => json!(limits.members),
        "max-member-bytes" => json!(limits.member_bytes),
        "max-output-bytes" => json!(limits.output_bytes),
        "max-metadata-bytes" => json!(limits.metadata_bytes),
        "max-decoder-memory" => json!(limits.decoder_memory),
        _ => unreachable!("--{flag} changes findings and has no value here"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;
    use clap::error::ErrorKind;

    fn scan() -> Command {
        let mut command = command();
        command.build();
        command.find_subcommand("scan").expect("the command").clone()
    }

    fn parsed(args: &[&str]) -> Result<ScanArgs, clap::Error> {
        let matches = command().try_get_matches_from([&["migsift", "scan"], args].concat())?;
        match Cli::from_arg_matches(&matches)?.command {
            args::Command::Scan(args) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    /// A way to write the flag that clap accepts.
    fn written(flag: &Arg) -> String {
        let name = long(flag).expect("a long name");
        let values = flag.get_possible_values();
        let value = values.first().map(|value| value.get_name().to_string());
        match value {
            _ if !flag.get_action().takes_values() => name,
            Some(value) => format!("{name}={value}"),
            None if name == "--report" => format!("{name}=json=FILE"),
            None => format!("{name}=7"),
        }
    }

    #[test]
    fn every_flag_has_one_effect() {
        let scan = scan();
        for flag in scan.get_arguments() {
            let effects = Effect::ALL.iter().filter(|effect| {
                let group = scan.get_groups().find(|group| group.get_id() == effect.id());
                group.expect("declared").get_args().any(|member| member == flag.get_id())
            });
            let expected = usize::from(!matches!(flag.get_id().as_str(), "help" | "version"));
            assert_eq!(effects.count(), expected, "{flag}");
        }
    }

    #[test]
    fn documented_conflicts_are_enforced() {
        let scan = scan();
        let mut pairs = 0;
        for flag in scan.get_arguments().filter(|flag| !flag.is_positional()) {
            let help = flag.get_long_help().or_else(|| flag.get_help()).expect("help").to_string();
            let documented = help.split_once("Cannot be combined with ").map_or("", |(_, names)| names);
            for other in scan.get_arguments().filter(|other| !other.is_positional()) {
                let name = long(other).expect("a long name");
                if documented.split(", ").all(|documented| documented != name) {
                    continue;
                }
                for args in [[written(flag), written(other)], [written(other), written(flag)]] {
                    let error = parsed(&args.each_ref().map(String::as_str)).expect_err(&args.join(" "));
                    assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{args:?}: {error}");
                }
                pairs += 1;
            }
        }
        // --store with --redact and five filters, -C with --redact, --verbose with --quiet; each from both
        // sides.
        assert_eq!(pairs, 16);
    }

    /// The arguments of a command and its subcommands that name files, after the command's name.
    fn naming_files(command: &Command) -> Vec<String> {
        let names = |arg: &&Arg| {
            let values = arg.get_value_names().unwrap_or_default();
            arg.get_action().takes_values()
                && values.iter().any(|value| {
                    ["FILE", "PATH", "REPORT", "OLD", "NEW", "TABLE"].iter().any(|name| value.contains(name))
                })
        };
        let own: Vec<&str> = command.get_arguments().filter(names).map(|arg| arg.get_id().as_str()).collect();
        let own = (!own.is_empty()).then(|| format!("{}: {}", command.get_name(), own.join(" ")));
        own.into_iter().chain(command.get_subcommands().flat_map(naming_files)).collect()
    }

    /// Whoever adds a flag that names a file makes its command claim it (`claims`), so that no file is both
    /// read and written.
    #[test]
    fn every_argument_that_names_a_file_is_known() {
        let known = [
            "scan: paths output report files files_from baseline redact store",
            "explain: files",
            "merge: reports output report files baseline",
            "diff: store files old new",
            "report: store output report files baseline",
            "list: files",
            "check: files",
            "import: table output",
            "diff: old new",
        ];
        assert_eq!(naming_files(&command()), known);
    }

    #[test]
    fn a_store_excludes_every_filter() {
        let filters = with_effect(&scan(), Effect::Filter);
        assert_eq!(filters, ["code", "severity", "since", "until", "last-attempt"]);
        for filter in filters {
            let scan = scan();
            let filter = scan.get_arguments().find(|flag| flag.get_long() == Some(&filter)).expect("a flag");
            let error = parsed(&["--store=FILE", &written(filter)]).expect_err("a conflict");
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{error}");
        }
    }

    #[test]
    fn other_flags_go_together() {
        let scan = scan();
        let mut args = Vec::new();
        for flag in scan.get_arguments().filter(|flag| !flag.is_positional() && flag.get_id() != "help") {
            if conflicts(&scan, flag).is_empty() || flag.get_id() == "store" {
                args.push(written(flag));
            }
        }
        assert!(args.len() > 25, "{args:?}");
        parsed(&args.iter().map(String::as_str).collect::<Vec<_>>()).expect("no conflict");
    }

    #[test]
    fn the_options_of_a_method_depend_on_values_only() {
        let options = |args: &[&str]| finding_options(&parsed(args).expect("arguments"));
        let default = options(&[]);
        assert_eq!(
            default,
            "{\"context-lines\":0,\"exclude\":[],\"include\":[],\"max-decoder-memory\":268435456,\
             \"max-member-bytes\":null,\"max-members\":100000,\"max-metadata-bytes\":1048576,\"max-nesting\":8,\
             \"max-output-bytes\":null,\"timezone\":\"UTC\"}"
        );
        assert_eq!(options(&["--timezone", "UTC", "--max-nesting=8", "--max-metadata-bytes=1M"]), default);
        assert_eq!(options(&["--threads=3", "--follow-links", "-f", "csv"]), default);
    }

    #[test]
    fn every_flag_that_changes_findings_changes_the_options() {
        let scan = scan();
        let default = finding_options(&parsed(&[]).expect("arguments"));
        for flag in with_effect(&scan, Effect::Findings) {
            if matches!(flag.as_str(), "catalog" | "no-builtin") {
                continue;
            }
            let flag = scan.get_arguments().find(|known| known.get_long() == Some(&flag)).expect("a flag");
            let other = finding_options(&parsed(&[&written(flag)]).expect("arguments"));
            assert_ne!(other, default, "{flag}");
        }
    }
}
