//! Over a real listener: an HTTP client of another make, and bytes written by hand.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::TOKEN;
use super::fake::{Behaviour, Fake};
use crate::{Options, Token, serve};

struct Served {
    address: SocketAddr,
    fake: Arc<Fake>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Served {
    async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let fake = Arc::new(Fake::default());
        let (stop, stopped) = oneshot::channel();
        let until = async { drop(stopped.await) };
        let serving = tokio::spawn(serve(listener, fake.clone(), Token::from_text(TOKEN), options, until));
        Self { address, fake, stop, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Waits until a request is in work.
    async fn hangs(&self) {
        self.fake.hanging.acquire().await.unwrap().forget();
    }

    async fn curl(&self, arguments: &[&str], path: &str) -> String {
        let url = format!("http://{}{path}", self.address);
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "20"])
            .args(["--header", "X-Request-Id: curl-1"])
            .args(arguments)
            .arg(url)
            .output()
            .await
            .expect("curl is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        // The date is the one thing that differs from run to run.
        text.split_inclusive('\n').filter(|line| !line.starts_with("date: ")).collect()
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn curl_gets_these_bytes() {
    let served = Served::start(Options::default()).await;
    let authorization = format!("Authorization: Bearer {TOKEN}");
    let health = served.curl(&[], "/healthz").await;
    assert_eq!(
        health,
        "HTTP/1.1 200 OK\r\n\
         content-type: application/json\r\n\
         cache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n\
         x-request-id: curl-1\r\n\
         content-length: 80\r\n\
         \r\n\
         {\"version\":\"0.1.0\",\"started_at\":\"2026-03-01T12:00:00.000Z\",\"uptime_seconds\":1.5}"
    );
    let refused = served.curl(&[], "/v1/config").await;
    insta::assert_snapshot!(refused.replace('\r', ""), @r#"
    HTTP/1.1 401 Unauthorized
    www-authenticate: Bearer realm="liaison"
    content-type: application/problem+json
    cache-control: no-store
    x-content-type-options: nosniff
    x-request-id: curl-1
    content-length: 238

    {"type":"https://github.com/liaison-sbc/liaison/blob/main/docs/admin-api.md#unauthorized","title":"Token required","status":401,"detail":"present the token as `Authorization: Bearer <token>`","instance":"/v1/config","request_id":"curl-1"}
    "#);
    let ended =
        served.curl(&["--header", &authorization, "--request", "DELETE"], "/v1/calls/0-1?reason=test").await;
    insta::assert_snapshot!(ended.replace('\r', ""), @r#"
    HTTP/1.1 202 Accepted
    content-type: application/json
    cache-control: no-store
    x-content-type-options: nosniff
    x-request-id: curl-1
    content-length: 28

    {"id":"0-1","accepted":true}
    "#);
    let form =
        served.curl(&["--header", &authorization, "--data", "dry_run=true"], "/v1/config/reload").await;
    insta::assert_snapshot!(form.replace('\r', ""), @r#"
    HTTP/1.1 415 Unsupported Media Type
    accept: application/json
    content-type: application/problem+json
    cache-control: no-store
    x-content-type-options: nosniff
    x-request-id: curl-1
    content-length: 253

    {"type":"https://github.com/liaison-sbc/liaison/blob/main/docs/admin-api.md#unsupported-media-type","title":"Request content is not JSON","status":415,"detail":"send `Content-Type: application/json`","instance":"/v1/config/reload","request_id":"curl-1"}
    "#);
    let head = served.curl(&["--header", &authorization, "--head"], "/v1/calls/9-9").await;
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_answers_what_is_in_work() {
    let options = Options { request_timeout: Duration::from_millis(300), ..Options::default() };
    let served = Served::start(options).await;
    served.curl(&[], "/healthz").await;
    let (mut idle, mut busy) = (served.connect().await, served.connect().await);
    *served.fake.behaviour.lock().unwrap() = Behaviour::Hang;
    busy.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    served.hangs().await;
    served.stop.send(()).unwrap();
    assert_eq!(read_to_end(&mut idle).await, "");
    let answer = read_to_end(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("#timeout"), "{answer}");
    served.serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn a_drain_does_not_wait_longer_than_its_time() {
    let options = Options { drain_timeout: Duration::from_millis(50), ..Options::default() };
    let served = Served::start(options).await;
    *served.fake.behaviour.lock().unwrap() = Behaviour::Hang;
    let mut busy = served.connect().await;
    busy.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    served.hangs().await;
    served.stop.send(()).unwrap();
    served.serving.await.unwrap().unwrap();
    assert_eq!(read_to_end(&mut busy).await, "", "closed without an answer");
}

#[tokio::test]
async fn a_client_that_sends_no_request_is_disconnected() {
    let options =
        Options { header_timeout: Duration::from_millis(50), max_connections: 1, ..Options::default() };
    let served = Served::start(options).await;
    let mut silent = served.connect().await;
    silent.write_all(b"GET /healthz HTTP/1.1\r\nHos").await.unwrap();
    let next = served.curl(&[], "/healthz").await;
    assert!(next.starts_with("HTTP/1.1 200 OK\r\n"), "the only slot is free again: {next}");
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn a_header_section_over_the_limit_is_refused() {
    let served = Served::start(Options::default()).await;
    let mut client = served.connect().await;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(16_384));
    client.write_all(request.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    client.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 431");
}
