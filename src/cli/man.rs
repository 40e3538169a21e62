//! The manual page and completions.
//!
//! Completions are generated from the command line's definition when asked for. The manual page is generated
//! from it, too, but held as a text (`man.1`), so that only tests compile what writes roff: a test generates
//! the page and compares, and `BLESS=1 cargo test` writes it again.

use super::exit::Exit;
use super::flags;
use super::print;
use clap_complete::Shell;
use migsift::error::Error;

/// The manual page: one page for all commands.
const PAGE: &str = include_str!("man.1");

/// Prints the completions for a shell.
pub fn completions(shell: Shell) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut flags::command(), "migsift", &mut script);
    print(|writer| writer.write_all(&script))
}

/// Prints the manual page.
pub fn page() -> Result<Exit, Error> {
    print(|writer| writer.write_all(PAGE.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;
    use std::io::{self, Write};

    /// The end of the page, in roff: exit codes, files, and what belongs to no flag.
    const TAIL: &str = include_str!("man.roff");

    #[test]
    fn the_page_is_generated_from_the_command_line() {
        let mut page = Vec::new();
        write_page(&mut page).expect("writes to memory");
        let page = String::from_utf8(page).expect("UTF-8");
        if std::env::var_os("BLESS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/man.1");
            std::fs::write(path, page).expect("writes the page");
        } else {
            let hint = "src/cli/man.1 is out of date: run BLESS=1 cargo test and read the difference";
            assert!(PAGE.replace("\r\n", "\n") == page, "{hint}");
        }
    }

    fn write_page(page: &mut dyn Write) -> io::Result<()> {
        let mut command = flags::command().disable_help_subcommand(true);
        command.build();
        let man = clap_mangen::Man::new(command.clone()).manual("User Commands");
        man.render_title(page)?;
        man.render_name_section(page)?;
        writeln!(page, ".SH SYNOPSIS")?;
        let mut synopses = Vec::new();
        each(&command, &mut |command| synopses.push(synopsis(command)));
        write!(page, "{}", synopses.join(".br\n"))?;
        man.render_description_section(page)?;
        let mut result = Ok(());
        each(&command, &mut |command| {
            if result.is_ok() {
                result = write_command(command, page);
            }
        });
        result?;
        page.write_all(TAIL.replace("\r\n", "\n").as_bytes())
    }

    /// Calls `with` for every command without subcommands, in the order of `--help`.
    fn each(command: &Command, with: &mut dyn FnMut(&Command)) {
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            if command.has_subcommands() {
                each(command, with);
            } else {
                with(command);
            }
        }
    }

    /// The synopsis of a command.
    fn synopsis(command: &Command) -> String {
        let name = escaped(command.get_bin_name().unwrap_or_else(|| command.get_name()));
        let values = command.get_positionals().map(|argument| {
            let value = escaped(&argument.to_string());
            format!(" {value}")
        });
        let options = if has_options(command) { " [\\fIOPTIONS\\fR]" } else { "" };
        format!("\\fB{name}\\fR{options}{}\n", values.collect::<String>())
    }

    /// Whether a command has options besides `--help`.
    fn has_options(command: &Command) -> bool {
        command.get_arguments().any(|argument| !argument.is_positional() && argument.get_id() != "help")
    }

    /// A section about one command.
    fn write_command(command: &Command, page: &mut dyn Write) -> io::Result<()> {
        let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
        writeln!(page, ".SH \"{}\"", escaped(&name.to_uppercase()))?;
        if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
            writeln!(page, "{}.", escaped(&about.to_string()))?;
        }
        let mut options = Vec::new();
        let plain = command.clone().mut_arg("help", |help| help.hide(true));
        clap_mangen::Man::new(plain).render_options_section(&mut options)?;
        let options = String::from_utf8_lossy(&options);
        // The page has its preamble and heading already.
        let body = options.split_once(".SH OPTIONS\n").map_or("", |(_, body)| body);
        page.write_all(body.as_bytes())
    }

    /// `text` in roff.
    fn escaped(text: &str) -> String {
        let text = text.replace('\\', "\\e").replace('-', "\\-");
        if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
    }
}
