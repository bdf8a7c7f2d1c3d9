//! All that a session is made of.

use super::{
    Declared, Identified, Incoming, Outgoing, OutgoingId, Parts, PendingInvite, Purpose, Refers, Shown,
    Stage, Timing, Unacked,
};
use crate::auth::client::Authorizer;
use crate::dialog::{Aim, Census, Dialog, DialogNo};
use crate::flow::{Destination, Flow, NetworkId};
use crate::ids::Tag;
use crate::location::{Fate, Found, Target};
use crate::received::Received;
use crate::settings::{Conduct, Listener, Settings};
use crate::time::Mono;
use sip_types::{Fields, Uri};
use std::net::IpAddr;

/// One session.
pub(crate) struct Session {
    pub(crate) stage: Stage,
    pub(crate) network: NetworkId,
    /// What the owner calls the peer.
    pub(crate) label: u32,
    /// How the peer is treated, once that is known.
    pub(crate) conduct: Option<Conduct>,
    /// The addresses that the next hop of its INVITE or of its last request outside a dialog had, where it was a name.
    pub(crate) resolved: Vec<IpAddr>,
    /// How the targets of its INVITE were found, where its next hop was a name.
    pub(crate) found: Option<Box<Found>>,
    pub(crate) call_id: Box<str>,
    /// Our side's name-addr without tag.
    pub(crate) local: Box<str>,
    /// The peer's name-addr without tag.
    pub(crate) remote: Box<str>,
    /// Our tag: of every dialog if we called, of the first one if we were called.
    pub(crate) local_tag: Tag,
    /// Whether our INVITE set the session up; then the Call-ID is ours (RFC 3261 §14.1).
    pub(crate) caller: bool,
    pub(crate) dialogs: Vec<Dialog>,
    pub(crate) next_dialog: u16,
    /// The dialog that the 2xx confirmed.
    pub(crate) current: Option<DialogNo>,
    /// Where the INVITE is addressed to, while it is pending.
    pub(crate) aim: Option<Box<Aim>>,
    /// The number of the last INVITE that we sent outside a dialog.
    pub(crate) invite_seq: u32,
    /// What the last INVITE of ours was authorized with, which the ACK of each fork repeats (RFC 3261 §13.2.2.4).
    pub(crate) ack_credentials: Option<Box<Shown>>,
    /// The INVITE had a SIPS Request-URI: every request of the session goes over TLS (RFC 5630 §5.1.1).
    pub(crate) secure: bool,
    /// The way that the INVITE took.
    pub(crate) way: Option<Destination>,
    /// Where the last response came from that has made a dialog of it, or might have.
    pub(crate) answered_from: Option<IpAddr>,
    /// Whether requests in its dialogs take that way, and not that of the peer's Contact.
    pub(crate) keeps_way: bool,
    /// The flow that all of its requests take.
    pub(crate) flow: Option<Flow>,
    /// Whether outbound is applied to that flow, which is ours (RFC 5626 §4.3).
    pub(crate) outbound: bool,
    /// The GRUU that our Contact is (RFC 5627 §4.4).
    pub(crate) gruu: Option<Box<Uri>>,
    /// What our INVITE has said that we support.
    pub(crate) declared: Declared,
    /// What its messages say in Session-ID (RFC 7989).
    pub(crate) identified: Option<Box<Identified>>,
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) next_outgoing: u16,
    pub(crate) incoming: Vec<Incoming>,
    pub(crate) reinvite: Option<Box<PendingInvite>>,
    /// When it is looked next if an INVITE or re-INVITE of the peer has waited too long for a response.
    pub(crate) looks_at: Option<Mono>,
    /// The REFERs whose subscriptions stand; for nearly all sessions there were none.
    pub(crate) refers: Option<Box<Refers>>,
    /// Its 2xx to the INVITE, and the one to a re-INVITE that overtook the ACK of that, in the order of their sending.
    pub(crate) unacked: Vec<Unacked>,
    /// Our 2xx to the pending INVITE or re-INVITE, for that dialog, which waits for PRACKs (RFC 3262 §3).
    pub(crate) held_answer: Option<Box<(DialogNo, Parts)>>,
    /// The number of an INVITE of ours whose 2xx the owner has not acknowledged yet.
    pub(crate) owed_ack: Option<u32>,
    pub(crate) cancel_sent: bool,
    /// A BYE that waits for the ACK of our 2xx (RFC 3261 §15).
    pub(crate) owed_bye: Option<Fields>,
    /// INVITE transactions of ours, those of targets that were given up included, that may still bring a 2xx.
    pub(crate) forks: u8,
    pub(crate) authorizer: Option<Box<Authorizer>>,
    /// What it knows of its timer (RFC 4028).
    pub(crate) timing: Option<Box<Timing>>,
    /// Whether the owner was told that it ended.
    pub(crate) told: bool,
    /// Whether the BYE that ended it carried credentials.
    pub(crate) bye_authenticated: bool,
}

