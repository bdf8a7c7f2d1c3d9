//! How often we have answered with which failure.

use sip_types::StatusCode;

/// The statuses that our user agents refuse with by themselves, and how a metric spells them.
const STATUSES: [(u16, &str); 36] = [
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (407, "407"),
    (408, "408"),
    (413, "413"),
    (414, "414"),
    (415, "415"),
    (416, "416"),
    (420, "420"),
    (421, "421"),
    (423, "423"),
    (430, "430"),
    (439, "439"),
    (440, "440"),
    (480, "480"),
    (481, "481"),
    (482, "482"),
    (483, "483"),
    (484, "484"),
    (486, "486"),
    (487, "487"),
    (488, "488"),
    (489, "489"),
    (491, "491"),
    (493, "493"),
    (500, "500"),
    (501, "501"),
    (502, "502"),
    (503, "503"),
    (504, "504"),
    (505, "505"),
    (513, "513"),
];

/// Responses of ours with 4xx, 5xx or 6xx, by status; those that the other side of a call gave and that are passed on included,
/// repetitions in a transaction not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    counts: [u64; STATUSES.len()],
    /// Those that only others give.
    other: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { counts: [0; STATUSES.len()], other: 0 }
    }
}

impl Refusals {
    /// A response with that status is sent.
    pub(super) fn count(&mut self, status: StatusCode) {
        let status = status.as_u16();
        if status < 400 {
            return;
        }
        let place = STATUSES.binary_search_by_key(&status, |(known, _)| *known).ok();
        match place.and_then(|place| self.counts.get_mut(place)) {
            Some(count) => *count += 1,
            None => self.other += 1,
        }
    }

    /// Each status with how often it was sent; `other` stands for all that have no place of their own.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let known = STATUSES.iter().zip(self.counts).map(|((_, text), count)| (*text, count));
        known.chain([("other", self.other)])
    }

    /// How often that status was sent; for one without a place of its own, how often any of those was.
    pub fn of(&self, status: StatusCode) -> u64 {
        let text = status.as_u16().to_string();
        self.each().find(|(known, _)| *known == text).map_or(self.other, |(_, count)| count)
    }
}

impl std::ops::AddAssign for Refusals {
    fn add_assign(&mut self, rhs: Self) {
        for (sum, count) in self.counts.iter_mut().zip(rhs.counts) {
            *sum += count;
        }
        self.other += rhs.other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> StatusCode {
        StatusCode::new(code).unwrap()
    }

    #[test]
    fn each_failure_is_counted_by_its_status_and_nothing_else_is() {
        assert!(STATUSES.is_sorted_by_key(|(status, _)| *status));
        assert!(STATUSES.iter().all(|(status, text)| status.to_string() == *text));
        let mut refusals = Refusals::default();
        for code in [100, 180, 200, 302, 420, 423, 423, 603, 699] {
            refusals.count(status(code));
        }
        let of = |code| refusals.of(status(code));
        assert_eq!((of(420), of(423), of(421), of(603)), (1, 2, 0, 2));
        assert_eq!(refusals.each().map(|(_, count)| count).sum::<u64>(), 5);
        let mut twice = refusals;
        twice += refusals;
        assert_eq!((twice.of(status(423)), twice.of(status(699))), (4, 4));
    }
}
