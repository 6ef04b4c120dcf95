//! A caller over HTTP, and what it is answered.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// One caller, with its credential.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    base: String,
    bearer: Option<String>,
    http: reqwest::Client,
}

impl Client {
    /// Calls without a credential.
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.to_owned(), bearer: None, http: reqwest::Client::new() }
    }

    /// The same caller with a credential.
    pub(crate) fn with(&self, credential: &str) -> Self {
        Self { bearer: Some(credential.to_owned()), ..self.clone() }
    }

    /// Its credential.
    pub(crate) fn bearer(&self) -> &str {
        self.bearer.as_deref().expect("it has a credential")
    }

    /// A request to be sent as it is.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.bearer {
            Some(credential) => request.bearer_auth(credential),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// The whole as CSV, where the path has it.
    pub(crate) async fn get_csv(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).header("Accept", "text/csv")).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, version: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).header("If-Match", version).json(&body)).await
    }

    /// Makes or replaces; the version is that of `If-Match`.
    pub(crate) async fn put(&self, path: &str, version: Option<&str>, body: Value) -> Answer {
        let request = self.request(Method::PUT, path).json(&body);
        Answer::of(version.into_iter().fold(request, |request, version| request.header("If-Match", version))).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Posts with a key that nobody used before.
    pub(crate) async fn post_once(&self, path: &str, body: Value) -> Answer {
        let key = format!("test-{}", NEXT_KEY.fetch_add(1, Ordering::Relaxed));
        self.post_keyed(path, &key, body).await
    }

    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).header("Idempotency-Key", key).json(&body)).await
    }
}

/// What a caller was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// Sends the request; an answer that does not come at all fails the test.
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, bytes: response.bytes().await.expect("the answer arrives whole").to_vec() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    #[track_caller]
    pub(crate) fn created(self) -> Value {
        assert_eq!(self.status, StatusCode::CREATED, "{}", self.text());
        self.json()
    }

    /// A problem with this status and code, in the form that every problem has.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        let text = self.text();
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{text}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{text}");
        assert_eq!(problem["status"], status, "{text}");
        assert_eq!(problem["type"], format!("urn:scriphouse:problem:{code}"), "{text}");
        assert!(problem["retryable"].is_boolean() && problem["detail"].as_str().is_some_and(|d| !d.is_empty()), "{text}");
        problem
    }
}
