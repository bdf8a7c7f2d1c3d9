//! One look-up: from a name to targets in order (RFC 3263 §4).
//!
//! ```text
//!            no port, no transport          no port
//!   begin ──────► NAPTR ─────────┬────────► SRV ◄──────── begin, transport written
//!                 service found, or none:   │ hosts, or none: the name itself
//!                 each transport of ours    ▼
//!   begin, port written ────────────────► A, AAAA ──► targets
//! ```
//! Every stage asks its questions at once and waits for all answers. A stage follows another in this direction only,
//! and each asks a bounded number of questions, so that no records lead into a loop.

use super::found::{Found, Holding, Told};
use super::hop::NextHop;
use super::records::{Answer, Naptr, Question, RecordKind, Srv};
use super::settings::Limits;
use super::target::{Family, Reach, Target};
use super::{service, weights};
use crate::event::Unreachable;
use crate::flow::Transport;
use crate::ids::Ids;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What a look-up wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Answers to these.
    Ask(Vec<Question>),
    /// Nothing more: targets in order, at least one.
    Found(Vec<Target>),
    /// Nothing more: there is no way.
    Failed(Unreachable),
}

/// A look-up under way.
#[derive(Debug)]
pub(crate) struct Lookup {
    hop: NextHop,
    name: Box<str>,
    reach: Reach,
    stage: Stage,
    /// Questions of the stage without an answer.
    open: Vec<Question>,
    /// The other questions of the stage.
    answers: Vec<(Question, Arc<Answer>)>,
    /// All that was answered.
    told: Vec<Told>,
}

#[derive(Debug)]
enum Stage {
    Naptr,
    Srv(Vec<(Transport, Question)>),
    Address(Vec<Spot>),
}

/// A host to reach, with port and transport.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    transport: Transport,
    host: Box<str>,
    port: u16,
}

impl Lookup {
    /// Begins to look `name`, the host of `hop`, up for a network with that reach.
    pub(crate) fn begin(hop: NextHop, name: Box<str>, reach: Reach) -> (Self, Step) {
        let (open, answers, told) = (Vec::new(), Vec::new(), Vec::new());
        let mut lookup = Self { hop, name, reach, stage: Stage::Naptr, open, answers, told };
        let step = match (lookup.hop.port, lookup.hop.transport) {
            _ if is_invalid(&lookup.name) => Step::Failed(Unreachable::NoAddress),
            (Some(port), _) => lookup.ask_name(None, Some(port)),
            (None, Some(transport)) => lookup.ask_services(Vec::from_iter(lookup.srv(transport))),
            (None, None) => {
                lookup.open = vec![Question::new(RecordKind::Naptr, &lookup.name)];
                Step::Ask(lookup.open.clone())
            }
        };
        (lookup, step)
    }

    /// An answer has come; the next step, once it is the last one of its stage.
    pub(crate) fn answered(
        &mut self,
        question: &Question,
        holds: &Holding,
        limits: &Limits,
        chance: &mut dyn Ids,
    ) -> Option<Step> {
        let at = self.open.iter().position(|open| open == question)?;
        let question = self.open.swap_remove(at);
        self.told.push(Told { question: question.clone(), holds: holds.clone() });
        self.answers.push((question, Arc::clone(&holds.answer)));
        self.open.is_empty().then(|| {
            let answers = std::mem::take(&mut self.answers);
            match std::mem::replace(&mut self.stage, Stage::Naptr) {
                Stage::Naptr => self.services(&answers, limits),
                Stage::Srv(services) => self.hosts(&services, &answers, limits, chance),
                Stage::Address(spots) => self.targets(&spots, &answers, limits),
            }
        })
    }

    /// What was asked and answered.
    pub(crate) fn into_found(self) -> Found {
        Found { name: self.name, questions: self.told, open: self.open, targets: Vec::new() }
    }

    /// What the NAPTR records lead to (RFC 3263 §4.1).
    fn services(&mut self, answers: &[(Question, Arc<Answer>)], limits: &Limits) -> Step {
        if all_silent(answers) {
            return Step::Failed(Unreachable::NameServer);
        }
        let records = answers.iter().flat_map(|(_, answer)| answer.naptr()).take(limits.records);
        let mut fitting: Vec<(&Naptr, Transport)> =
            records.filter_map(|record| Some((record, self.fits(record)?))).collect();
        fitting.sort_by_key(|(record, _)| (record.order, record.preference));
        let best = fitting.first().map(|(record, _)| record.order);
        let mut services: Vec<(Transport, Question)> = Vec::new();
        for (record, transport) in fitting.iter().take_while(|(record, _)| Some(record.order) == best) {
            let service = (*transport, Question::new(RecordKind::Srv, &record.replacement));
            if !services.contains(&service) && services.len() < limits.hosts {
                services.push(service);
            }
        }
        if services.is_empty() {
            let ours = self.reach.transports().filter(|t| t.is_secure() == self.hop.secure);
            services = ours.filter_map(|transport| self.srv(transport)).collect();
        }
        self.ask_services(services)
    }

    /// The transport that a NAPTR record offers, if it is one of ours that will do.
    fn fits(&self, record: &Naptr) -> Option<Transport> {
        let usable = record.flags.eq_ignore_ascii_case("s") && !is_root(&record.replacement);
        self.reach.transports().filter(|_| usable).find(|transport| {
            service::of(*transport).is_some_and(|service| {
                record.service.eq_ignore_ascii_case(service.naptr) && (service.secure || !self.hop.secure)
            })
        })
    }

    fn srv(&self, transport: Transport) -> Option<(Transport, Question)> {
        let name = format!("{}.{}", service::of(transport)?.srv, self.name);
        Some((transport, Question::new(RecordKind::Srv, &name)))
    }

