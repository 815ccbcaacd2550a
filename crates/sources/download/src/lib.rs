//! Files from the network: resumed after an interruption, bounded in size, and checked by the caller
//! before they count.
//!
//! A [`Client`] brings one address into one file, the *part*. What an earlier try left there is gone
//! on with; if that does not give the right file, it is fetched once more from the start. What the
//! right file is, the caller's check says. Giving the part its name is the caller's affair too.
//!
//! ```no_run
//! use scarce_download::{Client, Wanted};
//!
//! let wanted = Wanted {
//!     url: "https://example.org/a.bin",
//!     name: "a.bin",
//!     part: std::path::Path::new("a.bin.part"),
//!     most: 1 << 20,
//! };
//! let right = || Ok(());
//! let fetched = Client::default().fetch(&wanted, &right, &mut |progress| {
//!     println!("{} of {:?}", progress.done, progress.total);
//! });
//! ```

use std::{
    io::{Read, Write},
    path::Path,
    thread,
    time::Duration,
};

use fs_err::{File, OpenOptions};
use ureq::{Agent, http::Response};

/// Variable with a base address that replaces the public ones.
pub const MIRROR: &str = "SCARCE_MIRROR";

/// A server that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// Attempts in a row that bring nothing new before an address is given up.
const FRUITLESS: u32 = 3;
/// Attempts at one address in all.
const ATTEMPTS: u32 = 100;

/// The base address that replaces the public ones, if the environment names one.
pub fn mirror() -> Option<String> {
    let base = std::env::var(MIRROR).ok().filter(|base| !base.is_empty())?;
    Some(base.trim_end_matches('/').to_owned())
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes in all, where the server says so.
    pub total: Option<u64>,
}

/// A file that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its address.
    pub url: &'a str,
    /// Its name, for the progress.
    pub name: &'a str,
    /// Where its bytes go.
    pub part: &'a Path,
    /// Most bytes that are taken.
    pub most: u64,
}

/// Why an address did not serve.
#[derive(Debug)]
pub enum Attempt {
    /// Another one may.
    Failed(String),
    /// The disk refuses: none will.
    Stop(std::io::Error),
}

impl From<std::io::Error> for Attempt {
    fn from(error: std::io::Error) -> Self {
        Self::Stop(error)
    }
}

/// Asks servers.
pub struct Client {
    agent: Agent,
    pause: Duration,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(Duration::from_millis(500))
    }
}

/// How one request ended.
enum Outcome {
    /// The file is whole, as far as the server knows.
    Whole,
    /// The connection broke; asking again may help.
    Cut(String),
    /// The server does not have it, or cannot be reached.
    Refused(String),
}

impl Client {
    /// A client that waits so long before it asks again.
    pub fn new(pause: Duration) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .accept_encoding("identity")
            .user_agent(concat!("scarce/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent, pause }
    }

    /// Asks one address until the file is whole and right, as `check` says.
    ///
    /// # Errors
    /// [`Attempt::Failed`] when the address does not serve it, [`Attempt::Stop`] when the disk refuses.
    pub fn fetch(
        &self,
        wanted: &Wanted<'_>,
        check: &dyn Fn() -> Result<(), String>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Attempt> {
        let resumed = size(wanted.part) > 0;
        self.until_whole(wanted, progress)?;
        let Err(message) = check() else { return Ok(()) };
        remove(wanted.part)?;
        if !resumed {
            return Err(Attempt::Failed(message));
        }
        self.until_whole(wanted, progress)?;
        check().or_else(|message| {
            remove(wanted.part)?;
            Err(Attempt::Failed(message))
        })
    }

    fn until_whole(
        &self,
        wanted: &Wanted<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Attempt> {
        let Wanted { url, part, .. } = *wanted;
        let mut fruitless = 0;
        for _ in 0..ATTEMPTS {
            let before = size(part);
            let message = match self.request(wanted, progress)? {
                Outcome::Whole => return Ok(()),
                Outcome::Refused(message) => return Err(Attempt::Failed(message)),
                Outcome::Cut(message) => message,
            };
            fruitless = if size(part) > before { 0 } else { fruitless + 1 };
            if fruitless == FRUITLESS {
                return Err(Attempt::Failed(message));
            }
            tracing::warn!("{url}: {message}; asking again");
            thread::sleep(self.pause);
        }
        Err(Attempt::Failed(format!("the connection broke {ATTEMPTS} times")))
    }

    /// One request for what is missing of the file.
    fn request(
        &self,
        wanted: &Wanted<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Outcome, Attempt> {
        let Wanted { url, part, .. } = *wanted;
        let have = size(part);
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error @ (ureq::Error::Io(_) | ureq::Error::Timeout(_))) if have > 0 => {
                return Ok(Outcome::Cut(error.to_string()));
            }
            Err(error) => return Ok(Outcome::Refused(error.to_string())),
        };
        let status = response.status().as_u16();
        let continues = status == 206 && starts_at(&response) == Some(have);
        match status {
            200 => {}
            206 if continues => {}
            // What we have is no beginning of what the server has: start again.
            206 | 416 => {
                remove(part)?;
                return Ok(Outcome::Cut(format!("the server cannot go on at byte {have}")));
            }
            500..=599 => return Ok(Outcome::Cut(format!("the server answers {status}"))),
            _ => return Ok(Outcome::Refused(format!("the server answers {status}"))),
        }
        let out = OpenOptions::new()
            .create(true)
            .write(true)
            .append(continues)
            .truncate(!continues)
            .open(part)?;
        let outcome = receive(response, out, if continues { have } else { 0 }, wanted, progress)?;
        if matches!(outcome, Outcome::Refused(_)) {
            remove(part)?;
        }
        Ok(outcome)
    }
}

/// Writes the body of a response behind the `have` bytes that are there.
fn receive(
    mut response: Response<ureq::Body>,
    mut out: File,
    have: u64,
    wanted: &Wanted<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome, Attempt> {
    let total = response.body().content_length().map(|rest| have + rest);
    let most = wanted.most;
    let mut done = have;
    let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; 1 << 16];
    let cut = loop {
        progress(Progress { file: wanted.name, done, total });
        match body.read(&mut buffer) {
            Ok(0) => break None,
            Ok(n) => {
                out.write_all(&buffer[..n])?;
                done += n as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error.to_string()),
        }
        if done > most {
            let message = format!("it sends more than {most} bytes");
            return Ok(Outcome::Refused(message));
        }
    };
    out.flush()?;
    Ok(match (cut, total) {
        (Some(message), _) => {
            Outcome::Cut(format!("the connection broke after {done} bytes: {message}"))
        }
        (None, Some(total)) if done < total => {
            Outcome::Cut(format!("the connection broke after {done} of {total} bytes"))
        }
        (None, _) => Outcome::Whole,
    })
}

/// The first byte of a partial answer: `Content-Range: bytes 100-199/200`.
fn starts_at(response: &Response<ureq::Body>) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn size(path: &Path) -> u64 {
    fs_err::metadata(path).map_or(0, |found| found.len())
}

fn remove(path: &Path) -> Result<(), Attempt> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
