//! The reliable provisional responses that have come in an early dialog (RFC 3262 §4).

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
}

impl Heard {
    /// Takes the number of a response in; `false` where it is a repetition, comes before one that is missing, or is one too
    /// many: it is not acknowledged then, and not looked at (RFC 3262 §4).
    pub(super) fn take(heard: &mut Option<Box<Self>>, invite: u32, number: u32) -> bool {
        let Some(heard) = heard else {
            *heard = Some(Box::new(Self { invite, last: number, owed: vec![number] }));
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
        Some(self.invite)
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
    fn a_peer_can_make_us_owe_so_many_and_the_numbers_end() {
        let mut heard = None;
        let taken = (1..100).filter(|number| Heard::take(&mut heard, 1, *number)).count();
        assert_eq!(taken, OWED);
        let mut heard = None;
        assert!(Heard::take(&mut heard, 1, u32::MAX));
        assert!(!Heard::take(&mut heard, 1, 0), "it does not wrap (RFC 3262 §3)");
    }
}
