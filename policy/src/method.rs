//! Which methods cross, within a dialog and outside.

use config::UnsolicitedNotify;
use sip_types::{Method, StatusCode};

use crate::crossing::Crossing;

/// Why a method does not cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodRefused {
    /// Each user agent serves it by itself.
    #[error("each leg serves this method by itself")]
    Own,
    /// A profile forbids it by name.
    #[error("a profile forbids this method")]
    Forbidden,
    /// It is unknown, and a profile carries known methods only.
    #[error("a profile carries no unknown methods")]
    Unknown,
    /// It notifies of what nobody has subscribed to, and a profile does not carry that.
    #[error("there is no such subscription")]
    Unsolicited,
}

impl MethodRefused {
    /// The response: 405, with Allow (RFC 3261 §8.2.1); 481 to what notifies without a subscription (RFC 6665 §4.1.3).
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Own | Self::Forbidden | Self::Unknown => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unsolicited => StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
        }
    }
}

/// Whether every user agent serves the method by itself, so that it never crosses as it stands (RFC 3261, RFC 3262,
/// RFC 3311; REGISTER belongs to no dialog).
#[must_use]
pub const fn is_own(method: &Method) -> bool {
    match method {
        Method::Invite
        | Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Options
        | Method::Register
        | Method::Prack
        | Method::Update => true,
        Method::Info
        | Method::Subscribe
        | Method::Notify
        | Method::Publish
        | Method::Message
        | Method::Refer
        | Method::Extension(_) => false,
    }
}

/// Whether a request in a dialog is carried to the other leg.
///
/// # Errors
/// It is not, and why; the request is answered with the status of that.
pub fn method_crosses(method: &Method, crossing: &Crossing<'_>) -> Result<(), MethodRefused> {
    if is_own(method) {
        return Err(MethodRefused::Own);
    }
    for profile in crossing.profiles() {
        let carry = &profile.carry;
        if carry.forbid_methods.iter().any(|forbidden| forbidden.as_str() == method.as_str()) {
            return Err(MethodRefused::Forbidden);
        }
        if !carry.unknown_methods && matches!(method, Method::Extension(_)) {
            return Err(MethodRefused::Unknown);
        }
    }
    Ok(())
}

/// Whether a request outside a dialog goes to whom a call would reach.
///
/// # Errors
/// It does not, and why; the request is answered with the status of that.
pub fn goes_outside(method: &Method, crossing: &Crossing<'_>) -> Result<(), MethodRefused> {
    match method {
        Method::Options => Ok(()),
        Method::Notify
            if crossing.profiles().iter().any(|p| p.unsolicited_notify == UnsolicitedNotify::Refuse) =>
        {
            Err(MethodRefused::Unsolicited)
        }
        Method::Notify | Method::Message | Method::Publish | Method::Subscribe | Method::Extension(_) => {
            method_crosses(method, crossing)
        }
        // They belong to a dialog, to a registrar, or begin a call.
        Method::Invite
        | Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Register
        | Method::Prack
        | Method::Update
        | Method::Info
        | Method::Refer => Err(MethodRefused::Own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profile;

    #[test]
    fn methods_cross_unless_each_leg_serves_them_or_a_profile_forbids_them() {
        let open = profile("");
        let closed = profile("carry = { unknown_methods = false, forbid_methods = [\"MESSAGE\"] }");
        let decide = |method: &str, from, to| {
            let method: Method = method.parse().unwrap();
            let crossing = Crossing {
                from_trusted: true,
                to_trusted: true,
                from_profile: from,
                to_profile: to,
                realms: &[],
            };
            method_crosses(&method, &crossing)
        };
        assert_eq!(decide("FOO", &open, &open), Ok(()));
        assert_eq!(decide("FOO", &open, &closed), Err(MethodRefused::Unknown));
        assert_eq!(decide("FOO", &closed, &open), Err(MethodRefused::Unknown));
        assert_eq!(decide("INFO", &closed, &closed), Ok(()));
        assert_eq!(decide("MESSAGE", &closed, &open), Err(MethodRefused::Forbidden));
        // RFC 3261 §7.1: methods are case-sensitive, so this is another one.
        assert_eq!(decide("Message", &closed, &open), Err(MethodRefused::Unknown));
        assert_eq!(decide("BYE", &open, &open), Err(MethodRefused::Own));
        assert_eq!(MethodRefused::Own.status().as_u16(), 405);
    }

    // conforms: RFC6665-4.1.3-1
    #[test]
    fn rfc6665_4_1_3_a_notify_without_a_subscription_goes_on_only_where_both_sides_say_so() {
        let refusing = profile("");
        let carrying = profile("unsolicited_notify = \"carry\"");
        let strict = profile("carry = { unknown_methods = false, forbid_methods = [\"MESSAGE\"] }");
        let decide = |method: &str, from, to| {
            let crossing = Crossing {
                from_trusted: true,
                to_trusted: true,
                from_profile: from,
                to_profile: to,
                realms: &[],
            };
            goes_outside(&method.parse().unwrap(), &crossing)
        };
        assert_eq!(decide("NOTIFY", &refusing, &carrying), Err(MethodRefused::Unsolicited));
        assert_eq!(decide("NOTIFY", &carrying, &refusing), Err(MethodRefused::Unsolicited));
        assert_eq!(decide("NOTIFY", &carrying, &carrying), Ok(()));
        assert_eq!(MethodRefused::Unsolicited.status().as_u16(), 481);
        for method in ["OPTIONS", "MESSAGE", "PUBLISH", "SUBSCRIBE", "FOO"] {
            assert_eq!(decide(method, &refusing, &refusing), Ok(()), "{method}");
        }
        assert_eq!(decide("MESSAGE", &refusing, &strict), Err(MethodRefused::Forbidden));
        assert_eq!(decide("FOO", &strict, &refusing), Err(MethodRefused::Unknown));
        for method in ["INVITE", "INFO", "REFER", "REGISTER"] {
            assert_eq!(decide(method, &refusing, &refusing), Err(MethodRefused::Own), "{method}");
        }
    }
}
