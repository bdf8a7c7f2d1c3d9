//! The GRUUs that a registration of ours gets (RFC 5627 §4.2).

use sip_types::Uri;
use sip_types::header::NameAddr;

/// Names that lead to us, and to nobody else of our address-of-record, for as long as the registration stands. They are written
/// as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gruus {
    /// The one that shows the address-of-record.
    pub public: Option<Uri>,
    /// The newest of those that show nothing.
    pub temporary: Option<Uri>,
}

impl Gruus {
    /// Those of a Contact in the 200: both, one or none. What is no GRUU is none (RFC 5627 §7, §4.5).
    pub(super) fn read(contact: &NameAddr) -> Self {
        let gruu = |name: &str| {
            let uri: Uri = contact.params().get_unquoted(name)?.parse().ok()?;
            (uri.is_sip() && uri.has_param("gr") && !uri.has_headers()).then_some(uri)
        };
        Self { public: gruu("pub-gruu"), temporary: gruu("temp-gruu") }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.public.is_none() && self.temporary.is_none()
    }

    /// The one that we go by: who is to stay unknown by none that shows its address-of-record (RFC 5627 §4.4, §10.3), others
    /// by the public one.
    #[must_use]
    pub fn choose(&self, private: bool) -> Option<&Uri> {
        match private {
            true => self.temporary.as_ref(),
            false => self.public.as_ref().or(self.temporary.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Bench, at, response, secs};
    use super::super::{Answer, Fault, Own, Stage};
    use crate::event::Failure;

    /// The lifetime and the public GRUU of our contact among these.
    fn read(contacts: &str) -> Option<(u64, String)> {
        let contact = "sip:gw@192.0.2.1:5060".parse().unwrap();
        let own = Own { contact: &contact, instance: Some("urn:uuid:1"), flow: None };
        match Answer::read(&Ok(response(200, &format!("Contact: {contacts}"))), own) {
            Answer::Bound(lifetime, extras) => Some((
                lifetime.as_secs(),
                extras.gruus.public.map(|gruu| gruu.to_string()).unwrap_or_default(),
            )),
            _ => None,
        }
    }

    #[test]
    fn rfc5627_4_2_gruus_are_read_from_the_contact_of_our_instance() {
        let of = |uri: &str, instance: u8, gruu: &str| {
            format!(
                "<{uri}>;expires={instance}0;+sip.instance=\"<urn:uuid:{instance}>\";pub-gruu=\"sip:{gruu}@b;gr=1\""
            )
        };
        let (ours, other) = ("sip:gw@192.0.2.1:5060", "sip:gw@203.0.113.9:99");
        let found = |lifetime, gruu: &str| Some((lifetime, format!("sip:{gruu}@b;gr=1")));
        // An edge has written another address into ours, and another device has what looks like it.
        assert_eq!(read(&[of(ours, 2, "x"), of(other, 1, "a")].join(", ")), found(10, "a"));
        // The binding of an address that we had before is still there.
        assert_eq!(read(&[of(other, 1, "old"), of(ours, 1, "a")].join(", ")), found(10, "a"));
        assert_eq!(
            read(&[of(other, 1, "a"), of("sip:gw@203.0.113.9:98", 1, "a")].join(", ")),
            None,
            "either"
        );
        // A registrar that knows no instances.
        assert_eq!(read(&format!("<sip:x@h>;expires=9, <{ours}>;expires=7")), Some((7, String::new())));
    }

    // conforms: RFC5627-4.2-4
    #[test]
    fn rfc5627_4_2_a_refresh_is_over_before_the_registration_is() {
        for lifetime in [8, 30, 64, 65, 66, 70, 71, 90, 120, 600] {
            for seed in 0..20 {
                let mut bench = Bench::new();
                bench.ids = crate::ids::tests::Seeded(seed);
                bench.registration.start();
                bench.answer(at(0), 200, &format!("Contact: <sip:gw@192.0.2.1:5060>;expires={lifetime}"));
                let left = at(lifetime).mono.since(bench.registration.poll_timeout().unwrap());
                match lifetime {
                    ..=64 => assert_eq!(left, secs(lifetime) / 2),
                    _ => assert!(left >= secs(32) && left <= secs(lifetime) / 2, "{left:?} of {lifetime}"),
                }
            }
        }
    }

    #[test]
    fn rfc5627_4_2_a_refresh_that_fails_takes_no_gruu() {
        let mut bench = Bench::new();
        bench.registration.start();
        let ours = "Contact: <sip:gw@192.0.2.1:5060>;expires=600;temp-gruu=\"sip:t.1@b;gr\"";
        bench.answer(at(0), 200, ours);
        for status in [403, 500] {
            bench.registration.start();
            bench.answer(at(500), status, "");
            let (_, extras) = bench.registration.bound(at(599)).unwrap();
            assert!(extras.gruus.temporary.is_some() && extras.gruus.public.is_none());
        }
        bench.registration.start();
        bench.hear(at(532), &Err(Failure::Timeout));
        assert!(matches!(bench.registration.stage(), Stage::Retry(_, Fault::Timeout)));
        assert!(bench.registration.bound(at(599)).is_some_and(|(_, extras)| !extras.gruus.is_empty()));
        assert!(bench.registration.bound(at(600)).is_none());
    }
}
