//! Every limit passes at its value and fires one above.

use gear_abi::{
    Edit, Field, Hop, Id, Limits, MAX_ELEMENTS, Message, NoRoom, OutputError, OutputLimits, Shape, Why, outputs, peek,
    splice,
};

use crate::bytes::{array, data, head, hex, map, nested, record, text};

const FLUXRIG: Limits = Limits { hops: 64, payload: 2 << 20 };

fn why(bytes: &[u8], limits: &Limits) -> Option<Why> {
    peek(bytes, limits).err().map(|error| error.why())
}

fn says(bytes: &[u8], limits: &Limits) -> String {
    peek(bytes, limits).map_or_else(|error| error.to_string(), |found| format!("{} bytes", found.payload()))
}

#[test]
fn the_default_limits_are_those_of_fluxrig() {
    assert_eq!(Limits::default(), FLUXRIG);
}

#[test]
fn hops() {
    let hops = |count| Message { path: vec![Hop::default(); count], ..Message::default() }.encode();
    assert_eq!(why(&hops(64), &FLUXRIG), None);
    assert_eq!(why(&hops(65), &FLUXRIG), Some(Why::TooManyHops));
    assert_eq!(says(&hops(65), &FLUXRIG), "not a fluxMsg: field path, byte 105: 65 hops, at most 64 are allowed");
    assert_eq!(peek(&hops(65), &FLUXRIG).unwrap_err().field(), Some(Field::Path));
    let indefinite = record("path", &[hex("9f"), vec![0xa0; 65], hex("ff")].concat());
    assert_eq!(why(&indefinite, &FLUXRIG), Some(Why::TooManyHops));
}

#[test]
fn hops_of_a_splice() {
    let edit = Edit::hop(Hop::default());
    for (count, fits) in [(63, true), (64, false)] {
        let bytes = Message { path: vec![Hop::default(); count], ..Message::default() }.encode();
        let spliced = splice(&peek(&bytes, &FLUXRIG).unwrap(), &edit, &FLUXRIG);
        assert_eq!(spliced.map(|parts| parts.hops()).ok(), fits.then_some(64));
    }
}

/// `raw`, keys and values of `meta`, keys of `data` and texts and bytes right under them count; nothing else does.
#[test]
fn payload() {
    let limits = Limits { payload: 113, ..FLUXRIG };
    let sized = |extra: usize| {
        map(&[
            (text("raw"), crate::bytes::bytes(&[0; 10])),
            (text("meta"), map(&[(text("ab"), text("cde"))])),
            (
                text("data"),
                map(&[
                    (text("t"), text(&"x".repeat(20))),
                    (text("b"), crate::bytes::bytes(&[0; 20])),
                    (text("self"), [hex("d9d9f7"), text(&"x".repeat(39 + extra))].concat()),
                    (text("n"), hex("1bffffffffffffffff")),
                    (text("nested"), array(&[text(&"x".repeat(500))])),
                    (text("tagged"), [hex("d863"), text(&"x".repeat(500))].concat()),
                ]),
            ),
            (text("trace"), text(&"x".repeat(500))),
        ])
    };
    // 10 of raw, 5 of meta, 21 + 21 + 43 of the strings in data, 13 of the keys n, nested and tagged.
    assert_eq!(peek(&sized(0), &limits).unwrap().payload(), 113);
    assert_eq!(says(&sized(1), &limits), "not a fluxMsg: byte 0: 114 bytes of payload, at most 113 are allowed");
}

#[test]
fn payload_of_numbers_for_bytes() {
    let limits = Limits { payload: 4, ..FLUXRIG };
    assert_eq!(why(&record("raw", &hex("84 00 00 00 00")), &limits), None);
    assert_eq!(
        says(&record("raw", &hex("85 00 00 00 00 00")), &limits),
        "not a fluxMsg: byte 0: 5 bytes of payload, at most 4 are allowed"
    );
}

