//! One stream as its peer describes it.

use std::net::{IpAddr, SocketAddr};

use sdp::{Connection, Direction, Media};

use super::{Refusal, Transport, is_msrp, is_plain_msrp, is_tcp, transport};

/// How a described stream reaches its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Described {
    /// Port 0: rejected, or removed (RFC 3264 §6, §8.2).
    Rejected,
    /// Over UDP to an endpoint: ours to relay.
    Relayed(Endpoint),
    /// Over a connection that the peers make between themselves.
    Around,
    /// The same where none goes around us.
    Refused,
}

/// A peer's UDP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) remote: SocketAddr,
    pub(crate) remote_rtcp: SocketAddr,
    pub(crate) rtp: bool,
    pub(crate) mux: bool,
    /// Nothing may be sent to it: 0.0.0.0 or `.invalid` (RFC 3264 §8.4, RFC 6157 §5.1).
    pub(crate) silenced: bool,
    /// Its direction with that taken into account.
    pub(crate) direction: Direction,
    /// It is reached by connections (RFC 4145).
    pub(crate) tcp: bool,
}

/// The port that goes with the address of nowhere where ICE is to find another one (RFC 8839 §4.2.5).
const DISCARD: u16 = 9;

/// What is known of the network that a peer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Its addresses are of IPv6, else of IPv4.
    pub(crate) ipv6: bool,
    /// ICE may find addresses that are not described.
    pub(crate) ice: bool,
}

/// Reads the transport of a stream.
pub(crate) fn describe(
    section: usize,
    media: &Media<'_>,
    Reach { ipv6, ice }: Reach,
) -> Result<Described, Refusal> {
    let line = media.line();
    if line.port == 0 {
        return Ok(Described::Rejected);
    }
    let kind = transport(line.proto);
    let connection = media.connection();
    let internet = connection.is_none_or(|connection| connection.net_type.eq_ignore_ascii_case("IN"));
    if kind == Transport::Connection || !internet {
        return Ok(Described::Around);
    }
    if media.section().connection().is_none() && media.section().lines().any(|line| line.kind() == b'c') {
        // One that cannot be read is not the session's.
        return Err(Refusal::Address { section });
    }
    // One stream on several ports (RFC 8866 §5.14) is declined: we have one pair for each stream.
    if line.port_count.is_some_and(|count| count > 1) {
        return Ok(Described::Rejected);
    }
    // With ICE the address may be that of nowhere, a name, or of the other family: the checks will tell (RFC 8839 §4.2.5).
    let ice = ice && media.ice().is_some();
    let (ip, silenced) = match address(section, connection.ok_or(Refusal::NoConnection { section })?, ipv6) {
        Err(Refusal::Address { .. }) if ice => (unspecified(ipv6), false),
        read => read.map(|ip| (ip, ip.is_unspecified() && !(ice && line.port == DISCARD)))?,
    };
    let stated = media.direction();
    let direction = if silenced { stated.and(Direction::SendOnly) } else { stated };
    let mux = media.rtcp_mux();
    let remote = SocketAddr::new(ip, line.port);
    let remote_rtcp = match rtcp_address(section, media, remote, ipv6) {
        Err(Refusal::Address { .. }) if ice => remote,
        read => read?,
    };
    Ok(Described::Relayed(Endpoint {
        remote,
        remote_rtcp,
        rtp: kind == Transport::Rtp,
        mux,
        silenced,
        direction,
        tcp: false,
    }))
}

/// The same of a stream over connections that we take and make: over TCP, and where TLS keeps us out of MSRP by the descriptions alone (RFC
/// 6714).
pub(crate) fn connected(
    section: usize,
    media: &Media<'_>,
    Reach { ipv6, .. }: Reach,
) -> Result<Described, Refusal> {
    let line = media.line();
    let sealed = is_msrp(line.proto) && !is_plain_msrp(line.proto);
    if !is_tcp(line.proto) || sealed && media.section().attribute("msrp-cema").is_none() {
        return Ok(Described::Refused);
    }
    if line.port_count.is_some_and(|count| count > 1) {
        return Ok(Described::Rejected);
    }
    let connection = media.connection().ok_or(Refusal::NoConnection { section })?;
    if !connection.net_type.eq_ignore_ascii_case("IN") {
        return Ok(Described::Refused);
    }
    let ip = address(section, connection, ipv6)?;
    let (remote, silenced) = (SocketAddr::new(ip, line.port), ip.is_unspecified());
    let direction = media.direction();
    Ok(Described::Relayed(Endpoint {
        remote,
        remote_rtcp: remote,
        rtp: false,
        mux: false,
        silenced,
        direction,
        tcp: true,
    }))
}

/// The unicast address of a `c=` line in the family of the network; the unspecified one where nothing is to be sent.
fn address(section: usize, connection: Connection<'_>, ipv6: bool) -> Result<IpAddr, Refusal> {
    let Some(ip) = connection.ip() else {
        let nowhere = connection.address.trim_end_matches('.').to_ascii_lowercase().ends_with(".invalid");
        return if nowhere { Ok(unspecified(ipv6)) } else { Err(Refusal::Address { section }) };
    };
    if ip.is_multicast() || connection.address.contains('/') {
        return Err(Refusal::Multicast { section });
    }
    if ip.is_unspecified() {
        return Ok(unspecified(ipv6));
    }
    if ip.is_ipv6() != ipv6 { Err(Refusal::Address { section }) } else { Ok(ip) }
}

fn unspecified(ipv6: bool) -> IpAddr {
    if ipv6 { IpAddr::from([0u16; 8]) } else { IpAddr::from([0u8; 4]) }
}

/// RFC 3605: the stated place, else the next port (RFC 3264 §5.1). An `a=rtcp` that cannot be read is as if absent.
fn rtcp_address(
    section: usize,
    media: &Media<'_>,
    remote: SocketAddr,
    ipv6: bool,
) -> Result<SocketAddr, Refusal> {
    let Some(stated) = media.rtcp() else {
        return Ok(SocketAddr::new(remote.ip(), remote.port().checked_add(1).unwrap_or(remote.port())));
    };
    let ip = stated.connection.map_or(Ok(remote.ip()), |connection| address(section, connection, ipv6))?;
    Ok(SocketAddr::new(ip, stated.port))
}
