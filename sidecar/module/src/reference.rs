//! How people name a module: `urn:wasm:<name>:<version>`, optionally with `@sha256:<hex>`.

use std::{fmt, str::FromStr};

use crate::Digest;

/// A module's name as a resource or a command has it.
///
/// `<name>` is `[a-z0-9]([-a-z0-9]*[a-z0-9])?` joined by single `/`; `<version>` is `SemVer` with a leading `v`, exact and
/// never a range; `v2` and `v2.1` are versions of their own; build metadata (`+…`) is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    name: String,
    version: String,
    digest: Option<Digest>,
}

/// A text that names no module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// A scheme that design and fluxrig know, and this release can't follow yet.
    #[error(
        "{0}: this release reads urn:wasm:<name>:<version> only; oci://, https:// and snake:// are not available yet"
    )]
    NotAvailable(String),
    /// Anything else.
    #[error("{0:?} is not a module reference; urn:wasm:<name>:<version> is expected, as in urn:wasm:fraud-scorer:v2.1")]
    Syntax(String),
    /// A name that is no name.
    #[error(
        "{0:?} is not a module name; lower-case letters, digits and inner hyphens are expected, parts joined by single slashes"
    )]
    Name(String),
    /// A version that is no version.
    #[error(
        "{0:?} is not a version; SemVer with a leading v is expected, exact and without build metadata, as in v2.1"
    )]
    Version(String),
    /// A digest that is no digest.
    #[error(transparent)]
    Digest(#[from] crate::DigestError),
}

impl Reference {
    /// The name, parts joined by `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version with its leading `v`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The digest, where the reference pins one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Key of the `nats` index: `<name>.<version>` with `/` as `.` and the dots of the version as `_`.
    #[must_use]
    pub fn index_key(&self) -> String {
        format!("{}.{}", self.name.replace('/', "."), self.version.replace('.', "_"))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if ["oci://", "https://", "snake://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(ReferenceError::NotAvailable(shown(text)));
        }
        let syntax = || ReferenceError::Syntax(shown(text));
        let rest = text.strip_prefix("urn:wasm:").filter(|_| text.len() <= 512).ok_or_else(syntax)?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (rest, None),
        };
        let (name, version) = rest.split_once(':').ok_or_else(syntax)?;
        if !name.split('/').all(is_label) {
            return Err(ReferenceError::Name(shown(name)));
        }
        if !is_version(version) {
            return Err(ReferenceError::Version(shown(version)));
        }
        Ok(Self { name: name.to_owned(), version: version.to_owned(), digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:wasm:{}:{}", self.name, self.version)?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}

fn is_label(part: &str) -> bool {
    let inner = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    inner && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
}

fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let (numbers, pre) = match rest.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (rest, None),
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    parts.len() <= 3 && parts.iter().all(|part| is_number(part)) && pre.is_none_or(is_prerelease)
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
}

/// `SemVer` 2.0.0 section 9: dot-separated identifiers, numeric ones without leading zeros.
fn is_prerelease(text: &str) -> bool {
    text.split('.').all(|part| {
        let alphabet = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let numeric = part.bytes().all(|b| b.is_ascii_digit());
        !part.is_empty() && alphabet && (!numeric || is_number(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_the_documented_form_are_read_and_written_back() {
        let pinned = format!("urn:wasm:a/b-c:v1.2.3-rc.1@{}", Digest::of(b"x"));
        for (text, name, version, key) in [
            ("urn:wasm:fraud-scorer:v2.1", "fraud-scorer", "v2.1", "fraud-scorer.v2_1"),
            ("urn:wasm:team/fraud:v2", "team/fraud", "v2", "team.fraud.v2"),
            (&pinned, "a/b-c", "v1.2.3-rc.1", "a.b-c.v1_2_3-rc_1"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.name(), reference.version()), (name, version));
            assert_eq!(reference.index_key(), key);
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn everything_else_is_refused_with_what_is_wrong() {
        for text in [
            "urn:wasm:x:2.1",
            "urn:wasm:x:v01",
            "urn:wasm:x:v1.2.3.4",
            "urn:wasm:x:v1+b",
            "urn:wasm:x:v1-",
            "urn:wasm:x:v1-01",
            "urn:wasm:x:latest",
            "urn:wasm:x:v1.x",
        ] {
            assert!(matches!(text.parse::<Reference>(), Err(ReferenceError::Version(_))), "{text}");
        }
        for text in
            ["urn:wasm:X:v1", "urn:wasm:-x:v1", "urn:wasm:a//b:v1", "urn:wasm:/a:v1", "urn:wasm::v1", "urn:wasm:a_b:v1"]
        {
            assert!(matches!(text.parse::<Reference>(), Err(ReferenceError::Name(_))), "{text}");
        }
        for text in ["", "fraud:v1", "urn:wasm:fraud", "file:///x"] {
            assert!(matches!(text.parse::<Reference>(), Err(ReferenceError::Syntax(_))), "{text}");
        }
        assert!(matches!("urn:wasm:x:v1@sha256:00".parse::<Reference>(), Err(ReferenceError::Digest(_))));
        assert!(matches!("oci://r/x:v1".parse::<Reference>(), Err(ReferenceError::NotAvailable(_))));
    }
}
