//! The worlds that flows are played in.

use liaison_tests::network::Weather;
use liaison_tests::world::{TWO_SIDES, World};

/// That document's world.
pub fn world(document: &str, weather: Weather) -> World {
    World::new(document, Vec::new(), weather, 7)
}

/// Two sides.
pub fn two(weather: Weather) -> World {
    world(TWO_SIDES, weather)
}

/// Two sides, and Carol, with more in the document.
pub fn three_with(more: &str) -> String {
    let route = "[[routes]]\nname = \"carol\"\ncalled = [\"+4940*\"]\nto = [\"mobile\"]\n\n";
    let text = TWO_SIDES.replacen("[[routes]]", &format!("{route}[[routes]]"), 1);
    format!(
        "{text}\n[trunks.mobile]\nnetwork = \"carrier\"\ntargets = [\"sip:10.0.0.3:5060\"]\nfrom = [\"10.0.0.3\"]\n{more}"
    )
}

/// Two sides, and Carol.
pub fn three(weather: Weather) -> World {
    world(&three_with(""), weather)
}

/// The same where Dave and Erin are of Bob's trunk, and Dave has a number.
pub fn house(weather: Weather) -> World {
    let route = "[[routes]]\nname = \"dave\"\ncalled = [\"+4950*\"]\nto = [{ uri = \"sip:dave@10.1.0.3:5060\", network = \"enterprise\" }]\n\n";
    let text = three_with("").replacen("[[routes]]", &format!("{route}[[routes]]"), 1);
    let all = "from = [\"10.1.0.2\", \"10.1.0.3\", \"10.1.0.4\"]";
    world(&text.replace("from = [\"10.1.0.2\"]", all), weather)
}

/// Dave's number, seen from either side.
pub fn number_of_dave(from: &str) -> String {
    format!("sip:+4950@{}", if from.starts_with("10.1.") { "10.1.0.1" } else { "10.0.0.1" })
}