impl Session {
    /// The peer's way to it is that of a request that sets its Contact (RFC 3261 §12.2): its NAT may have given it another
    /// address, or it may have opened another connection.
    pub(crate) fn take_way(&mut self, settings: &Settings, request: &Received) {
        let listener = settings.listener(request.flow.listener);
        self.keeps_way = listener.is_some_and(|listener| listener.binds_to_flow(request));
        self.way = Some(Destination::Flow(request.flow));
    }

    /// A session with nothing in it yet.
    pub(crate) fn new(stage: Stage, network: NetworkId, call_id: Box<str>, local_tag: Tag) -> Self {
        Self {
            stage,
            network,
            label: 0,
            conduct: None,
            resolved: Vec::new(),
            found: None,
            answered_from: None,
            call_id,
            local: Box::default(),
            remote: Box::default(),
            local_tag,
            caller: false,
            dialogs: Vec::new(),
            next_dialog: 0,
            current: None,
            aim: None,
            invite_seq: 0,
            ack_credentials: None,
            secure: false,
            way: None,
            keeps_way: false,
            flow: None,
            outbound: false,
            gruu: None,
            declared: Declared::default(),
            identified: None,
            outgoing: Vec::new(),
            next_outgoing: 0,
            incoming: Vec::new(),
            reinvite: None,
            looks_at: None,
            refers: None,
            unacked: Vec::new(),
            held_answer: None,
            owed_ack: None,
            cancel_sent: false,
            owed_bye: None,
            forks: 0,
            authorizer: None,
            timing: None,
            told: false,
            bye_authenticated: false,
        }
    }

    /// The peer's INVITE or re-INVITE that waits for our final response.
    pub(crate) fn pending_invite(&mut self) -> Option<&mut PendingInvite> {
        match &mut self.stage {
            Stage::Called(pending) => Some(pending),
            Stage::Confirmed => self.reinvite.as_deref_mut(),
            _ => None,
        }
    }

    /// How the peer is treated on that listener.
    pub(crate) fn conduct(&self, listener: &Listener) -> Conduct {
        self.conduct.unwrap_or_else(|| Conduct::of(listener))
    }

    /// The dialog with that name.
    pub(crate) fn dialog(&self, no: DialogNo) -> Option<&Dialog> {
        self.dialogs.iter().find(|d| d.no == no)
    }

