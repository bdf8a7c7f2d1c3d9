//! What a REGISTER asks (RFC 3261 §10.2).

use super::aor::Aor;
use super::plan::Refusal;
use crate::flow::Flow;
use crate::received::Received;
use sip_types::header::{Contact, Expires, NameAddr, Path, Supported, Via};
use sip_types::{HeaderName, Headers, Scheme, Uri};
use std::fmt::Write;

/// A REGISTER, read.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The address-of-record of To.
    pub aor: Aor,
    /// Call-ID.
    pub call_id: Box<str>,
    /// CSeq.
    pub cseq: u32,
    /// What is to become of the bindings.
    pub contacts: Contacts,
    /// Path, the value nearest to us first.
    pub path: Box<[Box<str>]>,
    /// Whether the user agent knows Path (RFC 3327 §5.1).
    pub knows_path: bool,
    /// Whether it knows GRUUs (RFC 5627 §4.1).
    pub knows_gruu: bool,
    /// Whether it knows outbound (RFC 5626 §4.2.1).
    pub knows_outbound: bool,
    /// Whether outbound applies to it: it asked, and we or an edge before us can keep its flow (RFC 5626 §6).
    pub outbound: bool,
    /// The flow that it came on.
    pub flow: Flow,
    /// Whether its user agent is behind a NAT, and so reached on that flow only.
    pub behind_nat: bool,
    /// User-Agent.
    pub user_agent: Option<Box<str>>,
}

/// What a REGISTER says of contacts.
#[derive(Clone, Debug)]
pub enum Contacts {
    /// Nothing: it asks what is bound (RFC 3261 §10.2.3).
    Query,
    /// `*` with `Expires: 0`: all go (RFC 3261 §10.2.2).
    RemoveAll,
    /// These are bound, refreshed or removed.
    Update(Vec<Wish>),
}

/// One contact of a REGISTER.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The contact.
    pub uri: Uri,
    /// Its parameters that stay with the binding.
    pub params: Box<str>,
    /// The lifetime that is asked for, in seconds; 0 removes it; `None` leaves it to us.
    pub expires: Option<u32>,
    /// Preference in thousandths.
    pub q: u16,
    /// The instance, without its angle brackets.
    pub instance: Option<Box<str>>,
    /// The flow number, where outbound applies.
    pub reg_id: Option<u32>,
}

impl Demand {
    /// The contacts that are to be bound.
    pub fn bound(&self) -> impl Iterator<Item = &Uri> {
        let wishes = match &self.contacts {
            Contacts::Update(wishes) => wishes.as_slice(),
            Contacts::Query | Contacts::RemoveAll => &[],
        };
        wishes.iter().filter(|wish| wish.expires != Some(0)).map(|wish| &wish.uri)
    }

