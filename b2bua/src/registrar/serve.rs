//! REGISTER, from the question to its answer (RFC 3261 §10.3).

use super::credentials::{self, Asker};
use super::ending::Ends;
use super::flows::{self, Flows};
use super::keeping::{self, NEWS, flow_row};
use super::watches::Watches;
use super::{Desk, Keeper, Keeping, News, Outcome, Rules, Served};
use crate::shard::Core;
use crate::snapshot::{Protected, Snapshot};
use crate::trunk::Entry;
use config::{NetworkName, PathOf, RequireOutbound};
use sip::registration::server::{
    self, Aor, Binding, Change, ContactEvent, Demand, Limits, Refusal, Registrar, Terms,
};
use sip::session::{Reply, RequestId};
use sip::time::{Mono, Now};
use sip::{ConnectionId, Received};
use sip_types::{Method, StatusCode};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The registrar of a shard.
pub(crate) struct Office {
    pub(crate) watches: Watches,
    pub(super) desk: Desk<Asker>,
    pub(super) keeper: Option<Box<dyn Keeper>>,
    pub(super) ends: Ends,
    news: mpsc::Receiver<News>,
    pub(super) flows: Flows,
}

impl Office {
    /// With what was kept.
    pub(crate) fn new(
        keeping: Keeping,
        directory: Arc<server::Directory>,
        settings: &sip::Settings,
        snapshot: &Snapshot,
        hasher: &ahash::RandomState,
    ) -> Self {
        // The accounts of the configuration are the bound.
        let limits = Limits { aors: usize::MAX, ..Limits::default() };
        let mut registrar = Registrar::new(limits, directory);
        let (bound, over) = keeping::restore(&mut registrar, keeping.now, keeping.rows, settings, snapshot);
        let mut flows = Flows::default();
        flows::restore(&mut flows, keeping.now, &bound, registrar.directory(), settings, snapshot);
        let desk = Desk::new(registrar, hasher);
        let watches = Watches::new(hasher);
        let ends = Ends::default();
        let mut office = Self { watches, desk, keeper: keeping.keeper, ends, news: keeping.news, flows };
        for aor in over {
            office.forget_row(&aor);
        }
        office
    }

    /// Addresses-of-record with bindings, bindings, and REGISTERs that wait.
    pub(crate) fn held(&self) -> (usize, usize, usize) {
        let registrar = self.desk.read();
        (registrar.len(), registrar.bindings(), self.desk.waiting())
    }

    /// When the next binding ends or is to be kept open, or a subscription wants to be heard.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        let due = [self.desk.read().poll_timeout(), self.watches.poll_timeout(), self.flows.next()];
        due.into_iter().flatten().min()
    }

    /// Whether bindings of an address-of-record are being kept at this moment.
    pub(super) fn is_busy(&self, aor: &Aor) -> bool {
        self.desk.is_busy(aor)
    }

    /// Ends bindings: [`ContactEvent::Deactivated`] those that their user agents may make again.
    pub(super) fn end(
        &mut self,
        aor: &Aor,
        event: ContactEvent,
        meant: impl Fn(&Binding) -> bool,
    ) -> Option<Change> {
        self.desk.registrar().end(aor, event, meant)
    }

    /// How long a connection may be silent by what those who are reached on it have promised.
    pub(crate) fn silence(&self, id: ConnectionId) -> Option<Duration> {
        self.flows.silence(id)
    }

    /// Addresses-of-record with bindings.
    pub(super) fn aors(&self) -> impl Iterator<Item = &Aor> {
        self.desk.read().aors()
    }
}

/// A REGISTER that is for us and may be served.
struct Admitted {
    demand: Demand,
    rules: Rules,
    /// Whose credentials for the TURN server go with the answer.
    relays_as: Option<Box<str>>,
}

/// What lasts how long at a registrar: `default` where nothing is asked for, `most` at most.
pub(super) fn terms(registrar: &config::Registrar, default: Duration, most: Duration) -> Terms {
    Terms {
        default_expires: default.min(most),
        min_expires: registrar.min_expires.min(most),
        max_expires: most,
        bindings: registrar.contacts,
    }
}

impl Core {
    /// A request outside a dialog.
    pub(crate) fn on_asked(&mut self, now: Now, id: RequestId, request: &Received) {
        match request.method() {
            Method::Register => self.on_register(now, id, request),
            Method::Subscribe if self.serves_subscription(request) => self.on_subscribe(now, id, request),
            _ => self.on_outside(now, id, request),
        }
    }

