//! What others learn of a registration: the standing that all shards read, and the log.

use super::request::Plan;
use super::{FlowStanding, Registrant, RegistrantId, State};
use crate::cdr::system_time;
use crate::shard::Core;
use sip::registration::client::Gruus;
use sip::time::{Mono, Now};
use std::time::SystemTime;

impl Core {
    /// Makes known how a registration is, and logs what has changed.
    pub(super) fn tell_registrant(&mut self, now: Now, id: RegistrantId) {
        let Some(registrant) = self.registrants.all.get_mut(id) else { return };
        let standing = registrant.standing(now, self.shard);
        registrant.log(now, &standing);
        if !registrant.leaving {
            self.common.standings.set(now, &registrant.trunk, &standing);
        }
    }
}

impl Registrant {
    fn standing(&self, now: Now, shard: u16) -> FlowStanding {
        let plan = self.plan();
        let bound = self.machine.bound(now);
        let routes = bound.map(|(_, extras)| extras.service_route.as_slice()).unwrap_or_default();
        let next = self.begins.or(self.machine.poll_timeout());
        let service_route: Box<[Box<str>]> = match routes {
            [] => plan.as_ref().and_then(Plan::route).into_iter().collect(),
            routes => routes.iter().map(|route| route.to_string().into()).collect(),
        };
        FlowStanding {
            number: self.number,
            state: self.state(),
            flow: self.flow,
            proven: self.keep.map(|_| self.proven),
            until: bound.map(|(until, _)| until),
            first_hop: routes.first().map(|route| route.uri().clone()).or_else(|| plan.as_ref()?.edge()),
            service_route,
            registrar: self.peer,
            gruus: match bound.filter(|_| plan.as_ref().is_some_and(|plan| plan.register.gruu)) {
                Some((_, extras)) => extras.gruus.clone(),
                None => Gruus::default(),
            },
            towards: plan
                .and_then(|plan| plan.registrar(self.at))
                .map(ToString::to_string)
                .unwrap_or_default()
                .into(),
            failures: self.machine.failures(),
            fault: self.fault,
            expires: bound.map(|(until, _)| calendar(now, until)),
            next: next.map(|at| calendar(now, at)),
            shard,
        }
    }

    /// One line where the registration is made, lost, or removed.
    fn log(&mut self, now: Now, standing: &FlowStanding) {
        let before = self.told;
        if matches!(standing.state, State::Waiting | State::Registering | State::Unregistering) {
            return;
        }
        self.told = standing.state;
        let (trunk, flow) = (self.trunk.as_str(), (self.number > 0).then_some(self.number));
        let seconds = |at: Option<Mono>| at.map(|at| at.since(now.mono).as_secs());
        match standing.state {
            State::Registered if before != State::Registered => {
                let (expires, route) = (seconds(standing.until), standing.service_route.join(", "));
                tracing::info!(trunk, flow, registrar = %standing.towards, expires, route, "a trunk is registered");
                if self.machine.bound(now).is_some_and(|(_, extras)| extras.route_unreadable) {
                    tracing::warn!(trunk, flow, "its Service-Route cannot be read, and calls go without it");
                }
            }
            State::Failed => {
                let fault = standing.fault.map(super::view::failure);
                let (again, bound) = (seconds(self.machine.poll_timeout()), standing.is_bound(now));
                tracing::warn!(trunk, flow, fault, again, bound, "a trunk could not be registered");
            }
            State::Unregistered if before != State::Unregistered => {
                tracing::info!(trunk, flow, "a trunk is no longer registered");
            }
            _ => {}
        }
    }
}

/// The calendar's time of a point on the monotonic clock, as it looks now.
fn calendar(now: Now, at: Mono) -> SystemTime {
    system_time(now.wall) + at.since(now.mono)
}
