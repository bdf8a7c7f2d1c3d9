//! The bearer token: made on first start, kept in a file that only its owner reads.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Random bits of a token, in bytes.
const BYTES: usize = 32;
/// Length of the text: lower-case hexadecimal.
const TEXT: usize = BYTES * 2;

/// What is kept of a token: its SHA-256.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
}

/// A token that was read or made.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The token.
    pub token: Token,
    /// True when the file did not exist and was made now.
    pub created: bool,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Others than the owner may read or write the file, so it may be known to them.
    #[error(
        "token file {} has mode {mode:04o}, so others may know the token; `rm` it for a new token, or `chmod 600` it",
        .path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is something else than 64 hexadecimal digits.
    #[error("token file {} does not hold 64 lower-case hexadecimal digits", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The path names a directory, a device or a pipe.
    #[error("token file {} is not a regular file", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file exists and cannot be read.
    #[error("token file {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be made.
    #[error("token file {} cannot be made", .path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no random bits.
    #[error("the system gives no random bits")]
    Random {
        /// What the system says.
        source: getrandom::Error,
    },
}

impl Token {
    /// Reads the token in the file `path`, or makes one of 256 random bits when there is no such file; missing
    /// directories on the way are made with mode 0700, the file with mode 0600. It appears under its name
    /// whole, and of two processes that make it at once both get the same.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn load_or_create(path: &Path) -> Result<Loaded, TokenError> {
        if let Some(token) = read(path)? {
            return Ok(Loaded { token, created: false });
        }
        let text = random_text()?;
        match create(path, &text) {
            Ok(()) => Ok(Loaded { token: Self::from_text(&text), created: true }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match read(path)? {
                Some(token) => Ok(Loaded { token, created: false }),
                None => Err(TokenError::Create { path: path.into(), source: error }),
            },
            Err(source) => Err(TokenError::Create { path: path.into(), source }),
        }
    }

    /// The token with this text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self { digest: Sha256::digest(text).into() }
    }

    /// Whether `presented` is the text of this token, in a time that depends on its length only.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        Self::from_text(presented).digest.ct_eq(&self.digest).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

fn random_text() -> Result<Zeroizing<String>, TokenError> {
    let mut bits = Zeroizing::new([0; BYTES]);
    getrandom::fill(bits.as_mut_slice()).map_err(|source| TokenError::Random { source })?;
    let mut text = Zeroizing::new(String::with_capacity(TEXT));
    for byte in bits.iter() {
        for digit in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Option<Token>, TokenError> {
    let failed = |source| TokenError::Read { path: path.into(), source };
    // Asked before opening, since opening a pipe would wait for its writer.
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !metadata.is_file() {
        return Err(TokenError::NotAFile { path: path.into() });
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(TokenError::Exposed { path: path.into(), mode });
    }
    let malformed = || TokenError::Malformed { path: path.into() };
    let mut content = Zeroizing::new(Vec::with_capacity(TEXT + 2));
    file.take(TEXT as u64 + 2).read_to_end(&mut content).map_err(failed)?;
    let content = std::str::from_utf8(&content).map_err(|_| malformed())?;
    let text = content.strip_suffix('\n').unwrap_or(content);
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != TEXT || !text.bytes().all(hex) {
        return Err(malformed());
    }
    Ok(Some(Token::from_text(text)))
}

/// Writes a file beside `path` and links it to that name, which fails when the name is taken.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let suffix = getrandom::u64().map_err(io::Error::other)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let draft = directory.join(format!(".{}.{suffix:016x}", name.display()));
    let linked = write_draft(&draft, text).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    linked.and(removed)?;
    File::open(directory)?.sync_all()
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}
