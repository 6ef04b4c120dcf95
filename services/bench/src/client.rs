//! One HTTP connection to the server under test: keep-alive, one request at a time.

use crate::BenchError;
use crate::load::UNANSWERED;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Method, Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await.map_err(BenchError::io("the server could not be reached"))?;
        stream.set_nodelay(true).map_err(BenchError::io("a socket"))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // How it ends is told to whoever waits for an answer.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender })
    }

    /// Sends, and reads the answer whole.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, BenchError> {
        let response = self.begin(request).await?;
        let mut status = response.status().as_u16();
        if status == 503 && !response.headers().contains_key(RETRY_AFTER) {
            status = UNANSWERED;
        }
        Ok(Answer { status, body: response.into_body().collect().await?.to_bytes() })
    }

    /// Sends, and counts the bytes of the answer as they come, keeping none.
    pub(crate) async fn download(&mut self, request: Request<Full<Bytes>>) -> Result<u64, BenchError> {
        let what = request.uri().to_string();
        let response = self.begin(request).await?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            length += frame?.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or_default());
        }
        if status == 200 { Ok(length) } else { Err(BenchError::Answer { what, status, body: String::new() }) }
    }

    async fn begin(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, BenchError> {
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// A request whose answer is JSON and must be a success.
    pub(crate) async fn call(&mut self, request: Request<Full<Bytes>>) -> Result<Value, BenchError> {
        let what = request.uri().to_string();
        let answer = self.send(request).await?;
        if !(200..300).contains(&answer.status) {
            return Err(answer.unexpected(what));
        }
        serde_json::from_slice(&answer.body).map_err(|error| BenchError::Unreadable(format!("{what} was not answered with JSON: {error}")))
    }
}

impl Answer {
    /// This answer as an error.
    pub(crate) fn unexpected(&self, what: impl Into<String>) -> BenchError {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        BenchError::Answer { what: what.into(), status: self.status, body }
    }
}

/// A request with a body of JSON or lines of it; an idempotency key where it moves tokens.
pub(crate) fn post(path: &str, credential: &str, key: Option<&str>, kind: &'static str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = start(Method::POST, path, credential).header(CONTENT_TYPE, kind);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.body(Full::new(body.into())).expect("the bench's own requests are well formed")
}

/// A request without a body.
pub(crate) fn get(path: &str, credential: &str) -> Request<Full<Bytes>> {
    start(Method::GET, path, credential).body(Full::default()).expect("the bench's own requests are well formed")
}

fn start(method: Method, path: &str, credential: &str) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(path).header(HOST, "bench").header(AUTHORIZATION, format!("Bearer {credential}"))
}
