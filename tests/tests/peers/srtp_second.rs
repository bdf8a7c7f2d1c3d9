//! What `webrtc-srtp` says of our SRTP.

use liaison_tests::ids::Seeded;
use liaison_tests::second_srtp::Second;
use media::srtp::{Context, Failure, Kind, MAX_OVERHEAD, MasterKey, Mki, Suite, Transform};

/// One maker's answer: the octets, or why not.
fn made(
    maker: &mut impl Transform,
    job: impl FnOnce(&mut dyn Transform, &mut [u8], usize) -> Result<usize, Failure>,
    packet: &[u8],
) -> Result<Vec<u8>, Failure> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_OVERHEAD, 0);
    let length = job(maker, &mut buffer, packet.len())?;
    buffer.truncate(length);
    Ok(buffer)
}

fn protect(maker: &mut impl Transform, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, Failure> {
    made(maker, |maker, buffer, length| maker.protect(kind, buffer, length), packet)
}

fn unprotect(maker: &mut impl Transform, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, Failure> {
    made(maker, |maker, buffer, length| maker.unprotect(kind, buffer, length), packet)
}

fn rtp(chance: &mut Seeded, ssrc: u32, number: u32) -> Vec<u8> {
    let sources = chance.below(4);
    let mut packet = vec![0x80 | u8::try_from(sources).unwrap(), 8];
    packet.extend((number & 0xffff).to_be_bytes().into_iter().skip(2));
    packet.extend((number.wrapping_mul(160)).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(std::iter::repeat_n(7, usize::try_from(4 * sources).unwrap()));
    if chance.below(4) == 0 {
        // Of no profile that anybody reads.
        packet[0] |= 0x10;
        packet.extend([0xab, 0xcd, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
    packet.extend((0..chance.below(300)).map(|octet| u8::try_from(octet & 0xff).unwrap()));
    packet
}

fn rtcp(chance: &mut Seeded, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..20 + 4 * chance.below(10)).map(|octet| u8::try_from(octet & 0xff).unwrap()));
    packet
}

/// Both make the same of the same, and take and refuse the same, whatever is lost, late, doubled or forged.
#[test]
fn webrtc_and_ours_protect_alike_and_take_the_same() {
    for suite in Suite::ALL {
        for mki in [None, Some(Mki::new(0x0102, 4).unwrap())] {
            let octets: Vec<u8> = (0..suite.key_length() + suite.salt_length())
                .map(|at| u8::try_from(at * 5).unwrap())
                .collect();
            let key = MasterKey::new(suite, &octets).unwrap();
            let key = match &mki {
                Some(mki) => key.with_mki(mki.clone()),
                None => key,
            };
            let second = || Second::new(suite, &octets, mki.clone()).unwrap();
            let ours = || Context::new(&key).unwrap();
            let mut chance = Seeded(suite.name().len() as u64 + u64::from(mki.is_some()));
            let (mut sender, mut other_sender) = (ours(), second());
            let (mut receiver, mut other_receiver) = (ours(), second());
            let mut numbers = [65_000_u32, 3, 40_000];
            let mut late: Vec<(Kind, Vec<u8>)> = Vec::new();
            let mut taken = 0;
            for round in 0..4_000 {
                let which = usize::try_from(chance.below(3)).unwrap();
                let ssrc = 0xdead_0000 + u32::try_from(which).unwrap();
                numbers[which] += u32::try_from(1 + chance.below(40)).unwrap();
                let kind = if chance.below(8) == 0 { Kind::Rtcp } else { Kind::Rtp };
                let packet = match kind {
                    Kind::Rtp => rtp(&mut chance, ssrc, numbers[which]),
                    Kind::Rtcp => rtcp(&mut chance, ssrc),
                };
                let sealed = protect(&mut sender, kind, &packet).unwrap();
                let theirs = protect(&mut other_sender, kind, &packet).unwrap();
                match kind {
                    Kind::Rtp => assert_eq!(sealed, theirs, "{suite:?} {round}"),
                    // The first index is 0 here (RFC 3711 §3.4), and 1 there.
                    Kind::Rtcp => assert_eq!(sealed.len(), theirs.len()),
                }
                if chance.below(10) == 0 {
                    late.push((kind, sealed.clone()));
                }
                let mut arrives = vec![(kind, sealed)];
                match chance.below(10) {
                    0 => arrives.clear(),
                    1 => arrives.extend(arrives.clone()),
                    2 => {
                        let (kind, forged) = &mut arrives[0];
                        let first = if *kind == Kind::Rtp { 0 } else { 4 };
                        let at =
                            usize::try_from(chance.below((forged.len() - first) as u64)).unwrap() + first;
                        // The numbers that a packet is known by, and its head, say of whom and what it is: those of another.
                        forged[at] ^= 1 << chance.below(8);
                    }
                    3 if !late.is_empty() => arrives.push(late.remove(0)),
                    _ => {}
                }
                for (kind, packet) in arrives {
                    if other_receiver.abstains(kind, &packet) {
                        continue;
                    }
                    let (mine, theirs) = (
                        unprotect(&mut receiver, kind, &packet),
                        unprotect(&mut other_receiver, kind, &packet),
                    );
                    assert_eq!(
                        mine.clone().ok(),
                        theirs.clone().ok(),
                        "{suite:?} {round}: {mine:?} beside {theirs:?}"
                    );
                    taken += u32::from(mine.is_ok());
                }
            }
            assert!(taken > 1_500, "{taken} packets are too few to be told of");
        }
    }
}
