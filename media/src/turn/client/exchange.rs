//! Requests that have no answer yet (RFC 8489 §6.2).

use super::{Ask, Client, Failure, State};

/// The first timeout.
const RTO_MILLIS: u64 = 500;
/// How long a connection's answer is waited for.
const RELIABLE_MILLIS: u64 = 5_000;
/// How often what nobody waits for longer is sent: another server is tried after 3.5 s.
const SENDS: u32 = 3;
/// The same for what keeps an allocation.
const PATIENT_SENDS: u32 = 5;

/// A request.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: [u8; 12],
    pub(super) ask: Ask,
    octets: Vec<u8>,
    sent: u32,
    due: u64,
}

impl Exchange {
    pub(super) fn due(&self) -> u64 {
        self.due
    }
}

impl Client {
    /// Sends a request.
    pub(super) fn ask(&mut self, ask: Ask, now: u64) {
        let drawn = self.chance.next().to_be_bytes();
        let id: [u8; 12] = drawn.first_chunk().copied().unwrap_or_default();
        let octets = self.write(ask, &id);
        self.out.push_back(octets.clone());
        // One of a kind at a time: there are as many as there are channels, and three more.
        self.exchanges.retain(|exchange| exchange.ask != ask);
        let wait = if self.reliable { RELIABLE_MILLIS } else { RTO_MILLIS };
        self.exchanges.push(Exchange { id, ask, octets, sent: 1, due: now + wait });
    }

    /// Repeats what is due, and gives up what has had time enough.
    pub(super) fn repeat(&mut self, now: u64) {
        let mut given_up = Vec::new();
        for exchange in self.exchanges.iter_mut().filter(|exchange| exchange.due <= now) {
            let most = match exchange.ask {
                _ if self.reliable => 1,
                Ask::Allocate | Ask::Mapping | Ask::End => SENDS,
                Ask::Refresh | Ask::Bind(..) => PATIENT_SENDS,
            };
            if exchange.sent >= most {
                given_up.push(exchange.ask);
                continue;
            }
            self.out.push_back(exchange.octets.clone());
            exchange.due = now + (RTO_MILLIS << exchange.sent.min(6));
            exchange.sent += 1;
        }
        for ask in given_up {
            self.exchanges.retain(|exchange| exchange.ask != ask);
            match ask {
                Ask::Bind(_, peer) => self.barred(peer),
                Ask::End if self.state == State::Ending => self.state = State::Over,
                Ask::End | Ask::Allocate | Ask::Refresh | Ask::Mapping => self.over(Failure::Silent),
            }
        }
    }
}
