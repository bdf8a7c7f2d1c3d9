//! Dialogs (RFC 3261 §12): the peer-to-peer relation that an INVITE and its responses set up.

mod census;
mod route_set;

pub(crate) use census::{Alive, Census};
pub use route_set::{Aim, RouteSet};

use crate::ids::Tag;
use crate::received::Received;
use crate::session::{Ack, Heard, Opening, Sending};
use sip_types::header::{Contact, RecordRoute};
use sip_types::{HeaderError, HeaderName, Headers, Response, Uri};

/// Names a dialog within its session, in the order of their making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogNo(pub u16);

/// How far a dialog has come (RFC 3261 §12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// Made by a provisional response.
    Early,
    /// Made, or confirmed, by a 2xx.
    Confirmed,
    /// Ended by a BYE of ours while it was early: the INVITE is still pending, or was answered here all the same (RFC 3261 §15).
    Left,
    /// Terminated.
    Ended,
}

/// One dialog.
#[derive(Debug)]
pub struct Dialog {
    /// Its name.
    pub no: DialogNo,
    /// Its state.
    pub state: DialogState,
    /// Our tag.
    pub local_tag: Tag,
    /// The peer's tag; RFC 2543 peers have none (RFC 3261 §12.1.1).
    pub remote_tag: Option<Box<str>>,
    /// Where the next request of ours goes, by way of the route set.
    pub remote_target: Uri,
    /// The proxies on the way.
    pub route_set: RouteSet,
    /// The number of our last request.
    pub local_seq: u32,
    /// The number of the peer's last request.
    pub remote_seq: Option<u32>,
    /// How far the offer and answer of an INVITE that is pending in it have come.
    pub(crate) opening: Opening,
    /// Whether the peer has said that it takes UPDATE (RFC 3311 §4).
    pub(crate) takes_update: bool,
    /// The Info Packages that the peer takes, as its last Recv-Info said them (RFC 6086 §5.2).
    pub(crate) packages: Option<Box<str>>,
    /// Our ACKs of 2xx that may come again, the last one last: each is repeated whenever its 2xx is (RFC 3261 §13.2.2.4).
    pub(crate) acks: Vec<Ack>,
    /// The reliable provisional responses that have come in it while it was early (RFC 3262 §4).
    pub(crate) heard: Option<Box<Heard>>,
    /// Those that we send in it (RFC 3262 §3).
    pub(crate) sending: Option<Box<Sending>>,
    /// From the entry into a session to the end of the dialog.
    pub(crate) alive: Option<Alive>,
}

/// Why a message cannot make or refresh a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialogError {
    /// A header field is malformed.
    #[error("{0}")]
    Header(#[source] HeaderError),
    /// No Contact, several, or `*` (RFC 3261 §8.1.1.8, §12.1.1).
    #[error("Contact is not exactly one SIP URI")]
    Contact,
}

impl Dialog {
    /// The dialog that a response of ours to `request` makes (RFC 3261 §12.1.1).
    ///
    /// # Errors
    /// The request has no usable Contact or Record-Route.
    pub(crate) fn of_uas(no: DialogNo, local_tag: Tag, request: &Received) -> Result<Self, DialogError> {
        Ok(Self {
            no,
            state: DialogState::Early,
            local_tag,
            remote_tag: request.from.tag().map(Into::into),
            remote_target: contact(request.headers())?,
            route_set: RouteSet::of_uas(&record_route(request.headers())?),
            local_seq: 0,
            remote_seq: Some(request.cseq.seq),
            opening: Opening::Open,
            takes_update: allows_update(request.headers()).unwrap_or_default(),
            packages: None,
            acks: Vec::new(),
            heard: None,
            sending: None,
            alive: None,
        })
    }

    /// The dialog that `response` to our request number `seq` makes (RFC 3261 §12.1.2).
    ///
    /// # Errors
    /// The response has no usable Contact or Record-Route.
    pub(crate) fn of_uac(
        no: DialogNo,
        local_tag: Tag,
        remote_tag: Option<&str>,
        seq: u32,
        response: &Response,
    ) -> Result<Self, DialogError> {
        Ok(Self {
            no,
            state: DialogState::Early,
            local_tag,
            remote_tag: remote_tag.map(Into::into),
            remote_target: contact(response.headers())?,
            route_set: RouteSet::of_uac(&record_route(response.headers())?),
            local_seq: seq,
            remote_seq: None,
            opening: Opening::Open,
            takes_update: allows_update(response.headers()).unwrap_or_default(),
            packages: None,
            acks: Vec::new(),
            heard: None,
            sending: None,
            alive: None,
        })
    }

