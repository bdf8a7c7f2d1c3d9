//! Info Packages (RFC 6086) with SIPp.

use crate::lab::check;

#[test]
fn rfc6086_info_crosses_by_package_and_without_and_what_nobody_takes_does_not() {
    for transport in ["udp", "tcp"] {
        check("packages.py", &["info", transport], 60);
    }
}
