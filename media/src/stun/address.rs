//! Addresses under the mask of XOR-MAPPED-ADDRESS (RFC 8489 §14.2), which those of TURN have too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::COOKIE;

/// The value of such an attribute.
#[derive(Clone, Copy)]
pub(crate) struct Masked {
    bytes: [u8; 20],
    length: usize,
}

impl Masked {
    /// An address in a message of this transaction.
    pub(crate) fn new(id: &[u8; 12], address: SocketAddr) -> Self {
        let v4;
        let v6;
        let (family, ip): (u8, &[u8]) = match address.ip() {
            IpAddr::V4(ip) => {
                v4 = ip.octets();
                (1, &v4)
            }
            IpAddr::V6(ip) => {
                v6 = ip.octets();
                (2, &v6)
            }
        };
        let mut bytes = [0; 20];
        let plain = [0, family].into_iter().chain(address.port().to_be_bytes()).chain(ip.iter().copied());
        for ((to, from), mask) in bytes.iter_mut().zip(plain).zip(mask(id)) {
            *to = from ^ mask;
        }
        Self { bytes, length: 4 + ip.len() }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The address that such a value stands for; `None` where it is of no family there is.
pub(crate) fn unmask(id: &[u8; 12], value: &[u8]) -> Option<SocketAddr> {
    let mut plain = [0; 20];
    for ((to, from), mask) in plain.iter_mut().zip(value).zip(mask(id)) {
        *to = from ^ mask;
    }
    let ([_, family, p0, p1], ip) = plain.split_first_chunk::<4>()?;
    let ip: IpAddr = match (family, value.len()) {
        (1, 8) => Ipv4Addr::from(*ip.first_chunk::<4>()?).into(),
        (2, 20) => Ipv6Addr::from(*ip.first_chunk::<16>()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([*p0, *p1])))
}

/// The port is under the first half of the cookie, the address under cookie and transaction ID.
fn mask(id: &[u8; 12]) -> impl Iterator<Item = u8> {
    [0, 0].into_iter().chain(COOKIE.into_iter().take(2)).chain(COOKIE).chain(*id)
}
