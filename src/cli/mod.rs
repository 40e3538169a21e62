//! The command line: arguments in, an exit code out.
//!
//! Only here are standard output and error, colours, exit codes, signals and progress. [`args`] defines the
//! arguments as plain data, [`flags`] derives lists from them, and there is one module for each command. What
//! a command needs besides: `paths` and `files` read what users name, `claims` refuses to write what is read,
//! `writer` and `outputs` print, `clock` reads the clock, `exit` decides the exit code.

pub mod args;
mod baseline;
mod catalog;
mod claims;
mod clock;
mod diff;
mod effect;
pub mod exit;
mod files;
pub mod flags;
mod man;
mod merge;
mod outputs;
mod paths;
mod progress;
mod redaction;
mod report;
mod scan;
mod signals;
mod stdio;
mod store;
mod times;
mod writer;

use args::{Command, SchemaKind, TextFormat};
use claims::Claims;
use exit::{CommandError, Exit};
use migsift::error::Error;
use migsift::explain::Explanation;
use migsift::print::{human, json, safe};
use migsift::record::schema;
use writer::{Medium, OutputWriter, layout};

/// Runs a command. A usage error is printed here and becomes an exit code.
pub fn run(command: &Command) -> Result<Exit, Error> {
    run_command(command).or_else(|error| match error {
        CommandError::Usage(error) => {
            say(&error.to_string());
            Ok(Exit::Usage)
        }
        CommandError::Fatal(error) => Err(error),
    })
}

fn run_command(command: &Command) -> Result<Exit, CommandError> {
    Ok(match command {
        Command::Scan(args) => scan::run(args)?,
        Command::Explain(args) => {
            let mut claims = Claims::default();
            catalog::claim(&args.catalog, &mut claims);
            claims.writes_stdout();
            claims.check()?;
            explain(args)?
        }
        Command::Merge(args) => merge::run(args)?,
        Command::Diff(args) => diff::run(args)?,
        Command::Report(args) => report::run(args)?,
        Command::Schema { of } => schema(*of)?,
        Command::Catalog { command } => catalog::run(command)?,
        Command::Completions { shell } => man::completions(*shell)?,
        Command::Man => man::page()?,
    })
}

/// `explain`: an entry of the catalogue.
fn explain(args: &args::ExplainArgs) -> Result<Exit, Error> {
    let catalog = catalog::load(&args.catalog)?;
    let Some(entry) = catalog.entry(&args.code) else {
        let code = safe::line(&args.code);
        say(&format!("{code} is not in the catalogue; `migsift catalog list` lists its entries"));
        return Ok(Exit::Usage);
    };
    let explanation = Explanation::from(&**entry);
    print(|writer| match args.format {
        TextFormat::Human => {
            human::write_explanation(&explanation, layout(args.color, Medium::Stdout), writer)
        }
        TextFormat::Json => json::write_pretty(&explanation, writer),
    })
}

/// `schema`: a JSON Schema.
fn schema(of: SchemaKind) -> Result<Exit, Error> {
    let schema = match of {
        SchemaKind::Finding => schema::finding(),
        SchemaKind::Report => schema::report(),
        SchemaKind::Catalog => migsift::catalog::schema(),
    };
    print(|writer| writer.write_all(schema.as_bytes()))
}

/// Prints on standard output.
fn print(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<Exit, Error> {
    let mut output = OutputWriter::new(None)?;
    output.put(write)?;
    output.finish()?;
    Ok(Exit::Clean)
}

/// Prints a fatal error on standard error, unless it is none to speak of. Returns the exit code.
pub fn say_error(error: &Error) -> Exit {
    let exit = Exit::of(error);
    if exit != Exit::Clean {
        say(&error.to_string());
    }
    exit
}

/// Prints a message on standard error. If that is closed, there is nobody to inform.
pub fn say(text: &str) {
    use std::io::Write;
    for line in text.lines() {
        // Messages may quote names of files and text of logs.
        let _ = writeln!(std::io::stderr(), "migsift: {}", safe::line(line));
    }
}
