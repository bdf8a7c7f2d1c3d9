//! The endpoint: everything that one shard knows of SIP.

mod admission;
mod asked;
mod counters;
mod inside;
mod load;
mod pending;
mod receive;
mod refusals;
mod statelessly;
mod unreadable;

pub use admission::unsupported;
pub use counters::{Counters, Gauges};
pub(crate) use pending::Pending;
pub use refusals::Refusals;
pub use unreadable::Unreadable;

use crate::Map;
use crate::action::{Action, Sender, TransmitId};
use crate::auth::client::PeerId;
use crate::dialog::Census;
use crate::event::Failure;
use crate::flow::ListenerId;
use crate::ids::{Ids, Tag};
use crate::io::{Io, Timer};
use crate::keepalive::Keepalives;
use crate::location::{Health, LookupId, Names, TargetGauges, TargetView};
use crate::occupancy::{Occupancy, Share};
use crate::overload;
use crate::received::Received;
use crate::reply;
use crate::session::{Locating, OutgoingId, Registered, Reply, Session, SessionId, SessionTimer};
use crate::settings::Settings;
use crate::time::{Mono, Now};
use crate::timers::TimerQueue;
use crate::transaction::{Clients, Report, ServerId, Servers, TransactionTimer};
use sip_types::Method;
use slotmap::SlotMap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// A SIP user agent on any number of listeners, without sockets and clocks. The crate documentation states how
/// it is driven.
pub struct Endpoint {
    pub(crate) settings: Settings,
    pub(crate) io: Io,
    pub(crate) clients: Clients,
    pub(crate) servers: Servers,
    pub(crate) sessions: SlotMap<SessionId, Session>,
    /// The sessions of all endpoints.
    pub(crate) share: Share,
    /// Our tags, early and confirmed.
    pub(crate) by_tag: Map<Tag, SessionId>,
    /// Look-ups under way.
    pub(crate) lookups: SlotMap<LookupId, Locating>,
    /// What name servers have said.
    pub(crate) names: Names,
    /// What is known of targets.
    pub(crate) health: Health,
    /// Connections that are wanted for a race.
    pub(crate) connects: Pending<(SessionId, OutgoingId)>,
    /// Challenges that wait for credentials.
    pub(crate) secrets: Pending<(SessionId, OutgoingId)>,
    /// Requests outside a dialog that wait for the owner's answer.
    pub(crate) asked: Map<ServerId, Received>,
    /// Flows that keepalives are sent on.
    pub(crate) keepalives: Keepalives,
    pub(crate) hasher: ahash::RandomState,
    pub(crate) counters: Counters,
    pub(crate) census: Census,
    /// Where the devices of registrars of ours are.
    pub(crate) registered: Option<Registered>,
    /// What is known of the overload of servers and of the process.
    pub(crate) overload: Arc<overload::Shared>,
    /// Which of the endpoints that share it this is.
    pub(crate) number: u16,
    pub(crate) load: overload::Load,
    /// Where the keys of server transactions are written, again and again.
    key: String,
}

impl Endpoint {
    /// An endpoint with nothing in it. `hasher` is seeded by the shell, so that no peer can aim at collisions.
    pub fn new(settings: Settings, ids: Box<dyn Ids + Send>, hasher: ahash::RandomState) -> Self {
        let transactions = settings.limits.transactions;
        Self {
            clients: Clients::new(transactions, &hasher),
            servers: Servers::new(transactions, &hasher),
            sessions: SlotMap::with_key(),
            share: Share::default(),
            by_tag: Map::with_hasher(hasher.clone()),
            lookups: SlotMap::with_key(),
            names: Names::new(&hasher),
            health: Health::new(&hasher),
            connects: Pending::default(),
            secrets: Pending::default(),
            asked: Map::with_hasher(hasher.clone()),
            keepalives: Keepalives::default(),
            io: Io { actions: VecDeque::new(), timers: TimerQueue::default(), ids },
            overload: Arc::new(overload::Shared::new(&hasher)),
            number: 0,
            load: overload::Load::default(),
            counters: Counters::default(),
            census: Census::default(),
            registered: None,
            key: String::new(),
            settings,
            hasher,
        }
    }

