//! Header field names.

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

const SLOTS: usize = 1024;

/// Perfect hash: at most one known name per slot (a test checks it).
static BY_HASH: [HeaderName; SLOTS] = by_hash();
/// Compact forms by letter, `a` first.
static BY_LETTER: [HeaderName; 26] = by_letter();

/// Length and four of the letters, case folded; the factors were searched so that known names don't collide.
const fn hash(len: usize, first: u8, last: u8, half: u8, quarter: u8) -> usize {
    (len * 614
        + (first | 0x20) as usize * 913
        + (last | 0x20) as usize * 32
        + (half | 0x20) as usize * 26
        + (quarter | 0x20) as usize * 328)
        % SLOTS
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn by_hash() -> [HeaderName; SLOTS] {
    let mut table = [HeaderName::Unknown; SLOTS];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        let t = HeaderName::ALL[i].as_str().as_bytes();
        table[hash(t.len(), t[0], t[t.len() - 1], t[t.len() / 2], t[t.len() / 4])] = HeaderName::ALL[i];
        i += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn by_letter() -> [HeaderName; 26] {
    let mut table = [HeaderName::Unknown; 26];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        if let Some(letter) = HeaderName::ALL[i].compact() {
            table[(letter as u8 - b'a') as usize] = HeaderName::ALL[i];
        }
        i += 1;
    }
    table
}

impl HeaderName {
    /// The name spelt `text`, long or compact form, in any case (RFC 3261 §7.3.1, §7.3.3).
    #[must_use]
    pub fn from_bytes(text: &[u8]) -> Self {
        let (Some(&first), Some(&last)) = (text.first(), text.last()) else { return Self::Unknown };
        let len = text.len();
        if len == 1 {
            let at = usize::from((first | 0x20).wrapping_sub(b'a'));
            let compact = first.is_ascii_alphabetic().then(|| BY_LETTER.get(at)).flatten();
            return compact.copied().unwrap_or(Self::Unknown);
        }
        let (Some(&half), Some(&quarter)) = (text.get(len / 2), text.get(len / 4)) else {
            return Self::Unknown;
        };
        match BY_HASH.get(hash(len, first, last, half, quarter)) {
            Some(name) if is_same(text, name.as_str().as_bytes()) => *name,
            _ => Self::Unknown,
        }
    }
}

/// Equality without case; most senders use the registered spelling.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a == b || a.eq_ignore_ascii_case(b)
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
    fn other_names_are_unknown() {
        for text in ["", "Vi", "Viaa", "z", "1", "[", "\u{c6}", "X-Custom", "Call_ID"] {
            assert_eq!(HeaderName::from_bytes(text.as_bytes()), HeaderName::Unknown, "{text}");
        }
    }
}
