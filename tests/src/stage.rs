//! Scripted phones around Liaison that keep to the transactions of RFC 3261 by themselves: a script says what each of them says in its
//! turn, and can be played in any weather.

mod leaving;
mod line;

use crate::message::{Msg, field, start};
use crate::world::{INSIDE, OUTSIDE, World};
use bytes::Bytes;
pub use leaving::End;
use line::Line;
pub use line::{method, status};
use sip::time::Mono;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Why a script did not go on: what it waited for did not come.
#[derive(Debug)]
pub struct Stuck(pub String);

/// A message, if it came.
pub type Heard = Result<String, Stuck>;

/// Whether a script went through to its end.
pub type Played = Result<(), Stuck>;

/// How long a phone waits in fair weather: a few round trips, less than T1.
const FAIR: Duration = Duration::from_millis(60);

/// How long it waits otherwise: longer than any transaction.
const FOUL: Duration = Duration::from_secs(45);

/// How long it waits for what is sent once only.
const ONCE: Duration = Duration::from_secs(1);

/// Liaison, and phones that a script plays.
pub struct Stage {
    /// Liaison and the network.
    pub world: World,
    lines: BTreeMap<SocketAddr, Line>,
    inbox: Vec<(SocketAddr, String)>,
    /// Whether every message arrives in time.
    fair: bool,
    /// Whether nobody plays the phones any more.
    leaving: bool,
    calls: u32,
    deaf: Vec<SocketAddr>,
}

impl Stage {
    /// With that world, in which every message arrives in time or not.
    pub fn new(world: World, fair: bool) -> Self {
        Self {
            world,
            lines: BTreeMap::new(),
            inbox: Vec::new(),
            fair,
            leaving: false,
            calls: 0,
            deaf: Vec::new(),
        }
    }

    /// The first number of another call's.
    pub fn number(&mut self) -> u32 {
        self.calls += 1;
        self.calls * 10
    }

    /// There is nobody at that address.
    pub fn deaf(&mut self, at: &str) {
        self.deaf.push(at.parse().unwrap());
    }

    /// A phone sends a message.
    pub fn send(&mut self, at: &str, msg: &Msg) {
        self.send_text(at.parse().unwrap(), &msg.text());
    }

    /// A phone answers a request with a plain 200.
    pub fn ok(&mut self, at: &str, request: &str) {
        self.send(at, &Msg::response(request, 200, "").phrase("OK"));
    }

    fn send_text(&mut self, at: SocketAddr, text: &str) {
        let now = self.world.now.mono;
        self.lines.entry(at).or_default().sent(now, text);
        self.transmit(at, text);
    }

    fn transmit(&mut self, at: SocketAddr, text: &str) {
        let to = if at.to_string().starts_with("10.1.") { INSIDE } else { OUTSIDE };
        let now = self.world.now.mono;
        self.world.network.send(now, at, to.parse().unwrap(), Bytes::copy_from_slice(text.as_bytes()));
    }

    /// The next message for a phone: a request of that method, or a response of that status, and to that method if it is said
    /// (`200 INVITE`). What came before it stays unread.
    ///
    /// # Errors
    /// It does not come.
    pub fn get(&mut self, at: &str, what: &str) -> Heard {
        self.get_within(at, what, FAIR)
    }

    /// As [`get`](Self::get), where it takes longer.
    ///
    /// # Errors
    /// It does not come.
    pub fn get_within(&mut self, at: &str, what: &str, patience: Duration) -> Heard {
        let patience = if self.fair { patience } else { patience + FOUL };
        self.wait(at, what, patience)
    }

    /// The next message like one of these, each for its phone: which of them.
    ///
    /// # Errors
    /// None comes.
    pub fn get_any(&mut self, wanted: &[(&str, &str)]) -> Result<(usize, String), Stuck> {
        self.get_any_within(wanted, FAIR)
    }

    /// As [`get_any`](Self::get_any), where it takes longer.
    ///
    /// # Errors
    /// None comes.
    pub fn get_any_within(
        &mut self,
        wanted: &[(&str, &str)],
        patience: Duration,
    ) -> Result<(usize, String), Stuck> {
        let until = self.world.now.mono + if self.fair { patience } else { patience + FOUL };
        loop {
            let found = wanted.iter().enumerate();
            for (which, (at, what)) in found {
                if let Some(text) = self.take(at, what) {
                    return Ok((which, text));
                }
            }
            if self.world.now.mono >= until {
                return Err(Stuck(format!("none of {wanted:?}")));
            }
            self.step(until);
        }
    }

