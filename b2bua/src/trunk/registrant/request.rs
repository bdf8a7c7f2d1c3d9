//! The REGISTER of a trunk.

use crate::snapshot::{Snapshot, conduct};
use config::{Outbound, Register, Trunk, TrunkName};
use sip::Flow;
use sip::registration::client::{Backoff, Send, Settings};
use sip::session::{Ask, Parts, Patience};
use sip_types::{Fields, HeaderName, Method, Scheme, Uri};
use std::collections::BTreeSet;
use std::fmt::Write;

/// What is registered, and where.
pub(super) struct Plan<'a> {
    pub(super) name: &'a TrunkName,
    pub(super) snapshot: &'a Snapshot,
    pub(super) trunk: &'a Trunk,
    pub(super) register: &'a Register,
    /// Which flow it is (RFC 5626 §4.2.1), counted from 1; 0 without outbound.
    pub(super) number: u32,
}

impl<'a> Plan<'a> {
    /// That of a flow of a trunk, if it registers by that.
    pub(super) fn of(name: &'a TrunkName, number: u32, snapshot: &'a Snapshot) -> Option<Self> {
        let trunk = snapshot.config().trunks.get(name)?;
        let register = trunk.register.as_ref()?;
        numbers(trunk, register).contains(&number).then_some(Self { name, snapshot, trunk, register, number })
    }

    /// Whether another plan means the same binding: then it goes on instead of being made anew.
    pub(super) fn is_same_binding(&self, other: &Plan<'_>) -> bool {
        self.is_same_address(other.trunk, other.register)
            && self.register.contact_user(self.name) == other.register.contact_user(other.name)
            && (self.number, self.flow_of()) == (other.number, other.flow_of())
            && self.reach() == other.reach()
    }

    /// How its registrars are reached, as far as our contact says so too.
    fn reach(&self) -> BTreeSet<(bool, Option<String>)> {
        let reach = |uri: &Uri| (uri.scheme() == Scheme::Sips, uri.transport().map(str::to_ascii_lowercase));
        self.registrars().iter().map(reach).collect()
    }

    /// Whether a trunk registers the same address-of-record, in the same network.
    pub(super) fn is_same_address(&self, trunk: &Trunk, register: &Register) -> bool {
        (&self.trunk.network, &self.register.address) == (&trunk.network, &register.address)
    }

    /// Whether a configuration has the same binding, of whatever trunk.
    pub(super) fn is_kept_by(&self, snapshot: &Snapshot) -> bool {
        let names = snapshot.config().trunks.keys();
        let plans = names.filter_map(|name| Plan::of(name, self.number, snapshot));
        plans.into_iter().any(|plan| plan.is_same_binding(self))
    }

