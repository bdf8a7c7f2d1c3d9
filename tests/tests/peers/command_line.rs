//! `liaison check` and `liaison schema`, as a user runs them.

use crate::lab::{liaison, root};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// One mistake in each of five lines: a misspelt key, a number out of range, a word that is not a choice, a URI that is
/// none, and a trunk that nobody has.
const FIVE_MISTAKES: &str = r#"[node]
nam = "border"

[limits]
calls = 0

[networks.outside]
listeners = [{ transport = "upd", address = "10.0.0.2:5060" }]
media = { address = "10.0.0.2" }

[trunks.peer]
network = "outside"
targets = ["not a uri"]

[[routes]]
name = "inbound"
to = ["peeer"]
"#;

fn run(arguments: &[&str]) -> Output {
    Command::new(liaison()).args(arguments).current_dir(root()).output().unwrap()
}

#[test]
fn five_mistakes_are_five_errors_with_their_places() {
    let file = std::env::temp_dir().join(format!("liaison-mistakes-{}.toml", std::process::id()));
    fs::write(&file, FIVE_MISTAKES).unwrap();
    let name = file.to_str().unwrap();
    let output = run(&["check", name]);
    fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    insta::assert_snapshot!(errors.replace(name, "FILE").trim_end(), @r#"
    FILE:2:1: node.nam: found the key "nam", expected name, state_directory or drain (did you mean "name"?)
    FILE:5:9: limits.calls: found 0, expected an integer from 1 to 1_000_000
    FILE:8:28: networks.outside.listeners[0].transport: found "upd", expected "udp", "tcp", "tls", "ws" or "wss" (did you mean "udp"?)
    FILE:13:12: trunks.peer.targets[0]: found "not a uri", expected a SIP URI
    FILE:17:7: routes[0].to[0]: found "peeer", expected the name of a trunk: "peer" (did you mean "peer"?)
    "#);
}

#[test]
fn a_faulty_configuration_is_not_run() {
    let file = std::env::temp_dir().join(format!("liaison-faulty-{}.toml", std::process::id()));
    fs::write(&file, FIVE_MISTAKES).unwrap();
    let output = run(&["run", "--config", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 5);
}

#[test]
fn the_schema_is_json_and_knows_every_table() {
    let output = run(&["schema"]);
    assert!(output.status.success());
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    let properties = schema["properties"].as_object().unwrap();
    let tables = "node signalling limits media networks trunks routes profiles admin cdr log";
    for table in tables.split(' ') {
        assert!(properties.contains_key(table), "no {table} in the schema");
    }
}

/// An authority, its list of nothing revoked, and the certificates of ours that the examples name.
fn issue(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    fs::write(folder.join("carriers.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(4000, 1, 1),
        crl_number: SerialNumber::from(1u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    fs::write(folder.join("carriers.crl"), list.signed_by(&issuer).unwrap().pem().unwrap()).unwrap();
    for name in ["sbc", "phones"] {
        let key = KeyPair::generate().unwrap();
        let names = vec![format!("{name}.example.com")];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        let file = folder.join(format!("{name}.key"));
        fs::write(&file, key.serialize_pem()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn whoever_stops_reading_is_no_failure_and_a_full_disk_is_one() {
    let piped = "\"$0\" schema | head -n 1; echo \"${PIPESTATUS[0]}\"";
    let output = Command::new("bash").args(["-c", piped]).arg(liaison()).output().unwrap();
    assert_eq!((&*output.stdout, &*output.stderr), (&b"{\n0\n"[..], &b""[..]));
    for arguments in [&["schema"][..], &["version"], &["--help"], &["check", "deploy/liaison.toml"]] {
        let full = fs::File::create("/dev/full").unwrap();
        let output =
            Command::new(liaison()).args(arguments).current_dir(root()).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.starts_with("liaison: cannot write on standard output: "), "{arguments:?}: {said}");
    }
}

#[test]
fn every_example_configuration_is_without_mistakes() {
    // Secrets have to be at hand: those of the environment, and the files that stand in /etc/liaison.
    let secrets = std::env::temp_dir().join(format!("liaison-examples-{}", std::process::id()));
    fs::create_dir_all(&secrets).unwrap();
    for user in ["south", "reception", "workshop"] {
        fs::write(secrets.join(format!("{user}.password")), "a long secret\n").unwrap();
    }
    fs::write(secrets.join("turn.secret"), "a long secret for TURN\n").unwrap();
    issue(&secrets.join("tls"));
    let mut checked = 0;
    for entry in fs::read_dir(root().join("deploy")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let here = secrets.join(path.file_name().unwrap());
        fs::write(&here, text.replace("/etc/liaison", secrets.to_str().unwrap())).unwrap();
        let output = Command::new(liaison())
            .arg("check")
            .arg(&here)
            .envs([("NORTH_PASSWORD", "n"), ("PBX_PASSWORD", "a long secret")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        checked += 1;
    }
    fs::remove_dir_all(&secrets).unwrap();
    assert!(checked >= 3, "{checked} configurations");
}
