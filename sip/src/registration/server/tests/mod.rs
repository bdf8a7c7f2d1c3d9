//! REGISTERs against one address-of-record, under virtual time.

mod bindings;
mod gruus;
mod model;
mod outbound;
mod path;
mod secure;

use super::*;
use crate::flow::{Flow, ListenerId};
use crate::ids::tests::Seeded;
use crate::received::Received;
use crate::time::{Mono, Now, Wall};
use sip_types::{Fields, HeaderName, Message};
use std::sync::Arc;
use std::time::Duration;

/// What user agents that number a flow are told.
const FLOW_TIMER: Duration = Duration::from_secs(25);

/// A registrar whose user agents write REGISTERs by hand.
struct Desk {
    registrar: Registrar,
    terms: Terms,
    keys: GruuKeys,
    ids: Seeded,
    seconds: u64,
}

impl Desk {
    fn new() -> Self {
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        Self {
            registrar: Registrar::new(Limits::default(), Arc::new(Directory::new(&hasher))),
            terms: Terms::default(),
            keys: GruuKeys::new(&[7; 16], &[9; 32]),
            ids: Seeded(5),
            seconds: 0,
        }
    }

    fn now(&self) -> Now {
        Now {
            mono: Mono::from_epoch(Duration::from_secs(self.seconds)),
            wall: Wall((1_700_000_000 + self.seconds) * 1000),
        }
    }

    fn plan(&mut self, request: &Received) -> Result<(Demand, Plan), Refusal> {
        let demand = Demand::read(request, false)?;
        let plan = self.registrar.plan(self.now(), &demand, &self.terms, &mut self.ids)?;
        Ok((demand, plan))
    }

    /// Sends a REGISTER with these lines, and gives the fields of its 200.
    fn register(&mut self, call_id: &str, cseq: u32, lines: &str) -> Result<Fields, Refusal> {
        self.register_for("sip:bob@biloxi.example", call_id, cseq, lines)
    }

    fn register_for(&mut self, to: &str, call_id: &str, cseq: u32, lines: &str) -> Result<Fields, Refusal> {
        self.accept(&received(to, call_id, cseq, lines))
    }

    fn accept(&mut self, request: &Received) -> Result<Fields, Refusal> {
        let (demand, plan) = self.plan(request)?;
        let fields = fields(self.now(), &demand, &plan, Some(&self.keys), FLOW_TIMER, &mut self.ids);
        self.registrar.commit(plan);
        Ok(fields)
    }

    /// What bob has bound.
    fn kept(&self) -> Vec<Arc<Binding>> {
        let record = self.registrar.directory().record(&Aor::from_kept("bob@biloxi.example"));
        record.map(|record| record.bindings.to_vec()).unwrap_or_default()
    }

    /// The contacts of bob, with the seconds that are left, in the order that they would be tried.
    fn bound(&self) -> Vec<(String, u64)> {
        self.resolved("sip:bob@biloxi.example").unwrap()
    }

    /// The contacts of bob's devices, each with all ways to it.
    fn ways(&self) -> Vec<Vec<String>> {
        let uri = "sip:bob@biloxi.example".parse().unwrap();
        let Resolved::Bindings(all) = self.registrar.directory().resolve(self.now(), &uri, &self.keys) else {
            panic!("no GRUU")
        };
        all.iter().map(|device| device.bindings().map(|b| b.uri.to_string()).collect()).collect()
    }

    fn resolved(&self, uri: &str) -> Option<Vec<(String, u64)>> {
        let now = self.now();
        match self.registrar.directory().resolve(now, &uri.parse().unwrap(), &self.keys) {
            Resolved::Bindings(all) => {
                Some(all.iter().map(Target::binding).map(|b| (b.uri.to_string(), b.left(now.wall))).collect())
            }
            Resolved::Void => None,
        }
    }
}

fn received(to: &str, call_id: &str, cseq: u32, lines: &str) -> Received {
    addressed("sip:biloxi.example", to, call_id, cseq, lines)
}

/// A REGISTER with that Request-URI.
fn addressed(uri: &str, to: &str, call_id: &str, cseq: u32, lines: &str) -> Received {
    let vias = if lines.contains("Via:") { "" } else { "Via: SIP/2.0/TCP ua.example;branch=z9hG4bK1\r\n" };
    let lines: String = lines.lines().map(|l| format!("{}\r\n", l.trim())).collect();
    let text = format!(
        "REGISTER {uri} SIP/2.0\r\n{vias}From: <{to}>;tag=1\r\nTo: <{to}>\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} REGISTER\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    let Ok(Message::Request(request)) = Message::parse(text.into(), &sip_types::Limits::default()) else {
        panic!("no request")
    };
    let flow = Flow { listener: ListenerId(0), peer: "192.0.2.9:5060".parse().unwrap(), connection: None };
    Received::read(request, flow).unwrap()
}

fn contacts(fields: &Fields) -> Vec<String> {
    fields.all(HeaderName::Contact).map(|f| String::from_utf8_lossy(f.value()).into_owned()).collect()
}
