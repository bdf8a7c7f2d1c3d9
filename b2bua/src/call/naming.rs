//! What a leg to a trunk goes by: the GRUU that our registration with it gives (RFC 5627 §4.4).

use super::{Call, CallKey, LegNo};
use crate::shard::Core;
use config::TrunkName;
use sip::time::Now;
use sip_types::header::{Privacy, PrivacyKind};
use sip_types::{Headers, Uri};

/// What a leg goes by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naming {
    /// Whether whom it speaks for is to stay unknown (RFC 3323).
    private: bool,
    /// The temporary GRUU that it has gone by, and the period of the registration that this is good for.
    temporary: Option<Box<(u64, Uri)>>,
}

impl Naming {
    /// That of a leg which speaks for who sent a message with that From.
    fn of(headers: &Headers, from: &Uri) -> Self {
        Self { private: is_private(headers) || is_anonymous(from), temporary: None }
    }

    /// The GRUU of a leg to a trunk at this moment; `None` if we have none. A leg stays with a temporary one for as long as that is
    /// good, so that its remote target does not change by itself.
    pub(super) fn gruu(&mut self, now: Now, core: &Core, trunk: Option<&TrunkName>) -> Option<Uri> {
        let standing = core.common.standings.get(trunk?)?;
        let gruus = standing.gruus(now)?;
        let chosen = gruus.choose(self.private)?;
        if gruus.public.as_ref() == Some(chosen) {
            return Some(chosen.clone());
        }
        let period = standing.period();
        match &self.temporary {
            Some(kept) if kept.0 == period => Some(kept.1.clone()),
            _ => {
                self.temporary = Some(Box::new((period, chosen.clone())));
                Some(chosen.clone())
            }
        }
    }
}

impl Call {
    /// What a leg that is about to be dialled goes by: it speaks for the caller.
    pub(super) fn naming(&self) -> Naming {
        let invite = self.invite.as_deref();
        invite.map(|invite| Naming::of(invite.headers(), invite.from.uri())).unwrap_or_default()
    }
}

impl Core {
    /// Says what a leg goes by, before it sends something that sets its Contact. `headers` are of the message that this speaks
    /// for, where there is one.
    pub(super) fn name_leg(&mut self, now: Now, key: CallKey, no: LegNo, headers: Option<&Headers>) {
        let Some(leg) = self.calls.get_mut(key).and_then(|call| call.leg_mut(no)) else { return };
        if leg.trunk.is_none() {
            return;
        }
        let (session, trunk) = (leg.session, leg.trunk.clone());
        let mut naming = std::mem::take(&mut leg.naming);
        naming.private |= headers.is_some_and(is_private);
        let gruu = naming.gruu(now, self, trunk.as_ref());
        if let Some(leg) = self.calls.get_mut(key).and_then(|call| call.leg_mut(no)) {
            leg.naming = naming;
        }
        self.endpoint.go_by(session, gruu);
    }
}

/// Whether a message asks that who sent it stay unknown (RFC 3323 §4.2, RFC 3325 §9.3).
fn is_private(headers: &Headers) -> bool {
    let hiding = [PrivacyKind::Header, PrivacyKind::User, PrivacyKind::Id];
    Privacy::of(headers).is_some_and(|privacy| hiding.into_iter().any(|kind| privacy.asks_for(kind)))
}

/// Whether From names nobody (RFC 3323 §4.1.1.3).
fn is_anonymous(from: &Uri) -> bool {
    let nowhere = from.host().and_then(|host| host.name().map(str::to_ascii_lowercase));
    nowhere.is_some_and(|name| name == "anonymous.invalid")
        || from.user().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip_types::{Limits, Message};

    fn private(fields: &str, from: &str) -> bool {
        let text = format!("INVITE sip:b@example.com SIP/2.0\r\n{fields}Content-Length: 0\r\n\r\n");
        match Message::parse(text.into(), &Limits::default()) {
            Ok(message) => Naming::of(message.headers(), &from.parse().unwrap()).private,
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn rfc3323_who_asks_to_stay_unknown_is_told_from_privacy_and_from() {
        let alice = "sip:alice@example.com";
        for (fields, from, expected) in [
            ("", alice, false),
            ("Privacy: none\r\n", alice, false),
            ("Privacy: session; critical\r\n", alice, false),
            ("Privacy: critical;Header\r\n", alice, true),
            ("Privacy: id\r\n", alice, true),
            ("Privacy: session\r\nPrivacy: user\r\n", alice, true),
            ("", "sip:Anonymous@example.com", true),
            ("", "sip:x@anonymous.INVALID", true),
            ("", "sip:x@anonymous.invalid.example", false),
        ] {
            assert_eq!(private(fields, from), expected, "{fields}{from}");
        }
    }
}
