//! Makers of SRTP, and the job that each of them does: protect a packet of G.711, or check and unprotect one.

mod liaison;
mod rtc;
mod webrtc;

pub use liaison::Liaison;
pub use rtc::Rtc;
pub use webrtc::Webrtc;

pub use media::srtp::Suite;

/// What an RTP packet of 20 ms of G.711 is: a header of 12 octets and 160 of payload.
pub const LENGTH: usize = 172;
/// How much room there is for what protection adds.
const ROOM: usize = LENGTH + 20;

/// A packet in the buffer that it came in, or leaves from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The octets, with room behind.
    pub buffer: [u8; ROOM],
    /// How many of them are the packet.
    pub length: usize,
}

impl Packet {
    /// The packet of a number in its stream.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mut buffer = [0xd5; ROOM];
        let [.., high, low] = number.to_be_bytes();
        let [.., t0, t1, t2, t3] = (number * 160).to_be_bytes();
        buffer[..12].copy_from_slice(&[0x80, 8, high, low, t0, t1, t2, t3, 0xde, 0xad, 0xbe, 0xef]);
        Self { buffer, length: LENGTH }
    }

    /// Its octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Takes octets that were made elsewhere.
    fn put(&mut self, octets: &[u8]) {
        self.buffer[..octets.len()].copy_from_slice(octets);
        self.length = octets.len();
    }
}

/// Key and salt that all makers have.
#[must_use]
pub fn octets(suite: Suite) -> Vec<u8> {
    (1..=suite.key_length() + suite.salt_length())
        .map(|at| u8::try_from(at * 5).expect("46 at the most"))
        .collect()
}

/// A maker of SRTP with a key, for one direction, that refuses what was there before. What it makes is in the packet's own buffer in
/// the end, for that is where it is sent from.
pub trait Maker: Sized {
    /// What it is called.
    const NAME: &'static str;

    /// `None` where it does not have the suite.
    fn new(suite: Suite, octets: &[u8]) -> Option<Self>;

    /// Protects a packet.
    fn protect(&mut self, packet: &mut Packet);

    /// Unprotects a packet; whether it was authentic.
    fn unprotect(&mut self, packet: &mut Packet) -> bool;
}

/// Packets of a stream from a number on, protected by ours.
#[must_use]
pub fn protected(suite: Suite, from: u64, count: u64) -> Vec<Packet> {
    let mut maker = Liaison::new(suite, &octets(suite)).expect("it has every suite");
    let mut packets: Vec<_> = (from..from + count).map(Packet::new).collect();
    packets.iter_mut().for_each(|packet| maker.protect(packet));
    packets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees<M: Maker>(suite: Suite) {
        let octets = octets(suite);
        let (Some(mut sender), Some(mut receiver)) = (M::new(suite, &octets), M::new(suite, &octets)) else {
            return;
        };
        for sealed in protected(suite, 0, 300) {
            let number = u64::from(u16::from_be_bytes([sealed.buffer[2], sealed.buffer[3]]));
            let mut packet = Packet::new(number);
            sender.protect(&mut packet);
            assert_eq!(packet.octets(), sealed.octets(), "{} {suite:?} {number}", M::NAME);
            assert!(receiver.unprotect(&mut packet), "{} {suite:?} {number}", M::NAME);
            assert_eq!(packet.octets(), Packet::new(number).octets());
            let mut again = sealed;
            assert!(!receiver.unprotect(&mut again), "{} takes a packet twice", M::NAME);
        }
    }

    #[test]
    fn all_makers_do_the_same_job() {
        for suite in Suite::ALL {
            agrees::<Liaison>(suite);
            agrees::<Webrtc>(suite);
            agrees::<Rtc>(suite);
        }
    }
}
