//! A REFER that crosses: the other leg sends one of its own, and what it is told comes back as NOTIFYs of the leg that was asked.
//! Two subscriptions, each with the identifiers of its own dialog.

use super::elsewhere::Standing;
use super::who::{Permit, Referrer, Who};
use crate::call::across::Across;
use crate::call::body::Taken;
use crate::call::{CallKey, LegNo, OrRefuse, State, decide};
use crate::shard::Core;
use bytestring::ByteString;
use policy::On;
use sip::session::{OutgoingId, Refer, ReferId, Reply, RequestId};
use sip::time::Now;
use sip::{Failure, NetworkId, Received};
use sip_types::header::Replaces;
use sip_types::{HeaderName, Method, Response, StatusCode};
use std::fmt::Write;
use std::time::Duration;

/// How long the sender is told of what has become of it, unless it prolongs that.
const LIFETIME: Duration = Duration::from_secs(240);

/// A REFER that has crossed.
pub(in crate::call) struct CarriedRefer {
    from: LegNo,
    to: LegNo,
    sent: OutgoingId,
    /// The REFER, until it is answered.
    id: Option<RequestId>,
    /// Its subscription, once it is accepted.
    told: Option<ReferId>,
    /// Whether its sender wants none.
    silent: bool,
    /// That who is referred may take a place, unless it does not want to be.
    permit: Option<Permit>,
    /// What was told before it was accepted.
    early: Option<(StatusCode, ByteString, bool)>,
}

