//! The crate `webrtc-srtp`.

use media::srtp::Suite;
use webrtc_srtp::context::Context;
use webrtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use webrtc_srtp::protection_profile::ProtectionProfile as Profile;

use super::{Maker, Packet};

/// One context, which is for one direction.
#[expect(missing_debug_implementations, reason = "the crate's type has none")]
pub struct Webrtc(Context);

impl Maker for Webrtc {
    const NAME: &'static str = "webrtc-srtp";

    fn new(suite: Suite, octets: &[u8]) -> Option<Self> {
        let profile = match suite {
            Suite::AesCm128Sha1Tag80 => Profile::Aes128CmHmacSha1_80,
            Suite::AesCm128Sha1Tag32 => Profile::Aes128CmHmacSha1_32,
            Suite::AesCm256Sha1Tag80 => Profile::Aes256CmHmacSha1_80,
            Suite::AesCm256Sha1Tag32 => Profile::Aes256CmHmacSha1_32,
            Suite::AeadAes128Gcm => Profile::AeadAes128Gcm,
            Suite::AeadAes256Gcm => Profile::AeadAes256Gcm,
        };
        let (key, salt) = octets.split_at(suite.key_length());
        let rtp = Some(srtp_replay_protection(128));
        Context::new(key, salt, profile, rtp, Some(srtcp_replay_protection(128))).ok().map(Self)
    }

    fn protect(&mut self, packet: &mut Packet) {
        let made = self.0.encrypt_rtp(packet.octets()).expect("it is a packet of RTP");
        packet.put(&made);
    }

    fn unprotect(&mut self, packet: &mut Packet) -> bool {
        let made = self.0.decrypt_rtp(packet.octets());
        if let Ok(made) = &made {
            packet.put(made);
        }
        made.is_ok()
    }
}
