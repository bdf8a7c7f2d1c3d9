//! What a person wants to see when the call is over.

use super::play::Played;
use super::screen::Ink;
use super::sound::Direction;
use super::stage::Stage;
use super::{json, ladder, legs, sound};
use std::fmt::Write as _;
use std::path::Path;

/// The widest line.
const WIDTH: usize = 110;

/// The report, and whether everything was as it should be.
pub(super) struct Report {
    /// The text.
    pub(super) text: String,
    /// Whether every check held.
    pub(super) success: bool,
}

/// One thing that must be so.
struct Check {
    holds: bool,
    text: String,
}

/// Makes the report of a call that lasted `seconds`.
pub(super) fn report(played: &Played, stage: &Stage, seconds: u32, ink: Ink) -> Report {
    let directions = sound::directions(played, [stage.alice.frequency, stage.bob.frequency]);
    let facts = legs::facts(&played.alice, &played.bob);
    let checks = checks(&directions, &facts, played, seconds);
    let mut text = String::new();
    let mut part = |title: &str, content: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n{}\n\n{}", ink.heading(title), content.trim_end_matches('\n'));
    };
    let audio = format!("audio {seconds} s, both ways");
    part("The ladder: one call, two user agents of Liaison", &render_ladder(played, stage, Some(audio)));
    part("What is each leg's own, and what crosses", &legs::render(&facts, ink));
    part("Why it went there", &trail(played));
    part("Audio: PCMA, a packet every 20 ms", &sound::render(&directions));
    part("The call detail record", &record(&played.record));
    part("The admin API", &api(played, stage));
    part("The outcome", &outcome(&checks, ink));
    Report { success: checks.iter().all(|check| check.holds), text }
}

/// The ladder alone, for a call that failed.
pub(super) fn unfinished(stage: &Stage) -> String {
    let (alice, bob) = (stage.alice.messages(), stage.bob.messages());
    let call_ids = [ladder::call_id(&alice), ladder::call_id(&bob)];
    ladder::render(&ladder::rows(&alice, &bob, None), &ends(stage), call_ids.each_ref().map(String::as_str))
}

fn render_ladder(played: &Played, stage: &Stage, audio: Option<String>) -> String {
    let call_ids = [ladder::call_id(&played.alice), ladder::call_id(&played.bob)];
    let rows = ladder::rows(&played.alice, &played.bob, audio);
    ladder::render(&rows, &ends(stage), call_ids.each_ref().map(String::as_str))
}

fn ends(stage: &Stage) -> ladder::Ends {
    ladder::Ends {
        alice: stage.alice.address,
        outside: stage.outside,
        inside: stage.inside,
        bob: stage.bob.address,
    }
}

fn trail(played: &Played) -> String {
    let steps = played.call.policy_trail.iter();
    let lines = steps
        .map(|step| ladder::clip(&format!("  {}: {} ({})", step.subject, step.decision, step.reason), WIDTH));
    lines.collect::<Vec<_>>().join("\n")
}

fn record(record: &str) -> String {
    // What is no JSON is shown as it is; the checks say so.
    let text = json::layout(record, WIDTH - 2).unwrap_or_else(|_| record.to_owned());
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn api(played: &Played, stage: &Stage) -> String {
    let here = format!("http://{}", stage.api);
    let token = |path: &Path| format!("  token=$(cat {})", path.display());
    let curl = |url: &str| format!("  curl -H \"Authorization: Bearer $token\" {url}");
    let running = "http://127.0.0.1:8080";
    [
        "While the call stood, it was to be seen there, and the counts above are from there (--seconds 60 leaves".to_owned(),
        "time to look from another terminal):".to_owned(),
        token(&stage.token_path),
        curl(&format!("{here}/v1/calls")),
        curl(&format!("{here}/v1/calls/{}", played.call.id)),
        String::new(),
        "With `cargo run --release -- run --config deploy/liaison.toml`:".to_owned(),
        token(Path::new("target/liaison/admin.token")),
        curl(&format!("{running}/v1/calls")),
        curl(&format!("{running}/metrics")),
        format!("  curl {running}/openapi.json"),
    ]
    .join("\n")
}

fn checks(directions: &[Direction; 2], facts: &[legs::Fact], played: &Played, seconds: u32) -> Vec<Check> {
    let mut checks = Vec::new();
    for direction in directions {
        let [from, to] = direction.names;
        checks.push(Check {
            holds: direction.is_recognised(),
            text: format!("{to} recognised {from}'s tone of {} Hz", direction.frequency),
        });
        checks.push(Check {
            holds: direction.adds_up(seconds.into()),
            text: format!(
                "packets from {from} to {to} add up: {} sent, {} taken and {} sent on by Liaison, {} heard",
                direction.sent, direction.taken.packets, direction.relayed.packets, direction.heard.packets
            ),
        });
    }
    checks.extend(facts.iter().filter(|fact| !fact.holds()).map(|fact| Check {
        holds: false,
        text: format!("{} should {}", fact.name, if fact.crosses { "cross" } else { "not cross" }),
    }));
    if facts.iter().all(legs::Fact::holds) {
        let text =
            "each leg has a Call-ID, tags, Via, Contact, o= line and ports of its own; From and To cross";
        checks.push(Check { holds: true, text: text.to_owned() });
    }
    let text = format!("the call detail record is that of call {} and names both Call-IDs", played.call.id);
    checks.push(Check { holds: record_matches(played), text });
    checks
}

/// Whether the record names the call as the admin API does, and the Call-IDs that the telephones saw.
fn record_matches(played: &Played) -> bool {
    let record = serde_json::from_str::<serde_json::Value>(&played.record).unwrap_or_default();
    let named = |pointer| record.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
    named("/call") == played.call.id
        && named("/legs/0/sip_call_id") == ladder::call_id(&played.alice)
        && named("/legs/1/sip_call_id") == ladder::call_id(&played.bob)
}

fn outcome(checks: &[Check], ink: Ink) -> String {
    let lines = checks.iter().map(|check| {
        let mark = if check.holds { ink.good("ok    ") } else { ink.bad("failed") };
        format!("  {mark}  {}", check.text)
    });
    lines.collect::<Vec<_>>().join("\n")
}
