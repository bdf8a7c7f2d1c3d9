//! What others learn of a registration: the standing that all shards read, and the log.

use super::request::Plan;
use super::{Registrant, RegistrantId, Standing, State};
use crate::cdr::system_time;
use crate::shard::Core;
use sip::time::{Mono, Now};
use std::time::SystemTime;

impl Core {
    /// Makes known how a registration is, and logs what has changed.
    pub(super) fn tell_registrant(&mut self, now: Now, id: RegistrantId) {
        let Some(registrant) = self.registrants.all.get_mut(id) else { return };
        let standing = registrant.standing(now, self.shard);
        registrant.log(now, &standing);
        if !registrant.leaving {
            self.common.standings.set(&registrant.trunk, standing);
        }
    }
}

impl Registrant {
    fn standing(&self, now: Now, shard: u16) -> Standing {
        let plan = Plan::of(&self.trunk, &self.snapshot);
        let bound = self.machine.bound(now);
        let routes = bound.map(|(_, extras)| extras.service_route.as_slice()).unwrap_or_default();
        let next = self.begins.or(self.machine.poll_timeout());
        Standing {
            state: self.state(),
            until: bound.map(|(until, _)| until),
            service_route: routes.iter().map(|route| route.to_string().into()).collect(),
            first_hop: routes.first().map(|route| route.uri().clone()),
            registrar: self.peer,
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
    fn log(&mut self, now: Now, standing: &Standing) {
        let before = self.told;
        if matches!(standing.state, State::Waiting | State::Registering | State::Unregistering) {
            return;
        }
        self.told = standing.state;
        let trunk = self.trunk.as_str();
        let seconds = |at: Option<Mono>| at.map(|at| at.since(now.mono).as_secs());
        match standing.state {
            State::Registered if before != State::Registered => {
                let (expires, route) = (seconds(standing.until), standing.service_route.join(", "));
                tracing::info!(trunk, registrar = %standing.towards, expires, route, "a trunk is registered");
            }
            State::Failed => {
                let fault = standing.fault.map(super::view::failure);
                let (again, bound) = (seconds(self.machine.poll_timeout()), standing.is_bound(now));
                tracing::warn!(trunk, fault, again, bound, "a trunk could not be registered");
            }
            State::Unregistered if before != State::Unregistered => {
                tracing::info!(trunk, "a trunk is no longer registered");
            }
            _ => {}
        }
    }
}

/// The calendar's time of a point on the monotonic clock, as it looks now.
fn calendar(now: Now, at: Mono) -> SystemTime {
    system_time(now.wall) + at.since(now.mono)
}
