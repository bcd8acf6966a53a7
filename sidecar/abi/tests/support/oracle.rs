//! The Go program `e2e/oracle/cmd/verdict`: fluxrig's own CBOR library, asked over pipes.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// Starts the program; built once per test binary.
pub(crate) fn start(arguments: &[&str]) -> Child {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    Command::new(PROGRAM.get_or_init(build))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle starts")
}

fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("target/oracle");
    std::fs::create_dir_all(&folder).expect("target/oracle can be made");
    // Two test binaries may build at once, and one may run what the other replaces.
    let (own, program) = (folder.join(format!("verdict.{}", std::process::id())), folder.join("verdict"));
    let built = Command::new("go")
        .arg("build")
        .arg("-o")
        .arg(&own)
        .arg("./cmd/verdict")
        .current_dir(root.join("e2e/oracle"))
        .status();
    match built {
        Ok(status) => assert!(status.success(), "go build of e2e/oracle/cmd/verdict failed, see above"),
        Err(error) => panic!(
            "go does not start ({error}); install it with: \
             curl -fsSL https://go.dev/dl/go1.26.8.linux-amd64.tar.gz | tar -C /usr/local -xz && \
             ln -s /usr/local/go/bin/go /usr/local/bin/go"
        ),
    }
    std::fs::rename(&own, &program).expect("target/oracle can be written");
    program
}

/// Writes a record behind its length.
pub(crate) fn write_record(out: &mut impl Write, pieces: &[&[u8]]) -> io::Result<()> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    out.write_all(&u32::try_from(length).expect("a record below 4 GiB").to_be_bytes())?;
    pieces.iter().try_for_each(|piece| out.write_all(piece))
}

/// Reads a record into `buffer`; `false` at the end of the stream.
pub(crate) fn read_record(input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error),
    }
    buffer.resize(u32::from_be_bytes(length) as usize, 0);
    input.read_exact(buffer)?;
    Ok(true)
}
