//! A real Chromium without a window, through its driver's own protocol (W3C `WebDriver`).

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::skipped;

/// A browser with one page. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    session: String,
    port: u16,
}

impl Browser {
    /// Starts one. `None`, said aloud, where Chromium or its driver is missing; where `CI` is set that
    /// is a failure.
    ///
    /// # Panics
    /// If the driver is there and does not start, or is missing under `CI`.
    pub fn start() -> Option<Self> {
        let driver =
            ["chromedriver", "/usr/lib/chromium/chromedriver"].into_iter().find(|name| runs(name));
        let Some(driver) = driver.filter(|_| runs("chromium")) else {
            assert!(std::env::var_os("CI").is_none(), "install `chromium` and `chromium-driver`");
            skipped("install `chromium` and `chromium-driver` for the tests of the labelling page");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.expect("there is a free port").port();
        let driver = Command::new(driver)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut browser = Self { driver, session: String::new(), port };
        let begin = Instant::now();
        while browser.ask("GET", "/status", None).is_none_or(|status| status["ready"] != true) {
            assert!(begin.elapsed() < Duration::from_secs(30), "the driver never gets ready");
            thread::sleep(Duration::from_millis(50));
        }
        // Within a container there are no rights for Chromium's own sandbox.
        let arguments = [
            "--headless=new",
            "--window-size=1400,900",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        let wish = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "timeouts": { "script": 60_000, "pageLoad": 60_000, "implicit": 0 },
        } } });
        let session = browser.ask("POST", "/session", Some(&wish)).expect("Chromium starts");
        session["sessionId"].as_str().unwrap_or_default().clone_into(&mut browser.session);
        Some(browser)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Value> {
        let address = format!("http://127.0.0.1:{}{path}", self.port);
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_mins(2)))
                .http_status_as_error(false)
                .build(),
        );
        let text = match (method, body) {
            ("GET", _) => agent.get(&address).call(),
            ("DELETE", _) => agent.delete(&address).call(),
            (_, body) => {
                let text = body.map_or_else(|| "{}".to_owned(), Value::to_string);
                agent.post(&address).header("content-type", "application/json").send(text)
            }
        };
        let text = text.ok()?.body_mut().with_config().limit(64 << 20).read_to_string().ok()?;
        let mut answer: Value = serde_json::from_str(&text).ok()?;
        Some(answer["value"].take())
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let answer = self.ask(method, &path, Some(body)).expect("the browser answers");
        assert!(answer.get("error").is_none(), "{path}: {answer}");
        answer
    }

    /// Opens an address.
    #[track_caller]
    pub fn open(&self, address: &str) {
        self.command("POST", "/url", &json!({ "url": address }));
    }

    /// What a script returns; `args` are its arguments.
    #[track_caller]
    pub fn script(&self, script: &str, args: &[Value]) -> Value {
        self.command("POST", "/execute/sync", &json!({ "script": script, "args": args }))
    }

    /// What a script hands to its last argument.
    #[track_caller]
    pub fn script_later(&self, script: &str, args: &[Value]) -> Value {
        self.command("POST", "/execute/async", &json!({ "script": script, "args": args }))
    }

    /// Presses one key after the other, as a keyboard does.
    #[track_caller]
    pub fn keys(&self, keys: &str) {
        let press = |key: char| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        };
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        let source = json!([{ "type": "key", "id": "keyboard", "actions": actions }]);
        self.command("POST", "/actions", &json!({ "actions": source }));
    }

    /// The size of the page, and whether it is dark.
    #[track_caller]
    pub fn look(&self, width: u32, height: u32, dark: bool) {
        let devtools = |cmd: &str, params: Value| {
            self.command("POST", "/goog/cdp/execute", &json!({ "cmd": cmd, "params": params }));
        };
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        devtools("Emulation.setDeviceMetricsOverride", size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// A picture of the page, as PNG in base64.
    ///
    /// # Panics
    /// If the browser gives none.
    #[track_caller]
    pub fn screenshot(&self) -> String {
        let path = format!("/session/{}/screenshot", self.session);
        let shot = self.ask("GET", &path, None).unwrap_or_default();
        shot.as_str().expect("a picture of the page").to_owned()
    }

    /// Waits until a script returns something that is true.
    ///
    /// # Panics
    /// If it does not within `seconds`.
    #[track_caller]
    pub fn until(&self, seconds: u64, script: &str) -> Value {
        let begin = Instant::now();
        loop {
            let found = self.script(script, &[]);
            if !matches!(found, Value::Null | Value::Bool(false)) {
                return found;
            }
            let page = || self.script("return document.body.innerText", &[]);
            assert!(begin.elapsed().as_secs() < seconds, "never: {script}\n{}", page());
            thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium first: the driver would leave it behind.
        let _ = self.ask("DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn runs(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}
