//! Session-ID (RFC 7989) with SIPp.

use crate::lab::check;

#[test]
fn rfc7989_the_identifiers_of_two_sipp_cross_and_find_their_call() {
    for transport in ["udp", "tcp"] {
        check("session_ids.py", &["cross", transport], 60);
    }
}
