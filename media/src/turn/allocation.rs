//! What a client has with us (RFC 8656 §6).

use std::net::{IpAddr, SocketAddr};

use super::refusal::Refusal;
use super::{Client, Reach};

/// How long a permission lasts (RFC 8656 §9), and a channel (§12), in milliseconds.
const PERMISSION: u64 = 300_000;
const CHANNEL: u64 = 600_000;

/// Packets and bytes of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes of application data.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

/// An allocation, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Whose it is.
    pub client: Client,
    /// The user.
    pub user: String,
    /// The relayed transport address, as the client was told.
    pub relayed: SocketAddr,
    /// How long it has been there, in milliseconds.
    pub age_millis: u64,
    /// How long it lasts without a refresh, in milliseconds.
    pub left_millis: u64,
    /// Addresses that there is a permission for.
    pub permissions: Vec<IpAddr>,
    /// Channels, by number.
    pub channels: Vec<(u16, SocketAddr)>,
    /// What went to peers.
    pub to_peers: Tally,
    /// What went to the client.
    pub to_client: Tally,
}

#[derive(Debug)]
struct Permission {
    ip: IpAddr,
    until: u64,
}

#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    /// Where packets for the peer go.
    way: SocketAddr,
    until: u64,
}

/// An allocation.
#[derive(Debug)]
pub(super) struct Allocation {
    /// The transaction that made it: who repeats it means this one (RFC 8656 §7.2).
    pub(super) transaction: [u8; 12],
    /// The username that made it, without which nothing of it is changed.
    pub(super) name: Box<str>,
    pub(super) port: u16,
    /// The token of the port that was reserved with it.
    pub(super) token: Option<[u8; 8]>,
    /// The family that it was asked for and does not have, with the code that says why.
    pub(super) lacking: Option<u8>,
    pub(super) until: u64,
    began: u64,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    to_peers: Tally,
    to_client: Tally,
}

impl Allocation {
    pub(super) fn new(transaction: [u8; 12], name: &str, port: u16, (began, until): (u64, u64)) -> Self {
        Self {
            transaction,
            name: name.into(),
            port,
            token: None,
            lacking: None,
            until,
            began,
            permissions: Vec::new(),
            channels: Vec::new(),
            to_peers: Tally::default(),
            to_client: Tally::default(),
        }
    }

    /// Who has it, whose quotas count.
    pub(super) fn user(&self) -> &str {
        self.name.split_once(':').map_or(&*self.name, |(_, user)| user)
    }

    pub(super) fn left(&self, millis: u64) -> u64 {
        self.until.saturating_sub(millis)
    }

    pub(super) fn is_over(&self, millis: u64) -> bool {
        self.until <= millis
    }

    /// Lets that address in from now on.
    ///
    /// # Errors
    /// There are `most` already.
    pub(super) fn permit(&mut self, ip: IpAddr, most: usize, millis: u64) -> Result<(), Refusal> {
        let until = millis + PERMISSION;
        if let Some(known) = self.permissions.iter_mut().find(|known| known.ip == ip) {
            known.until = until;
            return Ok(());
        }
        self.permissions.retain(|known| known.until > millis);
        if self.permissions.len() >= most {
            return Err(Refusal::Capacity);
        }
        self.permissions.push(Permission { ip, until });
        Ok(())
    }

    pub(super) fn permits(&self, ip: IpAddr, millis: u64) -> bool {
        self.permissions.iter().any(|known| known.ip == ip && known.until > millis)
    }

    /// Whether all of these addresses may have a permission.
    pub(super) fn room_for(&self, ips: &[IpAddr], most: usize, millis: u64) -> bool {
        let live = self.permissions.iter().filter(|known| known.until > millis).count();
        let fresh = ips.iter().enumerate().filter(|(n, ip)| {
            !self.permits(**ip, millis) && !ips.iter().take(*n).any(|earlier| earlier == *ip)
        });
        live + fresh.count() <= most
    }

    /// Binds a channel, or binds it for longer.
    ///
    /// # Errors
    /// The number or the peer is bound to another one; there are `most` already.
    pub(super) fn bind(
        &mut self,
        number: u16,
        (peer, way): (SocketAddr, SocketAddr),
        most: usize,
        millis: u64,
    ) -> Result<(), Refusal> {
        self.channels.retain(|known| known.until > millis);
        let (until, count) = (millis + CHANNEL, self.channels.len());
        let known = self.channels.iter_mut().find(|known| known.number == number || known.peer == peer);
        match known {
            Some(known) if known.number == number && known.peer == peer => known.until = until,
            Some(_) => return Err(Refusal::BadRequest),
            None if count >= most => return Err(Refusal::Capacity),
            None => self.channels.push(Channel { number, peer, way, until }),
        }
        Ok(())
    }

    /// Whom a channel is bound to, and where packets for it go.
    pub(super) fn channel(&self, number: u16, millis: u64) -> Option<(SocketAddr, SocketAddr)> {
        let known = self.channels.iter().find(|known| known.number == number && known.until > millis);
        known.map(|known| (known.peer, known.way))
    }

    /// The channel that is bound to a peer.
    pub(super) fn channel_to(&self, peer: SocketAddr, millis: u64) -> Option<u16> {
        let known = self.channels.iter().find(|known| known.peer == peer && known.until > millis);
        known.map(|known| known.number)
    }

    /// Forgets what is over, and whom the server does not reach any more.
    pub(super) fn review(&mut self, reach: &Reach, millis: u64) {
        self.permissions.retain(|known| known.until > millis && reach.has(known.ip));
        self.channels.retain_mut(|known| match reach.way_to(known.peer) {
            Some(way) => {
                known.way = way;
                known.until > millis
            }
            None => false,
        });
    }

    pub(super) fn sent_to_peer(&mut self, bytes: usize) {
        self.to_peers.add(bytes);
    }

    pub(super) fn sent_to_client(&mut self, bytes: usize) {
        self.to_client.add(bytes);
    }

    pub(super) fn view(&self, client: Client, told: IpAddr, millis: u64) -> View {
        let live = self.channels.iter().filter(|known| known.until > millis);
        View {
            client,
            user: self.user().to_owned(),
            relayed: SocketAddr::new(told, self.port),
            age_millis: millis.saturating_sub(self.began),
            left_millis: self.left(millis),
            permissions: self.permissions.iter().filter(|p| p.until > millis).map(|p| p.ip).collect(),
            channels: live.map(|known| (known.number, known.peer)).collect(),
            to_peers: self.to_peers,
            to_client: self.to_client,
        }
    }
}
