use super::*;
use crate::auth::digest::read_hex;

/// Test set 1 of TS 35.207, whose SQN is ff9bb4d0b607.
const SQN: u64 = 0xff9b_b4d0_b607;

fn card(sqn: u64) -> Card {
    let k = read_hex("465b5ce8b199b49faa5f0a2ee238a6bc").unwrap();
    Card::new(k, Operator::Op(read_hex("cdc202d5123e20f62b6d676ac72cb318").unwrap()), sqn)
}

/// RAND, SQN xor AK, AMF and MAC-A of that set.
fn nonce() -> String {
    let text = "23553cbe9637a89d218ae64dae47bf35".to_owned() + "55f328b43577" + "b9b9" + "4a9ffac354dfafb3";
    STANDARD.encode(read_hex::<32>(&text).unwrap())
}

#[test]
fn rfc3310_3_3_a_fresh_challenge_gives_res_and_the_keys_once() {
    let (card, challenge) = (card(0), Challenge::of_nonce(&nonce()).unwrap());
    let Ok(Reply::Keys(keys)) = card.answer(&challenge) else { panic!() };
    assert_eq!(*keys.ck(), read_hex::<16>("b40ba9a3c58b2a05bbf0d987b21bf8cb").unwrap());
    assert_eq!(*keys.ik(), read_hex::<16>("f769bcd751044604127672711c6d3441").unwrap());
    assert_eq!(*keys.password(Aka::V1, Hash::Md5), read_hex::<8>("a54211d5e3ba50bf").unwrap());
    assert_eq!(card.sqn(), SQN);
    assert!(matches!(card.answer(&challenge), Ok(Reply::Resynchronise(_))), "the same again is not new");
    assert_eq!(format!("{card:?} {keys:?}"), "Card(redacted) Keys(redacted)");
}

/// What Python's hmac makes of the strings of RFC 4169 §2.1, which has no example of its own.
#[test]
fn rfc4169_2_1_the_password_of_the_second_version() {
    let Ok(Reply::Keys(keys)) = card(0).answer(&Challenge::of_nonce(&nonce()).unwrap()) else { panic!() };
    let password = |hash| String::from_utf8(keys.password(Aka::V2, hash).to_vec()).unwrap();
    assert_eq!(password(Hash::Md5), "shzt3q8CWaZnCAWqs3WmEQ==");
    assert_eq!(password(Hash::Sha256), "wpC+5dv/7kC35JEI2hluv8XcBd+vf8XcfedJBan1buk=");
}

/// The AUTS is checked as the home network does it (TS 33.102 §6.3.5), with f1* and f5* of the set's RAND.
#[test]
fn rfc3310_3_4_an_old_sequence_number_is_answered_with_auts() {
    let ours = SQN + 7;
    let card = card(ours);
    let challenge = Challenge::of_nonce(&nonce()).unwrap();
    let Ok(Reply::Resynchronise(auts)) = card.answer(&challenge) else { panic!() };
    let milenage = &card.milenage;
    let sqn = xor(&auts.hidden_sqn, &read_hex("451e8beca43b").unwrap());
    let [_, _, expected @ ..] = ours.to_be_bytes();
    assert_eq!(sqn, expected);
    assert_eq!(milenage.f1(&challenge.rand, &sqn, &[0; 2]).1, auts.mac_s);
    assert_eq!(auts.to_string().len(), 20, "14 bytes");
    assert_eq!(card.sqn(), ours, "an old challenge moves nothing");
}

#[test]
fn a_challenge_of_another_network_is_not_answered() {
    let text = nonce();
    let mut bytes = STANDARD.decode(&text).unwrap();
    for at in 0..bytes.len() {
        bytes[at] ^= 1;
        let card = card(0);
        let challenge = Challenge::of_nonce(&STANDARD.encode(&bytes)).unwrap();
        assert!(card.answer(&challenge).is_err(), "byte {at}");
        assert_eq!(card.sqn(), 0);
        bytes[at] ^= 1;
    }
}

#[test]
fn rfc3310_4_the_nonces_of_the_examples_are_read() {
    for nonce in
        ["CjPk9mRqNuT25eRkajM09uTl9nM09uTl9nMz5OX25PZz==", "9uQzNPbk9jM05Pbl5Pbl5DIz9uTl9uTl9jM0NTHk9uXk=="]
    {
        assert!(Challenge::of_nonce(nonce).is_some(), "{nonce}");
    }
    let whole = nonce();
    assert_eq!(Challenge::of_nonce(&whole), Challenge::of_nonce(whole.trim_end_matches('=')));
    for bad in
        ["", "=", "n1", "CjPk9mRqNuT25eRkajM09uTl9nM09uTl9nMz5OX2", "no base64, but long enough to be one!"]
    {
        assert_eq!(Challenge::of_nonce(bad), None, "{bad}");
    }
}

#[test]
fn cards_are_told_apart_by_their_keys() {
    assert_eq!(card(0), card(9));
    let k = read_hex("465b5ce8b199b49faa5f0a2ee238a6bc").unwrap();
    let same = Operator::Opc(read_hex("cd63cb71954a9f4e48a5994e37a02baf").unwrap());
    assert_eq!(card(0), Card::new(k, same, 0));
    assert_ne!(card(0), Card::new(k, Operator::Opc([0; 16]), 0));
    assert_ne!(card(0), Card::new([0; 16], same, 0));
}

#[test]
fn ts33_102_6_3_3_what_is_kept_of_a_card_outlives_it() {
    use std::sync::{Arc, Mutex};
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = || -> Keep {
        let kept = kept.clone();
        Box::new(move |number| kept.lock().unwrap().push(number))
    };
    let challenge = Challenge::of_nonce(&nonce()).unwrap();
    let first = card(0);
    first.keep_with(0, keep());
    first.keep_with(0, Box::new(|_| panic!("somebody keeps it already")));
    assert!(matches!(first.answer(&challenge), Ok(Reply::Keys(_))));
    assert!(matches!(first.answer(&challenge), Ok(Reply::Resynchronise(_))));
    assert_eq!(*kept.lock().unwrap(), [SQN], "what is taken, once");
    // The next process knows the number, and takes neither the same challenge nor an older one.
    let second = card(0);
    second.keep_with(kept.lock().unwrap()[0], keep());
    assert!(matches!(second.answer(&challenge), Ok(Reply::Resynchronise(_))));
    second.keep_with(5, keep());
    assert_eq!((second.sqn(), kept.lock().unwrap().len()), (SQN, 1));
    assert_eq!(first.fingerprint(), second.fingerprint());
    let k = read_hex("465b5ce8b199b49faa5f0a2ee238a6bc").unwrap();
    assert_ne!(first.fingerprint(), Card::new(k, Operator::Opc([0; 16]), 0).fingerprint());
}