/// The library reads into a map: what a later entry replaces is gone before the size is counted.
#[test]
fn payload_without_what_is_replaced() {
    let limits = Limits { payload: 6, ..FLUXRIG };
    let table = |last: &str| map(&[(text("a"), text("12345678")), (text("b"), text("1")), (text("a"), text(last))]);
    for field in ["meta", "data"] {
        assert_eq!(why(&record(field, &table("123")), &limits), None, "{field}");
        assert_eq!(
            says(&record(field, &table("1234")), &limits),
            "not a fluxMsg: byte 0: 7 bytes of payload, at most 6 are allowed",
            "{field}"
        );
    }
    // The same keys in both tables are different entries.
    let both = map(&[(text("meta"), record("a", &text("12"))), (text("data"), record("a", &text("123")))]);
    assert_eq!(says(&both, &limits), "not a fluxMsg: byte 0: 7 bytes of payload, at most 6 are allowed");
}

/// One byte of null may stand for a long text, so a small record can be a large message.
#[test]
fn payload_that_null_repeats() {
    let limits = Limits { payload: 30, ..FLUXRIG };
    let repeated = |length: usize| {
        record("meta", &map(&[(text("a"), text(&"x".repeat(length))), (text("b"), hex("f6")), (text("c"), hex("f6"))]))
    };
    assert_eq!(peek(&repeated(9), &limits).unwrap().payload(), 30);
    assert_eq!(says(&repeated(10), &limits), "not a fluxMsg: byte 0: 33 bytes of payload, at most 30 are allowed");
}

#[test]
fn payload_of_a_splice() {
    let bytes = record("meta", &map(&[(text("traceparent"), text("old")), (text("x"), text("y"))]));
    let set = [("traceparent", "newer")];
    let edit = Edit::hop(Hop::default()).with_meta(&set);
    // 11 + 5 + 1 + 1 after the edit; the old value does not count any more.
    for (payload, fits) in [(18, true), (17, false)] {
        let limits = Limits { payload, ..FLUXRIG };
        let spliced = splice(&peek(&bytes, &limits).unwrap(), &edit, &limits).map(|_| ());
        assert_eq!(spliced, if fits { Ok(()) } else { Err(NoRoom::Payload { limit: 17 }) });
    }
}

#[test]
fn elements() {
    let full = |major: u8, count: usize, item: &[u8]| [head(major, count as u64), item.repeat(count)].concat();
    let open = |first: u8, count: usize, item: &[u8]| [vec![first], item.repeat(count), vec![0xff]].concat();
    for (name, make) in [
        ("array", &(|count| data(&full(4, count, &hex("00")))) as &dyn Fn(usize) -> Vec<u8>),
        ("map", &|count| data(&full(5, count, &hex("0000")))),
        ("open array", &|count| data(&open(0x9f, count, &hex("00")))),
        ("open map", &|count| data(&open(0xbf, count, &hex("0000")))),
        ("skipped array", &|count| record("other", &full(4, count, &hex("00")))),
        ("skipped map", &|count| record("other", &full(5, count, &hex("0000")))),
        ("skipped open array", &|count| record("other", &open(0x9f, count, &hex("00")))),
        ("skipped open map", &|count| record("other", &open(0xbf, count, &hex("0000")))),
        ("record", &|count| full(5, count, &hex("0000"))),
        ("raw", &|count| record("raw", &full(4, count, &hex("00")))),
        ("meta", &|count| record("meta", &full(5, count, &hex("6060")))),
    ] {
        assert_eq!(why(&make(MAX_ELEMENTS), &FLUXRIG), None, "{name}");
        assert_eq!(why(&make(MAX_ELEMENTS + 1), &FLUXRIG), Some(Why::TooManyElements), "{name}");
    }
}

#[test]
fn elements_of_a_splice() {
    let pairs = |count: usize| [head(5, count as u64), hex("0000").repeat(count)].concat();
    let edit = Edit::hop(Hop::default());
    for (count, wanted) in [(MAX_ELEMENTS - 1, None), (MAX_ELEMENTS, Some(NoRoom::Elements))] {
        let bytes = pairs(count);
        assert_eq!(splice(&peek(&bytes, &FLUXRIG).unwrap(), &edit, &FLUXRIG).err(), wanted);
    }
}

