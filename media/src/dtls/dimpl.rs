//! Handshakes of DTLS 1.3 (RFC 9147), and of 1.2 where a server speaks only that, by the crate `dimpl`, with peers that have ECDSA.
//!
//! What it does not do, and what is done about it here: it knows no certificates of RSA, and chooses among all SRTP profiles that it has,
//! so that the peers of the one and the profiles of the other are for [`super::rtc`] (`super::maker`). The octets that it exports are not
//! wiped in its own memory, only in ours. And nothing is known of all that it does with bad octets: a panic in it ends the handshake and
//! no more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::dimpl::{
    CertificateError, Config, Dtls, DtlsCertificate, Error, Output, ProtocolVersion, SecurityError,
    SrtpProfile,
};
use zeroize::Zeroizing;

use super::attempt::LIMIT;
use super::engine::{Engine, Exported, Progress, Verify, fenced};
use super::keys::exported_length;
use super::records::{Facts, LONGEST, chosen_cipher};
use super::{Agreed, Cipher, Failure, Identity, Role, Version};
use crate::srtp::Suite;

/// Those that it offers and takes, all of them or none.
pub(super) const SUITES: [Suite; 3] = [Suite::AeadAes256Gcm, Suite::AeadAes128Gcm, Suite::AesCm128Sha1Tag80];

/// No datagram is longer: as by the other maker.
const MTU: usize = 1_150;
/// How often a flight is sent again: more often than fits into the time that a handshake has.
const MOST_REPEATS: usize = 8;
/// A timer beyond that is none.
const NEVER: Duration = Duration::from_secs(3_600);

/// Makes handshakes of one role.
pub(super) struct Maker {
    role: Role,
    config: Arc<Config>,
    certificate: DtlsCertificate,
    verify: Verify,
}

impl Maker {
    /// Handshakes in which we are `identity`, offer or take [`SUITES`], and the peer has a certificate that `verify` accepts.
    ///
    /// # Errors
    /// [`Failure::Internal`] where the crate's own tests of what it encrypts with fail.
    pub(super) fn new(role: Role, identity: &Identity, verify: Verify) -> Result<Self, Failure> {
        let config = fenced(|| {
            let config = Config::builder().mtu(MTU).flight_retries(MOST_REPEATS).handshake_timeout(2 * LIMIT);
            config.build().map_err(|_| Failure::Internal)
        })?;
        let certificate = DtlsCertificate {
            certificate: identity.certificate.to_vec(),
            private_key: identity.key.to_vec(),
        };
        Ok(Self { role, config: Arc::new(config), certificate, verify })
    }

    /// A new handshake; a client's has something to send at once, a server's ends with [`Failure::NoVersion`] where the client has no 1.3.
    ///
    /// # Errors
    /// [`Failure::Internal`] where there are no random octets.
    pub(super) fn begin(&self, now: Instant) -> Result<Dimpl, Failure> {
        let (config, certificate) = (Arc::clone(&self.config), self.certificate.clone());
        let mut engine = Dimpl {
            dtls: fenced(|| {
                let mut dtls = Dtls::new_auto(config, certificate, now);
                dtls.set_active(self.role == Role::Client);
                Ok(dtls)
            })?,
            role: self.role,
            verify: Arc::clone(&self.verify),
            out: VecDeque::new(),
            buffer: vec![0; 2 * MTU],
            due: None,
            cipher: None,
            certified: false,
            connected: false,
            exported: None,
            done: false,
        };
        engine.work(now, |_| Ok(()))?;
        Ok(engine)
    }
}

/// One handshake.
pub(super) struct Dimpl {
    dtls: Dtls,
    role: Role,
    verify: Verify,
    out: VecDeque<Vec<u8>>,
    buffer: Vec<u8>,
    due: Option<Instant>,
    /// What the server has chosen.
    cipher: Option<Cipher>,
    /// The peer's certificate is the right one.
    certified: bool,
    connected: bool,
    exported: Option<(Suite, Zeroizing<Vec<u8>>)>,
    done: bool,
}

/// What the crate has to say.
enum Said {
    Datagram(Vec<u8>),
    More(usize),
    Certificate(Vec<u8>),
    Exported(Option<Suite>, Zeroizing<Vec<u8>>),
    Connected,
    Closed,
    Nothing,
    Due(Instant),
}

impl Dimpl {
    /// Gives the crate the time and something to do, and takes what it has to say.
    fn work(
        &mut self,
        now: Instant,
        work: impl FnOnce(&mut Dtls) -> Result<(), Error>,
    ) -> Result<Progress, Failure> {
        let dtls = &mut self.dtls;
        let worked = fenced(|| {
            dtls.handle_timeout(now).map_err(|error| failure(&error))?;
            work(dtls).map_err(|error| failure(&error))
        });
        // What it still sends is an alert.
        let heard = self.hear(now);
        worked?;
        heard
    }

