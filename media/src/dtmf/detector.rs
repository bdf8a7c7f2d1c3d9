//! Hearing tones (ITU-T Q.24): which key a stretch of audio is, and which is only speech.
//!
//! Audio is looked at in blocks of 12.75 ms by the filters of Goertzel. A key begins with the second block in a row that is its tone,
//! and is over with the second one that is not: what lasts 40 ms is heard, a gap of 10 ms is none.

use super::receiver::{Heard, PATIENCE_MILLIS};
use super::tone::RATE;
use super::{COLUMNS, Digit, Law, ROWS};

/// The samples of a block: the filter of each frequency then has a zero near its neighbours, which are 8 to 10 % apart.
const BLOCK: usize = 102;
/// The same as a number for calculations.
const BLOCK_SAMPLES: u32 = 102;
/// The power that the weaker of the two tones must have, as the filters have it: -30 dBm0 (ITU-T Q.24 table A-1 asks for -25 and more).
const LEAST: f32 = (22_800.0 * 0.031_6 * 51.0) * (22_800.0 * 0.031_6 * 51.0);
/// How much louder one tone may be than the other: 8 dB, as power.
const TWIST: f32 = 6.3;
/// How much louder a tone must be than the others of its group: 6 dB, as power.
const DISTINCT: f32 = 4.0;
/// The part of all power that the two tones must have: speech has more beside them. Tones 1.5 % off still have it.
const PURE: f32 = 0.73;
/// The part of the power of a tone that its second harmonic may have: -12 dB. Voices have more.
const HARMONIC: f32 = 0.06;
/// The part of the power of a tone that the filter of another frequency has of it, beyond [`TOO_CLOSE`].
const NEIGHBOUR: f32 = 0.05;
/// Harmonics that close to the other tone, in Hz, cannot be told from it in one block.
const TOO_CLOSE: u16 = 120;
/// A jump of the timestamp up to this is a loss that a tone goes on over, in samples.
const LARGEST_GAP: u32 = RATE / 20;

/// A timestamp that goes back by no more than this is that of a packet which was overtaken, in samples; else it begins anew.
const OVERTAKEN: u32 = RATE;

/// The tones in one direction of a stream.
#[derive(Debug)]
pub(crate) struct Detector {
    block: [f32; BLOCK],
    filled: usize,
    /// Whose audio it is.
    ssrc: Option<u32>,
    /// The timestamp of the next sample; `None` before the first.
    next: Option<u32>,
    /// What the block before was.
    before: Block,
    /// Of how many blocks in a row the key has not been heard.
    missed: u32,
    playing: Option<Playing>,
    heard_at: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Block {
    digit: Option<Digit>,
    energy: f32,
    /// What of it, and of the block before it, could have been the tone already, in samples.
    lead: u32,
}

#[derive(Debug, Clone, Copy)]
struct Playing {
    digit: Digit,
    /// The timestamp of its first sample.
    start: u32,
    /// That after its last one, so far.
    end: u32,
    energy: f32,
}

impl Detector {
    pub(crate) fn new() -> Self {
        let before = Block::default();
        Self {
            block: [0.0; BLOCK],
            filled: 0,
            ssrc: None,
            next: None,
            before,
            missed: 0,
            playing: None,
            heard_at: 0,
        }
    }

    /// Hears a packet of audio; whether a tone is in it, as far as can be told by its end.
    pub(crate) fn packet(
        &mut self,
        law: Law,
        (ssrc, timestamp): (u32, u32),
        payload: &[u8],
        now_millis: u64,
        heard: &mut impl FnMut(Heard),
    ) -> bool {
        let is_other = self.ssrc.replace(ssrc).is_some_and(|before| before != ssrc);
        let gap = self.next.map_or(0, |next| timestamp.wrapping_sub(next));
        if !is_other && gap.wrapping_neg() <= OVERTAKEN && gap > 0 {
            // One that was overtaken says nothing any more.
            return self.playing.is_some();
        }
        if is_other || gap > 0 {
            self.filled = 0;
            if is_other || gap > LARGEST_GAP {
                self.end(heard);
                self.before = Block::default();
            }
        }
        self.heard_at = now_millis;
        let mut at = timestamp;
        let mut suspect = self.playing.is_some();
        for code in payload {
            if let Some(sample) = self.block.get_mut(self.filled) {
                *sample = law.decode(*code).into();
            }
            self.filled += 1;
            at = at.wrapping_add(1);
            if self.filled == BLOCK {
                self.filled = 0;
                suspect |= self.judge(at, heard);
            }
        }
        self.next = Some(at);
        suspect
    }

    /// When [`pass_time`](Self::pass_time) has something to do.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.playing.map(|_| self.heard_at + PATIENCE_MILLIS)
    }

