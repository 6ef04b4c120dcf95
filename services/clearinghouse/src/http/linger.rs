//! A connection that is closed so that its client still hears the last answer.
//!
//! A server that closes a socket on which something unread arrives has the system reset the connection, and a client that was still sending loses the
//! answer that told it to stop: to a body that is too large, say. So after its last word the server listens on for a while, and throws away what comes.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long a client may go on sending after the last answer.
const LISTENS_FOR: Duration = Duration::from_secs(2);
/// How much it may send.
const THROWN_AWAY_MAX: usize = 64 * 1024 * 1024;

/// A stream that listens on once it is shut down for writing, until the other side closes, or for so long, or to so much.
#[derive(Debug)]
pub(super) struct Lingering<S> {
    stream: S,
    /// Since the stream is shut down: until when it listens, and how much it still throws away.
    listens: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, listens: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        pin!(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, listens } = &mut *self;
        let (sleep, left) = match listens {
            Some(listens) => listens,
            None => {
                ready!(pin!(&mut *stream).poll_shutdown(cx))?;
                listens.insert((Box::pin(tokio::time::sleep(LISTENS_FOR)), THROWN_AWAY_MAX))
            }
        };
        if sleep.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut space = [0; 8 * 1024];
        while *left > 0 {
            let mut thrown_away = ReadBuf::new(&mut space);
            // Whatever went wrong on the way, nothing is left to be said.
            if ready!(pin!(&mut *stream).poll_read(cx, &mut thrown_away)).is_err() || thrown_away.filled().is_empty() {
                break;
            }
            *left = left.saturating_sub(thrown_away.filled().len());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        pin!(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    #[tokio::test]
    async fn it_listens_until_the_other_side_closes() {
        let (mut client, server) = duplex(16);
        let closing = tokio::spawn(async move { Lingering::new(server).shutdown().await });
        client.write_all(&[7; 1_000]).await.expect("what comes is taken");
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "it has said its last word");
        drop(client);
        let begun = Instant::now();
        closing.await.unwrap().unwrap();
        assert!(begun.elapsed() < LISTENS_FOR);
    }

    #[tokio::test]
    async fn it_listens_to_nobody_for_ever() {
        let (mut silent, server) = duplex(16);
        let begun = Instant::now();
        Lingering::new(server).shutdown().await.unwrap();
        assert!((LISTENS_FOR..LISTENS_FOR * 2).contains(&begun.elapsed()));
        silent.write_all(&[7]).await.expect_err("it is gone");

        let (mut talker, server) = duplex(1 << 20);
        let closing = tokio::spawn(async move { Lingering::new(server).shutdown().await });
        let mut sent = 0;
        while talker.write_all(&[7; 64 * 1024]).await.is_ok() {
            sent += 64 * 1024;
        }
        closing.await.unwrap().unwrap();
        assert!((THROWN_AWAY_MAX..THROWN_AWAY_MAX + (2 << 20)).contains(&sent), "{sent}");
    }
}
