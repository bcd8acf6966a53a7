//! How the program is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Pointers in constants are put right at the start of a program that may lie anywhere. The usual list of them has 24
    // bytes for each, 1.7 MiB that are read once and stay resident; the packed one has a few KiB (decision 0065).
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
