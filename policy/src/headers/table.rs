use std::sync::LazyLock;

use sip_types::HeaderName;

/// What becomes of a header field between two legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// (a) Of one hop, or of one dialog: each leg has its own.
    Leg,
    /// (b) A user agent's statement about itself: each leg composes its own.
    Statement,
    /// Describes the body: crosses with a body that crosses, and is composed for one that we made.
    Body,
    /// (c) within a trust domain only (RFC 3324, RFC 3325): crosses from a trusted network to a trusted one.
    TrustDomain,
    /// (c) Crosses.
    EndToEnd,
}

/// One header field of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The field name.
    pub name: &'static str,
    /// What becomes of it.
    pub class: Class,
    /// Where that is said, or what it follows from.
    pub source: &'static str,
}

const fn row(name: &'static str, class: Class, source: &'static str) -> Row {
    Row { name, class, source }
}

use Class::{Body, EndToEnd, Leg, Statement, TrustDomain};

/// Every header field that we know. What is not here crosses.
pub const TABLE: &[Row] = &[
    row("Accept", Statement, "RFC 3261 §20.1"),
    row("Accept-Contact", EndToEnd, "RFC 3841 §9.2"),
    row("Accept-Encoding", Statement, "RFC 3261 §20.2"),
    row("Accept-Language", Statement, "RFC 3261 §20.3"),
    row("Accept-Resource-Priority", Statement, "RFC 4412 §3.2"),
    row("Additional-Identity", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("Alert-Info", EndToEnd, "RFC 3261 §20.4"),
    row("Allow", Statement, "RFC 3261 §20.5"),
    row("Allow-Events", Statement, "RFC 6665 §8.2.2"),
    row("Answer-Mode", EndToEnd, "RFC 5373 §3"),
    row("Attestation-Info", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("Authentication-Info", Statement, "RFC 3261 §20.6"),
    row("Authorization", Statement, "RFC 3261 §20.7"),
    row("Call-ID", Leg, "RFC 3261 §20.8"),
    row("Call-Info", EndToEnd, "RFC 3261 §20.9"),
    row("Cellular-Network-Info", TrustDomain, "3GPP TS 24.229 §7.2.15"),
    row("Contact", Leg, "RFC 3261 §20.10; feature parameters cross, RFC 3840 §9"),
    row("Content-Disposition", Body, "RFC 3261 §20.11"),
    row("Content-Encoding", Body, "RFC 3261 §20.12"),
    row("Content-ID", Body, "RFC 8262 §3"),
    row("Content-Language", Body, "RFC 3261 §20.13"),
    row("Content-Length", Leg, "RFC 3261 §20.14"),
    row("Content-Transfer-Encoding", Body, "RFC 2045 §6"),
    row("Content-Type", Body, "RFC 3261 §20.15"),
    row("CSeq", Leg, "RFC 3261 §20.16"),
    row("Date", EndToEnd, "RFC 3261 §20.17; signed with Identity, RFC 8224 §5.1"),
    row("Diversion", EndToEnd, "RFC 5806 §4"),
    row("Error-Info", EndToEnd, "RFC 3261 §20.18"),
    row("Event", EndToEnd, "RFC 6665 §8.2.1"),
    row("Expires", EndToEnd, "RFC 3261 §20.19"),
    row("Feature-Caps", EndToEnd, "RFC 6809 §4.2.2"),
    row("Flow-Timer", Leg, "RFC 5626 §11.1"),
    row("From", Leg, "RFC 3261 §20.20; the URI crosses, the tag is the leg's"),
    row("Geolocation", EndToEnd, "RFC 6442 §4.1"),
    row("Geolocation-Error", EndToEnd, "RFC 6442 §4.3"),
    row("Geolocation-Routing", EndToEnd, "RFC 6442 §4.2"),
    row("History-Info", EndToEnd, "RFC 7044 §5"),
    row("Identity", EndToEnd, "RFC 8224 §4"),
    row("Identity-Info", EndToEnd, "RFC 4474 §9"),
    row("In-Reply-To", EndToEnd, "RFC 3261 §20.21"),
    row("Info-Package", EndToEnd, "RFC 6086 §7.2"),
    row("Join", Leg, "RFC 3911 §7.1; it names a dialog of that side"),
    row("Max-Breadth", Leg, "RFC 5393 §5"),
    row("Max-Forwards", Leg, "RFC 3261 §20.22; counted on, RFC 7332 §5"),
    row("MIME-Version", Body, "RFC 3261 §20.24"),
    row("Min-Expires", EndToEnd, "RFC 3261 §20.23"),
    row("Min-SE", Statement, "RFC 4028 §5"),
    row("Organization", EndToEnd, "RFC 3261 §20.25"),
    row("Origination-Id", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("P-Access-Network-Info", TrustDomain, "RFC 7315 §4.4"),
    row("P-Answer-State", EndToEnd, "RFC 4964 §5"),
    row("P-Asserted-Identity", TrustDomain, "RFC 3325 §9.1"),
    row("P-Asserted-Service", TrustDomain, "RFC 6050 §4.1"),
    row("P-Associated-URI", TrustDomain, "RFC 7315 §4.1"),
    row("P-Called-Party-ID", TrustDomain, "RFC 7315 §4.2"),
    row("P-Charge-Info", TrustDomain, "RFC 8496 §8.2"),
    row("P-Charging-Function-Addresses", TrustDomain, "RFC 7315 §4.5"),
    row("P-Charging-Vector", TrustDomain, "RFC 7315 §4.6"),
    row("P-DCS-Billing-Info", TrustDomain, "RFC 5503 §7"),
    row("P-DCS-LAES", TrustDomain, "RFC 5503 §8"),
    row("P-DCS-OSPS", TrustDomain, "RFC 5503 §6"),
    row("P-DCS-Redirect", TrustDomain, "RFC 5503 §8"),
    row("P-DCS-Trace-Party-ID", TrustDomain, "RFC 5503 §5"),
    row("P-Early-Media", TrustDomain, "RFC 5009 §8"),
    row("P-Media-Authorization", TrustDomain, "RFC 3313 §5"),
    row("P-Preferred-Identity", Leg, "RFC 3325 §6; a hint for the first hop, which removes it"),
    row("P-Preferred-Service", Leg, "RFC 6050 §4.2; a hint for the first hop"),
    row("P-Private-Network-Indication", TrustDomain, "RFC 7316 §3.6"),
    row("P-Profile-Key", TrustDomain, "RFC 5002 §5"),
    row("P-Refused-URI-List", EndToEnd, "RFC 5318 §4"),
    row("P-Served-User", TrustDomain, "RFC 5502 §7"),
    row("P-User-Database", TrustDomain, "RFC 4457 §3"),
    row("P-Visited-Network-ID", TrustDomain, "RFC 7315 §4.3"),
    row("Path", Leg, "RFC 3327 §4"),
    row("Permission-Missing", EndToEnd, "RFC 5360 §5.9.3"),
    row("Policy-Contact", EndToEnd, "RFC 6794 §4.4.5.2"),
    row("Policy-ID", EndToEnd, "RFC 6794 §4.4.5.1"),
    row("Priority", EndToEnd, "RFC 3261 §20.26"),
    row("Priority-Share", TrustDomain, "3GPP TS 24.229 §7.2.16"),
    row("Priv-Answer-Mode", EndToEnd, "RFC 5373 §3"),
    row("Privacy", EndToEnd, "RFC 3323 §4.2"),
    row("Proxy-Authenticate", Statement, "RFC 3261 §20.27"),
    row("Proxy-Authentication-Info", Statement, "RFC 7615 §4"),
    row("Proxy-Authorization", Statement, "RFC 3261 §20.28"),
    row("Proxy-Require", Statement, "RFC 3261 §20.29"),
    row("RAck", Leg, "RFC 3262 §7.2"),
    row("RSeq", Leg, "RFC 3262 §7.1"),
    row("Reason", EndToEnd, "RFC 3326 §2"),
    row("Record-Route", Leg, "RFC 3261 §20.30"),
    row("Recv-Info", Statement, "RFC 6086 §7.3"),
    row("Refer-Events-At", Leg, "RFC 7614 §4.8; it names a resource of that side"),
    row("Refer-Sub", EndToEnd, "RFC 4488 §4"),
    row("Refer-To", EndToEnd, "RFC 3515 §2.1"),
    row("Referred-By", EndToEnd, "RFC 3892 §3"),
    row("Reject-Contact", EndToEnd, "RFC 3841 §9.2"),
    row("Relayed-Charge", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("Remote-Party-ID", TrustDomain, "RFC 3325; the draft that it replaced"),
    row("Replaces", Leg, "RFC 3891 §6.1; it names a dialog of that side"),
    row("Reply-To", EndToEnd, "RFC 3261 §20.31"),
    row("Request-Disposition", EndToEnd, "RFC 3841 §9.1"),
    row("Require", Statement, "RFC 3261 §20.32"),
    row("Resource-Priority", EndToEnd, "RFC 4412 §3.1"),
    row("Resource-Share", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("Response-Source", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("Restoration-Info", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("Retry-After", EndToEnd, "RFC 3261 §20.33"),
    row("Route", Leg, "RFC 3261 §20.34"),
    row("Security-Client", Leg, "RFC 3329 §2.2"),
    row("Security-Server", Leg, "RFC 3329 §2.2"),
    row("Security-Verify", Leg, "RFC 3329 §2.2"),
    row("Server", Statement, "RFC 3261 §20.35"),
    row("Service-Interact-Info", TrustDomain, "3GPP TS 24.229 §7.2"),
    row("Service-Route", Leg, "RFC 3608 §5"),
    row("Session-Expires", Statement, "RFC 4028 §4"),
    row("Session-ID", EndToEnd, "RFC 7989 §5"),
    row("SIP-ETag", EndToEnd, "RFC 3903 §11.3.1"),
    row("SIP-If-Match", EndToEnd, "RFC 3903 §11.3.2"),
    row("Subject", EndToEnd, "RFC 3261 §20.36"),
    row("Subscription-State", EndToEnd, "RFC 6665 §8.2.3"),
    row("Supported", Statement, "RFC 3261 §20.37"),
    row("Suppress-If-Match", EndToEnd, "RFC 5839 §6"),
    row("Target-Dialog", Leg, "RFC 4538 §7; it names a dialog of that side"),
    row("Timestamp", Leg, "RFC 3261 §20.38"),
    row("To", Leg, "RFC 3261 §20.39; the URI crosses, the tag is the leg's"),
    row("Trigger-Consent", EndToEnd, "RFC 5360 §5.11.2"),
    row("Unsupported", Statement, "RFC 3261 §20.40"),
    row("User-Agent", Statement, "RFC 3261 §20.41"),
    row("User-to-User", EndToEnd, "RFC 7433 §4"),
    row("Via", Leg, "RFC 3261 §20.42"),
    row("Warning", EndToEnd, "RFC 3261 §20.43; the code and the text cross, the agent is ours"),
    row("WWW-Authenticate", Statement, "RFC 3261 §20.44"),
];

/// The table by known name, and the rows of names that the parser does not know.
struct Index {
    known: [Option<&'static Row>; 256],
    unknown: Vec<&'static Row>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { known: [None; 256], unknown: Vec::new() };
    for row in TABLE {
        match HeaderName::from_bytes(row.name.as_bytes()) {
            HeaderName::Unknown => index.unknown.push(row),
            name => index
                .known
                .iter_mut()
                .skip(usize::from(name as u8))
                .take(1)
                .for_each(|slot| *slot = Some(row)),
        }
    }
    index
});

impl Row {
    /// The row of a field; `text` is its name as received, which counts where the parser does not know it.
    #[must_use]
    pub fn of(name: HeaderName, text: &str) -> Option<&'static Self> {
        match name {
            HeaderName::Unknown => {
                INDEX.unknown.iter().copied().find(|row| row.name.eq_ignore_ascii_case(text))
            }
            known => INDEX.known.get(usize::from(known as u8)).copied().flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_the_parser_knows_has_one_row_with_its_source() {
        for name in HeaderName::ALL {
            let rows = TABLE.iter().filter(|row| row.name.eq_ignore_ascii_case(name.as_str()));
            assert_eq!(rows.count(), 1, "{name}");
            assert_eq!(Row::of(*name, name.as_str()).map(|row| row.name), Some(name.as_str()));
        }
        for row in TABLE {
            assert!(row.source.starts_with("RFC ") || row.source.starts_with("3GPP TS "), "{}", row.name);
            assert_eq!(Row::of(HeaderName::from_bytes(row.name.as_bytes()), row.name), Some(row));
        }
    }

    #[test]
    fn names_that_the_parser_does_not_know_are_found_in_any_case() {
        assert_eq!(Row::of(HeaderName::Unknown, "p-dcs-laes").map(|row| row.class), Some(TrustDomain));
        assert_eq!(Row::of(HeaderName::Unknown, "X-Keep"), None);
    }
}
