//! Where the legs of a call go: targets of routes as they stand, trunks by our registration with them, and the devices of
//! registered users.

use super::OrRefuse;
use super::choice::Choice;
use crate::snapshot::Snapshot;
use crate::trunk::{FlowStanding, Standings};
use config::Unregistered;
use policy::{Redirected, Step, Trail};
use sip::Flow;
use sip::registration::server::{Aor, Binding, Directory, GruuKeys, Resolved};
use sip::session::Reply;
use sip::time::Now;
use sip_types::{Headers, Method, StatusCode};
use std::time::Duration;

/// A place to call. Places of one group ring at once, and groups one after the other; of one branch, which is one device, a
/// place is called once the one before it could not be reached.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) target: policy::Target,
    /// The Path to a device (RFC 3327 §5.3), or the Service-Route of our registration with a trunk (RFC 3608 §6.1).
    pub(crate) routes: Box<[Box<str>]>,
    /// The flow to a device, or that of our registration with a trunk.
    pub(crate) flow: Option<Flow>,
    /// Whose device it is, where that is registered.
    pub(crate) user: Option<Aor>,
    /// The redirection that leads to it, if one does.
    pub(crate) redirected: Option<Redirected>,
    pub(crate) group: u16,
    pub(crate) branch: u16,
    /// How long its group rings.
    pub(crate) ring_limit: Duration,
}

impl Place {
    /// A target as it stands, a group by itself.
    pub(crate) fn plain(target: policy::Target, number: u16) -> Self {
        let ring_limit = target.profile.ring_limit;
        Self {
            target,
            routes: Box::default(),
            flow: None,
            user: None,
            redirected: None,
            group: number,
            branch: number,
            ring_limit,
        }
    }

    /// Whether its Service-Route or flow leads where that of a place of the same trunk did, of which it is another target.
    fn is_repetition(&self, before: &[Self]) -> bool {
        let leads = !self.routes.is_empty() || self.flow.is_some();
        let same = |other: &Self| (&other.routes, other.flow) == (&self.routes, self.flow);
        let of_trunk = before.iter().rev().take_while(|other| other.target.trunk == self.target.trunk);
        leads && of_trunk.into_iter().any(same)
    }

    /// Whether it is a device of a registered user.
    pub(crate) fn is_device(&self) -> bool {
        self.target.registered
    }
}

/// What the devices of users are found with.
#[derive(Clone, Copy)]
pub(crate) struct Finder<'a> {
    pub(crate) now: Now,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) directory: &'a Directory,
    pub(crate) keys: &'a GruuKeys,
    pub(crate) standings: &'a Standings,
    pub(crate) settings: &'a sip::Settings,
}

