//! What a reload keeps, what it takes over, and what it says of either.

use super::Loader;
use admin_api::control::{ControlError, Effect, ReloadMode};
use media::MediaNetwork;
use sip::driver::sockets::Bind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const DOCUMENT: &str = r#"
[networks.carrier]
listeners = [
    { transport = "udp", address = "10.0.0.1:5060" },
    { transport = "tcp", address = "10.0.0.1:5060" },
]
media = { address = "10.0.0.1", ports = "20000-20999" }

[networks.enterprise]
trusted = true
listeners = [{ transport = "udp", address = "10.1.0.1:5060" }]
media = { address = "10.1.0.1", ports = "20000-20999" }

[trunks.provider]
network = "carrier"
targets = ["sip:10.0.0.2"]
credentials = [{ realm = "carrier", username = "us", password = { file = "SECRET" } }]

[[routes]]
name = "outbound"
networks = ["enterprise"]
to = ["provider"]
"#;

const ENTERPRISE: &str = r#"[networks.enterprise]
trusted = true
listeners = [{ transport = "udp", address = "10.1.0.1:5060" }]
media = { address = "10.1.0.1", ports = "20000-20999" }
"#;

/// A process that runs with [`DOCUMENT`].
struct Running {
    directory: TempDir,
    loader: Loader,
    bound: Vec<Bind>,
    media: Vec<Option<MediaNetwork>>,
}

impl Running {
    fn start() -> Self {
        Self::with(DOCUMENT)
    }

    fn with(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, "secret", "first\n");
        write(&directory, "liaison.toml", &document(&directory, text));
        let mut loader = Loader::open(&directory.path().join("liaison.toml")).unwrap();
        let bound = loader.listeners();
        assert_eq!(bound.len(), 3);
        let settings = loader.bound(bound.clone());
        assert_eq!(binds(&settings), bound);
        let media = loader.current().media.clone();
        Self { directory, loader, bound, media }
    }

    /// Reloads another document: the changes that are named. What is bound stays bound.
    fn reload(&mut self, text: &str) -> Vec<(String, Effect)> {
        write(&self.directory, "liaison.toml", &document(&self.directory, text));
        let (outcome, adopted) = self.loader.reload(ReloadMode::Apply).unwrap();
        assert_eq!(adopted.is_some(), outcome.changes.iter().any(|change| change.effect != Effect::Restart));
        if let Some((snapshot, settings)) = adopted {
            assert_eq!(binds(&settings), self.bound);
            assert_eq!(snapshot.media, self.media);
            assert_eq!(
                (snapshot.version, self.loader.current().version),
                (outcome.version, outcome.version - 1)
            );
            self.loader.commit(snapshot);
        }
        assert_eq!(self.loader.current().version, outcome.version);
        outcome.changes.into_iter().map(|change| (change.path, change.effect)).collect()
    }
}

fn write(directory: &TempDir, name: &str, text: &str) {
    std::fs::write(directory.path().join(name), text).unwrap();
}

fn document(directory: &TempDir, text: &str) -> String {
    let secret: PathBuf = directory.path().join("secret");
    text.replace("SECRET", secret.to_str().unwrap())
}

fn binds(settings: &sip::Settings) -> Vec<Bind> {
    let listeners = settings.listeners.iter();
    listeners
        .map(|l| Bind { network: l.network, transport: l.transport, address: l.address, dscp: 0 })
        .collect()
}

fn restart(path: &str) -> Vec<(String, Effect)> {
    vec![(path.to_owned(), Effect::Restart)]
}

#[test]
fn listeners_that_swap_or_go_stay_bound_as_they_are() {
    let udp = "    { transport = \"udp\", address = \"10.0.0.1:5060\" },\n";
    let tcp = "    { transport = \"tcp\", address = \"10.0.0.1:5060\" },\n";
    let swapped = DOCUMENT.replace(&format!("{udp}{tcp}"), &format!("{tcp}{udp}"));
    let fewer = DOCUMENT.replace(tcp, "");
    let moved = DOCUMENT.replace(udp, &udp.replace("5060", "5070"));
    for text in [swapped, fewer, moved] {
        assert_ne!(text, DOCUMENT);
        let mut running = Running::start();
        assert_eq!(running.reload(&text), restart("networks.carrier.listeners"));
    }
}

