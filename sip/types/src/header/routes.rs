//! The header fields that are an address with parameters.

use std::{fmt, ops::Deref};

use super::{NameAddr, TypedHeader, name_addr::Form};
use crate::{ByteString, HeaderName, SharedText, SyntaxError};

/// One newtype of [`NameAddr`] per row: name, documentation, whether the angle brackets may be left out.
macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident, $form:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name(NameAddr);

            impl $name {
                /// The field's value with that address.
                #[must_use]
                pub fn new(address: NameAddr) -> Self {
                    Self(address)
                }

                /// The address.
                #[must_use]
                pub fn address(&self) -> &NameAddr {
                    &self.0
                }

                /// The address.
                #[must_use]
                pub fn into_address(self) -> NameAddr {
                    self.0
                }
            }

            impl TypedHeader for $name {
                const NAME: HeaderName = HeaderName::$name;

                fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
                    Self::parse_part(text.into())
                }

                fn parse_part(text: SharedText<'_>) -> Result<Self, SyntaxError> {
                    NameAddr::parse_form(text, Form::$form).map(Self)
                }
            }

            impl Deref for $name {
                type Target = NameAddr;

                fn deref(&self) -> &NameAddr {
                    &self.0
                }
            }

            impl std::convert::From<NameAddr> for $name {
                fn from(address: NameAddr) -> Self {
                    Self(address)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

addresses! {
    /// From (RFC 3261 §20.20).
    From, Any;
    /// To (RFC 3261 §20.39).
    To, Any;
    /// Reply-To (RFC 3261 §20.31).
    ReplyTo, Any;
    /// One Route (RFC 3261 §20.34).
    Route, Brackets;
    /// One Record-Route (RFC 3261 §20.30).
    RecordRoute, Brackets;
    /// One Path (RFC 3327 §4).
    Path, Brackets;
    /// One Service-Route (RFC 3608 §5).
    ServiceRoute, Brackets;
    /// One P-Asserted-Identity (RFC 3325 §9.1).
    PAssertedIdentity, Any;
    /// One P-Preferred-Identity (RFC 3325 §9.2).
    PPreferredIdentity, Any;
    /// One P-Associated-URI (RFC 7315 §4.1).
    PAssociatedUri, Any;
    /// P-Called-Party-ID (RFC 7315 §4.2).
    PCalledPartyId, Any;
    /// Refer-To (RFC 3515 §2.1).
    ReferTo, Any;
    /// Referred-By (RFC 3892 §3).
    ReferredBy, Any;
    /// One Diversion (RFC 5806 §4).
    Diversion, Any;
    /// One History-Info (RFC 7044 §5).
    HistoryInfo, Brackets;
    /// One Remote-Party-ID (draft-ietf-sip-privacy-04).
    RemotePartyId, Any;
}

#[cfg(test)]
mod tests {
    use super::{From, Route, To, TypedHeader};

    #[test]
    fn rfc3261_20_34_a_route_needs_angle_brackets() {
        let route = Route::parse(&"<sip:p.example;lr>;x=1".into()).unwrap();
        assert!(route.uri().is_loose());
        assert_eq!(route.param("x"), Some(Some("1")));
        assert!(Route::parse(&"sip:p.example;lr".into()).is_err());
    }

    #[test]
    fn rfc3261_20_39_tag_is_a_parameter_of_the_field() {
        let to = To::parse(&"<sip:a@b;tag=1>;tag=2".into()).unwrap();
        assert_eq!(to.tag(), Some("2"));
        assert_eq!(From::parse(&"sip:a@b;tag=3".into()).unwrap().tag(), Some("3"));
        assert_eq!(From::parse(&"sip:a@b".into()).unwrap().tag(), None);
    }
}
