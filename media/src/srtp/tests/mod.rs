mod keys;
mod lifetime;
mod rekey;
mod streams;
mod vectors;

use super::*;

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    assert!(digits.len().is_multiple_of(2));
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

/// A key that no other number has.
pub(super) fn key(suite: Suite, number: u8) -> MasterKey {
    let octets: Vec<u8> =
        (0..suite.key_length() + suite.salt_length()).map(|at| u8::try_from(at).unwrap() ^ number).collect();
    MasterKey::new(suite, &octets).unwrap()
}

pub(super) fn context(key: &MasterKey) -> Context {
    Context::new(key).unwrap()
}

/// RTP of one source with ten octets of payload.
pub(super) fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 9]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(b"ten octets");
    packet
}

/// A receiver report of that source.
pub(super) fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 3];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(b"it says so");
    packet.extend([0, 0]);
    packet
}

/// What becomes of a packet.
pub(super) fn run(
    packet: &[u8],
    transform: impl FnOnce(&mut [u8], usize) -> Result<usize, Failure>,
) -> Result<Vec<u8>, Failure> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_OVERHEAD, 0xee);
    let length = transform(&mut buffer, packet.len())?;
    buffer.truncate(length);
    Ok(buffer)
}

pub(super) fn protect(context: &mut Context, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, Failure> {
    run(packet, |buffer, length| context.protect(kind, buffer, length))
}

pub(super) fn unprotect(context: &mut Context, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, Failure> {
    run(packet, |buffer, length| context.unprotect(kind, buffer, length))
}
