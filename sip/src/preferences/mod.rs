//! What a caller asks of the choice between several contacts of the called user (RFC 3841).

mod feature;
#[cfg(test)]
mod tests;

use feature::Predicate;
use sip_types::header::{AcceptContact, RejectContact, RequestDisposition};
use sip_types::{Headers, Method, Params};

/// Values of Accept-Contact and Reject-Contact in one request; RFC 3841 §11 asks for a limit of about 20.
pub const MOST_PREFERENCES: usize = 20;

/// How well a contact meets the preferences of a caller: 0 to [`Rank::BEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u64);

impl Rank {
    /// It meets all of them, or tells nothing of itself.
    pub const BEST: Self = Self(1_000_000);
}

/// Accept-Contact and Reject-Contact of a request; without them, that its method must be known.
#[derive(Clone, Debug)]
pub struct Preferences {
    accept: Vec<Accepted>,
    reject: Vec<Predicate>,
    explicit: bool,
}

#[derive(Clone, Debug)]
struct Accepted {
    features: Predicate,
    require: bool,
    explicit: bool,
}

/// More preferences than [`MOST_PREFERENCES`], or more in one of them than is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl Preferences {
    /// Those of a request. A header field that cannot be read says nothing (RFC 3261 §8.2).
    ///
    /// # Errors
    /// There are too many.
    pub fn of(headers: &Headers, method: &Method) -> Result<Self, TooMany> {
        let accept = headers.list::<AcceptContact>().unwrap_or_default();
        let reject = headers.list::<RejectContact>().unwrap_or_default();
        match accept.len() + reject.len() {
            0 => {
                let features = Predicate::single("sip.methods", method.as_str());
                let accept = vec![Accepted { features, require: true, explicit: false }];
                Ok(Self { accept, reject: Vec::new(), explicit: false })
            }
            1..=MOST_PREFERENCES => Ok(Self {
                accept: accept.iter().map(|value| Accepted::of(value.params())).collect::<Result<_, _>>()?,
                reject: reject.iter().map(|value| Predicate::of(value.params())).collect::<Result<_, _>>()?,
                explicit: true,
            }),
            _ => Err(TooMany),
        }
    }

    /// Whether the caller has stated them: then it has agreed that its call fails where no contact meets them. Else
    /// contacts none of which meets them are taken as they are (RFC 3841 §7.2.4).
    #[must_use]
    pub fn are_explicit(&self) -> bool {
        self.explicit
    }

    /// How well a contact with these parameters, as it registered, meets them; `None` if it may not be called. A contact
    /// without a feature is immune (RFC 3841 §7.2.3, §7.2.4), and so is one with more than are looked at.
    #[must_use]
    pub fn rank(&self, params: &str) -> Option<Rank> {
        let Ok(contact) = Predicate::of(Params::of_checked(params)) else { return Some(Rank::BEST) };
        if contact.len() == 0 {
            return Some(Rank::BEST);
        }
        let rejected = |unwanted: &Predicate| {
            unwanted.known_to(&contact) == unwanted.len() && unwanted.matches(&contact)
        };
        if self.reject.iter().any(rejected) {
            return None;
        }
        if self.accept.is_empty() {
            return Some(Rank::BEST);
        }
        let (mut sum, mut matching) = (0, 0);
        for accepted in &self.accept {
            match accepted.score(&contact) {
                Score::Dropped => return None,
                Score::Unmatched => {}
                Score::Matched(score) => {
                    sum += score;
                    matching += 1;
                }
            }
        }
        Some(Rank(sum.checked_div(matching).unwrap_or(0)))
    }
}

/// What one value of Accept-Contact makes of a contact.
enum Score {
    Dropped,
    Unmatched,
    Matched(u64),
}

impl Accepted {
    fn of(params: Params<'_>) -> Result<Self, TooMany> {
        let (require, explicit) = (params.contains("require"), params.contains("explicit"));
        Ok(Self { features: Predicate::of(params)?, require, explicit })
    }

    /// Figure 1 of RFC 3841.
    fn score(&self, contact: &Predicate) -> Score {
        if !self.features.matches(contact) {
            return if self.require { Score::Dropped } else { Score::Unmatched };
        }
        let (known, all) = (self.features.known_to(contact), self.features.len());
        if known < all && self.explicit {
            return if self.require { Score::Dropped } else { Score::Matched(0) };
        }
        // There are at most as many features as a header field has bytes. A value without a feature is met.
        let (known, all) = (known as u64, all as u64);
        Score::Matched((Rank::BEST.0 * known).checked_div(all).unwrap_or(Rank::BEST.0))
    }
}

/// Request-Disposition of a request, as far as we can do what it asks (RFC 3841 §9.1). `redirect`, `no-cancel` and
/// `queue` are not read: we are no proxy that could hand the caller what it called, nor its forks, and queues are the
/// called user agent's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    /// `no-fork`: only the best contact is to be called.
    pub no_fork: bool,
    /// `no-recurse`: redirections are the caller's.
    pub no_recurse: bool,
    /// `parallel` or `sequential`.
    pub parallel: Option<bool>,
}

impl Disposition {
    /// That of a request.
    #[must_use]
    pub fn of(headers: &Headers) -> Self {
        let directives = headers.list::<RequestDisposition>().unwrap_or_default();
        let asks = |directive: &str| directives.iter().any(|d| d.is(directive));
        Self {
            no_fork: asks("no-fork"),
            no_recurse: asks("no-recurse"),
            parallel: match (asks("parallel"), asks("sequential")) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                _ => None,
            },
        }
    }
}
