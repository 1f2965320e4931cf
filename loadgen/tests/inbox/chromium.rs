//! Controls a headless Chromium by its DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>) over
//! two pipes, without a driver.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Timeout of every step.
const LIMIT: Duration = Duration::from_secs(60);

/// A page in its own browser. Both end when it is dropped.
pub struct Page {
    child: Child,
    to: File,
    from: Receiver<Value>,
    session: Option<String>,
    id: u64,
    _dir: TempDir,
}

/// The browser from `CHROMIUM` or the PATH.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut found = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    named.or_else(|| found.find(|file| file.is_file()))
}

impl Page {
    /// Opens an empty page of this size; `None`, with a message, if Chromium is missing.
    pub fn open(width: u32, height: u32) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: no chromium or google-chrome on the PATH (CHROMIUM names another)");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let (to, from) = (dir.path().join("to"), dir.path().join("from"));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        let child = Command::new("sh")
            // The protocol's pipes are the descriptors 3 and 4.
            .args(["-c", "to=$1 from=$2; shift 2; exec \"$@\" 3<\"$to\" 4>\"$from\"", "sh"])
            .args([&to, &from, &program])
            .args([
                "--remote-debugging-pipe",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, received) = channel();
        // Opening a pipe blocks until the other side opens it, so it runs in a thread that ends with the browser.
        std::thread::spawn(move || {
            for message in BufReader::new(File::open(from).unwrap()).split(0) {
                let Ok(message) = message else { return };
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
            }
        });
        // Opened for reading and writing, so that it does not block.
        let to = OpenOptions::new().read(true).write(true).open(to).unwrap();
        let mut page = Self { child, to, from: received, session: None, id: 0, _dir: dir };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = page.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        page.session = attached["sessionId"].as_str().map(str::to_owned);
        page.size(width, height);
        page.call("Performance.enable", json!({}));
        Some(page)
    }

    pub fn size(&mut self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    pub fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// Sends a command and returns its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let mut command = json!({"id": self.id, "method": method, "params": params});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&command).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        let until = Instant::now() + LIMIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let response =
                self.from.recv_timeout(left).unwrap_or_else(|error| panic!("{method}: no response: {error}"));
            if response["id"] == self.id {
                assert!(response["error"].is_null(), "{command}: {response}");
                return response["result"].clone();
            }
        }
    }

    /// The value of an expression of JavaScript.
    pub fn eval(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let response = self.call("Runtime.evaluate", parameters);
        assert!(response["exceptionDetails"].is_null(), "{expression}: {response}");
        response["result"]["value"].clone()
    }

    /// Waits until an expression is true, and returns how long it took.
    pub fn until(&mut self, expression: &str) -> Duration {
        let started = Instant::now();
        while self.eval(&format!("Boolean({expression})")) != true {
            if started.elapsed() > LIMIT {
                let text = self.eval("document.body.innerText");
                panic!("not within {LIMIT:?}: {expression}; the page says {text}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        started.elapsed()
    }

    /// Presses and releases a key that types `text`.
    pub fn key(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// A metric of `Performance.getMetrics`, such as `JSHeapUsedSize` or `Nodes`, after a garbage collection.
    pub fn figure(&mut self, name: &str) -> f64 {
        self.call("HeapProfiler.collectGarbage", json!({}));
        let figures = self.call("Performance.getMetrics", json!({}));
        let found = figures["metrics"].as_array().unwrap().iter().find(|it| it["name"] == name).cloned();
        found.unwrap()["value"].as_f64().unwrap()
    }

    /// Saves a screenshot if `PICTURES` is set to a directory.
    pub fn picture(&mut self, name: &str) {
        use base64::Engine;
        let Some(folder) = std::env::var_os("PICTURES") else { return };
        let picture = self.call("Page.captureScreenshot", json!({}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap());
        std::fs::write(Path::new(&folder).join(name), bytes.unwrap()).unwrap();
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
