//! Which credentials answer a challenge, if any: they are bound to realm and peer.
//!
//! Algorithm, qop and whether they were refused before are the user agent's business, which reads the challenge.

use std::net::IpAddr;

use config::TrunkName;

use crate::compiled::Compiled;

/// A challenge and where it was met.
#[derive(Clone, Copy, Debug)]
pub struct ChallengeFacts<'f> {
    /// The trunk of the challenged leg; a leg that follows a redirection has none.
    pub trunk: Option<&'f TrunkName>,
    /// The realm of the challenge.
    pub realm: &'f str,
    /// The address that the challenged request went to.
    pub peer: IpAddr,
    /// The addresses that the trunk's targets are, or were resolved to.
    pub resolved: &'f [IpAddr],
    /// The domains that the peer there has proved by its certificate, in small letters.
    pub proven: &'f [&'f str],
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The leg has no trunk, and so no credentials.
    #[error("the leg belongs to no trunk")]
    NoTrunk,
    /// The request went to an address that is not the trunk's.
    #[error("{0} is not an address of the trunk")]
    OutsidePeer(IpAddr),
    /// The trunk has no credentials for the realm.
    #[error("the trunk has no credentials for the realm")]
    ForeignRealm,
}

impl Compiled {
    /// The user name of the credentials that answer a challenge: a password's, or a card's.
    ///
    /// # Errors
    /// Nothing may be sent, and why.
    pub fn credentials<'f>(&'f self, facts: &ChallengeFacts<'f>) -> Result<&'f str, Refusal> {
        let trunk = facts.trunk.and_then(|name| self.config().trunks.get(name)).ok_or(Refusal::NoTrunk)?;
        let peer = facts.peer.to_canonical();
        let resolved = || facts.resolved.iter().any(|of| of.to_canonical() == peer);
        let proven = || trunk.identities.iter().any(|of| facts.proven.contains(&&*of.comparable()));
        if !resolved() && !proven() && !trunk.from.iter().any(|from| from.contains(&peer)) {
            return Err(Refusal::OutsidePeer(peer));
        }
        let passwords = trunk.credentials.iter().map(|of| (&of.realm, &of.username));
        let mut all = passwords.chain(trunk.card_credentials.iter().map(|of| (&of.realm, &of.username)));
        let found = all.find(|(realm, _)| **realm == *facts.realm);
        found.map(|(_, username)| &**username).ok_or(Refusal::ForeignRealm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NETWORKS, compiled, name};

    const TRUNKS: &str = r#"
[trunks.north]
network = "b"
from = ["192.0.2.0/28"]
credentials = [
    { realm = "north", username = "n", password = { env = "N" } },
    { realm = "proxy.north", username = "p", password = { env = "P" } },
]
card_credentials = [{ realm = "ims.north", username = "imsi", key = { env = "K" }, operator = { env = "O" } }]
[trunks.south]
network = "b"
from = ["198.51.100.1"]
credentials = [{ realm = "south", username = "s", password = { env = "S" } }]
"#;

    /// The user name that the trunk `north` answers this realm with, at this address.
    fn north(realm: &str, peer: &str) -> Result<String, Refusal> {
        let policy = compiled(&format!("{NETWORKS}{TRUNKS}"));
        let resolved = ["203.0.113.9".parse().unwrap()];
        let trunk = Some(name(&policy.config().trunks, "north"));
        let facts =
            ChallengeFacts { trunk, realm, peer: peer.parse().unwrap(), resolved: &resolved, proven: &[] };
        policy.credentials(&facts).map(str::to_owned)
    }

    #[test]
    fn rfc3261_22_1_credentials_are_chosen_by_realm() {
        assert_eq!(north("proxy.north", "192.0.2.3"), Ok("p".to_owned()));
        assert_eq!(north("north", "203.0.113.9"), Ok("n".to_owned()));
        assert_eq!(north("ims.north", "192.0.2.3"), Ok("imsi".to_owned()));
        assert_eq!(north("north", "::ffff:192.0.2.3"), Ok("n".to_owned()));
    }

    #[test]
    fn a_foreign_realm_or_the_wrong_place_gets_nothing() {
        assert_eq!(north("south", "192.0.2.3"), Err(Refusal::ForeignRealm));
        assert_eq!(north("North", "192.0.2.3"), Err(Refusal::ForeignRealm));
        assert_eq!(
            north("north", "198.51.100.1"),
            Err(Refusal::OutsidePeer("198.51.100.1".parse().unwrap()))
        );
        let policy = compiled(&format!("{NETWORKS}{TRUNKS}"));
        let facts = ChallengeFacts {
            trunk: None,
            realm: "north",
            peer: "192.0.2.3".parse().unwrap(),
            resolved: &[],
            proven: &[],
        };
        assert_eq!(policy.credentials(&facts), Err(Refusal::NoTrunk));
    }

    #[test]
    fn a_proven_domain_of_the_trunk_is_its_place_whatever_the_address() {
        let trunks = TRUNKS.replace("[trunks.south]", "identities = [\"North.example\"]\n[trunks.south]");
        let policy = compiled(&format!("{NETWORKS}{trunks}"));
        let trunk = Some(name(&policy.config().trunks, "north"));
        let asked = |proven: &[&str]| {
            let peer = "203.0.113.77".parse().unwrap();
            let facts = ChallengeFacts { trunk, realm: "north", peer, resolved: &[], proven };
            policy.credentials(&facts).map(|_| ())
        };
        assert_eq!(asked(&["x.example", "north.example"]), Ok(()));
        assert_eq!(asked(&["south.example"]), Err(Refusal::OutsidePeer("203.0.113.77".parse().unwrap())));
    }
}
