//! What comes of what both sides say (RFC 4028 §7, §9).

use super::{LEAST, OPTION, Refresher, TimerPart, TimerTerms};
use sip_types::header::{self, MinSE, Require, SessionExpires, Supported};
use sip_types::{Fields, HeaderName, Headers};

/// What a message of the peer says of session timers. What cannot be read was not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// That it knows of them.
    pub(crate) supports: bool,
    /// Session-Expires.
    pub(crate) expires: Option<SessionExpires>,
    /// Min-SE.
    pub(crate) least: Option<u32>,
}

impl Said {
    pub(crate) fn of(headers: &Headers) -> Self {
        let supported = |tags: Vec<Supported>| tags.iter().any(|tag| tag.is(OPTION));
        let required = |tags: Vec<Require>| tags.iter().any(|tag| tag.is(OPTION));
        Self {
            supports: headers.list().is_ok_and(supported) || headers.list().is_ok_and(required),
            expires: headers.get().ok().flatten(),
            least: headers.get::<MinSE>().ok().flatten().map(|least| least.0),
        }
    }
}

/// What times a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// The session interval, in seconds.
    pub(crate) interval: u32,
    pub(crate) refresher: Refresher,
    /// Whether the peer knows nothing of it.
    pub(crate) alone: bool,
}

/// What a request of ours says of session timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) expires: Option<SessionExpires>,
    pub(crate) least: Option<u32>,
}

impl Proposal {
    /// What an INVITE outside a dialog says (RFC 4028 §7.1). `heard` is the largest Min-SE of 422s to it, 0 without any.
    pub(crate) fn first(terms: &TimerTerms, heard: u32) -> Self {
        if terms.part != TimerPart::Ask {
            return Self::default();
        }
        let least = least(terms, heard);
        let interval = terms.wanted().max(least.unwrap_or(0));
        // Whether the peer can refresh is not known yet.
        let refresher = terms.refresher.filter(|refresher| *refresher == Refresher::Us);
        let refresher = refresher.map(|_| header::Refresher::Uac);
        Self { expires: Some(SessionExpires { interval, refresher }), least }
    }

    /// What a request in a dialog says (RFC 4028 §7.4): the interval and the refresher stay. `heard` is the largest Min-SE of its
    /// 422s and of the peer's requests.
    pub(crate) fn next(terms: &TimerTerms, stands: Option<Agreed>, heard: u32) -> Self {
        let Some(stands) = stands.filter(|_| terms.takes_part()) else { return Self::default() };
        let least = least(terms, heard);
        let interval = stands.interval.max(least.unwrap_or(0));
        let refresher = match stands.refresher {
            Refresher::Us => header::Refresher::Uac,
            Refresher::Peer => header::Refresher::Uas,
        };
        Self { expires: Some(SessionExpires { interval, refresher: Some(refresher) }), least }
    }
}

/// Min-SE of a request of ours: what was heard, or what we want if that is more; none where it would say what goes unsaid.
fn least(terms: &TimerTerms, heard: u32) -> Option<u32> {
    let least = heard.max(terms.floor());
    (heard > 0 || least > LEAST).then_some(least)
}

/// What a 2xx to a request of ours with that proposal leads to (RFC 4028 §7.2).
pub(crate) fn agreed(
    terms: &TimerTerms,
    proposed: &Proposal,
    said: &Said,
    before: Option<Agreed>,
) -> Option<Agreed> {
    if !terms.takes_part() {
        return None;
    }
    match (said.expires, proposed.expires) {
        (Some(expires), _) => Some(Agreed {
            // Less than there is would have us send without end (§11.1).
            interval: expires.interval.max(LEAST),
            refresher: match expires.refresher {
                Some(header::Refresher::Uas) => Refresher::Peer,
                Some(header::Refresher::Uac) | None => Refresher::Us,
            },
            alone: false,
        }),
        (None, Some(expires))
            if terms.alone && !said.supports && before.is_none_or(|before| before.alone) =>
        {
            Some(Agreed { interval: expires.interval, refresher: Refresher::Us, alone: true })
        }
        (None, _) => None,
    }
}

/// Whether an interval that the peer asks for is too small: then the least that we take, for a 422 (RFC 4028 §9).
pub(crate) fn too_small(terms: &TimerTerms, said: &Said) -> Option<u32> {
    let asked = said.expires.filter(|_| terms.takes_part() && said.supports)?;
    (asked.interval < terms.floor()).then(|| terms.floor())
}

