//! The call itself, and what is seen of it.

use super::config::{UNKNOWN_FIELD, UNKNOWN_VALUE};
use super::phone::{Entry, Happened, Heard, Phone};
use super::screen::Ink;
use super::seen::{self, Call};
use super::stage::Stage;
use crate::out::say;
use anyhow::Context as _;
use sip_types::Fields;
use std::path::Path;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The longest that one step of the call may take.
const STEP: Duration = Duration::from_secs(8);
/// The longest that packets may be under way once nobody talks any more.
const ON_THE_WAY: Duration = Duration::from_secs(1);
/// How often it is looked for the record.
const LOOK: Duration = Duration::from_millis(20);

/// What is known of the call when it is over.
pub(super) struct Played {
    /// Alice's messages.
    pub(super) alice: Vec<Entry>,
    /// Bob's messages.
    pub(super) bob: Vec<Entry>,
    /// What Alice's line sent and heard.
    pub(super) alice_heard: Heard,
    /// What Bob's line sent and heard.
    pub(super) bob_heard: Heard,
    /// The call as the admin API showed it before the hang-up.
    pub(super) call: Call,
    /// The call detail record: one line of JSON.
    pub(super) record: String,
}

/// Places the call, lets both talk for `seconds`, and ends it.
///
/// # Errors
/// The first step that did not succeed.
pub(super) async fn play(stage: &mut Stage, seconds: u32, ink: Ink) -> anyhow::Result<Played> {
    let uri = format!("sip:bob@{}", stage.outside).parse().context("a URI of ours")?;
    let mut fields = Fields::new();
    fields.push_unknown(UNKNOWN_FIELD, UNKNOWN_VALUE.into());
    say("Alice calls Bob by way of Liaison");
    stage.alice.call(uri, "\"Alice\" <sip:alice@carrier.example>", "<sip:bob@enterprise.example>", fields)?;
    stage.bob.wait_for(Happened::Rings, STEP).await?;
    stage.alice.wait_for(Happened::OtherRings, STEP).await?;
    say("  ringing: Bob's telephone rings, and Alice hears it");
    stage.bob.answer()?;
    stage.alice.wait_for(Happened::Established, STEP).await?;
    stage.bob.wait_for(Happened::Established, STEP).await?;
    let (hers, his) = (stage.alice.frequency, stage.bob.frequency);
    say(format_args!("  answered: both talk, Alice with a tone of {hers} Hz, Bob with one of {his} Hz"));
    talk(stage, seconds, ink).await?;
    let call = seen::call(stage.api, &stage.token).await?;
    stage.alice.hang_up()?;
    stage.alice.wait_for(Happened::Ended, STEP).await?;
    stage.bob.wait_for(Happened::Ended, STEP).await?;
    say("  hung up by Alice");
    let record = timeout(STEP, record(&stage.records)).await.context("no call detail record came")??;
    Ok(Played {
        alice: stage.alice.messages(),
        bob: stage.bob.messages(),
        alice_heard: stage.alice.heard(),
        bob_heard: stage.bob.heard(),
        call,
        record,
    })
}

/// Shows the audio, second by second; then lets what is under way arrive.
async fn talk(stage: &Stage, seconds: u32, ink: Ink) -> anyhow::Result<()> {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    for second in 1..=seconds {
        ticks.tick().await;
        let (alice, bob) = (stage.alice.heard(), stage.bob.heard());
        say(ink.faint(format_args!(
            "  {second:>3} s   Alice -> Bob {:>5} packets sent {:>5} heard    Bob -> Alice {:>5} sent {:>5} heard",
            alice.sent, bob.packets, bob.sent, alice.packets,
        )));
    }
    stage.alice.fall_silent()?;
    stage.bob.fall_silent()?;
    // What is lost does not arrive: the counts say so.
    let _ = timeout(ON_THE_WAY, all_heard(&stage.alice, &stage.bob)).await;
    Ok(())
}

/// Waits until nobody talks and each telephone has heard what the other one has sent.
async fn all_heard(alice: &Phone, bob: &Phone) {
    let (mut hers, mut his) = (alice.watch(), bob.watch());
    loop {
        let (a, b) = (*hers.borrow_and_update(), *his.borrow_and_update());
        let silent = !a.talking && !b.talking;
        if silent && a.packets == b.sent && b.packets == a.sent {
            return;
        }
        let changed = tokio::select! {
            changed = hers.changed() => changed,
            changed = his.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

/// Waits for the first whole line of a file.
async fn record(path: &Path) -> anyhow::Result<String> {
    let mut looks = interval(LOOK);
    loop {
        looks.tick().await;
        let text = std::fs::read_to_string(path)?;
        if let Some((line, _)) = text.split_once('\n') {
            return Ok(line.to_owned());
        }
    }
}
