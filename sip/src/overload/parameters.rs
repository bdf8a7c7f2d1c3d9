//! The four parameters of Via (RFC 7339 §4, §9; RFC 7415 §3.2, §5).

use crate::time::Wall;
use sip_types::header::Via;
use sip_types::unquote;
use std::fmt;
use std::time::Duration;

/// What a client of both algorithms adds to the Via of each request: `rate` comes second, as loss is what every server knows.
pub(crate) const OFFER: &str = ";oc;oc-algo=\"loss,rate\"";

/// Which algorithms our requests say that we follow (RFC 7339 §4.1, §4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heed {
    /// None: Via says nothing.
    #[default]
    Nothing,
    /// Loss, which everybody who takes part knows.
    Loss,
    /// Rate too (RFC 7415 §3.3). Kamailio 5 takes no message with the comma of that list in Via.
    LossAndRate,
}

impl Heed {
    /// The parameters of Via that say so.
    pub(crate) fn offer(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Loss => ";oc;oc-algo=\"loss\"",
            Self::LossAndRate => OFFER,
        }
    }

    pub(crate) fn takes_part(self) -> bool {
        self != Self::Nothing
    }
}

/// How long feedback counts that does not say so (RFC 7339 §4.3).
const VALIDITY: Duration = Duration::from_millis(500);

/// A class of algorithms (RFC 7339 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `oc` is the percentage of requests that are not sent (RFC 7339 §7).
    Loss,
    /// `oc` is the number of requests a second that are sent at most (RFC 7415).
    Rate,
}

impl Algorithm {
    /// Its token.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Rate => "rate",
        }
    }

    fn from_token(token: &str) -> Option<Self> {
        [Self::Loss, Self::Rate].into_iter().find(|a| a.name().eq_ignore_ascii_case(token))
    }
}

/// A sequence number, in hundred-thousandths: `1*12DIGIT "." 1*5DIGIT`, read as a decimal fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seq(pub(crate) u64);

impl Seq {
    const FRACTION: u64 = 100_000;
    /// One more than the greatest.
    const END: u64 = 1_000_000_000_000 * Self::FRACTION;
    /// How far a number lies behind the last one at the least if the sequence has begun anew: 1000 whole steps, or
    /// seconds, and half of all (RFC 7339 §4.4: "significantly less").
    const TARDY: u64 = 1_000 * Self::FRACTION;

    /// The time as a number: it increases, and begins anew after 30 000 years.
    pub(crate) fn at(wall: Wall) -> Self {
        Self::wrapped(wall.0.saturating_mul(Self::FRACTION / 1_000))
    }

    /// That number, begun anew past the greatest.
    pub(crate) fn wrapped(steps: u64) -> Self {
        Self(steps % Self::END)
    }

    /// Whether it is later than `known`, or shows that the numbers have begun anew.
    pub(crate) fn follows(self, known: Self) -> bool {
        self > known || (self.0 < known.0 / 2 && known.0 - self.0 > Self::TARDY)
    }

    fn parse(text: &str) -> Option<Self> {
        // Some leave the fraction out.
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if !(1..=12).contains(&whole.len()) || !(1..=5).contains(&fraction.len()) {
            return None;
        }
        let places = u32::try_from(5 - fraction.len()).ok()?;
        Some(Self(digits(whole)? * Self::FRACTION + digits(fraction)? * 10u64.pow(places)))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:05}", self.0 / Self::FRACTION, self.0 % Self::FRACTION)
    }
}

/// `1*DIGIT`, no more than fits.
fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().unwrap_or(u64::MAX))
}

/// What a server says in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Feedback {
    /// How much is sent, and for how long; `None` ends all restrictions.
    pub(crate) control: Option<(Algorithm, u32, Duration)>,
    pub(crate) seq: Option<Seq>,
}