    /// The dialog of a peer that leaves Contact out of its response: what is not said stays as it was, the
    /// next hop of our INVITE. RFC 3261 §12.1.2 leaves this case open.
    ///
    /// # Errors
    /// There is no next hop to stay with.
    pub(crate) fn without_contact(
        no: DialogNo,
        local_tag: Tag,
        remote_tag: Option<&str>,
        seq: u32,
        aim: Option<&Aim>,
    ) -> Result<Self, DialogError> {
        Ok(Self {
            no,
            state: DialogState::Early,
            local_tag,
            remote_tag: remote_tag.map(Into::into),
            remote_target: aim.ok_or(DialogError::Contact)?.next_hop.detached(),
            route_set: RouteSet::default(),
            local_seq: seq,
            remote_seq: None,
            opening: Opening::Open,
            takes_update: false,
            packages: None,
            acks: Vec::new(),
            heard: None,
            sending: None,
            alive: None,
        })
    }

    /// Takes what a 2xx to our INVITE says: a new route set for a dialog that was early (RFC 3261 §13.2.2.4),
    /// a new remote target for every one (§12.2.1.2).
    pub(crate) fn confirm(&mut self, response: &Response) {
        if self.state == DialogState::Early {
            if let Ok(routes) = record_route(response.headers()) {
                self.route_set = RouteSet::of_uac(&routes);
            }
            self.state = DialogState::Confirmed;
        }
        self.refresh(response.headers());
    }

    /// Takes what the peer says of the methods that it takes, where it says something.
    pub(crate) fn note_allow(&mut self, headers: &Headers) {
        self.takes_update = allows_update(headers).unwrap_or(self.takes_update);
    }

    /// Whether a reliable provisional response of ours has no PRACK yet.
    pub(crate) fn awaits_prack(&self) -> bool {
        self.sending.as_ref().is_some_and(|sending| sending.is_out())
    }

    /// Terminates it.
    pub(crate) fn end(&mut self) {
        if self.state != DialogState::Left {
            self.state = DialogState::Ended;
        }
        self.alive = None;
    }

    /// Whether nothing of the peer's belongs to it any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, DialogState::Left | DialogState::Ended)
    }

    /// It is over, but not its INVITE.
    pub(crate) fn leave(&mut self) {
        self.state = DialogState::Left;
        self.alive = None;
    }

    /// Refreshes the remote target from a Contact, if there is a usable one (RFC 3261 §12.2.1.2, §12.2.2), and what the peer
    /// allows.
    pub(crate) fn refresh(&mut self, headers: &Headers) {
        if let Ok(target) = contact(headers) {
            self.remote_target = target;
        }
        self.note_allow(headers);
    }

    /// Whether the tags of a request from the peer are those of this dialog (RFC 3261 §12.2.2).
    pub(crate) fn matches(&self, local: Tag, remote: Option<&str>) -> bool {
        self.local_tag == local && self.has_remote_tag(remote)
    }

    /// Whether the peer's tag is this one. Tags are tokens, compared ignoring case (RFC 3261 §7.3.1).
    pub(crate) fn has_remote_tag(&self, remote: Option<&str>) -> bool {
        match (&self.remote_tag, remote) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Where a request of ours in this dialog goes (RFC 3261 §12.2.1.1).
    pub(crate) fn aim(&self) -> Aim {
        self.route_set.aim(&self.remote_target)
    }
}

/// The one URI of a Contact that makes or refreshes a dialog, in memory of its own: a dialog outlives the
/// message that made it.
fn contact(headers: &Headers) -> Result<Uri, DialogError> {
    match headers.sole::<Contact>().map_err(DialogError::Header)? {
        Some(Contact::Addr(addr)) => Ok(addr.uri().detached()),
        Some(Contact::Star) | None => Err(DialogError::Contact),
    }
}

fn record_route(headers: &Headers) -> Result<Vec<RecordRoute>, DialogError> {
    if headers.contains(HeaderName::RecordRoute) {
        headers.list::<RecordRoute>().map_err(DialogError::Header)
    } else {
        Ok(Vec::new())
    }
}

/// Whether a message says in Allow that its sender takes UPDATE; `None` where it says nothing (RFC 3261 §20.5).
fn allows_update(headers: &Headers) -> Option<bool> {
    let mut fields = headers.all(HeaderName::Allow).peekable();
    fields.peek()?;
    let mut listed = fields.filter_map(|field| field.text().ok()).flat_map(|value| value.split(','));
    Some(listed.any(|method| method.trim_ascii() == "UPDATE"))
}
