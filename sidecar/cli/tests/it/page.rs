//! `docs/reference/cli.md` against the program's own help.

use std::path::Path;

use wasmgear_cli::{Exit, command};

#[test]
fn the_page_of_commands_is_what_help_says() {
    let mut expected = String::new();
    let mut all = command("wasmgear").term_width(110);
    all.build();
    section(&mut expected, &mut all, "wasmgear");
    let names: Vec<String> = all.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        let command = all.find_subcommand_mut(name).unwrap();
        section(&mut expected, &mut command.clone().term_width(110), &format!("wasmgear {name}"));
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, listed) = page.split_once("<!-- help -->\n").unwrap();
    let (listed, _) = listed.split_once("<!-- end -->").unwrap();
    assert!(listed == expected, "docs/reference/cli.md is old; between the marks belongs:\n\n{expected}");
}

fn section(text: &mut String, command: &mut clap::Command, title: &str) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    *text += &["\n## `", title, "`\n\n```text\n", help.join("\n").trim_end(), "\n```\n"].concat();
}

#[test]
fn every_exit_code_is_on_the_page_and_in_the_help() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let help = command("wasmgear").render_long_help().to_string();
    for exit in Exit::ALL {
        assert!(page.contains(&format!("| {} |", exit.code())), "{exit:?}");
        assert!(help.contains(&exit.code().to_string()), "{exit:?}");
    }
}
