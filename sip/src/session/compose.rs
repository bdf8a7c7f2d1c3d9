//! Composing requests.

use super::timer::refreshes;
use super::{Declared, Parts, Session, Stage, TIMER};
use crate::dialog::{Aim, Dialog};
use crate::ids::Branch;
use crate::reply::{GRUU, contact, contact_of, gruu};
use crate::settings::{Listener, Settings};
use bytes::Bytes;
use sip_types::{Fields, HeaderName, MessageWriter, Method, Scheme, Uri};

/// What a request takes from its session and from us.
pub(crate) struct Composer<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) listener: &'a Listener,
    pub(crate) session: &'a Session,
    /// The dialog that it is sent in; none for the INVITE that makes one.
    pub(crate) dialog: Option<&'a Dialog>,
    pub(crate) aim: &'a Aim,
    pub(crate) method: &'a Method,
    pub(crate) seq: u32,
    pub(crate) branch: Branch,
    pub(crate) max_forwards: u8,
    /// The user part of the Contact that is registered.
    pub(crate) contact_user: Option<&'a str>,
    /// Whether Via asks for requests on the connection that it goes on (RFC 5923 §5).
    pub(crate) alias: bool,
    /// Whether Via offers keepalives (RFC 6223 §4.3).
    pub(crate) keep: bool,
    /// Authorization and Proxy-Authorization.
    pub(crate) credentials: &'a [(HeaderName, String)],
}

impl Composer<'_> {
    /// The whole request (RFC 3261 §8.1.1, §12.2.1.1).
    pub(crate) fn compose(&self, parts: &Parts) -> Bytes {
        let mut out = MessageWriter::request(self.method, self.aim.request_uri.as_str());
        let listener = self.listener;
        out.value(HeaderName::Via, |via| {
            via.text("SIP/2.0/").text(listener.transport.via_token()).text(" ").text(&listener.sent_by);
            via.text(";branch=").text(Branch::COOKIE).bytes(&self.branch.digits()).text(";rport");
            via.text(if self.alias { ";alias" } else { "" });
            via.text(if self.keep { ";keep" } else { "" });
            via.text(self.session.conduct(listener).heeds_overload.offer());
        });
        for route in &self.aim.routes {
            out.header(HeaderName::Route, route);
        }
        out.value(HeaderName::MaxForwards, |hops| {
            hops.number(self.max_forwards.into());
        });
        self.parties(&mut out);
        out.value(HeaderName::CallId, |call_id| {
            call_id.text(&self.session.call_id);
        });
        out.value(HeaderName::CSeq, |cseq| {
            cseq.number(self.seq.into()).text(" ").text(self.method.as_str());
        });
        let secure = listener.transport.is_secure() && self.is_secure();
        // A notifier's Contact is a GRUU (RFC 6665 §4.5.1), but in the dialog of a session it stays what it is.
        let notifies = *self.method == Method::Notify && matches!(self.session.stage, Stage::Subscribed);
        let marks = match (notifies, self.session.outbound) {
            (true, _) => GRUU,
            (false, true) => ";ob",
            (false, false) => "",
        };
        let sets_target = notifies
            || matches!(
                self.method,
                Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer
            );
        match (self.contact_user, self.session.gruu.as_deref()) {
            (Some(user), _) => {
                let contact = contact_of(user, listener, secure, marks, &parts.contact_params);
                out.header(HeaderName::Contact, contact);
            }
            (None, Some(name)) if sets_target => gruu(&mut out, name, secure, &parts.contact_params),
            (None, None) if sets_target => {
                out.header(HeaderName::Contact, contact(listener, secure, marks, parts));
            }
            (None, _) => {}
        }
        let identifier = self.session.identified.as_deref().and_then(|identified| identified.said());
        if let Some(identifier) = identifier {
            out.header(HeaderName::SessionId, identifier);
        }
        for (name, value) in self.credentials {
            out.header(*name, value);
        }
        if let Some(product) = &self.settings.user_agent {
            out.header(HeaderName::UserAgent, product);
        }
        let written_here = |name: HeaderName| {
            name == HeaderName::Supported || (name == HeaderName::SessionId && identifier.is_some())
        };
        for field in parts.fields.iter().filter(|field| !written_here(field.name())) {
            out.field(field);
        }
        let terms = self.session.conduct(listener).session_timers;
        let timer = self.session.timer_in(&terms, self.method, self.dialog.is_some());
        // RFC 4028 §7.4.
        let again = match self.dialog.is_some() && refreshes(self.method) {
            true => self.session.declared,
            false => Declared::default(),
        };
        supported(&mut out, &parts.fields, again, timer.is_some());
        if let Some(timer) = timer {
            timer.write(&mut out);
        }
        let Some(body) = &parts.body else { return out.finish(b"") };
        for field in body.fields.iter() {
            out.field(field);
        }
        out.finish(&body.bytes)
    }

    /// Whether our Contact must be a SIPS URI (RFC 3261 §8.1.1.8, RFC 5630 §5.1.1.2).
    fn is_secure(&self) -> bool {
        let top = self.aim.routes.first().map(|_| &self.aim.next_hop);
        let sips = |uri: &Uri| uri.scheme() == Scheme::Sips;
        self.session.secure || sips(&self.aim.request_uri) || top.is_some_and(sips)
    }

    fn parties(&self, out: &mut MessageWriter) {
        let session = self.session;
        let Some(dialog) = self.dialog else {
            party(out, HeaderName::From, &session.local, Some(&session.local_tag.digits()));
            party(out, HeaderName::To, &session.remote, None);
            return;
        };
        party(out, HeaderName::From, &session.local, Some(&dialog.local_tag.digits()));
        party(out, HeaderName::To, &session.remote, dialog.remote_tag.as_ref().map(|tag| tag.as_bytes()));
    }
}

/// One Supported with what the owner says, what we have said before, and that we know of session timers.
fn supported(out: &mut MessageWriter, fields: &Fields, again: Declared, timer: bool) {
    let mut said = fields.all(HeaderName::Supported).map(|field| &**field.value()).peekable();
    let mut ours = again.but(fields).chain(timer.then_some(TIMER)).peekable();
    if said.peek().is_none() && ours.peek().is_none() {
        return;
    }
    out.value(HeaderName::Supported, |value| {
        let mut separator = "";
        for tag in said {
            value.text(separator).bytes(tag);
            separator = ", ";
        }
        for tag in ours {
            value.text(separator).text(tag);
            separator = ", ";
        }
    });
}

/// From or To.
fn party(out: &mut MessageWriter, name: HeaderName, address: &str, tag: Option<&[u8]>) {
    out.value(name, |value| {
        value.text(address);
        if let Some(tag) = tag {
            value.text(";tag=").bytes(tag);
        }
    });
}
