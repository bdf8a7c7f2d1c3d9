//! Data on its way between clients and peers (RFC 8656 §11, §12). Nothing is allocated for a packet.

use std::net::SocketAddr;

use super::counters::Dropped;
use super::request::Request;
use super::{Client, DATA, DATA_INDICATION, Now, Server, Wires, XOR_PEER_ADDRESS};
use crate::stun::{COOKIE, Masked};

/// Bytes that a message to a client needs before the packet: a header, XOR-PEER-ADDRESS, and the head of DATA.
pub const HEADROOM: usize = 48;
/// Bytes before the data of a ChannelData message, and of an attribute.
const HEAD: usize = 4;

impl Server {
    /// A ChannelData message.
    pub(super) fn channel_data(&mut self, client: Client, message: &[u8], now: Now, wires: &mut impl Wires) {
        let Some(([n0, n1, l0, l1], rest)) = message.split_first_chunk::<HEAD>() else {
            return self.counters.dropped(Dropped::Unreadable);
        };
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let Some(data) = rest.get(..length) else { return self.counters.dropped(Dropped::Unreadable) };
        let number = u16::from_be_bytes([*n0, *n1]);
        let live = self.allocations.get(&client).filter(|one| !one.is_over(now.millis));
        let Some((peer, way)) = live.and_then(|one| one.channel(number, now.millis)) else {
            return self.counters.dropped(Dropped::Unallocated);
        };
        self.relay(client, (peer, way), data, now, wires);
    }

    /// A Send indication.
    pub(super) fn send(&mut self, client: Client, request: &Request<'_>, now: Now, wires: &mut impl Wires) {
        let whole = !request.malformed && request.unknown().next().is_none();
        let (Some(peer), Some(data), true) = (request.peer, request.data, whole) else {
            return self.counters.dropped(Dropped::Unreadable);
        };
        let Some(way) = self.settings.reach.way_to(peer) else {
            return self.counters.dropped(Dropped::Forbidden);
        };
        self.relay(client, (peer, way), data, now, wires);
    }

    fn relay(
        &mut self,
        client: Client,
        (peer, way): (SocketAddr, SocketAddr),
        data: &[u8],
        now: Now,
        wires: &mut impl Wires,
    ) {
        let live = self.allocations.get_mut(&client).filter(|one| !one.is_over(now.millis));
        let Some(allocation) = live else { return self.counters.dropped(Dropped::Unallocated) };
        if !allocation.permits(peer.ip(), now.millis) {
            return self.counters.dropped(Dropped::Forbidden);
        }
        let user = self.users.get_mut(allocation.user());
        let limits = &self.settings.limits;
        if !user.is_some_and(|user| user.carries(data.len(), limits, now.millis)) {
            return self.counters.dropped(Dropped::OverRate);
        }
        if wires.to_peer(allocation.port, way, data) {
            allocation.sent_to_peer(data.len());
            self.counters.to_peer(data.len());
        } else {
            self.counters.dropped(Dropped::Unsent);
        }
    }

    /// A packet came to a relayed port. It stands in `room` after [`HEADROOM`] bytes, which are written to, as are up to three
    /// after it.
    pub fn arrived(
        &mut self,
        (port, source): (u16, SocketAddr),
        room: &mut [u8],
        length: usize,
        now: Now,
        wires: &mut impl Wires,
    ) {
        let Some(&client) = self.by_port.get(&port) else {
            return self.counters.dropped(Dropped::Unallocated);
        };
        let live = self.allocations.get_mut(&client).filter(|one| !one.is_over(now.millis));
        let Some(allocation) = live else { return self.counters.dropped(Dropped::Unallocated) };
        let peer = self.settings.reach.peer_at(source);
        if !allocation.permits(peer.ip(), now.millis) {
            return self.counters.dropped(Dropped::Forbidden);
        }
        let user = self.users.get_mut(allocation.user());
        let limits = &self.settings.limits;
        if !user.is_some_and(|user| user.carries(length, limits, now.millis)) {
            return self.counters.dropped(Dropped::OverRate);
        }
        let message = match allocation.channel_to(peer, now.millis) {
            // Over UDP there is no padding (RFC 8656 §12.5).
            Some(number) => channel_message(number, room, length, client.connection.is_some()),
            None => {
                self.indications =
                    self.indications.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645) | 1;
                let [id @ .., _, _, _, _] = self.indications.to_be_bytes();
                indication(&id, peer, room, length)
            }
        };
        if message.is_some_and(|message| wires.to_client(client, message)) {
            allocation.sent_to_client(length);
            self.counters.to_client(length);
        } else {
            self.counters.dropped(Dropped::Unsent);
        }
    }
}

/// A ChannelData message around the data at [`HEADROOM`].
fn channel_message(number: u16, room: &mut [u8], length: usize, padded: bool) -> Option<&[u8]> {
    let (begin, end) = (HEADROOM - HEAD, HEADROOM + length);
    let [n0, n1] = number.to_be_bytes();
    let [l0, l1] = u16::try_from(length).ok()?.to_be_bytes();
    room.get_mut(begin..HEADROOM)?.copy_from_slice(&[n0, n1, l0, l1]);
    let padding = if padded { end.next_multiple_of(4) } else { end };
    room.get_mut(end..padding)?.fill(0);
    room.get(begin..padding)
}

/// A Data indication around the data at [`HEADROOM`].
fn indication<'a>(id: &[u8; 12], peer: SocketAddr, room: &'a mut [u8], length: usize) -> Option<&'a [u8]> {
    let masked = Masked::new(id, peer);
    let address = masked.as_bytes();
    let head = crate::stun::HEADER + HEAD + address.len() + HEAD;
    let (begin, end) = (HEADROOM.checked_sub(head)?, (HEADROOM + length).next_multiple_of(4));
    let whole = u16::try_from(end - begin - crate::stun::HEADER).ok()?;
    room.get_mut(HEADROOM + length..end)?.fill(0);
    let mut place = room.get_mut(begin..HEADROOM)?.iter_mut();
    let mut put = |bytes: &[u8]| bytes.iter().zip(place.by_ref()).for_each(|(from, to)| *to = *from);
    put(&DATA_INDICATION.to_be_bytes());
    put(&whole.to_be_bytes());
    put(&COOKIE);
    put(id);
    put(&XOR_PEER_ADDRESS.to_be_bytes());
    put(&u16::try_from(address.len()).ok()?.to_be_bytes());
    put(address);
    put(&DATA.to_be_bytes());
    put(&u16::try_from(length).ok()?.to_be_bytes());
    room.get(begin..end)
}
