//! What libsrtp says of our SRTP.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use media::srtp::{Context, Kind, MAX_OVERHEAD, MasterKey, Suite, Transform};

use crate::lab::root;

/// libsrtp with a key.
pub(crate) struct Library {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Library {
    pub(crate) fn new(program: &std::path::Path, suite: Suite, key: &[u8]) -> Self {
        let mut process = Command::new(program)
            .args([suite.name(), &hex(key)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, to, from: BufReader::new(from) }
    }

    pub(crate) fn ask(&mut self, what: &str, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, String> {
        let kind = if kind == Kind::Rtp { "rtp" } else { "rtcp" };
        writeln!(self.to, "{what} {kind} {}", hex(packet)).unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let text = line.trim_end();
        if text.starts_with("error") {
            return Err(text.to_owned());
        }
        Ok((0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect())
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program that asks libsrtp, built for one test.
pub(crate) fn built(test: &str) -> std::path::PathBuf {
    let program = std::env::temp_dir().join(format!("srtp_opinion.{}.{test}", std::process::id()));
    let source = root().join("tests/lab/srtp_opinion.c");
    let status =
        Command::new("cc").arg("-O1").arg("-o").arg(&program).arg(source).arg("-lsrtp2").status().unwrap();
    assert!(status.success());
    program
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn ours(packet: &[u8], transform: impl FnOnce(&mut [u8], usize) -> Option<usize>) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_OVERHEAD, 0);
    let length = transform(&mut buffer, packet.len())?;
    buffer.truncate(length);
    Some(buffer)
}

fn protect(context: &mut Context, kind: Kind, packet: &[u8]) -> Option<Vec<u8>> {
    ours(packet, |buffer, length| context.protect(kind, buffer, length).ok())
}

fn unprotect(context: &mut Context, kind: Kind, packet: &[u8]) -> Option<Vec<u8>> {
    ours(packet, |buffer, length| context.unprotect(kind, buffer, length).ok())
}

/// A packet with an extension now and then, and of any length.
fn rtp(number: u32) -> Vec<u8> {
    let mut packet = vec![if number.is_multiple_of(3) { 0x90 } else { 0x80 }, 8];
    packet.extend(u16::try_from(number & 0xffff).unwrap().to_be_bytes());
    packet.extend((number * 160).to_be_bytes());
    packet.extend(0xdead_beef_u32.to_be_bytes());
    if number.is_multiple_of(3) {
        packet.extend([0xbe, 0xde, 0, 1, 0xf7, 1, 2, 3]);
    }
    packet.extend((0..number % 301).map(|octet| (octet & 0xff) as u8));
    packet
}

fn rtcp(number: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(0xdead_beef_u32.to_be_bytes());
    packet.extend((0..20).map(|octet| ((octet * number) & 0xff) as u8));
    packet
}

/// Both make the same of the same, over the ends of the sequence numbers, with loss, reordering and repetition.
#[test]
fn libsrtp_and_ours_protect_alike_and_understand_each_other() {
    let program = built("alike");
    for suite in Suite::ALL {
        let octets: Vec<u8> =
            (0..suite.key_length() + suite.salt_length()).map(|at| u8::try_from(at * 5).unwrap()).collect();
        let key = MasterKey::new(suite, &octets).unwrap();
        let mut library = Library::new(&program, suite, &octets);
        let (mut sender, mut receiver) = (Context::new(&key).unwrap(), Context::new(&key).unwrap());
        let mut late = Vec::new();
        for number in (0..3 << 16).step_by(211) {
            let packet = rtp(number);
            let sealed = protect(&mut sender, Kind::Rtp, &packet).unwrap();
            assert_eq!(
                library.ask("protect", Kind::Rtp, &packet).as_ref(),
                Ok(&sealed),
                "{suite:?} {number}"
            );
            match number % 7 {
                0 => {}
                1 => late.push((packet, sealed)),
                _ => {
                    assert_eq!(library.ask("unprotect", Kind::Rtp, &sealed).unwrap(), packet);
                    assert_eq!(unprotect(&mut receiver, Kind::Rtp, &sealed).unwrap(), packet);
                    assert!(library.ask("unprotect", Kind::Rtp, &sealed).is_err());
                    assert!(unprotect(&mut receiver, Kind::Rtp, &sealed).is_none());
                }
            }
            for (packet, sealed) in late.drain(..) {
                let theirs = library.ask("unprotect", Kind::Rtp, &sealed).ok();
                assert_eq!(theirs, unprotect(&mut receiver, Kind::Rtp, &sealed), "{suite:?} {number}");
                assert!(theirs.is_none_or(|theirs| theirs == packet));
            }
            // The first index is 0 here (RFC 3711 §3.4), and 1 there.
            let report = rtcp(number);
            let sealed = protect(&mut sender, Kind::Rtcp, &report).unwrap();
            assert_eq!(library.ask("unprotect", Kind::Rtcp, &sealed).unwrap(), report);
            let sealed = library.ask("protect", Kind::Rtcp, &report).unwrap();
            assert_eq!(unprotect(&mut receiver, Kind::Rtcp, &sealed).unwrap(), report);
            let mut forged = sealed;
            *forged.last_mut().unwrap() ^= 1;
            assert!(unprotect(&mut receiver, Kind::Rtcp, &forged).is_none());
            assert!(library.ask("unprotect", Kind::Rtcp, &forged).is_err());
        }
    }
    let _ = std::fs::remove_file(program);
}
