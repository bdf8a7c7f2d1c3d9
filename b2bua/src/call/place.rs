//! Where the legs of a call go: targets of routes as they stand, and the devices of registered users.

use super::OrRefuse;
use crate::snapshot::Snapshot;
use sip::Flow;
use sip::registration::server::{Aor, Binding, Directory, GruuKeys, Resolved};
use sip::session::Reply;
use sip::time::Now;
use sip_types::StatusCode;

/// A place to call.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) target: policy::Target,
    /// The Path to a device (RFC 3327 §5.3).
    pub(crate) routes: Box<[Box<str>]>,
    /// The flow to a device.
    pub(crate) flow: Option<Flow>,
}

impl Place {
    /// A target as it stands.
    pub(crate) fn plain(target: policy::Target) -> Self {
        Self { target, routes: Box::default(), flow: None }
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
    pub(crate) settings: &'a sip::Settings,
}

impl Finder<'_> {
    /// The places of targets, in order; of a user, the devices, the preferred first.
    ///
    /// # Errors
    /// There is none, as the first user that was looked for is not known (404), or has no device (480).
    pub(crate) fn places(self, targets: Vec<policy::Target>) -> OrRefuse<Vec<Place>> {
        let (mut places, mut missing) = (Vec::with_capacity(targets.len()), None);
        for target in targets {
            if !target.registered {
                places.push(Place::plain(target));
                continue;
            }
            match self.devices(&target) {
                Ok(devices) if devices.is_empty() => {
                    missing.get_or_insert(StatusCode::TEMPORARILY_UNAVAILABLE);
                }
                Ok(devices) => places.extend(devices),
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

    fn devices(self, target: &policy::Target) -> Result<Vec<Place>, StatusCode> {
        let uri = &target.request_uri;
        let known = || Aor::of(uri).is_some_and(|aor| self.snapshot.registrars.account(&aor).is_some());
        // A temporary GRUU has no user that anybody knows.
        let temporary = uri.param("gr") == Some(None);
        if !temporary && !known() {
            return Err(StatusCode::NOT_FOUND);
        }
        let Resolved::Bindings(found) = self.directory.resolve(self.now, uri, self.keys) else {
            return Err(StatusCode::NOT_FOUND);
        };
        Ok(found.iter().flat_map(|found| self.ways(target, found.binding())).collect())
    }

    /// The ways to a device: the flow that it registered on, where that is there to be used; then its contact, unless a
    /// NAT is before it, its flow is the only way that it wants (RFC 5626 §5.3) or that it has (RFC 7118 §5).
    fn ways(self, target: &policy::Target, binding: &Binding) -> Vec<Place> {
        let place = |flow| Place {
            target: policy::Target {
                request_uri: binding.uri.clone(),
                next_hop: binding.uri.clone(),
                ..target.clone()
            },
            routes: binding.path.clone(),
            flow,
        };
        let listener = self.settings.listener(binding.flow.listener);
        let is_stream = listener.is_some_and(|listener| listener.transport.is_reliable());
        let lasts = !is_stream || binding.flow.connection.is_some();
        let is_websocket = listener.is_some_and(|listener| listener.transport.is_websocket());
        let bound_to_flow = binding.reg_id.is_some() || binding.behind_nat || is_websocket;
        let mut ways = Vec::new();
        if lasts && (bound_to_flow || binding.flow.connection.is_some()) {
            ways.push(place(Some(binding.flow)));
        }
        if !bound_to_flow {
            ways.push(place(None));
        }
        ways
    }
}

/// Which of two failures of a user's devices the caller hears of: 6xx before all, else the lowest class, and of one class
/// the first (RFC 3261 §16.7 step 6).
pub(crate) fn better(earlier: Option<Reply>, later: Reply) -> Reply {
    let rank = |reply: &Reply| match reply.status.class() {
        6 => 0,
        class => class,
    };
    match earlier {
        Some(earlier) if rank(&earlier) <= rank(&later) => earlier,
        _ => later,
    }
}
