//! Calls played by hand, and the configurations that they need.

use b2bua::snapshot::Secrets;
use config::{Config, TrunkName};
use liaison_tests::message::{Msg, audio, field, uri_in};
use liaison_tests::network::Fate;
pub use liaison_tests::world::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World};
use sip::auth::{Credential, Secret};
use std::sync::Arc;
use std::time::Duration;

/// What Alice calls.
pub const NUMBER: &str = "sip:+4930@10.0.0.1";

/// Milliseconds.
pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Seconds.
pub fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Two sides, with more lines for the trunk on Alice's side and the one on Bob's, and more tables.
pub fn document(provider: &str, pbx: &str, more: &str) -> String {
    let provider = format!("from = [\"10.0.0.2\"]\n{provider}");
    let pbx = format!("from = [\"10.1.0.2\"]\n{pbx}");
    let text = TWO_SIDES.replace("from = [\"10.0.0.2\"]", &provider);
    text.replace("from = [\"10.1.0.2\"]", &pbx) + more
}

/// Liaison between two phones that the test plays.
pub fn by_hand(document: &str, seed: u64) -> World {
    World::new(document, Vec::new(), Box::new(|_| Fate::Arrives), seed)
}

/// The same, with passwords.
pub fn with_secrets(document: &str, secrets: Secrets, seed: u64) -> World {
    World::with_secrets(document, secrets, Vec::new(), Box::new(|_| Fate::Arrives), seed)
}

/// The trunk of that name: names come from configurations only.
pub fn trunk(name: &str) -> TrunkName {
    let config = Config::parse("names.toml", TWO_SIDES).unwrap_or_else(|errors| panic!("{errors}"));
    config.trunks.keys().find(|trunk| trunk.as_str() == name).unwrap().clone()
}

/// A name and a password.
pub fn credential(username: &str, password: &str) -> Arc<Credential> {
    Arc::new(Credential::new(username, Secret::password(password)))
}

/// An INVITE of Alice's.
pub fn invite() -> Msg {
    Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000))
}

/// Bob's 200, with his answer.
pub fn answer(invite: &str) -> Msg {
    Msg::response(invite, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000))
}

/// An established call.
pub struct Call {
    /// What Alice got.
    pub ok: String,
    /// What Bob got first.
    pub invited: String,
    /// What Bob got last.
    pub acked: String,
}

impl Call {
    /// Alice calls, Bob rings and answers.
    pub fn establish(world: &mut World) -> Self {
        Self::establish_with(world, invite(), answer)
    }

    /// Alice calls with that INVITE, Bob answers so.
    pub fn establish_with(world: &mut World, invite: Msg, answer: impl FnOnce(&str) -> Msg) -> Self {
        world.post(ALICE, OUTSIDE, &invite);
        let invited = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
        world.expect(ALICE, "180");
        world.post(BOB, INSIDE, &answer(&invited));
        let ok = world.expect(ALICE, "200");
        // Where Bob's Contact points elsewhere, the ACK goes there.
        let acked = world.expect_anywhere("ACK");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
        world.run_for(ms(20));
        assert_eq!(world.gauges().calls, 1);
        Self { ok, invited, acked }
    }

    /// A request of Alice's in the dialog.
    pub fn alice(&self, method: &str, seq: u32) -> Msg {
        Msg::inside(method, ALICE, seq, &self.ok)
    }

    /// A request of Bob's in the dialog.
    pub fn bob(&self, method: &str, seq: u32) -> Msg {
        let target = uri_in(&field(&self.invited, "Contact"));
        Msg::inside(method, BOB, seq, &self.acked).uri(&target)
    }

    /// Alice hangs up and Bob hears of it.
    pub fn hang_up(&self, world: &mut World, seq: u32) {
        world.post(ALICE, OUTSIDE, &self.alice("BYE", seq));
        world.expect(ALICE, "200");
        let bye = world.expect(BOB, "BYE");
        world.ok(BOB, INSIDE, &bye);
        world.run_for(ms(20));
        assert_eq!(world.gauges().calls, 0);
    }
}
