//! Requests at a rate, and their answers.

use crate::agent::{Agent, Kind, Waiting};
use crate::link::{Links, Transport};
use crate::message::{Answer, options, register};
use crate::order::Outcome;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

/// After how long a datagram is sent again, every time (T1 of RFC 3261), and how often.
const AGAIN: Duration = Duration::from_millis(500);
const REPEATED: u32 = 10;
/// How long a request on a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// User agents, and the run that they are in.
pub(crate) struct Load {
    links: Links,
    agents: Vec<Agent>,
    /// When whom of them is looked after, and for which request; in order of time.
    due: VecDeque<(Instant, usize, u32)>,
    waiting: usize,
    outcome: Outcome,
    each: Vec<Duration>,
}

impl Load {
    pub(crate) fn new(links: Links) -> Self {
        let due = VecDeque::new();
        Self { links, agents: Vec::new(), due, waiting: 0, outcome: Outcome::default(), each: Vec::new() }
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    pub(crate) async fn register(&mut self, users: Range<usize>, rate: f64, again: bool) -> Outcome {
        self.agents.resize_with(self.agents.len().max(users.end), Agent::default);
        if !again {
            self.agents[users.clone()].iter_mut().for_each(|agent| agent.challenge = None);
        }
        self.links.reach(1).await;
        self.run(Kind::Register, rate, users).await
    }

    pub(crate) async fn query(&mut self, users: Range<usize>, rate: f64) -> Outcome {
        self.agents.resize_with(self.agents.len().max(users.end), Agent::default);
        self.links.reach(1).await;
        self.run(Kind::Query, rate, users).await
    }

    pub(crate) async fn ping(&mut self, connections: usize, count: usize, rate: f64) -> Outcome {
        self.agents.resize_with(self.agents.len().max(connections), Agent::default);
        self.links.reach(connections).await;
        self.run(Kind::Ping, rate, (0..count).map(|number| number % connections)).await
    }

    /// Each of `agents` in its turn does what it is to do.
    async fn run(&mut self, kind: Kind, rate: f64, agents: impl ExactSizeIterator<Item = usize>) -> Outcome {
        let begun = Instant::now();
        let mut turns = agents.enumerate();
        let mut next = turns.next();
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        while next.is_some() || self.waiting > 0 {
            tokio::select! {
                _ = tick.tick() => {
                    let now = Instant::now();
                    while let Some((number, agent)) = next {
                        let turn = begun + Duration::from_secs_f64(number as f64 / rate);
                        if turn > now {
                            break;
                        }
                        self.begin(kind, agent, turn);
                        next = turns.next();
                    }
                    self.look_after(now);
                }
                Some(message) = self.links.messages.recv() => self.hear(&message),
            }
        }
        std::mem::take(&mut self.outcome).timed(std::mem::take(&mut self.each), begun.elapsed())
    }

    fn begin(&mut self, kind: Kind, number: usize, since: Instant) {
        if self.agents[number].waiting.is_some() {
            // It is still at the one before.
            self.outcome.failed += 1;
            return;
        }
        self.waiting += 1;
        self.send(kind, number, since, false);
    }

    fn send(&mut self, kind: Kind, number: usize, since: Instant, challenged: bool) {
        let (link, place) = self.links.of(number);
        let agent = &mut self.agents[number];
        agent.cseq += 1;
        let bytes = match kind {
            Kind::Ping => options(place, self.links.server, number, agent.cseq),
            Kind::Register | Kind::Query => {
                register(place, number, agent.cseq, kind == Kind::Register, agent.challenge.as_mut())
            }
        };
        link.send(&bytes);
        self.due.push_back((Instant::now() + self.patience(), number, self.agents[number].cseq));
        self.agents[number].waiting = Some(Waiting { kind, since, bytes, repeated: 0, challenged });
    }

    fn patience(&self) -> Duration {
        if self.links.transport == Transport::Udp { AGAIN } else { PATIENCE }
    }

    /// Sends again what was not answered, or gives it up.
    fn look_after(&mut self, now: Instant) {
        while let Some((_, number, cseq)) = self.due.pop_front_if(|(at, ..)| *at <= now) {
            let patience = self.patience();
            let agent = &mut self.agents[number];
            let Some(waiting) = agent.waiting.as_mut().filter(|_| agent.cseq == cseq) else { continue };
            if self.links.transport != Transport::Udp || waiting.repeated == REPEATED {
                agent.waiting = None;
                self.waiting -= 1;
                self.outcome.failed += 1;
                continue;
            }
            waiting.repeated += 1;
            self.outcome.retransmissions += 1;
            self.links.of(number).0.send(&waiting.bytes);
            self.due.push_back((now + patience, number, cseq));
        }
    }

    fn hear(&mut self, message: &[u8]) {
        let text = std::str::from_utf8(message).expect("text");
        let Some(answer) = Answer::read(text) else { return };
        let Some(agent) = self.agents.get_mut(answer.number) else { return };
        if agent.cseq != answer.cseq || answer.status < 200 {
            return;
        }
        let Some(waiting) = agent.waiting.take() else { return };
        if answer.status == 401 && answer.challenge.is_some() && !waiting.challenged {
            self.outcome.challenges += 1;
            agent.challenge = answer.challenge;
            return self.send(waiting.kind, answer.number, waiting.since, true);
        }
        self.waiting -= 1;
        if answer.status == 200 {
            self.outcome.succeeded += 1;
            self.outcome.contacts += answer.contacts;
            self.each.push(waiting.since.elapsed());
        } else {
            self.outcome.failed += 1;
            self.outcome.complaint.get_or_insert_with(|| text.to_owned());
        }
    }
}