#[test]
fn media_stays_where_it_is_bound() {
    let mut running = Running::start();
    let moved = DOCUMENT.replace("media = { address = \"10.0.0.1\"", "media = { address = \"10.0.0.7\"");
    assert_eq!(running.reload(&moved), restart("networks.carrier.media.address"));
    let mut running = Running::start();
    let gone = DOCUMENT.replace("media = { address = \"10.1.0.1\", ports = \"20000-20999\" }\n", "");
    let changes = running.reload(&format!("{gone}\n[profiles.default]\nmedia = \"bypass\"\n"));
    assert!(changes.contains(&("networks.enterprise.media".to_owned(), Effect::Restart)), "{changes:?}");
}

#[test]
fn a_network_that_goes_stays_until_the_restart() {
    let mut running = Running::start();
    let text = DOCUMENT.replace(ENTERPRISE, "").replace("[\"enterprise\"]", "[\"carrier\"]");
    let changes = running.reload(&text);
    assert!(changes.contains(&("networks.enterprise".to_owned(), Effect::Restart)), "{changes:?}");
    assert!(changes.iter().any(|(path, effect)| path.starts_with("routes") && *effect != Effect::Restart));
}

#[test]
fn a_network_that_comes_waits_for_the_restart() {
    let mut running = Running::start();
    let changes = running.reload(&format!("{DOCUMENT}{ANOTHER}"));
    assert_eq!(changes, restart("networks.another"));
}

const ANOTHER: &str = r#"
[networks.another]
listeners = [{ transport = "udp", address = "10.2.0.1:5060" }]
media = { address = "10.2.0.1", ports = "20000-20999" }
"#;

/// Reloads a document that needs what waits for a restart: the faults, each as path, found and expected. Nothing changes.
fn refused(text: &str) -> Vec<String> {
    let mut running = Running::start();
    write(&running.directory, "liaison.toml", &document(&running.directory, text));
    let before = in_force(&running);
    let refused = running.loader.reload(ReloadMode::Apply);
    let Err(ControlError::InvalidConfiguration(faults)) = refused.map(|(outcome, _)| outcome) else {
        panic!("it is not refused")
    };
    assert_eq!(in_force(&running), before);
    let text = |fault: &admin_api::control::ConfigurationFault| {
        format!("{}: found {}, expected {}", fault.path.as_deref().unwrap_or(""), fault.found, fault.expected)
    };
    faults.iter().map(text).collect()
}

#[test]
fn a_reload_that_needs_a_network_that_waits_is_refused() {
    let there = "[trunks.there]\nnetwork = \"another\"\ntargets = [\"sip:10.2.0.2\"]\n";
    let waits = "expected a network that is there; these wait for a restart: networks.another";
    let expected = format!("trunks.there.network: found \"another\", {waits}");
    assert_eq!(refused(&format!("{DOCUMENT}{ANOTHER}{there}")), [expected]);
    let route = "[[routes]]\nname = \"new\"\nnetworks = [\"another\"]\nto = [{ uri = \"sip:10.2.0.2\", network = \"another\" }]\n";
    let expected = ["routes[1].networks[0]", "routes[1].to[0].network"]
        .map(|path| format!("{path}: found \"another\", {waits}"));
    assert_eq!(refused(&format!("{DOCUMENT}{ANOTHER}{route}")), expected);
}

