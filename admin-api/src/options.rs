//! Settings of the HTTP side.

use std::time::Duration;

/// Settings of the HTTP side; they hold for the life of a [`serve`](crate::serve).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Who may read `/metrics`. Default: holders of the token.
    pub metrics: MetricsAccess,
    /// Requests in work at once, health and readiness apart; more get 503. Default 32.
    pub max_requests: usize,
    /// Connections open at once; more wait in the listener's backlog. Default 128.
    pub max_connections: usize,
    /// Longest request content in bytes; more gets 413. Default 65,536.
    pub max_body: usize,
    /// Longest request line and header section together, in bytes, at least 8,192; more gets 431. Default 16,384.
    pub max_header: usize,
    /// From the end of a request's header section to its answer; then 503. Default 5 s.
    pub request_timeout: Duration,
    /// For a client to send its content; then 408. Default 2 s.
    pub body_timeout: Duration,
    /// For a client to send a header section, and between two requests on a connection; then the connection
    /// is closed. Default 10 s.
    pub header_timeout: Duration,
    /// For a client to make room for more of an answer; then the connection is closed. Default 10 s.
    pub write_timeout: Duration,
    /// At shutdown, for requests in work to be answered; then their connections are closed. Default 5 s.
    pub drain_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            metrics: MetricsAccess::Token,
            max_requests: 32,
            max_connections: 128,
            max_body: 65_536,
            max_header: 16_384,
            request_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(2),
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(5),
        }
    }
}

/// Who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Everyone who reaches the listener.
    Open,
    /// Holders of the token.
    Token,
}
