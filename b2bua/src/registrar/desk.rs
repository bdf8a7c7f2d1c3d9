//! Where REGISTERs wait, for those before them and for the store; and ends that an operator wants, for the store.

use super::row::{self, FlowRow};
use crate::store::{Table, Write};
use sip::Flow;
use sip::ids::Ids;
use sip::registration::server::{
    Aor, Binding, Change, ContactEvent, Demand, Instance, Plan, Refusal, Registrar, Terms,
};
use sip::time::Now;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// REGISTERs for one address-of-record that may wait for the one whose bindings are being kept.
const WAITING: usize = 8;

/// What follows from a REGISTER, from an end, or from news of the store.
#[derive(Debug)]
pub(crate) enum Outcome<I> {
    /// Nothing yet: this row is to be kept, and [`Desk::kept`] told of it under this number.
    Keep(u64, Write),
    /// Nothing yet: others are served before it.
    Waits,
    /// It is served.
    Served(Box<Served<I>>),
    /// It is refused.
    Refused(I, Refusal),
    /// Its bindings could not be kept: 500 (RFC 3261 §10.3 step 7). Those of before stand.
    NotKept(I, Aor),
    /// Too many wait for this address-of-record: 503.
    Crowded(I),
    /// What [`Desk::end`] numbered so is done: nothing is bound any more. What has changed, unless all had ended meanwhile.
    Ended(u64, Option<Change>),
    /// What [`Desk::end`] numbered so is not done: the row could not be taken out, and the bindings stand.
    NotEnded(u64, Aor),
}

/// A REGISTER that gets its 200.
#[derive(Debug)]
pub(crate) struct Served<I> {
    /// Its name for the answer.
    pub(crate) id: I,
    /// What it asked.
    pub(crate) demand: Demand,
    /// What is bound now.
    pub(crate) plan: Plan,
    /// What has changed, if anything has.
    pub(crate) change: Option<Change>,
}

struct Waiting<I> {
    id: I,
    demand: Demand,
    rules: Rules,
}

/// How a REGISTER is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// What it may have.
    pub(crate) terms: Terms,
    /// Whether its bindings are kept.
    pub(crate) keep: bool,
}

/// What waits for the store.
enum Pending<I> {
    /// A REGISTER.
    Register(Box<Planned<I>>),
    /// The end of all bindings of an address-of-record.
    End(Aor),
}

struct Planned<I> {
    id: I,
    demand: Demand,
    plan: Plan,
}

/// The registrar of a shard and those who wait for it; `I` names a REGISTER for its answer.
pub(crate) struct Desk<I> {
    registrar: Registrar,
    /// What waits for the store, by its number.
    pending: HashMap<u64, Pending<I>, ahash::RandomState>,
    /// Who waits for an address-of-record that is in `pending`.
    waiting: HashMap<Aor, VecDeque<Waiting<I>>, ahash::RandomState>,
    tickets: u64,
}

impl<I> Desk<I> {
    pub(crate) fn new(registrar: Registrar, hasher: &ahash::RandomState) -> Self {
        Self {
            registrar,
            pending: HashMap::with_hasher(hasher.clone()),
            waiting: HashMap::with_hasher(hasher.clone()),
            tickets: 0,
        }
    }

    /// The bindings.
    pub(crate) fn registrar(&mut self) -> &mut Registrar {
        &mut self.registrar
    }

    /// The same, to look at.
    pub(crate) fn read(&self) -> &Registrar {
        &self.registrar
    }

    /// REGISTERs and ends that wait, for the store or for others.
    pub(crate) fn waiting(&self) -> usize {
        self.pending.len() + self.waiting.values().map(VecDeque::len).sum::<usize>()
    }

    /// Whether bindings of that address-of-record are being kept at this moment.
    pub(crate) fn is_busy(&self, aor: &Aor) -> bool {
        self.waiting.contains_key(aor)
    }

    /// A REGISTER that may be served.
    pub(crate) fn register(
        &mut self,
        now: Now,
        id: I,
        demand: Demand,
        rules: Rules,
        flow: &dyn Fn(&Flow) -> Option<FlowRow>,
        ids: &mut dyn Ids,
    ) -> Outcome<I> {
        let Some(queue) = self.waiting.get_mut(&demand.aor) else {
            return self.begin(now, Waiting { id, demand, rules }, flow, ids);
        };
        if queue.len() >= WAITING {
            return Outcome::Crowded(id);
        }
        queue.push_back(Waiting { id, demand, rules });
        Outcome::Waits
    }

