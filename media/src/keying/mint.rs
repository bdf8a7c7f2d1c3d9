//! Keys of ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::srtp::{Aes, MasterKey, Suite};

/// Makes keys of one secret, each of which says nothing of the others, nor of those before it: the secret is another one after
/// each.
pub(crate) struct Mint {
    secret: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Mint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mint").finish_non_exhaustive()
    }
}

impl Mint {
    /// With 256 bits that nobody can guess.
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self { secret: secret.into() }
    }

    /// Another one, which makes other keys.
    pub(crate) fn split(&mut self) -> Option<Self> {
        let mut secret = [0; 32];
        self.draw(&mut secret)?;
        Some(Self::new(secret))
    }

    /// A key that was never there before; `None` never, for the length is that of the suite.
    pub(crate) fn key(&mut self, suite: Suite) -> Option<MasterKey> {
        let mut octets = Zeroizing::new([0; 46]);
        self.draw(&mut *octets)?;
        MasterKey::new(suite, octets.get(..suite.key_length() + suite.salt_length())?).ok()
    }

    /// A name for an association that was never there before: 192 bits (RFC 8842 §4 asks for 120) in 32 characters.
    pub(crate) fn tls_id(&mut self) -> Option<Box<str>> {
        let mut octets = [0; 24];
        self.draw(&mut octets)?;
        Some(STANDARD_NO_PAD.encode(octets).into())
    }

    /// Up to 48 octets.
    fn draw(&mut self, octets: &mut [u8]) -> Option<()> {
        let mut stream = Zeroizing::new([0; 32 + 48]);
        // The blocks 0 to 4 under AES are a key stream, of which the first two are the next secret.
        Aes::new(&*self.secret)?.apply([0; 16], &mut *stream);
        let (next, fresh) = stream.split_at_checked(32)?;
        self.secret.copy_from_slice(next);
        octets.iter_mut().zip(fresh).for_each(|(octet, fresh)| *octet = *fresh);
        Some(())
    }
}
