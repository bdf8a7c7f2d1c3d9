//! What happens after a script: phones that nobody plays any more answer what they are asked, and hang up.

use super::Stage;
use super::line::{Line, method};
use crate::message::start;
use crate::network::Happened;
use std::net::SocketAddr;
use std::time::Duration;

/// No ACK comes for 64*T1, then no answer to BYE for as long, and one message came late.
const REST: Duration = Duration::from_secs(110);

/// A BYE is answered in 64*T1 or not at all.
const BYE: Duration = Duration::from_secs(40);

/// A few round trips, of which none is lost.
const ASKING: Duration = Duration::from_millis(100);

/// What has to hold at the end of a run.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The node has died, and another life of it begun, which tells who asks only: who has a dialog with the life before asks first.
    pub died: bool,
    /// Every request has been answered; not where all its repetitions may be lost.
    pub answered: bool,
}

impl End {
    /// Where nothing was wrong.
    pub const FAIR: Self = Self { died: false, answered: true };
}

impl Stage {
    /// A phone that nobody plays gets a message.
    pub(super) fn leave_to(&mut self, at: SocketAddr, text: &str) {
        let Some(line) = self.lines.get_mut(&at) else { return };
        let mut texts = line.leftovers(&at.to_string());
        if method(text) == "CANCEL" && !text.starts_with("SIP/2.0") {
            texts.extend(line.cancelled(text));
        }
        texts.iter().for_each(|text| self.send_text(at, text));
    }

    fn everybody(&self) -> Vec<SocketAddr> {
        self.lines.keys().copied().collect()
    }

    /// Dialogs that phones still have.
    fn alive(&self) -> usize {
        self.lines.values().flat_map(|line| &line.dialogs).filter(|dialog| !dialog.over).count()
    }

    /// Both legs of each call stand, or neither.
    fn agree(&self) {
        let (alive, calls) = (self.alive(), self.world.gauges().calls);
        assert_eq!(alive, 2 * calls, "dialogs that phones have, and legs of calls here");
    }

    /// Who has a dialog with a life of the node that is over asks for something in it, and is told that there is no such dialog.
    fn learn(&mut self) {
        let story = self.world.network.story.iter().take_while(|happened| **happened != Happened::Reborn);
        let before = story.filter_map(|happened| match happened {
            Happened::Sent(n) => Some(self.world.network.log[*n].text()),
            Happened::Arrived(_) | Happened::Reborn => None,
        });
        let before: Vec<_> = before.collect();
        let mut methods = ["OPTIONS", "UPDATE", "INVITE", "INFO", "REFER", "BYE"].into_iter().cycle();
        for at in self.everybody() {
            for n in 0..self.lines[&at].dialogs.len() {
                let dialog = &self.lines[&at].dialogs[n];
                let is_old = before.iter().any(|text| text.contains(&dialog.theirs));
                if dialog.over || !is_old {
                    continue;
                }
                let method = methods.next().unwrap_or("OPTIONS");
                let asks = self.lines.get_mut(&at).map(|line| line.ask(&at.to_string(), n, method));
                asks.into_iter().for_each(|text| self.send_text(at, &text));
                self.pass(ASKING);
                assert!(self.lines[&at].dialogs[n].over, "a {method} to a life that is over, and no 481");
            }
        }
    }

    /// The phones are left to themselves: what they were asked they refuse, and then they hang up. Nothing stays behind.
    pub fn leave(&mut self, end: End) {
        self.leaving = true;
        self.inbox.clear();
        for at in self.everybody() {
            let left = self.lines.get_mut(&at).map(|line| line.leftovers(&at.to_string()));
            left.into_iter().flatten().for_each(|text| self.send_text(at, &text));
        }
        self.pass(REST);
        if end.died {
            self.learn();
        }
        self.agree();
        if end.answered {
            let unanswered: Vec<_> =
                self.lines.values().flat_map(|line| &line.unanswered).map(|text| start(text)).collect();
            assert!(unanswered.is_empty(), "requests that got no answer: {unanswered:?}");
        }
        while let Some((at, n)) = self.lines.iter().find_map(|(at, line)| Some((*at, line.alive()?))) {
            let bye = self.lines.get_mut(&at).map(|line: &mut Line| line.ask(&at.to_string(), n, "BYE"));
            bye.into_iter().for_each(|bye| self.send_text(at, &bye));
            self.pass(BYE);
            assert!(self.lines[&at].dialogs[n].over, "a BYE that got no answer");
            self.agree();
        }
        self.world.must_forget("after the script");
        let mail: Vec<_> = self.world.mail.iter().map(|datagram| datagram.text()).collect();
        assert!(mail.is_empty(), "said after the end: {mail:#?}");
    }
}