impl Finder<'_> {
    /// The places of targets, in order; of a user, the devices, the preferred first.
    ///
    /// # Errors
    /// There is none, as the first user that was looked for is not known (404), or has no device (480), or none that the
    /// caller would have (480), or as the first trunk is not registered (503); or the caller's preferences are too many (400).
    pub(crate) fn places(
        self,
        targets: Vec<policy::Target>,
        request: (&Method, &Headers),
        trail: &mut Trail,
    ) -> OrRefuse<Vec<Place>> {
        let (mut places, mut missing) = (Vec::with_capacity(targets.len()), None);
        for target in targets {
            if !target.registered {
                let found = self.by_registration(&target, following(&places));
                if found.is_empty() {
                    missing.get_or_insert(StatusCode::SERVICE_UNAVAILABLE);
                }
                if !found.first().is_some_and(|first| first.is_repetition(&places)) {
                    places.extend(found);
                }
                continue;
            }
            match self.devices(&target, following(&places), request, trail) {
                Ok(devices) if devices.is_empty() => {
                    missing.get_or_insert(StatusCode::TEMPORARILY_UNAVAILABLE);
                }
                Ok(devices) => places.extend(devices),
                Err(StatusCode::BAD_REQUEST) => return Err(Box::new(too_many_preferences())),
                Err(status) => {
                    missing.get_or_insert(status);
                }
            }
        }
        match missing {
            Some(status) if places.is_empty() => Err(Box::new(Reply::new(status))),
            _ => Ok(places),
        }
    }

    /// A target as it stands or, of a trunk that we register with, by what its registrations give, each to be tried after the
    /// one before; none if nothing is registered, and the trunk is not called then.
    fn by_registration(self, target: &policy::Target, number: u16) -> Vec<Place> {
        let trunk = target.trunk.as_ref().and_then(|name| self.snapshot.config().trunks.get(name));
        let Some(register) = trunk.and_then(|trunk| trunk.register.as_ref()) else {
            return vec![Place::plain(target.clone(), number)];
        };
        let standing = target.trunk.as_ref().and_then(|name| self.standings.get(name));
        let ways = standing.iter().flat_map(|standing| standing.ways(self.now));
        let place = |(number, way): (u16, &FlowStanding)| {
            let mut place = Place {
                routes: way.service_route.clone(),
                flow: way.flow,
                ..Place::plain(target.clone(), number)
            };
            if let Some(first) = &way.first_hop {
                place.target.next_hop = first.clone();
            }
            place
        };
        let places: Vec<Place> = (number..=u16::MAX).zip(ways).map(place).collect();
        match (places.is_empty(), register.unregistered) {
            (true, Unregistered::Call) => vec![Place::plain(target.clone(), number)],
            _ => places,
        }
    }

    /// The devices of the user that a target names, as groups and branches from `number` on.
    fn devices(
        self,
        target: &policy::Target,
        number: u16,
        request: (&Method, &Headers),
        trail: &mut Trail,
    ) -> Result<Vec<Place>, StatusCode> {
        let uri = &target.request_uri;
        let account = |aor: &Aor| self.snapshot.registrars.account(aor);
        let known = || Aor::of(uri).is_some_and(|aor| account(&aor).is_some());
        // A temporary GRUU has no user that anybody knows.
        let temporary = uri.param("gr") == Some(None);
        if !temporary && !known() {
            return Err(StatusCode::NOT_FOUND);
        }
        let Resolved::Bindings(mut found) = self.directory.resolve(self.now, uri, self.keys) else {
            return Err(StatusCode::NOT_FOUND);
        };
        found.retain(|device| {
            let binding = device.binding();
            let why = match leads_back(device.aor(), binding) {
                true => Some("it leads back to whom it is bound to"),
                false => self
                    .is_elsewhere(binding)
                    .then_some("it is at a trunk, and was not registered from there"),
            };
            if let Some(why) = why {
                trail.push(Step::PassedOver { contact: binding.uri.to_bytestring(), why });
            }
            why.is_none()
        });
        let Some(account) = found.first().and_then(|first| account(first.aor())) else {
            return Ok(Vec::new());
        };
        let choice = Choice::of(account, request, &found, trail).map_err(|_| StatusCode::BAD_REQUEST)?;
        let (mut places, mut group, mut branch) = (Vec::with_capacity(found.len()), number, number);
        for (nth, devices) in choice.groups.iter().enumerate() {
            let is_last = nth + 1 == choice.groups.len();
            let most = target.profile.ring_limit;
            let ring_limit = if is_last { most } else { account.ring_turn.min(most) };
            for device in devices {
                for binding in device
                    .bindings()
                    .filter(|binding| !leads_back(device.aor(), binding) && !self.is_elsewhere(binding))
                {
                    places.extend(self.ways(target, binding).map(|(target, flow)| Place {
                        target,
                        routes: binding.path.clone(),
                        flow,
                        user: Some(device.aor().clone()),
                        redirected: None,
                        group,
                        branch,
                        ring_limit,
                    }));
                }
                branch = branch.saturating_add(1);
            }
            group = group.saturating_add(1);
        }
        Ok(places)
    }

    /// Whether a contact would take calls past all routes.
    fn is_elsewhere(self, binding: &Binding) -> bool {
        binding.path.is_empty() && self.snapshot.policy.leads_to_trunk(&binding.uri, binding.flow.peer.ip())
    }

    /// The ways that a binding shows to its device: along its Path; else the flow that it registered on, where that is there
    /// to be used; then its contact, unless a NAT is before it, its flow is the only way that it wants (RFC 5626 §5.3) or that
    /// it has (RFC 7118 §5).
    fn ways(
        self,
        target: &policy::Target,
        binding: &Binding,
    ) -> impl Iterator<Item = (policy::Target, Option<Flow>)> {
        let listener = self.settings.listener(binding.flow.listener);
        let is_stream = listener.is_some_and(|listener| listener.transport.is_reliable());
        let lasts = !is_stream || binding.flow.connection.is_some();
        let is_websocket = listener.is_some_and(|listener| listener.transport.is_websocket());
        let by_path = !binding.path.is_empty();
        let flow_only = binding.reg_id.is_some() || is_websocket;
        let by_flow =
            !by_path && lasts && (flow_only || binding.behind_nat || binding.flow.connection.is_some());
        // What is taken for a NAT may be a host with several addresses: its Contact is tried where its flow is gone.
        let by_contact = by_path || (!flow_only && (!binding.behind_nat || !lasts));
        let flows = [by_flow.then_some(Some(binding.flow)), by_contact.then_some(None)];
        flows.into_iter().flatten().map(|flow| {
            let (request_uri, next_hop) = (binding.uri.clone(), binding.uri.clone());
            (policy::Target { request_uri, next_hop, ..target.clone() }, flow)
        })
    }
}

/// Whether a contact is the address-of-record that it is bound to, but for its header fields, which go into no Request-URI: to
/// call it would be to call that again.
fn leads_back(aor: &Aor, binding: &Binding) -> bool {
    Aor::of(&binding.uri).as_ref() == Some(aor)
}

/// The number of the group and branch after those places: above both, so that neither is used twice.
fn following(places: &[Place]) -> u16 {
    places.last().map_or(1, |last| last.group.max(last.branch).saturating_add(1))
}

/// 400 for more preferences than are looked at (RFC 3841 §11).
fn too_many_preferences() -> Reply {
    let mut reply = Reply::new(StatusCode::BAD_REQUEST);
    reply.reason = "Too Many Caller Preferences".into();
    reply
}
