//! What is heard in place of lost packets: the last pitch period again and again, less and less (ITU-T G.711 Appendix I).

use super::codec::Pcm;

/// What is remembered, in ms: two of the longest periods and what they are compared by.
const REMEMBERED: usize = 50;
/// The pitch periods that are looked for, in tenths of ms: 400 Hz to 66 Hz.
const PERIODS: std::ops::Range<usize> = 25..150;
/// What is compared, in ms.
const COMPARED: usize = 20;
/// So long it sounds as before, in ms, and then becomes less.
const FULL: usize = 10;
/// After so long, in ms, nothing is heard any more.
const SILENT: usize = 60;

#[derive(Debug)]
pub(super) struct Concealer {
    /// Samples in a millisecond.
    milli: usize,
    history: Box<[i16]>,
    /// The period that is repeated.
    period: Box<[i16]>,
    length: usize,
    /// How many samples were made since something came.
    made: usize,
}

impl Concealer {
    pub(super) fn new(rate: u32) -> Self {
        let milli = usize::try_from(rate / 1_000).unwrap_or(8).max(1);
        Self {
            milli,
            history: vec![0; REMEMBERED * milli].into(),
            period: vec![0; PERIODS.end * milli / 10].into(),
            length: 0,
            made: 0,
        }
    }

    /// These samples came. After lost ones, what was made is led over into them.
    pub(super) fn good(&mut self, samples: &mut [i16]) {
        if self.made > 0 {
            let over = (self.length / 4).max(self.milli).min(samples.len());
            for (place, sample) in samples.iter_mut().take(over).enumerate() {
                let made = i32::from(self.next());
                *sample = mixed(made, i32::from(*sample), place, over);
            }
            self.made = 0;
        }
        self.remember(samples);
    }

    /// Adds so many samples.
    pub(super) fn conceal(&mut self, samples: usize, pcm: &mut Pcm) {
        if self.made == 0 {
            self.find();
        }
        let start = pcm.len();
        for _ in 0..samples {
            let next = self.next();
            pcm.push(next);
        }
        self.remember(pcm.since(start));
    }

    fn next(&mut self) -> i16 {
        let sample = self.period.get(self.made % self.length.max(1)).copied().unwrap_or_default();
        let (from, to) = (FULL * self.milli, SILENT * self.milli);
        let left = to.saturating_sub(self.made.max(from));
        self.made += 1;
        scaled(i32::from(sample), left, to - from)
    }

    fn remember(&mut self, samples: &[i16]) {
        let room = self.history.len();
        let newest = samples.get(samples.len().saturating_sub(room)..).unwrap_or_default();
        self.history.rotate_left(newest.len());
        let places = self.history.get_mut(room - newest.len()..).unwrap_or_default();
        places.copy_from_slice(newest);
    }

    /// Finds the period by which the last samples are most like those before, and makes its end lead to its beginning.
    fn find(&mut self) {
        let (end, compared) = (self.history.len(), COMPARED * self.milli);
        // At higher rates it is enough to look at some samples.
        let stride = (self.milli / 8).max(1);
        let last = self.history.get(end - compared..).unwrap_or_default();
        let likeness = |lag: usize| {
            let before = self.history.get(end - compared - lag..end - lag).unwrap_or_default();
            let pairs = last.iter().zip(before).step_by(stride);
            let (product, energy) = pairs.fold((0.0, 1.0), |(product, energy), (a, b)| {
                let (a, b) = (f64::from(*a), f64::from(*b));
                (product + a * b, energy + b * b)
            });
            // The square of the correlation, with its sign.
            product * f64::abs(product) / energy
        };
        let lags = (PERIODS.start * self.milli / 10..self.period.len() + 1).step_by(stride);
        self.length = lags.max_by(|a, b| likeness(*a).total_cmp(&likeness(*b))).unwrap_or(self.milli);
        let length = self.length;
        let latest = self.history.get(end - length..).unwrap_or_default();
        self.period.iter_mut().zip(latest).for_each(|(place, sample)| *place = *sample);
        let over = length / 4;
        let before = self.history.get(end - length - over..end - length).unwrap_or_default();
        let tail = self.period.get_mut(length - over..length).unwrap_or_default();
        for (place, (sample, before)) in tail.iter_mut().zip(before).enumerate() {
            *sample = mixed(i32::from(*sample), i32::from(*before), place, over);
        }
    }
}

/// So many parts of a sample.
fn scaled(sample: i32, parts: usize, of: usize) -> i16 {
    let parts = i32::try_from(parts).unwrap_or_default();
    let of = i32::try_from(of).unwrap_or(1).max(1);
    i16::try_from(sample * parts / of).unwrap_or_default()
}

/// From one sample to another, at that place of so many.
fn mixed(from: i32, to: i32, place: usize, of: usize) -> i16 {
    let place = i32::try_from(place).unwrap_or_default();
    let of = i32::try_from(of).unwrap_or(1).max(1);
    i16::try_from((from * (of - place) + to * place) / of).unwrap_or_default()
}