    fn outbound(&self) -> Option<&'a Outbound> {
        self.register.outbound.as_ref().filter(|_| self.number > 0)
    }

    /// Our name as an instance, where flows or GRUUs need one.
    pub(super) fn instance(&self) -> Option<&'a str> {
        let of_node = || self.snapshot.instance.as_deref();
        match self.outbound() {
            Some(outbound) => outbound.instance.as_ref().map(config::InstanceId::as_str).or_else(of_node),
            None => of_node().filter(|_| self.register.gruu),
        }
    }

    /// The number of the flow, where it is one of several.
    pub(super) fn flow(&self) -> Option<u32> {
        (self.number > 0).then_some(self.number)
    }

    /// The instance whose flow it is; without outbound the contact alone tells a binding from others.
    pub(super) fn flow_of(&self) -> Option<&'a str> {
        self.instance().filter(|_| self.number > 0)
    }

    /// The edge proxy of the flow.
    fn proxy(&self) -> Option<&'a Uri> {
        self.outbound()?.proxies.get(self.place()?)
    }

    /// What is before our REGISTERs, and calls that no Service-Route says the way of.
    pub(super) fn route(&self) -> Option<Box<str>> {
        let proxy = self.proxy()?;
        let lr = if proxy.has_param("lr") { "" } else { ";lr" };
        Some(format!("<{proxy}{lr}>").into())
    }

    /// The edge proxy, as the first hop of calls.
    pub(super) fn edge(&self) -> Option<Uri> {
        self.proxy().cloned()
    }

    fn place(&self) -> Option<usize> {
        usize::try_from(self.number).ok()?.checked_sub(1)
    }

    /// Where REGISTERs go, in order: of a flow to one place only.
    pub(super) fn registrars(&self) -> &'a [Uri] {
        let all = self.register.registrars(&self.trunk.targets);
        match (self.proxy(), self.place()) {
            (Some(proxy), _) => std::slice::from_ref(proxy),
            (None, Some(at)) => all.get(at).map(std::slice::from_ref).unwrap_or_default(),
            (None, None) => all,
        }
    }

    /// The registrar in that place, counted around.
    pub(super) fn registrar(&self, at: usize) -> Option<&'a Uri> {
        let all = self.registrars();
        all.get(at.checked_rem(all.len())?)
    }

    /// The request that sends this (RFC 3261 §10.2), by the registrar in that place, or on a flow that stands.
    pub(super) fn ask(&self, send: &Send, at: usize, flow: Option<Flow>, label: u32) -> Option<Ask> {
        let next_hop = send.target.as_ref().or_else(|| self.registrar(at))?.clone();
        let network = self.snapshot.network_id(&self.trunk.network)?;
        let profile = self.snapshot.policy.profile(&self.trunk.network, Some(self.name), None);
        let request_uri = self.request_uri(send, &next_hop)?;
        // With a SIPS Request-URI our Contact is a SIPS URI, and with that the address-of-record (RFC 5630 §5.1.1.1).
        let address: Uri = self.register.address.uri_text().parse().ok()?;
        let is_secure = request_uri.scheme() == Scheme::Sips;
        let identity: Box<str> = format!("<{}>", if is_secure { address.secured() } else { address }).into();
        let routes = self.route().filter(|_| send.target.is_none());
        Some(Ask {
            network,
            label,
            conduct: Some(conduct(&profile)),
            method: Method::Register,
            request_uri,
            next_hop,
            routes: routes.into_iter().collect(),
            flow: flow.filter(|_| send.target.is_none()),
            // What comes for a GRUU is to come by the flow that its contact was registered on (RFC 5626 §4.3).
            outbound: self.asks_for_gruu(send) && self.flow().is_some() && !is_left_out(send, OUTBOUND),
            keep: self.register.offer_keepalives,
            from: identity.clone(),
            to: identity,
            contact_user: Some(self.register.contact_user(self.name).into()),
            max_forwards: 70,
            patience: Patience { target: Some(profile.target_timeout), last_resort: true },
            everywhere: false,
            parts: Parts {
                fields: self.fields(send),
                contact_params: self.contact_params(send).into(),
                ..Parts::default()
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

    /// Whether it asks for GRUUs (RFC 5627 §4.1).
    fn asks_for_gruu(&self, send: &Send) -> bool {
        self.register.gruu && !is_left_out(send, GRUU)
    }

    /// Lifetime and flow. The instance is told without outbound too (RFC 5626 §4.2.1, RFC 5627 §4.1).
    fn contact_params(&self, send: &Send) -> String {
        let mut params = format!(";expires={}", send.expires);
        if let Some(instance) = self.instance() {
            // Writing to a String does not fail.
            let _ = write!(params, ";+sip.instance=\"<{instance}>\"");
        }
        if let Some(number) = self.flow().filter(|_| !is_left_out(send, OUTBOUND)) {
            let _ = write!(params, ";reg-id={number}");
        }
        params
    }

    /// What we ask for, and can do (RFC 3327 §5.1, RFC 5626 §4.2.1, RFC 5627 §4.1).
    fn fields(&self, send: &Send) -> Fields {
        let mut fields = Fields::default();
        fields.push(HeaderName::Expires, send.expires.to_string());
        let tags = [Some(PATH), self.outbound().map(|_| OUTBOUND), self.register.gruu.then_some(GRUU)];
        let tags: Vec<&str> = tags.into_iter().flatten().filter(|tag| !is_left_out(send, tag)).collect();
        if !tags.is_empty() {
            fields.push(HeaderName::Supported, tags.join(", "));
        }
        fields
    }

    /// What the machine is to do.
    pub(super) fn settings(&self) -> Settings {
        let backoff = self.outbound().map_or_else(Backoff::default, |outbound| Backoff {
            all_failed: outbound.wait_all_failed,
            some_left: outbound.wait_some_left,
            longest: outbound.wait_longest,
        });
        Settings { expires: self.register.expires, refused: self.register.refused_wait, backoff }
    }
}

const PATH: &str = "path";
const OUTBOUND: &str = "outbound";
const GRUU: &str = "gruu";

fn is_left_out(send: &Send, tag: &str) -> bool {
    send.without.iter().any(|without| **without == *tag)
}

/// The numbers of the flows that a trunk registers by; 0 alone without outbound.
pub(super) fn numbers(trunk: &Trunk, register: &Register) -> std::ops::RangeInclusive<u32> {
    match u32::try_from(register.flows(&trunk.targets)).unwrap_or(0) {
        0 => 0..=0,
        flows => 1..=flows,
    }
}
