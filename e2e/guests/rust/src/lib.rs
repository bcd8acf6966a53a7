//! A guest that uses all of gear-guest, as its messages say: `data.do` names what it does.

use std::collections::HashMap;

use gear_guest::{Message, PerInstance, Reason, Value, Verdict, config, fail, gear, log};

const OWN: Reason = Reason::new(200);

static GREETING: PerInstance<String> = PerInstance::new(|| config("greeting").unwrap_or_else(|| "hello".to_owned()));

fn start() {
    if config("refuse").is_some() {
        fail("config.refuse is set: this instance does not start");
    }
}

fn probe(mut message: Message) -> Verdict {
    let order = message.get("do").and_then(Value::as_str).unwrap_or_default().to_owned();
    match order.as_str() {
        "emit" => {
            message.data.insert("greeting", GREETING.as_str());
            Verdict::Emit(message)
        }
        "all" => Verdict::EmitAll(vec![message.clone(), message]),
        "none" => Verdict::EmitAll(Vec::new()),
        "reject" => Verdict::reject("as you said"),
        "reject-with" => Verdict::reject_with(OWN, format!("as you said, {}", *GREETING)),
        "drop" => Verdict::Drop,
        "log" => {
            log::debug("one");
            log::info("two");
            log::warn("three");
            log::error("four");
            Verdict::Pass
        }
        "panic" => {
            let nothing: HashMap<u64, u64> = HashMap::new();
            #[allow(clippy::panic, reason = "what becomes of a panic is what is to be seen")]
            match nothing.get(&1) {
                Some(_) => Verdict::Pass,
                None => panic!("no account {} in {nothing:?}", 1),
            }
        }
        "fail" => fail("nothing works"),
        // Blocks of all sizes that grow and go in another order than they came.
        "memory" => {
            let mut blocks: Vec<Vec<u8>> = Vec::new();
            for step in 0..200_usize {
                blocks.push(vec![u8::try_from(step).unwrap_or(0); 1 + step * step % 5_000]);
                if step % 3 == 0 {
                    let mut block = blocks.swap_remove(step / 5 % blocks.len());
                    block.extend_from_slice(&[7; 300]);
                    blocks.push(block);
                }
            }
            let total: usize = blocks.iter().map(Vec::len).sum();
            message.data.insert("total", u64::try_from(total).unwrap_or(0));
            Verdict::Emit(message)
        }
        _ => Verdict::Pass,
    }
}

gear!(probe, start = start);
