//! Telephones that send each key in two forms: which keys have been heard in the other one.

use std::collections::VecDeque;

use super::speaker::MOST_WAITING;
use super::{Digit, Form};

/// The same key in another form is that key for so long.
const SAME_MILLIS: u64 = 2_000;

/// What was heard in which form.
#[derive(Debug)]
pub(crate) struct Twice {
    /// The last keys, those first that were first.
    heard: VecDeque<Key>,
    /// The form in which keys are none any more. The hook flash is one all the same: there are telephones that send it alone by INFO.
    refused: Option<Form>,
}

#[derive(Debug, Clone, Copy)]
struct Key {
    digit: Digit,
    form: Form,
    /// When it was still pressed.
    at: u64,
    /// Whether it came in the other form, too.
    again: bool,
}

impl Twice {
    pub(crate) fn new() -> Self {
        Self { heard: VecDeque::with_capacity(MOST_WAITING), refused: None }
    }

    /// Whether a key was heard in another form. From the first such key on the telephone is known to send all of them twice, and heard in
    /// one form alone however far apart the two are: in that which came first, but not in tones, which a voice may be.
    pub(crate) fn is_again(&mut self, digit: Digit, form: Form, now_millis: u64) -> bool {
        if self.refused == Some(form) && digit != Digit::FLASH {
            return true;
        }
        let is_same = |key: &&mut Key| {
            key.digit == digit && key.form != form && !key.again && now_millis < key.at + SAME_MILLIS
        };
        let Some(key) = self.heard.iter_mut().find(is_same) else { return false };
        key.again = true;
        if digit != Digit::FLASH {
            self.refused = Some(if key.form == Form::Tones { Form::Tones } else { form });
        }
        true
    }

    /// A key was heard in that form.
    pub(crate) fn note(&mut self, digit: Digit, form: Form, now_millis: u64) {
        if form == Form::Info && digit != Digit::FLASH {
            // Who has keys by INFO need not be heard pressing them.
            self.refused.get_or_insert(Form::Tones);
        }
        if self.heard.len() >= MOST_WAITING {
            self.heard.pop_front();
        }
        self.heard.push_back(Key { digit, form, at: now_millis, again: false });
    }

    /// The last key in that form is still pressed.
    pub(crate) fn lasts(&mut self, form: Form, now_millis: u64) {
        if let Some(key) = self.heard.iter_mut().rev().find(|key| key.form == form) {
            key.at = now_millis;
        }
    }
}