#[test]
fn a_reload_that_needs_a_listener_that_waits_is_refused() {
    let text = DOCUMENT
        .replace(
            "\"10.1.0.1:5060\" }",
            "\"10.1.0.1:5060\" }, { transport = \"tcp\", address = \"10.1.0.1:5060\" }",
        )
        .replace(
            "to = [\"provider\"]",
            "to = [{ uri = \"sip:10.1.0.2;transport=tcp\", network = \"enterprise\" }]",
        );
    let faults = refused(&text);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("routes[0].to[0]: "), "{faults:?}");
    assert!(faults[0].ends_with("these wait for a restart: networks.enterprise.listeners"), "{faults:?}");
}

#[test]
fn a_network_that_stays_keeps_the_profile_that_it_needs() {
    let special = DOCUMENT.replace("trusted = true", "trusted = true\nprofile = \"special\"");
    let mut running = Running::with(&format!("{special}[profiles.special]\n"));
    let text = DOCUMENT.replace(ENTERPRISE, "").replace("[\"enterprise\"]", "[\"carrier\"]");
    write(&running.directory, "liaison.toml", &document(&running.directory, &text));
    let refused = running.loader.reload(ReloadMode::Apply).map(|(outcome, _)| outcome);
    let Err(ControlError::InvalidConfiguration(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(faults[0].path.as_deref(), Some("networks.enterprise.profile"));
}

#[test]
fn whoever_asks_for_a_reload_the_observer_hears_of_what_is_in_force() {
    let mut running = Running::start();
    let levels = Arc::new(Mutex::new(Vec::new()));
    let heard = levels.clone();
    running.loader.observe(move |config| heard.lock().unwrap().push(config.log.level));
    let text = format!("{DOCUMENT}\n[log]\nlevel = \"debug\"\n");
    assert_eq!(running.reload(&text), [("log.level".to_owned(), Effect::Live)]);
    assert_eq!(*levels.lock().unwrap(), [config::LogLevel::Debug]);
}

#[test]
fn too_few_ports_for_threads_and_shards_are_a_fault() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory, "secret", "first\n");
    let few = DOCUMENT.replacen("20000-20999", "20000-20005", 1);
    let text = format!("{few}\n[media]\nthreads = 2\n[signalling]\nshards = 2\n");
    write(&directory, "liaison.toml", &document(&directory, &text));
    let error = Loader::open(&directory.path().join("liaison.toml")).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("networks.carrier.media.ports: found 20000-20005, expected"), "{error}");
    assert!(error.contains("4 pairs for 2 threads and 2 shards"), "{error}");
}

#[test]
fn a_reload_that_keeps_what_is_bound_takes_over_the_rest() {
    let mut running = Running::start();
    let text = DOCUMENT.replace("10.1.0.1:5060", "10.1.0.9:5060").replace("sip:10.0.0.2", "sip:10.0.0.3");
    let changes = running.reload(&text);
    assert_eq!(changes.len(), 2, "{changes:?}");
    let targets = running.loader.current().config().trunks.values().flat_map(|trunk| &trunk.targets);
    assert_eq!(targets.map(ToString::to_string).collect::<Vec<_>>(), ["sip:10.0.0.3"]);
}

#[test]
fn another_secret_in_the_same_file_is_taken_over_and_named() {
    let mut running = Running::start();
    assert_eq!(running.reload(DOCUMENT), []);
    assert_eq!(running.loader.current().version, 1);
    let password = |running: &Running| {
        let credentials = running.loader.current().secrets.outbound.values().flat_map(|known| known.values());
        credentials.cloned().collect::<Vec<_>>()
    };
    let before = password(&running);
    write(&running.directory, "secret", "second\n");
    let expected = [("trunks.provider.credentials (password)".to_owned(), Effect::Live)];
    assert_eq!(running.reload(DOCUMENT), expected);
    assert_eq!(running.loader.current().version, 2);
    assert_ne!(password(&running), before);
    assert_eq!(running.reload(DOCUMENT), [], "it is no change any more");
}

