//! What ICMP says of datagrams that did not arrive (RFC 3261 §18.4), from the error queue of their socket (ip(7)).
//!
//! The system makes an ICMP error known by failing the next call on the socket, whomever that is for: who then looks into
//! the queue learns whom it concerns.

use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Errors taken from the queue in one go.
const MOST: usize = 64;
/// Bytes of the control messages of one error: the error itself and the address of who reports it, with room to spare.
const CONTROL: usize = 256;
/// `ee_origin` of an ICMP and of an ICMPv6 error (ip(7)).
const ORIGINS: [u8; 2] = [2, 3];

/// Asks the system to keep the errors of a socket.
pub(crate) fn enable(socket: &UdpSocket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv4() {
        setsockopt(socket, Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, Ipv6RecvErr, &true)?;
    }
    Ok(())
}

/// Empties the queue of a socket. Peers that are out of reach are added to `unreachable`, each once. Whether there was
/// any ICMP error: then the call that failed has failed for its sake.
pub(crate) fn take(socket: &UdpSocket, unreachable: &mut Vec<SocketAddr>) -> bool {
    let mut any = false;
    for _ in 0..MOST {
        let (mut control, mut payload) = ([0; CONTROL], [0; 1]);
        let mut slices = [IoSliceMut::new(&mut payload)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let fd = socket.as_raw_fd();
        let Ok(error) = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(&mut control), flags) else { break };
        let peer = error.address.and_then(super::udp::address);
        for message in error.cmsgs().into_iter().flatten() {
            let error = match message {
                ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    error
                }
                _ => continue,
            };
            any |= ORIGINS.contains(&error.ee_origin);
            if let Some(peer) = peer.filter(|_| is_final(error.ee_origin, error.ee_type, error.ee_code))
                && !unreachable.contains(&peer)
            {
                unreachable.push(peer);
            }
        }
    }
    any
}

/// Whether an error is one that the transaction is told of (RFC 3261 §18.4): host, network, port or protocol out of
/// reach. Of ICMPv6 those are no route, address and port unreachable (RFC 4443 §3.1).
fn is_final(origin: u8, kind: u8, code: u8) -> bool {
    match ORIGINS {
        [v4, _] if origin == v4 => kind == 3 && code <= 3,
        [_, v6] if origin == v6 => kind == 1 && matches!(code, 0 | 3 | 4),
        _ => false,
    }
}