    fn on_register(&mut self, now: Now, id: RequestId, request: &Received) {
        let snapshot = self.snapshot.clone();
        match self.admit_register(now, &snapshot, request) {
            Ok(Admitted { demand, rules, relays_as }) => {
                let outcome = self.at_desk(now, &snapshot, Asker { id, relays_as }, demand, rules);
                self.follow_up(now, vec![outcome]);
            }
            Err(reply) => {
                self.refused(now, &request.flow, reply.status);
                match reply.status {
                    StatusCode::UNAUTHORIZED => self.counters.registers_challenged += 1,
                    _ => self.counters.registers_refused += 1,
                }
                // It was asked in this very turn.
                let _ = self.endpoint.turn_away_asked(now, id, &reply);
            }
        }
    }

    /// Whether a REGISTER is for us, and its user may do what it asks (steps 1 to 5).
    fn admit_register(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        request: &Received,
    ) -> Result<Admitted, Box<Reply>> {
        let not_found = || Box::new(Reply::new(StatusCode::NOT_FOUND));
        let (name, registrar) = self.registrar_for(snapshot, request)?;
        let of = Protected::Registrar(name.clone());
        let user = match self.at_the_gate(now, snapshot, &of, request) {
            Entry::Open(user) => user.unwrap_or_default(),
            Entry::Closed(reply) => return Err(reply),
        };
        let listener = self.endpoint.settings().listener(request.flow.listener).ok_or_else(not_found)?;
        let behind_nat = listener.is_behind_nat(request);
        let demand = Demand::read(request, behind_nat).map_err(|refusal| Box::new(refusal.reply()))?;
        if !snapshot.registrars.serves(name, request.to.uri()) {
            return Err(not_found());
        }
        // An address that nobody has is another's too: who has proved to be somebody does not learn by it who else there is.
        let account = snapshot.registrars.account(&demand.aor).filter(|account| account.network == *name);
        if !account.is_some_and(|account| account.is_of(&user)) {
            return Err(Box::new(Reply::new(StatusCode::FORBIDDEN)));
        }
        let source = request.flow.peer.ip();
        if demand.path.is_empty() && demand.bound().any(|uri| snapshot.policy.leads_to_trunk(uri, source)) {
            return Err(Box::new(Refusal::ContactForbidden("Contact Is at a Trunk").reply()));
        }
        if registrar.path == PathOf::Supporting {
            demand.require_path_support().map_err(|refusal| Box::new(refusal.reply()))?;
        }
        let is_websocket = listener.transport.is_websocket();
        let only_outbound = match registrar.require_outbound {
            RequireOutbound::None => false,
            RequireOutbound::WebSocket => is_websocket,
            RequireOutbound::All => true,
        };
        if only_outbound {
            demand.require_outbound(registrar.gruu).map_err(|refusal| Box::new(refusal.reply()))?;
        }
        // Without outbound and a connection, nothing but its REGISTERs keeps the way through a NAT open. A WebSocket has its
        // own ways (RFC 6455 §5.5.2).
        let shortened = behind_nat && !demand.outbound && !is_websocket;
        let most = match shortened {
            true => registrar.nat_expires,
            false => registrar.max_expires,
        };
        let terms = terms(registrar, registrar.expires, most);
        let relays_as = credentials::are_due(registrar, listener.transport, request).then_some(user);
        let rules = Rules { terms, keep: registrar.keep && self.office.keeper.is_some() };
        Ok(Admitted { demand, rules, relays_as })
    }