/// What cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Feedback {
    /// What the topmost Via of a response to a request with `oc` says; `None` from a server that has no part in it, whatever
    /// else stands there (RFC 7339 §4.3: a validity without `oc` is nothing, unless it is 0).
    pub(crate) fn read(via: &Via) -> Result<Option<Self>, Malformed> {
        // Nearly every response has no more than what we have written ourselves: one pass over its Via tells.
        let [mut oc, mut algorithm, mut validity, mut seq] = [None; 4];
        for (name, value) in via.params() {
            let known = match name.get(..2).filter(|start| start.eq_ignore_ascii_case("oc")) {
                Some(_) if name.len() == 2 => &mut oc,
                Some(_) if name.eq_ignore_ascii_case("oc-algo") => &mut algorithm,
                Some(_) if name.eq_ignore_ascii_case("oc-validity") => &mut validity,
                Some(_) if name.eq_ignore_ascii_case("oc-seq") => &mut seq,
                _ => continue,
            };
            known.get_or_insert(value);
        }
        let validity = match validity.flatten() {
            Some(text) => Duration::from_millis(digits(text).ok_or(Malformed)?),
            None => VALIDITY,
        };
        let seq = match seq {
            Some(text) => Some(text.and_then(Seq::parse).ok_or(Malformed)?),
            None => None,
        };
        let value = oc.flatten();
        if validity.is_zero() {
            return Ok((value.is_some() || seq.is_some()).then_some(Self { control: None, seq }));
        }
        let Some(value) = value else { return Ok(None) };
        let value = u32::try_from(digits(value).ok_or(Malformed)?).unwrap_or(u32::MAX);
        let algorithm = match algorithm.flatten().map(unquote) {
            Some(token) => Algorithm::from_token(token.trim()).ok_or(Malformed)?,
            None => Algorithm::Loss,
        };
        // RFC 7339 §7.1.
        if algorithm == Algorithm::Loss && value > 100 {
            return Err(Malformed);
        }
        Ok(Some(Self { control: Some((algorithm, value, validity)), seq }))
    }
}

/// The algorithm for a client with this Via (RFC 7339 §5.1): `preferred` if it has that, or else the first of its own that
/// we have. The same list leads to the same one, so that a selection stays (§5.8). `None`: it takes no part.
pub(crate) fn choose(via: &Via, preferred: Algorithm) -> Option<Algorithm> {
    via.param("oc")?;
    let Some(list) = via.params().get_unquoted("oc-algo") else { return Some(Algorithm::Loss) };
    let known = list.split(',').filter_map(|token| Algorithm::from_token(token.trim()));
    known.reduce(|chosen, next| if next == preferred { next } else { chosen })
}

