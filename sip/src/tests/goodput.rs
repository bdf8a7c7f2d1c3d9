//! A slow server and a client that offers it too much: what is done of what is offered, in virtual time.

use super::ua::{Ua, listener};
use crate::flow::{Flow, ListenerId, Transport};
use crate::overload::{Algorithm, Heed};
use crate::session::Parts;
use crate::settings::Settings;
use crate::{End, Event, Failure};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const CLIENT: &str = "192.0.2.2:5060";
const SERVER: &str = "192.0.2.1:5060";
/// What a call costs the server, in microseconds: it does 250 a second.
const CALL: u64 = 3_600;
/// What any other message costs.
const MESSAGE: u64 = 200;
/// How long messages take, in milliseconds.
const WAY: u64 = 5;

/// The client calls, the server is busy, after its fashion.
struct Pair {
    client: Ua,
    server: Ua,
    ms: u64,
    /// Messages on their way, with the time of their arrival.
    to_server: VecDeque<(u64, String)>,
    to_client: VecDeque<(u64, String)>,
    /// What the server has not looked at.
    queue: VecDeque<String>,
    /// Until when it works, in microseconds.
    busy: u64,
    begun: BTreeMap<crate::session::SessionId, u64>,
    /// Calls that had their answer within a second.
    done: u32,
}

fn ua(address: &str, part: (bool, bool), algorithm: Algorithm) -> Ua {
    let mut one = listener(Transport::Udp);
    (one.address, one.sent_by) = (address.parse().unwrap(), address.to_owned().into());
    one.heeds_overload = if part.0 { Heed::LossAndRate } else { Heed::Nothing };
    one.tells_load = part.0;
    let mut settings = Settings { listeners: vec![one], ..Settings::default() };
    (settings.overload.algorithm, settings.overload.protects) = (algorithm, part.1);
    Ua::with(settings)
}

impl Pair {
    /// Whether both follow overload control, and whether the server protects itself.
    fn new(follow: bool, protects: bool, algorithm: Algorithm) -> Self {
        Self {
            client: ua(CLIENT, (follow, true), algorithm),
            server: ua(SERVER, (follow, protects), algorithm),
            ms: 0,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            queue: VecDeque::new(),
            busy: 0,
            begun: BTreeMap::new(),
            done: 0,
        }
    }

    /// So many calls a second are offered for that long; how many a second are done in the second half of it.
    fn offer(&mut self, rate: u64, seconds: u64) -> u32 {
        let end = self.ms + seconds * 1_000;
        let half = self.ms + seconds * 500;
        let mut before = 0;
        while self.ms < end {
            if self.ms == half {
                before = self.done;
            }
            if self.ms * rate / 1_000 != (self.ms + 1) * rate / 1_000 {
                let sid = self.client.invite(&format!("sip:bob@{SERVER}"), Parts::default());
                self.begun.insert(sid, self.ms);
            }
            self.step();
        }
        (self.done - before) * 2 / u32::try_from(seconds).unwrap()
    }

    fn step(&mut self) {
        self.ms += 1;
        self.client.wait(1);
        self.server.wait(1);
        while self.to_server.front().is_some_and(|(at, _)| *at <= self.ms) {
            self.queue.extend(self.to_server.pop_front().map(|(_, text)| text));
        }
        // A socket holds no more.
        self.queue.truncate(500);
        self.serve();
        while self.to_client.front().is_some_and(|(at, _)| *at <= self.ms) {
            let Some((_, text)) = self.to_client.pop_front() else { return };
            let peer = SERVER.parse().unwrap();
            self.client.hear_on(Flow { listener: ListenerId(0), peer, connection: None }, &text);
        }
        self.hear_of_calls();
        let (at, way) =
            (self.ms + WAY, |of: &mut Ua| of.take().into_iter().map(|sent| sent.text).collect::<Vec<_>>());
        self.to_server.extend(way(&mut self.client).into_iter().map(|text| (at, text)));
        self.to_client.extend(way(&mut self.server).into_iter().map(|text| (at, text)));
    }

    /// The server works on what has come, one thing after the other.
    fn serve(&mut self) {
        let now = self.ms * 1_000;
        while self.busy < now + 1_000 {
            let Some(text) = self.queue.pop_front() else { break };
            let peer = CLIENT.parse().unwrap();
            self.server.hear_on(Flow { listener: ListenerId(0), peer, connection: None }, &text);
            let mut cost = MESSAGE;
            for event in std::mem::take(&mut self.server.events) {
                if let Event::Invited { session, .. } = event {
                    cost += CALL;
                    self.server.act(|e, now| e.reject(now, session, &Ua::reply(486))).unwrap();
                }
            }
            self.busy = self.busy.max(now) + cost;
            self.server.act(|e, now| e.worked(now, Duration::from_micros(cost)));
        }
        self.server.act(|e, now| e.worked(now, Duration::ZERO));
    }

    fn hear_of_calls(&mut self) {
        for event in std::mem::take(&mut self.client.events) {
            let Event::Ended { session, why, .. } = event else { continue };
            let Some(begun) = self.begun.remove(&session) else { continue };
            let busy = matches!(why, End::Rejected(Failure::Response(r)) if r.status().as_u16() == 486);
            self.done += u32::from(busy && self.ms - begun < 1_000);
        }
    }

    fn withheld(&self) -> u64 {
        self.client.endpoint.counters().withheld
    }
}

/// What is done of twice as much as can be done; and that afterwards all is done again.
fn under_load(follow: bool, algorithm: Algorithm) -> u32 {
    let mut pair = Pair::new(follow, true, algorithm);
    let calm = pair.offer(100, 6);
    assert!((95..=105).contains(&calm), "{calm}");
    let done = pair.offer(500, 20);
    let (refused, withheld) = (pair.server.endpoint.counters().shed, pair.withheld());
    let by_whom = if follow { withheld > refused * 4 } else { withheld == 0 && refused > 0 };
    assert!(by_whom, "{refused} refused, {withheld} withheld");
    // The calls of the overload are over, with their timers.
    pair.offer(100, 10);
    let withheld = pair.withheld();
    let again = pair.offer(100, 6);
    assert!((95..=105).contains(&again), "{again}");
    assert_eq!(pair.withheld(), withheld, "nothing is asked for any more");
    done
}

#[test]
fn a_client_that_follows_by_loss_keeps_the_server_at_work() {
    let done = under_load(true, Algorithm::Loss);
    assert!((170..=250).contains(&done), "{done} a second");
}

#[test]
fn a_client_that_follows_by_rate_keeps_the_server_at_work() {
    let done = under_load(true, Algorithm::Rate);
    assert!((60..=250).contains(&done), "{done} a second");
}

#[test]
fn of_a_client_that_does_not_follow_so_much_is_refused_that_the_rest_is_served() {
    let done = under_load(false, Algorithm::Loss);
    assert!((140..=250).contains(&done), "{done} a second");
}

#[test]
fn without_overload_control_hardly_a_call_is_done_in_time() {
    let mut pair = Pair::new(false, false, Algorithm::Loss);
    pair.offer(100, 6);
    let done = pair.offer(500, 20);
    assert!(done < 100, "{done} a second");
}
