//! Through an echo guest everything outside of `path` stays byte for byte.

use crate::world::{World, payment};

/// Name, record as it goes in, and what stands before and behind the two hops that are added.
struct Case {
    name: &'static str,
    record: Vec<u8>,
    before: Vec<u8>,
    behind: Vec<u8>,
}

fn case(name: &'static str, record: &[&[u8]], before: &[&[u8]], behind: &[&[u8]]) -> Case {
    Case { name, record: record.concat(), before: before.concat(), behind: behind.concat() }
}

/// Ids are given, so that none is filled in.
const ID: &[u8] = b"\x62id\x50\x01\x92\xf3\xa0\x11\x11\x7a\xbc\x8d\xef\x00\x01\x02\x03\x04\x05";
const HOP: &[u8] =
    b"\xa3\x61g\x50\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x61p\x50\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x61t\x01";

fn cases() -> Vec<Case> {
    vec![
        case("path last, counted", &[b"\xa2", ID, b"\x64path\x80"], &[b"\xa2", ID, b"\x64path\x82"], &[]),
        case(
            "path first, everything indefinite",
            &[b"\xbf\x64path\x9f\xff", ID, b"\x64data\xbf\x61n\x7f\x61a\x61b\xff\xff\xff"],
            &[b"\xbf\x64path\x9f"],
            &[b"\xff", ID, b"\x64data\xbf\x61n\x7f\x61a\x61b\xff\xff\xff"],
        ),
        case(
            "numbers wider than they need to be, unknown and duplicate keys",
            &[b"\xa5\x18\x07\x19\x00\x01\x67unknown\xf9\x3c\x00", ID, b"\x64path\x80\x64path\xf6"],
            &[b"\xa5\x18\x07\x19\x00\x01\x67unknown\xf9\x3c\x00", ID, b"\x64path\x82"],
            &[b"\x64path\xf6"],
        ),
        case("a null path", &[b"\xa2\x64path\xf6", ID], &[b"\xa2\x64path\x82"], &[ID]),
        case(
            "an id of an old version",
            &[b"\xa2\x62id\x1b\x00\x00\x00\x01\x00\x00\x00\x01\x64path\x81", HOP],
            &[b"\xa2\x62id\x1b\x00\x00\x00\x01\x00\x00\x00\x01\x64path\x83", HOP],
            &[],
        ),
        case("no path at all", &[b"\xa1", ID], &[b"\xa2", ID, b"\x64path\x82"], &[]),
        case("another letter case", &[b"\xa2\x64PATH\x80", ID], &[b"\xa2\x64PATH\x82"], &[ID]),
        case(
            "marked as CBOR",
            &[b"\xd9\xd9\xf7\xa2", ID, b"\x64path\x80"],
            &[b"\xd9\xd9\xf7\xa2", ID, b"\x64path\x82"],
            &[],
        ),
    ]
}

/// A hop with 16-byte ids and a time of today.
const HOP_LENGTH: usize = 50;

#[tokio::test]
async fn everything_outside_of_path_stays_byte_for_byte() {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm("echo")).await);
    let sidecar = world.start();
    sidecar.ready().await;
    for (at, case) in cases().into_iter().enumerate() {
        world.feed([case.record.clone()]).await;
        let outputs = world.outputs(at as u64 + 1).await;
        let (_, output) = outputs.last().unwrap();
        let hops = output.strip_prefix(&case.before[..]).and_then(|rest| rest.strip_suffix(&case.behind[..]));
        let Some(hops) = hops else { panic!("{}: {:02x?} became {output:02x?}", case.name, case.record) };
        assert_eq!(hops.len(), 2 * HOP_LENGTH, "{}", case.name);
        let (arrival, output) = hops.split_at(HOP_LENGTH);
        assert!(arrival.starts_with(b"\xa3\x61g\x50") && output.starts_with(b"\xa3\x61g\x50"), "{}", case.name);
        assert_eq!(arrival[4..20], output[4..20], "{}: both hops name this gear", case.name);
        assert_eq!((arrival[4 + 13], arrival[23 + 13], output[23 + 13]), (0x05, 0x06, 0x07), "{}", case.name);
    }
    // And the ordinary one.
    world.feed([payment(1)]).await;
    assert_eq!(world.outputs(9).await.len(), 9);
}
