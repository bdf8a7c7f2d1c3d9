//! Where a request for a URI would go at this moment, for people who ask.

use crate::endpoint::Endpoint;
use crate::event::Unreachable;
use crate::flow::NetworkId;
use crate::ids::Ids;
use crate::location::{Found, HopHost, Lookup, NextHop, Reach, Step, Target};
use crate::time::Now;
use sip_types::Uri;
use std::net::SocketAddr;

/// No chance: of SRV records with one priority, those with the greatest weight come first, as they mostly would.
struct Likeliest;

impl Ids for Likeliest {
    fn next_u64(&mut self) -> u64 {
        u64::MAX
    }
}

impl Endpoint {
    /// How the targets of a URI would be found from a network, as far as what is remembered goes; and which of them would be
    /// passed over. Nobody is asked.
    ///
    /// # Errors
    /// Why nobody would be reached, where the URI says that already, or no listener.
    pub fn expected(&self, now: Now, network: NetworkId, uri: &Uri) -> Result<Found, Unreachable> {
        let hop = NextHop::of(uri, false)?;
        let (mut found, targets) = match hop.host.clone() {
            HopHost::Address(address) => {
                let (transport, name) = (hop.default_transport(), address.to_string().into_boxed_str());
                let port = hop.port.unwrap_or(transport.default_port());
                let (address, domain) = (SocketAddr::new(address, port), hop.domain);
                let found = Found { name, questions: Vec::new(), open: Vec::new(), targets: Vec::new() };
                (found, vec![Target { transport, address, host: 0, domain }])
            }
            HopHost::Name(name) => self.known_of(now, network, hop, name)?,
        };
        let fates = self.judge(now, network, &targets);
        found.lead_to(&targets, &fates);
        Ok(found)
    }

    /// What is remembered of a name, and the targets that it leads to.
    fn known_of(
        &self,
        now: Now,
        network: NetworkId,
        hop: NextHop,
        name: Box<str>,
    ) -> Result<(Found, Vec<Target>), Unreachable> {
        let reach = Reach::of(&self.settings.listeners, network);
        let (mut lookup, mut step) = Lookup::begin(hop, name, reach);
        loop {
            let questions = match step {
                Step::Ask(questions) => questions,
                Step::Found(targets) => return Ok((lookup.into_found(), targets)),
                Step::Failed(why @ (Unreachable::Listener | Unreachable::NotSecure)) => return Err(why),
                Step::Failed(_) => return Ok((lookup.into_found(), Vec::new())),
            };
            let mut next = None;
            for question in &questions {
                if let Some(holds) = self.names.look(now, question) {
                    let limits = &self.settings.location.limits;
                    next = lookup.answered(question, &holds, limits, &mut Likeliest);
                }
            }
            match next {
                Some(following) => step = following,
                None => return Ok((lookup.into_found(), Vec::new())),
            }
        }
    }
}