/// What our 2xx to a request of the peer says (RFC 4028 §9, Table 2).
pub(crate) fn granted(terms: &TimerTerms, said: &Said, before: Option<Agreed>) -> Option<Agreed> {
    let (floor, least) = (terms.floor(), said.least.unwrap_or(0));
    let interval = match (terms.part, said.expires) {
        (TimerPart::Off, _) | (TimerPart::Accept, None) => return None,
        // Who does not know of timers, and is spoken for by a proxy, gets no 422: nobody would raise it.
        (_, Some(asked)) if asked.interval < floor => return None,
        // It may come down, as far as the least; it never goes up.
        (_, Some(asked)) => asked.interval.min(terms.wanted().max(least)),
        (TimerPart::Ask, None) if said.supports || terms.alone => {
            before.map_or(terms.wanted(), |before| before.interval).max(least)
        }
        (TimerPart::Ask, None) => return None,
    };
    let asked = said.expires.and_then(|asked| asked.refresher);
    let refresher = match (said.supports, asked) {
        (false, _) | (true, Some(header::Refresher::Uas)) => Refresher::Us,
        (true, Some(header::Refresher::Uac)) => Refresher::Peer,
        (true, None) => before.map(|before| before.refresher).or(terms.refresher).unwrap_or(Refresher::Us),
    };
    Some(Agreed { interval, refresher, alone: !said.supports })
}

impl Agreed {
    /// The header fields of the 2xx that says so to whom `said` is from.
    pub(crate) fn write(&self, said: &Said, fields: &mut Fields) {
        let refresher = match self.refresher {
            Refresher::Us => header::Refresher::Uas,
            Refresher::Peer => header::Refresher::Uac,
        };
        let expires = SessionExpires { interval: self.interval, refresher: Some(refresher) };
        fields.push(HeaderName::SessionExpires, expires.to_string());
        if said.supports {
            add_tag(fields, HeaderName::Require);
        }
    }
}

