use crate::{Config, Effect, Listener, Secret, Transport, diff, example, reference, schema};

pub(crate) const MINIMAL: &str = r#"
[networks.inside]
listeners = [{ transport = "udp", address = "127.0.0.1:5060" }]
media = { address = "127.0.0.1", ports = "20000-20999" }
"#;

fn parse(text: &str) -> Config {
    Config::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_example_parses() {
    parse(&example());
}

#[test]
fn the_example_parses_with_every_setting_on_but_those_that_exclude_each_other() {
    let on: String = example()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c != ' ' && c != '#') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let errors = Config::parse("example.toml", &on).unwrap_err();
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    let listener = "networks.carrier.listeners[0]";
    let tables = ["tls", "tls.clients", "websocket"].map(|table| format!("{listener}.{table}"));
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    // Each of its servers has one kind of proof, and a network with them is told no address of its own.
    let traversal =
        ["networks.carrier.media.traversal", "networks.carrier.media.traversal.servers[0].secret"];
    let turn = ["networks.carrier.turn.listeners[0].tls", "networks.carrier.turn.listeners[0].tls.clients"];
    assert_eq!(
        paths,
        [&*tables, &traversal, &turn, &["routes[0].reject", "routes[0].number"]].concat(),
        "{errors}"
    );
}

#[test]
fn the_reference_page_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    fresh(path, &reference());
}

#[test]
fn the_example_file_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/reference.toml");
    fresh(path, &example());
}

/// Generated files are kept in the repository; `LIAISON_REGENERATE=1 cargo test -p config` writes them anew.
fn fresh(path: &str, text: &str) {
    if std::env::var_os("LIAISON_REGENERATE").is_some() {
        // Whoever reads it at this moment sees all of the old one or of the new one.
        let new = format!("{path}.new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, path).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "{path} is stale: run LIAISON_REGENERATE=1 cargo test -p config");
}

// conforms: RFC3261-18.2.1-1
#[test]
fn every_document_in_deploy_parses_and_takes_over_tcp_what_it_takes_over_udp() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");
    let mut documents = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What is generated has each setting once, is looked at above, and may be written anew at this moment.
        if path.extension().is_some_and(|extension| extension == "toml") && !path.ends_with("reference.toml")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let parsed = Config::parse(&path.display().to_string(), &text);
            let config = parsed.unwrap_or_else(|errors| panic!("{errors}"));
            documents += 1;
            let listeners: Vec<_> = config.networks.values().flat_map(|network| &network.listeners).collect();
            for udp in listeners.iter().filter(|listener| listener.transport == Transport::Udp) {
                let beside = |of: &&&Listener| of.transport == Transport::Tcp && of.address == udp.address;
                assert!(
                    listeners.iter().any(|of| beside(&of)),
                    "{}: {} over UDP only",
                    path.display(),
                    udp.address
                );
            }
        }
    }
    assert!(documents >= 3, "{documents} documents");
}

#[test]
fn every_default_bound_and_example_is_of_its_type() {
    // A default at fault would leave its table out, a bound at fault would not limit.
    let config = parse(MINIMAL);
    assert_eq!(config.limits.message, 65_535);
    assert_eq!(config.profiles.len(), 1);
    let errors =
        Config::parse("", &format!("{MINIMAL}[limits]\ncalls = 0\nretry_after = \"2h\"")).unwrap_err();
    assert_eq!(errors.len(), 2, "{errors}");
}

#[test]
fn the_schema_describes_every_table_and_refuses_unknown_keys() {
    let schema = schema();
    let tables = schema["$defs"].as_object().unwrap();
    assert!(tables.len() >= 20, "{:?}", tables.keys());
    assert!(tables.values().all(|table| table["additionalProperties"] == false));
    assert_eq!(schema["required"], serde_json::json!(["networks"]));
    let calls = &tables["Limits"]["properties"]["calls"];
    assert_eq!(calls["default"], 10_000);
    assert_eq!(calls["maximum"], 1_000_000);
    assert_eq!(tables["Network"]["properties"]["media"]["$ref"], "#/$defs/NetworkMedia");
}

