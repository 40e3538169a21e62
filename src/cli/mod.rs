//! The command line: arguments in, an exit code out.
//!
//! Only here are standard output and error, colours, exit codes and progress. Arguments are plain data
//! ([`args`]); what is to be done is decided by the commands.

pub mod args;
mod baseline;
mod catalog;
mod diff;
pub mod exit;
mod files;
mod man;
mod merge;
mod output;
mod outputs;
mod paths;
mod progress;
mod redaction;
mod report;
mod scan;
mod signals;
mod store;

use args::{Command, SchemaOf, TextFormat};
use exit::Exit;
use migsift::error::Error;
use migsift::explain::Explanation;
use migsift::print::{human, json, safe};
use migsift::record::schema;
use output::{Output, layout};

/// Runs a command.
pub fn run(command: &Command) -> Result<Exit, Error> {
    match command {
        Command::Scan(args) => scan::run(args),
        Command::Explain(args) => explain(args),
        Command::Merge(args) => merge::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Report(args) => report::run(args),
        Command::Schema { of } => schema(*of),
        Command::Catalog { command } => catalog::run(command),
        Command::Completions { shell } => man::completions(*shell),
        Command::Man => man::page(),
    }
}

fn explain(args: &args::Explain) -> Result<Exit, Error> {
    let catalog = catalog::load(&args.catalog)?;
    let Some(entry) = catalog.entry(&args.code) else {
        let code = safe::line(&args.code);
        say(&format!("{code} is not in the catalogue; `migsift catalog list` shows what is"));
        return Ok(Exit::Usage);
    };
    let explanation = Explanation::from(&**entry);
    print(|writer| match args.format {
        TextFormat::Human => human::write_explanation(&explanation, layout(args.color, false), writer),
        TextFormat::Json => json::write_pretty(&explanation, writer),
    })
}

fn schema(of: SchemaOf) -> Result<Exit, Error> {
    let schema = match of {
        SchemaOf::Finding => schema::finding(),
        SchemaOf::Report => schema::report(),
        SchemaOf::Catalog => migsift::catalog::schema(),
    };
    print(|writer| writer.write_all(schema.as_bytes()))
}

fn print(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<Exit, Error> {
    let mut output = Output::new(None)?;
    output.put(write)?;
    output.finish()?;
    Ok(Exit::Clean)
}

/// Says something on standard error; if that is closed, nobody listens.
pub fn say(text: &str) {
    use std::io::Write;
    for line in text.lines() {
        // What files and logs hold may stand in it.
        let _ = writeln!(std::io::stderr(), "migsift: {}", safe::line(line));
    }
}
