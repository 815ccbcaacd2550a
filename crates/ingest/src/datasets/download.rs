//! Downloading: resumed after an interruption, checked before a file gets its name.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use fs_err::{File, OpenOptions};
use ureq::{Agent, http::Response};

use super::{Dataset, KnownFile, MIRROR, Progress, find};
use crate::{Error, Result};

/// A server that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// Attempts in a row that bring nothing new before an address is given up.
const FRUITLESS: u32 = 3;
/// Attempts at one address in all.
const ATTEMPTS: u32 = 100;

/// Fetches the files of one data set.
pub(super) struct Downloader {
    dataset: Dataset,
    addresses: Vec<String>,
    agent: Agent,
    pause: Duration,
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

impl Downloader {
    /// From the public addresses, or from the mirror that the environment names.
    pub(super) fn from_environment(dataset: Dataset) -> Self {
        let known = dataset.known();
        let addresses = match std::env::var(MIRROR) {
            Ok(base) if !base.is_empty() => {
                vec![format!("{}/{}", base.trim_end_matches('/'), known.name)]
            }
            _ => known.addresses.iter().map(|&address| address.to_owned()).collect(),
        };
        Self::new(dataset, addresses, Duration::from_millis(500))
    }

    /// From these addresses, with that pause before asking again.
    pub(super) fn new(dataset: Dataset, addresses: Vec<String>, pause: Duration) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .accept_encoding("identity")
            .user_agent(concat!("scarce/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { dataset, addresses, agent, pause }
    }

    pub(super) fn dataset(&self) -> Dataset {
        self.dataset
    }

    /// See [`super::fetch`].
    pub(super) fn fetch(
        &self,
        dir: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<PathBuf>> {
        let known = self.dataset.known();
        let folder = dir.join(known.name);
        if known.files.is_empty() {
            return Ok(Vec::new());
        }
        fs_err::create_dir_all(&folder)?;
        // Held until the end of this function; the kernel lets go of it if we are killed.
        let lock = File::create(folder.join(".download.lock"))?;
        lock.lock()?;
        let found = find::in_places(known, &[dir.to_owned()])?;
        let mut paths = Vec::with_capacity(known.files.len());
        for (file, found) in known.files.iter().zip(found) {
            let path = match found {
                Some(path) => path,
                None => self.fetch_file(file, &folder, progress)?,
            };
            paths.push(path);
        }
        Ok(paths)
    }

    /// Tries one address after the other.
    pub(super) fn fetch_file(
        &self,
        file: &KnownFile,
        folder: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf> {
        let target = folder.join(format!("{}.gz", file.name));
        let part = folder.join(format!("{}.gz.part", file.name));
        let check = || find::check(self.dataset.known(), file, &part);
        let mut failures = Vec::new();
        // A run that was killed may have left a whole file.
        let mut whole = part.is_file() && check().is_ok();
        for address in &self.addresses {
            if whole {
                break;
            }
            let url = format!("{address}/{}.gz", file.name);
            match self.ask(&url, file, &part, &check, progress) {
                Ok(()) => whole = true,
                Err(Attempt::Failed(message)) => failures.push(format!("{url}: {message}")),
                Err(Attempt::Stop(error)) => return Err(error),
            }
        }
        if !whole {
            return Err(self.by_hand(file, folder, &failures));
        }
        File::open(&part)?.sync_all()?;
        fs_err::rename(&part, &target)?;
        Ok(target)
    }

    /// Asks one address until the file is whole and right. What another run or address left is
    /// gone on with; if that does not give the right file, it is fetched once more from the start.
    fn ask(
        &self,
        url: &str,
        file: &KnownFile,
        part: &Path,
        check: &dyn Fn() -> Result<()>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Attempt> {
        let resumed = size(part) > 0;
        self.until_whole(url, file, part, progress)?;
        let Err(error) = check() else { return Ok(()) };
        remove(part)?;
        if !resumed {
            return Err(Attempt::Failed(error.to_string()));
        }
        self.until_whole(url, file, part, progress)?;
        match check() {
            Ok(()) => Ok(()),
            Err(error) => {
                remove(part)?;
                Err(Attempt::Failed(error.to_string()))
            }
        }
    }

    fn until_whole(
        &self,
        url: &str,
        file: &KnownFile,
        part: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Attempt> {
        let mut fruitless = 0;
        for _ in 0..ATTEMPTS {
            let before = size(part);
            let message = match self.request(url, file, part, progress)? {
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
        url: &str,
        file: &KnownFile,
        part: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Outcome, Attempt> {
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
        let outcome = receive(response, out, if continues { have } else { 0 }, file, progress)?;
        if matches!(outcome, Outcome::Refused(_)) {
            remove(part)?;
        }
        Ok(outcome)
    }

    /// The error when every address failed.
    fn by_hand(&self, file: &KnownFile, folder: &Path, failures: &[String]) -> Error {
        let known = self.dataset.known();
        let names: Vec<String> =
            known.files.iter().map(|file| format!("{}.gz", file.name)).collect();
        Error::Download {
            file: file.name.to_owned(),
            message: failures.join("; "),
            help: format!(
                "download by hand {} from {} into `{}`, set `path` to a folder that holds them, or \
                 set {MIRROR} to another address",
                names.join(", "),
                known.addresses.join(" or "),
                folder.display()
            ),
        }
    }
}

/// Why an address did not serve.
enum Attempt {
    /// Another one may.
    Failed(String),
    /// The disk refuses: none will.
    Stop(Error),
}

impl From<std::io::Error> for Attempt {
    fn from(error: std::io::Error) -> Self {
        Self::Stop(error.into())
    }
}

/// Writes the body of a response behind the `have` bytes that are there.
fn receive(
    mut response: Response<ureq::Body>,
    mut out: File,
    have: u64,
    file: &KnownFile,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome, Attempt> {
    let total = response.body().content_length().map(|rest| have + rest);
    // Packed files are no longer than the bytes in them, give or take a header.
    let most = file.bytes + (1 << 20);
    let mut done = have;
    let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; 1 << 16];
    let cut = loop {
        progress(Progress { file: file.name, done, total });
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