#[test]
fn the_configuration_in_force_shows_defaults_and_secrets_only_as_references() {
    let text = format!(
        "{MINIMAL}[trunks.a]\nnetwork = \"inside\"\ncredentials = [{{ realm = \"r\", username = \"u\", \
         password = {{ env = \"PASSWORD\" }} }}]"
    );
    let config = parse(&text);
    let credentials = &config.trunks["a"].credentials[0];
    assert_eq!(credentials.password, Secret::Environment("PASSWORD".to_owned()));
    assert_eq!(format!("{:?}", credentials.password), "Secret(env PASSWORD)");
    let json = config.to_json();
    assert_eq!(json["trunks"]["a"]["credentials"][0]["password"], serde_json::json!({ "env": "PASSWORD" }));
    assert_eq!(json["profiles"]["default"]["ring_limit"], "3m");
    assert_eq!(json["media"]["threads"], "auto");
}

#[test]
fn a_difference_names_each_setting_and_when_it_takes_effect() {
    let old = parse(MINIMAL);
    let new = parse(&format!(
        "[limits]\ncalls = 5\n[admin]\nlisten = \"127.0.0.1:8081\"\n{MINIMAL}trusted = true\n\
         [networks.outside]\nlisteners = [{{ transport = \"tcp\", address = \"127.0.0.1:5061\" }}]\n\
         media = {{ address = \"127.0.0.1\", ports = \"30000-30999\" }}\n[profiles.default]\nring_limit = \"60s\""
    ));
    let changes: Vec<(String, Effect)> =
        diff(&old, &new).into_iter().map(|change| (change.path, change.effect)).collect();
    let expected = [
        ("limits.calls", Effect::Live),
        ("networks.inside.trusted", Effect::Pinned),
        ("networks.outside", Effect::Restart),
        ("profiles.default.ring_limit", Effect::Pinned),
        ("admin.listen", Effect::Restart),
    ];
    assert_eq!(changes, expected.map(|(path, effect)| (path.to_owned(), effect)));
    assert_eq!(diff(&old, &old), []);
}

#[test]
fn a_profile_is_the_trunks_else_the_networks_else_the_default() {
    let config = parse(&format!(
        "{MINIMAL}profile = \"n\"\n[trunks.a]\nnetwork = \"inside\"\nprofile = \"t\"\n\
         [trunks.b]\nnetwork = \"inside\"\n[profiles.n]\n[profiles.t]\n"
    ));
    let network = &config.networks["inside"];
    assert_eq!(config.profile_name(network, Some(&config.trunks["a"])), "t");
    assert_eq!(config.profile_name(network, Some(&config.trunks["b"])), "n");
    assert_eq!(parse(MINIMAL).profile_name(&parse(MINIMAL).networks["inside"], None), "default");
}

#[test]
fn what_is_deployed_as_it_stands_is_reached_from_this_machine_only() {
    let text = include_str!("../../../deploy/liaison.toml");
    let config = Config::parse("liaison.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    let listeners: Vec<_> = config.networks.values().flat_map(|network| &network.listeners).collect();
    assert!(!listeners.is_empty() && listeners.iter().all(|listener| listener.address.ip().is_loopback()));
    assert!(config.admin.listen.ip().is_loopback());
}

/// Whether only this machine or its own network gets there (RFC 1918, RFC 4193).
fn is_near(ip: std::net::IpAddr) -> bool {
    match ip {
        std::net::IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        std::net::IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

#[test]
fn no_example_listens_in_the_clear_where_everybody_may_come() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");
    let (mut examples, mut secure) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // The reference shows each setting with a value, and is not to be deployed.
        if path.extension().is_none_or(|extension| extension != "toml") || name == "reference.toml" {
            continue;
        }
        let config = parse(&std::fs::read_to_string(&path).unwrap());
        assert!(config.admin.listen.ip().is_loopback(), "{name}");
        for listener in config.networks.values().flat_map(|network| &network.listeners) {
            let clear = matches!(listener.transport, Transport::Udp | Transport::Tcp | Transport::Ws);
            assert!(!clear || is_near(listener.address.ip()), "{name}: {}", listener.address);
            secure += usize::from(!clear);
        }
        examples += 1;
    }
    assert!(examples >= 3 && secure >= 3, "{examples} examples, {secure} secure listeners");
}
