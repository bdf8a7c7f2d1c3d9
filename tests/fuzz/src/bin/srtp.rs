//! SRTP and SRTCP: nothing that comes is authentic; what is protected comes out as it went in, once (RFC 3711), and a second opinion says
//! the same of all that.
#![no_main]

#[path = "../../../src/second_srtp.rs"]
mod second_srtp;

use libfuzzer_sys::fuzz_target;
use media::srtp::{Context, Failure, Kind, MAX_OVERHEAD, MasterKey, Mki, Suite, Transform};
use second_srtp::Second;

fuzz_target!(|input: &[u8]| {
    let [what, packet @ ..] = input else { return };
    let suite = Suite::ALL[usize::from(*what) % Suite::ALL.len()];
    let kind = if what & 0x80 == 0 { Kind::Rtp } else { Kind::Rtcp };
    let octets = vec![*what; suite.key_length() + suite.salt_length()];
    let key = MasterKey::new(suite, &octets).expect("it has the length of its suite");
    let mki = (what & 0x40 != 0).then(|| Mki::new(7, 3).expect("7 has room in three octets"));
    let key = match &mki {
        None => key,
        Some(mki) => key.with_mki(mki.clone()),
    };
    let second = || Second::new(suite, &octets, mki.clone()).expect("it has the length of its suite");
    let heard = !second().abstains(kind, packet);
    let context = || Context::new(&key).expect("it has the length of its suite");
    let mut buffer = packet.to_vec();
    assert!(context().unprotect(kind, &mut buffer, packet.len()).is_err());
    assert!(!heard || second().unprotect(kind, &mut packet.to_vec(), packet.len()).is_err());
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_OVERHEAD, 0);
    let Ok(length) = context().protect(kind, &mut buffer, packet.len()) else { return };
    let (mut receiver, sealed) = (context(), buffer[..length].to_vec());
    let opened = receiver.unprotect(kind, &mut buffer, length).expect("it was protected with the same key");
    assert_eq!(&buffer[..opened], packet);
    let again = receiver.unprotect(kind, &mut sealed.clone(), length);
    assert_eq!(again, Err(Failure::Replayed));
    if !heard {
        return;
    }
    let mut theirs = packet.to_vec();
    theirs.resize(packet.len() + MAX_OVERHEAD, 0);
    let Ok(made) = second().protect(kind, &mut theirs, packet.len()) else { return };
    // The first index of SRTCP is 0 here (RFC 3711 §3.4), and 1 there.
    if kind == Kind::Rtp {
        assert_eq!(theirs[..made], sealed);
    }
    let mut taken = sealed.clone();
    let opened = second().unprotect(kind, &mut taken, length).expect("it takes what ours has protected");
    assert_eq!(&taken[..opened], packet);
    let opened = context().unprotect(kind, &mut theirs, made).expect("ours takes what it has protected");
    assert_eq!(&theirs[..opened], packet);
});