    /// The dialog with that name.
    pub(crate) fn dialog_mut(&mut self, no: DialogNo) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().find(|d| d.no == no)
    }

    /// Adds a dialog. A session has one for nearly all of its life: room is made for one at a time.
    pub(crate) fn enter(&mut self, mut dialog: Dialog, census: &Census) {
        dialog.alive = Some(census.enter());
        self.dialogs.reserve_exact(1);
        self.dialogs.push(dialog);
    }

    /// The dialog that the 2xx confirmed.
    pub(crate) fn current_mut(&mut self) -> Option<&mut Dialog> {
        self.current.and_then(|no| self.dialog_mut(no))
    }

    /// A request of ours.
    pub(crate) fn outgoing_mut(&mut self, id: OutgoingId) -> Option<&mut Outgoing> {
        self.outgoing.iter_mut().find(|o| o.id == id)
    }

    /// Something becomes of a target of our INVITE.
    pub(crate) fn note_fate(&mut self, id: OutgoingId, target: &Target, fate: Fate) {
        let Some(found) = &mut self.found else { return };
        if self.outgoing.iter().any(|o| o.id == id && o.purpose == Purpose::Invite) {
            found.note(target.transport, target.address, fate);
        }
    }

    /// The same of the target that it was last sent to.
    pub(crate) fn note_fate_of_last(&mut self, id: OutgoingId, fate: Fate) {
        if self.found.is_none() {
            return;
        }
        let last = self.outgoing.iter().find(|o| o.id == id).and_then(|o| o.course.at.clone());
        if let Some(target) = last {
            self.note_fate(id, &target, fate);
        }
    }

    /// Whether a request of ours would still be sent: an INVITE until it is given up, BYE and ACK at any time, what the sender of a
    /// REFER is told after the session's end too, all else while the session stands.
    pub(crate) fn wants(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Invite => matches!(self.stage, Stage::Calling { cancel: None }),
            Purpose::Outside => matches!(self.stage, Stage::Asking { .. } | Stage::Subscribing(_)),
            Purpose::Reinvite => matches!(self.stage, Stage::Confirmed),
            Purpose::Update => {
                matches!(self.stage, Stage::Calling { cancel: None } | Stage::Called(_) | Stage::Confirmed)
            }
            Purpose::Prack => matches!(self.stage, Stage::Calling { .. } | Stage::Confirmed),
            Purpose::Notify => !matches!(self.stage, Stage::Asking { .. } | Stage::Subscribing(_)),
            Purpose::Request => matches!(
                self.stage,
                Stage::Calling { cancel: None }
                    | Stage::Called(_)
                    | Stage::Confirmed
                    | Stage::Subscribed
                    | Stage::Subscribing(_)
            ),
            Purpose::Bye | Purpose::Ack => true,
        }
    }

    /// Takes a request of ours out.
    pub(crate) fn take_outgoing(&mut self, id: OutgoingId) -> Option<Outgoing> {
        let at = self.outgoing.iter().position(|o| o.id == id)?;
        let outgoing = self.outgoing.swap_remove(at);
        if self.outgoing.is_empty() {
            // For nearly all of its life a session waits for nothing.
            self.outgoing = Vec::new();
        }
        Some(outgoing)
    }

    /// The name of the next request of ours.
    pub(crate) fn name_outgoing(&mut self) -> OutgoingId {
        self.next_outgoing = self.next_outgoing.wrapping_add(1);
        if self.next_outgoing == OutgoingId::CANCEL.0 {
            self.next_outgoing = 0;
        }
        OutgoingId(self.next_outgoing)
    }

    /// The name of the next dialog.
    pub(crate) fn name_dialog(&mut self) -> DialogNo {
        let no = DialogNo(self.next_dialog);
        self.next_dialog = self.next_dialog.wrapping_add(1);
        no
    }

    /// Whether nothing keeps the session: neither side needs it any more, and its owner knows.
    pub(crate) fn is_spent(&self) -> bool {
        matches!(self.stage, Stage::Over)
            && self.told
            && self.forks == 0
            && self.outgoing.is_empty()
            && self.unacked.is_empty()
            && !self.dialogs.iter().any(Dialog::awaits_prack)
    }

    /// Whether our INVITE is pending, and was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        matches!(self.stage, Stage::Calling { cancel: Some(_) })
    }
}
