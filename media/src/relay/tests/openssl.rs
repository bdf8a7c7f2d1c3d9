//! DTLS-SRTP with OpenSSL at the other end, that has certificates of ECDSA and of RSA.

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use super::harness::*;
use super::phone::*;
use crate::dtls::{Failure, Fingerprint, Hash, Role, Standing, Terms, Version};
use crate::relay::{Settings, Srtp};
use crate::srtp::{Kind, MAX_OVERHEAD, MasterKey, Protection, Receiver, Sender, Suite};

/// What is made for one test, and removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dtls-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn openssl() -> Command {
    let mut command = Command::new("openssl");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A certificate with its key; its fingerprint by SHA-256 as OpenSSL says it.
fn certificate(folder: &Path, algorithm: &[&str]) -> Fingerprint {
    let made = openssl()
        .args(["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=phone", "-newkey"])
        .args(algorithm)
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let said = openssl()
        .args(["x509", "-in", "certificate.pem", "-noout", "-fingerprint", "-sha256"])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let octets = said.trim().split_once('=').unwrap().1.split(':');
    let octets = octets.map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect();
    Fingerprint { hash: Hash::Sha256, octets }
}

/// A running OpenSSL and what it says; it ends with this.
struct Running(Child, Lines<BufReader<ChildStdout>>);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn new(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self(child, lines)
    }

    /// What it says after these words.
    fn says(&mut self, words: &str) -> String {
        let mut read = String::new();
        for line in self.1.by_ref() {
            let line = line.unwrap();
            if let Some((_, said)) = line.split_once(words) {
                return said.trim().to_owned();
            }
            read.push_str(&line);
            read.push('\n');
        }
        panic!("{words} was not said: {read}");
    }
}

const EC: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const RSA: &[&str] = &["rsa:2048"];

fn profile(suite: Suite) -> &'static str {
    match suite {
        Suite::AesCm128Sha1Tag80 => "SRTP_AES128_CM_SHA1_80",
        Suite::AesCm128Sha1Tag32 => "SRTP_AES128_CM_SHA1_32",
        Suite::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
        _ => "SRTP_AEAD_AES_256_GCM",
    }
}

/// OpenSSL as the other end of the role that is ours.
fn start(folder: &Folder, ours: Role, suite: Suite, (theirs, at): (SocketAddr, SocketAddr)) -> Running {
    let length = 2 * (suite.key_length() + suite.salt_length());
    let mut command = openssl();
    match ours {
        Role::Server => command.args(["s_client", "-connect", &at.to_string(), "-bind", &theirs.to_string()]),
        Role::Client => command.args(["s_server", "-accept", &theirs.to_string(), "-Verify", "1"]),
    };
    command
        .args(["-dtls1_2", "-cert", "certificate.pem", "-key", "key.pem", "-use_srtp", profile(suite)])
        .args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", &length.to_string()])
        .current_dir(&folder.0);
    Running::new(&mut command)
}

/// The keys of OpenSSL's end, from what it says that it has exported.
fn keys(material: &str, suite: Suite, client: bool) -> Arc<Protection> {
    let digits: Vec<u32> = material.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    let octets: Vec<u8> = digits.chunks(2).map(|of| u8::try_from(of[0] * 16 + of[1]).unwrap()).collect();
    let (key, salt) = (suite.key_length(), suite.salt_length());
    let of = |side: usize| {
        let (key_at, salt_at) = (side * key, 2 * key + side * salt);
        let master = [&octets[key_at..key_at + key], &octets[salt_at..salt_at + salt]].concat();
        MasterKey::new(suite, &master).unwrap()
    };
    let (send, receive) = if client { (of(0), of(1)) } else { (of(1), of(0)) };
    Arc::new(Protection { send, receive: Box::new([receive]) })
}

/// An address in 127/8 with a port that is free.
fn free() -> SocketAddr {
    Peer::at(loopback()).address()
}