    fn begin(
        &mut self,
        now: Now,
        one: Waiting<I>,
        flow: &dyn Fn(&Flow) -> Option<FlowRow>,
        ids: &mut dyn Ids,
    ) -> Outcome<I> {
        let Waiting { id, demand, rules } = one;
        let plan = match self.registrar.plan(now, &demand, &rules.terms, ids) {
            Ok(plan) => plan,
            Err(refusal) => return Outcome::Refused(id, refusal),
        };
        if !plan.changes() {
            return Outcome::Served(Box::new(Served { id, demand, plan, change: None }));
        }
        if !rules.keep {
            let change = Some(self.registrar.commit(plan.clone()));
            return Outcome::Served(Box::new(Served { id, demand, plan, change }));
        }
        let Some(write) = row_of(&plan.aor, &plan.bindings, &plan.instances, flow) else {
            return Outcome::NotKept(id, plan.aor);
        };
        self.tickets += 1;
        self.waiting.entry(plan.aor.clone()).or_default();
        self.pending.insert(self.tickets, Pending::Register(Box::new(Planned { id, demand, plan })));
        Outcome::Keep(self.tickets, write)
    }

    /// Ends all bindings of an address-of-record that is not busy, once its row is taken out: [`Desk::kept`] is to be told of
    /// that under this number.
    pub(crate) fn end(&mut self, aor: &Aor) -> (u64, Write) {
        self.tickets += 1;
        self.waiting.entry(aor.clone()).or_default();
        self.pending.insert(self.tickets, Pending::End(aor.clone()));
        (self.tickets, removal_of(aor))
    }

    /// News of the store: rows are kept, or not. Whoever waited for that address-of-record is served next.
    pub(crate) fn kept(
        &mut self,
        now: Now,
        ticket: u64,
        kept: bool,
        flow: &dyn Fn(&Flow) -> Option<FlowRow>,
        ids: &mut dyn Ids,
    ) -> Vec<Outcome<I>> {
        let Some(pending) = self.pending.remove(&ticket) else { return Vec::new() };
        let (aor, outcome) = match pending {
            Pending::Register(planned) => {
                let Planned { id, demand, plan } = *planned;
                let aor = plan.aor.clone();
                (aor, self.register_kept(id, demand, plan, kept))
            }
            Pending::End(aor) if kept => {
                let change = self.registrar.end(&aor, ContactEvent::Deactivated, |_| true);
                (aor, Outcome::Ended(ticket, change))
            }
            Pending::End(aor) => (aor.clone(), Outcome::NotEnded(ticket, aor)),
        };
        let mut outcomes = vec![outcome];
        let Some(mut queue) = self.waiting.remove(&aor) else { return outcomes };
        while let Some(next) = queue.pop_front() {
            let outcome = self.begin(now, next, flow, ids);
            let keeps = matches!(outcome, Outcome::Keep(..));
            outcomes.push(outcome);
            if keeps {
                self.waiting.insert(aor, queue);
                break;
            }
        }
        outcomes
    }

    fn register_kept(&mut self, id: I, demand: Demand, plan: Plan, kept: bool) -> Outcome<I> {
        if !kept {
            return Outcome::NotKept(id, plan.aor);
        }
        let change = Some(self.registrar.commit(plan.clone()));
        Outcome::Served(Box::new(Served { id, demand, plan, change }))
    }
}

/// The row that makes bindings outlive the process, without any its removal; `None` where one's flow has no words.
pub(super) fn row_of(
    aor: &Aor,
    bindings: &[Arc<Binding>],
    instances: &[Instance],
    flow: &dyn Fn(&Flow) -> Option<FlowRow>,
) -> Option<Write> {
    if bindings.is_empty() {
        return Some(removal_of(aor));
    }
    let value = Some(row::write(bindings, instances, flow)?);
    Some(Write { value, ..removal_of(aor) })
}

/// Takes the row of an address-of-record out.
pub(super) fn removal_of(aor: &Aor) -> Write {
    Write { table: Table::Registrations, key: aor.as_str().as_bytes().into(), value: None }
}
