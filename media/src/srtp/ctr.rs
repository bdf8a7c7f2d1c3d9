//! AES in counter mode (RFC 3711 §4.1.1, RFC 6188 §2).

use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes256Enc};

/// Blocks of the key stream that are made at once: those of 20 ms of G.711, and a power of two.
const AT_ONCE: usize = 16;

/// A key, expanded once.
pub(crate) enum Aes {
    Short(Aes128Enc),
    Long(Aes256Enc),
}

impl Aes {
    /// `None` where the key has neither 16 nor 32 octets.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128Enc::new_from_slice(key).ok().map(Self::Short),
            32 => Aes256Enc::new_from_slice(key).ok().map(Self::Long),
            _ => None,
        }
    }

    /// Adds the key stream from this initial vector on.
    pub(crate) fn apply(&self, vector: [u8; 16], data: &mut [u8]) {
        match self {
            Self::Short(aes) => apply(aes, vector, data),
            Self::Long(aes) => apply(aes, vector, data),
        }
    }
}

fn apply<C>(aes: &C, vector: [u8; 16], data: &mut [u8])
where
    C: BlockCipherEncrypt + aes::cipher::BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
{
    let mut counter = u128::from_be_bytes(vector);
    let mut stream: [Block<C>; AT_ONCE] = Default::default();
    for part in data.chunks_mut(AT_ONCE * 16) {
        let blocks = part.len().div_ceil(16);
        let stream = stream.get_mut(..blocks).unwrap_or_default();
        for block in &mut *stream {
            *block = counter.to_be_bytes().into();
            counter = counter.wrapping_add(1);
        }
        aes.encrypt_blocks(stream);
        for (part, block) in part.chunks_mut(16).zip(&*stream) {
            part.iter_mut().zip(block).for_each(|(octet, key)| *octet ^= *key);
        }
    }
}
