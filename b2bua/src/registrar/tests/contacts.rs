//! Contacts that are the far end of their connection.

use super::binding;
use crate::registrar::flows::names_connection;
use sip::registration::server::Binding;
use sip::{ConnectionId, Flow, ListenerId, Transport};

#[test]
fn a_contact_that_is_the_far_end_of_its_connection_ends_with_it() {
    let rows = [
        ("sip:bob@198.51.100.7:49152;transport=tcp", "198.51.100.7:49152", true),
        ("sip:bob@198.51.100.7:49152;transport=tcp", "[::ffff:198.51.100.7]:49152", true),
        // It listens elsewhere than it connects from.
        ("sip:bob@198.51.100.7:5062;transport=tcp", "198.51.100.7:49152", false),
        ("sip:bob@198.51.100.8:49152;transport=tcp", "198.51.100.7:49152", false),
        ("sip:bob@phone.example:49152;transport=tcp", "198.51.100.7:49152", false),
        // Whoever connects from the port of the transport may well listen there.
        ("sip:bob@198.51.100.7:5060;transport=tcp", "198.51.100.7:5060", false),
    ];
    for (contact, peer, expected) in rows {
        let flow =
            Flow { listener: ListenerId(0), peer: peer.parse().unwrap(), connection: Some(ConnectionId(1)) };
        let bound = Binding { uri: contact.parse().unwrap(), flow, ..binding() };
        assert_eq!(names_connection(&bound, Transport::Tcp), expected, "{contact} from {peer}");
    }
}