    /// Reads a REGISTER whose Request-URI, Require and user have been found good (steps 1 to 4 of RFC 3261 §10.3).
    /// `behind_nat` is what [`Listener::is_behind_nat`](crate::Listener::is_behind_nat) says of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(request: &Received, behind_nat: bool) -> Result<Self, Refusal> {
        let headers = request.headers();
        // RFC 3261 §10.2: the address-of-record MUST be a SIP URI or SIPS URI.
        if !request.to.uri().is_sip() {
            return Err(Refusal::Malformed("To Is No SIP URI"));
        }
        let aor = Aor::of(request.to.uri()).ok_or(Refusal::NotFound)?;
        let supported = headers.list::<Supported>().map_err(|_| Refusal::Malformed("Malformed Supported"))?;
        let knows = |tag: &str| supported.iter().any(|s| s.as_str().eq_ignore_ascii_case(tag));
        let path = headers.list::<Path>().map_err(|_| Refusal::Malformed("Malformed Path"))?;
        let contacts = contacts(headers)?;
        if binds_securely(&contacts) && !is_all_secure(request, &contacts, &path) {
            return Err(Refusal::Malformed("SIP URI beside a SIPS Contact"));
        }
        let first_hop = headers.list::<Via>().is_ok_and(|vias| vias.len() == 1);
        let flow_kept = first_hop || path.first().is_some_and(|p| p.uri().has_param("ob"));
        let mut demand = Self {
            aor,
            call_id: request.call_id.as_str().into(),
            cseq: request.cseq.seq,
            contacts,
            path: path.iter().map(|p| p.address().to_string().into()).collect(),
            knows_path: knows("path"),
            knows_gruu: knows("gruu"),
            knows_outbound: knows("outbound"),
            outbound: knows("outbound") && flow_kept,
            flow: request.flow,
            behind_nat,
            user_agent: text(headers, HeaderName::UserAgent),
        };
        demand.settle_flows(flow_kept)?;
        Ok(demand)
    }

    /// What `reg-id` means here (RFC 5626 §6): a number of a flow, nothing, or an error.
    fn settle_flows(&mut self, kept: bool) -> Result<(), Refusal> {
        let Contacts::Update(wishes) = &mut self.contacts else { return Ok(()) };
        let numbered = wishes.iter().any(|w| w.reg_id.is_some());
        if numbered && self.knows_outbound && !kept {
            return Err(Refusal::FirstHopLacksOutbound);
        }
        if !self.outbound {
            wishes.iter_mut().for_each(|w| w.reg_id = None);
        }
        let lasting = wishes.iter().filter(|w| w.expires != Some(0)).count();
        if lasting > 1 && wishes.iter().any(|w| w.expires != Some(0) && w.reg_id.is_some()) {
            return Err(Refusal::Malformed("Several Contacts with reg-id"));
        }
        Ok(())
    }

    /// What a registrar asks that takes bindings with outbound only: each that lasts is a numbered flow of an instance
    /// (RFC 5626 §4.2.1). With `gruu`, whoever binds knows GRUUs, too. To ask what is bound, and to remove it, anybody may.
    ///
    /// # Errors
    /// [`Refusal::ExtensionRequired`] for a user agent that knows no outbound, or no GRUUs;
    /// [`Refusal::ContactForbidden`] for a contact without instance or number.
    pub fn require_outbound(&self, gruu: bool) -> Result<(), Refusal> {
        let Contacts::Update(wishes) = &self.contacts else { return Ok(()) };
        let mut lasting = wishes.iter().filter(|wish| wish.expires != Some(0)).peekable();
        if lasting.peek().is_none() {
            return Ok(());
        }
        match (self.knows_outbound, self.knows_gruu || !gruu) {
            (true, true) if lasting.any(|wish| wish.reg_id.is_none()) => {
                Err(Refusal::ContactForbidden("Contact Needs reg-id and +sip.instance"))
            }
            (true, true) => Ok(()),
            (true, false) => Err(Refusal::ExtensionRequired("gruu")),
            (false, true) => Err(Refusal::ExtensionRequired("outbound")),
            (false, false) => Err(Refusal::ExtensionRequired("outbound, gruu")),
        }
    }

    /// What a registrar asks that keeps the Path of user agents only that know it (RFC 3327 §5.3). To ask what is bound, and to
    /// remove it, anybody may.
    ///
    /// # Errors
    /// [`Refusal::BadExtension`] for a binding with a Path of a user agent that does not support it.
    pub fn require_path_support(&self) -> Result<(), Refusal> {
        let Contacts::Update(wishes) = &self.contacts else { return Ok(()) };
        let binds = wishes.iter().any(|wish| wish.expires != Some(0));
        match self.path.is_empty() || self.knows_path || !binds {
            true => Ok(()),
            false => Err(Refusal::BadExtension("path")),
        }
    }

    /// Whether the answer has to require outbound (RFC 5626 §6): a flow was numbered.
    #[must_use]
    pub fn uses_outbound(&self) -> bool {
        match &self.contacts {
            Contacts::Update(wishes) => wishes.iter().any(|w| w.reg_id.is_some()),
            Contacts::Query | Contacts::RemoveAll => false,
        }
    }
}

