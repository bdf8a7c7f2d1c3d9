//! Whether Liaison keeps to the rules of SIP in all that it sends: those of transactions and dialogs, of acknowledging, of offers and
//! answers, and of session timers. Each rule knows what has come and what was sent so far, in the order in which it was, and nothing of
//! what a life of the node before knew.

mod acks;
mod dialogs;
mod offers;
mod origins;
mod reliable;
mod said;
#[cfg(test)]
mod tests;
mod timers;
mod transactions;

use crate::network::{Happened, Network};
use crate::world::{INSIDE, OUTSIDE};
use said::Said;
use sip::time::Mono;
use std::time::Duration;

/// 64*T1: how long an INVITE's answers may come, and a server transaction outlives its final response.
const LIFETIME: Duration = Duration::from_secs(32);

/// What is wrong: the rule that a message breaks, and the message.
type Faults = Vec<String>;

/// Something that all that is said has to keep to.
trait Rule {
    /// Liaison says something.
    fn sent(&mut self, said: &Said, faults: &mut Faults);

    /// Something comes to it.
    fn came(&mut self, said: &Said, faults: &mut Faults);

    /// Nothing more comes.
    fn end(&mut self, faults: &mut Faults);
}

fn rules() -> Vec<Box<dyn Rule>> {
    vec![
        Box::<transactions::Transactions>::default(),
        Box::<dialogs::Dialogs>::default(),
        Box::<acks::Acks>::default(),
        Box::<reliable::Reliable>::default(),
        Box::<offers::Offers>::default(),
        Box::<origins::Origins>::default(),
        Box::<timers::Timers>::default(),
    ]
}

fn wrong(faults: &mut Faults, what: &str, said: &Said) {
    faults.push(format!("{what}\n{}", said.text));
}

/// What is wrong with what Liaison has sent; nothing, if all is right.
pub fn faults(network: &Network) -> Vec<String> {
    let ours = [OUTSIDE, INSIDE];
    let is_ours = |address: std::net::SocketAddr| ours.contains(&address.to_string().as_str());
    let (mut faults, mut judges) = (Faults::new(), rules());
    for happened in &network.story {
        let (datagram, sent) = match happened {
            Happened::Sent(n) => (&network.log[*n], true),
            Happened::Arrived(n) => (&network.arrived[*n], false),
            Happened::Reborn => {
                judges = rules();
                continue;
            }
        };
        if !is_ours(if sent { datagram.from } else { datagram.to }) {
            continue;
        }
        let at: Mono = if sent { network.sent_at(datagram) } else { datagram.at };
        let said = Said::new(at, sent, datagram.text());
        for judge in &mut judges {
            match sent {
                true => judge.sent(&said, &mut faults),
                false => judge.came(&said, &mut faults),
            }
        }
    }
    judges.iter_mut().for_each(|judge| judge.end(&mut faults));
    faults
}