#[test]
fn passwords_that_are_easily_guessed_and_keys_that_are_none_are_refused() {
    let running = Running::start();
    let challenge = r#"
challenge = { realm = "sbc", users = [
    { username = "pbx-office", password = { file = "SAME" } }, { username = "b", password = { file = "SHORT" } },
    { username = "c", password = { file = "DIGITS" } }, { username = "d", password = { file = "GOOD" } },
], bearer = { keys = { file = "GOOD" }, authz_server = "https://a", issuer = "i", audiences = ["a"] } }
card_credentials = [{ realm = "ims", username = "u", key = { file = "GOOD" }, operator = { file = "NONE" } }]
"#;
    let mut text = DOCUMENT.replace("[[routes]]", &format!("{challenge}\n[[routes]]"));
    for (name, value) in
        [("SAME", "pbx-office"), ("SHORT", "secret7"), ("DIGITS", "20240101"), ("GOOD", "wonderland")]
    {
        write(&running.directory, name, value);
        let path = running.directory.path().join(name).display().to_string();
        text = text.replace(&format!("\"{name}\""), &format!("\"{path}\""));
    }
    write(&running.directory, "weak.toml", &document(&running.directory, &text));
    let error = Loader::open(&running.directory.path().join("weak.toml")).map(drop).unwrap_err();
    let super::LoadError::Secrets(errors) = &error else { panic!("{error}") };
    let file = running.directory.path().join("weak.toml").display().to_string();
    let written = std::fs::read_to_string(&file).unwrap();
    for fault in errors {
        let line = written.lines().nth(fault.line - 1).unwrap();
        let setting: String = line.chars().skip(fault.column - 1).collect();
        assert!(fault.file == file && setting.starts_with("{ file = "), "{fault}: {setting}");
    }
    let errors: Vec<_> = errors.iter().map(|fault| format!("{}: {}", fault.line, fault.error)).collect();
    assert_eq!(errors.len(), 6, "{errors:?}");
    insta::assert_snapshot!(errors.join("\n"), @r"
    21: trunks.provider.challenge.users[0].password: the password is the user name, or begins with it and has little more
    21: trunks.provider.challenge.users[1].password: the password has fewer than 8 characters
    22: trunks.provider.challenge.users[2].password: the password is all digits and has fewer than 12
    23: trunks.provider.challenge.bearer.keys: neither a JWK set nor a public key in PEM: InvalidKeyFormat
    24: trunks.provider.card_credentials[0].key: not 32 hexadecimal digits
    24: trunks.provider.card_credentials[0].operator: NONE: No such file or directory (os error 2)
    ");
    assert!(!errors.join(" ").contains("20240101"), "no password is shown");
}

/// A challenge with the keys of test set 1 of 3GPP TS 35.207, taken once, is old afterwards.
#[test]
fn a_card_goes_on_with_its_sequence_number_after_a_reload() {
    let mut running = Running::start();
    write(&running.directory, "k", "465b5ce8b199b49faa5f0a2ee238a6bc\n");
    write(&running.directory, "op", "cdc202d5123e20f62b6d676ac72cb318");
    let file = |name: &str| running.directory.path().join(name).display().to_string();
    let card = format!(
        "card_credentials = [{{ realm = \"ims\", username = \"u\", key = {{ file = {:?} }}, operator = {{ file = {:?} }}, \
         operator_is = \"op\" }}]",
        file("k"),
        file("op")
    );
    let text = DOCUMENT.replace("[[routes]]", &format!("{card}\n[[routes]]"));
    let credential = |running: &Running| {
        running
            .loader
            .current()
            .secrets
            .outbound
            .values()
            .find_map(|known| known.get("ims").cloned())
            .unwrap()
    };
    assert_eq!(running.reload(&text).len(), 2);
    let before = credential(&running);
    let changes = running.reload(&text.replace("sip:10.0.0.2", "sip:10.0.0.3"));
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(Arc::ptr_eq(&before, &credential(&running)), "the same card");
}

#[test]
fn a_dry_run_names_the_changes_and_takes_nothing_over() {
    let mut running = Running::start();
    write(&running.directory, "secret", "second\n");
    let (outcome, adopted) = running.loader.reload(ReloadMode::DryRun).unwrap();
    assert_eq!((outcome.version, outcome.applied, outcome.changes.len()), (1, false, 1));
    assert!(adopted.is_none());
    assert_eq!(running.loader.current().version, 1);
}

/// What the admin API says: the version in force and what waits.
fn in_force(running: &Running) -> (u64, Vec<String>) {
    let shown = running.loader.in_force();
    assert_eq!(shown.configuration, running.loader.current().config().to_json());
    (shown.version, shown.waiting_for_restart)
}

#[test]
fn what_waits_for_a_restart_is_named_each_time_and_counts_no_version_up() {
    let mut running = Running::start();
    let waiting =
        format!("{DOCUMENT}\n[limits]\nconnections = 7\nmessage = 4096\n[cdr]\nfile = \"/elsewhere\"\n");
    let paths = ["limits.message", "limits.connections", "cdr.file"].map(str::to_owned);
    let named = paths.clone().map(|path| (path, Effect::Restart));
    for _ in 0..3 {
        assert_eq!(running.reload(&waiting), named);
        assert_eq!(in_force(&running), (1, paths.to_vec()));
        assert_eq!(running.loader.current().config().limits.message, 65_535, "the sockets have it so too");
    }
    let more = running.reload(&waiting.replace("[limits]", "[limits]\ncalls = 5"));
    assert_eq!(more[0], ("limits.calls".to_owned(), Effect::Live));
    assert_eq!(more[1..], named);
    assert_eq!(in_force(&running), (2, paths.to_vec()));
    assert_eq!(running.loader.current().config().limits.calls, 5);
    let back = running.reload(DOCUMENT);
    assert_eq!(back, [("limits.calls".to_owned(), Effect::Live)]);
    assert_eq!(in_force(&running), (3, vec![]));
}

#[test]
fn what_a_listener_is_advertised_as_is_taken_over_while_it_stays_bound() {
    let mut running = Running::start();
    let named = DOCUMENT.replace("\"10.1.0.1:5060\"", "\"10.1.0.1:5060\", advertised = \"sbc.example.com\"");
    assert_eq!(running.reload(&named), [("networks.enterprise.listeners".to_owned(), Effect::Pinned)]);
    assert_eq!(in_force(&running), (2, vec![]));
}

#[test]
fn a_configuration_that_no_shard_has_taken_is_not_in_force() {
    let mut running = Running::start();
    let text = DOCUMENT.replace("sip:10.0.0.2", "sip:10.0.0.3");
    write(&running.directory, "liaison.toml", &document(&running.directory, &text));
    for _ in 0..2 {
        let (outcome, adopted) = running.loader.reload(ReloadMode::Apply).unwrap();
        assert_eq!((outcome.version, adopted.is_some()), (2, true), "it is still to be handed over");
        assert_eq!(running.loader.current().version, 1);
    }
}

/// A registrar for the carrier's network; `PASSWORD` is the file of its user's password.
const REGISTRAR: &str = r#"
[networks.carrier.registrar]
domains = ["example.com"]
challenge = { realm = "r", users = [{ username = "alice", password = { file = "PASSWORD" } }] }
accounts = [{ address = "alice@example.com", users = ["alice"] }]
"#;

#[test]
fn the_passwords_of_users_are_judged_like_those_of_trunks() {
    let running = Running::start();
    write(&running.directory, "PASSWORD", "alice");
    let path = running.directory.path().join("PASSWORD").display().to_string();
    let text = format!("{DOCUMENT}{}", REGISTRAR.replace("PASSWORD", &path));
    write(&running.directory, "weak.toml", &document(&running.directory, &text));
    let error = Loader::open(&running.directory.path().join("weak.toml")).map(drop).unwrap_err();
    let expected = "weak.toml:26:70: networks.carrier.registrar.challenge.users[0].password: the password is the user name";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_registrar_comes_with_a_restart_and_its_accounts_change_at_once() {
    let mut running = Running::start();
    write(&running.directory, "PASSWORD", "wonderland");
    let path = running.directory.path().join("PASSWORD").display().to_string();
    let with = format!("{DOCUMENT}{}", REGISTRAR.replace("PASSWORD", &path));
    let changes = running.reload(&with);
    let late = ("networks.carrier.registrar".to_owned(), Effect::Restart);
    assert!(changes.contains(&late), "{changes:?}");
    write(&running.directory, "liaison.toml", &document(&running.directory, &with));
    running.loader = Loader::open(&running.directory.path().join("liaison.toml")).unwrap();
    running.loader.bound(running.bound.clone());
    let changes = running.reload(&with.replace("alice@example.com", "al@example.com"));
    assert!(!changes.is_empty() && changes.iter().all(|(_, effect)| *effect == Effect::Live), "{changes:?}");
    let changes = running.reload(&with.replace("domains =", "keep = false\ndomains ="));
    assert!(
        changes.contains(&("networks.carrier.registrar.keep".to_owned(), Effect::Restart)),
        "{changes:?}"
    );
}

/// A TURN server for the carrier's network; `SECRET2` is the file of its secret.
const TURN: &str = r#"
[networks.carrier.turn]
realm = "example.com"
secret = { file = "SECRET2" }
ports = "50000-50999"
listeners = [{ transport = "udp", address = "10.0.0.1:3478" }]
"#;

#[test]
fn a_turn_server_comes_with_a_restart_and_its_settings_change_at_once() {
    let mut running = Running::start();
    write(&running.directory, "turn", "sixteen letters!\n");
    let path = running.directory.path().join("turn").display().to_string();
    let with = format!("{DOCUMENT}{}", TURN.replace("SECRET2", &path));
    let changes = running.reload(&with);
    assert_eq!(changes, [("networks.carrier.turn".to_owned(), Effect::Restart)]);
    assert!(running.loader.current().turn.is_empty());
    write(&running.directory, "liaison.toml", &document(&running.directory, &with));
    running.loader = Loader::open(&running.directory.path().join("liaison.toml")).unwrap();
    running.loader.bound(running.bound.clone());
    let realm = |running: &Running| running.loader.current().turn[0].settings.realm.to_string();
    assert_eq!(realm(&running), "example.com");
    let changes = running.reload(&with.replace("realm = \"example.com\"", "realm = \"example.org\""));
    assert_eq!(changes, [("networks.carrier.turn.realm".to_owned(), Effect::Live)]);
    assert_eq!(realm(&running), "example.org");
    write(&running.directory, "turn", "another sixteen\n");
    write(&running.directory, "liaison.toml", &document(&running.directory, &with));
    let Err(ControlError::InvalidConfiguration(faults)) = running.loader.reload(ReloadMode::Apply) else {
        panic!("a secret of 15 characters")
    };
    let told = format!("{faults:?}");
    assert!(told.contains("networks.carrier.turn.secret") && told.contains("16 characters"), "{told}");
    write(&running.directory, "turn", "another sixteen!\n");
    let moved = with.replace("50000-50999", "51000-51999").replace("3478", "3479");
    let changes = running.reload(&moved);
    for path in ["networks.carrier.turn.ports", "networks.carrier.turn.listeners"] {
        assert!(changes.contains(&(path.to_owned(), Effect::Restart)), "{changes:?}");
    }
    assert!(changes.contains(&("networks.carrier.turn (secret)".to_owned(), Effect::Live)), "{changes:?}");
    let settings = &running.loader.current().turn[0].settings;
    assert_eq!(
        (settings.relayed.ports.clone(), &*settings.secrets[0]),
        (50_000..=50_999, &"another sixteen!".to_owned())
    );
}
