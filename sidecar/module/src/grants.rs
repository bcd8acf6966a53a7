//! What a resource gives to a guest.

use serde::{Deserialize, Serialize};

/// What a guest may do beyond computing, logging and reading its own configuration. Default: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Grants {
    /// `allowHttp` of the resource.
    pub allow_http: bool,
    /// `allowKv` of the resource.
    pub allow_kv: bool,
}