    fn ask_services(&mut self, services: Vec<(Transport, Question)>) -> Step {
        let reached = |transport: &Transport| !self.reach.families(*transport).is_empty();
        if !services.iter().any(|(transport, _)| reached(transport)) {
            return Step::Failed(self.hop.without_listener());
        }
        self.ask(services.iter().map(|(_, question)| question.clone()).collect(), Stage::Srv(services))
    }

    /// What the SRV records lead to (RFC 3263 §4.2, RFC 2782).
    fn hosts(
        &mut self,
        services: &[(Transport, Question)],
        answers: &[(Question, Arc<Answer>)],
        limits: &Limits,
        chance: &mut dyn Ids,
    ) -> Step {
        if all_silent(answers) {
            return Step::Failed(Unreachable::NameServer);
        }
        let (mut spots, mut denied) = (Vec::new(), false);
        for (transport, question) in services {
            let records = answer_to(answers, question).map_or(&[][..], Answer::srv);
            // RFC 2782: a single record for the root says that the service is not there.
            denied |= matches!(records, [only] if is_root(&only.target));
            for record in weights::order(records, limits.records, chance).into_iter().filter(is_sound) {
                spots.push(Spot { transport: *transport, host: record.target, port: record.port });
            }
        }
        spots.truncate(limits.hosts);
        match services.first() {
            _ if !spots.is_empty() => self.ask_addresses(spots),
            _ if denied => Step::Failed(Unreachable::NoAddress),
            // The transport of a NAPTR record without SRV records, the one that was asked for, or the only one of ours.
            Some((transport, _)) if services.len() == 1 => self.ask_name(Some(*transport), None),
            _ => self.ask_name(None, None),
        }
    }

    /// Asks for the addresses of the name itself.
    fn ask_name(&mut self, transport: Option<Transport>, port: Option<u16>) -> Step {
        let transport = transport.unwrap_or_else(|| self.hop.default_transport());
        let port = port.unwrap_or_else(|| transport.default_port());
        self.ask_addresses(vec![Spot { transport, host: self.name.clone(), port }])
    }

    fn ask_addresses(&mut self, spots: Vec<Spot>) -> Step {
        let of = |spot: &Spot| {
            let families = self.reach.families(spot.transport).iter();
            families.map(|family| Question::new(kind(*family), &spot.host)).collect::<Vec<_>>()
        };
        let questions: Vec<Question> = spots.iter().flat_map(of).collect();
        if questions.is_empty() {
            return Step::Failed(self.hop.without_listener());
        }
        self.ask(questions, Stage::Address(spots))
    }

    /// Asks each question once.
    fn ask(&mut self, questions: Vec<Question>, stage: Stage) -> Step {
        self.stage = stage;
        self.open.clear();
        for question in questions {
            if !self.open.contains(&question) {
                self.open.push(question);
            }
        }
        Step::Ask(self.open.clone())
    }

    /// The addresses of the hosts, host by host, each family in the order of the network's listeners.
    fn targets(&self, spots: &[Spot], answers: &[(Question, Arc<Answer>)], limits: &Limits) -> Step {
        let mut targets: Vec<Target> = Vec::new();
        for (host, spot) in (0..=u16::MAX).zip(spots) {
            let addresses = self.reach.families(spot.transport).iter().flat_map(|family| {
                let answer = answer_to(answers, &Question::new(kind(*family), &spot.host));
                answer.map_or(&[][..], Answer::addresses)
            });
            for address in addresses.filter(|address| is_usable(address)).take(limits.addresses) {
                let address = SocketAddr::new(*address, spot.port);
                let known = |t: &Target| t.address == address && t.transport == spot.transport;
                if !targets.iter().any(known) {
                    let domain = self.hop.domain.clone().filter(|_| spot.transport.is_secure());
                    targets.push(Target { transport: spot.transport, address, host, domain });
                }
            }
        }
        targets.truncate(limits.targets);
        let untold = || answers.iter().any(|(_, answer)| !answer.is_told());
        match targets.is_empty() {
            false => Step::Found(targets),
            true if untold() => Step::Failed(Unreachable::NameServer),
            true => Step::Failed(Unreachable::NoAddress),
        }
    }
}

/// Whether nobody has that name, and no name server is to be asked for it (RFC 6761 §6.4): so user agents call themselves that
/// have no address (RFC 7118 §5).
fn is_invalid(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|label| label.eq_ignore_ascii_case("invalid"))
}

fn kind(family: Family) -> RecordKind {
    match family {
        Family::V4 => RecordKind::A,
        Family::V6 => RecordKind::Aaaa,
    }
}

fn answer_to<'a>(answers: &'a [(Question, Arc<Answer>)], question: &Question) -> Option<&'a Answer> {
    answers.iter().find(|(asked, _)| asked == question).map(|(_, answer)| &**answer)
}

/// Whether the name servers are out of reach. An error is an answer: there are those that know no NAPTR.
fn all_silent(answers: &[(Question, Arc<Answer>)]) -> bool {
    answers.iter().all(|(_, answer)| matches!(**answer, Answer::Silent))
}

fn is_root(name: &str) -> bool {
    matches!(name, "" | ".")
}

/// Whether an SRV record says where something is: a host that is a name (RFC 2782), and a port.
fn is_sound(record: &Srv) -> bool {
    !is_root(&record.target) && record.port != 0 && record.target.parse::<IpAddr>().is_err()
}

/// Whether an address can be one host's.
fn is_usable(address: &IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !broadcast
}

#[cfg(test)]
mod tests;