    fn hear(&mut self, now: Instant) -> Result<Progress, Failure> {
        let mut closed = false;
        loop {
            match self.poll()? {
                Said::Datagram(datagram) => {
                    if self.role == Role::Server {
                        self.cipher = self.cipher.or_else(|| chosen_cipher(&datagram).map(Cipher));
                    }
                    self.out.push_back(datagram);
                }
                Said::More(needed) if needed <= LONGEST && needed > self.buffer.len() => {
                    self.buffer.resize(needed, 0);
                }
                Said::More(_) => return Err(Failure::Internal),
                Said::Certificate(certificate) => {
                    self.certified = (self.verify)(&certificate);
                    if !self.certified {
                        // Neither is the peer told that all was well.
                        self.out.clear();
                        return Err(Failure::Fingerprint);
                    }
                }
                Said::Exported(Some(suite), material) => self.exported = Some((suite, material)),
                Said::Exported(None, _) => return Err(Failure::NoProfile),
                Said::Connected => self.connected = true,
                Said::Closed => closed = true,
                Said::Nothing => {}
                Said::Due(due) => {
                    self.due = Some(due).filter(|due| due.saturating_duration_since(now) < NEVER);
                    break;
                }
            }
        }
        if closed {
            return Ok(Progress::Closed);
        }
        if !self.connected || self.done {
            return Ok(Progress::Going);
        }
        self.done = true;
        self.agreed().map(Progress::Done)
    }

    fn poll(&mut self) -> Result<Said, Failure> {
        let (dtls, buffer) = (&mut self.dtls, self.buffer.as_mut_slice());
        fenced(|| {
            Ok(match dtls.poll_output(buffer) {
                Output::Packet(datagram) => Said::Datagram(datagram.to_vec()),
                Output::BufferTooSmall { needed } => Said::More(needed),
                Output::PeerCert(certificate) => Said::Certificate(certificate.to_vec()),
                Output::KeyingMaterial(material, profile) => {
                    Said::Exported(suite(profile), Zeroizing::new(material.to_vec()))
                }
                Output::Connected => Said::Connected,
                Output::CloseNotify => Said::Closed,
                Output::Timeout(due) => Said::Due(due),
                // There is no data in DTLS-SRTP (RFC 5764 §3); what is not known yet says nothing to us.
                _ => Said::Nothing,
            })
        })
    }

    fn agreed(&mut self) -> Result<Exported, Failure> {
        if !self.certified {
            return Err(Failure::NoCertificate);
        }
        let (suite, material) = self.exported.take().ok_or(Failure::NoProfile)?;
        let version = match self.dtls.protocol_version() {
            Some(ProtocolVersion::DTLS1_3) => Version::V1_3,
            Some(ProtocolVersion::DTLS1_2) => Version::V1_2,
            _ => return Err(Failure::NoVersion),
        };
        let cipher = self.cipher.ok_or(Failure::Internal)?;
        if material.len() != exported_length(suite) {
            return Err(Failure::Internal);
        }
        Ok(Exported { agreed: Agreed { suite, version, cipher }, material })
    }
}

impl Engine for Dimpl {
    fn receive(&mut self, now: Instant, datagram: &[u8], _: &Facts) -> Result<Progress, Failure> {
        if self.role == Role::Client && !self.connected {
            self.cipher = chosen_cipher(datagram).map(Cipher).or(self.cipher);
        }
        let progress = self.work(now, |dtls| dtls.handle_packet(datagram));
        if self.role == Role::Server && self.dtls.protocol_version() == Some(ProtocolVersion::DTLS1_2) {
            // What it has answered is not sent.
            self.out.clear();
            return Err(Failure::NoVersion);
        }
        progress
    }

    fn repeat(&mut self, now: Instant) -> Result<(), Failure> {
        self.work(now, |_| Ok(())).map(|_| ())
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn close(&mut self, now: Instant) {
        let _ = self.work(now, Dtls::close);
    }

    fn transmit(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::CertificateError(
            CertificateError::NoClientCertificateReceived | CertificateError::NoServerCertificateReceived,
        ) => Failure::NoCertificate,
        Error::SecurityError(
            SecurityError::NoMutuallyAcceptableCipherSuite
            | SecurityError::NoCommonCipherSuite
            | SecurityError::NoCommonKeyExchangeGroup,
        ) => Failure::NoCipher,
        Error::SecurityError(SecurityError::FatalAlert { description }) => Failure::Alert(*description),
        Error::Timeout(_) => Failure::Timeout,
        _ => Failure::Protocol,
    }
}

fn suite(profile: SrtpProfile) -> Option<Suite> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some(Suite::AesCm128Sha1Tag80),
        SrtpProfile::AEAD_AES_128_GCM => Some(Suite::AeadAes128Gcm),
        SrtpProfile::AEAD_AES_256_GCM => Some(Suite::AeadAes256Gcm),
        _ => None,
    }
}
