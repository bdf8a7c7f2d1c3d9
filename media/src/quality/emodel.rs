//! How a conversation sounds: the E-model of ITU-T G.107, reduced to what a network does to packets.
//!
//! With the default values of all that is no matter of the network, the rating is R = 93.2 − Id − Ie,eff (G.107 §7.1; R. Cole and J.
//! Rosenbluth, "Voice over IP performance monitoring", 2001). Id is the impairment by delay, Ie,eff that by the codec and by losses; what
//! the codec is worth is from ITU-T G.113 Appendix I. `docs/rtp-and-rtcp.md` says what this leaves out.

use std::time::Duration;

/// What a codec takes of the rating by itself (Ie), and how it stands losses (Bpl).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Robustness {
    ie: f64,
    bpl: f64,
}

/// R without delay and losses.
const BEST: f64 = 93.2;
/// Delay that is not noticed much, in milliseconds.
const NOTICED: f64 = 177.3;

/// Those of a codec by its encoding name; `None` where nobody has measured them.
pub(crate) fn robustness(encoding: &str) -> Option<Robustness> {
    let (ie, bpl) = match encoding.to_ascii_uppercase().as_str() {
        // With concealment (G.711 Appendix I), which all that play it have today.
        "PCMU" | "PCMA" => (0.0, 25.1),
        // Of these the narrow band is counted only: as G.711.
        "G722" | "OPUS" | "L16" => (0.0, 25.1),
        "G729" => (11.0, 19.0),
        "G723" => (15.0, 16.1),
        // As the enhanced full rate, of which AMR's highest is one.
        "GSM-EFR" | "AMR" => (5.0, 10.0),
        _ => return None,
    };
    Some(Robustness { ie, bpl })
}

/// The rating R, from 0 to 93.2, of audio that is late by that much, of which that share is lost (0 to 1).
pub(crate) fn rating(codec: Robustness, one_way: Duration, loss: f64) -> f64 {
    let delay = one_way.as_secs_f64() * 1_000.0;
    let by_delay = 0.024 * delay + 0.11 * (delay - NOTICED).max(0.0);
    // Losses are taken for random ones (BurstR = 1).
    let percent = loss.clamp(0.0, 1.0) * 100.0;
    let by_loss = codec.ie + (95.0 - codec.ie) * percent / (percent + codec.bpl);
    (BEST - by_delay - by_loss).max(0.0)
}

/// The mean opinion score of a rating, in hundredths from 100 to 441 (G.107 Annex B).
pub(crate) fn score(rating: f64) -> u16 {
    let r = rating.clamp(0.0, 100.0);
    let score = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
    // Just above zero the formula falls below one.
    let hundredths = (score.max(1.0) * 100.0).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 100 and 450")]
    {
        hundredths as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(encoding: &str, millis: u64, loss: f64) -> u16 {
        score(rating(robustness(encoding).unwrap(), Duration::from_millis(millis), loss))
    }

    #[test]
    fn g107_annex_b_scores_of_ratings() {
        for (r, expected) in [
            (0.0, 100),
            (50.0, 258),
            (60.0, 310),
            (70.0, 360),
            (80.0, 402),
            (90.0, 434),
            (93.2, 441),
            (100.0, 450),
        ] {
            assert_eq!(score(r), expected, "{r}");
        }
        assert_eq!((score(5.0), score(-1.0), score(f64::NAN)), (100, 100, 100));
    }

    #[test]
    fn losses_and_delay_are_heard() {
        assert_eq!(of("PCMA", 0, 0.0), 441);
        assert!(of("PCMA", 100, 0.0) > of("PCMA", 250, 0.0));
        assert!(of("pcmu", 0, 0.01) > of("PCMU", 0, 0.05));
        // 3 % of G.711 with concealment: R = 93.2 - 95 * 3 / 28.1 = 83.1.
        assert_eq!(of("PCMU", 0, 0.03), 413);
        assert_eq!(of("G729", 0, 0.0), 410);
        assert_eq!(of("PCMU", 0, 1.0), 118);
        assert_eq!(robustness("X-NEW"), None);
    }
}