    /// Something is asked for until it is not refused as coming in the middle of something else (491, RFC 3261 §14.1), which
    /// happens in foul weather only: what comes of it at the phone that is named.
    ///
    /// # Errors
    /// It does not come.
    pub fn insist(&mut self, at: &str, mut ask: impl FnMut() -> Msg, (to, what): (&str, &str)) -> Heard {
        for _ in 0..4 {
            let request = ask();
            self.send(at, &request);
            let pending = format!("491 {}", method(&request.text()));
            match self.get_any(&[(to, what), (at, &pending)])? {
                (0, heard) => return Ok(heard),
                _ if self.fair => return Err(Stuck(pending)),
                (_, refusal) if pending.ends_with("INVITE") => {
                    self.send(at, &Msg::of_invite("ACK", &request).set("To", &field(&refusal, "To")));
                }
                _ => {}
            }
            // As who owns the Call-ID, at most.
            self.pass(Duration::from_secs(4));
        }
        Err(Stuck(format!("no {what} at {to}, but 491 again and again")))
    }

    fn take(&mut self, at: &str, what: &str) -> Option<String> {
        let address: SocketAddr = at.parse().unwrap();
        let found = self.inbox.iter().position(|(to, text)| *to == address && is(text, what))?;
        Some(self.inbox.remove(found).1)
    }

    /// A message that is sent once only, and may be lost in foul weather.
    ///
    /// # Errors
    /// It does not come in fair weather.
    pub fn hear(&mut self, at: &str, what: &str) -> Played {
        self.perhaps(at, what).map(drop)
    }

    /// The same, if it comes.
    ///
    /// # Errors
    /// It does not come in fair weather.
    pub fn perhaps(&mut self, at: &str, what: &str) -> Result<Option<String>, Stuck> {
        match self.wait(at, what, if self.fair { FAIR } else { ONCE }) {
            Ok(text) => Ok(Some(text)),
            Err(stuck) if self.fair => Err(stuck),
            Err(_) => Ok(None),
        }
    }

    /// No message like that comes now.
    ///
    /// # Errors
    /// One does.
    pub fn no(&mut self, at: &str, what: &str) -> Played {
        self.pass(FAIR);
        self.take(at, what).map_or(Ok(()), |text| Err(Stuck(format!("at {at}: {text}"))))
    }

    /// A phone sends once more what it has sent.
    pub fn again(&mut self, at: &str, msg: &Msg) {
        self.transmit(at.parse().unwrap(), &msg.text());
    }

    /// Whether every message arrives in time.
    pub fn is_fair(&self) -> bool {
        self.fair
    }

    fn wait(&mut self, at: &str, what: &str, patience: Duration) -> Heard {
        let until = self.world.now.mono + patience;
        loop {
            if let Some(text) = self.take(at, what) {
                return Ok(text);
            }
            if self.world.now.mono >= until {
                let came = self.inbox.iter().map(|(to, text)| format!("{to} {}", start(text)));
                return Err(Stuck(format!("no {what} at {at}, but {:#?}", came.collect::<Vec<_>>())));
            }
            self.step(until);
        }
    }

    /// Some time passes.
    pub fn pass(&mut self, time: Duration) {
        let until = self.world.now.mono + time;
        while self.world.now.mono < until {
            self.step(until);
        }
    }

    /// To the next moment in which something happens.
    fn step(&mut self, until: Mono) {
        let now = self.world.now.mono;
        let lines = self.lines.values().filter_map(Line::next);
        let next = lines.chain(self.world.next_event()).chain([until]).min().unwrap_or(until);
        self.world.run_for(next.min(until).max(now).since(now));
        for datagram in std::mem::take(&mut self.world.mail) {
            self.came(datagram.to, &datagram.text());
        }
        let now = self.world.now.mono;
        let due = self.lines.iter_mut().map(|(at, line)| (*at, line.due(now, &at.to_string())));
        for (at, texts) in due.collect::<Vec<_>>() {
            for text in texts {
                // A BYE of its own is a new request.
                match text.starts_with("BYE ")
                    && !self.lines.get(&at).is_some_and(|line| line.has_sent(&text))
                {
                    true => self.send_text(at, &text),
                    false => self.transmit(at, &text),
                }
            }
        }
    }

    fn came(&mut self, at: SocketAddr, text: &str) {
        if self.deaf.contains(&at) {
            return;
        }
        let (again, is_new) = self.lines.entry(at).or_default().came(text);
        if let Some(again) = again {
            self.transmit(at, &again);
        }
        if is_new && self.leaving {
            self.leave_to(at, text);
        } else if is_new {
            self.inbox.push((at, text.to_owned()));
        }
    }
}

/// Whether a message is what is waited for.
fn is(text: &str, what: &str) -> bool {
    let (first, of) = what.split_once(' ').unwrap_or((what, ""));
    match status(text) {
        Some(status) => first == status.to_string() && (of.is_empty() || of == method(text)),
        None => first == method(text),
    }
}
