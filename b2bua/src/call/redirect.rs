//! Redirections of the called side (RFC 3261 §8.1.3.4).

use super::{Call, LegNo, Place};
use config::Redirects;
use policy::Redirected;
use sip::preferences::Disposition;
use sip_types::header::{Contact, NameAddr, TargetParam};
use sip_types::{Response, Scheme, StatusCode, Uri};
use std::cmp::Reverse;

impl Call {
    /// Puts where a redirection points to in front of what is left, in the order of its q-values, if the leg's profile says
    /// so and the caller does not ask for the redirection itself (RFC 3841 §9.1). Of a device these are other ways to it;
    /// of a target of a route, other targets, without a trunk, and so without credentials.
    ///
    /// Answers whether there is such a place: then the redirection itself is no answer to the caller (RFC 3261 §16.7 step 4).
    pub(super) fn follow(&mut self, no: LegNo, response: &Response) -> bool {
        let Some(leg) = self.leg(no).filter(|_| response.status().is_redirection()) else { return false };
        let no_recurse = self.invite.as_ref().is_some_and(|i| Disposition::of(i.headers()).no_recurse);
        if leg.profile.redirects != Redirects::Follow || no_recurse {
            return false;
        }
        let Some(network) = self.snapshot.network_name(leg.network).cloned() else { return false };
        let (profile, branch, device) = (leg.profile.clone(), leg.branch, leg.device);
        let group = self.fork.group();
        // Histories tell of the legs that are dialled for the same, and count those.
        let from = usize::from(no.0).checked_sub(self.before() + 1).and_then(|from| u8::try_from(from).ok());
        // RFC 3261 §21.3.4: who is called stays the same, and is reached by way of a proxy.
        let proxied = (response.status() == StatusCode::USE_PROXY).then(|| leg.target.parse().ok()).flatten();
        let places = self.contacts(response).into_iter().zip(1..).map(|((uri, param), nth)| {
            let target = policy::Target {
                trunk: None,
                network: network.clone(),
                profile: profile.clone(),
                request_uri: proxied.clone().unwrap_or_else(|| uri.clone()),
                next_hop: uri,
                registered: device,
            };
            let status = response.status();
            let redirected = from.map(|from| Redirected { from, status, param });
            match device {
                true => Place { group, branch, redirected, ..Place::plain(target, group) },
                // Nothing else is left, so that any other numbers will do.
                false => Place { redirected, ..Place::plain(target, group.wrapping_add(nth)) },
            }
        });
        let places: Vec<_> = places.collect();
        let any = !places.is_empty();
        if any && !device {
            self.fork.clear();
        }
        self.fork.put_first(places.into_iter());
        any
    }

    /// The URIs of a redirection that may be called, the preferred first, each with how it says that it was found. None is tried
    /// twice, or redirections go in circles.
    fn contacts(&self, response: &Response) -> Vec<(Uri, Option<TargetParam>)> {
        let mut contacts = response.headers().list::<Contact>().unwrap_or_default();
        contacts.sort_by_key(|contact| Reverse(contact.q()));
        let most = self.snapshot.config().limits.targets;
        let mut known: Vec<Uri> = self.callees.iter().filter_map(|leg| leg.target.parse().ok()).collect();
        let mut found = Vec::new();
        for address in contacts.iter().take(most).filter_map(Contact::address) {
            // RFC 5630 §5.3: SIPS is not given up for a redirection.
            let is_secured = !self.facts.secure || address.uri().scheme() == Scheme::Sips;
            if is_secured && makes_an_invite(address.uri()) && !known.contains(address.uri()) {
                known.push(address.uri().clone());
                found.push((address.uri().clone(), param_of(address)));
            }
        }
        found
    }
}

/// How a Contact of a redirection was found (RFC 7044 §10.4).
fn param_of(address: &NameAddr) -> Option<TargetParam> {
    [TargetParam::Mp, TargetParam::Rc].into_iter().find(|kind| address.param(kind.name()).is_some())
}

/// Whether an INVITE may be formed from a URI (RFC 3261 §19.1.5): it asks for no other method, and for no extension that
/// we would have to insist on. Other header fields in it are not honoured.
fn makes_an_invite(uri: &Uri) -> bool {
    let method = uri.param("method").flatten().is_none_or(|method| method == "INVITE");
    method && !uri.headers().any(|(name, _)| name.eq_ignore_ascii_case("Require"))
}
