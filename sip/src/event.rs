//! What an endpoint tells its owner.

use crate::dialog::DialogNo;
use crate::keepalive::{KeepId, Lost};
use crate::location::Found;
use crate::overload::Change;
use crate::received::Received;
use crate::session::{OutgoingId, Refer, RequestId, SessionId, Stray};
use sip_types::{Response, StatusCode};

/// Something that happened to a session or a flow.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call came in. It has had its 100.
    Invited {
        /// The new session.
        session: SessionId,
        /// The INVITE.
        request: Received,
    },
    /// A request outside a dialog whose method the listener hands up; it waits for
    /// [`answer_asked`](crate::Endpoint::answer_asked).
    Asked {
        /// Its name for the answer.
        id: RequestId,
        /// The request.
        request: Received,
    },
    /// A provisional response other than 100 to our INVITE, each that is reliable once and in their order.
    Progress {
        /// Our session.
        session: SessionId,
        /// The early dialog that it makes or belongs to, if it has a To tag.
        dialog: Option<DialogNo>,
        /// Its number, where it is reliable: it waits for [`prack`](crate::Endpoint::prack).
        reliable: Option<u32>,
        /// The response.
        response: Response,
    },
    /// 199 to our INVITE: that early dialog is over, others may go on or come (RFC 6228).
    EarlyDialogEnded {
        /// Our session.
        session: SessionId,
        /// What was the dialog.
        dialog: DialogNo,
        /// The response, with the Reason.
        response: Response,
    },
    /// The caller has ended an early dialog of ours with BYE, which has had its 200, and not its INVITE: other dialogs may go on, or
    /// come. Where there is nothing left, the INVITE is to be refused with 487 (RFC 3261 §15.1.2).
    EarlyBye {
        /// Our session.
        session: SessionId,
        /// What was the dialog.
        dialog: DialogNo,
        /// The BYE.
        request: Received,
    },
    /// The caller does not know an early dialog of ours any more, or is silent in it: it is gone, and what comes of the INVITE has to
    /// come in another one (RFC 5057 §5.1).
    EarlyDialogLost {
        /// Our session.
        session: SessionId,
        /// What was the dialog.
        dialog: DialogNo,
    },
    /// The PRACK of a reliable provisional response of ours.
    Pracked {
        /// Our session.
        session: SessionId,
        /// The early dialog.
        dialog: DialogNo,
        /// Where it has a body: its name for the answer, as it waits for [`respond`](crate::Endpoint::respond). Else it has had
        /// its 200.
        id: Option<RequestId>,
        /// The PRACK.
        request: Received,
    },
    /// The first 2xx to our INVITE; it waits for [`acknowledge`](crate::Endpoint::acknowledge).
    Answered {
        /// Our session.
        session: SessionId,
        /// The dialog that stands now.
        dialog: DialogNo,
        /// The response.
        response: Response,
    },
    /// The ACK of a 2xx of ours.
    Acknowledged {
        /// Our session.
        session: SessionId,
        /// The ACK, with the answer to an offer of ours.
        request: Received,
    },
    /// A re-INVITE.
    Reinvited {
        /// Our session.
        session: SessionId,
        /// The re-INVITE.
        request: Received,
    },
    /// A provisional response other than 100 to our re-INVITE, each that is reliable once and in their order.
    ReinviteProgress {
        /// Our session.
        session: SessionId,
        /// The dialog that stands.
        dialog: DialogNo,
        /// Its number, where it is reliable: it waits for [`prack`](crate::Endpoint::prack).
        reliable: Option<u32>,
        /// The response.
        response: Response,
    },
    /// The peer gave its re-INVITE up, or acknowledges no reliable provisional response to it; it has had its final response, unless
    /// it is executed.
    ReinviteCancelled {
        /// Our session.
        session: SessionId,
        /// Whether its offer and answer are settled already: then it waits for a 2xx all the same (RFC 6141 §3.3, §3.8).
        executed: bool,
    },
    /// A 2xx to our re-INVITE; it waits for [`acknowledge`](crate::Endpoint::acknowledge).
    ReinviteAnswered {
        /// Our session.
        session: SessionId,
        /// The response.
        response: Response,
    },
    /// Our re-INVITE failed; the session stands as it was.
    ReinviteFailed {
        /// Our session.
        session: SessionId,
        /// Why.
        why: Failure,
    },
    /// The session is to be refreshed (RFC 4028 §10): [`refresh`](crate::Endpoint::refresh) wants the description that stands. Told
    /// again, soon, as long as it is not.
    RefreshDue {
        /// Our session.
        session: SessionId,
    },
    /// An UPDATE, in the dialog that stands or in an early one; it waits for [`respond`](crate::Endpoint::respond), whose 2xx
    /// refreshes the peer's target.
    Updated {
        /// Our session.
        session: SessionId,
        /// The dialog.
        dialog: DialogNo,
        /// Its name for the answer.
        id: RequestId,
        /// The UPDATE.
        request: Received,
    },
    /// Another request in the dialog that stands or in an early one, which waits for [`respond`](crate::Endpoint::respond).
    Requested {
        /// Our session.
        session: SessionId,
        /// The dialog.
        dialog: DialogNo,
        /// Its name for the answer.
        id: RequestId,
        /// The request.
        request: Received,
    },
    /// A request in the dialog, or a CANCEL, that came from elsewhere than where its peer is known to be. It waits for
    /// [`admit`](crate::Endpoint::admit) or [`turn_back`](crate::Endpoint::turn_back).
    Strayed(Box<Stray>),
    /// A REFER, which waits for [`accept_refer`](crate::Endpoint::accept_refer) or [`respond`](crate::Endpoint::respond).
    Referred {
        /// Our session.
        session: SessionId,
        /// Its name for the answer.
        id: RequestId,
        /// What it asks for.
        refer: Box<Refer>,
        /// The REFER.
        request: Received,
    },
    /// The peer tells what has come of a REFER of ours; its NOTIFY has had its 200.
    ReferNotified {
        /// Our session.
        session: SessionId,
        /// What [`refer`](crate::Endpoint::refer) returned.
        refer: OutgoingId,
        /// The status of what we asked for.
        status: StatusCode,
        /// Its reason phrase.
        reason: Box<str>,
        /// Whether this is the last word.
        last: bool,
    },
    /// The end of a request of ours in the dialog, or of one outside a dialog: the session of
    /// [`ask`](crate::Endpoint::ask) is over then, that of [`ask_lasting`](crate::Endpoint::ask_lasting) goes on.
    Responded {
        /// Our session.
        session: SessionId,
        /// What [`request`](crate::Endpoint::request), [`update`](crate::Endpoint::update), [`prack`](crate::Endpoint::prack) or
        /// [`ask`](crate::Endpoint::ask) returned.
        id: OutgoingId,
        /// The dialog that it was sent in.
        dialog: Option<DialogNo>,
        /// The final response, or why there is none.
        outcome: Result<Response, Failure>,
    },
    /// Overload, ours or that of a server, begins or ends.
    Overload(Change),
    /// The session is over. Nothing more is told of it, and every intent for it fails.
    Ended {
        /// What was our session.
        session: SessionId,
        /// Why.
        why: End,
        /// Whether a BYE of ours that ended it carried credentials, because the peer had asked for them.
        authenticated: bool,
        /// How the targets of our INVITE were found, where its next hop was a name, and what became of each.
        found: Option<Box<Found>>,
    },
    /// The first keepalive on a flow that is [kept](crate::Endpoint::keep) was answered.
    FlowProven {
        /// Its name.
        keep: KeepId,
    },
    /// A flow that is kept has failed. Nothing more is told of it, and its connection is closed.
    FlowLost {
        /// What was its name.
        keep: KeepId,
        /// Why.
        why: Lost,
        /// Whether a keepalive on it was ever answered.
        proven: bool,
    },
}

