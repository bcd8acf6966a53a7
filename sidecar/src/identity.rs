//! Who this gear is on the wire: its identity, its ports, their subjects.

use async_nats::Subject;
use gear_abi::{EntityKind, Uuid, entity_id};
use gear_config::{Identity, Output, names};

use crate::problem::{Trouble, reason};

/// Who a gear is on the wire. The same on all pods and after every restart.
#[derive(Debug, Clone)]
pub struct Wire {
    /// Stream that inputs come from.
    pub stream: String,
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub name: String,
    /// Identity of the gear, for hops.
    pub gear: Uuid,
    /// Identity of the port that messages come in by.
    pub input: Uuid,
    ports: Vec<Port>,
    error: Port,
}

/// A port that messages leave by.
#[derive(Debug, Clone)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its identity, for hops.
    pub id: Uuid,
    /// Where its messages are published.
    pub subject: Subject,
}

impl Wire {
    /// Derives ids and subjects. The subjects of a document are checked: a wildcard or a space in one would publish
    /// somewhere else, or nowhere.
    pub fn new(identity: &Identity, stream: &str, output: &Output) -> Result<Self, Trouble> {
        let Identity { cluster_id, namespace, name, .. } = identity;
        let id = |kind, port: &str| entity_id(kind, cluster_id, namespace, name, port);
        let port = |port: &str| {
            let subject = format!("{}.{port}", output.prefix);
            if !is_subject(&subject) {
                let message = format!("output: {subject:?} is no subject; tokens without spaces, * and > are expected");
                return Err(Trouble::lasting(reason::DOCUMENT_INVALID, message));
            }
            Ok(Port { name: port.to_owned(), id: id(EntityKind::OutputPort, port), subject: subject.into() })
        };
        let names = [names::DEFAULT_PORT].into_iter().chain(output.ports.iter().map(String::as_str));
        Ok(Self {
            stream: stream.to_owned(),
            namespace: namespace.clone(),
            name: name.clone(),
            gear: id(EntityKind::Gear, ""),
            input: id(EntityKind::InputPort, "in"),
            ports: names.map(port).collect::<Result<_, _>>()?,
            error: port(names::ERROR_PORT)?,
        })
    }

    /// The port of a name; the default port when none is named.
    #[must_use]
    pub fn port(&self, name: Option<&str>) -> Option<&Port> {
        match name {
            None => self.ports.first(),
            Some(name) => self.ports.iter().find(|port| port.name == name),
        }
    }

    /// The port of rejected messages.
    #[must_use]
    pub const fn error_port(&self) -> &Port {
        &self.error
    }

    /// Names of all ports that a guest may pick, for sentences.
    #[must_use]
    pub fn port_names(&self) -> String {
        self.ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn is_subject(text: &str) -> bool {
    let token = |token: &str| !token.is_empty() && !token.contains(|c: char| c.is_whitespace() || c.is_control());
    text.split('.').all(token) && !text.contains(['*', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(output: &Output) -> Result<Wire, Trouble> {
        let identity = Identity {
            cluster_id: "0a1b2c3d".into(),
            namespace: "payments".into(),
            name: "pan-masker".into(),
            uid: "7f6c".into(),
        };
        Wire::new(&identity, "flux-msg", output)
    }

    #[test]
    fn ports_have_subjects_and_identities_of_their_own() {
        let output = Output { prefix: "flux.msg.edge-a.pan-masker".into(), ports: vec!["review".into()] };
        let wire = wire(&output).unwrap();
        let (out, review) = (wire.port(None).unwrap(), wire.port(Some("review")).unwrap());
        assert_eq!(out.subject.as_str(), "flux.msg.edge-a.pan-masker.out");
        assert_eq!(review.subject.as_str(), "flux.msg.edge-a.pan-masker.review");
        assert_eq!(wire.error_port().subject.as_str(), "flux.msg.edge-a.pan-masker.error");
        assert_ne!(out.id, review.id);
        assert!(wire.port(Some("error")).is_none() && wire.port(Some("x")).is_none());
        // The golden value is kept by gear-abi: the same on every pod.
        assert_eq!(out.id.to_string(), "a919345a-75cb-7d8a-b2b1-257a2e0779e4");
    }

    #[test]
    fn a_prefix_that_is_no_subject_is_refused() {
        for prefix in ["flux.msg.*", "flux.msg.>", "flux..msg", "", "flux.a b", "flux.msg."] {
            let trouble = wire(&Output { prefix: prefix.into(), ports: vec![] }).unwrap_err();
            assert_eq!(trouble.problem.reason, reason::DOCUMENT_INVALID, "{prefix}");
        }
    }
}
