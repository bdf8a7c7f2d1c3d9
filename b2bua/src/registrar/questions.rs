//! Flows of datagrams of which ICMP says that they are lost.
//!
//! Anybody can send such a packet who knows two addresses, and what it quotes proves little. So it is no more than a reason to
//! ask: an OPTIONS goes out on the flow, and again, and whatever comes from its peer within the time that RFC 5626 §4.4.1
//! gives a pong shows that it stands. Further packets change nothing, be they ever so many.

use super::flows::Line;
use crate::shard::Core;
use sip::Flow;
use sip::time::{Mono, Now};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a flow may take to show that it stands (RFC 5626 §4.4.1).
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is asked: a further ICMP packet may have ended the transaction before, and with it its repetitions.
const AGAIN: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
struct Question {
    ends: Mono,
    next: Mono,
}

/// Flows that are asked. There are no more than flows of bindings.
#[derive(Default)]
pub(super) struct Questions(BTreeMap<Line, Question>);

impl Questions {
    /// When something is to be done next.
    pub(super) fn next(&self) -> Option<Mono> {
        self.0.values().map(|question| question.next).min()
    }
}

impl Core {
    /// ICMP says that datagrams do not arrive on a flow.
    pub(crate) fn flow_in_question(&mut self, now: Now, line: Line) {
        let flows = &mut self.office.flows;
        if flows.on(line).next().is_none() || flows.questions.0.contains_key(&line) {
            return;
        }
        let question = Question { ends: now.mono + PATIENCE, next: now.mono + AGAIN };
        flows.questions.0.insert(line, question);
        self.counters.flows_questioned += 1;
        self.ask_flow(now, line);
    }

    /// Something has come on a flow: it stands.
    pub(crate) fn flow_stands(&mut self, flow: &Flow) {
        let questions = &mut self.office.flows.questions.0;
        if !questions.is_empty() && flow.connection.is_none() {
            questions.remove(&Line::Datagrams(flow.listener, flow.peer));
        }
    }

    /// Asks again, and gives up what has answered nothing.
    pub(super) fn questions_due(&mut self, now: Now) {
        let questions = &mut self.office.flows.questions.0;
        let due: Vec<(Line, Question)> = questions
            .iter()
            .filter(|(_, question)| question.next <= now.mono)
            .map(|(line, question)| (*line, *question))
            .collect();
        for (line, question) in due {
            if question.ends <= now.mono {
                self.office.flows.questions.0.remove(&line);
                self.flow_lost(now, line);
                continue;
            }
            let next = (now.mono + AGAIN).min(question.ends);
            self.office.flows.questions.0.insert(line, Question { next, ..question });
            self.ask_flow(now, line);
        }
    }
}