fn terms(stage: &Stage, role: Role, fingerprint: Fingerprint, suite: Suite) -> Arc<Terms> {
    terms_up_to(Version::V1_2, stage, role, fingerprint, [Suite::AesCm256Sha1Tag80, suite].into())
}

fn terms_up_to(
    newest: Version,
    stage: &Stage,
    role: Role,
    fingerprint: Fingerprint,
    suites: Arc<[Suite]>,
) -> Arc<Terms> {
    Arc::new(Terms {
        association: 1,
        role,
        identity: Arc::clone(&stage.ours),
        fingerprints: Box::new([fingerprint]),
        suites,
        newest,
    })
}

/// A stage whose secure side expects OpenSSL there.
fn expecting(theirs: SocketAddr, role: Role, fingerprint: Fingerprint, suite: Suite) -> (Stage, Peer) {
    stage(theirs, |stage| terms(stage, role, fingerprint, suite))
}

fn stage(theirs: SocketAddr, terms: impl FnOnce(&Stage) -> Arc<Terms>) -> (Stage, Peer) {
    let mut stage = Stage::new();
    let other = stage.peer();
    let srtp = Some(Srtp::Dtls(terms(&stage)));
    let of_secure = Settings { srtp, ..settings(theirs, stage.plain.id()) };
    let counters = Arc::clone(&stage.secure.counters);
    stage.set(stage.secure.id(), of_secure, &counters);
    let counters = Arc::clone(&stage.plain.counters);
    stage.set(stage.plain.id(), settings(other.address(), stage.secure.id()), &counters);
    (stage, other)
}

// conforms: RFC5764-4.2-1,2
#[test]
fn with_ecdsa_and_with_rsa_in_either_role_both_export_the_same() {
    for (algorithm, suite) in [
        (EC, Suite::AesCm128Sha1Tag80),
        (RSA, Suite::AesCm128Sha1Tag80),
        (EC, Suite::AesCm128Sha1Tag32),
        (RSA, Suite::AeadAes128Gcm),
        (EC, Suite::AeadAes256Gcm),
    ] {
        for ours in [Role::Server, Role::Client] {
            let folder = Folder::new("keys");
            let fingerprint = certificate(&folder.0, algorithm);
            let theirs = free();
            // A server is there before somebody calls it, and the other way round.
            let (stage, other, mut openssl) = match ours {
                Role::Client => {
                    let mut openssl = start(&folder, ours, suite, (theirs, theirs));
                    openssl.says("ACCEPT");
                    let (stage, other) = expecting(theirs, ours, fingerprint, suite);
                    (stage, other, openssl)
                }
                Role::Server => {
                    let (stage, other) = expecting(theirs, ours, fingerprint, suite);
                    let openssl = start(&folder, ours, suite, (theirs, stage.secure.at));
                    (stage, other, openssl)
                }
            };
            let material = openssl.says("Keying material: ");
            until(|| matches!(stage.secure.counters.snapshot().dtls, Some(Standing::Keyed(_))));
            let Some(Standing::Keyed(agreed)) = stage.secure.counters.snapshot().dtls else { panic!() };
            assert_eq!((agreed.suite, agreed.version), (suite, Version::V1_2));
            let cipher = agreed.cipher.name().unwrap();
            let of_rsa = ours == Role::Client && algorithm == RSA;
            assert!(
                cipher.starts_with(if of_rsa { "TLS_ECDHE_RSA_" } else { "TLS_ECDHE_ECDSA_" }),
                "{cipher}"
            );
            // What OpenSSL would send with its keys is understood, and what is sent to it it could read.
            let keys = keys(&material, suite, ours == Role::Server);
            drop(openssl);
            let socket = std::net::UdpSocket::bind(theirs).unwrap();
            socket.set_read_timeout(Some(GUARD)).unwrap();
            let mut packet = rtp(1);
            packet.resize(172 + MAX_OVERHEAD, 0);
            let length = Sender::new(&keys.send).unwrap().protect(Kind::Rtp, &mut packet, 172).unwrap();
            socket.send_to(&packet[..length], stage.secure.at).unwrap();
            assert_eq!(receive(&other.rtp).0, rtp(1), "{suite:?} {ours:?}");
            other.rtp.send_to(&rtp(2), stage.plain.at).unwrap();
            let mut receiver = Receiver::new(&keys);
            let mut opened = Err(crate::srtp::Failure::Malformed);
            let mut heard = Vec::new();
            while opened.is_err() {
                // What is left of the handshake's end may come before.
                heard = receive(&socket).0;
                let length = heard.len();
                opened = receiver.unprotect(Kind::Rtp, &mut heard, length, true);
            }
            heard.truncate(opened.unwrap());
            assert_eq!(heard, rtp(2), "{suite:?} {ours:?}");
        }
    }
}

