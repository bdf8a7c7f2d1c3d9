//! What is not coded anew: packets that are passed on, and what goes beside the sound: events, noise, what we say.

use super::super::aside::scaled;
use super::super::out::Sent;
use super::super::reorder::Came;
use super::super::{Fate, g711};
use super::{Before, Direction, Hiss, NOISE, Now};
use crate::rtp;

impl Direction {
    /// A packet is passed on with numbers of ours: gaps stay gaps, and the order what it is.
    pub(super) fn passed(&mut self, came: Came<'_>, now: Now, send: &mut dyn FnMut(&[u8])) {
        let Came { header, marker, body, .. } = came;
        let (numbers, ticks) = match self.before {
            Before::Passed(_, numbers, ticks) => (numbers, ticks),
            Before::Nothing | Before::Coded(..) => {
                let next = self.out.next().wrapping_sub(header.sequence);
                (next, self.out.timestamp_at(now.0).wrapping_sub(header.timestamp))
            }
        };
        let room = self.out.room();
        let Some(place) = room.get_mut(..body.len()) else { return };
        place.copy_from_slice(body);
        let mut timestamp = header.timestamp.wrapping_add(ticks);
        let payload = match (self.plan.fate(header.payload), self.plan.events, self.plan.noise) {
            (Some(Fate::Passed(_, payload)), ..) => payload,
            (Some(Fate::Law(from, to, payload)), ..) => {
                g711::convert(from, to, place);
                payload
            }
            (_, Some(((number, from), (payload, to))), _) if number == header.payload => {
                if from != to {
                    stretch(place, from, to);
                    let otherwise = self.out.timestamp_at(now.0);
                    timestamp = self.events.timestamp(header.timestamp, (from, to), otherwise);
                }
                payload
            }
            (_, _, Some((_, Some(payload)))) => payload,
            // Who has no noise makes its own of silence.
            (..) => return,
        };
        self.before = Before::Passed(header.payload, numbers, ticks);
        let marker = marker | std::mem::take(&mut self.marker);
        let number = header.sequence.wrapping_add(numbers);
        self.out.send_as(number, Sent { payload, marker, timestamp, length: body.len() }, now.0, send);
        let after = timestamp.wrapping_add(1);
        if after.wrapping_sub(self.out.timestamp) < 0x8000_0000 {
            self.out.timestamp = after;
        }
        self.count();
    }

    /// An event (RFC 4733), which has the clock of the other stream.
    pub(super) fn event(
        &mut self,
        came: Came<'_>,
        (from, to): (u32, (u8, u32)),
        now: Now,
        send: &mut dyn FnMut(&[u8]),
    ) {
        self.flush(now, send);
        let Came { header, marker, body, .. } = came;
        let (payload, clock) = to;
        let otherwise = self.out.timestamp_at(now.0);
        let timestamp = self.events.timestamp(header.timestamp, (from, self.out.clock), otherwise);
        let Some(place) = self.out.room().get_mut(..body.len()) else { return };
        place.copy_from_slice(body);
        stretch(place, from, clock);
        self.marker = true;
        self.out.send(Sent { payload, marker, timestamp, length: body.len() }, now.0, send);
        self.count();
    }

    /// Comfort noise: it goes on, or we make it.
    pub(super) fn noise(&mut self, came: Came<'_>, goes: Option<u8>, now: Now, send: &mut dyn FnMut(&[u8])) {
        let Came { header, body, .. } = came;
        if let Some(payload) = goes {
            self.flush(now, send);
            let Some(place) = self.out.room().get_mut(..body.len()) else { return };
            place.copy_from_slice(body);
            let timestamp = self.out.timestamp_at(now.0);
            self.marker = true;
            self.out.send(Sent { payload, marker: false, timestamp, length: body.len() }, now.0, send);
            return self.count();
        }
        if !self.noise.hear(body) {
            return self.plan.tally.unknown();
        }
        if self.hiss.is_none() {
            self.jump(header.timestamp, 8_000, now, send);
        }
        let due = self.hiss.map_or(now.0, |hiss| hiss.due);
        self.hiss = Some(Hiss { due, until: now.0 + NOISE });
        self.make_noise(now, send);
    }

    pub(super) fn make_noise(&mut self, now: Now, send: &mut dyn FnMut(&[u8])) {
        let frame = u64::try_from(self.frame).unwrap_or(160) * 1_000 / u64::from(self.encoder.rate()).max(1);
        while let Some(hiss) = self.hiss.filter(|hiss| hiss.due <= now.0) {
            self.noise.make(self.frame, &mut self.waiting);
            self.emit(now, send);
            // After a standstill the noise that nobody has heard is not made up for.
            let due = (hiss.due + frame.max(1)).max(now.0.saturating_sub(frame));
            self.hiss = Some(Hiss { due, ..hiss }).filter(|hiss| now.0 < hiss.until);
        }
    }

    /// A packet that is said beside the audio, in a codec and with events of the other leg: it gets our numbers.
    pub(in crate::transcode) fn say(&mut self, packet: &[u8], now: Now, send: &mut dyn FnMut(&[u8])) {
        let Some((header, marker, body)) = rtp::parts(packet) else { return };
        let Some(body) = packet.get(body) else { return };
        self.flush(now, send);
        if self.source.is_none() {
            self.out.go_by(header.ssrc);
        }
        let otherwise = self.out.timestamp_at(now.0);
        let clock = self.out.clock;
        let timestamp = self.said.timestamp(header.timestamp, (clock, clock), otherwise);
        let Some(place) = self.out.room().get_mut(..body.len()) else { return };
        place.copy_from_slice(body);
        self.marker = true;
        let sent = Sent { payload: header.payload, marker, timestamp, length: body.len() };
        self.out.send(sent, now.0, send);
        self.count();
    }
}

/// Gives an event the duration that it has by another clock (RFC 4733 §2.3.5).
fn stretch(body: &mut [u8], from: u32, to: u32) {
    if let [_, _, high, low, ..] = body {
        let duration = scaled(u16::from_be_bytes([*high, *low]).into(), from, to);
        [*high, *low] = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
    }
}
