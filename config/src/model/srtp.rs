use crate::declare::{Reader, choice, table};
use crate::error::Found;

table! {
    /// SRTP on the legs of a profile, with keys from session descriptions (SDES, RFC 4568) or from a handshake (DTLS-SRTP, RFC 5763). Each
    /// leg has its own, or none; nothing of this is for media that goes around us.
    pub struct Srtp {
        /// Whether streams of RTP are protected.
        pinned mode: SrtpMode = "auto";
        /// Where keys may come from: what is taken from a peer, the first here that it has. An offer of ours has the first; if that may not
        /// be told (`keys_in_clear`) it is plain with `mode = "preferred"`, and has the next with `"required"`; with
        /// `"opportunistic"` it has them all. Without any: with a peer on WebSockets, which is a browser, `["dtls", "sdes"]`, with
        /// others `["sdes", "dtls"]`.
        pinned keying: Vec<Keying> = [], in 0..=2, such as ["dtls"];
        /// The crypto suites that we offer, the preferred first, and that we take: with SDES of what a peer offers the first one in its
        /// order, with DTLS what the two agree on.
        pinned suites: Vec<SrtpSuite> = ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"], in 1..=6;
        /// The newest version of DTLS that is spoken. With `"1.3"` a peer that speaks only 1.2 has that, and one that cannot do 1.3 as we do,
        /// its certificate being of RSA above all, is asked once more for 1.2 where the handshake is ours to begin, and has 1.2 from the
        /// beginning after that. 1.3 leaves the peer the choice among the three `suites` that stand here without other words: it
        /// takes all of them.
        pinned dtls: DtlsVersion = "1.2";
        /// Whether keys of SDES are told and taken on signalling that others can read, over UDP or TCP: whoever does has the media, too
        /// (RFC 4568 §8.3). Else a leg without TLS has DTLS, plain RTP, or no media where `mode` is `"required"`. For legs that we dial it
        /// counts what is known of the way before it is looked up: a SIPS URI, `transport=tls`, or the flow of a registration.
        pinned keys_in_clear: bool = false;
    }
    check check_srtp;
}

choice! {
    /// Whether streams of RTP are protected.
    pub enum SrtpMode {
        /// With a peer on WebSockets, which is a browser and knows nothing else (RFC 8827 §6.5), by DTLS: as `"preferred"`. With any other
        /// as `"end-to-end"` beside a leg that is so as well; beside one whose keys end with us, what the peer offers is taken, plain or
        /// secure, and it is offered plain RTP.
        Auto = "auto",
        /// That is the peers' own affair: their keys cross as they are written, by whatever means, and their packets unread (RFC
        /// 7879 §3.1). It takes two that speak the same: with a leg whose keys end with us it has no protected stream.
        EndToEnd = "end-to-end",
        /// No: plain RTP is offered, and a secure stream is refused.
        Off = "off",
        /// Where the peer can: our keys go with an offer of plain RTP (RFC 8643). What the peer offers is taken, plain or secure.
        Opportunistic = "opportunistic",
        /// Secure RTP is offered. What the peer offers is taken, plain or secure.
        Preferred = "preferred",
        /// Always: secure RTP is offered, and an offer without is refused with 488 and Warning 302.
        Required = "required",
    }
}

choice! {
    /// Where keys come from.
    pub enum Keying {
        /// From the session descriptions (RFC 4568), which nobody else may read.
        Sdes = "sdes",
        /// From a handshake on the ports of the media (RFC 5763); the descriptions have the fingerprints of certificates.
        Dtls = "dtls",
    }
}

choice! {
    /// A version of DTLS.
    pub enum DtlsVersion {
        /// RFC 6347.
        V1_2 = "1.2",
        /// RFC 9147.
        V1_3 = "1.3",
    }
}

choice! {
    /// A crypto suite.
    pub enum SrtpSuite {
        /// AES-256 in Galois/counter mode (RFC 7714).
        AeadAes256Gcm = "AEAD_AES_256_GCM",
        /// AES-128 in Galois/counter mode (RFC 7714).
        AeadAes128Gcm = "AEAD_AES_128_GCM",
        /// AES-256 in counter mode, with a tag of 80 bits (RFC 6188).
        AesCm256Tag80 = "AES_256_CM_HMAC_SHA1_80",
        /// AES-128 in counter mode, with a tag of 80 bits: what all know (RFC 4568 §6.2.1).
        AesCm128Tag80 = "AES_CM_128_HMAC_SHA1_80",
        /// AES-256 in counter mode, with a tag of 32 bits (RFC 6188).
        AesCm256Tag32 = "AES_256_CM_HMAC_SHA1_32",
        /// AES-128 in counter mode, with a tag of 32 bits (RFC 4568 §6.2.2).
        AesCm128Tag32 = "AES_CM_128_HMAC_SHA1_32",
    }
}

fn check_srtp(srtp: &Srtp, reader: &mut Reader<'_>) {
    if let [first, second] = srtp.keying.as_slice()
        && first == second
    {
        let found = Found::Text(format!("\"{second}\" again"));
        reader.conflict(&reader.element("keying", 1), found, "each kind once");
    }
    for (index, suite) in srtp.suites.iter().enumerate() {
        if srtp.suites.iter().take(index).any(|earlier| earlier == suite) {
            let found = Found::Text(format!("\"{suite}\" again"));
            reader.conflict(&reader.element("suites", index), found, "each suite once");
        }
    }
    if srtp.dtls == DtlsVersion::V1_3 {
        let all = [SrtpSuite::AeadAes256Gcm, SrtpSuite::AeadAes128Gcm, SrtpSuite::AesCm128Tag80];
        if let Some(missing) = all.into_iter().find(|suite| !srtp.suites.contains(suite)) {
            let found = Found::Text(format!("suites without \"{missing}\""));
            reader.conflict("dtls", found, "with \"1.3\" all of the suites that a peer may choose");
        }
    }
}
