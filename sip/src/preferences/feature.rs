//! Sets of features in the syntax of parameters, and whether two of them can go together (RFC 3840 §9, RFC 3841 §8).

use super::TooMany;
use sip_types::feature::tag_of;
use sip_types::{Params, unquote};

/// A conjunction: each term says what one feature may be.
#[derive(Clone, Debug, Default)]
pub(super) struct Predicate(Vec<Term>);

/// What one feature may be: any of the alternatives.
#[derive(Clone, Debug)]
struct Term {
    tag: Box<str>,
    any_of: Vec<Filter>,
}

/// One alternative.
#[derive(Clone, Debug, PartialEq)]
struct Filter {
    negated: bool,
    value: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    /// In lower case: tokens compare without case.
    Token(Box<str>),
    /// Compared byte for byte.
    Text(Box<str>),
    /// Both ends included.
    Range(f64, f64),
}

/// Features of one set: sets are compared with each other.
const MOST: usize = 32;
/// Alternatives of one feature. There are some fifteen methods.
const MOST_ALTERNATIVES: usize = 16;

impl Predicate {
    /// The features among parameters; the first of each name counts.
    ///
    /// # Errors
    /// There are more than are looked at.
    pub(super) fn of(params: Params<'_>) -> Result<Self, TooMany> {
        let mut terms: Vec<Term> = Vec::new();
        for (name, value) in params {
            let Some(tag) = tag_of(name) else { continue };
            if terms.iter().any(|term| *term.tag == *tag) {
                continue;
            }
            let any_of = filters(value);
            if terms.len() == MOST || any_of.len() > MOST_ALTERNATIVES {
                return Err(TooMany);
            }
            terms.push(Term { tag: tag.into(), any_of });
        }
        Ok(Self(terms))
    }

    /// One term: that feature has that value.
    pub(super) fn single(tag: &str, token: &str) -> Self {
        let value = Value::Token(token.to_ascii_lowercase().into());
        Self(vec![Term { tag: tag.into(), any_of: vec![Filter { negated: false, value }] }])
    }

    /// Terms.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Terms whose feature `other` speaks of.
    pub(super) fn known_to(&self, other: &Self) -> usize {
        self.0.iter().filter(|term| other.term(&term.tag).is_some()).count()
    }

    /// Whether there is something that both describe (RFC 2533 §3.3): what only one of them speaks of is no hindrance.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.0.iter().all(|term| {
            let Some(theirs) = other.term(&term.tag) else { return true };
            term.any_of.iter().any(|ours| theirs.any_of.iter().any(|filter| ours.meets(filter)))
        })
    }

    fn term(&self, tag: &str) -> Option<&Term> {
        self.0.iter().find(|term| &*term.tag == tag)
    }
}

impl Filter {
    /// Whether some value passes both.
    fn meets(&self, other: &Self) -> bool {
        match (self.negated, other.negated) {
            (false, false) => self.value.overlaps(&other.value),
            (true, false) => !other.value.lies_in(&self.value),
            (false, true) => !self.value.lies_in(&other.value),
            (true, true) => true,
        }
    }
}

impl Value {
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Range(low, high), Self::Range(from, to)) => low <= to && from <= high,
            _ => self == other,
        }
    }

    fn lies_in(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Range(low, high), Self::Range(from, to)) => from <= low && high <= to,
            _ => self == other,
        }
    }
}

/// The alternatives of a value; without one it is `TRUE`.
fn filters(value: Option<&str>) -> Vec<Filter> {
    let value = value.map_or("TRUE".into(), unquote);
    if let Some(text) = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        return vec![Filter { negated: false, value: Value::Text(text.into()) }];
    }
    value.split(',').take(MOST + 1).map(filter).collect()
}

fn filter(text: &str) -> Filter {
    let text = text.trim();
    let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
    let range = text.strip_prefix('#').and_then(range);
    let value = range.unwrap_or_else(|| Value::Token(text.to_ascii_lowercase().into()));
    Filter { negated, value }
}

