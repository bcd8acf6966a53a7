//! What must hold for any bytes. Run by the fuzz targets on what libFuzzer makes up, and by the tests of `gear-abi` on
//! the corpora and on random records.

use gear_abi::{Edit, Hop, Limits, Message, OutputLimits, Peek, Shape, Uuid, outputs, records};

const LIMITS: Limits = Limits { hops: 64, payload: 2 << 20 };

/// Looking into bytes never panics, stays inside of them, and comes to one opinion.
pub fn peek(bytes: &[u8]) {
    let alone = gear_abi::peek(bytes, &LIMITS);
    if let Ok(found) = &alone {
        assert_eq!(found.bytes(), bytes);
        for range in [found.path_range(), found.meta_range(), found.id_range()].into_iter().flatten() {
            assert!(range.start < range.end && range.end <= bytes.len(), "{range:?} of {}", bytes.len());
        }
        assert!(found.hops() <= LIMITS.hops && found.payload() <= LIMITS.payload);
        let _ = (found.traceparent(), found.tracestate(), found.baggage(), found.port());
    } else if let Err(error) = &alone {
        assert!(error.at() <= bytes.len(), "{error}");
    }
    // A record is a sequence of one, and an answer of one.
    let mut sequence = records(bytes, &LIMITS);
    let first = sequence.next().map(|first| first.map(|found| found.bytes().len()));
    assert_eq!(alone.is_ok(), first == Some(Ok(bytes.len())));
    let limits = OutputLimits { messages: 4, size: 1 << 20, record: LIMITS };
    let one: Result<Vec<_>, _> = outputs(bytes, Shape::One, &limits).and_then(Iterator::collect);
    assert_eq!(alone.is_ok(), one.is_ok_and(|one| one.len() == 1));
    if let Ok(answer) = outputs(bytes, Shape::OneOrMany, &limits) {
        assert!(answer.filter_map(Result::ok).count() <= limits.messages);
    }
}

/// What is read is written so that it reads the same.
pub fn decode(bytes: &[u8]) {
    let message = match Message::decode_with(bytes, &LIMITS) {
        Ok(message) => message,
        Err(error) => {
            assert_eq!(gear_abi::peek(bytes, &LIMITS).unwrap_err(), error);
            return;
        }
    };
    let found = gear_abi::peek(bytes, &LIMITS).unwrap();
    let entry = |key: &str| message.meta.get(key).map(String::as_str);
    assert_eq!((found.id(), found.flags(), found.hops()), (message.id, message.flags, message.path.len()));
    assert_eq!(found.traceparent().as_deref(), entry("traceparent"));
    assert_eq!(found.tracestate().as_deref(), entry("tracestate"));
    assert_eq!(found.baggage().as_deref(), entry("baggage"));
    assert_eq!(found.port().as_deref(), entry("flux.port"));
    let written = message.encode();
    // A null that repeats a long text is small here and large when written; the limits then tell the two apart.
    if let Ok(again) = Message::decode_with(&written, &LIMITS) {
        assert_eq!(again.encode(), written);
        assert_eq!(again.path, message.path);
    }
}

/// An edited record is the same message with the edit, and the same bytes outside of it.
pub fn splice(bytes: &[u8]) {
    let Ok(found) = gear_abi::peek(bytes, &LIMITS) else { return };
    let hop = Hop::new([7; 16], [8; 16], -9);
    let set = [("traceparent", "00-1"), ("new", "é")];
    let append = Edit::hop(hop);
    let nothing: &[(&str, &str)] = &[];
    for (edit, set, drops) in [
        (append, nothing, false),
        (append.with_id(Uuid([5; 16])), nothing, false),
        (append.without_port(), nothing, true),
        (append.with_meta(&set), &set, false),
        (append.with_id(Uuid([6; 16])).with_meta(&set).without_port(), &set, true),
    ] {
        edited(&found, &edit, |message| {
            message.path.push(hop);
            if drops {
                message.meta.remove("flux.port");
            }
            for (key, value) in set {
                message.meta.remove(*key);
                message.meta.push((*key).into(), (*value).into());
            }
        });
    }
    untouched(&found, &append);
}

fn edited(found: &Peek<'_>, edit: &Edit<'_>, expect: impl Fn(&mut Message)) {
    let Ok(parts) = gear_abi::splice(found, edit, &LIMITS) else { return };
    let bytes = parts.to_vec();
    assert_eq!(bytes.len(), parts.len());
    let mut copy = vec![0; parts.len()];
    assert!(parts.copy_to(&mut copy) && copy == bytes);
    let again = gear_abi::peek(&bytes, &LIMITS)
        .unwrap_or_else(|error| panic!("{error}: {:02x?} became {bytes:02x?}", found.bytes()));
    assert_eq!((again.hops(), again.id()), (parts.hops(), parts.id()));
    let mut wanted = Message::decode(found.bytes()).unwrap();
    wanted.id = parts.id();
    expect(&mut wanted);
    let got = Message::decode(&bytes).unwrap();
    assert_eq!(got.encode(), wanted.encode(), "{edit:?} of {:02x?}", found.bytes());
}

/// With nothing but a hop to append, nothing but `path` changes, and the heads that count it.
fn untouched(found: &Peek<'_>, edit: &Edit<'_>) {
    let (Ok(parts), Some(path)) = (gear_abi::splice(found, edit, &LIMITS), found.path_range()) else { return };
    let (old, new) = (found.bytes(), parts.to_vec());
    assert!(new.starts_with(&old[..path.start]), "what is before the path has changed");
    assert!(new.ends_with(&old[path.end..]), "what is behind the path has changed");
}
