//! URIs of MSRP (RFC 4975 §6.1).

use std::net::{IpAddr, SocketAddr};

use sdp::Media;

/// The session of a path: what is behind the authority of its last URI, parameters and all.
pub(crate) fn session(path: &str) -> Option<&str> {
    let last = path.split_ascii_whitespace().last()?;
    let (scheme, rest) = last.split_once("://")?;
    let of_msrp = scheme.eq_ignore_ascii_case("msrp") || scheme.eq_ignore_ascii_case("msrps");
    let session = rest.split_once('/').map(|(_, session)| session).filter(|session| !session.is_empty())?;
    of_msrp.then_some(session)
}

/// The value of a section's `a=path` with our address in it; `None` where it has none that can be read.
pub(crate) fn own_path(media: &Media<'_>, (ip, port): (IpAddr, u16)) -> Option<String> {
    let path = media.section().attribute("path")?;
    Some(format!("msrp://{}/{}", SocketAddr::new(ip, port), session(path.text()?)?))
}
