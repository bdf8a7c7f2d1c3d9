//! `c=` (RFC 8866 §5.7).

use std::net::IpAddr;

/// `c=<nettype> <addrtype> <connection-address>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection<'a> {
    /// The type of network, `IN` for the Internet.
    pub net_type: &'a str,
    /// The type of address, `IP4` or `IP6`.
    pub addr_type: &'a str,
    /// The address, with the suffixes that multicast has (`/ttl`, `/number`).
    pub address: &'a str,
}

impl<'a> Connection<'a> {
    /// Reads the value of a `c=` line.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let connection = Self { net_type: words.next()?, addr_type: words.next()?, address: words.next()? };
        words.next().is_none().then_some(connection)
    }

    /// The address when it is one of the Internet and no name, without the suffixes of multicast.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        if !self.net_type.eq_ignore_ascii_case("IN") {
            return None;
        }
        self.address.split('/').next()?.parse().ok()
    }
}
