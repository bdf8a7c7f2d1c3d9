//! The crate `rtc-srtp`, on aws-lc-rs.

use media::srtp::Suite;
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::AwsLcRsProvider;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile as Profile;

use super::{Maker, Packet};

/// One context, which is for one direction.
#[expect(missing_debug_implementations, reason = "the crate's type has none")]
pub struct Rtc(Context);

fn context(suite: Suite, octets: &[u8], provider: &dyn RTCCryptoProvider) -> Option<Context> {
    let profile = match suite {
        Suite::AesCm128Sha1Tag80 => Profile::Aes128CmHmacSha1_80,
        Suite::AesCm128Sha1Tag32 => Profile::Aes128CmHmacSha1_32,
        Suite::AesCm256Sha1Tag80 => Profile::Aes256CmHmacSha1_80,
        Suite::AesCm256Sha1Tag32 => Profile::Aes256CmHmacSha1_32,
        Suite::AeadAes128Gcm => Profile::AeadAes128Gcm,
        Suite::AeadAes256Gcm => Profile::AeadAes256Gcm,
    };
    let (key, salt) = octets.split_at(suite.key_length());
    let (rtp, rtcp) = (srtp_replay_protection(128), srtcp_replay_protection(128));
    Context::new(key, salt, profile, Some(rtp), Some(rtcp), provider.crypto()).ok()
}

fn protect(context: &mut Context, packet: &mut Packet) {
    let made = context.encrypt_rtp(packet.octets()).expect("it is a packet of RTP");
    packet.put(&made);
}

fn unprotect(context: &mut Context, packet: &mut Packet) -> bool {
    let made = context.decrypt_rtp(packet.octets());
    if let Ok(made) = &made {
        packet.put(made);
    }
    made.is_ok()
}

impl Maker for Rtc {
    const NAME: &'static str = "rtc-srtp";

    fn new(suite: Suite, octets: &[u8]) -> Option<Self> {
        context(suite, octets, &AwsLcRsProvider::new()).map(Self)
    }

    fn protect(&mut self, packet: &mut Packet) {
        protect(&mut self.0, packet);
    }

    fn unprotect(&mut self, packet: &mut Packet) -> bool {
        unprotect(&mut self.0, packet)
    }
}