/// What a response tells a client that takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The algorithm for this client.
    pub algorithm: Algorithm,
    /// The value of `oc`.
    pub value: u32,
    /// How long it counts; zero while nothing is asked for.
    pub validity: Duration,
    /// When the value was made.
    pub seq: Seq,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, value, validity, seq } = self;
        let (name, validity) = (algorithm.name(), validity.as_millis());
        write!(f, ";oc={value};oc-algo=\"{name}\";oc-validity={validity};oc-seq={seq}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip_types::TypedHeader;

    fn via(params: &str) -> Via {
        Via::parse(&format!("SIP/2.0/TLS p1.example.net;branch=z9hG4bK2d4790.1{params}").into()).unwrap()
    }

    fn read(params: &str) -> Result<Option<Feedback>, Malformed> {
        Feedback::read(&via(params))
    }

    fn control(algorithm: Algorithm, value: u32, ms: u64) -> Option<(Algorithm, u32, Duration)> {
        Some((algorithm, value, Duration::from_millis(ms)))
    }

    // conforms: RFC7339-4.3-3
    #[test]
    fn rfc7339_6_and_rfc7415_4_the_examples() {
        let seq = |text| Some(Seq::parse(text).unwrap());
        let rows = [
            (";received=192.0.2.111;oc=0;oc-algo=\"loss\";oc-validity=0", None, None),
            (
                ";received=192.0.2.111;oc=20;oc-algo=\"loss\";oc-validity=500;oc-seq=1282321615.782",
                control(Algorithm::Loss, 20, 500),
                seq("1282321615.782"),
            ),
            (";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=1282321892.439", None, seq("1282321892.439")),
            (";oc=0;oc-algo=\"rate\";oc-validity=0;oc-seq=1282321615.781", None, seq("1282321615.781")),
            (
                ";oc=150;oc-algo=\"rate\";oc-validity=1000;oc-seq=1282321615.782",
                control(Algorithm::Rate, 150, 1_000),
                seq("1282321615.782"),
            ),
        ];
        for (params, control, seq) in rows {
            assert_eq!(read(params), Ok(Some(Feedback { control, seq })), "{params}");
        }
        for silent in [OFFER, "", ";oc", ";oc-validity=500", ";oc-validity=500;oc-seq=1.1", ";oc-validity=0"]
        {
            assert_eq!(read(silent), Ok(None), "{silent}: the server has no part in it");
        }
        let lasts = Feedback { control: control(Algorithm::Loss, 7, 500), seq: None };
        assert_eq!(read(";oc=7;oc-validity"), Ok(Some(lasts)), "half a second by default");
        assert_eq!(read(";oc=7;oc-algo=LOSS"), Ok(Some(lasts)));
    }

    // conforms: RFC7339-7.1-1
    #[test]
    fn rfc7339_9_what_breaks_the_grammar_is_not_followed() {
        for params in [
            ";oc=x",
            ";oc=-1",
            ";oc=101",
            ";oc=101;oc-algo=\"loss\"",
            ";oc=10;oc-algo=\"A\"",
            ";oc=10;oc-algo=\"loss,rate\"",
            ";oc=10;oc-validity=soon",
            ";oc=10;oc-seq",
            ";oc=10;oc-seq=1.123456",
            ";oc=10;oc-seq=1234567890123.1",
            ";oc=10;oc-seq=1.",
            ";oc=10;oc-seq=.1",
            ";oc=10;oc-seq=a.b",
            ";oc=1;oc-validity=0;oc-seq=x",
        ] {
            assert_eq!(read(params), Err(Malformed), "{params}");
        }
        let most = Feedback { control: control(Algorithm::Rate, u32::MAX, 500), seq: None };
        assert_eq!(read(";oc=99999999999999999999999;oc-algo=\"rate\""), Ok(Some(most)));
    }

    // conforms: RFC7339-4.4-3
    #[test]
    fn rfc7339_4_4_numbers_are_in_order_and_begin_anew() {
        let seq = |text| Seq::parse(text).unwrap();
        assert!(seq("1282321615.783").follows(seq("1282321615.782")));
        assert!(seq("1282321615.8").follows(seq("1282321615.782")), "a decimal fraction");
        assert!(!seq("1282321615.782").follows(seq("1282321615.782")));
        assert!(!seq("1282321583.0").follows(seq("1282321615.782")), "it was late");
        assert!(seq("0.0").follows(seq("999999999999.99999")), "the greatest was reached");
        assert!(seq("17.5").follows(seq("4294967295.0")), "of 32 bits");
        assert!(!seq("3.0").follows(seq("9.0")));
        assert_eq!(Seq::at(Wall(1_282_321_615_782)).to_string(), "1282321615.78200");
        assert_eq!(Seq::at(Wall(1_000_000_000_000_000)), Seq(0), "past the greatest they begin anew");
        let last = Seq::at(Wall(999_999_999_999_999));
        assert!(last.to_string().len() == 18 && Seq(0).follows(last));
    }

    // conforms: RFC7339-5.1-4
    #[test]
    fn rfc7339_5_1_one_algorithm_of_the_clients_list() {
        use Algorithm::{Loss, Rate};
        for (params, loss, rate) in [
            (OFFER, Some(Loss), Some(Rate)),
            (";oc;oc-algo=\"loss,A\"", Some(Loss), Some(Loss)),
            (";oc;oc-algo=\"A , rate\"", Some(Rate), Some(Rate)),
            (";oc;oc-algo=\"rate,loss\"", Some(Loss), Some(Rate)),
            (";oc", Some(Loss), Some(Loss)),
            (";oc;oc-algo=\"A\"", None, None),
            ("", None, None),
            (";oc-algo=\"loss\"", None, None),
        ] {
            assert_eq!(choose(&via(params), Loss), loss, "{params}");
            assert_eq!(choose(&via(params), Rate), rate, "{params}");
        }
    }
}