    /// Ends a tone of which nothing comes any more.
    pub(crate) fn pass_time(&mut self, now_millis: u64, heard: &mut impl FnMut(Heard)) {
        if self.deadline().is_some_and(|deadline| deadline <= now_millis) {
            self.end(heard);
            self.before = Block::default();
        }
    }

    /// Judges the block that ends at that timestamp; whether it has a tone.
    fn judge(&mut self, at: u32, heard: &mut impl FnMut(Heard)) -> bool {
        let energy: f32 = self.block.iter().map(|sample| sample * sample).sum();
        let digit = dominant(&self.block, energy);
        let before = self.before;
        // A block that is in part a tone has a part of its power.
        let lead = if before.digit.is_none() { portion(before.energy, energy) } else { 0 };
        self.before = Block { digit, energy, lead };
        match (&mut self.playing, digit) {
            (Some(playing), Some(digit)) if playing.digit == digit => {
                (playing.end, self.missed) = (at, 0);
                playing.energy = playing.energy.max(energy);
                let millis = millis(at.wrapping_sub(playing.start));
                heard(Heard::Lasts { millis });
            }
            (Some(playing), _) => {
                self.missed += 1;
                if self.missed == 1 {
                    playing.end = playing.end.wrapping_add(portion(energy, playing.energy));
                } else {
                    self.end(heard);
                }
            }
            (None, _) => {}
        }
        let again = digit.filter(|digit| before.digit == Some(*digit));
        if let Some(digit) = again.filter(|digit| self.playing.is_none_or(|playing| playing.digit != *digit))
        {
            self.end(heard);
            let start = at.wrapping_sub(2 * BLOCK_SAMPLES + before.lead);
            self.playing = Some(Playing { digit, start, end: at, energy });
            self.missed = 0;
            let lead = millis(at.wrapping_sub(start));
            heard(Heard::Began { digit, volume: volume(energy), lead });
        }
        digit.is_some()
    }

    fn end(&mut self, heard: &mut impl FnMut(Heard)) {
        self.missed = 0;
        let Some(Playing { digit, start, end, .. }) = self.playing.take() else { return };
        heard(Heard::Ended { digit, millis: millis(end.wrapping_sub(start)) });
    }
}

/// How long so many samples are.
fn millis(samples: u32) -> u32 {
    u32::try_from(u64::from(samples) * 1_000 / u64::from(RATE)).unwrap_or(u32::MAX)
}

/// The key whose tone a block of that energy is.
fn dominant(block: &[f32; BLOCK], energy: f32) -> Option<Digit> {
    // Both tones of the least power, as samples have it.
    if energy * f32::from(51u8) < LEAST * 2.0 {
        return None;
    }
    let rows = ROWS.map(|frequency| power(block, frequency));
    let columns = COLUMNS.map(|frequency| power(block, frequency));
    let (row, low) = loudest(rows)?;
    let (column, high) = loudest(columns)?;
    let loud = low.min(high) >= LEAST && low < high * TWIST && high < low * TWIST;
    let pure = low + high >= energy * f32::from(51u8) * PURE;
    if !loud || !pure {
        return None;
    }
    let (row_frequency, column_frequency) = (*ROWS.get(row)?, *COLUMNS.get(column)?);
    let close = (2 * row_frequency).abs_diff(column_frequency) < TOO_CLOSE;
    let voiced = power(block, 2 * column_frequency) > high * HARMONIC
        || !close && power(block, 2 * row_frequency) > low * HARMONIC + high * NEIGHBOUR;
    if voiced { None } else { Digit::at(row, column) }
}

/// The loudest of a group, if none of the others is near it.
fn loudest(group: [f32; 4]) -> Option<(usize, f32)> {
    let (at, loudest) = group.into_iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let others = group.into_iter().enumerate().filter(|(other, _)| *other != at);
    others.into_iter().all(|(_, power)| power * DISTINCT < loudest).then_some((at, loudest))
}

/// The power of a frequency in a block (the filter of Goertzel).
fn power(block: &[f32; BLOCK], frequency: u16) -> f32 {
    let factor = 2.0 * (std::f32::consts::TAU * f32::from(frequency) / 8_000.0).cos();
    let (mut last, mut before) = (0.0f32, 0.0f32);
    for sample in block {
        (last, before) = (sample + factor * last - before, last);
    }
    last * last + before * before - factor * last * before
}

/// How many samples of a block with that energy could be of something that has `whole` where it fills a block; none where it is
/// louder than that.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the samples of a block"
)]
fn portion(of: f32, whole: f32) -> u32 {
    if of >= whole { 0 } else { (of / whole * 102.0) as u32 }
}

/// The power of a block in dBm0, its sign dropped, as events have it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 63")]
fn volume(energy: f32) -> u8 {
    // A sine of 0 dBm0 has half the square of its peak.
    let full = 22_800.0f32 * 22_800.0 / 2.0 * 102.0;
    (-10.0 * (energy / full).log10()).clamp(1.0, 55.0) as u8
}
