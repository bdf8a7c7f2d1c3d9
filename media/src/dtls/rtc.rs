//! Handshakes of DTLS 1.2 by the crate `rtc-dtls`, with peers that have ECDSA and with peers that have RSA.
//!
//! What it does not do, and what is done about it here: once a client has repeated its last flight, ours is not sent again any more, so
//! that what was answered does not reach it and [`Progress::Repeated`] says that [`Engine::repeat`] is due. Its timer does not back off
//! (RFC 6347 §4.2.4.1), so that the association has one. A client of it gives up where its first answer does not begin with all of the
//! first message, so that what comes is kept until it does. And nothing is known of all that it does with bad octets: a panic in it ends
//! the handshake and no more.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_crypto::providers::AwsLcRsProvider;
use rtc_crypto::{RTCCryptoProvider, SignatureScheme};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Profile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use zeroize::Zeroizing;

use super::engine::{Engine, Exported, Progress, Verify, fenced};
use super::keys::{LABEL, exported_length};
use super::records::{Facts, Part};
use super::{Agreed, Cipher, Failure, Identity, Role, Version};
use crate::srtp::Suite;

/// What is taken of a peer, the best first; what RFC 8827 §6.5 demands is among it. The last two are for peers that have no AEAD.
const CIPHERS: [CipherSuiteId; 6] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_256_Cbc_Sha,
];

/// No datagram is longer, but for the headers of a handshake message: with them, IPv6 and UDP it fits into the least MTU of IPv6.
const MTU: usize = 1_150;

/// Longer than the crate's own timer, which is not the one that decides.
const OVERDUE: Duration = Duration::from_secs(3_600);

/// Datagrams that are kept for a first message which is not whole: no flight of a server has more.
const MOST_WAITING: usize = 16;

/// Whoever sends it: an association knows by itself where its peer is.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 1);

/// Makes handshakes of one role.
pub(super) struct Maker {
    role: Role,
    config: Arc<HandshakeConfig>,
}

impl Maker {
    /// Handshakes in which we are `identity`, offer or take these suites, and the peer has a certificate that `verify` accepts.
    ///
    /// # Errors
    /// [`Failure::NoProfile`] where none of the suites is one of DTLS-SRTP.
    pub(super) fn new(
        role: Role,
        identity: &Identity,
        suites: &[Suite],
        verify: Verify,
    ) -> Result<Self, Failure> {
        let profiles: Vec<_> = suites.iter().filter_map(|suite| profile(*suite)).collect();
        if profiles.is_empty() {
            return Err(Failure::NoProfile);
        }
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let key = provider.crypto().import_signing_key(SignatureScheme::EcdsaP256Sha256, &identity.key);
        let key = key.map_err(|_| Failure::Internal)?;
        let certificate = Certificate::from_signing_key(vec![identity.certificate.to_vec().into()], key);
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate])
            .with_cipher_suites(CIPHERS.to_vec())
            .with_srtp_protection_profiles(profiles)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // Nobody vouches for a certificate but its fingerprint.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(move |chain: &[Vec<u8>], _: &_| {
                match chain.first() {
                    Some(certificate) if verify(certificate) => Ok(()),
                    _ => Err(Error::ErrNoMatchingCertificateFingerprint),
                }
            })))
            // Where there is none the crate makes one up.
            .with_server_name("localhost".into())
            .with_mtu(MTU)
            .build(role == Role::Client, None)
            .map_err(|_| Failure::Internal)?;
        Ok(Self { role, config: Arc::new(config) })
    }

    /// A new handshake; a client's has something to send at once.
    ///
    /// # Errors
    /// [`Failure::Internal`] where there are no random octets.
    pub(super) fn begin(&self, now: Instant) -> Result<Box<dyn Engine>, Failure> {
        let server = (self.role == Role::Server).then(|| Arc::clone(&self.config));
        let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, server);
        if self.role == Role::Client {
            let begun = endpoint.connect(now, PEER, Arc::clone(&self.config), None);
            begun.map_err(|_| Failure::Internal)?;
        }
        Ok(Box::new(Rtc {
            endpoint,
            role: self.role,
            opening: (self.role == Role::Client).then(Vec::new),
            answered: None,
            highest: None,
            repeating: false,
            done: false,
        }))
    }
}

struct Rtc {
    endpoint: Endpoint,
    role: Role,
    /// What has come to a client before all of its server's first message, each with what it has of that.
    opening: Option<Vec<(Option<Part>, Vec<u8>)>>,
    /// The highest number of the peer's messages that our last flight answers.
    answered: Option<u16>,
    /// And of all that have come.
    highest: Option<u16>,
    /// What is sent was sent before.
    repeating: bool,
    done: bool,
}

impl Rtc {
    /// What of all that has come the crate may read now; `None` while more has to come before. Beyond the limit the oldest is forgotten:
    /// it is sent again.
    fn readable(&mut self, datagram: &[u8], facts: &Facts) -> Option<BytesMut> {
        let Some(waiting) = self.opening.as_mut().filter(|_| facts.only_messages) else {
            return Some(BytesMut::from(datagram));
        };
        if waiting.len() == MOST_WAITING {
            waiting.remove(0);
        }
        waiting.push((facts.opening, datagram.to_vec()));
        if !Part::make_a_whole(waiting.iter().filter_map(|(part, _)| *part).collect()) {
            return None;
        }
        // The first message comes first, in its order.
        waiting.sort_by_key(|(part, _)| part.map_or(usize::MAX, |part| part.start));
        let whole = waiting.iter().flat_map(|(_, datagram)| datagram).copied().collect();
        self.opening = None;
        Some(whole)
    }

