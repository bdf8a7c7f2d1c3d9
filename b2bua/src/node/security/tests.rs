use super::*;
use rcgen::{CertificateParams, KeyPair};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A folder with `own.pem`, `own.key` and `other.key`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["sbc.example.com".to_owned()]).unwrap().self_signed(&key).unwrap();
    write(&folder, "own.pem", &own.pem());
    write(&folder, "own.key", &key.serialize_pem());
    write(&folder, "other.key", &KeyPair::generate().unwrap().serialize_pem());
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
}

/// What is read with this `tls` table of the listener, and that of the network; `DIR/` stands for the folder.
fn reading(folder: &TempDir, listener: &str, network: &str) -> Result<Material, String> {
    let text = format!(
        "[networks.inside]\nlisteners = [{{ transport = \"tls\", address = \"127.0.0.1:5061\", tls = {{ {listener} }} }}]\n\
         media = {{ address = \"127.0.0.1\", ports = \"20000-20999\" }}\ntls = {{ {network} }}\n"
    );
    let text = text.replace("DIR/", &format!("{}/", folder.path().display()));
    let config = Config::parse("test.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let networks: Vec<NetworkName> = config.networks.keys().cloned().collect();
    read(&config, &networks).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n").replace(&format!("{}/", folder.path().display()), "DIR/")
    })
}

const OWN: &str = r#"certificates = [{ chain = "DIR/own.pem", key = "DIR/own.key" }]"#;

#[test]
fn what_is_there_is_read_and_noticed_when_it_changes() {
    let folder = folder();
    let own = r#"certificate = { chain = "DIR/own.pem", key = "DIR/own.key" }"#;
    let clients = format!("{OWN}, clients = \"required\", roots = \"DIR/own.pem\"");
    let first = reading(&folder, &clients, own).unwrap();
    assert_eq!(first.files.len(), 5, "{:?}", first.files.keys());
    let again = reading(&folder, &clients, own).unwrap();
    assert_eq!(first.files, again.files);
    let text = fs::read_to_string(folder.path().join("own.pem")).unwrap();
    write(&folder, "own.pem", &format!("{text}\n"));
    let changed = reading(&folder, &clients, own).unwrap();
    assert_ne!(first.files, changed.files);
}

#[test]
fn every_file_that_cannot_be_used_is_named_with_its_setting() {
    let folder = folder();
    fs::set_permissions(folder.path().join("other.key"), Permissions::from_mode(0o644)).unwrap();
    let listener = r#"certificates = [{ chain = "DIR/no.pem", key = "DIR/own.key" }, { chain = "DIR/own.pem", key = "DIR/other.key" }],
        clients = "optional", roots = "DIR/own.key", revoked = ["DIR/own.pem"]"#;
    let faults = reading(&folder, &listener.replace('\n', " "), r#"roots = "DIR/none.pem""#).unwrap_err();
    insta::assert_snapshot!(faults, @r"
    networks.inside.tls.roots: DIR/none.pem: No such file or directory (os error 2)
    networks.inside.listeners[0].tls.certificates[0].chain: DIR/no.pem: No such file or directory (os error 2)
    networks.inside.listeners[0].tls.certificates[1].key: DIR/other.key: everybody may use it (mode 644)
    networks.inside.listeners[0].tls.roots: DIR/own.key: there is no certificate in it
    networks.inside.listeners[0].tls.revoked[0]: DIR/own.pem: there is no list of revoked certificates in it that can be read (TrailingData(CertRevocationList))
    ");
}

#[test]
fn a_key_of_another_certificate_is_told() {
    let folder = folder();
    let faults = reading(&folder, &OWN.replace("own.key", "other.key"), "").unwrap_err();
    assert!(
        faults.contains("certificates[0]: DIR/own.pem: key and certificate do not go together"),
        "{faults}"
    );
}