    /// The registrar that a request is for, by where it came in and the domain in its Request-URI (step 1).
    pub(super) fn registrar_for<'s>(
        &self,
        snapshot: &'s Snapshot,
        request: &Received,
    ) -> Result<(&'s NetworkName, &'s config::Registrar), Box<Reply>> {
        let not_found = || Box::new(Reply::new(StatusCode::NOT_FOUND));
        let listener = self.endpoint.settings().listener(request.flow.listener).ok_or_else(not_found)?;
        let name = snapshot.network_name(listener.network).ok_or_else(not_found)?;
        let network = snapshot.network(listener.network).ok_or_else(not_found)?;
        let registrar = network.registrar.as_ref().ok_or_else(not_found)?;
        let uri = request.request.uri().map_err(|_| Box::new(Reply::new(StatusCode::BAD_REQUEST)))?;
        if !snapshot.registrars.serves(name, &uri) {
            return Err(not_found());
        }
        Ok((name, registrar))
    }

    fn at_desk(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        id: Asker,
        demand: Demand,
        rules: Rules,
    ) -> Outcome<Asker> {
        let desk = &mut self.office.desk;
        if desk.waiting() >= NEWS {
            return Outcome::Crowded(id);
        }
        let settings = self.endpoint.settings();
        desk.register(now, id, demand, rules, &|flow| flow_row(settings, snapshot, flow), &mut *self.ids)
    }

    /// Does what outcomes ask, in their order, and what follows from that.
    pub(super) fn follow_up(&mut self, now: Now, outcomes: Vec<Outcome<Asker>>) {
        let mut outcomes = VecDeque::from(outcomes);
        while let Some(outcome) = outcomes.pop_front() {
            match outcome {
                Outcome::Waits => {}
                Outcome::Keep(ticket, write) => {
                    let taken =
                        self.office.keeper.as_mut().is_some_and(|keeper| keeper.keep(write, Some(ticket)));
                    if !taken {
                        outcomes.extend(self.heard(now, ticket, false));
                    }
                }
                Outcome::Served(served) => self.served(now, *served),
                Outcome::Refused(Asker { id, .. }, Refusal::Full) | Outcome::Crowded(Asker { id, .. }) => {
                    self.counters.registers_refused += 1;
                    self.answer_register(now, id, &self.overload_reply());
                }
                Outcome::Refused(Asker { id, .. }, refusal) => {
                    self.counters.registers_refused += 1;
                    self.answer_register(now, id, &refusal.reply());
                }
                Outcome::NotKept(Asker { id, .. }, aor) => {
                    self.counters.registers_not_kept += 1;
                    self.answer_register(now, id, &Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
                    self.look_again(now, &aor);
                }
                Outcome::Ended(ticket, change) => self.registration_ended(now, ticket, change),
                Outcome::NotEnded(ticket, aor) => self.registration_stands(now, ticket, &aor),
            }
        }
    }

    fn served(&mut self, now: Now, served: Served<Asker>) {
        let Served { id: Asker { id, relays_as }, demand, plan, change } = served;
        let registrar = demand.knows_gruu.then(|| flows::registrar_of(&self.snapshot, &plan.aor));
        let keys = registrar.flatten().filter(|registrar| registrar.gruu).map(|_| &*self.common.gruu);
        let mut reply = Reply::new(StatusCode::OK);
        let listener = self.endpoint.settings().listener(demand.flow.listener);
        let flow_timer = listener.map(|listener| listener.flow_timer).unwrap_or_default();
        reply.parts.fields = server::fields(now, &demand, &plan, keys, flow_timer, &mut *self.ids);
        reply.parts.body =
            relays_as.and_then(|user| credentials::body(&self.snapshot, &user, now.wall, (&demand, &plan)));
        self.counters.turn_credentials += u64::from(reply.parts.body.is_some());
        self.counters.registers += 1;
        self.answer_register(now, id, &reply);
        if let Some(change) = change {
            self.tell(now, &change);
            self.look_again(now, &change.aor);
        }
    }

    fn answer_register(&mut self, now: Now, id: RequestId, reply: &Reply) {
        // Its transaction may be over by now: then nobody waits for the answer.
        let _ = self.endpoint.answer_asked(now, id, reply);
    }

    /// The bindings of an address-of-record have changed: who subscribes to them is told.
    pub(super) fn tell(&mut self, now: Now, change: &Change) {
        // All that was to happen had happened before, and was told then.
        if change.contacts.is_empty() {
            return;
        }
        for (binding, event) in &change.contacts {
            if *event == ContactEvent::Expired {
                self.counters.bindings_expired += 1;
            }
            tracing::debug!(aor = %change.aor, contact = %binding.uri, event = event.as_str(), "a binding has changed");
        }
        for session in self.office.watches.changed(change) {
            self.advance(now, session);
        }
        self.follow_flows(now, change);
    }

    /// What has become of a row.
    pub(super) fn heard(&mut self, now: Now, ticket: u64, kept: bool) -> Vec<Outcome<Asker>> {
        let (settings, snapshot) = (self.endpoint.settings(), self.snapshot.clone());
        let row = |flow: &sip::Flow| flow_row(settings, &snapshot, flow);
        self.office.desk.kept(now, ticket, kept, &row, &mut *self.ids)
    }

    /// Hears what has become of rows.
    pub(crate) fn hear_store(&mut self, now: Now) {
        while let Ok((ticket, kept)) = self.office.news.try_recv() {
            let outcomes = self.heard(now, ticket, kept);
            self.follow_up(now, outcomes);
        }
        self.lost_again(now);
        self.rows_again();
    }

    /// Ends bindings whose time is over, and keeps the others open.
    pub(crate) fn registrations_due(&mut self, now: Now) {
        while let Some(change) = self.office.desk.registrar().handle_timeout(now) {
            // A row that cannot be taken out now is left out at the next start: its bindings are over.
            if change.terminated && !self.office.desk.is_busy(&change.aor) {
                self.office.forget_row(&change.aor);
            }
            self.tell(now, &change);
        }
        self.keepalives_due(now);
        self.questions_due(now);
    }
}
