//! G.711: 8 bits a sample (ITU-T G.711, RFC 3551 §4.5.14).

/// How a sample is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// PCMA.
    A,
    /// PCMU.
    Mu,
}

/// What is added to a sample before its µ-law segment is looked up.
const BIAS: u16 = 0x84;

impl Law {
    /// By the encoding's name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let names = [("PCMA", Self::A), ("PCMU", Self::Mu)];
        names.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, law)| law)
    }

    /// The code of silence.
    pub(crate) fn silence(self) -> u8 {
        match self {
            Self::A => 0xd5,
            Self::Mu => 0xff,
        }
    }

    /// The linear sample of a code, of 16 bits, in the middle of its step.
    pub(crate) fn decode(self, code: u8) -> i16 {
        match self {
            Self::A => {
                let code = code ^ 0x55;
                let segment = (code >> 4) & 7;
                let mantissa = i16::from(code & 15) << 4;
                let magnitude = if segment == 0 { mantissa + 8 } else { (mantissa + 0x108) << (segment - 1) };
                if code & 0x80 == 0 { -magnitude } else { magnitude }
            }
            Self::Mu => {
                let code = !code;
                let magnitude = (((u16::from(code & 15) << 3) + BIAS) << ((code >> 4) & 7)) - BIAS;
                let magnitude = i16::try_from(magnitude).unwrap_or(i16::MAX);
                if code & 0x80 == 0 { magnitude } else { -magnitude }
            }
        }
    }

    /// The code of a linear sample.
    pub(crate) fn encode(self, sample: i16) -> u8 {
        let negative = sample < 0;
        match self {
            Self::A => {
                let sign = if negative { 0 } else { 0x80 };
                let magnitude = if negative { !sample } else { sample }.unsigned_abs() >> 3;
                // Below 32 the steps are even; above, each doubling has 16 steps.
                let segment = (u16::BITS - magnitude.leading_zeros()).saturating_sub(5);
                let mantissa = if segment == 0 { magnitude >> 1 } else { (magnitude >> segment) & 15 };
                (sign | low(segment << 4) | low(mantissa.into())) ^ 0x55
            }
            Self::Mu => {
                let magnitude = sample.unsigned_abs().min(32_635) + BIAS;
                // With the bias the highest bit is one of bits 7 to 14.
                let segment = (u16::BITS - magnitude.leading_zeros()).saturating_sub(8);
                let mantissa = (magnitude >> (segment + 3)) & 15;
                let sign = if negative { 0x80 } else { 0 };
                !(sign | low(segment << 4) | low(mantissa.into()))
            }
        }
    }
}

fn low(number: u32) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
}
