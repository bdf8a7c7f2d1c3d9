//! Session keys (RFC 3711 §4.3, with a key derivation rate of 0).

use zeroize::Zeroizing;

use super::MasterKey;
use super::ctr::Aes;

/// What a session key is for (RFC 3711 §4.3.1, §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// A session key of so many octets; `None` where the master key has no length of AES.
pub(super) fn derive<const N: usize>(master: &MasterKey, label: Label) -> Option<Zeroizing<[u8; N]>> {
    let (key, salt) = master.split();
    let mut vector = [0; 16];
    // A salt of 96 bits is as if zeros followed it.
    vector.iter_mut().zip(salt).for_each(|(octet, salt)| *octet = *salt);
    let [.., at_label, _, _, _, _, _, _, _, _] = &mut vector;
    *at_label ^= label as u8;
    let mut derived = Zeroizing::new([0; N]);
    Aes::new(key)?.apply(vector, &mut *derived);
    Some(derived)
}
