//! linphonec and baresip write to each other (RFC 3428).

use crate::lab::check;

#[test]
fn rfc3428_telephones_write_to_each_other() {
    for transport in ["udp", "tls"] {
        check("messages.py", &["write", transport], 60);
    }
}
