//! `new`.

use crate::world::World;

#[test]
fn a_new_project_is_complete_and_says_what_comes_next() {
    let world = World::new();
    for (lang, file) in [("rust", "src/lib.rs"), ("cpp", "gear.cpp")] {
        let folder = format!("my-{lang}");
        let ran = world.run(&["new", &folder, "--lang", lang]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("wasmgear run") && ran.out.contains(&format!("cd {folder}")), "{}", ran.out);
        assert!(world.path(&folder).join(file).is_file());
    }
    let report = world.run(&["new", "for-a-program", "--lang", "rust", "-o", "json"]).json();
    assert_eq!(report["folder"], "for-a-program");
    let files = report["files"].as_array().unwrap();
    assert!(
        files.len() > 2 && files.iter().all(|file| world.path("for-a-program").join(file.as_str().unwrap()).is_file())
    );
}

#[test]
fn nothing_that_is_there_is_written_over() {
    let world = World::new();
    std::fs::create_dir(world.path("mine")).unwrap();
    world.write("mine/lib.rs", "mine");
    let ran = world.run(&["new", "mine", "--lang", "rust"]);
    assert_eq!(ran.code, 64, "{}", ran.err);
    assert!(ran.err.contains("not empty"), "{}", ran.err);
    assert_eq!(std::fs::read_dir(world.path("mine")).unwrap().count(), 1);
    for name in ["My Gear", "1gear", ".."] {
        assert_eq!(world.run(&["new", name, "--lang", "cpp"]).code, 64, "{name}");
    }
}
