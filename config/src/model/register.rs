use std::time::Duration;

use sip_types::Uri;

use crate::declare::{Reader, choice, table};
use crate::error::Found;
use crate::model::{Outbound, target_transport};
use crate::text::{AddressOfRecord, TrunkName, UserPart};

/// Flows of a trunk, as RFC 5626 §4.2.1 has it.
const MOST_FLOWS: usize = 4;

table! {
    /// A registration of ours with a trunk (RFC 3261 §10.2): the trunk learns by it where calls to us go.
    pub struct Register {
        /// The address-of-record that is registered.
        live address: AddressOfRecord, such as "+4930123456@sip.example.com";
        /// Where REGISTERs go, when that is not to the trunk's targets. Each is located as a target is; when one fails, the
        /// next attempt goes to the one after it.
        live registrars: Vec<Uri> = [], in 0..=16, such as ["sip:registrar.example.com"];
        /// The lifetime to ask for. It is refreshed well before its end; the registrar may grant less, and may want more
        /// (423).
        live expires: Duration = "1h", in "1m"..="30d";
        /// The user part of the contact that is registered; without it the name of the trunk. A call to that user, from an
        /// address that the registrar has answered from or one of the trunk's `from`, is the trunk's. No other contact of
        /// the address-of-record may have it.
        live contact_user: Option<UserPart>, such as "liaison";
        /// Whom a call to the registered contact is for.
        live called: Called = "address";
        /// What becomes of calls to the trunk while nothing is registered.
        live unregistered: Unregistered = "refuse";
        /// Registers by several flows to edge proxies, so that calls go on while one of them fails. Where a reload switches it on
        /// or off, what is registered is removed before the new is made, since a registrar may take one for the other; calls
        /// to the trunk in between are as `unregistered` says.
        live outbound: Option<Outbound>;
        /// Whether the registrar is asked for GRUUs (RFC 5627), names that lead to this node and no other device of the
        /// address-of-record. Where it gives one, that is the Contact of our calls with the trunk, so that requests in them find
        /// us after we have registered from another address; one that shows nothing in a call that is anonymous. Without
        /// `outbound` that says another, our name as an instance is the one in the state directory. Ask for them only where what is
        /// sent to a GRUU within a dialog is routed: some registrars give them out and refuse it.
        live gruu: bool = false;
        /// Whether REGISTERs offer the first hop that keepalives be sent to it (RFC 6223): none are sent unless it answers
        /// that it takes them. Outbound has keepalives of its own where the registrar applies it.
        live offer_keepalives: bool = false;
        /// How long to wait after a refusal that asking again does not mend, such as 403 or a wrong password. After other
        /// failures the wait begins with 30 s to 60 s and doubles up to 30 min (RFC 5626 §4.5), if `outbound` does not say
        /// otherwise, or is what Retry-After says.
        live refused_wait: Duration = "15m", in "10s"..="1d";
        /// Whether the binding is removed when the node drains, so that calls go elsewhere. A binding that stays lets calls
        /// find a node that comes back soon.
        live unregister: bool = true;
    }
    check check_register;
}

choice! {
    /// The called party of a call to the registered contact.
    pub enum Called {
        /// The registered address-of-record.
        Address = "address",
        /// The party that To names, as trunks with many numbers under one registration have it.
        To = "to",
    }
}

choice! {
    /// What an unregistered trunk is for calls to it.
    pub enum Unregistered {
        /// They are not sent to it; a route's next target is tried, and without one the answer is 503.
        Refuse = "refuse",
        /// They are sent to it.
        Call = "call",
    }
}

impl Register {
    /// Where REGISTERs of a trunk with these targets go, in order.
    #[must_use]
    pub fn registrars<'a>(&'a self, targets: &'a [Uri]) -> &'a [Uri] {
        if self.registrars.is_empty() { targets } else { &self.registrars }
    }

    /// How many flows outbound has there, which are numbered from 1; 0 without it.
    #[must_use]
    pub fn flows(&self, targets: &[Uri]) -> usize {
        let Some(outbound) = &self.outbound else { return 0 };
        match outbound.proxies.len() {
            0 => self.registrars(targets).len().min(MOST_FLOWS),
            proxies => proxies,
        }
    }

    /// The user part of the contact that the trunk of that name registers.
    #[must_use]
    pub fn contact_user<'a>(&'a self, trunk: &'a TrunkName) -> &'a str {
        self.contact_user.as_ref().map_or(trunk.as_str(), UserPart::as_str)
    }
}

fn check_register(register: &Register, reader: &mut Reader<'_>) {
    for (index, uri) in register.registrars.iter().enumerate() {
        let expected = match target_transport(uri) {
            Err(expected) => expected,
            Ok(_) if uri.user().is_some() => "a URI without a user: the address-of-record has it",
            Ok(_) => continue,
        };
        reader.conflict(&reader.element("registrars", index), Found::Text(format!("\"{uri}\"")), expected);
    }
}
