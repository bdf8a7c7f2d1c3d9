use sip_types::{HeaderName, Method};

/// The kind of message that a header field stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On<'m> {
    /// A request of that method.
    Request(&'m Method),
    /// A response.
    Response,
}

impl On<'_> {
    /// Whether a field of that name means something there (RFC 3261 §7.3.2 and Tables 2 and 3 of §20; the field's own RFC
    /// where it is younger). What does not is passed over. Of fields that are not listed nothing of the kind is said.
    #[must_use]
    pub fn admits(self, name: HeaderName) -> bool {
        match name {
            HeaderName::AcceptContact
            | HeaderName::RejectContact
            | HeaderName::RequestDisposition
            | HeaderName::InReplyTo
            | HeaderName::InfoPackage
            | HeaderName::Priority
            | HeaderName::ReferTo
            | HeaderName::ReferredBy
            | HeaderName::Subject => matches!(self, Self::Request(_)),
            HeaderName::ErrorInfo
            | HeaderName::GeolocationError
            | HeaderName::MinExpires
            | HeaderName::RetryAfter
            | HeaderName::SipETag
            | HeaderName::Unsupported
            | HeaderName::Warning => self == Self::Response,
            // RFC 6665 §8.2.1, RFC 3903 §11.1.
            HeaderName::Event => {
                matches!(self, Self::Request(Method::Subscribe | Method::Notify | Method::Publish))
            }
            // RFC 6665 §8.2.3.
            HeaderName::SubscriptionState => matches!(self, Self::Request(Method::Notify)),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3261_7_3_2_fields_have_their_messages() {
        let (invite, notify) = (Method::Invite, Method::Notify);
        let on = [On::Request(&invite), On::Request(&notify), On::Response];
        let cases = [
            (HeaderName::Subject, [true, true, false]),
            (HeaderName::RetryAfter, [false, false, true]),
            (HeaderName::Event, [false, true, false]),
            (HeaderName::SubscriptionState, [false, true, false]),
            (HeaderName::Reason, [true; 3]),
            (HeaderName::Unknown, [true; 3]),
        ];
        for (name, expected) in cases {
            assert_eq!(on.map(|on| on.admits(name)), expected, "{name}");
        }
        assert!(!On::Request(&Method::Subscribe).admits(HeaderName::SubscriptionState));
        assert!(On::Request(&Method::Publish).admits(HeaderName::Event));
    }
}
