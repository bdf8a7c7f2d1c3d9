//! Refresh, CreatePermission and ChannelBind (RFC 8656 §8, §10, §12).

use std::net::IpAddr;

use super::allocation::Allocation;
use super::refusal::Refusal;
use super::request::Request;
use super::server::Answer;
use super::{Client, Now, Server, Settings, Wires};

/// Peers that one CreatePermission may name.
const PEERS: usize = 32;

impl Server {
    pub(super) fn refresh(
        &mut self,
        client: Client,
        request: &Request<'_>,
        name: &str,
        now: Now,
        wires: &mut impl Wires,
    ) -> Result<Answer, Refusal> {
        let (allocation, settings) = self.own(client, name)?;
        if request.family.is_some_and(|family| family != settings.family()) {
            return Err(Refusal::FamilyMismatch);
        }
        let lifetime = if request.lifetime == Some(0) { 0 } else { settings.granted(request.lifetime) };
        allocation.until = now.millis + u64::from(lifetime) * 1_000;
        if lifetime == 0 {
            self.end(client, now, wires);
        }
        Ok(Answer { lifetime: Some(lifetime), ..Answer::default() })
    }

    pub(super) fn create_permission(
        &mut self,
        client: Client,
        request: &Request<'_>,
        name: &str,
        now: Now,
    ) -> Result<Answer, Refusal> {
        let (allocation, settings) = self.own(client, name)?;
        let mut ips = Vec::new();
        for peer in request.peers().take(PEERS + 1) {
            ips.push(peer.ok_or(Refusal::BadRequest)?.ip());
        }
        if ips.is_empty() {
            return Err(Refusal::BadRequest);
        }
        let most = settings.limits.permissions;
        ips.iter().try_for_each(|ip| may_reach(settings, *ip))?;
        if ips.len() > PEERS || !allocation.room_for(&ips, most, now.millis) {
            return Err(Refusal::Capacity);
        }
        // All of them or none.
        ips.into_iter().try_for_each(|ip| allocation.permit(ip, most, now.millis))?;
        Ok(Answer::default())
    }

    pub(super) fn bind_channel(
        &mut self,
        client: Client,
        request: &Request<'_>,
        name: &str,
        now: Now,
    ) -> Result<Answer, Refusal> {
        let (allocation, settings) = self.own(client, name)?;
        let last = if settings.old_channels { 0x7fff } else { 0x4fff };
        let number = request.channel.filter(|number| (0x4000..=last).contains(number));
        let (Some(number), Some(peer)) = (number, request.peer) else {
            return Err(Refusal::BadRequest);
        };
        may_reach(settings, peer.ip())?;
        let way = settings.reach.way_to(peer).ok_or(Refusal::Forbidden)?;
        let most = settings.limits.permissions;
        if !allocation.room_for(&[peer.ip()], most, now.millis) {
            return Err(Refusal::Capacity);
        }
        allocation.bind(number, (peer, way), most, now.millis)?;
        allocation.permit(peer.ip(), most, now.millis)?;
        Ok(Answer::default())
    }

    /// The allocation of a client, if the username is the one that made it (RFC 8656 §5).
    fn own(&mut self, client: Client, name: &str) -> Result<(&mut Allocation, &Settings), Refusal> {
        let allocation = self.allocations.get_mut(&client).ok_or(Refusal::Mismatch)?;
        if *allocation.name == *name {
            Ok((allocation, &self.settings))
        } else {
            Err(Refusal::WrongCredentials)
        }
    }
}

fn may_reach(settings: &Settings, ip: IpAddr) -> Result<(), Refusal> {
    if ip.is_ipv4() != settings.relayed.told.is_ipv4() {
        Err(Refusal::FamilyMismatch)
    } else if settings.reach.has(ip) {
        Ok(())
    } else {
        Err(Refusal::Forbidden)
    }
}
