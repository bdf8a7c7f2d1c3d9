//! The endpoint: everything that one shard knows of SIP.

mod admission;
mod asked;
mod load;
mod pending;
mod receive;
mod refusals;
mod unreadable;

pub use admission::unsupported;
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

/// What an endpoint has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that no message could be made of.
    pub malformed: u64,
    /// Messages beyond a limit or cut off.
    pub unreadable: Unreadable,
    /// Requests that were refused with 400 because of a defect.
    pub defective: u64,
    /// Responses that no transaction waited for.
    pub stray_responses: u64,
    /// Requests that a transaction had already had.
    pub repeated_requests: u64,
    /// ACKs that belonged to nothing.
    pub stray_acks: u64,
    /// Requests for dialogs that are not there.
    pub unknown_dialogs: u64,
    /// Requests with the identifiers of a dialog, and CANCELs of an INVITE, of another network (481).
    pub foreign_requests: u64,
    /// Requests that came twice by different ways (482).
    pub merged_requests: u64,
    /// Requests that a limit refused (503).
    pub overloaded: u64,
    /// Early dialogs beyond the limit.
    pub early_dialogs_refused: u64,
    /// Early dialogs that a peer has ended by 199 (RFC 6228).
    pub early_dialogs_ended: u64,
    /// 199s that we have sent.
    pub early_dialogs_told: u64,
    /// Reliable provisional responses that came again, or before one that is missing (RFC 3262 §4).
    pub progress_out_of_order: u64,
    /// Late answers of forks that were acknowledged and released.
    pub forks_released: u64,
    /// REFERs of peers that could be acted upon.
    pub refers: u64,
    /// REFERs of ours whose sender of NOTIFYs has fallen silent (timer N, RFC 6665 §4.1.2.4).
    pub refers_untold: u64,
    /// Challenges that no credentials were given for.
    pub challenges_refused: u64,
    /// Next hops that were looked up.
    pub lookups: u64,
    /// Look-ups that led nowhere.
    pub lookups_failed: u64,
    /// Requests that went on to another target.
    pub failovers: u64,
    /// Targets that were given up because they were silent for too long.
    pub targets_given_up: u64,
    /// Requests of either side beyond what a session may have pending.
    pub pending_full: u64,
    /// Challenges and 491s that stood because their request had been repeated as often as may be.
    pub rounds_spent: u64,
    /// Refreshes of sessions that we sent (RFC 4028 §10).
    pub refreshes: u64,
    /// Those that failed, and left the session.
    pub refreshes_failed: u64,
    /// Sessions that nobody refreshed in time.
    pub sessions_expired: u64,
    /// Requests of ours that went out again because the session interval was too small for somebody (422).
    pub intervals_raised: u64,
    /// Requests of peers that we refused because their session interval is too small (422).
    pub intervals_refused: u64,
    /// Requests of peers that collided with what was under way in their dialog (491, or 500 with Retry-After).
    pub glares: u64,
    /// Responses whose Authentication-Info shows that their sender does not know the secret (RFC 7616 §3.5).
    pub impostors: u64,
    /// Failures that we have answered with.
    pub refusals: Refusals,
    /// Failures of ours to an INVITE whose ACK never came (RFC 3261 §17.2.1).
    pub failures_unacknowledged: u64,
    /// Requests that were not sent because their server had asked for fewer (RFC 7339 §5.5).
    pub withheld: u64,
    /// New requests that were refused because we were overloaded (503, RFC 7339 §5.10.2).
    pub shed: u64,
    /// Responses with overload control of their sender.
    pub loads_heard: u64,
    /// Responses with overload control that breaks its grammar.
    pub loads_malformed: u64,
    /// Responses of ours with overload control.
    pub loads_told: u64,
    /// Those of them that asked for fewer requests.
    pub restrictions_told: u64,
    /// Keepalives that were sent, repetitions of Binding requests included (RFC 5626 §4.4).
    pub keepalives_sent: u64,
    /// Those of them that were answered.
    pub keepalives_answered: u64,
    /// Flows with keepalives that have failed.
    pub flows_lost: u64,
}

/// What an endpoint holds at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Sessions, those that only wait for late forks included.
    pub sessions: usize,
    /// Dialogs that are not ended.
    pub dialogs: usize,
    /// Client transactions.
    pub client_transactions: usize,
    /// Server transactions.
    pub server_transactions: usize,
    /// Deadlines, given-up ones included until their time.
    pub timers: usize,
    /// Look-ups, connections and challenges that the shell has not answered.
    pub questions: usize,
    /// Requests outside a dialog that the owner has not answered.
    pub asked: usize,
    /// Flows that keepalives are sent on.
    pub kept: usize,
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
