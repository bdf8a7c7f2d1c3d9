//! The audio of both directions: what was sent, relayed, heard and recognised.

use super::phone::{Heard, Recognised};
use super::play::Played;
use super::seen::Counters;
use std::fmt::Write as _;

/// How many of a hundred blocks must have the tone to say that it was recognised.
const RECOGNISED: u32 = 80;
/// How many of a hundred packets may get lost on loopback.
const LOST: u64 = 5;
/// The least number of packets a second that is a conversation: half of what is sent.
const PER_SECOND: u64 = 25;

/// One direction, from the telephone that talks to the one that listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    /// Who talks, and who listens.
    pub(super) names: [&'static str; 2],
    /// The tone of the one that talks, in Hz.
    pub(super) frequency: u32,
    /// Packets that it has sent.
    pub(super) sent: u64,
    /// What Liaison took from it.
    pub(super) taken: Counters,
    /// What Liaison sent on.
    pub(super) relayed: Counters,
    /// What the other one heard.
    pub(super) heard: Heard,
}

/// Both directions; the frequencies are those of Alice's and Bob's telephones.
pub(super) fn directions(played: &Played, frequencies: [u32; 2]) -> [Direction; 2] {
    let [hers, his] = frequencies;
    let (from_alice, to_alice) = played.call.counters(0);
    let (from_bob, to_bob) = played.call.counters(1);
    [
        Direction {
            names: ["Alice", "Bob"],
            frequency: hers,
            sent: played.alice_heard.sent.into(),
            taken: from_alice,
            relayed: to_bob,
            heard: played.bob_heard,
        },
        Direction {
            names: ["Bob", "Alice"],
            frequency: his,
            sent: played.bob_heard.sent.into(),
            taken: from_bob,
            relayed: to_alice,
            heard: played.alice_heard,
        },
    ]
}

impl Direction {
    /// Whether the tone was recognised for what it is.
    pub(super) fn is_recognised(&self) -> bool {
        self.heard.tone.is_some_and(|tone| tone.frequency == self.frequency && tone.percent >= RECOGNISED)
    }

    /// Whether the packets make sense: there are as many as `seconds` have, none appeared on the way, hardly any got lost.
    pub(super) fn adds_up(&self, seconds: u64) -> bool {
        let heard = u64::from(self.heard.packets);
        let falls = [self.sent, self.taken.packets, self.relayed.packets, heard];
        falls.is_sorted_by(|before, after| before >= after)
            && self.sent >= seconds * PER_SECOND
            && (self.sent - heard) * 100 <= self.sent * LOST
            && self.heard.strange == 0
    }
}

/// Both directions as a table.
pub(super) fn render(directions: &[Direction; 2]) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{:<16}{:>7}{:>14}{:>12}{:>8}   {:^16}   tone sent, recognised",
        "", "sent", "Liaison took", "and sent", "heard", "lost / jitter"
    );
    for direction in directions {
        let [from, to] = direction.names;
        let quality = format!("{} / {}", direction.heard.lost, millis(direction.heard.jitter_seconds));
        let _ = writeln!(
            out,
            "  {:<14}{:>7}{:>14}{:>12}{:>8}   {quality:^16}   {} Hz, {}",
            format!("{from} -> {to}"),
            direction.sent,
            direction.taken.packets,
            direction.relayed.packets,
            direction.heard.packets,
            direction.frequency,
            recognised(direction.heard.tone),
        );
    }
    for direction in directions {
        let [from, _] = direction.names;
        let lost = direction.taken.lost_packets.map_or("?".to_owned(), |lost| lost.to_string());
        let jitter = direction.taken.jitter_seconds.map_or("none".to_owned(), millis);
        let _ = writeln!(out, "  Liaison's own count of what {from} sent: {lost} lost, jitter {jitter}");
    }
    out
}

fn recognised(tone: Option<Recognised>) -> String {
    match tone {
        Some(tone) => format!("{} Hz ({} %)", tone.frequency, tone.percent),
        None => "none".to_owned(),
    }
}

fn millis(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direction() -> Direction {
        let counters = |packets| Counters { packets, lost_packets: Some(0), jitter_seconds: Some(0.000_26) };
        Direction {
            names: ["Alice", "Bob"],
            frequency: 440,
            sent: 200,
            taken: counters(200),
            relayed: counters(199),
            heard: Heard {
                talking: false,
                sent: 200,
                packets: 199,
                lost: 1,
                jitter_seconds: 0.001,
                strange: 0,
                tone: Some(Recognised { frequency: 440, percent: 98 }),
            },
        }
    }

    #[test]
    fn packets_that_appear_or_vanish_make_no_sense() {
        assert!(direction().adds_up(4));
        assert!(!direction().adds_up(9), "too few for nine seconds");
        let mut more = direction();
        more.relayed.packets = 201;
        assert!(!more.adds_up(4));
        let mut fewer = direction();
        fewer.heard.packets = 189;
        assert!(!fewer.adds_up(4));
    }

    #[test]
    fn the_tone_must_be_the_one_that_was_sent() {
        assert!(direction().is_recognised());
        assert!(!Direction { frequency: 620, ..direction() }.is_recognised());
        let mut deaf = direction();
        deaf.heard.tone = None;
        assert!(!deaf.is_recognised());
    }

    #[test]
    fn both_directions_are_a_table() {
        let back = Direction { names: ["Bob", "Alice"], frequency: 620, ..direction() };
        insta::assert_snapshot!(render(&[direction(), back]), @r#"
                         sent  Liaison took    and sent   heard    lost / jitter     tone sent, recognised
        Alice -> Bob      200           200         199     199     1 / 1.00 ms      440 Hz, 440 Hz (98 %)
        Bob -> Alice      200           200         199     199     1 / 1.00 ms      620 Hz, 440 Hz (98 %)
        Liaison's own count of what Alice sent: 0 lost, jitter 0.26 ms
        Liaison's own count of what Bob sent: 0 lost, jitter 0.26 ms
        "#);
    }
}
