//! Whom a certificate stands for (RFC 5922 §7.1).

use crate::flow::Domain;
use sip_types::{Host, Scheme, Uri};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

/// One domain that a certificate stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The domain.
    pub domain: Domain,
    /// Where it was found.
    pub source: Source,
}

/// Where an identity was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A `sip:` URI in subjectAltName.
    Uri,
    /// A DNS name in subjectAltName, without such a URI beside it.
    Dns,
    /// The common name, without subjectAltName.
    CommonName,
    /// None: the certificate itself is known.
    Pin,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let source = match self.source {
            Source::Uri => "URI",
            Source::Dns => "DNS",
            Source::CommonName => "CN",
            Source::Pin => "pin",
        };
        write!(f, "{source}:{}", self.domain.as_str())
    }
}

/// When a certificate expires, in seconds since 1970 (RFC 5280 §4.1.2.5); `None` if it cannot be read.
pub(super) fn expires(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// The SIP domain identities of a certificate whose chain was verified; none if it cannot be read.
pub(super) fn of(certificate: &[u8]) -> Vec<Identity> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let names = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    // One that cannot be read is there all the same: the common name is no way around it.
    let has_names = certificate
        .extensions()
        .iter()
        .any(|extension| extension.oid == x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME);
    match names {
        Some(names) => of_names(names),
        None if has_names => Vec::new(),
        None => common_name(&certificate).into_iter().collect(),
    }
}

/// `sip:` URIs; where there are none, DNS names.
fn of_names(names: &[GeneralName<'_>]) -> Vec<Identity> {
    let uris = names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => sip_domain(uri),
        _ => None,
    });
    let uris: Vec<Identity> = uris.map(|domain| Identity { domain, source: Source::Uri }).collect();
    if !uris.is_empty() {
        return uris;
    }
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(Domain::new(name)),
        _ => None,
    });
    names.map(|domain| Identity { domain, source: Source::Dns }).collect()
}

/// The host of a `sip:` URI without a user part: one with it stands for a user.
fn sip_domain(uri: &str) -> Option<Domain> {
    let uri: Uri = uri.parse().ok()?;
    if uri.scheme() != Scheme::Sip || uri.user().is_some() {
        return None;
    }
    uri.host().map(crate::location::domain)
}

/// The common name, if it is a DNS name.
fn common_name(certificate: &X509Certificate<'_>) -> Option<Identity> {
    // The last one is the most specific.
    let name = certificate.subject().iter_common_name().last()?.as_str().ok()?;
    match Host::parse(name) {
        Ok(Host::Name(name)) => Some(Identity { domain: Domain::new(name), source: Source::CommonName }),
        Ok(Host::V4(_) | Host::V6(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Names};
    use super::*;

    fn identities(names: Names<'_>) -> Vec<String> {
        of(&Authority::new("root").issue(names).certificate).iter().map(ToString::to_string).collect()
    }

    // conforms: RFC5922-7.1-6,7 RFC5922-7.2-1,2
    #[test]
    fn rfc5922_7_1_a_sip_uri_comes_before_dns_names() {
        let names = Names {
            dns: &["dns.example"],
            uri: &["SIP:Uri.Example.", "sip:b.example;x=1"],
            ..Names::default()
        };
        assert_eq!(identities(names), ["URI:uri.example", "URI:b.example"]);
    }

    // conforms: RFC5922-7.1-3,4,5
    #[test]
    fn rfc5922_7_1_other_uris_are_none_and_dns_names_count_then() {
        let uri = &["sips:a.example", "https://a.example", "sip:user@a.example", "im:a.example"];
        let names = Names { dns: &["Dns.Example", "*.example.com"], uri, common_name: Some("cn.example") };
        assert_eq!(identities(names), ["DNS:dns.example", "DNS:*.example.com"]);
    }

    // conforms: RFC5922-7.2-3
    #[test]
    fn rfc5280_7_2_internationalized_names_are_compared_in_their_ascii_form() {
        let names = Names::dns(&["XN--BCHER-KVA.Example"]);
        let of_certificate = of(&Authority::new("root").issue(names).certificate);
        let uri: Uri = "sips:xn--Bcher-kva.example.".parse().unwrap();
        assert_eq!(of_certificate[0].domain, crate::location::domain(uri.host().unwrap()));
        // Neither a URI nor a certificate has them in another form, so that nothing has to be made of it.
        assert!("sips:bücher.example".parse::<Uri>().is_err());
        assert_eq!(sip_domain("sip:bücher.example"), None);
    }

    #[test]
    fn rfc5922_7_1_the_common_name_counts_only_without_subject_alt_name() {
        let only = Names { common_name: Some("cn.example"), ..Names::default() };
        assert_eq!(identities(only), ["CN:cn.example"]);
        let beside = Names { common_name: Some("cn.example"), uri: &["https://a.example"], dns: &[] };
        assert!(identities(beside).is_empty());
        let prose = Names { common_name: Some("A Company, Ltd."), ..Names::default() };
        assert!(identities(prose).is_empty());
    }

    #[test]
    fn what_is_no_certificate_stands_for_nobody() {
        assert!(of(b"").is_empty());
        assert!(of(&[0x30, 0x82, 0xff, 0xff, 0x30]).is_empty());
    }
}