#[test]
fn depth() {
    assert_eq!(why(&data(&nested(30, &hex("00"))), &FLUXRIG), None);
    assert_eq!(why(&data(&nested(31, &hex("00"))), &FLUXRIG), Some(Why::TooDeep));
}

/// Tags in front of a field leave no room for what a splice puts into it.
#[test]
fn depth_of_a_splice() {
    let tagged = |count: usize, inner: &str| [vec![0xc6; count], hex(inner)].concat();
    let edit = Edit::hop(Hop::default());
    for (name, make, most) in [
        // A hop in an array in a map: 3 levels, and each tag but the first is one.
        ("null path", &(|tags| record("path", &tagged(tags, "f6"))) as &dyn Fn(usize) -> Vec<u8>, 30),
        ("empty path", &|tags| record("path", &tagged(tags, "80")), 30),
        ("no path", &|tags| tagged(tags, "a0"), 30),
        ("null", &|tags| tagged(tags, "f6"), 30),
    ] {
        for (tags, wanted) in [(most, None), (most + 1, Some(NoRoom::Depth))] {
            let bytes = make(tags);
            let found = peek(&bytes, &FLUXRIG).unwrap();
            let spliced = splice(&found, &edit, &FLUXRIG);
            assert_eq!(spliced.as_ref().err(), wanted.as_ref(), "{name}, {tags} tags");
            if let Ok(parts) = spliced {
                assert_eq!(peek(&parts.to_vec(), &FLUXRIG).unwrap().hops(), 1, "{name}");
            }
        }
    }
    let set = [("traceparent", "x")];
    let edit = edit.with_meta(&set);
    for (tags, wanted) in [(31, None), (32, Some(NoRoom::Depth))] {
        let bytes = map(&[(text("path"), hex("80")), (text("meta"), tagged(tags, "f6"))]);
        assert_eq!(splice(&peek(&bytes, &FLUXRIG).unwrap(), &edit, &FLUXRIG).err(), wanted);
    }
}

#[test]
fn outputs_by_number() {
    let limits = OutputLimits { messages: 3, size: 1000, record: FLUXRIG };
    let all = |bytes: &[u8]| -> Result<usize, OutputError> {
        outputs(bytes, Shape::OneOrMany, &limits)?.try_fold(0, |count, output| output.map(|_| count + 1))
    };
    assert_eq!(all(&array(&vec![hex("a0"); 3])), Ok(3));
    assert_eq!(all(&array(&vec![hex("a0"); 4])), Err(OutputError::Messages { limit: 3 }));
    assert_eq!(all(&hex("9f a0 a0 a0 ff")), Ok(3));
    assert_eq!(all(&hex("9f a0 a0 a0 a0 ff")), Err(OutputError::Messages { limit: 3 }));
}

#[test]
fn outputs_by_size() {
    let bytes = array(&vec![hex("a0"); 9]);
    for (size, fits) in [(10, true), (9, false)] {
        let limits = OutputLimits { messages: 64, size, record: FLUXRIG };
        let found = outputs(&bytes, Shape::OneOrMany, &limits).map(|_| ());
        assert_eq!(found, if fits { Ok(()) } else { Err(OutputError::Size { found: 10, limit: 9 }) });
    }
}

#[test]
fn an_output_has_the_limits_of_a_record() {
    let limits = OutputLimits { messages: 64, size: 1000, record: Limits { hops: 1, ..FLUXRIG } };
    let answer = array(&[hex("a0"), record("path", &hex("82 a0 a0"))]);
    let mut found = outputs(&answer, Shape::OneOrMany, &limits).unwrap();
    assert_eq!(found.next().unwrap().unwrap().id(), Id::NIL);
    let error = found.next().unwrap().unwrap_err();
    assert!(matches!(error, OutputError::Record { index: 1, error } if error.why() == Why::TooManyHops));
    assert!(found.next().is_none());
}
