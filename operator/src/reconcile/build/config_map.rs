//! What sidecars read, and what the operator must not forget.

use std::collections::BTreeMap;

use gear_config::{Document, FILE_NAME};
use k8s_openapi::api::core::v1::ConfigMap;

use super::meta;
use crate::{
    reconcile::validate::{CA_FILE, ValidGear},
    record::{self, Record},
};

/// The ConfigMap, mounted as a directory.
pub(super) fn config_map(
    gear: &ValidGear,
    document: &Document,
    record: &Record,
) -> Result<ConfigMap, serde_json::Error> {
    let mut data: BTreeMap<String, String> = [
        (FILE_NAME.to_owned(), document.render()?),
        (record::FILE_NAME.to_owned(), serde_json::to_string_pretty(record)?),
    ]
    .into();
    data.extend(gear.connection.ca.iter().map(|pem| (CA_FILE.to_owned(), pem.clone())));
    Ok(ConfigMap { metadata: meta::child(gear), data: Some(data), ..ConfigMap::default() })
}
