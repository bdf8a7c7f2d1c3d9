//! The core of a shard: user agents, calls and the bridge, without I/O.

mod driven;
mod events;
mod secrets;

use super::common::Tally;
use super::leaks::Leaks;
use super::{Command, Common, Counters, Gauges, Held, MediaLink};
use crate::call::{BoundLegs, Call, CallKey, CallTimer, LegNo, Outside, reason};
use crate::cdr::Record;
use crate::events::Subscriptions;
use crate::registrar::{Keeping, Office};
use crate::snapshot::Snapshot;
use crate::trunk::{Probes, Registrants};
use config::TrunkName;
use sip::driver::IoAction;
use sip::driver::tls::Peer;
use sip::home::ShardNo;
use sip::ids::{Ids, Tag};
use sip::session::SessionId;
use sip::subscription::notifier::EndReason;
use sip::time::{Mono, Now};
use sip::{Action, ConnectionId, Endpoint, Flow, NetworkId, TimerQueue};
use slotmap::{Key, SlotMap};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What a shard is made of.
pub struct Setup {
    /// The user agents' settings; their listeners are bound.
    pub sip: sip::Settings,
    /// The configuration in force.
    pub snapshot: Arc<Snapshot>,
    /// Media.
    pub link: Box<dyn MediaLink + Send>,
    /// Whom peers of DTLS-SRTP take us for; without it there is none.
    pub identity: Option<Arc<media::dtls::Identity>>,
    /// Identifiers for the user agents.
    pub sip_ids: Box<dyn Ids + Send>,
    /// Identifiers for the calls.
    pub ids: Box<dyn Ids + Send>,
    /// Seeds for the maps.
    pub hasher: ahash::RandomState,
    /// The instant that [`Mono`] counts from, for media, whose clock is the system's.
    pub epoch: Instant,
    /// Which shard it is.
    pub shard: u16,
    /// What it has in common with the others.
    pub common: Arc<Common>,
    /// How its bindings outlive the process.
    pub keeping: Keeping,
    /// Records are handed over here.
    pub records: Box<dyn FnMut(Record) + Send>,
    /// Questions and orders come in here; the driver is woken for them.
    pub commands: mpsc::Receiver<Command>,
}

/// One shard.
pub struct Core {
    pub(crate) endpoint: Endpoint,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) calls: SlotMap<CallKey, Call>,
    pub(crate) by_session: HashMap<SessionId, (CallKey, LegNo), ahash::RandomState>,
    /// Calls by our own name of them.
    pub(super) by_name: HashMap<Box<str>, CallKey, ahash::RandomState>,
    /// Calls in the order in which they began.
    pub(super) by_sequence: BTreeMap<u64, CallKey>,
    pub(crate) timers: TimerQueue<(CallKey, CallTimer)>,
    pub(crate) outside: Outside,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) bound: BoundLegs,
    /// Whom peers of DTLS-SRTP take us for.
    pub(crate) identity: Option<Arc<media::dtls::Identity>>,
    pub(crate) link: Box<dyn MediaLink + Send>,
    pub(crate) ids: Box<dyn Ids + Send>,
    pub(crate) probes: Probes,
    pub(crate) registrants: Registrants,
    /// Who is at the other end of connections over TLS, where a certificate has proved it.
    pub(crate) peers: HashMap<ConnectionId, Arc<Peer>, ahash::RandomState>,
    pub(crate) common: Arc<Common>,
    pub(crate) office: Office,
    /// The counts of the trunks that it has had calls of.
    trunks: BTreeMap<TrunkName, Arc<Tally>>,
    /// Every trunk that a session was ever with.
    labels: Vec<TrunkName>,
    pub(crate) counters: Counters,
    pub(super) leaks: Leaks,
    pub(crate) drain: Option<Mono>,
    pub(super) stopped: bool,
    pub(crate) sequence: u64,
    pub(crate) shard: u16,
    pub(crate) node: Box<str>,
    pub(crate) epoch: Instant,
    pub(crate) records: Vec<Record>,
    pub(super) commands: mpsc::Receiver<Command>,
    out: Box<dyn FnMut(Record) + Send>,
    pub(crate) io: VecDeque<IoAction>,
}

