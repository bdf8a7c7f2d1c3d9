//! Asking the admin API as anybody would: HTTP/1.1 over TCP, with the token.

use anyhow::{Context as _, ensure};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer.
const LONGEST: u64 = 1 << 20;

/// The content at a path.
///
/// # Errors
/// Any answer but 200, and none at all.
pub(super) async fn get(api: SocketAddr, path: &str, token: &str) -> anyhow::Result<String> {
    let answer = tokio::time::timeout(PATIENCE, ask(api, path, token)).await;
    let answer = answer.context("the admin API did not answer in time")??;
    content(&answer).with_context(|| format!("GET {path}"))
}

async fn ask(api: SocketAddr, path: &str, token: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(api).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {api}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The content of a response whose length is stated.
fn content(answer: &str) -> anyhow::Result<String> {
    let (head, content) = answer.split_once("\r\n\r\n").context("no HTTP response")?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.1 200"), "{status}");
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .context("no Content-Length")?;
    Ok(content.get(..length).context("a short answer")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::content;

    #[test]
    fn the_content_has_the_stated_length() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(content(text).unwrap(), "{}");
        assert!(content(&text.replace(": 2", ": 3")).is_err());
    }

    #[test]
    fn another_status_is_an_error_that_names_it() {
        let error = content("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").unwrap_err();
        assert_eq!(error.to_string(), "HTTP/1.1 401 Unauthorized");
    }
}
