//! Which requests are left out first, and how many of each kind (RFC 7339 §5.10.1, §7.2).

use crate::time::{Mono, Now};
use sip_types::Headers;
use sip_types::{Fields, HeaderName};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How much a request matters while a server is overloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// The first category: it is left out first.
    Ordinary,
    /// The second: it is left out once none of the first is sent any more.
    Preferred,
    /// What it does is less work for the server: BYE. It is never left out, but counts.
    Always,
}

/// Whether a Request-URI calls an emergency service (RFC 5031 §4.2).
pub(crate) fn is_emergency(request_uri: &str) -> bool {
    let service = "urn:service:sos";
    let (head, rest) = request_uri.split_at_checked(service.len()).unwrap_or_default();
    head.eq_ignore_ascii_case(service) && (rest.is_empty() || rest.starts_with('.'))
}

/// Header fields of a request, parsed or composed.
pub(crate) trait Resources {
    /// The values of Resource-Priority.
    fn any(&self, test: impl Fn(&[u8]) -> bool) -> bool;
}

impl Resources for Headers {
    fn any(&self, test: impl Fn(&[u8]) -> bool) -> bool {
        self.all(HeaderName::ResourcePriority).any(|field| test(field.value()))
    }
}

impl Resources for Fields {
    fn any(&self, test: impl Fn(&[u8]) -> bool) -> bool {
        self.all(HeaderName::ResourcePriority).any(|field| test(field.value()))
    }
}

/// Whether a request has a Resource-Priority (RFC 4412 §3.1) that is one of `preferred`: namespaces, or single values
/// such as `dsn.flash`.
pub(crate) fn prefers(fields: &impl Resources, preferred: &[Box<str>]) -> bool {
    let is_preferred = |value: &str| {
        let namespace = value.split_once('.').map_or(value, |(namespace, _)| namespace);
        preferred.iter().any(|p| p.eq_ignore_ascii_case(value) || p.eq_ignore_ascii_case(namespace))
    };
    fields.any(|value| {
        std::str::from_utf8(value).is_ok_and(|value| value.split(',').map(str::trim).any(is_preferred))
    })
}

/// How long a count takes to lose half of its weight.
const HALVED: Duration = Duration::from_secs(5);
/// What is assumed before anything is counted: the 80 to 20 of RFC 7339 §7.2, with the weight of ten requests.
const ASSUMED: [u32; 3] = [8, 2, 0];

/// What requests of each rank are offered, sampled for as long as traffic changes.
#[derive(Debug, Default)]
pub(crate) struct Mix {
    counts: [AtomicU32; 3],
    halved: AtomicU64,
}