impl Core {
    /// A shard without calls.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut ids = setup.ids;
        let probes = Probes::new(setup.snapshot.config(), &mut *ids);
        let place = (setup.shard, setup.common.shard_count());
        let registrants = Registrants::new(&setup.snapshot, place, &setup.hasher, &mut *ids);
        let directory = setup.common.directory.clone();
        let office = Office::new(setup.keeping, directory, &setup.sip, &setup.snapshot, &setup.hasher);
        let endpoint = Endpoint::new(setup.sip, setup.sip_ids, setup.hasher.clone());
        let mut endpoint = endpoint.sharing_overload(&setup.common.overload, setup.shard);
        endpoint = endpoint.knowing(&setup.common.directory, &setup.common.gruu);
        if let Some(occupancy) = &setup.common.occupancy {
            endpoint = endpoint.sharing(occupancy);
        }
        Self {
            endpoint,
            node: (&*setup.snapshot.config().node.name).into(),
            snapshot: setup.snapshot,
            calls: SlotMap::with_key(),
            peers: HashMap::with_hasher(setup.hasher.clone()),
            by_name: HashMap::with_hasher(setup.hasher.clone()),
            by_sequence: BTreeMap::new(),
            by_session: HashMap::with_hasher(setup.hasher.clone()),
            timers: TimerQueue::default(),
            outside: Outside::new(&setup.hasher),
            subscriptions: Subscriptions::new(&setup.hasher),
            bound: BoundLegs::with_hasher(setup.hasher.clone()),
            link: setup.link,
            identity: setup.identity,
            ids,
            probes,
            registrants,
            common: setup.common,
            office,
            trunks: BTreeMap::new(),
            labels: Vec::new(),
            counters: Counters::default(),
            leaks: Leaks::default(),
            drain: None,
            stopped: false,
            sequence: 0,
            shard: setup.shard,
            epoch: setup.epoch,
            records: Vec::new(),
            commands: setup.commands,
            out: setup.records,
            io: VecDeque::new(),
        }
    }

    /// What it has counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What the user agents have counted.
    #[must_use]
    pub fn sip_counters(&self) -> sip::Counters {
        self.endpoint.counters()
    }

    /// What it holds.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let (registered, bindings, registers_waiting) = self.office.held();
        let trunks = self.registrants.held();
        let subscriptions = self.office.watches.len();
        Gauges {
            trunks_registering: trunks.trunks,
            trunks_registered: trunks.registered,
            trunk_flows: trunks.flows,
            trunk_flows_up: trunks.flows_up,
            registered,
            bindings,
            registers_waiting,
            outside: self.outside.len(),
            subscriptions,
            subscriptions_carried: self.subscriptions.len(),
            calls: self.calls.len(),
            call_timers: self.timers.len(),
            records: self.records.len(),
            media_pairs: self.link.lent(),
            sip: self.endpoint.gauges(),
        }
    }

    /// Calls in being.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// From now on no call and no subscription begins. Subscribers are told at once to look elsewhere, trunks take their
    /// registrations back; calls that are left at `deadline` are ended.
    pub fn drain(&mut self, now: Now, deadline: Mono) {
        self.drain = Some(deadline);
        self.unregister_all(now);
        self.end_subscriptions(now, EndReason::Deactivated, |_| true);
        self.end_bridged(now);
    }

    /// Puts another configuration in force. Calls in being keep theirs.
    pub fn adopt(&mut self, now: Now, snapshot: Arc<Snapshot>, sip: sip::Settings) {
        self.probes.follow(now, snapshot.config(), &mut *self.ids);
        self.follow_registrants(now, &snapshot);
        self.io.push_back(IoAction::Adopt(snapshot.security.clone()));
        self.snapshot = snapshot;
        self.leaks = Leaks::default();
        self.endpoint.adopt(sip);
        self.review_subscriptions(now);
        self.review_registrations(now);
    }

    /// Carries out what the user agents ask, and hears what they tell, until nothing is left.
    fn settle(&mut self, now: Now) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Transmit(transmit) if self.withholds(now, &transmit) => {}
                Action::Transmit(transmit) => {
                    self.note_leaks(&transmit);
                    self.io.push_back(IoAction::Transmit(transmit));
                }
                Action::Resolve(query) => self.io.push_back(IoAction::Resolve(query)),
                Action::Connect(connect) => self.io.push_back(IoAction::Connect(connect)),
                Action::Disconnect(id) => self.io.push_back(IoAction::Disconnect(id)),
                Action::CloseConnection(id) => self.io.push_back(IoAction::CloseConnection(id)),
                Action::Ping(id) => self.io.push_back(IoAction::Ping(id)),
                Action::Alias { connection, port } => {
                    self.io.push_back(IoAction::Alias { connection, port });
                }
                Action::SecretNeeded(needed) => self.on_secret_needed(now, &needed),
                Action::Event(event) => self.on_event(now, *event),
            }
        }
        for record in self.records.drain(..) {
            (self.out)(record);
        }
    }

    /// Has the end of a connection told, and a longer silence on it end it than those who are bound to it have promised.
    pub(crate) fn watch(&mut self, connection: ConnectionId) {
        let silence = self.office.silence(connection);
        self.io.push_back(IoAction::Watch { connection, silence });
    }

    /// Has another shard find out whether a flow works that it keeps.
    pub(crate) fn pass_doubt(&mut self, shard: u16, flow: Flow) {
        if let Ok(shard) = u8::try_from(shard) {
            self.io.push_back(IoAction::Doubt(ShardNo(shard), flow));
        }
    }

    /// Hands the orders of a call's media to the relay.
    pub(crate) fn carry_out_media(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        while let Some(command) = call.media.poll_command() {
            self.link.carry_out(command);
        }
    }

    /// A number for a trunk, which its sessions carry for as long as they last: 0 for none.
    pub(crate) fn label(&mut self, trunk: Option<&TrunkName>) -> u32 {
        let Some(trunk) = trunk else { return 0 };
        let at = self.labels.iter().position(|known| known == trunk).unwrap_or_else(|| {
            self.labels.push(trunk.clone());
            self.labels.len() - 1
        });
        u32::try_from(at + 1).unwrap_or(0)
    }

    /// The system's instant of a time.
    pub(crate) fn instant(&self, now: Now) -> Instant {
        self.epoch + Duration::from_nanos(now.mono.as_nanos())
    }

    /// A name for a call: random, and it says which shard is its home.
    pub(crate) fn name_call(&mut self) -> Box<str> {
        format!("{}-{}", self.shard, Tag::new(&mut *self.ids)).into_boxed_str()
    }

    /// Takes a call in, so that it is found by its name and in its place.
    pub(crate) fn enter(&mut self, call: Call) -> CallKey {
        let (name, sequence) = (call.id.clone(), call.sequence);
        let caller = call.caller.as_ref().map(|caller| caller.session);
        let key = self.calls.insert(call);
        if let Some(session) = caller {
            self.by_session.insert(session, (key, LegNo::CALLER));
        }
        if let Some(call) = self.calls.get_mut(key) {
            call.media.numbered(key.data().as_ffi());
        }
        self.by_name.insert(name, key);
        self.by_sequence.insert(sequence, key);
        key
    }

    /// Takes a call out, with its legs.
    pub(crate) fn leave(&mut self, key: CallKey) -> Option<Call> {
        let call = self.calls.remove(key)?;
        self.by_name.remove(&call.id);
        self.by_sequence.remove(&call.sequence);
        for leg in call.legs() {
            // A leg that went to another call is that one's.
            if self.by_session.get(&leg.session).is_some_and(|(of, _)| *of == key) {
                self.by_session.remove(&leg.session);
            }
        }
        self.forget_flows(call.legs().filter_map(|leg| Some((leg.connection?, leg.session))));
        Some(call)
    }

    /// Counts a call in, unless there are as many as may be.
    pub(crate) fn enter_call(&self, snapshot: &Snapshot) -> Option<Held> {
        let limit = snapshot.config().limits.calls;
        self.common.calls.enter(u32::try_from(limit).unwrap_or(u32::MAX))
    }

    /// Counts a leg of a trunk in, unless that has as many calls as it may.
    pub(crate) fn enter_trunk(&mut self, snapshot: &Snapshot, trunk: &TrunkName) -> Option<Held> {
        let limit = snapshot.config().trunks.get(trunk).and_then(|t| t.max_calls);
        let tally = match self.trunks.get(trunk) {
            Some(tally) => tally,
            None => self.trunks.entry(trunk.clone()).or_insert(self.common.trunk(trunk)),
        };
        tally.enter(limit.unwrap_or(u32::MAX))
    }

    /// The drain is over: what is left is ended.
    fn drain_due(&mut self, now: Now) {
        if self.drain.is_none_or(|deadline| deadline > now.mono) {
            return;
        }
        let left: Vec<CallKey> = self.calls.keys().collect();
        for key in left {
            self.end_call(now, key, &reason(503, "Shutting down"), "shutting down");
        }
        self.abandon_registrants();
        self.drain = Some(Mono::from_epoch(Duration::MAX));
    }
}

/// The first listener of a network.
pub(crate) fn listener_in(endpoint: &Endpoint, network: NetworkId) -> Option<&sip::Listener> {
    endpoint.settings().listeners.iter().find(|l| l.network == network)
}