/// Whether a SIPS contact is to be bound.
fn binds_securely(contacts: &Contacts) -> bool {
    match contacts {
        Contacts::Update(wishes) => {
            wishes.iter().any(|w| w.expires != Some(0) && w.uri.scheme() == Scheme::Sips)
        }
        Contacts::Query | Contacts::RemoveAll => false,
    }
}

/// Whether all the URIs are SIPS that a SIPS contact needs, lest something secure be bound by a way that is not
/// (RFC 5630 §5.2): Request-URI, contacts and Path, not From and To.
fn is_all_secure(request: &Received, contacts: &Contacts, path: &[Path]) -> bool {
    let plain = |uri: &Uri| uri.scheme() == Scheme::Sip;
    let bound = match contacts {
        Contacts::Update(wishes) => wishes.as_slice(),
        Contacts::Query | Contacts::RemoveAll => &[],
    };
    !request.request.uri().is_ok_and(|uri| plain(&uri))
        && !bound.iter().any(|wish| plain(&wish.uri))
        && !path.iter().any(|path| plain(path.uri()))
}

fn contacts(headers: &Headers) -> Result<Contacts, Refusal> {
    let contacts = headers.list::<Contact>().map_err(|_| Refusal::Malformed("Malformed Contact"))?;
    // RFC 3261 §20.19 lets a malformed value mean an hour.
    let expires = headers
        .first(HeaderName::Expires)
        .map(|_| headers.get::<Expires>().ok().flatten().map_or(3600, |expires| expires.0));
    if contacts.is_empty() {
        return Ok(Contacts::Query);
    }
    if contacts.iter().any(|c| matches!(c, Contact::Star)) {
        return match (contacts.len(), expires) {
            (1, Some(0)) => Ok(Contacts::RemoveAll),
            _ => Err(Refusal::Malformed("Contact * needs Expires 0 and nothing beside it")),
        };
    }
    contacts.iter().map(|c| wish(c, expires)).collect::<Result<_, _>>().map(Contacts::Update)
}

fn wish(contact: &Contact, expires: Option<u32>) -> Result<Wish, Refusal> {
    let address = contact.address().ok_or(Refusal::Malformed("Malformed Contact"))?;
    let instance = instance(address);
    // RFC 5626 §10.
    let reg_id = match address.param("reg-id") {
        Some(number) => number.and_then(|n| n.parse().ok()).filter(|n| (1..1 << 31).contains(n)),
        None => None,
    };
    Ok(Wish {
        uri: address.uri().clone(),
        params: lasting_params(address),
        expires: contact.expires().or(expires),
        q: contact.q().unwrap_or(1000),
        // A reg-id without an instance means nothing (RFC 5626 §6).
        reg_id: reg_id.filter(|_| instance.is_some()),
        instance,
    })
}

/// The instance of a contact: a quoted URN in angle brackets (RFC 5626 §4.1).
fn instance(address: &NameAddr) -> Option<Box<str>> {
    let quoted = address.params().get_unquoted("+sip.instance")?;
    let urn = quoted.strip_prefix('<')?.strip_suffix('>')?;
    (!urn.is_empty()).then(|| urn.into())
}

/// Everything but what each REGISTER says anew, and what a user agent cannot say (RFC 5627 §5.1).
fn lasting_params(address: &NameAddr) -> Box<str> {
    let mut out = String::new();
    for (name, value) in address.params() {
        if ["expires", "pub-gruu", "temp-gruu", "temp-gruu-cookie"]
            .iter()
            .any(|p| p.eq_ignore_ascii_case(name))
        {
            continue;
        }
        let _ = match value {
            Some(value) => write!(out, ";{name}={value}"),
            None => write!(out, ";{name}"),
        };
    }
    out.into()
}

fn text(headers: &Headers, name: HeaderName) -> Option<Box<str>> {
    headers.first(name).map(|field| String::from_utf8_lossy(field.value()).into())
}
