use crate::Config;
use crate::tests::documents::MINIMAL;

fn faults(text: &str) -> String {
    Config::parse("f.toml", text).unwrap_err().to_string()
}

/// Faults of `text` after the minimal document, whose four lines are not counted.
fn more(text: &str) -> String {
    faults(&format!("{}\n{text}", MINIMAL.trim()))
}

#[test]
fn five_mistakes_are_five_errors_with_line_and_column() {
    let text = r#"
[limits]
calls = "many"
mesage = 5

[networks.carrier]
listeners = [{ transport = "upd", address = "192.0.2.1:5060" }]
media = { address = "192.0.2.1", ports = "20000-20998" }

[trunks.provider]
network = "carier"
targets = ["sip:192.0.2.10"]
"#;
    insta::assert_snapshot!(faults(text), @r#"
    f.toml:3:9: limits.calls: found "many", expected an integer from 1 to 1_000_000
    f.toml:4:1: limits.mesage: found the key "mesage", expected message, start_line, header_count, header_length, body, calls, transactions, sessions, early_dialogs, targets, branches, transfers, names, remembered_targets, pending_requests, asked_requests, subscriptions, request_rounds, connections, connections_per_peer, connection_queue, datagram_queue, name_queries, stun_rate, nonces, sockets, transcoded_streams, media_connections, cdr_queue or retry_after (did you mean "message"?)
    f.toml:7:28: networks.carrier.listeners[0].transport: found "upd", expected "udp", "tcp", "tls", "ws" or "wss" (did you mean "udp"?)
    f.toml:8:42: networks.carrier.media.ports: found "20000-20998", expected a range of ports from 1024 to 65535, first even and last odd, such as "20000-29999"
    f.toml:11:11: trunks.provider.network: found "carier", expected the name of a network: "carrier" (did you mean "carrier"?)
    "#);
}

#[test]
fn the_first_syntax_error_of_each_line_stands_beside_errors_of_type() {
    insta::assert_snapshot!(more("[limits]\ncalls = \nsessions = \"x\"\nsockets = 4 4 4\n[trunks.\"a\nb = 1"), @r#"
    f.toml:5:9: string values must be quoted: found the end of the line, expected literal string
    f.toml:6:12: limits.sessions: found "x", expected an integer from 2 to 4_000_000
    f.toml:7:11: string values must be quoted: found '4', expected literal string
    f.toml:8:11: unclosed table: found the end of the line, expected `]`
    "#);
}

#[test]
fn forms_are_explained_with_the_value_found() {
    let text = r#"
[trunks.a]
network = "inside"
targets = ["192.0.2.1", "sips:a.example", "sip:b.example;transport=sctp", "sip:c.example;transport=tcp"]
from = ["192.0.2.1/24", "10.0.0.0/40", "x"]
domain = "a b"
max_calls = 0
[profiles.default]
ring_limit = "3 minutes"
max_duration = 5
failures = { "200" = 486, "404" = 200 }
carry = { forbid_bodies = ["isup"], forbid_methods = ["A B"], unknown_bodies = "yes" }
timers = { t1 = "1s", t2 = "500ms" }
digest = { algorithms = ["MD5", "md5"] }
"#;
    insta::assert_snapshot!(more(text), @r#"
    f.toml:7:12: trunks.a.targets[0]: found "192.0.2.1", expected a SIP URI
    f.toml:7:25: trunks.a.targets[1]: found "sips:a.example", expected a transport that network inside has a listener for
    f.toml:7:43: trunks.a.targets[2]: found "sip:b.example;transport=sctp", expected a sip: URI with transport udp, tcp or tls
    f.toml:7:75: trunks.a.targets[3]: found "sip:c.example;transport=tcp", expected a transport that network inside has a listener for
    f.toml:8:9: trunks.a.from[0]: found "192.0.2.1/24", expected an IP address or a network in CIDR form without host bits
    f.toml:8:25: trunks.a.from[1]: found "10.0.0.0/40", expected an IP address or a network in CIDR form without host bits
    f.toml:8:40: trunks.a.from[2]: found "x", expected an IP address or a network in CIDR form without host bits
    f.toml:9:10: trunks.a.domain: found "a b", expected a host name or IP address (IPv6 in brackets) with an optional port, such as "sip.example.com"
    f.toml:10:13: trunks.a.max_calls: found 0, expected an integer from 1 to 1_000_000
    f.toml:12:14: profiles.default.ring_limit: found "3 minutes", expected a duration (d, h, m, s, ms) from "1s" to "1h", such as "180s"
    f.toml:13:16: profiles.default.max_duration: found 5, expected a duration (d, h, m, s, ms) from "1s" to "30d", such as "12h"
    f.toml:14:14: profiles.default.failures.200: found the key "200", expected a status code from 300 to 699
    f.toml:14:35: profiles.default.failures.404: found 200, expected a status code from 300 to 699
    f.toml:15:28: profiles.default.carry.forbid_bodies[0]: found "isup", expected a media type without parameters (type/subtype or type/*)
    f.toml:15:55: profiles.default.carry.forbid_methods[0]: found "A B", expected a token (letters, digits and -.!%*_+`'~)
    f.toml:15:80: profiles.default.carry.unknown_bodies: found "yes", expected true or false
    f.toml:16:28: profiles.default.timers.t2: found 500ms, expected at least t1, which is 1s
    f.toml:17:33: profiles.default.digest.algorithms[1]: found "md5", expected "SHA-256", "SHA-512-256" or "MD5"
    "#);
}

#[test]
fn a_secret_in_the_document_is_refused_and_not_repeated() {
    let text = r#"
[trunks.a]
network = "inside"
credentials = [
  { realm = "r", username = "u", password = "hunter2" },
  { realm = "s", username = "u", password = { value = "hunter2" } },
]
"#;
    let faults = more(text);
    assert!(!faults.contains("hunter2"), "{faults}");
    insta::assert_snapshot!(faults, @r#"
    f.toml:8:45: trunks.a.credentials[0].password: found a value that is not shown, expected a reference: { env = "NAME" } or { file = "PATH" }
    f.toml:9:45: trunks.a.credentials[1].password: found a table that is not shown, expected a reference: { env = "NAME" } or { file = "PATH" }
    "#);
}

#[test]
fn sockets_ports_sources_and_names_belong_to_one_setting() {
    let text = r#"
admin = { listen = "127.0.0.1:5070" }
networks.b.listeners = [
  { transport = "udp", address = "0.0.0.0:5060", advertised = "b.example" },
  { transport = "tcp", address = "127.0.0.1:5070" },
  { transport = "udp", address = "127.0.0.2:0" },
  { transport = "udp", address = "127.0.0.2:0" },
]
networks.b.media = { address = "127.0.0.1", ports = "20998-21001" }
networks.c.listeners = [{ transport = "udp", address = "127.0.0.1:21000" }]
networks.c.media = { address = "127.0.0.2", ports = "20000-20999" }
trunks.a = { network = "b", from = ["192.0.2.0/24"], targets = ["sip:a"] }
trunks.b = { network = "b", from = ["192.0.2.7", "192.0.2.0/24"] }
trunks.c = { network = "c", from = ["192.0.2.0/24"] }
routes = [{ name = "r", to = ["a"] }, { name = "r", to = ["a"] }]
"#;
    insta::assert_snapshot!(faults(&format!("{text}{MINIMAL}")), @r#"
    f.toml:2:20: admin.listen: found "127.0.0.1:5070", expected an address and port not taken by networks.b.listeners[1].address
    f.toml:9:53: networks.b.media.ports: found "20998-21001", expected ports not taken by networks.c.listeners[0].address
    f.toml:13:50: trunks.b.from[1]: found "192.0.2.0/24", expected a source not taken by trunks.a.from[0]
    f.toml:15:48: routes[1].name: found "r", expected a name not taken by routes[0].name
    f.toml:18:45: networks.inside.listeners[0].address: found "127.0.0.1:5060", expected an address and port not taken by networks.b.listeners[0].address
    f.toml:19:42: networks.inside.media.ports: found "20000-20999", expected ports not taken by networks.b.media.ports
    "#);
}

#[test]
fn settings_that_contradict_each_other_are_named() {
    let text = r#"
[networks.open]
listeners = [{ transport = "tcp", address = "[::]:5060" }]
[networks.split]
listeners = []
media = { address = "10.0.0.1", advertised = "2001:db8::1" }
[trunks.in]
network = "inside"
challenge = { realm = "r", users = [
  { username = "u", password = { file = "/a" } }, { username = "u", password = { file = "/b" } }] }
[[routes]]
name = "none"
[[routes]]
name = "both"
to = ["in"]
reject = { status = 404 }
[[routes]]
name = "sockets"
to = [{ uri = "sip:a@b", network = "nowhere" }, { uri = "sip:a@b;transport=udp", network = "open" }]
[media]
spare_low = 257
[networks.apart]
listeners = [{ transport = "udp", address = "10.0.0.9:5060", towards = ["10.1.0.0/16", "2001:db8::/32"] }]
media = { address = "10.0.0.9" }
[networks.farther]
listeners = [{ transport = "udp", address = "10.0.0.8:5060", towards = ["10.1.0.0/16"] }]
media = { address = "10.0.0.8" }
[trunks.near]
network = "farther"
targets = ["sip:10.1.2.3", "sip:10.2.3.4", "sip:[2001:db8::1]", "sip:named.example"]
"#;
    insta::assert_snapshot!(more(text), @r#"
    f.toml:5:1: networks.open.media: found nothing, expected media addresses, as not every profile in use has media = "bypass"
    f.toml:6:45: networks.open.listeners[0].address: found "[::]:5060" without `advertised`, expected an address that peers can reach, or `advertised`
    f.toml:8:13: networks.split.listeners: found [], expected a list, each a table (1 to 64 of them)
    f.toml:9:46: networks.split.media.advertised: found "2001:db8::1", expected an address of the same family as `address`
    f.toml:13:64: trunks.in.challenge.users[1].username: found "u" again, expected each user name once
    f.toml:14:1: routes[0]: found neither, expected either targets in `to` or a refusal in `reject`
    f.toml:18:7: routes[1].to[0]: found "in", expected a trunk that has targets
    f.toml:19:10: routes[1].reject: found both, expected either targets in `to` or a refusal in `reject`
    f.toml:22:36: routes[2].to[0].network: found "nowhere", expected the name of a network: "apart", "farther", "inside", "open" or "split"
    f.toml:24:13: media.spare_low: found 257, expected at most spare_high, which is 256
    f.toml:26:72: networks.apart.listeners[0].towards: found "2001:db8::/32", expected addresses of the same family as `address`
    f.toml:33:28: trunks.near.targets[1]: found "sip:10.2.3.4", expected an address that the `towards` of a listener of network farther has
    f.toml:33:44: trunks.near.targets[2]: found "sip:[2001:db8::1]", expected a name, or an address of the family that network farther has a listener of the transport for
    "#);
}

#[test]
fn what_proves_who_somebody_is_has_to_be_whole() {
    let text = r#"
[guessing]
free = 20
[trunks.in]
network = "inside"
credentials = [{ realm = "r", username = "u", password = { env = "P" }, weakest = "SHA-1" }]
card_credentials = [{ realm = "r", username = "u", key = { env = "K" }, operator = { env = "O" } }]
challenge = { realm = "r" }
[trunks.out.challenge]
realm = "r"
bearer = { keys = { env = "K" }, authz_server = "http://a", issuer = "i", audiences = ["a"], scopes = ["a b"] }
[trunks.out]
network = "inside"
[profiles.p.digest]
algorithms = ["SHA-256", "SHA-512-256", "SHA-256"]
qop = ["auth", "auth"]
"#;
    insta::assert_snapshot!(more(text), @r#"
    f.toml:5:1: guessing.refuse_after: found 20, expected more than `free`, which is 20
    f.toml:9:83: trunks.in.credentials[0].weakest: found "SHA-1", expected "SHA-256", "SHA-512-256" or "MD5"
    f.toml:10:31: trunks.in.card_credentials[0].realm: found "r" again, expected each realm once
    f.toml:11:13: trunks.in.challenge.users: found nobody, expected at least one user, or `bearer`
    f.toml:14:49: trunks.out.challenge.bearer.authz_server: found "http://a", expected an https URI (RFC 8898 §4)
    f.toml:14:104: trunks.out.challenge.bearer.scopes[0]: found "a b", expected one scope, without spaces and quotes
    f.toml:18:41: profiles.p.digest.algorithms[2]: found "SHA-256" again, expected each algorithm once
    f.toml:19:16: profiles.p.digest.qop[1]: found "auth" again, expected each value once
    "#);
}

#[test]
fn a_document_without_networks_says_what_is_missing() {
    insta::assert_snapshot!(faults(""), @"f.toml:1:1: networks: found nothing, expected tables, each under the name of a network (1 to 64 letters, digits, _, -) (1 to 256 of them)");
    insta::assert_snapshot!(faults("[networks]"), @"f.toml:1:1: networks: found [networks], expected tables, each under the name of a network (1 to 64 letters, digits, _, -) (1 to 256 of them)");
    insta::assert_snapshot!(faults("networks = 5"), @"f.toml:1:12: networks: found 5, expected tables, each under the name of a network (1 to 64 letters, digits, _, -) (1 to 256 of them)");
}

#[test]
fn no_document_makes_the_reader_panic() {
    let document = format!("{MINIMAL}{}", crate::example());
    for (end, _) in document.char_indices() {
        let _ = Config::parse("", document.get(..end).unwrap());
    }
}

#[test]
fn an_element_at_fault_does_not_shift_the_places_of_those_behind_it() {
    let text = r#"
[[routes]]
name = "bad name"
to = []
[[routes]]
name = "good"
to = ["a b", { uri = "sip:a@b;transport=tcp", network = "inside" }]
"#;
    insta::assert_snapshot!(more(text), @r#"
    f.toml:6:8: routes[0].name: found "bad name", expected a name of its own (1 to 64 letters, digits, _, -), such as "to-provider"
    f.toml:10:7: routes[1].to[0]: found "a b", expected the name of a trunk (1 to 64 letters, digits, _, -)
    f.toml:10:14: routes[1].to[1]: found "sip:a@b;transport=tcp", expected a transport that network inside has a listener for
    "#);
}

#[test]
fn a_target_of_a_family_or_transport_that_the_network_does_not_listen_on_is_named() {
    let text = r#"
[networks.six]
listeners = [
  { transport = "udp", address = "[2001:db8::1]:5060" }, { transport = "tcp", address = "192.0.2.1:5060" }]
media = { address = "2001:db8::1", ports = "20000-20999" }
[networks.streams]
listeners = [{ transport = "tcp", address = "192.0.2.9:5060" }]
media = { address = "192.0.2.9", ports = "20000-20999" }
[trunks.a]
network = "inside"
targets = ["sip:192.0.2.7", "sip:[2001:db8::7]", "sip:example.com", "sip:example.com;maddr=[2001:db8::7]"]
[[routes]]
name = "r"
to = [
  { uri = "sip:a@[2001:db8::7]", network = "six" },
  { uri = "sip:a@[2001:db8::7];transport=tcp", network = "six" },
  { uri = "sip:a@192.0.2.7", network = "six" },
  { uri = "sip:a@192.0.2.7;transport=tcp", network = "six" },
  { uri = "sip:a@example.com", network = "streams" },
]
"#;
    insta::assert_snapshot!(more(text), @r#"
    f.toml:14:29: trunks.a.targets[1]: found "sip:[2001:db8::7]", expected a name, or an address of the family that network inside has a listener of the transport for
    f.toml:14:69: trunks.a.targets[3]: found "sip:example.com;maddr=[2001:db8::7]", expected a name, or an address of the family that network inside has a listener of the transport for
    f.toml:19:3: routes[0].to[1]: found "sip:a@[2001:db8::7];transport=tcp", expected a name, or an address of the family that network six has a listener of the transport for
    f.toml:20:3: routes[0].to[2]: found "sip:a@192.0.2.7", expected a name, or an address of the family that network six has a listener of the transport for
    f.toml:22:3: routes[0].to[4]: found "sip:a@example.com", expected a transport that network streams has a listener for
    "#);
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    let errors = Config::parse_bytes("f.toml", b"# one\n# \xc3\xa4 \xe4\n").unwrap_err();
    assert_eq!(errors.to_string(), "f.toml:2:5: not UTF-8: found the byte 0xe4, expected UTF-8");
}

#[test]
fn a_connection_has_room_for_the_longest_message() {
    let text = "[limits]\nmessage = 8192\nconnection_queue = 8191\n[networks.a]\n\
                listeners = [{ transport = \"udp\", address = \"127.0.0.1:5060\" }]\nmedia = { address = \"127.0.0.1\" }\n";
    let errors = Config::parse("f.toml", text).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "f.toml:3:20: limits.connection_queue: found 8191, expected at least `message`, which is 8192"
    );
    assert!(Config::parse("f.toml", &text.replace("8191", "8192")).is_ok());
}

#[test]
fn a_registration_has_somewhere_to_go_and_a_contact_of_its_own() {
    let text = r#"
[trunks.a]
network = "inside"
targets = ["sip:192.0.2.1"]
register = { address = "alice", registrars = ["sip:x@a.example", "tel:+49", "sips:a.example"], contact_user = "a b", expires = "5s", called = "from" }
[trunks.b]
network = "inside"
register = { address = "b@example.com" }
[trunks.c]
network = "inside"
targets = ["sip:192.0.2.1"]
register = { address = "c@example.com", contact_user = "b", registrars = ["sips:c.example"] }
"#;
    insta::assert_snapshot!(more(text), @r#"
    f.toml:8:24: trunks.a.register.address: found "alice", expected user@host, as in a SIP URI without its scheme, such as "+4930123456@sip.example.com"
    f.toml:8:111: trunks.a.register.contact_user: found "a b", expected the user of a SIP URI, as it is written there, such as "liaison"
    f.toml:8:128: trunks.a.register.expires: found "5s", expected a duration (d, h, m, s, ms) from "1m" to "30d", such as "1h"
    f.toml:8:143: trunks.a.register.called: found "from", expected "address" or "to"
    f.toml:11:12: trunks.b.register: found "b", expected a trunk that has targets, or `registrars`
    f.toml:15:56: trunks.c.register.contact_user: found "b", expected a user that trunks.b.register does not have
    f.toml:15:75: trunks.c.register.registrars[0]: found "sips:c.example", expected a transport that network inside has a listener for
    "#);
    let uris = "[trunks.a]\nnetwork = \"inside\"\n\
                register = { address = \"a@b\", registrars = [\"sip:x@a.example\", \"tel:+49\"] }\n";
    insta::assert_snapshot!(more(uris), @r#"
    f.toml:6:45: trunks.a.register.registrars[0]: found "sip:x@a.example", expected a URI without a user: the address-of-record has it
    f.toml:6:64: trunks.a.register.registrars[1]: found "tel:+49", expected a sip: or sips: URI
    "#);
}

#[test]
fn pins_of_clients_that_are_not_asked_for_a_certificate_are_a_fault() {
    let listener = |clients: &str| {
        let print = "ab".repeat(32);
        format!(
            "[[networks.inside.listeners]]\ntransport = \"tls\"\naddress = \"127.0.0.1:5061\"\n[networks.inside.listeners.tls]\n{clients}\n\
             certificates = [{{ chain = \"/c\", key = \"/k\" }}]\npins = [{{ host = \"pbx.example\", fingerprints = [\"sha256:{print}\"] }}]\n"
        )
    };
    let network = "[networks.inside]\nmedia = { address = \"127.0.0.1\" }\n";
    insta::assert_snapshot!(faults(&format!("{network}{}", listener(""))), @r#"f.toml:6:1: networks.inside.listeners[0].tls.clients: found "unasked", expected "optional" or "required", as there are `pins`"#);
    assert!(Config::parse("f.toml", &format!("{network}{}", listener("clients = \"optional\""))).is_ok());
}

// conforms: RFC5627-4.1-4
#[test]
fn rfc5627_4_1_no_contact_is_the_address_that_it_is_registered_for() {
    let network = |more: &str| {
        format!(
            "[networks.a]\nlisteners = [{{ transport = \"udp\", address = \"192.0.2.1:5060\" }}]\n{more}\
             media = {{ address = \"192.0.2.1\" }}\n[trunks.gw]\nnetwork = \"a\"\ntargets = [\"sip:192.0.2.7\"]\n"
        )
    };
    let register = |more: &str, address: &str| {
        let text = format!("{}register = {{ address = \"{address}\" }}\n", network(more));
        Config::parse("f.toml", &text).map(|_| ()).map_err(|errors| errors.to_string())
    };
    insta::assert_snapshot!(register("", "gw@192.0.2.1:5060").unwrap_err(), @r#"f.toml:7:24: trunks.gw.register.address: found "gw@192.0.2.1:5060", expected another address than that of the contact, which would lead to itself"#);
    assert!(register("domain = \"SBC.example\"\n", "gw@sbc.example:5060").is_err());
    for other in ["gw@192.0.2.1", "gw@192.0.2.1:5061", "other@192.0.2.1:5060"] {
        assert_eq!(register("", other), Ok(()), "{other}");
    }
}

/// A TURN server of the network `inside`, whose media is at 127.0.0.1.
fn turn(lines: &str) -> String {
    more(&format!("[networks.inside.turn]\nrealm = \"r\"\nsecret = {{ env = \"S\" }}\n{lines}"))
}

#[test]
fn a_turn_server_has_ports_of_its_own_and_listens_where_nobody_else_does() {
    let lines = r#"
listeners = [{ transport = "udp", address = "127.0.0.1:5060" }, { transport = "tls", address = "127.0.0.1:0" }]
ports = "20000-29999"
lifetime = "1h"
longest_lifetime = "10m"
peers = ["127.0.0.0/8", "198.51.100.0/24", "224.0.0.1"]
"#;
    insta::assert_snapshot!(turn(lines.trim()), @r#"
    f.toml:7:45: networks.inside.turn.listeners[0].address: found "127.0.0.1:5060", expected an address and port not taken by networks.inside.listeners[0].address
    f.toml:7:79: networks.inside.turn.listeners[1].transport: found "tls", expected a transport without TLS, or `tls`
    f.toml:7:96: networks.inside.turn.listeners[1].address: found "127.0.0.1:0", expected a port other than 0
    f.toml:8:9: networks.inside.turn.ports: found "20000-29999", expected ports not taken by networks.inside.media.ports
    f.toml:10:20: networks.inside.turn.longest_lifetime: found 600 s, expected at least `lifetime`, which is 3600 s
    f.toml:11:10: networks.inside.turn.peers[0]: found "127.0.0.0/8", expected addresses of other hosts
    f.toml:11:44: networks.inside.turn.peers[2]: found "224.0.0.1/32", expected addresses of other hosts
    "#);
    for (lines, fault) in [
        ("listeners = []", "7:13: networks.inside.turn.listeners: "),
        (
            "listeners = [{ transport = \"udp\", address = \"0.0.0.0:3478\" }]",
            "an address that clients can reach",
        ),
        (
            "listeners = [{ transport = \"udp\", address = \"127.0.0.1:3478\" }]\nbytes_per_user = 5",
            "8:18: networks.inside",
        ),
    ] {
        let faults = turn(lines);
        assert!(faults.contains(fault) && faults.lines().count() == 1, "{faults}");
    }
}

#[test]
fn a_registrar_hands_out_credentials_of_a_turn_server_that_is_there() {
    let registrar = "[networks.inside.registrar]\ndomains = [\"example.com\"]\nturn_credentials = \"protected\"\n\
         challenge = { realm = \"r\", users = [{ username = \"u\", password = { env = \"P\" } }] }\n\
         accounts = [{ address = \"u@example.com\", users = [\"u\"] }]\n";
    insta::assert_snapshot!(more(registrar), @r#"f.toml:6:20: networks.inside.registrar.turn_credentials: found "protected" without `turn`, expected a network with a TURN server, or "nobody""#);
    let parsed = |text: &str| Config::parse("f.toml", &format!("{}\n{text}", MINIMAL.trim())).is_ok();
    assert!(parsed(&registrar.replace("protected", "nobody")));
    let server = "[networks.inside.turn]\nrealm = \"r\"\nsecret = { env = \"S\" }\n\
         listeners = [{ transport = \"udp\", address = \"127.0.0.1:3478\" }]\n";
    assert!(parsed(&format!("{server}{registrar}")));
}

#[test]
fn sip_has_no_packet_whose_dscp_it_could_copy() {
    let text = "[networks.a]\ndscp = \"copy\"\nlisteners = [{ transport = \"udp\", address = \"192.0.2.1:5060\" }]\n\
         media = { address = \"192.0.2.1\" }\n";
    let faults = faults(text);
    assert!(
        faults.starts_with("f.toml:2:8: networks.a.dscp: found \"copy\", expected a DSCP of its own"),
        "{faults}"
    );
    assert!(Config::parse("f.toml", &text.replace("copy", "CS3")).is_ok());
}

#[test]
fn srtp_says_each_thing_once_and_has_what_1_3_lets_a_peer_choose() {
    let text = "[profiles.default]\nsrtp = { keying = [\"dtls\", \"dtls\"], suites = [\"AEAD_AES_128_GCM\", \"AEAD_AES_128_GCM\"], dtls = \"1.3\" }\n";
    insta::assert_snapshot!(faults(text), @r#"
    f.toml:1:1: networks: found nothing, expected tables, each under the name of a network (1 to 64 letters, digits, _, -) (1 to 256 of them)
    f.toml:2:28: profiles.default.srtp.keying[1]: found "dtls" again, expected each kind once
    f.toml:2:67: profiles.default.srtp.suites[1]: found "AEAD_AES_128_GCM" again, expected each suite once
    f.toml:2:95: profiles.default.srtp.dtls: found suites without "AEAD_AES_256_GCM", expected with "1.3" all of the suites that a peer may choose
    "#);
}

#[test]
fn what_is_wrong_with_the_servers_that_lead_through_a_nat() {
    let faults = more(
        "[networks.outside]
listeners = [{ transport = \"udp\", address = \"127.0.0.2:5060\" }]
[networks.outside.media]
address = \"127.0.0.2\"
advertised = \"192.0.2.1\"
[networks.outside.media.traversal]
ready = 0
servers = [
  { uri = \"stun:a.example\", username = \"u\" },
  { uri = \"turn:a.example\", username = \"u\" },
  { uri = \"turn:a.example\", password = { env = \"P\" } },
  { uri = \"turn:a.example\", username = \"u\", password = { env = \"P\" }, secret = { env = \"P\" } },
  { uri = \"turn:a.example?transport=sctp\", username = \"u\", password = { env = \"P\" } },
]
",
    );
    insta::assert_snapshot!(faults, @r#"
    f.toml:9:1: networks.outside.media.traversal: found `advertised`, expected an `address` of the host and no `advertised`, as the servers say how peers reach us
    f.toml:10:9: networks.outside.media.traversal.ready: found 0, expected an integer from 1 to 256 (pairs of ports)
    f.toml:12:40: networks.outside.media.traversal.servers[0].username: found "stun:a.example", expected a TURN server, as a STUN server asks for no proof
    f.toml:13:11: networks.outside.media.traversal.servers[1].uri: found "turn:a.example", expected a STUN server, or `password` or `secret`
    f.toml:14:3: networks.outside.media.traversal.servers[2].username: found "", expected 1 to 400 characters of ASCII without quotes and backslashes
    f.toml:15:80: networks.outside.media.traversal.servers[3].secret: found `password`, too, expected only one of the two
    f.toml:16:11: networks.outside.media.traversal.servers[4].uri: found "turn:a.example?transport=sctp", expected "stun:HOST[:PORT]", "turn:HOST[:PORT][?transport=udp|tcp]" or "turns:HOST[:PORT]", such as "turn:turn.example.com"
    "#);
}
