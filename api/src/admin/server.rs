use super::register::register;
use crate::{access::Token, middleware, state::State};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    rt::System,
    web::Data,
};
use std::{io, net::TcpListener, time::Duration};
use tokio::sync::oneshot;

/// How long a stop waits for requests in flight, which are short; longer ones are cut off.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// The running admin listener.
pub(crate) struct Admin {
    handle: ServerHandle,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Admin {
    /// Serves on `listener` from a thread of its own.
    ///
    /// # Errors
    /// When the thread or the listener cannot be used.
    pub(crate) async fn start(state: Data<State>, token: Token, listener: TcpListener) -> io::Result<Self> {
        let (started, handle) = oneshot::channel();
        let (over, mut ended) = oneshot::channel();
        std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
            let outcome = System::new().block_on(async move {
                let server = build(state, token, listener)?;
                // The receiver may be gone because the gateway was dropped; that does not stop the server.
                let _ = started.send(server.handle());
                server.await
            });
            let _ = over.send(outcome);
        })?;
        match handle.await {
            Ok(handle) => Ok(Self { handle, ended }),
            Err(_) => Err(Self::outcome((&mut ended).await)),
        }
    }

    /// Resolves when the listener ends without being stopped.
    pub(crate) async fn ended(&mut self) -> io::Error {
        Self::outcome((&mut self.ended).await)
    }

    /// Waits for requests in flight, within a limit, and ends the thread.
    pub(crate) async fn stop(self) {
        self.handle.stop(true).await;
        // The server has ended and its thread follows. If the thread hangs, the process ends anyway.
        let _ = tokio::time::timeout(SHUTDOWN_LIMIT, self.ended).await;
    }

    fn outcome(ended: Result<io::Result<()>, oneshot::error::RecvError>) -> io::Error {
        match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => io::Error::other("the admin listener ended unexpectedly"),
        }
    }
}

fn build(state: Data<State>, token: Token, listener: TcpListener) -> io::Result<Server> {
    let token = Data::new(token);
    let factory = move || {
        App::new()
            .app_data(state.clone())
            .app_data(token.clone())
            .wrap(from_fn(middleware::admin::layer))
            .configure(register)
    };
    let server = HttpServer::new(factory)
        .workers(1)
        .disable_signals()
        .h1_allow_half_closed(false)
        .shutdown_timeout(SHUTDOWN_LIMIT.as_secs());
    Ok(server.listen(listener)?.run())
}