/// Why a session is over.
#[derive(Clone, Debug)]
pub enum End {
    /// The peer sent BYE; it has had its 200.
    Bye(Received),
    /// The caller sent CANCEL; the INVITE has had its 487.
    Cancelled(Received),
    /// The caller's INVITE has waited for as long as its Expires allows; it has had its 487.
    Expired,
    /// Our INVITE failed.
    Rejected(Failure),
    /// We ended it, and the peer knows: its final response, if it gave one.
    HungUp(Option<Response>),
    /// Of an INVITE of ours whose early dialogs we have all left ([`end_dialog`](crate::Endpoint::end_dialog)): one of them was
    /// answered, and is released, or the rest was given up.
    Left,
    /// The peer acts as if there were no dialog: a request of ours had this outcome (RFC 3261 §12.2.1.2).
    Lost(Failure),
    /// Nobody has refreshed it in time (RFC 4028 §10).
    SessionExpired,
    /// A 2xx of ours was never acknowledged (RFC 3261 §13.3.1.4).
    NoAck,
    /// A reliable provisional response of ours was never acknowledged; the INVITE has had its 504 (RFC 3262 §3).
    NoPrack,
}

/// Why a request of ours did not succeed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// A final response of 300 or above.
    Response(Response),
    /// A challenge that no credentials were given for, or that refused ours.
    Challenged(Response),
    /// Nobody answered within 64*T1 (as if 408, RFC 3261 §8.1.3.1).
    Timeout,
    /// No address could be reached (as if 503, RFC 3261 §8.1.3.1).
    Unreachable(Unreachable),
    /// We ran into a limit of ours.
    Full,
}

/// Why nobody could be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// The name has no address.
    #[error("the host name has no address")]
    NoAddress,
    /// The URI asks for a transport or scheme that we lack.
    #[error("the URI asks for a transport that is not supported")]
    Transport,
    /// It must be reached over TLS, and cannot be (RFC 5630 §5.1.1).
    #[error("it must be reached over TLS, and cannot be")]
    NotSecure,
    /// The network has no listener of that transport and address family.
    #[error("the network has no listener of that transport and address family")]
    Listener,
    /// The transport could not send.
    #[error("the transport failed")]
    Send,
    /// No name server said where it is.
    #[error("no name server answered")]
    NameServer,
    /// It has asked for fewer requests (RFC 7339 §5.5).
    #[error("it is overloaded and has asked for fewer requests")]
    Overloaded,
    /// It is too large for a datagram, and may not become one: a MESSAGE of more than 1300 bytes (RFC 3428 §8).
    #[error("it is too large for a datagram")]
    TooLarge,
    /// Every target is known to be down, or has asked for no requests (RFC 3261 §21.5.4).
    #[error("every target is known to be down")]
    Held,
}
