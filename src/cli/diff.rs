//! `diff`: what has changed between two reports; the exit code says whether something is new.

use super::args::{Diff, TextFormat};
use super::exit::Exit;
use super::merge::report;
use super::output::layout;
use super::print;
use migsift::error::Error;
use migsift::print::difference;
use std::path::Path;

/// Compares and prints.
pub fn run(args: &Diff) -> Result<Exit, Error> {
    if args.old == Path::new("-") && args.new == Path::new("-") {
        return Err(Error::unusable("-", None, "standard input cannot be both reports"));
    }
    let (old, new) = (report(&args.old)?, report(&args.new)?);
    let compared = difference::Compared::new(old, new)?;
    print(|writer| match args.format {
        TextFormat::Human => difference::write_human(&compared, layout(args.color, false), writer),
        TextFormat::Json => difference::write_json(&compared, writer),
    })?;
    Ok(if compared.difference.new.is_empty() { Exit::Clean } else { Exit::Found })
}
