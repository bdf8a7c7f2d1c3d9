//! What a relay thread counts of keys. Which keys they were is not kept.

use std::sync::atomic::{AtomicU64, Ordering};

/// The forms that keys have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Events in RTP (RFC 4733).
    Events,
    /// The body of INFO.
    Info,
    /// Tones in the audio.
    Tones,
}

impl Form {
    /// As configuration and records name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "rfc4733",
            Self::Info => "info",
            Self::Tones => "inband",
        }
    }
}

/// Counters with one writer.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    heard: Of,
    said: Of,
    full: AtomicU64,
    unsayable: AtomicU64,
    doubled: AtomicU64,
}

#[derive(Debug, Default)]
struct Of {
    events: AtomicU64,
    info: AtomicU64,
    tones: AtomicU64,
}

impl Of {
    fn form(&self, form: Form) -> &AtomicU64 {
        match form {
            Form::Events => &self.events,
            Form::Info => &self.info,
            Form::Tones => &self.tones,
        }
    }

    fn read(&self) -> ByForm {
        let read = |form| self.form(form).load(Ordering::Relaxed);
        ByForm { events: read(Form::Events), info: read(Form::Info), tones: read(Form::Tones) }
    }
}

/// A number of keys in each form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByForm {
    /// As events.
    pub events: u64,
    /// By INFO.
    pub info: u64,
    /// As tones.
    pub tones: u64,
}

/// Keys that were translated, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DtmfGauges {
    /// Those that came.
    pub heard: ByForm,
    /// Those that were said.
    pub said: ByForm,
    /// Those that were not said because too many waited.
    pub full: u64,
    /// Those that the other form has nothing for: the hook flash.
    pub unsayable: u64,
    /// Those that came in a second form, too.
    pub doubled: u64,
}

fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Tallies {
    pub(crate) fn heard(&self, form: Form) {
        add_one(self.heard.form(form));
    }

    pub(crate) fn said(&self, form: Form) {
        add_one(self.said.form(form));
    }

    pub(crate) fn full(&self) {
        add_one(&self.full);
    }

    pub(crate) fn unsayable(&self) {
        add_one(&self.unsayable);
    }

    pub(crate) fn doubled(&self) {
        add_one(&self.doubled);
    }

    pub(crate) fn add_to(&self, sum: &mut DtmfGauges) {
        let add = |sum: &mut ByForm, more: ByForm| {
            sum.events += more.events;
            sum.info += more.info;
            sum.tones += more.tones;
        };
        add(&mut sum.heard, self.heard.read());
        add(&mut sum.said, self.said.read());
        sum.full += self.full.load(Ordering::Relaxed);
        sum.unsayable += self.unsayable.load(Ordering::Relaxed);
        sum.doubled += self.doubled.load(Ordering::Relaxed);
    }
}