/// Adds our option tag to the others of that field.
pub(super) fn add_tag(fields: &mut Fields, name: HeaderName) {
    let Some(there) = fields.first(name).map(|field| field.unfolded().into_owned()) else {
        return fields.push(name, OPTION);
    };
    fields.remove(name);
    fields.push(name, format!("{there}, {OPTION}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use header::Refresher::{Uac, Uas};

    const ASK: TimerTerms =
        TimerTerms { part: TimerPart::Ask, expires: 1_800, least: 90, refresher: None, alone: false };

    fn expires(interval: u32, refresher: Option<header::Refresher>) -> Option<SessionExpires> {
        Some(SessionExpires { interval, refresher })
    }

    fn said(supports: bool, expires: Option<SessionExpires>, least: Option<u32>) -> Said {
        Said { supports, expires, least }
    }

    fn agree(interval: u32, refresher: Refresher, alone: bool) -> Option<Agreed> {
        Some(Agreed { interval, refresher, alone })
    }

    // conforms: RFC4028-9-6
    #[test]
    fn rfc4028_9_table_2_who_refreshes() {
        let rows = [
            (false, None, None, Refresher::Us),
            // These two should not happen.
            (false, Some(Uac), None, Refresher::Us),
            (false, Some(Uas), None, Refresher::Us),
            (true, None, None, Refresher::Us),
            (true, None, Some(Refresher::Peer), Refresher::Peer),
            (true, None, Some(Refresher::Us), Refresher::Us),
            (true, Some(Uac), Some(Refresher::Us), Refresher::Peer),
            (true, Some(Uas), Some(Refresher::Peer), Refresher::Us),
        ];
        for (supports, asked, refresher, expected) in rows {
            let terms = TimerTerms { refresher, ..ASK };
            let granted = granted(&terms, &said(supports, expires(600, asked), None), None);
            assert_eq!(granted, agree(600, expected, !supports), "{supports} {asked:?} {refresher:?}");
        }
    }

    #[test]
    fn rfc4028_7_4_the_refresher_stays_where_a_refresh_does_not_say() {
        for refresher in [Refresher::Us, Refresher::Peer] {
            let before = agree(900, refresher, false);
            assert_eq!(granted(&ASK, &said(true, expires(900, None), None), before), before);
            assert_eq!(granted(&ASK, &said(true, None, None), before), before, "and the interval");
        }
    }

    // conforms: RFC4028-4-1 RFC4028-9-3,4,5
    #[test]
    fn rfc4028_9_an_interval_comes_down_to_ours_but_never_below_the_least_and_never_up() {
        let rows = [
            (expires(3_600, None), None, Some(1_800)),
            (expires(3_600, None), Some(2_400), Some(2_400)),
            (expires(600, None), Some(300), Some(600)),
            (expires(90, None), None, Some(90)),
            (None, None, Some(1_800)),
            (None, Some(4_000), Some(4_000)),
        ];
        for (asked, least, interval) in rows {
            let got = granted(&ASK, &said(true, asked, least), None).map(|agreed| agreed.interval);
            assert_eq!(got, interval, "{asked:?} {least:?}");
        }
    }

    // conforms: RFC4028-9-2
    #[test]
    fn rfc4028_9_what_is_too_small_for_us() {
        let strict = TimerTerms { least: 600, ..ASK };
        assert_eq!(too_small(&strict, &said(true, expires(599, None), None)), Some(600));
        assert_eq!(too_small(&strict, &said(true, expires(600, None), None)), None);
        assert_eq!(too_small(&ASK, &said(true, expires(89, None), None)), Some(90));
        let lax = TimerTerms { least: 1, ..ASK };
        assert_eq!(too_small(&lax, &said(true, expires(89, None), None)), Some(90), "never below 90");
        // A proxy speaks for a client that would not understand a 422.
        let spoken_for = said(false, expires(599, None), None);
        assert_eq!((too_small(&strict, &spoken_for), granted(&strict, &spoken_for, None)), (None, None));
    }

    #[test]
    fn who_only_accepts_asks_for_nothing_and_who_takes_no_part_hears_nothing() {
        let (accept, off) =
            (TimerTerms { part: TimerPart::Accept, ..ASK }, TimerTerms { part: TimerPart::Off, ..ASK });
        let asked = said(true, expires(600, Some(Uac)), None);
        assert_eq!(Proposal::first(&accept, 0), Proposal::default());
        assert_eq!(granted(&accept, &said(true, None, None), None), None);
        assert_eq!(granted(&accept, &asked, None), agree(600, Refresher::Peer, false));
        assert_eq!(agreed(&accept, &Proposal::default(), &asked, None), agree(600, Refresher::Us, false));
        assert_eq!(Proposal::first(&off, 4_000), Proposal::default());
        assert_eq!(
            (granted(&off, &asked, None), too_small(&off, &said(true, expires(1, None), None))),
            (None, None)
        );
        assert_eq!(agreed(&off, &Proposal::default(), &asked, None), None);
    }

    // conforms: RFC4028-7.1-4 RFC4028-5-1
    #[test]
    fn rfc4028_7_1_what_the_first_request_says() {
        let first = |terms, heard| Proposal::first(&terms, heard);
        assert_eq!(first(ASK, 0), Proposal { expires: expires(1_800, None), least: None });
        assert_eq!(first(ASK, 4_000), Proposal { expires: expires(4_000, None), least: Some(4_000) });
        let us = TimerTerms { refresher: Some(Refresher::Us), least: 600, ..ASK };
        assert_eq!(first(us, 0), Proposal { expires: expires(1_800, Some(Uac)), least: Some(600) });
        assert_eq!(first(us, 100).least, Some(600), "ours is more");
        let peer = TimerTerms { refresher: Some(Refresher::Peer), ..ASK };
        assert_eq!(first(peer, 0).expires, expires(1_800, None), "whether it can is not known yet");
        let odd = TimerTerms { expires: 100, least: 10, ..ASK };
        assert_eq!(first(TimerTerms { expires: 10, ..odd }, 0).expires, expires(90, None));
    }

    #[test]
    fn rfc4028_7_4_what_a_later_request_says() {
        let next = |stands, heard| Proposal::next(&ASK, stands, heard);
        assert_eq!(next(None, 200), Proposal::default());
        let ours = agree(600, Refresher::Us, false);
        assert_eq!(next(ours, 0), Proposal { expires: expires(600, Some(Uac)), least: None });
        let theirs = agree(600, Refresher::Peer, false);
        assert_eq!(next(theirs, 700), Proposal { expires: expires(700, Some(Uas)), least: Some(700) });
        assert_eq!(next(theirs, 300), Proposal { expires: expires(600, Some(Uas)), least: Some(300) });
    }

    // conforms: RFC4028-7.2-2,3
    #[test]
    fn rfc4028_7_2_what_a_2xx_leads_to() {
        let proposed = Proposal::first(&ASK, 0);
        let heard = |said: Said, before| agreed(&ASK, &proposed, &said, before);
        assert_eq!(heard(said(true, expires(600, Some(Uac)), None), None), agree(600, Refresher::Us, false));
        assert_eq!(
            heard(said(true, expires(600, Some(Uas)), None), None),
            agree(600, Refresher::Peer, false)
        );
        assert_eq!(heard(said(false, expires(5, None), None), None), agree(90, Refresher::Us, false));
        assert_eq!(heard(said(false, None, None), None), None);
        let unasked = agreed(&ASK, &Proposal::default(), &said(true, expires(600, Some(Uas)), None), None);
        assert_eq!(unasked, agree(600, Refresher::Peer, false), "one that we have not asked for");
    }

    #[test]
    fn rfc4028_7_2_who_has_to_refreshes_alone() {
        let terms = TimerTerms { alone: true, ..ASK };
        let proposed = Proposal::first(&terms, 0);
        let heard = |said: Said, before| agreed(&terms, &proposed, &said, before);
        let alone = agree(1_800, Refresher::Us, true);
        assert_eq!(heard(Said::default(), None), alone);
        assert_eq!(heard(Said::default(), alone), alone);
        let together = agree(1_800, Refresher::Us, false);
        assert_eq!(heard(Said::default(), together), None, "who had a timer has switched it off");
        assert_eq!(heard(said(true, None, None), None), None, "who knows of timers wants none");
        assert_eq!(granted(&terms, &Said::default(), None), alone);
    }
}