impl Mix {
    /// Another request is offered.
    pub(crate) fn count(&self, now: Now, rank: Rank) {
        let halved = self.halved.load(Ordering::Relaxed);
        let due = now.mono.as_nanos().saturating_sub(halved)
            >= u64::try_from(HALVED.as_nanos()).unwrap_or(u64::MAX);
        let first = |_| {
            self.halved.compare_exchange(halved, now.mono.as_nanos(), Ordering::Relaxed, Ordering::Relaxed)
        };
        if due && first(()).is_ok() {
            for count in &self.counts {
                count.store(count.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
            }
        }
        let [ordinary, preferred, always] = &self.counts;
        let count = match rank {
            Rank::Ordinary => ordinary,
            Rank::Preferred => preferred,
            Rank::Always => always,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a request is left out so that `percent` of all are (RFC 7339 §7.2), for 64 bits of chance: of the
    /// ordinary ones as many as make up for what is not left out of the others.
    pub(crate) fn leaves_out(&self, percent: u32, rank: Rank, chance: u64) -> bool {
        let [ordinary, preferred, always] = [0, 1, 2].map(|n: usize| {
            let counted = self.counts.get(n).map_or(0, |count| count.load(Ordering::Relaxed));
            u128::from(counted) + u128::from(ASSUMED.get(n).copied().unwrap_or(0))
        });
        // In hundredths of a request.
        let wanted = u128::from(percent.min(100)) * (ordinary + preferred + always);
        let (left_out, of) = match rank {
            Rank::Ordinary => (wanted, ordinary * 100),
            Rank::Preferred => (wanted.saturating_sub(ordinary * 100), preferred * 100),
            Rank::Always => return false,
        };
        // chance / 2^64 < left_out / of
        u128::from(chance) * of < left_out << 64
    }
}

/// A time that is stored as a number.
pub(crate) fn mono(nanos: u64) -> Mono {
    Mono::from_epoch(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Ids;
    use crate::ids::tests::Seeded;

    fn at(ms: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(ms)), ..Now::default() }
    }

    /// The shares of the ordinary, the preferred and of all requests that are left out, in percent, at that mix.
    fn left_out(percent: u32, mix: [u32; 3]) -> [u32; 3] {
        let (sampled, mut chance) = (Mix::default(), Seeded(7));
        let ranks = [Rank::Ordinary, Rank::Preferred, Rank::Always];
        let mut out = [0; 3];
        let rounds = 200;
        for n in 0..rounds {
            for (which, rank) in ranks.into_iter().enumerate() {
                for _ in 0..mix[which] {
                    sampled.count(at(n * 50), rank);
                    out[which] += u32::from(sampled.leaves_out(percent, rank, chance.next_u64()));
                }
            }
        }
        let rounds = u32::try_from(rounds).unwrap();
        let share = |n: u32, of: u32| (n * 100).checked_div(of * rounds).unwrap_or(0);
        [share(out[0], mix[0]), share(out[1], mix[1]), share(out.iter().sum(), mix.iter().sum())]
    }

    fn near(found: [u32; 3], wanted: [u32; 3]) -> bool {
        found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 3)
    }

    #[test]
    fn rfc7339_7_2_the_first_category_makes_up_for_the_second() {
        for (percent, mix, wanted) in [
            (10, [40, 60, 0], [25, 0, 10]),
            (10, [90, 10, 0], [11, 0, 10]),
            (50, [40, 60, 0], [100, 16, 50]),
            (100, [40, 60, 0], [100, 100, 100]),
            (0, [40, 60, 0], [0, 0, 0]),
            (40, [50, 0, 50], [80, 0, 40]),
            (60, [50, 0, 50], [100, 0, 50]),
        ] {
            let found = left_out(percent, mix);
            assert!(near(found, wanted), "oc={percent} of {mix:?}: {found:?}, not {wanted:?}");
        }
    }

    #[test]
    fn rfc7339_7_2_before_anything_is_counted_four_fifths_are_ordinary() {
        let mix = Mix::default();
        let quarter = u64::MAX / 4;
        assert!(mix.leaves_out(20, Rank::Ordinary, quarter - 1));
        assert!(!mix.leaves_out(20, Rank::Ordinary, quarter + 2));
        assert!(!mix.leaves_out(80, Rank::Preferred, 0));
        assert!(mix.leaves_out(81, Rank::Preferred, 0));
    }

    #[test]
    fn rfc7339_7_2_the_mix_is_sampled_anew() {
        let mix = Mix::default();
        (0..1_000).for_each(|_| mix.count(at(0), Rank::Preferred));
        assert!(mix.leaves_out(10, Rank::Preferred, 0));
        for second in 1..100 {
            (0..100).for_each(|_| mix.count(at(second * 1_000), Rank::Ordinary));
        }
        assert!(!mix.leaves_out(90, Rank::Preferred, 0), "what was long ago does not count");
    }

    #[test]
    fn rfc4412_3_1_priorities_are_known_by_namespace_or_value() {
        let preferred: Vec<Box<str>> = vec!["ets".into(), "dsn.flash".into()];
        let fields = |value: &'static str| {
            let mut fields = Fields::default();
            fields.push(HeaderName::ResourcePriority, value);
            fields
        };
        for (value, wanted) in [
            ("ets.0", true),
            ("q735.1, ETS.4", true),
            ("dsn.flash", true),
            ("dsn.routine", false),
            ("etsi.0", false),
            ("", false),
        ] {
            assert_eq!(prefers(&fields(value), &preferred), wanted, "{value}");
        }
        assert!(!prefers(&Fields::default(), &preferred));
        assert!(is_emergency("urn:service:sos") && is_emergency("URN:service:SOS.fire"));
        assert!(
            !is_emergency("urn:service:sosx") && !is_emergency("sip:sos@example.com") && !is_emergency("é")
        );
    }
}
