//! `scarce label`, started and talked to.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{Project, signal, skipped};

/// A page that is served. Dropping it kills the server.
#[derive(Debug)]
pub struct Labelling {
    child: Child,
    /// The address with the token.
    pub address: String,
}

impl Labelling {
    /// `scarce label --no-open` with these words.
    ///
    /// # Panics
    /// If it does not say its address.
    #[track_caller]
    pub fn start(project: &Project, words: &[&str]) -> Self {
        let words = [&["label", "--json", "--no-open"], words].concat();
        Self::of(project.command(&words))
    }

    /// The same with file systems of its own, which the shell script mounts before it starts `"$0" "$@"`.
    /// `None`, said aloud, where nobody may mount.
    #[track_caller]
    pub fn start_in_own_mounts(project: &Project, script: &str, words: &[&str]) -> Option<Self> {
        let own = |script: &str| {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
            command
        };
        if !own("mount -t tmpfs none /mnt").output().is_ok_and(|output| output.status.success()) {
            skipped("nobody may mount a file system here");
            return None;
        }
        let scarce = project.command(&[&["label", "--json", "--no-open"], words].concat());
        let mut command = own(script);
        command.arg(scarce.get_program()).args(scarce.get_args()).current_dir(project.folder());
        for (name, value) in scarce.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Some(Self::of(command))
    }

    #[track_caller]
    fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("`scarce` starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output is a pipe");
        BufReader::new(out).read_line(&mut line).expect("it says its address");
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let address = said["address"].as_str().unwrap_or_else(|| panic!("no address: {line}"));
        Self { address: address.to_owned(), child }
    }

    /// The address without the token.
    pub fn base(&self) -> &str {
        self.address.split_once("/?").map_or(&self.address, |(base, _)| base)
    }

    /// The cookie that the token is exchanged for.
    pub fn cookie(&self) -> String {
        let port = self.base().rsplit(':').next().unwrap_or_default();
        let token = self.address.rsplit('=').next().unwrap_or_default();
        format!("scarce-label-{port}={token}")
    }

    /// Ends the server in the middle of whatever it does.
    pub fn kill(mut self) {
        signal(self.child.id(), "KILL");
        let _ = self.child.wait();
    }

    /// Asks the server to end, and returns its exit code.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end(mut self, name: &str) -> Option<i32> {
        signal(self.child.id(), name);
        crate::eventually("the page ends", || self.child.try_wait().ok().flatten()).code()
    }
}

impl Drop for Labelling {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A plain request: the status, and what is answered. Without a body it is a GET.
///
/// # Panics
/// If nobody answers.
#[track_caller]
pub fn request(address: &str, headers: &[(&str, &str)], body: Option<&Value>) -> (u16, Value) {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let answer = match body {
        None => headers.iter().fold(agent.get(address), |r, (k, v)| r.header(*k, *v)).call(),
        Some(body) => headers
            .iter()
            .fold(agent.post(address), |r, (k, v)| r.header(*k, *v))
            .header("content-type", "application/json")
            .send(body.to_string()),
    };
    let mut answer = answer.unwrap_or_else(|error| panic!("{address}: {error}"));
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
