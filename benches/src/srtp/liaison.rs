//! Ours.

use media::srtp::{Context, Kind, MasterKey, Suite, Transform};

use super::{Maker, Packet};

/// `media::srtp`: in place.
#[derive(Debug)]
pub struct Liaison(Context);

impl Maker for Liaison {
    const NAME: &'static str = "liaison";

    fn new(suite: Suite, octets: &[u8]) -> Option<Self> {
        Context::new(&MasterKey::new(suite, octets).ok()?).map(Self)
    }

    fn protect(&mut self, packet: &mut Packet) {
        packet.length =
            self.0.protect(Kind::Rtp, &mut packet.buffer, packet.length).expect("its number is a new one");
    }

    fn unprotect(&mut self, packet: &mut Packet) -> bool {
        let opened = self.0.unprotect(Kind::Rtp, &mut packet.buffer, packet.length);
        if let Ok(length) = opened {
            packet.length = length;
        }
        opened.is_ok()
    }
}
