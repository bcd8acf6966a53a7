//! The whole of it, once: a program has one subscriber, so this binary has one test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc,
    time::Duration,
};

use gear_telemetry::{Identity, Output, Settings};

/// Answers every request of one connection after another with 200; gives away path and body.
fn collector() -> (u16, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut reader = BufReader::new(socket.unwrap());
            let (mut path, mut length) = (String::new(), 0);
            for line in reader.by_ref().lines() {
                let line = line.unwrap().to_lowercase();
                if line.starts_with("post ") {
                    path.clone_from(&line);
                }
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            sender.send((path, body)).unwrap();
        }
    });
    (port, receiver)
}

#[test]
fn spans_reach_the_collector_before_the_guard_is_gone() {
    let (port, requests) = collector();
    let endpoint = format!("http://127.0.0.1:{port}");
    let env = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint.clone()),
        "OTEL_TRACES_SAMPLER_ARG" => Some("1".to_owned()),
        _ => None,
    };
    let settings = Settings::from_env(env, Output::Stderr, "info").unwrap();
    let identity = Identity {
        service: "wasmgear-sidecar",
        version: "0",
        id: "some-id".into(),
        name: "masker".into(),
        kind: "GEAR",
    };
    let guard = gear_telemetry::init(&settings, &identity).unwrap();
    assert!(gear_telemetry::init(&settings, &identity).is_err());
    guard.filter().set("warn,gear_supply=debug").unwrap();
    assert!(guard.filter().set("a=b=c").unwrap_err().contains("a=b=c"));

    let messages = guard.messages("masker").unwrap();
    let span = messages.begin("flux.msg.a.b.out", "0192", None, None);
    assert!(span.output("flux.msg.a.masker.out").unwrap().traceparent.starts_with("00-"));
    drop(span);
    // Spans of the program itself come through `tracing`.
    tracing::info_span!(target: "gear_supply", "fetch_module").in_scope(|| ());
    drop(guard);

    let (path, body) = requests.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(path.starts_with("post /v1/traces "), "{path}");
    let mut seen = body;
    while let Ok((_, body)) = requests.try_recv() {
        seen.extend(body);
    }
    for text in ["handle_msg flux.msg.a.b.out", "gear_process masker", "gear_output masker", "some-id", "fetch_module"]
    {
        assert!(seen.windows(text.len()).any(|window| window == text.as_bytes()), "{text} was not sent");
    }
}
