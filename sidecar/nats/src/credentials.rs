//! Credentials from a file, read at every handshake: a creds file (user JWT and NKey seed) or a bare NKey seed.

use std::path::Path;

use async_nats::{Auth, AuthError};
use nkeys::{KeyPair, KeyPairType};

use crate::error::{ConnectError, FileProblem};

/// Field of the document that names the file.
const FIELD: &str = "nats.credentials";

/// Who we are, for as long as one handshake takes.
struct User {
    jwt: Option<String>,
    key: KeyPair,
}

/// Reads the file and throws away what it holds: only whether it is usable matters.
pub(crate) fn check(path: &Path) -> Result<(), ConnectError> {
    match read(path) {
        Ok(_) => Ok(()),
        Err(problem) => Err(ConnectError::File { field: FIELD, path: path.to_owned(), problem }),
    }
}

/// Answers the server's challenge.
pub(crate) fn answer(path: &Path, nonce: &[u8]) -> Result<Auth, AuthError> {
    let user = read(path).map_err(|problem| AuthError::new(format!("{FIELD} {} {problem}", path.display())))?;
    let signature = user.key.sign(nonce).map_err(|_| AuthError::new(format!("{FIELD}: the seed can't sign")))?;
    let mut auth = Auth::new();
    auth.signature = Some(signature);
    match user.jwt {
        Some(jwt) => auth.jwt = Some(jwt),
        None => auth.nkey = Some(user.key.public_key()),
    }
    Ok(auth)
}

fn read(path: &Path) -> Result<User, FileProblem> {
    let text = std::fs::read_to_string(path).map_err(FileProblem::Unreadable)?;
    parse(&text)
}

fn parse(text: &str) -> Result<User, FileProblem> {
    let mut blocks = blocks(text);
    let (jwt, seed) = match (blocks.next(), blocks.next()) {
        (Some(jwt), Some(seed)) => (Some(jwt.to_owned()), seed),
        (Some(_), None) => return Err(FileProblem::Content("holds a JWT without an NKey seed")),
        _ => (None, bare_seed(text)?),
    };
    let key = KeyPair::from_seed(seed).map_err(|_| FileProblem::Content("holds an NKey seed that is not valid"))?;
    if key.key_pair_type() != KeyPairType::User {
        return Err(FileProblem::Content("holds an NKey seed that is no user's (one begins with SU)"));
    }
    Ok(User { jwt, key })
}

/// The line after each `-----BEGIN …-----`.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().map(str::trim);
    std::iter::from_fn(move || {
        lines.find(|line| line.starts_with("---") && line.contains("BEGIN"))?;
        lines.find(|line| !line.is_empty())
    })
}

fn bare_seed(text: &str) -> Result<&str, FileProblem> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(seed), None) if seed.starts_with("SU") => Ok(seed),
        _ => Err(FileProblem::Content("is neither a creds file nor a bare NKey seed (SU…)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "*****";

    #[test]
    fn a_creds_file_and_a_bare_seed_are_both_understood() {
        let key = KeyPair::new_user();
        let seed = key.seed().unwrap();
        let creds = format!(
            "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n\n{RULE}\n\n-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        let user = parse(&creds).unwrap();
        assert_eq!((user.jwt.as_deref(), user.key.public_key()), (Some("a.b.c"), key.public_key()));
        let user = parse(&format!("# bare\n{seed}\n")).unwrap();
        assert_eq!((user.jwt, user.key.public_key()), (None, key.public_key()));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        let account = KeyPair::new_account().seed().unwrap();
        for text in ["", "SUNOTASEED", "hello\nworld", account.as_str(), "-----BEGIN NATS USER JWT-----\na.b.c\n"] {
            let Err(problem) = parse(text) else { panic!("{text} was accepted") };
            assert!(text.is_empty() || !problem.to_string().contains(text), "{problem}");
        }
    }
}
