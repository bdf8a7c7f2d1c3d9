//! Allocate (RFC 8656 §7.2).

use std::net::SocketAddr;

use super::allocation::Allocation;
use super::credentials::Login;
use super::ports::Want;
use super::refusal::Refusal;
use super::request::Request;
use super::server::{Answer, Reservation};
use super::user::User;
use super::{Client, Now, Server, Settings, Wires};

/// The protocol number of UDP.
const UDP: u8 = 17;
/// Families of addresses (RFC 8489 §14.1).
const IPV4: u8 = 1;
const IPV6: u8 = 2;
/// How long a port is reserved, in milliseconds.
const RESERVED: u64 = 30_000;

impl Settings {
    /// How long an allocation lasts for which so many seconds were asked (RFC 8656 §7.2, §8.2).
    pub(super) fn granted(&self, asked: Option<u32>) -> u32 {
        asked.unwrap_or_default().min(self.longest_lifetime).max(self.lifetime)
    }

    /// The family that allocations have.
    pub(super) fn family(&self) -> u8 {
        if self.relayed.told.is_ipv4() { IPV4 } else { IPV6 }
    }
}

impl Server {
    pub(super) fn allocate(
        &mut self,
        client: Client,
        request: &Request<'_>,
        login: Login<'_>,
        now: Now,
        wires: &mut impl Wires,
    ) -> Result<Answer, Refusal> {
        if let Some(known) = self.allocations.get(&client) {
            // The answer was lost on its way.
            let again = known.transaction == *request.id && *known.name == *login.name;
            return if again { Ok(self.answer_for(client, known, now)) } else { Err(Refusal::Mismatch) };
        }
        let lacking = self.check(request)?;
        if self.allocations.len() >= self.settings.limits.allocations {
            return Err(Refusal::Capacity);
        }
        let (port, token) = match request.token {
            Some(token) => (self.redeem(token, login.user, now).ok_or(Refusal::Capacity)?, None),
            None => self.fresh_port(request.even_port, login, now, wires)?,
        };
        let until = now.millis + u64::from(self.settings.granted(request.lifetime)) * 1_000;
        let mut allocation = Allocation::new(*request.id, login.name, port, (now.millis, until));
        (allocation.token, allocation.lacking) = (token, lacking);
        let answer = self.answer_for(client, &allocation, now);
        self.by_port.insert(port, client);
        self.allocations.insert(client, allocation);
        self.counters.allocated(self.allocations.len());
        Ok(answer)
    }

    fn answer_for(&self, client: Client, allocation: &Allocation, now: Now) -> Answer {
        let left = allocation.left(now.millis).div_ceil(1_000);
        Answer {
            relayed: Some(SocketAddr::new(self.settings.relayed.told, allocation.port)),
            mapped: Some(client.address),
            lifetime: Some(u32::try_from(left).unwrap_or(u32::MAX)),
            token: allocation.token,
            lacking: allocation.lacking,
        }
    }

    /// What is asked for together, in the order of RFC 8656 §7.2; the family that is asked for in addition, and there is none of.
    fn check(&self, request: &Request<'_>) -> Result<Option<u8>, Refusal> {
        let &Request { transport, family, additional_family: additional, even_port, token, .. } = request;
        if transport.ok_or(Refusal::BadRequest)? != UDP {
            return Err(Refusal::TransportNotSupported);
        }
        let reserved = token.is_some() && (even_port.is_some() || family.is_some() || additional.is_some());
        let pair_of_two = even_port == Some(true) && additional.is_some();
        if reserved
            || (family.is_some() && additional.is_some())
            || pair_of_two
            || additional.is_some_and(|additional| additional != IPV6)
        {
            return Err(Refusal::BadRequest);
        }
        let ours = self.settings.family();
        match (family, additional) {
            // A reservation has the family that we have.
            (None, None) if token.is_some() => Ok(None),
            (None, Some(_)) => Ok(Some(if ours == IPV4 { IPV6 } else { IPV4 })),
            (asked, _) if asked.unwrap_or(IPV4) == ours => Ok(None),
            _ => Err(Refusal::FamilyNotSupported),
        }
    }

    /// The port that was reserved for a user. It counts for the user already.
    fn redeem(&mut self, token: [u8; 8], user: &str, now: Now) -> Option<u16> {
        let its = |one: &Reservation| one.token == token && *one.user == *user && one.until > now.millis;
        let at = self.reservations.iter().position(its)?;
        Some(self.reservations.swap_remove(at).port)
    }

    /// A port for a user that may have one more, and the token of the next one, if that is to be reserved.
    fn fresh_port(
        &mut self,
        even_port: Option<bool>,
        login: Login<'_>,
        now: Now,
        wires: &mut impl Wires,
    ) -> Result<(u16, Option<[u8; 8]>), Refusal> {
        let (want, count) = match even_port {
            None => (Want::Any, 1),
            Some(false) => (Want::Even, 1),
            Some(true) => (Want::Pair, 2),
        };
        let limits = self.settings.limits;
        let begun = (u64::try_from(count).unwrap_or(u64::MAX), limits.begun(), now.millis);
        let known = self.users.get_mut(login.user);
        let may = known.is_none_or(|user| {
            user.ports + count <= limits.per_user && user.begun.has(begun.0, begun.1, begun.2)
        });
        if !may || count > limits.per_user {
            return Err(Refusal::Quota);
        }
        self.ports.wake(u64::from(self.settings.quarantine) * 1_000, now.millis);
        let port = self.ports.take(want, &mut self.chance, wires).ok_or(Refusal::Capacity)?;
        let user = self.users.entry(login.user.into()).or_insert_with(|| User::new(&limits, now.millis));
        user.ports += count;
        user.begun.take(begun.0, begun.1, begun.2);
        let token = (want == Want::Pair).then(|| {
            let token: [u8; 8] = self.chance.next().to_be_bytes().first_chunk().copied().unwrap_or_default();
            let (user, until) = (login.user.into(), now.millis + RESERVED);
            self.reservations.push(Reservation { token, user, port: port.saturating_add(1), until });
            token
        });
        Ok((port, token))
    }
}