/// `=5`, `>=5`, `<=5` or `1:5` (RFC 3840 §9).
fn range(text: &str) -> Option<Value> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(least) = text.strip_prefix(">=") {
        return Some(Value::Range(number(least)?, f64::INFINITY));
    }
    if let Some(most) = text.strip_prefix("<=") {
        return Some(Value::Range(f64::NEG_INFINITY, number(most)?));
    }
    if let Some(exactly) = text.strip_prefix('=') {
        return number(exactly).map(|number| Value::Range(number, number));
    }
    let (low, high) = text.split_once(':')?;
    Some(Value::Range(number(low)?, number(high)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicate(text: &str) -> Predicate {
        Predicate::of(Params::of_checked(text)).unwrap()
    }

    #[test]
    fn rfc3841_8_parameters_become_terms() {
        let text = ";mobility=\"fixed\";events=\"!presence,message-summary\";language=\"en,de\"\
                    ;description=\"<PC>\";+sip.newparam;+rangeparam=\"#-4:+5.125\";q=0.5;other=1";
        let predicate = predicate(text);
        let tags: Vec<_> = predicate.0.iter().map(|term| &*term.tag).collect();
        let wanted =
            ["sip.mobility", "sip.events", "language", "sip.description", "sip.newparam", "rangeparam"];
        assert_eq!(tags, wanted);
        assert_eq!(predicate.0[1].any_of.len(), 2);
        assert!(predicate.0[1].any_of[0].negated);
        assert_eq!(predicate.0[3].any_of[0].value, Value::Text("PC".into()));
        assert_eq!(predicate.0[4].any_of[0].value, Value::Token("true".into()));
        assert_eq!(predicate.0[5].any_of[0].value, Value::Range(-4.0, 5.125));
    }

    #[test]
    fn more_features_than_are_looked_at_are_too_many() {
        let features = |most: usize| (0..most).map(|n| format!(";+f{n}")).collect::<String>();
        assert!(Predicate::of(Params::of_checked(&features(MOST))).is_ok());
        assert!(Predicate::of(Params::of_checked(&features(MOST + 1))).is_err());
        let values = |most: usize| format!(";methods=\"{}\"", vec!["a"; most].join(","));
        assert!(Predicate::of(Params::of_checked(&values(MOST_ALTERNATIVES))).is_ok());
        assert!(Predicate::of(Params::of_checked(&values(MOST_ALTERNATIVES + 1))).is_err());
    }

    // conforms: RFC3841-7.2-2
    #[test]
    fn rfc3841_7_2_4_values_match_by_their_kind() {
        let cases = [
            (";audio", ";audio=\"TRUE\"", true),
            (";audio", ";+sip.audio", true),
            (";audio", ";audio=\"FALSE\"", false),
            (";methods=\"INVITE\"", ";methods=\"bye,invite\"", true),
            (";methods=\"INVITE\"", ";methods=\"BYE\"", false),
            (";methods=\"!INVITE\"", ";methods=\"INVITE\"", false),
            (";methods=\"!INVITE\"", ";methods=\"INVITE,BYE\"", true),
            (";description=\"<PC>\"", ";description=\"<pc>\"", false),
            (";description=\"<PC>\"", ";description=\"PC\"", false),
            (";priority=\"#>=50\"", ";priority=\"#=70\"", true),
            (";priority=\"#>=50\"", ";priority=\"#1:49\"", false),
            (";priority=\"!#1:10\"", ";priority=\"#=5\"", false),
            (";priority=\"!#1:10\"", ";priority=\"#5:11\"", true),
            (";priority=\"#<=1.5\"", ";priority=\"#=1\"", true),
            (";priority=\"#=1\"", ";priority=\"one\"", false),
            (";video", ";audio", true),
        ];
        for (one, other, matches) in cases {
            assert_eq!(predicate(one).matches(&predicate(other)), matches, "{one} {other}");
            assert_eq!(predicate(other).matches(&predicate(one)), matches, "{other} {one}");
        }
    }

    // conforms: RFC3840-9-1
    #[test]
    fn rfc3840_9_the_first_of_a_feature_counts() {
        assert!(!predicate(";audio=\"FALSE\";audio").matches(&predicate(";audio")));
        assert!(!predicate(";audio=\"FALSE\";+sip.audio").matches(&predicate(";audio")));
    }

    // conforms: RFC3840-9-2
    #[test]
    fn rfc3840_9_a_number_is_one_that_a_double_can_be() {
        let value =
            |text: &str| predicate(&format!(";priority=\"#={text}\"")).0.remove(0).any_of.remove(0).value;
        assert_eq!(value("5.125"), Value::Range(5.125, 5.125));
        let most = format!("{:.0}", f64::MAX);
        assert_eq!(value(&most), Value::Range(f64::MAX, f64::MAX));
        let more = format!("{most}0");
        assert_eq!(
            value(&more),
            Value::Token(format!("#={more}").into()),
            "no number, and met by itself alone"
        );
    }
}
