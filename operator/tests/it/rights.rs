//! The chart's roles hold exactly what the operator uses.

use std::collections::BTreeSet;

use k8s_openapi::api::{apps::v1::Deployment, networking::v1::NetworkPolicy};
use serde_json::json;
use tokio::task::JoinSet;

use crate::world::{Asked, Odd, PROCESS, Right, World, chart, helm, rights, wait, wasm};

/// Worlds at once; each has an operator and a NATS server.
const AT_ONCE: usize = 6;

/// Everything that an operator does in its life, in short. What it was refused, or what went wrong.
async fn life(without: Option<Right>) -> Result<BTreeSet<Right>, String> {
    let tenants =
        Some(json!([{ "namespaceSelector": { "matchExpressions": [{ "key": "world", "operator": "Exists" }] } }]));
    let mut world = World::odd(Odd { tenants, without: without.clone() }).await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    world.gear("masker", json!({})).await;
    let refused = || async {
        let asked = world.asked().await;
        asked.into_iter().find(|asked| asked.code == 403).map(|asked| Err(format!("{:?} was refused", asked.right)))
    };
    macro_rules! step {
        ($what:expr, $good:expr) => {
            let result = wait($what, || async {
                if let Some(refused) = refused().await {
                    return Some(refused);
                }
                if $good { Some(Ok(())) } else { None }
            })
            .await;
            match result {
                Ok(answer) => answer?,
                Err(waited) => {
                    let asked = world.asked().await;
                    let last: Vec<_> = asked.iter().rev().take(5).collect();
                    return Err(format!("{waited}; the operator asked {} times, last {last:?}", asked.len()));
                }
            }
        };
    }
    let said = |kind: &'static str| {
        let api = world.api::<wasmgear_crds::WasmGear>();
        async move { api.get("masker").await.map(|gear| crate::world::said(&gear, kind)).unwrap_or_default() }
    };
    step!("the Deployment", world.api::<Deployment>().get_opt("masker-wasmgear").await.unwrap().is_some());
    world.cluster.roll_out("masker").await;
    step!("Ready", said("Ready").await == "True/Serving");
    step!("the Event", world.events("masker").await.contains(&"Serving".to_owned()));
    world.delete("masker").await;
    world.cluster.remove_pods("masker").await;
    step!("the policy goes", world.api::<NetworkPolicy>().get_opt("wasmgear-pods").await.unwrap().is_none());
    world.stop().await;
    let asked = world.asked().await;
    match asked.iter().find(|asked| asked.code == 403) {
        Some(refused) => Err(format!("{:?} was refused", refused.right)),
        None => Ok(asked.into_iter().flat_map(Asked::took).collect()),
    }
}

fn granted() -> Vec<Right> {
    let tenants = r#"tenants=[{"namespaceSelector":{}}]"#;
    let rendered =
        helm(&["template", "r", &chart(), "--namespace", "n", "--set-json", tenants, "--set", "watchNamespaces={n}"]);
    rights(&rendered.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_charts_rights_nothing_is_refused_and_every_right_is_used() {
    let used = Box::pin(life(None)).await.unwrap();
    let granted: BTreeSet<Right> = granted().into_iter().collect();
    let unused: Vec<_> = granted.difference(&used).collect();
    assert!(unused.is_empty(), "the chart grants what nobody uses: {unused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_right_that_is_taken_away_is_missed() {
    let mut all = granted();
    assert!(all.len() > 35, "{all:?}");
    let mut running = JoinSet::new();
    let mut missed = 0;
    while !all.is_empty() || !running.is_empty() {
        while running.len() < AT_ONCE
            && let Some(right) = all.pop()
        {
            running.spawn(async move { (right.clone(), Box::pin(life(Some(right))).await) });
        }
        let (right, result) = running.join_next().await.unwrap().unwrap();
        let error = result.expect_err(&format!("{right:?} is not needed"));
        assert!(error.contains("was refused"), "{right:?}: {error}");
        missed += 1;
    }
    assert!(missed > 35);
}

#[test]
fn a_cluster_wide_install_has_the_same_rules_in_a_cluster_role() {
    let all =
        helm(&["template", "r", &chart(), "--namespace", "n", "--set-json", r#"tenants=[{"namespaceSelector":{}}]"#]);
    assert_eq!(rights(&all.unwrap()), granted());
}
