//! Where a remote is, told by one thread and read by others.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// A socket address that one thread writes and others read whole: the version is odd while it is written.
#[derive(Debug, Default)]
pub(super) struct SourceCell {
    version: AtomicU32,
    /// 0 for none, else the port, with bit 16 set for IPv4.
    port: AtomicU32,
    high: AtomicU64,
    low: AtomicU64,
}

const IPV4: u32 = 1 << 16;
/// A writer holds the cell for a few nanoseconds.
const READ_TRIES: usize = 64;

impl SourceCell {
    pub(super) fn write(&self, source: Option<SocketAddr>) {
        let (ip, port) = match source {
            None => (0, 0),
            Some(SocketAddr::V4(v4)) => (v4.ip().to_ipv6_mapped().to_bits(), u32::from(v4.port()) | IPV4),
            Some(SocketAddr::V6(v6)) => (v6.ip().to_bits(), u32::from(v6.port())),
        };
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        let (high, low) = (half(ip >> 64), half(ip));
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.port.store(port, Ordering::Relaxed);
        self.high.store(high, Ordering::Relaxed);
        self.low.store(low, Ordering::Relaxed);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    pub(super) fn read(&self) -> Option<SocketAddr> {
        for _ in 0..READ_TRIES {
            let before = self.version.load(Ordering::Acquire);
            let port = self.port.load(Ordering::Relaxed);
            let (high, low) = (self.high.load(Ordering::Relaxed), self.low.load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                return address(port, (u128::from(high) << 64) | u128::from(low));
            }
        }
        None
    }
}

fn address(port: u32, ip: u128) -> Option<SocketAddr> {
    if port == 0 {
        return None;
    }
    let ip = Ipv6Addr::from_bits(ip);
    let number = u16::try_from(port & 0xffff).ok()?;
    let ip = if port & IPV4 == 0 { IpAddr::V6(ip) } else { IpAddr::V4(ip.to_ipv4_mapped()?) };
    Some(SocketAddr::new(ip, number))
}
