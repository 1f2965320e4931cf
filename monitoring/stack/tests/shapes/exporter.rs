//! A server whose metrics a request changes: `GET /set?value=1` sets the gauge `test_value`, or lets `test_total` grow by
//! so much a second with `rate`; `without` takes a series away.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, Query};
use actix_web::{App, HttpServer, web};

/// What `/metrics` shows.
struct Shown {
    /// By series, as `test_value` or `test_info{version="1"}`.
    gauges: BTreeMap<String, f64>,
    total: f64,
    rate: f64,
    since: Instant,
}

impl Shown {
    fn grow(&mut self) {
        self.total += self.rate * self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
    }
}

/// Running; dropping it ends it.
pub struct Exporter {
    pub url: String,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Exporter {
    /// With these series.
    pub fn start(series: &[(&str, f64)]) -> Self {
        let gauges = series.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let shown = Shown { gauges, total: 0.0, rate: 0.0, since: Instant::now() };
        let shown = Data::from(Arc::new(Mutex::new(shown)));
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(shown.clone())
                        .route("/set", web::get().to(set))
                        .route("/metrics", web::get().to(metrics))
                };
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.bind(("127.0.0.1", 0)).expect("a free port");
                let url = format!("http://{}", server.addrs()[0]);
                let server = server.run();
                sender.send((url, server.handle())).expect("the test waits for it");
                server.await.expect("it serves");
            });
        });
        let (url, handle) = receiver.recv().expect("the server starts");
        Self { url, handle, thread: Some(thread) }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.handle.stop(false)); // the order is given when the future is made
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic of the server has failed the test already
        }
    }
}

async fn set(shown: Data<Mutex<Shown>>, query: Query<BTreeMap<String, String>>) -> String {
    let mut shown = shown.lock().expect("no handler panics");
    for (name, value) in query.into_inner() {
        match name.as_str() {
            "without" => drop(shown.gauges.remove(&value)),
            "rate" => {
                shown.grow();
                shown.rate = value.parse().expect("a number");
            }
            _ => drop(shown.gauges.insert(name, value.parse().expect("a number"))),
        }
    }
    "set\n".to_owned()
}

async fn metrics(shown: Data<Mutex<Shown>>) -> String {
    let mut shown = shown.lock().expect("no handler panics");
    shown.grow();
    let gauges: String = shown.gauges.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    format!("{gauges}test_total {}\n", shown.total)
}
