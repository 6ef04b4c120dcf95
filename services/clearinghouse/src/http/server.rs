//! The sockets: an accept loop over HTTP/1.1 that no client can hold up.
//!
//! Shape: wait for a free place, accept, serve the connection in its own task; when `shutdown` comes, take no new connection, let
//! the requests that are under way end, and cut off what is left when their time is over.
//! It knows no route, and it never waits without a limit: what a request may take is the business of [`super::edge`].

use super::linger::Lingering;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

/// The largest head of a request, in bytes: twice what browsers and proxies send at most.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How long accepting rests when the process has run out of file descriptors or memory; both pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Files that are no connections of clients: those to the database, and what the program reads and writes.
const FILES_FOR_OTHERS: usize = 128;

/// What the server gives its clients at most.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Open connections; the next one waits in the operating system's queue until one closes.
    pub connections_max: usize,
    /// Time for the head of a request, and for a connection to be idle between two.
    pub header_timeout: Duration,
    /// Time that a client may leave an answer unread before its connection is cut.
    pub write_timeout: Duration,
    /// Time that requests under way get after `shutdown`.
    pub drain_timeout: Duration,
}

/// Serves until `shutdown`, then drains. Returns when no connection is open any more.
pub async fn serve<S>(listener: TcpListener, service: S, limits: ServerLimits, shutdown: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let places = Arc::new(Semaphore::new(connections_with_files(limits.connections_max)));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);

    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            // A client that has said all it wants to say waits for its answer.
            .half_close(true)
            .serve_connection(TokioIo::new(Lingering::new(bounded(stream, limits.write_timeout))), service.clone());
        let served = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = served.await {
                // Mostly a client that went away, or one that does not speak HTTP.
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
        // Forgets those that have ended, so that the set stays as small as the number of open connections.
        while connections.try_join_next().is_some() {}
    }

    drop(listener);
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "cutting off the requests that did not end in time");
    }
    connections.shutdown().await;
}

/// As many connections as are wanted, or as the process may have files for: it would fail to accept the others, and to open the files and
/// database connections that requests need. What the system lets the process have is often more than it has at first.
fn connections_with_files(wanted: usize) -> usize {
    let files = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => usize::try_from(files).unwrap_or(usize::MAX),
        Err(error) => {
            tracing::warn!(%error, "how many files the process may open is unknown");
            return wanted.min(Semaphore::MAX_PERMITS);
        }
    };
    let possible = files.saturating_sub(FILES_FOR_OTHERS).max(1);
    if possible < wanted {
        tracing::warn!(possible, wanted, files, "the process may open too few files for server.connections_max (see ulimit -n)");
    }
    wanted.min(possible).min(Semaphore::MAX_PERMITS)
}

/// The stream, which fails when the client reads nothing for so long.
fn bounded(stream: TcpStream, write_timeout: Duration) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write_timeout));
    Box::pin(stream)
}

/// The next connection and its place among the open ones. Safe to drop while it waits: nothing has been accepted then.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and written whole: waiting for more to send would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its delay");
                }
                return (stream, place);
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use hyper_util::service::TowerToHyperService;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    /// A server whose only route answers after `takes`.
    async fn start(takes: Duration, limits: ServerLimits) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let route = get(move || async move {
            tokio::time::sleep(takes).await;
            "answer"
        });
        let large = get(|| async { "x".repeat(1 << 20) });
        let router = TowerToHyperService::new(Router::new().route("/", route).route("/large", large));
        let served = tokio::spawn(async move { serve(listener, router, limits, async { drop(stopped.await) }).await });
        (address, stop, served)
    }

    fn limits() -> ServerLimits {
        let five = Duration::from_secs(5);
        ServerLimits { connections_max: 10, header_timeout: five, write_timeout: five, drain_timeout: five }
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        stream
    }

    async fn all(mut stream: TcpStream) -> String {
        let mut text = String::new();
        // A connection that is cut off may end with a reset.
        drop(stream.read_to_string(&mut text).await);
        text
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_before_the_server_ends() {
        let (address, stop, served) = start(Duration::from_millis(200), limits()).await;
        let stream = ask(address).await;
        let idle = TcpStream::connect(address).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.send(()).unwrap();
        assert!(all(stream).await.ends_with("answer"));
        served.await.unwrap();
        assert_eq!(all(idle).await, "");
        assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_cut_off() {
        let (address, stop, served) =
            start(Duration::from_secs(60), ServerLimits { drain_timeout: Duration::from_millis(50), ..limits() }).await;
        let stream = ask(address).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.send(()).unwrap();
        served.await.unwrap();
        assert_eq!(all(stream).await, "");
    }

    #[tokio::test]
    async fn a_client_that_sends_half_a_head_or_falls_silent_loses_its_connection() {
        let (address, _stop, _served) =
            start(Duration::ZERO, ServerLimits { header_timeout: Duration::from_millis(100), ..limits() }).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhos").await.unwrap();
        assert!(!all(slow).await.contains("answer"));
        assert!(all(ask(address).await).await.ends_with("answer"), "it ends although the client keeps it open");
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_loses_its_connection() {
        let limits = ServerLimits { connections_max: 1, write_timeout: Duration::from_millis(100), ..limits() };
        let (address, _stop, _served) = start(Duration::ZERO, limits).await;
        let mut greedy = TcpStream::connect(address).await.unwrap();
        // Asks without end and never reads, until its answers fill every buffer on the way and the server gives it up.
        let ask_much = b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
        while greedy.write_all(&ask_much).await.is_ok() {}
        assert!(all(ask(address).await).await.ends_with("answer"), "its place is free again");
    }

    #[tokio::test]
    async fn a_client_that_says_no_more_hears_its_answer() {
        let (address, _stop, _served) = start(Duration::from_millis(100), limits()).await;
        let mut stream = ask(address).await;
        stream.shutdown().await.unwrap();
        assert!(all(stream).await.ends_with("answer"));
    }

    #[tokio::test]
    async fn a_client_that_sends_on_hears_the_answer_that_came_before() {
        let (address, _stop, _served) = start(Duration::ZERO, limits()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Nothing reads it: the route has no such method.
        let body = vec![b'x'; 32 << 20];
        stream.write_all(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
        stream.write_all(&body).await.expect("it is taken to the end");
        assert!(all(stream).await.starts_with("HTTP/1.1 405 "));
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_for_a_place() {
        let (address, _stop, _served) = start(Duration::ZERO, ServerLimits { connections_max: 1, ..limits() }).await;
        let first = TcpStream::connect(address).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut second = ask(address).await;
        let mut byte = [0];
        assert!(tokio::time::timeout(Duration::from_millis(100), second.read(&mut byte)).await.is_err(), "no place is free");
        drop(first);
        assert_eq!(second.read(&mut byte).await.unwrap(), 1);
    }
}
