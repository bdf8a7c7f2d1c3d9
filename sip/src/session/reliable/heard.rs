//! The reliable provisional responses that have come in an early dialog (RFC 3262 §4).

use crate::session::OutgoingId;

/// Responses that may be unacknowledged at a time: a peer sends one after the other.
const OWED: usize = 8;

/// What has come in one early dialog.
#[derive(Debug)]
pub(crate) struct Heard {
    /// CSeq of the INVITE that they answer.
    invite: u32,
    /// The number of the last one.
    last: u32,
    /// Numbers that are not acknowledged yet.
    owed: Vec<u32>,
    /// The number of the first that describes the session.
    described: Option<u32>,
    /// The PRACK after which its offer and answer are settled.
    settling: Option<OutgoingId>,
    /// Whether one has been acknowledged.
    settled: bool,
}

impl Heard {
    /// Takes the number of a response to the INVITE with that CSeq in, each of which has a numbering of its own; `false` where it is a repetition, comes before one that is missing, or is one too
    /// many: it is not acknowledged then, and not looked at (RFC 3262 §4).
    pub(super) fn take(heard: &mut Option<Box<Self>>, invite: u32, number: u32) -> bool {
        let Some(heard) = heard.as_mut().filter(|heard| heard.invite == invite) else {
            *heard = Some(Box::new(Self {
                invite,
                last: number,
                owed: vec![number],
                described: None,
                settling: None,
                settled: false,
            }));
            return true;
        };
        let next = heard.last.checked_add(1) == Some(number) && heard.owed.len() < OWED;
        if next {
            heard.last = number;
            heard.owed.push(number);
        }
        next
    }

    /// Takes a number out that is acknowledged now, and gives the CSeq of its INVITE; `None` where it is not owed.
    pub(super) fn settle(&mut self, number: u32) -> Option<u32> {
        let at = self.owed.iter().position(|owed| *owed == number)?;
        self.owed.remove(at);
        self.settled = true;
        Some(self.invite)
    }

    /// The response with that number describes the session; whether it is the first to do so, whose description counts
    /// (RFC 6337 §3.1).
    pub(super) fn describe(&mut self, number: u32) -> bool {
        self.described.is_none() && {
            self.described = Some(number);
            true
        }
    }

    /// That PRACK acknowledges the response with that number; whether an offer or an answer is settled with it: that of the
    /// response, or what the PRACK has itself.
    pub(super) fn acknowledge(&mut self, number: u32, prack: OutgoingId, describes: bool) -> bool {
        let settles = describes || self.described == Some(number);
        if settles {
            self.settling = Some(prack);
        }
        settles
    }

    /// A PRACK is over; whether offer and answer are settled with it.
    pub(super) fn is_settled_by(&mut self, prack: OutgoingId) -> bool {
        self.settling.take_if(|settling| *settling == prack).is_some()
    }

    /// Whether one has been acknowledged: then the dialog is there on both sides.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_number_is_taken_and_acknowledged_once() {
        let mut heard = None;
        let taken: Vec<bool> =
            [7, 7, 9, 8, 9, 8].into_iter().map(|number| Heard::take(&mut heard, 1, number)).collect();
        assert_eq!(taken, [true, false, false, true, true, false]);
        let mut heard = heard.unwrap();
        let settled: Vec<bool> =
            [8, 8, 10, 9, 7].into_iter().map(|number| heard.settle(number).is_some()).collect();
        assert_eq!(settled, [true, false, false, true, true]);
    }

    #[test]
    fn each_invite_of_a_dialog_has_a_numbering_of_its_own() {
        let mut heard = None;
        assert!(Heard::take(&mut heard, 1, 7));
        assert!(Heard::take(&mut heard, 2, 70), "a re-INVITE begins anew (RFC 3262 §3)");
        assert_eq!(heard.unwrap().settle(70), Some(2));
    }

    #[test]
    fn a_peer_can_make_us_owe_so_many_and_the_numbers_end() {
        let mut heard = None;
        let taken = (1..100).filter(|number| Heard::take(&mut heard, 1, *number)).count();
        assert_eq!(taken, OWED);
        let mut heard = None;
        assert!(Heard::take(&mut heard, 1, u32::MAX));
        assert!(!Heard::take(&mut heard, 1, 0), "it does not wrap (RFC 3262 §3)");
    }
}
