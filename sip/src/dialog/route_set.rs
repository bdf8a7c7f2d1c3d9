//! Route sets (RFC 3261 §12.1, §12.2.1.1, §16.12.1).

use bytestring::ByteString;
use sip_types::header::RecordRoute;
use sip_types::{Scheme, Uri};

/// The proxies that stay in a dialog, nearest first, each as the text of a Route value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteSet(Box<[Box<str>]>);

/// What a request of ours in a dialog is addressed with.
#[derive(Clone, Debug)]
pub struct Aim {
    /// The Request-URI.
    pub request_uri: Uri,
    /// The Route values, in order.
    pub routes: Vec<Box<str>>,
    /// The URI that says where to send it.
    pub next_hop: Uri,
}

impl RouteSet {
    /// The Record-Route of a request, in order (RFC 3261 §12.1.1).
    pub fn of_uas(record_route: &[RecordRoute]) -> Self {
        Self(record_route.iter().map(text).collect())
    }

    /// The Record-Route of a response, in reverse order (RFC 3261 §12.1.2).
    pub fn of_uac(record_route: &[RecordRoute]) -> Self {
        Self(record_route.iter().rev().map(text).collect())
    }

    /// One that is known before there is a dialog, each value as text, nearest first.
    pub(crate) fn preset(routes: Box<[Box<str>]>) -> Self {
        Self(routes)
    }

    /// [`aim`](Self::aim) of a request that makes no use of a dialog: without routes it is sent to the next hop.
    pub(crate) fn aim_or(&self, request_uri: Uri, next_hop: Uri) -> Aim {
        match self.is_empty() {
            true => Aim { request_uri, routes: Vec::new(), next_hop },
            false => self.aim(&request_uri),
        }
    }

    /// Whether no proxy stays.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values, nearest first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|r| &**r)
    }

    fn is_secure(&self) -> bool {
        self.iter().all(|route| uri_of(route).is_none_or(|uri| uri.scheme() != Scheme::Sip))
    }

    fn secured(&self) -> Self {
        Self(self.iter().map(secured).collect())
    }

    /// Request-URI, Route and next hop towards `remote_target` (RFC 3261 §12.2.1.1): a strict router in first
    /// place becomes the Request-URI, and the remote target the last Route.
    ///
    /// A SIPS remote target makes SIPS URIs of the routes (RFC 5630 §5.1.1).
    pub fn aim(&self, remote_target: &Uri) -> Aim {
        if remote_target.scheme() == Scheme::Sips && !self.is_secure() {
            return self.secured().aim(remote_target);
        }
        let direct =
            |routes| Aim { request_uri: remote_target.clone(), routes, next_hop: remote_target.clone() };
        let Some((first, rest)) = self.0.split_first() else { return direct(Vec::new()) };
        let Some(first_uri) = uri_of(first) else { return direct(Vec::new()) };
        if first_uri.is_loose() {
            return Aim { request_uri: remote_target.clone(), routes: self.0.to_vec(), next_hop: first_uri };
        }
        let mut routes = rest.to_vec();
        routes.push(format!("<{remote_target}>").into_boxed_str());
        Aim { request_uri: first_uri.for_request_line(), routes, next_hop: first_uri }
    }
}

/// A Route value with a SIPS URI.
fn secured(route: &str) -> Box<str> {
    let Some(uri) = uri_of(route).filter(|uri| uri.scheme() == Scheme::Sip) else { return route.into() };
    match route.split_once(uri.as_str()) {
        Some((before, after)) => format!("{before}{}{after}", uri.secured()).into_boxed_str(),
        None => route.into(),
    }
}

fn text(route: &RecordRoute) -> Box<str> {
    route.to_string().into_boxed_str()
}

fn uri_of(route: &str) -> Option<Uri> {
    use sip_types::TypedHeader;
    RecordRoute::parse(&ByteString::from(route)).ok().map(|r| r.uri().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip_types::TypedHeader;

    fn routes(values: &[&str]) -> Vec<RecordRoute> {
        values.iter().map(|v| RecordRoute::parse(&ByteString::from(*v)).unwrap()).collect()
    }

    fn target() -> Uri {
        "sip:callee@u2.domain.com".parse().unwrap()
    }

    #[test]
    fn rfc3261_12_2_1_1_loose_route_keeps_the_remote_target() {
        let set = RouteSet::of_uac(&routes(&["<sip:p2.domain.com;lr>", "<sip:p1.example.com;lr>"]));
        let aim = set.aim(&target());
        assert_eq!(aim.request_uri.as_str(), "sip:callee@u2.domain.com");
        assert_eq!(aim.next_hop.as_str(), "sip:p1.example.com;lr");
        assert_eq!(aim.routes, ["<sip:p1.example.com;lr>".into(), "<sip:p2.domain.com;lr>".into()]);
    }

    // conforms: RFC3261-12.2.1.1-14,15,16
    #[test]
    fn rfc3261_12_2_1_1_strict_route_takes_the_request_line() {
        let set =
            RouteSet::of_uas(&routes(&["<sip:p1.example.com;method=INVITE>", "<sip:p2.domain.com;lr>"]));
        let aim = set.aim(&target());
        assert_eq!(aim.request_uri.as_str(), "sip:p1.example.com");
        assert_eq!(aim.routes, ["<sip:p2.domain.com;lr>".into(), "<sip:callee@u2.domain.com>".into()]);
        assert_eq!(aim.next_hop.host(), aim.request_uri.host());
    }

    // conforms: RFC5630-5.1.1-4
    #[test]
    fn rfc5630_5_1_1_a_sips_target_makes_sips_routes() {
        let set = RouteSet::of_uas(&routes(&["<sip:p1.example.com;lr>;x=1", "<sips:p2.example.com;lr>"]));
        let aim = set.aim(&"sips:callee@u2.domain.com".parse().unwrap());
        assert_eq!(aim.routes, ["<sips:p1.example.com;lr>;x=1".into(), "<sips:p2.example.com;lr>".into()]);
        assert_eq!(aim.next_hop.as_str(), "sips:p1.example.com;lr");
        let aim = set.aim(&target());
        assert_eq!(&*aim.routes[0], "<sip:p1.example.com;lr>;x=1", "a sip target leaves them");
    }

    // conforms: RFC3261-12.1.1-7 RFC3261-12.2.1.1-11,12
    #[test]
    fn rfc3261_12_2_1_1_empty_route_set_goes_direct() {
        let aim = RouteSet::default().aim(&target());
        assert!(aim.routes.is_empty());
        assert_eq!(aim.next_hop.as_str(), "sip:callee@u2.domain.com");
    }
}
