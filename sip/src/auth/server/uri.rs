//! Digest-uri against Request-URI.

use bytestring::ByteString;
use sip_types::Uri;

/// How far the digest-uri must agree with the Request-URI.
///
/// RFC 7616 §3.4.6 asks for the same resource; in SIP a proxy before us may have retargeted the request, so RFC 8760 §2.6
/// item 6 lets a server accept the difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UriCheck {
    /// Scheme, user, host and port agree; parameters, which clients drop or add, are not compared. URIs that do not parse
    /// agree only as text. The default: the response covers the digest-uri alone, so that without this check who
    /// holds back one request could use its credentials for another number.
    #[default]
    Resource,
    /// Not compared: for clients behind a proxy that rewrites the Request-URI.
    Any,
}

impl UriCheck {
    pub(super) fn passes(self, digest_uri: &str, request_uri: &str) -> bool {
        match self {
            UriCheck::Any => true,
            UriCheck::Resource => digest_uri == request_uri || same_resource(digest_uri, request_uri),
        }
    }
}

fn same_resource(left: &str, right: &str) -> bool {
    let (Ok(left), Ok(right)) = (Uri::parse(&ByteString::from(left)), Uri::parse(&ByteString::from(right)))
    else {
        return false;
    };
    if left.host().is_none() || right.host().is_none() {
        return left == right;
    }
    left.scheme_text().eq_ignore_ascii_case(right.scheme_text())
        && left.user_decoded() == right.user_decoded()
        && left.host() == right.host()
        && left.port() == right.port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7616_3_4_6_the_same_resource_however_written() {
        let same = |a, b| UriCheck::Resource.passes(a, b);
        assert!(same("sip:bob@biloxi.com", "sip:bob@biloxi.com"));
        assert!(same("sip:bob@biloxi.com", "sip:%62ob@BILOXI.com;transport=tcp"));
        assert!(!same("sip:bob@biloxi.com", "sip:carol@biloxi.com"));
        assert!(!same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5070"));
        assert!(!same("sip:bob@biloxi.com", "sips:bob@biloxi.com"));
        assert!(!same("sip:biloxi.com", "sip:bob@biloxi.com"));
        assert!(same("tel:+1-201-555-0123", "tel:+12015550123"));
        assert!(same("no uri", "no uri"));
        assert!(!same("no uri", "sip:bob@biloxi.com"));
        assert!(UriCheck::Any.passes("no uri", "sip:bob@biloxi.com"));
    }
}
