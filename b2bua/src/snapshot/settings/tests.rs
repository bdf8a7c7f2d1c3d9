use super::*;
use std::sync::Arc;

// conforms: RFC3261-18.1.1-8,10
#[test]
fn a_name_without_a_port_is_reached_at_the_bound_port() {
    let text = r#"
        networks.a.listeners = [
            { transport = "udp", address = "127.0.0.1:5080", advertised = "sbc.example.com" },
            { transport = "tcp", address = "127.0.0.1:5080", advertised = "sbc.example.com:5070" },
        ]
        networks.a.media = { address = "127.0.0.1", ports = "20000-20999" }
    "#;
    let policy = Compiled::new(Arc::new(Config::parse("listener.toml", text).unwrap()));
    let (name, network) = policy.config().networks.first_key_value().unwrap();
    let sent_by = network.listeners.iter().map(|listener| {
        sip_listener(NetworkId(0), name, &policy, listener, listener.address).unwrap().sent_by.to_string()
    });
    assert_eq!(sent_by.collect::<Vec<_>>(), ["sbc.example.com:5080", "sbc.example.com:5070"]);
}

#[test]
fn every_limit_of_the_configuration_reaches_what_it_limits() {
    let text = r#"
        networks.a.listeners = [{ transport = "udp", address = "127.0.0.1:5060" }]
        networks.a.media = { address = "127.0.0.1", ports = "20000-20999" }
        [signalling]
        connect_timeout = "1s"
         handshake_timeout = "2s"
        connection_idle = "11s"
        connection_stall = "3s"
        message_time = "4s"
        [limits]
        message = 2049
        start_line = 257
        header_count = 17
        header_length = 258
        body = 3
        transactions = 18
        sessions = 5
        early_dialogs = 6
        pending_requests = 7
        asked_requests = 13
        request_rounds = 8
        connections = 9
        connections_per_peer = 10
        connection_queue = 4097
        datagram_queue = 19
        name_queries = 12
        stun_rate = 14
        [guard]
        ipv4_prefix = 31
        ipv6_prefix = 48
    "#;
    let config = Config::parse("limits.toml", text).unwrap();
    let message =
        sip_types::Limits { message: 2049, start_line: 257, header_count: 17, header_length: 258, body: 3 };
    assert_eq!(format!("{:?}", message_limits(&config.limits)), format!("{message:?}"));
    let sip = sip::Limits {
        transactions: 18,
        sessions: 5,
        early_dialogs: 6,
        pending_requests: 7,
        asked: 13,
        rounds: 8,
    };
    assert_eq!(sip_limits(&config.limits), sip);
    let sockets = sip::driver::Limits {
        connections: 9,
        connections_per_peer: 10,
        prefixes: sip::guard::Prefixes { ipv4: 31, ipv6: 48 },
        write_queue: 4097,
        datagram_queue: 19,
        connect_time: Duration::from_secs(1),
        handshake_time: Duration::from_secs(2),
        stall_time: Duration::from_secs(3),
        message_time: Duration::from_secs(4),
        idle_time: Duration::from_secs(11),
        queries: 12,
        stun_rate: 14,
    };
    assert_eq!(socket_limits(&config), sockets);
}