impl Core {
    /// Takes a REFER across.
    ///
    /// # Errors
    /// The response that refuses it.
    pub(super) fn carry_refer(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        id: RequestId,
        (refer, request): (&Refer, &Received),
        elsewhere: Option<Standing>,
    ) -> OrRefuse<()> {
        let refuse = |status| Box::new(Reply::new(status));
        let call = self.calls.get(key).ok_or_else(|| refuse(StatusCode::SERVER_INTERNAL_ERROR))?;
        let under_way = call.transfers.as_ref().map_or(0, |transfers| transfers.carried.len());
        if under_way >= self.snapshot.config().limits.pending_requests {
            self.counters.transfers_over_limit += 1;
            return Err(Box::new(self.overload_reply()));
        }
        let other = call.other(leg).filter(|_| call.state == State::Established);
        let other = other.ok_or_else(|| refuse(StatusCode::REQUEST_PENDING))?;
        let (Some(from), Some(to)) = (call.leg(leg), call.leg(other)) else {
            return Err(refuse(StatusCode::SERVER_INTERNAL_ERROR));
        };
        if request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            return Err(refuse(StatusCode::TOO_MANY_HOPS));
        }
        let crossing = decide::crossing(call, from, to);
        let rules = decide::rules(&crossing, call.media.mode(), true);
        let body = Taken::carried(request.headers(), request.request.body(), &rules);
        let mut parts = decide::parts(request.headers(), On::Request(&Method::Refer), &crossing, None);
        parts.body = body.map_err(|refused| Box::new(decide::body_reply(refused)))?;
        parts.fields.remove(HeaderName::ReferTo);
        let (here, there) = (from.network, to.network);
        let referrer = self.who_of(key, leg).map(|who| Referrer { who, flow: request.flow });
        let own = referrer.as_ref().zip(refer.replaces.as_ref());
        let own = own.and_then(|(referrer, replaces)| self.own_dialog_of(replaces, referrer));
        let own = own.map(|(named, no)| (self.shard_no(), named, no));
        let of = elsewhere.as_ref().map(|standing| standing.of).or(own);
        let far = elsewhere.map(|standing| standing.replaces);
        let far = far.or_else(|| own.and_then(|(_, named, no)| self.far_dialog(named, no)));
        let target = self.target_there(refer, (here, there), far);
        parts.fields.push(HeaderName::ReferTo, target);
        let hops = request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1));
        let session = to.session;
        self.name_leg(now, key, other, Some(request.headers()));
        let sent =
            self.endpoint.refer(now, session, hops, parts).map_err(|_| Box::new(self.overload_reply()))?;
        self.counters.refers_carried += 1;
        // Who is referred to a dialog of its sender may take that one's place. It may do so before we have its response: what is
        // permitted now is taken back if it refuses.
        let who = self.who_of(key, other).filter(Who::is_known);
        let permit = of.zip(who).map(|((shard, call, leg), who)| Permit { shard, call, leg, who });
        permit.clone().into_iter().for_each(|permit| self.permit(permit, true));
        let Some(call) = self.calls.get_mut(key) else { return Ok(()) };
        call.transfers.get_or_insert_default().carried.push(CarriedRefer {
            from: leg,
            to: other,
            sent,
            id: Some(id),
            told: None,
            silent: refer.silent,
            permit,
            early: None,
        });
        Ok(())
    }

    /// Refer-To as it is on the other side: an address of ours becomes the one that we have there, a dialog of the sender's with us
    /// that which stands behind it; all else stays as it is, byte for byte.
    fn target_there(
        &self,
        refer: &Refer,
        (here, there): (NetworkId, NetworkId),
        far: Option<Replaces>,
    ) -> String {
        let mut text = refer.to.to_string();
        let settings = self.endpoint.settings();
        let ours = |network| settings.listeners.iter().filter(move |listener| listener.network == network);
        let uri = refer.to.uri().as_str();
        let host = refer.to.uri().host().map(|host| match refer.to.uri().port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        });
        if let Some(host) = host {
            let is_ours =
                ours(here).any(|l| *l.sent_by == *host || l.sent_by.split(':').next() == Some(&*host));
            let own = ours(there).next().filter(|_| is_ours && here != there);
            if let Some(own) = own {
                let (user, rest) = uri.split_once('@').map_or(("", uri), |(user, rest)| (user, rest));
                let at = if user.is_empty() { "" } else { "@" };
                let mapped = format!("{user}{at}{}", rest.replacen(&host, &own.sent_by, 1));
                text = text.replacen(uri, &mapped, 1);
            }
        }
        let (Some(replaces), Some(far)) = (&refer.replaces, far) else { return text };
        let Some((before, rest)) = text.split_once('?') else { return text };
        let (headers, after) = rest.split_at(rest.find('>').unwrap_or(rest.len()));
        let mapped = headers.split('&').map(|header| match header.split_once('=') {
            Some((name, _)) if name.eq_ignore_ascii_case("Replaces") => {
                let early = if replaces.early_only() { ";early-only" } else { "" };
                format!("{name}={}", escape(&format!("{far}{early}")))
            }
            _ => header.to_owned(),
        });
        format!("{before}?{}{after}", mapped.collect::<Vec<_>>().join("&"))
    }

    /// The leg that the Replaces of a REFER names, if it is its sender's own: nobody gives away another one's place, nor hears of
    /// another one's dialogs.
    pub(super) fn own_dialog_of(&self, replaces: &Replaces, referrer: &Referrer) -> Option<(CallKey, LegNo)> {
        let tags = (replaces.local_tag(), replaces.remote_tag());
        let (key, no, _) = self.dialog_of(replaces.call_id(), tags)?;
        self.is_referrer(key, no, referrer).then_some((key, no))
    }

    /// The dialog of a leg's partner as its peer has to be told of it.
    fn far_dialog(&self, key: CallKey, no: LegNo) -> Option<Replaces> {
        let (_, (call_id, theirs, ours)) = self.other_end(key, no)?;
        Replaces::new(&call_id, &theirs, &ours).ok()
    }

    /// The end of a request of ours, if it was a REFER that has crossed.
    pub(crate) fn refer_over(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        sent: OutgoingId,
        outcome: &Result<Response, Failure>,
    ) -> bool {
        let Some(call) = self.calls.get_mut(key) else { return false };
        let Some(transfers) = call.transfers.as_mut() else { return false };
        let carried = &mut transfers.carried;
        let Some(at) = carried.iter().position(|c| c.to == leg && c.sent == sent && c.id.is_some()) else {
            return false;
        };
        let Some(refer) = carried.get_mut(at) else { return false };
        // Whatever comes of it, its name is not asked for twice.
        let (from, id, silent, early) = (refer.from, refer.id.take(), refer.silent, refer.early.take());
        let permit = refer.permit.take().filter(|_| outcome.is_err());
        let Some(id) = id else { return false };
        let session = call.leg(from).map(|leg| leg.session);
        permit.into_iter().for_each(|permit| self.permit(permit, false));
        let Some(session) = session else { return true };
        match outcome {
            Ok(_) => {
                let lifetime = (!silent).then_some(LIFETIME);
                let told = self.endpoint.accept_refer(now, session, id, lifetime).ok().flatten();
                let transfers = self.calls.get_mut(key).and_then(|call| call.transfers.as_mut());
                let carried = transfers.map(|transfers| &mut transfers.carried);
                match (carried, told) {
                    (Some(carried), Some(told)) => {
                        carried.get_mut(at).into_iter().for_each(|refer| refer.told = Some(told));
                    }
                    // Its sender is told nothing of it.
                    (Some(carried), None) => carried.retain(|c| c.to != leg || c.sent != sent),
                    (None, _) => {}
                }
                if let Some((status, reason, last)) = early {
                    self.on_refer_notified(now, key, leg, sent, (status, &reason, last));
                }
            }
            Err(why) => {
                if let Some(transfers) = self.calls.get_mut(key).and_then(|call| call.transfers.as_mut()) {
                    transfers.carried.swap_remove(at);
                }
                let reply = self.refer_failed(key, (leg, from), why);
                let _ = self.endpoint.respond(now, session, id, &reply);
            }
        }
        true
    }

    fn refer_failed(&self, key: CallKey, (from, to): (LegNo, LegNo), why: &Failure) -> Reply {
        let legs = self.calls.get(key).and_then(|call| Some((call, call.leg(from)?, call.leg(to)?)));
        let Some((call, from, to)) = legs else { return Reply::new(StatusCode::SERVER_INTERNAL_ERROR) };
        let across = Across { crossing: decide::crossing(call, from, to), mode: call.media.mode() };
        across.failed(&Method::Refer, why, || self.overload_reply())
    }

    /// The other leg is told what has come of a REFER that has crossed: so is its sender.
    pub(crate) fn on_refer_notified(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        sent: OutgoingId,
        (status, reason, last): (StatusCode, &str, bool),
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(carried) = call.transfers.as_mut().map(|transfers| &mut transfers.carried) else { return };
        let Some(at) = carried.iter().position(|c| c.to == leg && c.sent == sent) else { return };
        let Some(refer) = carried.get_mut(at) else { return };
        if refer.id.is_some() {
            refer.early = Some((status, reason.into(), last));
            return;
        }
        let (from, told) = (refer.from, refer.told);
        if last {
            carried.swap_remove(at);
        }
        let Some(session) = call.leg(from).map(|leg| leg.session) else { return };
        if let Some(told) = told {
            let _ = self.endpoint.tell_referrer(now, session, told, (status, reason.into()), last);
        }
    }
}

/// A header value as it stands in a URI (RFC 3261 §19.1.1): all that has a meaning there escaped.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&b) => out.push(char::from(b)),
            b => {
                let _ = write!(out, "%{b:02X}");
            }
        }
    }
    out
}
