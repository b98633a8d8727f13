//! Texts of the help, the manual page and the completions beyond the options.

use clap::CommandFactory as _;

use super::Arguments;

/// After the list of all commands.
pub(super) const AFTER: &str = "\
Exit codes:
  0  it worked
  1  the plugin returned an error of the contract, its imports are not allowed, or a claim of the demo failed
  2  wrong usage: options, files, JSON
  3  the plugin was stopped, cannot be loaded, or the host failed

Examples:
  host-test connect --settings settings.json --save connected.json
  host-test handoff --settings connected.json --request request.json --save-session session.bin
  host-test webhook --settings connected.json --body body.json --header \"X-Freshchat-Signature: ...\" \\
      --session session.bin --save-session session.bin
  host-test demo

Settings are a JSON object: {\"chat_url\": \"acme.freshchat.com\", \"api_key\": \"...\"}. Use - for standard input instead of a file.
Examples of each command: host-test help <command>.";

pub(super) const DESCRIBE: &str = "\
Example:
  host-test describe --json";
pub(super) const CONNECT: &str = "\
Example:
  host-test connect --settings settings.json --save connected.json

Lists each check with its remedy. Pass the file written by --save to all other commands: it contains the resolved ids.";
pub(super) const PREVIEW: &str = "\
Example:
  host-test preview --settings connected.json --request request.json";
pub(super) const HANDOFF: &str = "\
Examples:
  host-test handoff --settings connected.json --request request.json --save-session session.bin
  host-test handoff --settings connected.json --request request.json --session session.bin --save-session session.bin

The second one continues where a failed one stopped. A sample request is host-test/demo/conversation.json.";
pub(super) const RELAY: &str = "\
Example:
  host-test relay --settings connected.json --session session.bin --save-session session.bin --text \"Are you there?\"";
pub(super) const CLOSE: &str = "\
Example:
  host-test close --settings connected.json --session session.bin --save-session session.bin --reason user-left";
pub(super) const TICKET: &str = "\
Example:
  host-test ticket --settings connected.json --request request.json --save-session session.bin";
pub(super) const WEBHOOK: &str = "\
Example:
  host-test webhook --settings connected.json --body body.json --header \"X-Freshchat-Signature: ...\" \\
      --session session.bin --save-session session.bin

The body must be the bytes as received: reformatting invalidates the signature.";
pub(super) const PEEK: &str = "\
Example:
  host-test peek --body body.json";
pub(super) const UNDELIVERED: &str = "\
Example:
  host-test undelivered --settings connected.json --session session.bin --save-session session.bin --message-id 5f1c";
pub(super) const RATE: &str = "\
Example:
  host-test rate --settings connected.json --session session.bin --save-session session.bin --id r-1 --score 5";
pub(super) const TICK: &str = "\
Example:
  host-test tick --settings connected.json --session session.bin --save-session session.bin";
pub(super) const ERASE: &str = "\
Example:
  host-test erase --settings connected.json --user-id user-1";
pub(super) const DEMO: &str = "\
Examples:
  host-test demo
  host-test demo --interactive
  host-test demo --messages 200 --note-author
  host-test demo --conversation request.json --json";
pub(super) const IMPORTS: &str = "\
Example:
  host-test imports --verify";
pub(super) const COMPLETIONS: &str = "\
Examples:
  host-test completions bash > ~/.local/share/bash-completion/completions/host-test
  host-test completions zsh > \"${fpath[1]}/_host-test\"
  host-test completions fish > ~/.config/fish/completions/host-test.fish";
pub(super) const MAN: &str = "\
Example:
  host-test man > ~/.local/share/man/man1/host-test.1";

/// A shell's completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "host-test", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The manual page: all commands in one, each with its options and examples.
pub(super) fn manual_page() -> std::io::Result<String> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands().filter(|it| it.get_name() != "help") {
        let man =
            clap_mangen::Man::new(subcommand.clone().display_name(format!("host-test {}", subcommand.get_name())));
        page.extend_from_slice(format!(".SH \"{}\"\n", subcommand.get_name().to_uppercase()).as_bytes());
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
        man.render_extra_section(&mut page)?;
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// The help's lines that begin with the program's name, with continuation lines joined.
    fn examples() -> Vec<String> {
        let command = Arguments::command();
        let helps = std::iter::once(&command).chain(command.get_subcommands());
        let texts: Vec<String> = helps.filter_map(|it| it.get_after_help().map(ToString::to_string)).collect();
        let lines: Vec<String> = texts.iter().map(|text| text.replace("\\\n", " ")).collect();
        let lines = lines.iter().flat_map(|text| text.lines()).map(str::trim);
        lines.filter(|line| line.starts_with("host-test ")).map(str::to_owned).collect()
    }

    /// As a shell would: words, with quotation marks around those with blanks, up to a redirection.
    fn words(line: &str) -> Vec<String> {
        let line = line.split(" > ").next().unwrap();
        let quoted = |(at, part): (usize, &str)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        };
        line.split('"').enumerate().flat_map(quoted).collect()
    }

    #[test]
    fn every_example_in_the_help_is_accepted() {
        let examples = examples();
        for example in &examples {
            let parsed = Arguments::try_parse_from(words(example));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
        let command = Arguments::command();
        for subcommand in command.get_subcommands() {
            let is_shown = examples.iter().any(|it| it.starts_with(&format!("host-test {}", subcommand.get_name())));
            assert!(is_shown, "{} has no example", subcommand.get_name());
        }
    }

    #[test]
    fn completions_and_manual_page_know_every_command() {
        use clap::ValueEnum as _;
        let page = manual_page().unwrap();
        assert!(page.contains("Exit codes"), "{page}");
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            assert!(page.contains(&format!(".SH \"{}\"", name.to_uppercase())), "{name}");
            for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
                assert!(completions(shell).contains(name), "{shell} {name}");
            }
        }
        assert!(clap_complete::Shell::value_variants().len() >= 3);
    }
}
