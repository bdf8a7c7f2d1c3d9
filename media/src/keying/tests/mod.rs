mod crypto;
mod handshake;
