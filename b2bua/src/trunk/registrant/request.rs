//! The REGISTER of a trunk.

use crate::snapshot::{Snapshot, conduct};
use config::{Register, Trunk, TrunkName};
use sip::registration::client::Send;
use sip::session::{Ask, Parts, Patience};
use sip_types::{Fields, HeaderName, Method, Scheme, Uri};

/// What is registered, and where.
pub(super) struct Plan<'a> {
    pub(super) name: &'a TrunkName,
    pub(super) snapshot: &'a Snapshot,
    pub(super) trunk: &'a Trunk,
    pub(super) register: &'a Register,
}

impl<'a> Plan<'a> {
    /// That of a trunk, if it registers.
    pub(super) fn of(name: &'a TrunkName, snapshot: &'a Snapshot) -> Option<Self> {
        let trunk = snapshot.config().trunks.get(name)?;
        Some(Self { name, snapshot, trunk, register: trunk.register.as_ref()? })
    }

    /// Whether another plan means the same binding: then it goes on instead of being made anew.
    pub(super) fn is_same_binding(&self, other: &Plan<'_>) -> bool {
        self.trunk.network == other.trunk.network
            && self.register.address == other.register.address
            && self.register.contact_user(self.name) == other.register.contact_user(other.name)
    }

    /// The registrars, in order.
    pub(super) fn registrars(&self) -> &'a [Uri] {
        match self.register.registrars.is_empty() {
            true => &self.trunk.targets,
            false => &self.register.registrars,
        }
    }

    /// The registrar in that place, counted around.
    pub(super) fn registrar(&self, at: usize) -> Option<&'a Uri> {
        let all = self.registrars();
        all.get(at.checked_rem(all.len())?)
    }

    /// The request that sends this (RFC 3261 §10.2), by the registrar in that place.
    pub(super) fn ask(&self, send: &Send, at: usize, label: u32) -> Option<Ask> {
        let next_hop = send.target.as_ref().or_else(|| self.registrar(at))?.clone();
        let network = self.snapshot.network_id(&self.trunk.network)?;
        let profile = self.snapshot.policy.profile(&self.trunk.network, Some(self.name), None);
        let request_uri = self.request_uri(send, &next_hop)?;
        // With a SIPS Request-URI our Contact is a SIPS URI, and with that the address-of-record (RFC 5630 §5.1.1.1).
        let address: Uri = self.register.address.uri_text().parse().ok()?;
        let is_secure = request_uri.scheme() == Scheme::Sips;
        let identity: Box<str> = format!("<{}>", if is_secure { address.secured() } else { address }).into();
        Some(Ask {
            network,
            label,
            conduct: Some(conduct(&profile)),
            method: Method::Register,
            request_uri,
            next_hop,
            routes: Box::default(),
            from: identity.clone(),
            to: identity,
            contact_user: Some(self.register.contact_user(self.name).into()),
            flow: None,
            max_forwards: 70,
            patience: Patience { target: Some(profile.target_timeout), last_resort: true },
            everywhere: false,
            parts: Parts {
                fields: fields(send),
                contact_params: format!(";expires={}", send.expires).into(),
                body: None,
            },
        })
    }

    /// The domain of the registrar, without a user (RFC 3261 §10.2); after a redirection what that says.
    fn request_uri(&self, send: &Send, next_hop: &Uri) -> Option<Uri> {
        if let Some(target) = &send.target {
            return Some(target.for_request_line());
        }
        let scheme = if next_hop.scheme() == Scheme::Sips { "sips" } else { "sip" };
        format!("{scheme}:{}", self.register.address.domain()).parse().ok()
    }
}

/// What we ask for, and can do.
fn fields(send: &Send) -> Fields {
    let mut fields = Fields::default();
    fields.push(HeaderName::Expires, send.expires.to_string());
    if !send.without.iter().any(|tag| &**tag == "path") {
        // RFC 3327 §5.1.
        fields.push(HeaderName::Supported, "path");
    }
    fields
}
