//! Call flows that RFCs print, with Liaison between the parties: the whole of every message is kept as a snapshot.

mod rfc3665;

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World};
use liaison_tests::ladder::{Names, ladder};

/// The parties' names in the flows.
const NAMES: Names<'static> =
    &[(ALICE, "Alice"), (OUTSIDE, "Liaison"), (INSIDE, "Liaison"), (BOB, "Bob"), ("10.1.0.3:5060", "Carol")];

/// The flow so far.
fn flow(world: &World) -> String {
    ladder(&world.network.log, NAMES)
}
