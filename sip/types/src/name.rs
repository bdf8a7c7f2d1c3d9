//! Header field names.

mod lookup;

use std::fmt;

/// One row per name: variant, spelling, compact form, whether values combine with commas.
macro_rules! names {
    ($($variant:ident, $text:literal, $compact:expr, $list:literal;)*) => {
        /// Names of header fields known to this crate: the IANA registry's common ones, and two that live in the field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum HeaderName {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
            /// Any other name; the field keeps its text.
            Unknown,
        }

        impl HeaderName {
            /// Every known name, without [`HeaderName::Unknown`].
            pub const ALL: &'static [HeaderName] = &[$(Self::$variant,)*];

            /// The registered spelling; empty for [`HeaderName::Unknown`].
            #[must_use]
            #[inline]
            #[expect(clippy::indexing_slicing, reason = "the table has a row for every variant")]
            pub const fn as_str(self) -> &'static str {
                const TEXTS: &[&str] = &[$($text,)* ""];
                TEXTS[self as usize]
            }

            /// The one-letter form (RFC 3261 §7.3.3), lower case.
            #[must_use]
            pub const fn compact(self) -> Option<char> {
                match self {
                    $(Self::$variant => $compact,)*
                    Self::Unknown => None,
                }
            }

            /// Whether the grammar of the value is a comma-separated list, so that several fields may be
            /// combined into one (RFC 3261 §7.3.1).
            #[must_use]
            pub const fn is_list(self) -> bool {
                match self {
                    $(Self::$variant => $list,)*
                    Self::Unknown => false,
                }
            }
        }
    };
}

