//! SUBSCRIBE to what is registered, from the question to the last NOTIFY (RFC 3680, RFC 6665 §4.2).

use super::serve::terms;
use super::watch::{Subscriber, Watch};
use crate::call::decide;
use crate::shard::{Core, Held};
use crate::snapshot::{PACKAGES, Protected, Snapshot};
use crate::trunk::Entry;
use sip::registration::reginfo::{CONTENT_TYPE, Names};
use sip::registration::server::{Aor, Terms};
use sip::session::{Body, Parts, Reply, RequestId, SessionId};
use sip::subscription::notifier::{EndReason, Notify};
use sip::time::Now;
use sip::{Event, Failure, Received};
use sip_types::header::{Contact, Event as Package, Expires};
use sip_types::{Fields, HeaderName, Method, Response, StatusCode};
use std::time::Duration;

/// What a subscription gets that asks for no time (RFC 3680 §4.4).
const DEFAULT_EXPIRES: Duration = Duration::from_secs(3761);

/// A SUBSCRIBE that may be.
struct Granted {
    subscriber: Subscriber,
    seconds: u32,
}

impl Granted {
    fn lifetime(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

fn refuse(status: StatusCode) -> Box<Reply> {
    Box::new(Reply::new(status))
}

impl Core {
    /// Whether a SUBSCRIBE is to what is registered here: for a domain of a registrar of ours and its package. In a network with
    /// a registrar whose profile takes none across, all are.
    pub(super) fn serves_subscription(&self, request: &Received) -> bool {
        let snapshot = &self.snapshot;
        let listener = self.endpoint.settings().listener(request.flow.listener);
        let Some(network) = listener.map(|listener| listener.network) else { return false };
        let profile = decide::profile(snapshot, network, None);
        let alone = decide::crossing_between(snapshot, (network, &profile), (network, &profile));
        if policy::goes_outside(&Method::Subscribe, &alone).is_err() {
            return snapshot.network(network).is_some_and(|network| network.registrar.is_some());
        }
        let event = request.headers().get::<Package>().ok().flatten();
        let is_ours = event.is_none_or(|event| PACKAGES.iter().any(|package| event.is(package)));
        is_ours && self.registrar_for(snapshot, request).is_ok()
    }

    /// A SUBSCRIBE outside a dialog.
    pub(super) fn on_subscribe(&mut self, now: Now, id: RequestId, request: &Received) {
        let snapshot = self.snapshot.clone();
        let admitted = self.admit_subscribe(now, &snapshot, request).and_then(|granted| {
            let held = self.enter_subscription(&snapshot, &granted.subscriber.aor)?;
            Ok((granted, held))
        });
        let (granted, held) = match admitted {
            Ok(admitted) => admitted,
            Err(reply) => {
                self.count_refusal(&reply);
                self.refused(now, &request.flow, reply.status);
                // It was asked in this very turn.
                let _ = self.endpoint.turn_away_asked(now, id, &reply);
                return;
            }
        };
        let by_flow = leads_back(&snapshot, &self.endpoint, request);
        let Ok(session) = self.endpoint.accept_subscription(now, id, by_flow, parts(granted.seconds)) else {
            // It has its answer: it can make no dialog, or there are as many sessions as may be.
            self.counters.subscribes_refused += 1;
            return;
        };
        self.counters.subscribes += 1;
        let Subscriber { aor, user, source, .. } = &granted.subscriber;
        tracing::debug!(%aor, %user, %source, seconds = granted.seconds, "a subscription begins");
        let lifetime = granted.lifetime();
        self.office.watches.enter(session, Watch::new(now, granted.subscriber, lifetime, held));
        self.advance(now, session);
    }

    /// Counts a subscription in, unless there are as many as may be.
    fn enter_subscription(&mut self, snapshot: &Snapshot, aor: &Aor) -> Result<Held, Box<Reply>> {
        let config = snapshot.config();
        let account = snapshot.registrars.account(aor);
        let registrar = account.and_then(|a| config.networks.get(&a.network)?.registrar.as_ref());
        let room = registrar.is_some_and(|registrar| self.office.watches.of(aor) < registrar.subscriptions);
        let limit = u32::try_from(config.limits.subscriptions).unwrap_or(u32::MAX);
        let held = if room { self.common.subscriptions.enter(limit) } else { None };
        held.ok_or_else(|| {
            self.counters.subscribes_over_limit += 1;
            Box::new(self.overload_reply())
        })
    }

    fn count_refusal(&mut self, reply: &Reply) {
        match reply.status {
            StatusCode::UNAUTHORIZED => self.counters.subscribes_challenged += 1,
            // Those of a limit are counted where the limit is.
            StatusCode::SERVICE_UNAVAILABLE => {}
            _ => self.counters.subscribes_refused += 1,
        }
    }

    /// Whether a SUBSCRIBE is for us, and its user may subscribe (RFC 6665 §4.2.1.1, RFC 3680 §4.6).
    fn admit_subscribe(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        request: &Received,
    ) -> Result<Granted, Box<Reply>> {
        if self.drain.is_some() {
            self.counters.subscribes_refused += 1;
            return Err(Box::new(self.overload_reply()));
        }
        let (network, registrar) = self.registrar_for(snapshot, request)?;
        let event_id = package(request)?;
        let uri = request.request.uri().map_err(|_| refuse(StatusCode::BAD_REQUEST))?;
        let of = Protected::Registrar(network.clone());
        let user = match self.at_the_gate(now, snapshot, &of, request) {
            Entry::Open(user) => user.unwrap_or_default(),
            Entry::Closed(reply) => return Err(reply),
        };
        // A GRUU names a device, and no registrations.
        let aor = Aor::of(&uri).filter(|_| !uri.has_param("gr"));
        let aor = aor.ok_or_else(|| refuse(StatusCode::NOT_FOUND))?;
        let account = snapshot.registrars.account(&aor).filter(|account| account.network == *network);
        let watches = registrar.watchers.iter().any(|watcher| **watcher == *user);
        match account {
            Some(account) if watches || account.is_of(&user) => {}
            None if watches => return Err(refuse(StatusCode::NOT_FOUND)),
            // Who may not watch everybody does not learn who there is.
            Some(_) | None => return Err(refuse(StatusCode::FORBIDDEN)),
        }
        if !takes_documents(request) {
            return Err(refuse(StatusCode::NOT_ACCEPTABLE));
        }
        let terms = terms(registrar, DEFAULT_EXPIRES, registrar.max_expires);
        let seconds = lifetime(&terms, request)?;
        let source = request.flow.peer;
        Ok(Granted { subscriber: Subscriber { aor, user, event_id, source }, seconds })
    }

    /// What happens in the dialog of a subscription; all other events are given back.
    pub(crate) fn subscription_event(&mut self, now: Now, event: Event) -> Option<Event> {
        match event {
            Event::Requested { session, id, request, .. } if self.office.watches.contains(session) => {
                self.on_resubscribe(now, session, id, &request);
            }
            Event::Responded { session, outcome, .. } if self.office.watches.contains(session) => {
                self.on_notified(now, session, &outcome);
            }
            other => return Some(other),
        }
        None
    }

    /// A SUBSCRIBE in the dialog of a subscription: it is refreshed, or ended with a last NOTIFY.
    fn on_resubscribe(&mut self, now: Now, session: SessionId, id: RequestId, request: &Received) {
        let snapshot = self.snapshot.clone();
        let reply = match self.admit_resubscribe(now, &snapshot, session, request) {
            Ok(seconds) => {
                let lifetime = Duration::from_secs(seconds.into());
                let source = request.flow.peer;
                self.counters.subscribes += 1;
                self.office.watches.with(session, |watch| watch.refresh(now, source, lifetime));
                Reply { parts: parts(seconds), ..Reply::new(StatusCode::OK) }
            }
            Err(reply) => {
                self.count_refusal(&reply);
                *reply
            }
        };
        let _ = self.endpoint.answer_subscriber(now, session, id, &reply);
        self.advance(now, session);
    }

    fn admit_resubscribe(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        session: SessionId,
        request: &Received,
    ) -> Result<u32, Box<Reply>> {
        let gone = || refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let watch = self.office.watches.get(session).filter(|watch| watch.stands()).ok_or_else(gone)?;
        let Subscriber { aor, user, event_id, .. } = watch.subscriber.clone();
        let account = snapshot.registrars.account(&aor).ok_or_else(gone)?;
        let registrar = snapshot.config().networks.get(&account.network).and_then(|n| n.registrar.as_ref());
        let registrar = registrar.ok_or_else(gone)?;
        if package(request)? != event_id {
            // A dialog has one subscription (RFC 6665 §4.5.2).
            return Err(refuse(StatusCode::FORBIDDEN));
        }
        let of = Protected::Registrar(account.network.clone());
        match self.at_the_gate(now, snapshot, &of, request) {
            Entry::Open(same) if same.as_deref().unwrap_or_default() == &*user => {}
            Entry::Open(_) => return Err(refuse(StatusCode::FORBIDDEN)),
            Entry::Closed(reply) => return Err(reply),
        }
        lifetime(&terms(registrar, DEFAULT_EXPIRES, registrar.max_expires), request)
    }

    /// What became of a NOTIFY.
    fn on_notified(&mut self, now: Now, session: SessionId, outcome: &Result<Response, Failure>) {
        if let Err(why) = outcome {
            self.counters.notifies_failed += 1;
            if let Some(watch) = self.office.watches.get(session) {
                let Subscriber { aor, user, source, .. } = &watch.subscriber;
                tracing::debug!(%aor, %user, %source, ?why, "a NOTIFY failed");
            }
        }
        self.office.watches.with(session, |watch| watch.notified(outcome));
        self.advance(now, session);
    }

    /// Sends what a subscription has to tell now, and lets it go once it is over.
    pub(super) fn advance(&mut self, now: Now, session: SessionId) {
        while let Some(Some(notify)) = self.office.watches.with(session, |watch| watch.poll(now)) {
            let sent = self
                .notification(now, session, &notify)
                .is_some_and(|parts| self.endpoint.request(now, session, Method::Notify, 70, parts).is_ok());
            if sent {
                self.counters.notifies += 1;
            } else {
                self.counters.notifies_failed += 1;
                self.office.watches.with(session, |watch| watch.notified(&Err(Failure::Full)));
            }
        }
        let Some(watch) = self.office.watches.get(session).filter(|watch| watch.is_over()) else { return };
        let Subscriber { aor, user, .. } = &watch.subscriber;
        tracing::debug!(%aor, %user, "a subscription is over");
        self.office.watches.leave(session);
        self.endpoint.end_subscription(now, session);
    }

    /// The header fields and the document of a NOTIFY.
    fn notification(&mut self, now: Now, session: SessionId, notify: &Notify) -> Option<Parts> {
        let Subscriber { aor, user, event_id, .. } = &self.office.watches.get(session)?.subscriber;
        let mut fields = Fields::default();
        match event_id {
            Some(id) => fields.push(HeaderName::Event, format!("reg;id={id}")),
            None => fields.push(HeaderName::Event, "reg"),
        }
        fields.push(HeaderName::SubscriptionState, notify.state.clone());
        let account = self.snapshot.registrars.account(aor);
        let registrar =
            account.and_then(|a| self.snapshot.config().networks.get(&a.network)?.registrar.as_ref());
        // RFC 5628 §5: temporary GRUUs are for those who may register.
        let names = match (registrar.is_some_and(|r| r.gruu), account.is_some_and(|a| a.is_of(user))) {
            (false, _) => Names::Nothing,
            (true, false) => Names::Public(&self.common.gruu),
            (true, true) => Names::All(&self.common.gruu),
        };
        let record = self.common.directory.record(aor);
        let ids = &mut *self.ids;
        let text = self
            .office
            .watches
            .with(session, |watch| watch.document(now, notify, record.as_deref(), names, ids))?;
        let mut body = Body { bytes: text.into(), ..Body::default() };
        body.fields.push(HeaderName::ContentType, CONTENT_TYPE);
        Some(Parts { fields, body: Some(body), ..Parts::default() })
    }

    /// Hears subscriptions whose time has come.
    pub(crate) fn subscriptions_due(&mut self, now: Now) {
        for session in self.office.watches.due(now) {
            self.advance(now, session);
        }
    }

    /// Ends subscriptions; their subscribers are told why.
    pub(crate) fn end_subscriptions(&mut self, now: Now, why: EndReason, which: impl Fn(&Watch) -> bool) {
        for session in self.office.watches.which(which) {
            self.office.watches.with(session, |watch| watch.end(now, why));
            self.advance(now, session);
        }
    }

    /// Another configuration is in force: who is not known any more is not told any more.
    pub(crate) fn review_subscriptions(&mut self, now: Now) {
        let snapshot = self.snapshot.clone();
        let account = |watch: &Watch| snapshot.registrars.account(&watch.subscriber.aor);
        self.end_subscriptions(now, EndReason::Noresource, |watch| account(watch).is_none());
        self.end_subscriptions(now, EndReason::Rejected, |watch| {
            let user = &watch.subscriber.user;
            account(watch).is_some_and(|account| {
                let registrar = snapshot.config().networks.get(&account.network);
                let registrar = registrar.and_then(|network| network.registrar.as_ref());
                let watches = registrar.is_some_and(|r| r.watchers.iter().any(|w| **w == **user));
                !account.is_of(user) && !watches
            })
        });
    }
}

/// The header fields of a 200.
fn parts(seconds: u32) -> Parts {
    let mut parts = Parts::default();
    parts.fields.push(HeaderName::Expires, seconds.to_string());
    parts.fields.push(HeaderName::AllowEvents, PACKAGES.join(", "));
    parts
}

/// The `id` of Event, where its package is ours; else 489 (RFC 6665 §4.2.1.1, §4.2.3).
fn package(request: &Received) -> Result<Option<Box<str>>, Box<Reply>> {
    let event = request.headers().get::<Package>().map_err(|_| refuse(StatusCode::BAD_REQUEST))?;
    match event.filter(|event| PACKAGES.iter().any(|package| event.is(package))) {
        Some(event) => Ok(event.id().map(Into::into)),
        None => {
            let mut reply = refuse(StatusCode::BAD_EVENT);
            reply.parts.fields.push(HeaderName::AllowEvents, PACKAGES.join(", "));
            Err(reply)
        }
    }
}

/// Whether the subscriber takes our documents (RFC 3680 §4.5).
fn takes_documents(request: &Received) -> bool {
    let headers = request.headers();
    !headers.contains(HeaderName::Accept) || policy::is_acceptable(headers, "application", "reginfo+xml")
}

/// How long it may be, in seconds; 423 for what is too brief. A malformed Expires asks for nothing (RFC 3261 §20.19).
fn lifetime(terms: &Terms, request: &Received) -> Result<u32, Box<Reply>> {
    let asked = request.headers().get::<Expires>().ok().flatten().map(|expires| expires.0);
    terms.grant(asked).map_err(|least| {
        let mut reply = refuse(StatusCode::INTERVAL_TOO_BRIEF);
        reply.parts.fields.push(HeaderName::MinExpires, least.to_string());
        reply
    })
}

/// Whether the Contact of a SUBSCRIBE leads back to us: a GRUU that it has from this registrar. Then the flow that it came
/// on is the way to the subscriber.
pub(crate) fn leads_back(snapshot: &Snapshot, endpoint: &sip::Endpoint, request: &Received) -> bool {
    let Ok(Some(Contact::Addr(contact))) = request.headers().first_of::<Contact>() else { return false };
    let listener = endpoint.settings().listener(request.flow.listener);
    let network = listener.and_then(|listener| snapshot.network_name(listener.network));
    network.is_some_and(|network| snapshot.registrars.serves(network, contact.uri()))
}
