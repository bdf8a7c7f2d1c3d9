//! What flows are made of: worlds, the two sides of a dialog, and what phones do with them.

mod acts;
mod side;
mod worlds;

pub use acts::*;
use liaison_tests::judge;
use liaison_tests::ladder::{Names, ladder};
use liaison_tests::message::field;
use liaison_tests::stage::End;
pub use liaison_tests::stage::{Heard, Played, Stage, Stuck};
pub use liaison_tests::sweep::Flow;
pub use liaison_tests::world::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World};
pub use side::{Insist, Side, described};
use std::time::Duration;
pub use worlds::*;

/// Beside Alice, of a trunk of her own.
pub const CAROL: &str = "10.0.0.3:5060";

/// Beside Bob, and of his trunk where it is said: another phone, or a server of the house.
pub const DAVE: &str = "10.1.0.3:5060";

/// One more of them.
pub const ERIN: &str = "10.1.0.4:5060";

/// Bob's number.
pub const NUMBER: &str = "sip:+4930@10.0.0.1";

/// Carol's number, seen from Bob's side.
pub const TARGET: &str = "sip:+4940@10.1.0.1";

/// The parties' names in the flows.
const NAMES: Names<'static> = &[
    (ALICE, "Alice"),
    (OUTSIDE, "Liaison"),
    (INSIDE, "Liaison"),
    (BOB, "Bob"),
    (CAROL, "Carol"),
    (DAVE, "Dave"),
    (ERIN, "Erin"),
];

/// Seconds.
pub const fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A flow as a snapshot has it: it ends well, and breaks no rule.
pub fn printed(flow: Flow) -> String {
    let mut stage = flow.in_fair_weather();
    let text = ladder(&stage.world.network.log, NAMES);
    stage.leave(End::FAIR);
    let faults = judge::faults(&stage.world.network);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    text
}

/// Each flow as a test of what is said, and as one of what may befall it.
macro_rules! flows {
    ($($name:ident in $world:ident),+ $(,)?) => {
        mod printed {
            $(#[test]
            fn $name() {
                let flow = super::Flow { world: super::$world, play: super::$name };
                insta::assert_snapshot!(stringify!($name), super::printed(flow));
            })+
        }
        /// All of them.
        pub(super) fn all() -> Vec<(&'static str, Flow)> {
            vec![$((stringify!($name), Flow { world: $world, play: $name })),+]
        }
        mod swept {
            $(#[test]
            fn $name() {
                super::Flow { world: super::$world, play: super::$name }.sweep();
            })+
        }
    };
}
pub(super) use flows;

/// The tag of a called phone.
pub fn says(at: &str) -> String {
    let name = NAMES.iter().find(|(of, _)| *of == at).map_or("phone", |(_, name)| name);
    name.to_lowercase()
}

/// Whose Contact that is.
fn who(text: &str) -> &'static str {
    let contact = field(text, "Contact");
    let known = NAMES.iter().find(|(at, _)| contact.contains(at));
    known.map_or(ALICE, |(at, _)| at)
}