    /// Has its limits hold for all endpoints that share this. To be called before anything else.
    #[must_use]
    pub fn sharing(mut self, occupancy: &Arc<Occupancy>) -> Self {
        self.clients.share(Share::of(occupancy, Occupancy::clients));
        self.servers.share(Share::of(occupancy, Occupancy::servers));
        self.share = Share::of(occupancy, Occupancy::sessions);
        self
    }

    /// Has it share what is known of overload; it is the endpoint with that number there. To be called before anything else.
    #[must_use]
    pub fn sharing_overload(mut self, overload: &Arc<overload::Shared>, number: u16) -> Self {
        (self.overload, self.number) = (Arc::clone(overload), number);
        self
    }

    /// Whether there are as many sessions as may be: no call comes in or goes out then.
    pub fn is_full(&self) -> bool {
        self.share.total(self.sessions.len()) >= self.settings.limits.sessions
    }

    /// The settings that it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes other settings. Listeners stay in their places: a [`ListenerId`](crate::ListenerId) means the same.
    pub fn adopt(&mut self, settings: Settings) {
        self.clients.limit(settings.limits.transactions);
        self.servers.limit(settings.limits.transactions);
        self.settings = settings;
    }

    /// The next thing for the shell to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.io.actions.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.io.timers.next()
    }

    /// Handles every deadline that has come.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(timer) = self.io.timers.pop_due(now) {
            match timer {
                Timer::Transaction(timer) => self.transaction_due(now, timer),
                Timer::Session(sid, timer) => self.session_due(now, sid, timer),
                Timer::Keepalive(id) => self.keepalive_due(now, id),
            }
        }
    }

    /// A message could not be sent.
    pub fn handle_send_failed(&mut self, now: Now, id: TransmitId) {
        match id.sender {
            Sender::Client(id) => {
                if let Some(report) = self.clients.send_failed(id) {
                    self.reported(now, report);
                }
            }
            Sender::Ack(sid, no) => self.ack_not_sent(now, sid, no),
            // RFC 6026 §7.1: the transaction stays; its timers end it.
            Sender::Server(_) | Sender::Nobody => {}
        }
    }

    /// ICMP says that datagrams to that address do not arrive (RFC 3261 §18.4): for requests without a response the
    /// transport has failed, and so has a flow that is kept.
    pub fn handle_unreachable(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) {
        for id in self.clients.unanswered(listener, peer) {
            if let Some(report) = self.clients.send_failed(id) {
                self.reported(now, report);
            }
        }
        self.keepalives_unreachable(listener, peer);
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What is remembered of targets, in their order.
    pub fn targets(&self, now: Now) -> Vec<TargetView> {
        self.health.views(now)
    }

    /// How many targets are remembered.
    pub fn target_gauges(&self) -> TargetGauges {
        self.health.gauges()
    }

    /// What it holds.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            sessions: self.sessions.len(),
            dialogs: self.census.count(),
            client_transactions: self.clients.len(),
            server_transactions: self.servers.len(),
            timers: self.io.timers.len(),
            questions: self.lookups.len() + self.connects.len() + self.secrets.len(),
            asked: self.asked.len(),
            kept: self.keepalives.len(),
        }
    }

    fn transaction_due(&mut self, now: Now, timer: TransactionTimer) {
        match timer {
            TransactionTimer::ClientRetransmit(id) => self.clients.retransmit(&mut self.io, now, id),
            TransactionTimer::ClientExpire(id) => {
                if let Some(report) = self.clients.expire(&mut self.io, now, id) {
                    self.reported(now, report);
                }
            }
            TransactionTimer::ServerRetransmit(id) => self.servers.retransmit(&mut self.io, now, id),
            TransactionTimer::ServerExpire(id) => {
                if self.servers.expire(&mut self.io, now, id) {
                    self.counters.failures_unacknowledged += 1;
                }
            }
        }
    }

    fn session_due(&mut self, now: Now, sid: SessionId, timer: SessionTimer) {
        match timer {
            SessionTimer::Provisional => self.provisional_due(now, sid),
            SessionTimer::Expires => self.expires_due(now, sid),
            SessionTimer::Unacked => self.unacked_due(now, sid),
            SessionTimer::Unpracked(no) => self.unpracked_due(now, sid, no),
            SessionTimer::Interval => self.interval_due(now, sid),
            SessionTimer::Backoff(id) => self.backoff_over(now, sid, id),
            SessionTimer::Trying(server) => self.trying_due(now, sid, server),
            SessionTimer::Target(id) => self.target_due(now, sid, id),
            SessionTimer::Race(id) => self.race_due(now, sid, id),
            SessionTimer::Refer(refer) => self.refer_due(now, sid, refer),
            SessionTimer::Referred(id) => self.referred_due(now, sid, id),
        }
    }

    fn reported(&mut self, now: Now, report: Report) {
        if let Report::Timeout(sid, id) | Report::Silence(sid, id) | Report::TransportFailed(sid, id) = report
        {
            self.invite_without_end(sid, id);
        }
        match report {
            Report::Timeout(sid, id) => self.failed(now, sid, id, Failure::Timeout),
            Report::Silence(sid, id) => self.silent(now, sid, id),
            Report::TransportFailed(sid, id) => self.transport_failed(now, sid, id),
            Report::InviteEnded(sid, seq) => self.invite_ended(sid, seq),
        }
    }

    /// Composes a response and hands it to its transaction. `tag` is used where To has none; `dialog` says that
    /// the response makes or refreshes one.
    pub(crate) fn reply(
        &mut self,
        now: Now,
        server: ServerId,
        request: &Received,
        tag: Option<Tag>,
        dialog: bool,
        reply: &Reply,
    ) {
        let report = self.load_report(now, &request.flow, &request.via);
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let trying = reply.status.as_u16() == 100;
        let own_tag = (!trying && request.to.tag().is_none()).then(|| {
            tag.unwrap_or_else(|| {
                let chance = self.hasher.hash_one((request.call_id.as_str(), request.cseq.seq));
                Tag::of(&*self.io.ids, chance)
            })
        });
        let session = self.session_of(request, tag);
        let composer = reply::Composer {
            settings: &self.settings,
            listener,
            request: &request.request,
            via: Some(&request.via),
            flow: &request.flow,
            tag: own_tag,
            dialog,
            report,
            secure: request.to.tag().is_some() && session.is_some_and(|session| session.secure),
            gruu: session.and_then(|session| session.gruu.as_deref()),
            identifier: self.identifier_of_reply(session, &request.request, listener),
        };
        let bytes = composer.compose(reply);
        let takes = matches!(reply.status.class(), 2 | 3) && *request.method() != Method::Cancel;
        if takes
            && let Some(sid) =
                request.to.tag().and_then(Tag::parse).and_then(|tag| self.by_tag.get(&tag).copied())
        {
            self.accept_identifier(sid, request);
            if reply.status.is_success() && *request.method() != Method::Bye {
                self.accept_remote(sid, request);
            }
        }
        self.counters.refusals.count(reply.status);
        self.servers.respond(&mut self.io, now, server, reply.status, bytes);
    }

    /// The session whose dialog a response belongs to: that which the request is in, else the one that it makes with this tag.
    fn session_of(&self, request: &Received, made: Option<Tag>) -> Option<&Session> {
        let tag = request.to.tag().map_or(made, Tag::parse)?;
        self.sessions.get(*self.by_tag.get(&tag)?)
    }

    /// Who a credential is shown to, for the authorizer.
    pub(crate) fn peer_id(&self, peer: SocketAddr) -> PeerId {
        peer_id(&self.hasher, peer)
    }
}

/// The peer at an address, as a keyed hash of it.
pub(crate) fn peer_id(hasher: &ahash::RandomState, peer: SocketAddr) -> PeerId {
    PeerId(hasher.hash_one(peer.ip()))
}