    /// Whether all of a datagram was answered before. A ClientHello without cookie the crate answers again by itself.
    fn is_answered(&self, facts: &Facts) -> bool {
        let first = self.role == Role::Server && self.answered == Some(0);
        !self.done && !first && facts.only_messages && facts.highest <= self.answered
    }

    fn exported(&self) -> Result<Exported, Failure> {
        let state = self.endpoint.get_connection_state(PEER).ok_or(Failure::Internal)?;
        let suite = suite(state.srtp_protection_profile()).ok_or(Failure::NoProfile)?;
        if state.peer_certificates.is_empty() {
            return Err(Failure::NoCertificate);
        }
        let cipher = state.cipher_suite().ok_or(Failure::Internal)?.id() as u16;
        let material = state.export_keying_material(LABEL, &[], exported_length(suite));
        let material = Zeroizing::new(material.map_err(|_| Failure::Internal)?.into_bytes());
        let agreed = Agreed { suite, version: Version::V1_2, cipher: Cipher(cipher) };
        Ok(Exported { agreed, material })
    }
}

impl Engine for Rtc {
    fn receive(&mut self, now: Instant, datagram: &[u8], facts: &Facts) -> Result<Progress, Failure> {
        if self.is_answered(facts) {
            return Ok(Progress::Repeated);
        }
        (self.highest, self.repeating) = (self.highest.max(facts.highest), false);
        let Some(readable) = self.readable(datagram, facts) else { return Ok(Progress::Going) };
        let events =
            fenced(|| self.endpoint.read(now, PEER, None, readable).map_err(|error| failure(&error)))?;
        let mut progress = Progress::Going;
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => {
                    self.done = true;
                    progress = Progress::Done(self.exported()?);
                }
                EndpointEvent::PeerClosed => return Ok(Progress::Closed),
                // There is no data in DTLS-SRTP (RFC 5764 §3); events that are not known yet say nothing to us.
                _ => {}
            }
        }
        Ok(progress)
    }

    fn repeat(&mut self, now: Instant) -> Result<(), Failure> {
        self.repeating = true;
        fenced(|| self.endpoint.handle_timeout(PEER, now + OVERDUE).map_err(|_| Failure::Timeout))
    }

    fn close(&mut self, now: Instant) {
        let _ = fenced(|| {
            self.endpoint.stop(now, PEER);
            Ok(())
        });
    }

    fn transmit(&mut self) -> Option<Vec<u8>> {
        let message = self.endpoint.poll_transmit()?.message;
        // A part of the second ClientHello has the crate answer the first one again; what is sent again answers nothing that has come
        // since, of which the rest may be under way.
        if is_hello_verify(&message) {
            self.answered = Some(0);
        } else if !self.repeating {
            self.answered = self.highest;
        }
        Some(message.to_vec())
    }
}

/// Whether a datagram is a HelloVerifyRequest (RFC 6347 §4.2.1, §4.3.2).
fn is_hello_verify(datagram: &[u8]) -> bool {
    matches!(datagram, [22, _, _, 0, 0, _, _, _, _, _, _, _, _, 3, ..])
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::ErrNoMatchingCertificateFingerprint => Failure::Fingerprint,
        Error::ErrClientCertificateRequired | Error::ErrCertificateVerifyNoCertificate => {
            Failure::NoCertificate
        }
        Error::ErrClientNoMatchingSrtpProfile
        | Error::ErrServerNoMatchingSrtpProfile
        | Error::ErrRequestedButNoSrtpExtension => Failure::NoProfile,
        Error::ErrCipherSuiteNoIntersection
        | Error::ErrInvalidCipherSuite
        | Error::ErrNoSupportedEllipticCurves
        | Error::ErrNoAvailableSignatureSchemes => Failure::NoCipher,
        Error::ErrUnsupportedProtocolVersion => Failure::NoVersion,
        _ => Failure::Protocol,
    }
}

/// The profile of a suite (RFC 5764 §4.1.2, RFC 7714 §14.2); AES-256 in counter mode has none.
fn profile(suite: Suite) -> Option<Profile> {
    match suite {
        Suite::AesCm128Sha1Tag80 => Some(Profile::Srtp_Aes128_Cm_Hmac_Sha1_80),
        Suite::AesCm128Sha1Tag32 => Some(Profile::Srtp_Aes128_Cm_Hmac_Sha1_32),
        Suite::AeadAes128Gcm => Some(Profile::Srtp_Aead_Aes_128_Gcm),
        Suite::AeadAes256Gcm => Some(Profile::Srtp_Aead_Aes_256_Gcm),
        Suite::AesCm256Sha1Tag80 | Suite::AesCm256Sha1Tag32 => None,
    }
}

fn suite(profile: Profile) -> Option<Suite> {
    match profile {
        Profile::Srtp_Aes128_Cm_Hmac_Sha1_80 => Some(Suite::AesCm128Sha1Tag80),
        Profile::Srtp_Aes128_Cm_Hmac_Sha1_32 => Some(Suite::AesCm128Sha1Tag32),
        Profile::Srtp_Aead_Aes_128_Gcm => Some(Suite::AeadAes128Gcm),
        Profile::Srtp_Aead_Aes_256_Gcm => Some(Suite::AeadAes256Gcm),
        _ => None,
    }
}
