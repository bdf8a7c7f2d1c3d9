//! Phones that a test plays by hand, message by message.

use crate::message::{Msg, find, start};
use crate::world::{World, settings, snapshot};
use b2bua::shard::Command;
use b2bua::snapshot::Secrets;
use bytes::Bytes;
use sip::driver::Core as _;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a played phone waits for a message: a few round trips, less than T1.
const PATIENCE: Duration = Duration::from_millis(60);

impl World {
    /// A played phone sends a message.
    pub fn post(&mut self, from: &str, to: &str, msg: &Msg) {
        self.post_text(from, to, &msg.text());
    }

    /// A played phone sends these bytes.
    pub fn post_text(&mut self, from: &str, to: &str, text: &str) {
        let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
        self.network.send(self.now.mono, from, to, Bytes::copy_from_slice(text.as_bytes()));
    }

    /// The next message for the played phone at that address whose start line begins so; what came before it stays
    /// unread.
    pub fn expect(&mut self, at: &str, what: &str) -> String {
        self.expect_within(at, what, PATIENCE)
    }

    /// As [`expect`](Self::expect), with another patience.
    pub fn expect_within(&mut self, at: &str, what: &str, patience: Duration) -> String {
        let address: SocketAddr = at.parse().unwrap();
        let fits = |world: &Self| {
            world.mail.iter().position(|d| d.to == address && start(&d.text()).starts_with(what))
        };
        let mut left = patience;
        loop {
            if let Some(found) = fits(self) {
                return self.mail.remove(found).text();
            }
            let step = left.min(Duration::from_millis(5));
            if step.is_zero() {
                let came: Vec<_> =
                    self.mail.iter().map(|d| format!("{} {}", d.to, start(&d.text()))).collect();
                panic!("no {what} at {at}, but {came:#?}");
            }
            self.run_for(step);
            left -= step;
        }
    }

    /// The next message for any played phone whose start line begins so.
    pub fn expect_anywhere(&mut self, what: &str) -> String {
        self.run_for(PATIENCE / 3);
        let found = self.mail.iter().position(|d| start(&d.text()).starts_with(what));
        let found = found.unwrap_or_else(|| panic!("no {what} anywhere"));
        self.mail.remove(found).text()
    }

    /// No message like that waits for the played phone, nor comes now.
    pub fn expect_no(&mut self, at: &str, what: &str) {
        self.run_for(PATIENCE);
        let address: SocketAddr = at.parse().unwrap();
        let found = self.mail.iter().find(|d| d.to == address && start(&d.text()).starts_with(what));
        assert!(found.is_none(), "{}", found.unwrap().text());
    }

    /// Everything that came to an address and was not read.
    pub fn unread(&self, at: &str) -> Vec<String> {
        let address: SocketAddr = at.parse().unwrap();
        self.mail.iter().filter(|d| d.to == address).map(|d| d.text()).collect()
    }

    /// Everything that Liaison has sent to an address.
    pub fn sent_to(&self, at: &str) -> Vec<String> {
        let address: SocketAddr = at.parse().unwrap();
        self.network.log.iter().filter(|d| d.to == address).map(|d| d.text()).collect()
    }

    /// A played phone answers a request with a plain 200.
    pub fn ok(&mut self, at: &str, to: &str, request: &str) {
        let tag = find(request, "To").filter(|to| to.contains(";tag=")).map_or("late", |_| "");
        self.post(at, to, &Msg::response(request, 200, tag));
    }

    /// Gives the shard an order, at once.
    pub fn command(&mut self, command: Command) {
        assert!(self.commands.try_send(command).is_ok());
        let _ = self.core.handle_wake(self.now);
        self.flush();
    }

    /// Puts another document in force, with these passwords.
    pub fn reload(&mut self, document: &str, secrets: Secrets) {
        let next = snapshot(document, secrets, 2);
        let sip = settings(&next);
        for (shard, inbox) in std::iter::once(&self.commands).chain(&self.orders).enumerate() {
            assert!(inbox.try_send(Command::Adopt(next.clone(), Box::new(sip.clone()))).is_ok(), "{shard}");
        }
        let now = self.now;
        for core in self.cores_mut() {
            let _ = core.handle_wake(now);
        }
        self.flush();
    }

    /// Everything is given back within 64*T1 + 5 s, and the last given-up deadline a minute later.
    pub fn must_forget(&mut self, what: &str) {
        self.run_for(Duration::from_secs(37));
        self.must_be_empty(what);
        self.run_for(Duration::from_secs(64));
        assert_eq!(self.gauges().sip, sip::Gauges::default(), "{what}");
    }

    /// Nothing is held but given-up deadlines.
    pub fn must_be_empty(&self, what: &str) {
        let gauges = self.gauges();
        assert_eq!(gauges.calls, 0, "{what}");
        assert_eq!(sip::Gauges { timers: 0, ..gauges.sip }, sip::Gauges::default(), "{what}");
        assert_eq!(self.lent(), 0, "{what}: media ports");
        assert_eq!(gauges.records, 0, "{what}");
    }
}
