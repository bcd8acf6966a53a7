//! Registry kind `operator`: a server that answers well, and servers that do not.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::JoinHandle,
};

use gear_module::Digest;
use gear_supply::{Class, OperatorRegistry};

use crate::world::{LIMIT, bytes};

/// Answers one connection with these bytes; gives back what was asked.
fn server(answer: Vec<u8>) -> (OperatorRegistry, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (mut asked, mut piece) = (Vec::new(), [0; 1024]);
        while !asked.ends_with(b"\r\n\r\n") {
            let n = socket.read(&mut piece).unwrap();
            asked.extend_from_slice(&piece[..n]);
        }
        // The client may hang up as soon as it has seen enough.
        let _ = socket.write_all(&answer);
        String::from_utf8(asked).unwrap()
    });
    (OperatorRegistry::new("operator", &format!("http://127.0.0.1:{port}/base/")).unwrap(), thread)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n").into_bytes();
    answer.extend_from_slice(body);
    answer
}

#[tokio::test]
async fn the_bytes_of_a_digest_are_asked_for_by_digest() {
    let module = bytes(200_000);
    let (registry, thread) = server(answer("200 OK", "content-length: 200000\r\n", &module));
    let digest = Digest::of(&module);
    assert_eq!(&**registry.fetch(&digest, LIMIT).await.unwrap().bytes(), module);
    let asked = thread.join().unwrap();
    assert!(asked.starts_with(&format!("GET /base/modules/{digest} HTTP/1.1\r\n")), "{asked}");
}

#[tokio::test]
async fn each_bad_answer_has_its_class() {
    let digest = Digest::of(b"good");
    let endless = [b"x".repeat(100), b"x".repeat(100)].concat();
    for (what, reply, class) in [
        ("other bytes", answer("200 OK", "", b"evil"), Class::DigestMismatch),
        ("declared too large", answer("200 OK", "content-length: 101\r\n", b""), Class::ModuleTooLarge),
        ("undeclared too large", answer("200 OK", "", &endless), Class::ModuleTooLarge),
        ("cut short", answer("200 OK", "content-length: 50\r\n", b"go"), Class::RegistryUnavailable),
        ("missing", answer("404 Not Found", "content-length: 0\r\n", b""), Class::ModuleNotFound),
        ("redirect", answer("302 Found", "location: http://127.0.0.1/\r\n", b""), Class::RegistryInvalid),
        ("forbidden", answer("403 Forbidden", "content-length: 0\r\n", b""), Class::RegistryInvalid),
        ("own fault", answer("503 Busy", "content-length: 0\r\n", b""), Class::RegistryUnavailable),
        ("no HTTP", b"SSH-2.0-x\r\n".to_vec(), Class::RegistryUnavailable),
    ] {
        let (registry, thread) = server(reply);
        let error = registry.fetch(&digest, 100).await.unwrap_err();
        assert_eq!(error.class(), class, "{what}: {}", error.chain());
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn nobody_listening_is_a_fault_that_may_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let registry = OperatorRegistry::new("operator", &format!("http://127.0.0.1:{port}")).unwrap();
    let error = registry.fetch(&Digest::of(b"x"), LIMIT).await.unwrap_err();
    assert_eq!(error.class(), Class::RegistryUnavailable);
}

#[test]
fn urls_that_are_not_plain_http_are_refused_with_an_example() {
    for url in ["", "operator:8083", "https://operator", "http://u:p@operator", "http://operator/?q", "ftp://operator"]
    {
        let error = OperatorRegistry::new("operator", url).unwrap_err();
        assert!(error.to_string().contains("http://wasmgear-operator.wasmgear-system:8083"), "{url}: {error}");
    }
    assert!(OperatorRegistry::new("operator", "http://[::1]:8083").is_ok());
}
