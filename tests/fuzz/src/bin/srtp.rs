//! SRTP and SRTCP: nothing that comes is authentic; what is protected comes out as it went in, once (RFC 3711).
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::srtp::{Context, Failure, Kind, MAX_OVERHEAD, MasterKey, Mki, Suite, Transform};

fuzz_target!(|input: &[u8]| {
    let [what, packet @ ..] = input else { return };
    let suite = Suite::ALL[usize::from(*what) % Suite::ALL.len()];
    let kind = if what & 0x80 == 0 { Kind::Rtp } else { Kind::Rtcp };
    let octets = vec![*what; suite.key_length() + suite.salt_length()];
    let key = MasterKey::new(suite, &octets).expect("it has the length of its suite");
    let key = match what & 0x40 {
        0 => key,
        _ => key.with_mki(Mki::new(7, 3).expect("7 has room in three octets")),
    };
    let context = || Context::new(&key).expect("it has the length of its suite");
    let mut buffer = packet.to_vec();
    assert!(context().unprotect(kind, &mut buffer, packet.len()).is_err());
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_OVERHEAD, 0);
    let Ok(length) = context().protect(kind, &mut buffer, packet.len()) else { return };
    let (mut receiver, sealed) = (context(), buffer[..length].to_vec());
    let opened = receiver.unprotect(kind, &mut buffer, length).expect("it was protected with the same key");
    assert_eq!(&buffer[..opened], packet);
    let again = receiver.unprotect(kind, &mut sealed.clone(), length);
    assert_eq!(again, Err(Failure::Replayed));
});
