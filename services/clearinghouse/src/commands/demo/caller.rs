//! A caller of the public API with a credential; everything but success ends the demo with what the server said.

use crate::commands::CommandError;
use ledger::new_id;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

/// Somebody with a credential.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    base: String,
    credential: String,
    http: reqwest::Client,
}

impl Caller {
    pub(super) fn new(base: &str, credential: &str) -> Self {
        Self { base: base.to_owned(), credential: credential.to_owned(), http: reqwest::Client::new() }
    }

    /// Somebody else at the same house.
    pub(super) fn with(&self, credential: &str) -> Self {
        Self { credential: credential.to_owned(), ..self.clone() }
    }

    pub(super) fn credential(&self) -> &str {
        &self.credential
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, CommandError> {
        json(send(self.request(Method::GET, path)).await?).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, CommandError> {
        // A key on every post: those that do not move tokens ignore it.
        let request = self.request(Method::POST, path).header("Idempotency-Key", new_id().to_string()).json(&body);
        json(send(request).await?).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Result<Value, CommandError> {
        json(send(self.request(Method::PATCH, path).json(&body)).await?).await
    }

    pub(super) async fn download(&self, path: &str) -> Result<Vec<u8>, CommandError> {
        let response = send(self.request(Method::GET, path)).await?;
        Ok(response.bytes().await.map_err(unanswered)?.to_vec())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.credential)
    }
}

async fn send(request: RequestBuilder) -> Result<Response, CommandError> {
    let response = request.send().await.map_err(unanswered)?;
    if response.status().is_success() {
        return Ok(response);
    }
    let path = response.url().path().to_owned();
    let said = response.text().await.map_err(unanswered)?;
    Err(CommandError::fault(format!("{path} was refused: {said}")))
}

async fn json(response: Response) -> Result<Value, CommandError> {
    response.json().await.map_err(unanswered)
}

fn unanswered(error: reqwest::Error) -> CommandError {
    CommandError::fault(format!("the server did not answer: {error}"))
}
