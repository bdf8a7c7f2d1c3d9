//! Two user agents in one thread, each the other's peer, without sockets: what one has to send is given to the other as it is.
//!
//! Time is virtual and goes on with each job, so that transactions linger and are forgotten as they are in a node that has as
//! many jobs a second as [`EACH`] says.

mod chance;
mod jobs;

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use bytes::Bytes;
use sip::{
    Action, Answer, Asked, Carrying, Endpoint, Event, Flow, Gauges, Limits, Listener, ListenerId, NetworkId,
    Settings, Transport,
    session::{Provenance, TimerPart, TimerTerms},
    time::Now,
};
use sip_types::Method;

use chance::SplitMix;
use jobs::Door;
pub use jobs::Job;

/// The virtual time between the beginnings of two jobs: a thousand a second.
pub const EACH: Duration = Duration::from_millis(1);

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Caller,
    Callee,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }

    fn address(self) -> SocketAddr {
        let last = match self {
            Self::Caller => 1,
            Self::Callee => 2,
        };
        SocketAddr::from(([192, 0, 2, last], 5060))
    }
}

/// The two user agents.
pub struct Pair {
    now: Now,
    caller: Endpoint,
    callee: Endpoint,
    wire: VecDeque<(Side, Bytes)>,
    /// How many messages went between them.
    messages: u64,
    job: Job,
    done: u64,
    door: Door,
}

impl Pair {
    /// Two that have had nothing to do yet.
    #[must_use]
    pub fn new(job: Job) -> Self {
        Self {
            now: Now::default(),
            caller: endpoint(Side::Caller, job),
            callee: endpoint(Side::Callee, job),
            wire: VecDeque::new(),
            messages: 0,
            job,
            done: 0,
            door: Door::new(),
        }
    }

    /// Two that have been at it for longer than a transaction lasts: as many are forgotten as begin.
    #[must_use]
    pub fn steady(job: Job) -> Self {
        let mut pair = Self::new(job);
        for _ in 0..40_000 {
            pair.run();
        }
        pair
    }

    /// One job from beginning to end.
    pub fn run(&mut self) {
        self.now.mono = self.now.mono + EACH;
        for side in [Side::Caller, Side::Callee] {
            let now = self.now;
            self.endpoint(side).handle_timeout(now);
            self.drain(side);
        }
        self.begin();
        self.drain(Side::Caller);
        while let Some((to, bytes)) = self.wire.pop_front() {
            let flow = Flow { listener: ListenerId(0), peer: to.other().address(), connection: None };
            let now = self.now;
            self.endpoint(to).handle_input(now, flow, bytes);
            self.drain(to);
        }
    }

    /// How many messages went between them, and how many jobs came to their end.
    #[must_use]
    pub fn counted(&self) -> (u64, u64) {
        (self.messages, self.done)
    }

    /// What both hold.
    #[must_use]
    pub fn gauges(&self) -> [Gauges; 2] {
        [self.caller.gauges(), self.callee.gauges()]
    }

    fn endpoint(&mut self, side: Side) -> &mut Endpoint {
        match side {
            Side::Caller => &mut self.caller,
            Side::Callee => &mut self.callee,
        }
    }

    fn drain(&mut self, side: Side) {
        while let Some(action) = self.endpoint(side).poll_action() {
            match action {
                Action::Transmit(transmit) => {
                    self.messages += 1;
                    self.wire.push_back((side.other(), transmit.bytes));
                }
                Action::Event(event) => self.told(side, *event),
                Action::Resolve(query) => {
                    let now = self.now;
                    self.endpoint(side).handle_resolved(now, query.id, Answer::Silent);
                }
                Action::SecretNeeded(needed) => self.tell_secret(side, &needed),
                other => panic!("nothing of the kind is to happen here: {other:?}"),
            }
        }
    }

    fn told(&mut self, side: Side, event: Event) {
        match side {
            Side::Caller => self.told_caller(event),
            Side::Callee => self.told_callee(event),
        }
    }
}

fn endpoint(side: Side, job: Job) -> Endpoint {
    let address = side.address();
    let part = if job == Job::CallTimed { TimerPart::Ask } else { TimerPart::Off };
    let listener = Listener {
        reliable: job == Job::CallReliable,
        session_timers: TimerTerms { part, ..TimerTerms::default() },
        heeds_priority: false,
        carrying: Carrying::All { transparent: Vec::new() },
        provenance: Provenance::Peer,
        asked: vec![Asked { method: Method::Message, understood: &[] }],
        ..Listener::new(NetworkId(0), Transport::Udp, address)
    };
    let settings = Settings {
        listeners: vec![listener],
        limits: Limits { sessions: 1_000_000, transactions: 10_000_000, ..Limits::default() },
        ..Settings::default()
    };
    let seed = u64::from(address.ip().is_ipv4()) + u64::from(side == Side::Callee);
    Endpoint::new(settings, Box::new(SplitMix(seed)), ahash::RandomState::with_seeds(seed, 2, 3, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_comes_to_its_end_with_its_messages_and_nothing_stays() {
        for job in Job::ALL {
            let mut pair = Pair::new(job);
            (0..100).for_each(|_| pair.run());
            assert_eq!(pair.counted(), (100 * job.messages(), 100), "{}", job.name());
            pair.now.mono = pair.now.mono + Duration::from_secs(200);
            for side in [Side::Caller, Side::Callee] {
                let now = pair.now;
                pair.endpoint(side).handle_timeout(now);
                pair.drain(side);
            }
            assert_eq!(pair.gauges(), [Gauges::default(); 2], "{}", job.name());
        }
    }
}
