//! One band: a quantizer whose steps follow the signal, and a predictor with two poles and six zeros (G.722 §3, §4).

/// Decision levels of the quantizer of six bits (G.722 table 14).
const LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
    1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// What codes of six bits stand for (G.722 table 17).
const SIX: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
    -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688,
    -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856,
    7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136,
    -432, -136,
];
/// What their highest four bits stand for, by which the predictor goes on both sides.
const FOUR: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
/// How these change the steps.
const FOUR_STEPS: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];
/// What codes of two bits stand for.
const TWO: [i32; 4] = [-7408, -1616, 7408, 1616];
/// How these change the steps.
const TWO_STEPS: [i32; 4] = [798, -214, 798, -214];
/// Powers of two in 32 parts of an octave.
const POWERS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// An element by a number of no more bits than the table has room for.
fn at<const N: usize>(table: &[i32; N], number: i32) -> i32 {
    usize::try_from(number).ok().and_then(|number| table.get(number)).copied().unwrap_or_default()
}

fn sixteen(number: i32) -> i32 {
    number.clamp(-32_768, 32_767)
}

/// As a sample of 16 bits.
pub(super) fn saturate(number: i32) -> i16 {
    i16::try_from(sixteen(number)).unwrap_or_default()
}

#[derive(Debug)]
pub(super) struct Band {
    estimate: i32,
    of_zeros: i32,
    /// The last signal that was made again, and the part of it without the poles, the newest first.
    made: i32,
    partial: [i32; 2],
    poles: [i32; 2],
    differences: [i32; 6],
    zeros: [i32; 6],
    /// The step, and its logarithm.
    step: i32,
    logarithm: i32,
}

impl Band {
    fn new(step: i32) -> Self {
        Self {
            estimate: 0,
            of_zeros: 0,
            made: 0,
            partial: [0; 2],
            poles: [0; 2],
            differences: [0; 6],
            zeros: [0; 6],
            step,
            logarithm: 0,
        }
    }

    pub(super) fn low() -> Self {
        Self::new(32)
    }

    pub(super) fn high() -> Self {
        Self::new(8)
    }

    pub(super) fn code_low(&mut self, sample: i32) -> u8 {
        let error = sixteen(sample - self.estimate);
        let magnitude = if error < 0 { -(error + 1) } else { error };
        let below = LEVELS.iter().position(|level| magnitude < (level * self.step) >> 12);
        let interval = i32::try_from(below.unwrap_or(LEVELS.len())).unwrap_or_default() + 1;
        // G.722 table 16: the two smallest negative intervals have the highest codes.
        let code = match (error < 0, interval) {
            (true, 1 | 2) => 64 - interval,
            (true, _) => 34 - interval,
            (false, _) => 62 - interval,
        };
        self.follow_low(code >> 2);
        u8::try_from(code).unwrap_or_default()
    }

    pub(super) fn code_high(&mut self, sample: i32) -> u8 {
        let error = sixteen(sample - self.estimate);
        let magnitude = if error < 0 { -(error + 1) } else { error };
        let is_far = magnitude >= (564 * self.step) >> 12;
        let code = match (error < 0, is_far) {
            (true, false) => 1,
            (true, true) => 0,
            (false, false) => 3,
            (false, true) => 2,
        };
        self.follow_high(i32::from(code));
        code
    }

    /// The sample of a code of six bits.
    pub(super) fn decode_low(&mut self, code: u8) -> i32 {
        let code = i32::from(code);
        let sample = self.estimate + ((self.step * at(&SIX, code)) >> 15);
        self.follow_low(code >> 2);
        sample.clamp(-16_384, 16_383)
    }

    /// The sample of a code of two bits.
    pub(super) fn decode_high(&mut self, code: u8) -> i32 {
        let code = i32::from(code);
        let sample = self.estimate + ((self.step * at(&TWO, code)) >> 15);
        self.follow_high(code);
        sample.clamp(-16_384, 16_383)
    }

    fn follow_low(&mut self, code: i32) {
        let difference = (self.step * at(&FOUR, code)) >> 15;
        self.scale(at(&FOUR_STEPS, code), 18_432, 8);
        self.adapt(difference);
    }

    fn follow_high(&mut self, code: i32) {
        let difference = (self.step * at(&TWO, code)) >> 15;
        self.scale(at(&TWO_STEPS, code), 22_528, 10);
        self.adapt(difference);
    }

    /// LOGSCL and SCALEL, LOGSCH and SCALEH.
    fn scale(&mut self, by: i32, most: i32, shift: i32) {
        self.logarithm = (((self.logarithm * 127) >> 7) + by).clamp(0, most);
        let power = at(&POWERS, (self.logarithm >> 6) & 31);
        let shift = shift - (self.logarithm >> 11);
        self.step = if shift < 0 { power << -shift } else { power >> shift } << 2;
    }

    /// The predictor's coefficients and its next estimate (G.722 §3.6).
    fn adapt(&mut self, difference: i32) {
        let made = sixteen(self.estimate + difference);
        let partial = sixteen(self.of_zeros + difference);
        let ([first, second], [before, earlier]) = (self.poles, self.partial);
        let alike = |a: i32, b: i32| (a < 0) == (b < 0);
        // UPPOL2, UPPOL1
        let scaled = sixteen(first << 2);
        let scaled = if alike(partial, before) { (-scaled).min(32_767) } else { scaled };
        let by_sign = if alike(partial, earlier) { 128 } else { -128 };
        let second = ((scaled >> 7) + by_sign + ((second * 32_512) >> 15)).clamp(-12_288, 12_288);
        let by_sign = if alike(partial, before) { 192 } else { -192 };
        let limit = sixteen(15_360 - second);
        let first = sixteen(by_sign + ((first * 32_640) >> 15)).clamp(-limit, limit);
        // UPZERO
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zeros.iter_mut().zip(self.differences) {
            let by_sign = if alike(before, difference) { step } else { -step };
            *zero = sixteen(by_sign + ((*zero * 32_640) >> 15));
        }
        self.differences.rotate_right(1);
        if let Some(newest) = self.differences.first_mut() {
            *newest = difference;
        }
        // FILTEP, FILTEZ, PREDIC
        let product = |by: i32, of: i32| (by * sixteen(of << 1)) >> 15;
        let of_poles = sixteen(product(first, made) + product(second, self.made));
        let of_zeros = self.zeros.iter().zip(self.differences).map(|(zero, of)| product(*zero, of)).sum();
        self.of_zeros = sixteen(of_zeros);
        self.estimate = sixteen(of_poles + self.of_zeros);
        (self.made, self.partial, self.poles) = (made, [partial, before], [first, second]);
    }
}
