use std::io;
use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing_subscriber::fmt;

use super::client::{TOKEN, api};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_log_line_says_what_was_asked_and_answered_and_nothing_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process, since what a callsite is interested in is remembered across threads.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let api = api();
    api.ask("DELETE /v1/calls/logged-1?reason=private-text").await;
    api.send("GET /v1/calls/logged-2", &[("authorization", "Bearer guessed-token")], "").await;

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line = |what: &str| text.lines().find(|line| line.contains(what)).unwrap_or_default().to_owned();
    let command = line("logged-1");
    for part in [
        "INFO",
        "method=DELETE",
        "request_id=\"r-1\"",
        "status=404",
        "problem=\"call-not-found\"",
        "elapsed=",
    ] {
        assert!(command.contains(part), "{part} in {command}");
    }
    assert!(line("logged-2").contains("problem=\"unauthorized\""), "{text}");
    for secret in [TOKEN, "private-text", "guessed-token"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
