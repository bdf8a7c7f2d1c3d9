//! What would become of an address-of-record (RFC 3261 §10.3 steps 6 and 7, RFC 5627 §5.1).

use super::aor::Aor;
use super::binding::{Binding, BindingId};
use super::change::ContactEvent;
use super::demand::{Contacts, Demand, Wish};
use super::directory::Instance;
use super::gruu::InstanceNo;
use super::table::{Registrar, used};
use super::terms::Terms;
use crate::ids::Ids;
use crate::session::{Reply, refusal};
use crate::time::{Now, Wall};
use sip_types::{HeaderName, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// Why a REGISTER is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be followed.
    #[error("{0}")]
    Malformed(&'static str),
    /// To names nobody that we could keep bindings for (RFC 3261 §10.3 step 5).
    #[error("the address-of-record is not to be found")]
    NotFound,
    /// A contact is one that may not be bound (RFC 5627 §5.1).
    #[error("{0}")]
    ContactForbidden(&'static str),
    /// More contacts than may be bound.
    #[error("more contacts than may be bound")]
    TooManyContacts,
    /// More than an answer could list.
    #[error("more than an answer could list")]
    TooMuch,
    /// More Path values than are kept.
    #[error("more Path values than are kept")]
    PathTooLong,
    /// As many addresses-of-record as may be.
    #[error("as many addresses-of-record as may be")]
    Full,
    /// A lifetime below the least; in seconds what that is (RFC 3261 §10.3 step 7).
    #[error("a lifetime below the least")]
    IntervalTooBrief(u32),
    /// An older REGISTER than the one that made the binding (RFC 3261 §10.3 steps 6 and 7).
    #[error("a later REGISTER was there before")]
    OutOfOrder,
    /// The edge that it came by keeps no flows (RFC 5626 §6).
    #[error("the first hop lacks outbound")]
    FirstHopLacksOutbound,
    /// Something was applied to it on its way that its user agent does not support; as Unsupported has it (RFC 3327 §5.3).
    #[error("{0} without its support")]
    BadExtension(&'static str),
    /// Its user agent does not support what must be applied to it; as Require has it (RFC 3261 §21.4.16).
    #[error("without {0}")]
    ExtensionRequired(&'static str),
}

impl Refusal {
    /// The response that says so.
    #[must_use]
    pub fn reply(self) -> Reply {
        match self {
            Self::Malformed(phrase) => refusal(StatusCode::BAD_REQUEST, phrase),
            Self::NotFound => Reply::new(StatusCode::NOT_FOUND),
            Self::ContactForbidden(phrase) => refusal(StatusCode::FORBIDDEN, phrase),
            Self::TooManyContacts => refusal(StatusCode::FORBIDDEN, "Too Many Contacts"),
            Self::TooMuch => refusal(StatusCode::MESSAGE_TOO_LARGE, "Too Much To Be Bound"),
            Self::PathTooLong => refusal(StatusCode::MESSAGE_TOO_LARGE, "Path Too Long"),
            Self::Full => Reply::new(StatusCode::SERVICE_UNAVAILABLE),
            Self::IntervalTooBrief(least) => {
                let mut reply = Reply::new(StatusCode::INTERVAL_TOO_BRIEF);
                reply.parts.fields.push(HeaderName::MinExpires, least.to_string());
                reply
            }
            Self::OutOfOrder => refusal(StatusCode::SERVER_INTERNAL_ERROR, "CSeq Out of Order"),
            Self::FirstHopLacksOutbound => Reply::new(StatusCode::FIRST_HOP_LACKS_OUTBOUND_SUPPORT),
            Self::BadExtension(extensions) => {
                let mut reply = Reply::new(StatusCode::BAD_EXTENSION);
                reply.parts.fields.push(HeaderName::Unsupported, extensions);
                reply
            }
            Self::ExtensionRequired(extensions) => {
                let mut reply = Reply::new(StatusCode::EXTENSION_REQUIRED);
                reply.parts.fields.push(HeaderName::Require, extensions);
                reply
            }
        }
    }
}

/// An address-of-record as it would be, and what would have happened to it. [`Registrar::commit`] takes it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The address-of-record.
    pub aor: Aor,
    /// All of its bindings.
    pub bindings: Vec<Arc<Binding>>,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// What would have happened to each contact.
    pub contacts: Vec<(Arc<Binding>, ContactEvent)>,
}

impl Plan {
    /// Whether anything would change.
    #[must_use]
    pub fn changes(&self) -> bool {
        !self.contacts.is_empty()
    }
}

impl Registrar {
    /// What a REGISTER would make of its address-of-record.
    ///
    /// # Errors
    /// Why it is refused; then nothing changes.
    pub fn plan(&self, now: Now, demand: &Demand, terms: &Terms, ids: &mut dyn Ids) -> Result<Plan, Refusal> {
        if demand.path.len() > self.limits.path {
            return Err(Refusal::PathTooLong);
        }
        let mut draft = self.draft(now, &demand.aor);
        match &demand.contacts {
            Contacts::Query => {}
            Contacts::RemoveAll => draft.remove_all(demand)?,
            Contacts::Update(wishes) => {
                for wish in wishes {
                    let seconds = terms.grant(wish.expires).map_err(Refusal::IntervalTooBrief)?;
                    if seconds == 0 {
                        draft.remove(demand, wish)?;
                    } else {
                        may_be_bound(&demand.aor, wish)?;
                        let fresh = BindingId(ids.next_u64());
                        draft.bind(now, demand, wish, seconds, fresh, ids)?;
                    }
                }
            }
        }
        // What was bound under other terms may be refreshed, asked for, and removed one by one.
        if draft.plan.bindings.len() > terms.bindings.max(draft.before) {
            return Err(Refusal::TooManyContacts);
        }
        if draft.plan.bindings.iter().map(|binding| answer_length(binding)).sum::<usize>() > ANSWER {
            return Err(Refusal::TooMuch);
        }
        if draft.new && !draft.plan.bindings.is_empty() && self.directory.len() >= self.limits.aors {
            return Err(Refusal::Full);
        }
        let plan = &mut draft.plan;
        plan.instances = used(&plan.instances, &plan.bindings);
        Ok(draft.plan)
    }

    fn draft(&self, now: Now, aor: &Aor) -> Draft {
        let record = self.directory.record(aor);
        let (bindings, instances) = match &record {
            Some(record) => (record.bindings.to_vec(), record.instances.to_vec()),
            None => Default::default(),
        };
        let mut plan = Plan { aor: aor.clone(), bindings, instances, contacts: Vec::new() };
        // What is over is not refreshed, though its timer has not been heard yet.
        let over: Vec<_> = plan.bindings.extract_if(.., |b| b.ends <= now.mono).collect();
        plan.contacts.extend(over.into_iter().map(|b| (b, ContactEvent::Expired)));
        let before = plan.bindings.len();
        Draft { plan, new: record.is_none(), before }
    }
}

/// Whether a contact may be bound: one that leads back to the address-of-record would loop (RFC 5627 §5.1).
fn may_be_bound(aor: &Aor, wish: &Wish) -> Result<(), Refusal> {
    if !wish.uri.is_sip() {
        let needed = wish.instance.is_some();
        return if needed { Err(Refusal::ContactForbidden("Contact Is No SIP URI")) } else { Ok(()) };
    }
    // With header fields it is another URI (RFC 3261 §19.1.4), and RFC 4475 §3.3.14 wants it bound.
    let same = Aor::of(&wish.uri).as_ref() == Some(aor) && !wish.uri.has_headers();
    let temporary = wish.uri.user().is_some_and(|u| u.starts_with("tgruu.")) && wish.uri.has_param("gr");
    if same || temporary {
        return Err(Refusal::ContactForbidden("Contact Leads Back Here"));
    }
    Ok(())
}

/// A plan in the making.
struct Draft {
    plan: Plan,
    /// Whether nothing was bound to the address-of-record.
    new: bool,
    /// How many contacts were bound to it.
    before: usize,
}

impl Draft {
    fn remove_all(&mut self, demand: &Demand) -> Result<(), Refusal> {
        if self.plan.bindings.iter().any(|b| is_older(demand, b)) {
            return Err(Refusal::OutOfOrder);
        }
        let gone = std::mem::take(&mut self.plan.bindings);
        self.plan.contacts.extend(gone.into_iter().map(|b| (b, ContactEvent::Unregistered)));
        Ok(())
    }

    fn remove(&mut self, demand: &Demand, wish: &Wish) -> Result<(), Refusal> {
        let Some(at) = self.plan.bindings.iter().position(|b| b.is(wish)) else { return Ok(()) };
        let known = self.plan.bindings.get(at);
        let made = known.and_then(|known| self.made(known));
        if made.is_none() && known.is_some_and(|known| is_older(demand, known)) {
            return Err(Refusal::OutOfOrder);
        }
        let gone = self.plan.bindings.remove(at);
        let event = made.map(|made| self.plan.contacts.remove(made).1);
        if event != Some(ContactEvent::Registered) {
            self.plan.contacts.push((gone, ContactEvent::Unregistered));
        }
        Ok(())
    }

    fn bind(
        &mut self,
        now: Now,
        demand: &Demand,
        wish: &Wish,
        seconds: u32,
        fresh: BindingId,
        ids: &mut dyn Ids,
    ) -> Result<(), Refusal> {
        self.number_instance(demand, wish, ids);
        let lifetime = Duration::from_secs(seconds.into());
        let at = self.plan.bindings.iter().position(|b| b.is(wish));
        let known = at.and_then(|at| self.plan.bindings.get(at));
        // One that this very REGISTER has named before is taken as it is named last.
        let made = known.and_then(|known| self.made(known));
        if made.is_none() && known.is_some_and(|known| is_older(demand, known)) {
            return Err(Refusal::OutOfOrder);
        }
        let earlier = made.and_then(|made| self.plan.contacts.get(made)).map(|(_, event)| *event);
        let (id, since, event) = match known {
            Some(known) => (known.id, known.since, earlier.unwrap_or(ContactEvent::Refreshed)),
            None => (fresh, now.wall, ContactEvent::Registered),
        };
        let binding = Arc::new(Binding {
            id,
            // It would keep the REGISTER in memory.
            uri: wish.uri.detached(),
            params: wish.params.clone(),
            q: wish.q,
            instance: wish.instance.clone(),
            reg_id: wish.reg_id,
            path: demand.path.clone(),
            call_id: demand.call_id.clone(),
            cseq: demand.cseq,
            flow: demand.flow,
            behind_nat: demand.behind_nat,
            user_agent: demand.user_agent.clone(),
            since,
            refreshed: now.wall,
            expires: Wall(now.wall.0 + u64::from(seconds) * 1000),
            ends: now.mono + lifetime,
        });
        match at.and_then(|at| self.plan.bindings.get_mut(at)) {
            Some(known) => *known = binding.clone(),
            None => self.plan.bindings.push(binding.clone()),
        }
        if let Some(made) = made {
            self.plan.contacts.remove(made);
        }
        self.plan.contacts.push((binding, event));
        Ok(())
    }

    /// Where it stands among what has happened, if this REGISTER has made it.
    fn made(&self, binding: &Arc<Binding>) -> Option<usize> {
        let made =
            |(one, event): &(Arc<Binding>, ContactEvent)| event.is_active() && Arc::ptr_eq(one, binding);
        self.plan.contacts.iter().position(made)
    }

    /// Gives an instance its number, another one if its last REGISTER had another Call-ID (RFC 5627 §5.1).
    fn number_instance(&mut self, demand: &Demand, wish: &Wish, ids: &mut dyn Ids) {
        let Some(urn) = &wish.instance else { return };
        let of_flow = |b: &&Arc<Binding>| {
            b.instance.as_ref() == Some(urn) && (wish.reg_id.is_none() || b.reg_id == wish.reg_id)
        };
        let last = self.plan.bindings.iter().filter(of_flow).max_by_key(|b| b.refreshed);
        let void = last.is_some_and(|last| last.call_id != demand.call_id);
        let fresh = Instance { urn: urn.clone(), no: InstanceNo::fresh(ids), first_cseq: demand.cseq };
        match self.plan.instances.iter_mut().find(|i| i.urn == *urn) {
            Some(known) if void => *known = fresh,
            Some(_) => {}
            None => self.plan.instances.push(fresh),
        }
    }
}

/// The most that the contacts of an answer may be long: a datagram has to take it.
const ANSWER: usize = 48 * 1024;

/// About how long a binding is in an answer, with its GRUUs.
fn answer_length(binding: &Binding) -> usize {
    const REST: usize = 320;
    binding.uri.as_str().len() + binding.params.len() + REST
}

/// Whether a REGISTER is not newer than the one that made a binding.
fn is_older(demand: &Demand, binding: &Binding) -> bool {
    binding.call_id == demand.call_id && demand.cseq <= binding.cseq
}
