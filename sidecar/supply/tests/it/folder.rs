//! Registry kind `folder`.

use std::{fs, os::unix::fs::symlink, process::Command};

use gear_module::Digest;
use gear_supply::{Class, FolderRegistry, Pushed};

use crate::world::{LIMIT, bytes, module, reference};

#[tokio::test]
async fn a_version_is_a_file_and_its_bytes_are_found_by_digest() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("team/fraud")).unwrap();
    fs::write(folder.path().join("team/fraud/v2.1"), b"module").unwrap();
    let registry = FolderRegistry::new("local", folder.path());
    let name = reference("urn:wasm:team/fraud:v2.1");
    assert_eq!(registry.resolve(&name, LIMIT).await.unwrap(), (Digest::of(b"module"), 6));
    // A registry that has resolved nothing yet (the operator after a restart) searches.
    let fresh = FolderRegistry::new("local", folder.path());
    assert_eq!(&**fresh.fetch(&Digest::of(b"module"), LIMIT).await.unwrap().bytes(), b"module");
    assert_eq!(registry.fetch(&Digest::of(b"other"), LIMIT).await.unwrap_err().class(), Class::ModuleNotFound);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_never_served_for_its_old_digest() {
    let folder = tempfile::tempdir().unwrap();
    let registry = FolderRegistry::new("local", folder.path());
    let name = reference("urn:wasm:m:v1");
    registry.push(&name, &module("old bytes")).await.unwrap();
    assert_eq!(registry.resolve(&name, LIMIT).await.unwrap().0, Digest::of(b"old bytes"));
    fs::write(folder.path().join("m/v1"), b"new bytes").unwrap();
    let gone = registry.fetch(&Digest::of(b"old bytes"), LIMIT).await.unwrap_err();
    assert_eq!(gone.class(), Class::ModuleNotFound);
    assert_eq!(&**registry.fetch(&Digest::of(b"new bytes"), LIMIT).await.unwrap().bytes(), b"new bytes");
}

#[tokio::test]
async fn a_push_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let registry = FolderRegistry::new("local", folder.path().join("made/by/push"));
    let name = reference("urn:wasm:m:v1");
    assert_eq!(registry.push(&name, &module("one")).await.unwrap(), Pushed::New);
    assert_eq!(registry.push(&name, &module("one")).await.unwrap(), Pushed::AlreadyThere);
    assert_eq!(registry.push(&name, &module("two")).await.unwrap_err().class(), Class::VersionTaken);
    let files: Vec<_> = fs::read_dir(folder.path().join("made/by/push/m")).unwrap().collect();
    assert_eq!(files.len(), 1, "drafts are left: {files:?}");
    for round in 0..20 {
        let name = reference(&format!("urn:wasm:race:v{round}"));
        let (one, two) = (module("one"), module("two"));
        let (one, two) = tokio::join!(registry.push(&name, &one), registry.push(&name, &two));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn a_link_that_leads_out_is_refused_and_one_that_stays_in_is_read() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("secret"), b"secret").unwrap();
    fs::create_dir_all(folder.path().join("m")).unwrap();
    fs::create_dir_all(folder.path().join("..data")).unwrap();
    fs::write(folder.path().join("..data/v2"), b"inside").unwrap();
    symlink(outside.path().join("secret"), folder.path().join("m/v1")).unwrap();
    symlink("../..data/v2", folder.path().join("m/v2")).unwrap();
    symlink(outside.path(), folder.path().join("out")).unwrap();
    let registry = FolderRegistry::new("local", folder.path());
    let leaving = registry.resolve(&reference("urn:wasm:m:v1"), LIMIT).await.unwrap_err();
    assert_eq!(leaving.class(), Class::RegistryInvalid);
    assert!(leaving.to_string().contains("leads out"), "{leaving}");
    assert_eq!(registry.resolve(&reference("urn:wasm:m:v2"), LIMIT).await.unwrap().0, Digest::of(b"inside"));
    // Nor is it found by its digest, through the file's link or the folder's.
    assert!(registry.fetch(&Digest::of(b"secret"), LIMIT).await.is_err());
    let pushed = registry.push(&reference("urn:wasm:out:v1"), &module("x")).await.unwrap_err();
    assert_eq!(pushed.class(), Class::RegistryInvalid);
    assert!(!outside.path().join("v1").exists());
}

#[tokio::test]
async fn a_pipe_a_folder_and_a_large_file_are_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("m/v3")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("m/v1")).status().unwrap().success());
    fs::write(folder.path().join("m/v2"), bytes(101)).unwrap();
    let registry = FolderRegistry::new("local", folder.path());
    for (version, class) in
        [("v1", Class::RegistryInvalid), ("v2", Class::ModuleTooLarge), ("v3", Class::RegistryInvalid)]
    {
        let error = registry.resolve(&reference(&format!("urn:wasm:m:{version}")), 100).await.unwrap_err();
        assert_eq!(error.class(), class, "{version}: {error}");
    }
    fs::write(folder.path().join("m/v4"), bytes(100)).unwrap();
    assert_eq!(registry.resolve(&reference("urn:wasm:m:v4"), 100).await.unwrap().1, 100);
}
