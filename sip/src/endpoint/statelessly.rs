//! Refusals that nothing is kept for.

use super::Endpoint;
use crate::action::{Action, Sender, Transmit, TransmitId};
use crate::flow::{Destination, Flow};
use crate::ids::Tag;
use crate::reply;
use crate::session::Reply;
use crate::time::Now;
use sip_types::header::Via;
use sip_types::{HeaderName, Method, Request};

impl Endpoint {
    /// Refuses a request without keeping anything of it (RFC 3261 §8.2.7). An ACK is never answered.
    pub(super) fn refuse_statelessly(
        &mut self,
        now: Now,
        flow: Flow,
        request: &Request,
        via: Option<&Via>,
        reply: &Reply,
    ) {
        let report = via.and_then(|via| self.load_report(now, &flow, via));
        let Some(listener) = self.settings.listener(flow.listener) else { return };
        if *request.method() == Method::Ack {
            return;
        }
        let to = via.map_or(Destination::Flow(flow), |via| reply::destination(via, flow, listener));
        let top = request.headers().first(HeaderName::Via).map(|field| field.value());
        let composer = reply::Composer {
            settings: &self.settings,
            listener,
            request,
            via,
            flow: &flow,
            tag: needs_tag(request).then(|| Tag::of(&*self.io.ids, self.hasher.hash_one(top))),
            dialog: false,
            report,
            secure: false,
            gruu: None,
            identifier: self.identifier_of_reply(None, request, listener),
        };
        let bytes = composer.compose(reply);
        self.counters.refusals.count(reply.status);
        self.io.push(Action::Transmit(Transmit { id: TransmitId::of(Sender::Nobody), to, bytes }));
    }
}

/// Whether To has no tag, as far as it can be read at all.
fn needs_tag(request: &Request) -> bool {
    request.headers().require::<sip_types::header::To>().is_ok_and(|to| to.tag().is_none())
}