/// One that speaks 1.2 only, as OpenSSL does: what is ours to begin is begun again where its certificate is of RSA.
#[test]
fn with_1_3_on_our_side_ecdsa_and_rsa_get_1_2_in_either_role() {
    for (algorithm, ours) in
        [EC, RSA].into_iter().flat_map(|algorithm| [Role::Server, Role::Client].map(|ours| (algorithm, ours)))
    {
        let suite = Suite::AesCm128Sha1Tag80;
        let folder = Folder::new("newer");
        let fingerprint = certificate(&folder.0, algorithm);
        let theirs = free();
        let newer =
            |stage: &Stage| terms_up_to(Version::V1_3, stage, ours, fingerprint.clone(), Suite::ALL.into());
        let (stage, mut openssl) = match ours {
            Role::Client => {
                let mut openssl = start(&folder, ours, suite, (theirs, theirs));
                openssl.says("ACCEPT");
                (stage(theirs, newer).0, openssl)
            }
            Role::Server => {
                let stage = stage(theirs, newer).0;
                let openssl = start(&folder, ours, suite, (theirs, stage.secure.at));
                (stage, openssl)
            }
        };
        openssl.says("Keying material: ");
        until(|| matches!(stage.secure.counters.snapshot().dtls, Some(Standing::Keyed(_))));
        let Some(Standing::Keyed(agreed)) = stage.secure.counters.snapshot().dtls else { panic!() };
        assert_eq!((agreed.suite, agreed.version), (suite, Version::V1_2), "{algorithm:?} {ours:?}");
    }
}

#[test]
fn a_peer_without_certificate_and_one_with_another_profile_get_no_keys() {
    for (args, failure) in [
        (&["-use_srtp", "SRTP_AES128_CM_SHA1_80"][..], Failure::NoCertificate),
        (
            &["-cert", "certificate.pem", "-key", "key.pem", "-use_srtp", "SRTP_AEAD_AES_128_GCM"],
            Failure::NoProfile,
        ),
        (&["-cert", "certificate.pem", "-key", "key.pem"], Failure::NoProfile),
        (
            &["-cert", "certificate.pem", "-key", "key.pem", "-cipher", "DHE-RSA-AES128-SHA"],
            Failure::NoCipher,
        ),
    ] {
        let folder = Folder::new("none");
        let fingerprint = certificate(&folder.0, EC);
        let theirs = free();
        let (stage, _) = expecting(theirs, Role::Server, fingerprint, Suite::AesCm128Sha1Tag80);
        let mut command = openssl();
        command
            .args(["s_client", "-dtls1_2", "-connect", &stage.secure.at.to_string()])
            .args(["-bind", &theirs.to_string()])
            .args(args)
            .current_dir(&folder.0);
        let _running = Running::new(&mut command);
        until(|| matches!(stage.secure.counters.snapshot().dtls, Some(Standing::Failed(_))));
        assert_eq!(stage.secure.counters.snapshot().dtls, Some(Standing::Failed(failure)), "{args:?}");
    }
}
