//! Certificates of a test, made in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority, and what it signed, as PEM files in one folder.
pub(crate) struct Pki {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let this = Self { folder: tempfile::tempdir().unwrap(), issuer };
        fs::write(this.path("ca.pem"), this.issuer.pem()).unwrap();
        this
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Signs a certificate for these names; files `<file>.pem` and `<file>.key`.
    pub(crate) fn sign(&self, file: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        let (pem, key_file) = (self.path(&format!("{file}.pem")), self.path(&format!("{file}.key")));
        write(&pem, &certificate.pem());
        write(&key_file, &key.serialize_pem());
        (pem, key_file)
    }

    /// The `tls` block of a server's configuration.
    pub(crate) fn server(&self, names: &[&str], verify: &str) -> String {
        let (pem, key) = self.sign("server", names);
        format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", {verify} }}",
            pem.display(),
            key.display(),
            self.ca().display()
        )
    }
}

/// As the kubelet does: a new file in place of the old one.
pub(crate) fn write(path: &Path, text: &str) {
    let temporary = path.with_extension("new");
    fs::write(&temporary, text).unwrap();
    fs::rename(temporary, path).unwrap();
}
