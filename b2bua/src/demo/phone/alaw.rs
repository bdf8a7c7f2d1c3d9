//! PCMA: G.711 A-law, 8 bits a sample (RFC 3551 §4.5.14).

/// The code of a linear sample.
pub(super) fn encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let magnitude = if sample < 0 { !sample } else { sample }.unsigned_abs() >> 3;
    // Below 32 the steps are even; above, each doubling has 16 steps.
    let segment = (u16::BITS - magnitude.leading_zeros()).saturating_sub(5);
    let mantissa = if segment == 0 { magnitude >> 1 } else { (magnitude >> segment) & 15 };
    let [code, _] = mantissa.to_le_bytes();
    let [high, ..] = (segment << 4).to_le_bytes();
    (sign | high | code) ^ 0x55
}

/// The linear sample of a code, in the middle of its step.
pub(super) fn decode(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 7;
    let mantissa = i16::from(code & 15) << 4;
    let magnitude = if segment == 0 { mantissa + 8 } else { (mantissa + 0x108) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_the_code_of_its_sample() {
        for code in 0..=u8::MAX {
            assert_eq!(encode(decode(code)), code, "{code:#04x}");
        }
    }

    #[test]
    fn a_sample_comes_back_within_a_thirty_second_of_itself() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let error = i32::from(decode(encode(sample))) - i32::from(sample);
            assert!(error.abs() <= 8 + i32::from(sample).abs() / 32, "{sample}: {error}");
        }
        assert_eq!(encode(0), 0xd5, "digital silence");
    }
}
