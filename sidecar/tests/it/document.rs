//! The program: flags, exit codes, termination message.

use std::{
    path::Path,
    process::{Command, Output},
};

use crate::world::World;

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_wasmgear-sidecar")));
    command.args(args).env_clear();
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_flags_and_a_wrong_environment_end_with_64() {
    let unknown = program(&["--allow-everything"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(64), "{}", text(&unknown));
    let environment = program(&[]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector").output().unwrap();
    assert_eq!(environment.status.code(), Some(64), "{}", text(&environment));
    assert!(text(&environment).contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{}", text(&environment));
    assert_eq!(program(&["--help"]).output().unwrap().status.code(), Some(0));
}

#[tokio::test]
async fn a_fatal_cause_is_in_the_termination_message() {
    let world = World::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let log = world.folder.path().join("termination-log");
    std::fs::write(&log, "").unwrap();
    let mut args = world.args();
    let admin = args.iter().position(|arg| arg == "--admin").unwrap();
    args[admin + 1].clone_from(&address);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = program(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.contains(&address) && told.contains("admin ports"), "{told}");
}