names! {
    Accept, "Accept", None, true;
    AcceptContact, "Accept-Contact", Some('a'), true;
    AcceptEncoding, "Accept-Encoding", None, true;
    AcceptLanguage, "Accept-Language", None, true;
    AcceptResourcePriority, "Accept-Resource-Priority", None, true;
    AdditionalIdentity, "Additional-Identity", None, true;
    AlertInfo, "Alert-Info", None, true;
    Allow, "Allow", None, true;
    AllowEvents, "Allow-Events", Some('u'), true;
    AnswerMode, "Answer-Mode", None, false;
    AttestationInfo, "Attestation-Info", None, false;
    AuthenticationInfo, "Authentication-Info", None, false;
    Authorization, "Authorization", None, false;
    CallId, "Call-ID", Some('i'), false;
    CallInfo, "Call-Info", None, true;
    CellularNetworkInfo, "Cellular-Network-Info", None, true;
    Contact, "Contact", Some('m'), true;
    ContentDisposition, "Content-Disposition", None, false;
    ContentEncoding, "Content-Encoding", Some('e'), true;
    ContentId, "Content-ID", None, false;
    ContentLanguage, "Content-Language", None, true;
    ContentLength, "Content-Length", Some('l'), false;
    ContentTransferEncoding, "Content-Transfer-Encoding", None, false;
    ContentType, "Content-Type", Some('c'), false;
    CSeq, "CSeq", None, false;
    Date, "Date", None, false;
    Diversion, "Diversion", None, true;
    ErrorInfo, "Error-Info", None, true;
    Event, "Event", Some('o'), false;
    Expires, "Expires", None, false;
    FeatureCaps, "Feature-Caps", None, true;
    FlowTimer, "Flow-Timer", None, false;
    From, "From", Some('f'), false;
    Geolocation, "Geolocation", None, true;
    GeolocationError, "Geolocation-Error", None, false;
    GeolocationRouting, "Geolocation-Routing", None, false;
    HistoryInfo, "History-Info", None, true;
    Identity, "Identity", Some('y'), true;
    IdentityInfo, "Identity-Info", Some('n'), false;
    InReplyTo, "In-Reply-To", None, true;
    InfoPackage, "Info-Package", None, false;
    Join, "Join", None, false;
    MaxBreadth, "Max-Breadth", None, false;
    MaxForwards, "Max-Forwards", None, false;
    MimeVersion, "MIME-Version", None, false;
    MinExpires, "Min-Expires", None, false;
    MinSE, "Min-SE", None, false;
    Organization, "Organization", None, false;
    OriginationId, "Origination-Id", None, false;
    PAccessNetworkInfo, "P-Access-Network-Info", None, true;
    PAnswerState, "P-Answer-State", None, false;
    PAssertedIdentity, "P-Asserted-Identity", None, true;
    PAssertedService, "P-Asserted-Service", None, true;
    PAssociatedUri, "P-Associated-URI", None, true;
    PCalledPartyId, "P-Called-Party-ID", None, false;
    PChargeInfo, "P-Charge-Info", None, false;
    PChargingFunctionAddresses, "P-Charging-Function-Addresses", None, false;
    PChargingVector, "P-Charging-Vector", None, false;
    PEarlyMedia, "P-Early-Media", None, true;
    PMediaAuthorization, "P-Media-Authorization", None, true;
    PPreferredIdentity, "P-Preferred-Identity", None, true;
    PPreferredService, "P-Preferred-Service", None, true;
    PPrivateNetworkIndication, "P-Private-Network-Indication", None, false;
    PProfileKey, "P-Profile-Key", None, false;
    PRefusedUriList, "P-Refused-URI-List", None, true;
    PServedUser, "P-Served-User", None, false;
    PUserDatabase, "P-User-Database", None, false;
    PVisitedNetworkId, "P-Visited-Network-ID", None, true;
    Path, "Path", None, true;
    PermissionMissing, "Permission-Missing", None, true;
    PolicyContact, "Policy-Contact", None, true;
    PolicyId, "Policy-ID", None, true;
    Priority, "Priority", None, false;
    PriorityShare, "Priority-Share", None, false;
    PrivAnswerMode, "Priv-Answer-Mode", None, false;
    Privacy, "Privacy", None, false;
    ProxyAuthenticate, "Proxy-Authenticate", None, false;
    ProxyAuthorization, "Proxy-Authorization", None, false;
    ProxyRequire, "Proxy-Require", None, true;
    RAck, "RAck", None, false;
    RSeq, "RSeq", None, false;
    Reason, "Reason", None, true;
    RecordRoute, "Record-Route", None, true;
    RecvInfo, "Recv-Info", None, true;
    ReferEventsAt, "Refer-Events-At", None, false;
    ReferSub, "Refer-Sub", None, false;
    ReferTo, "Refer-To", Some('r'), false;
    ReferredBy, "Referred-By", Some('b'), false;
    RejectContact, "Reject-Contact", Some('j'), true;
    RelayedCharge, "Relayed-Charge", None, false;
    RemotePartyId, "Remote-Party-ID", None, true;
    Replaces, "Replaces", None, false;
    ReplyTo, "Reply-To", None, false;
    RequestDisposition, "Request-Disposition", Some('d'), true;
    Require, "Require", None, true;
    ResourcePriority, "Resource-Priority", None, true;
    ResourceShare, "Resource-Share", None, false;
    ResponseSource, "Response-Source", None, false;
    RestorationInfo, "Restoration-Info", None, false;
    RetryAfter, "Retry-After", None, false;
    Route, "Route", None, true;
    SecurityClient, "Security-Client", None, true;
    SecurityServer, "Security-Server", None, true;
    SecurityVerify, "Security-Verify", None, true;
    Server, "Server", None, false;
    ServiceInteractInfo, "Service-Interact-Info", None, false;
    ServiceRoute, "Service-Route", None, true;
    SessionExpires, "Session-Expires", Some('x'), false;
    SessionId, "Session-ID", None, false;
    SipETag, "SIP-ETag", None, false;
    SipIfMatch, "SIP-If-Match", None, false;
    Subject, "Subject", Some('s'), false;
    SubscriptionState, "Subscription-State", None, false;
    Supported, "Supported", Some('k'), true;
    SuppressIfMatch, "Suppress-If-Match", None, false;
    TargetDialog, "Target-Dialog", None, false;
    Timestamp, "Timestamp", None, false;
    To, "To", Some('t'), false;
    TriggerConsent, "Trigger-Consent", None, true;
    Unsupported, "Unsupported", None, true;
    UserAgent, "User-Agent", None, false;
    UserToUser, "User-to-User", None, true;
    Via, "Via", Some('v'), true;
    Warning, "Warning", None, true;
    WwwAuthenticate, "WWW-Authenticate", None, false;
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Unknown { "unknown" } else { self.as_str() })
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderName;

    #[test]
    fn every_name_is_found_in_any_case() {
        for &name in HeaderName::ALL {
            let text = name.as_str();
            assert_eq!(HeaderName::from_bytes(text.as_bytes()), name, "{text}");
            assert_eq!(HeaderName::from_bytes(text.to_ascii_uppercase().as_bytes()), name);
            assert_eq!(HeaderName::from_bytes(text.to_ascii_lowercase().as_bytes()), name);
        }
    }

    // conforms: RFC3261-7.3.3-1
    #[test]
    fn rfc3261_7_3_3_compact_forms_are_found_in_any_case() {
        let mut letters = Vec::new();
        for &name in HeaderName::ALL {
            let Some(letter) = name.compact() else { continue };
            assert_eq!(HeaderName::from_bytes(&[letter as u8]), name);
            assert_eq!(HeaderName::from_bytes(&[(letter as u8).to_ascii_uppercase()]), name);
            letters.push(letter);
        }
        letters.sort_unstable();
        assert_eq!(letters.iter().collect::<String>(), "abcdefijklmnorstuvxy");
    }

    #[test]
    fn a_name_is_found_before_its_colon() {
        for &name in HeaderName::ALL {
            let line = format!("{name}: \"a:b\" <sip:c>");
            let found = (name.as_str().len() < 16).then(|| (name, name.as_str().len()));
            assert_eq!(HeaderName::before_colon(line.as_bytes()), found, "{line}");
        }
        let line = |text: &str| HeaderName::before_colon(text.as_bytes());
        assert_eq!(line("v:SIP/2.0/UDP a.example"), Some((HeaderName::Via, 1)));
        assert_eq!(line("cALL-id:0123456789"), Some((HeaderName::CallId, 7)));
        for text in [
            "",
            "Via: short",
            ":0123456789abcdef",
            "Via :0123456789ab",
            "Via\0: 0123456789a",
            "Q: 0123456789abcdef",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    #[test]
    fn other_names_are_unknown() {
        for text in [
            "",
            ":",
            "Vi",
            "Viaa",
            "Via:",
            "Via\0",
            "z",
            "1",
            "[",
            "\u{c6}",
            "X-Custom",
            "Call_ID",
            "Call\rID",
            "Content-Encodin",
            "Content-Encodings",
            "P-Asserted-Identities",
        ] {
            assert_eq!(HeaderName::from_bytes(text.as_bytes()), HeaderName::Unknown, "{text}");
        }
    }
}
