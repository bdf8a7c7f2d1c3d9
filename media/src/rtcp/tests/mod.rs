mod anything;
mod hiding;
mod reading;
mod translation;

use super::{Names, Whose};

/// A compound of packets, each of its kind, count and words.
pub(super) fn compound(packets: &[(u8, u8, &[u32])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, count, words) in packets {
        let [high, low] = u16::try_from(words.len()).unwrap().to_be_bytes();
        out.extend([0x80 | count, *kind, high, low]);
        words.iter().for_each(|word| out.extend(word.to_be_bytes()));
    }
    out
}

/// Sources of the writer's below 100 are called 1000 more, those of the reader's from 100 on 2000 more; numbers are 7 less.
pub(super) struct Shifted;

impl Names for Shifted {
    fn ssrc(&mut self, whose: Whose, ssrc: u32) -> u32 {
        match (whose, ssrc) {
            (Whose::Writer | Whose::Either, 1..100) => ssrc + 1_000,
            (Whose::Reader | Whose::Either, 100..200) => ssrc + 2_000,
            _ => ssrc,
        }
    }

    fn timestamp(&self, ssrc: u32, timestamp: u32) -> u32 {
        assert!(ssrc < 100);
        timestamp.wrapping_add(50)
    }

    fn sent(&self, _: u32) -> (u32, u32) {
        (3, 12)
    }

    fn sequence(&self, ssrc: u32, sequence: u16) -> u16 {
        assert!((100..200).contains(&ssrc), "{ssrc}");
        sequence.wrapping_sub(7)
    }

    fn extended(&self, ssrc: u32, sequence: u32) -> u32 {
        assert!((100..200).contains(&ssrc), "{ssrc}");
        sequence.wrapping_sub(7)
    }
}
