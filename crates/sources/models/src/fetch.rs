//! Downloading a model: into a folder beside its place, which gets its name when all is there.

use std::path::{Path, PathBuf};

use fs_err::File;
use scarce_download::{Attempt, Client, MIRROR, Progress, Wanted, mirror};
use scarce_wheels::sha256;

use crate::{DESCRIPTION, Error, FOLDER, KnownModel, NETWORK, Result, State, survey::look};

/// Downloads a model into `data/models/NAME` and returns that folder. A download that was interrupted
/// goes on where it stopped; the folder gets its name only when the network has its digest. Another
/// process that fetches the same is waited for.
///
/// # Errors
/// [`Error::NoAddress`] for a model without one, [`Error::Download`] when the address does not serve,
/// with what to do by hand, [`Error::InTheWay`] where something else bears its name.
pub fn fetch(
    known: &'static KnownModel,
    data: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf> {
    let url = match mirror() {
        Some(mirror) => Some(format!("{mirror}/{FOLDER}/{}/{NETWORK}", known.name)),
        None => known.address.map(str::to_owned),
    };
    fetch_from(known, url.as_deref(), &Client::default(), data, progress)
}

pub(crate) fn fetch_from(
    known: &'static KnownModel,
    url: Option<&str>,
    client: &Client,
    data: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf> {
    let models = data.join(FOLDER);
    let place = models.join(known.name);
    let Some(url) = url else {
        let help = format!(
            "put `{NETWORK}` with SHA-256 {} and `{DESCRIPTION}` into `{}`; other models of `scarce \
             data list` can be fetched",
            known.sha256,
            place.display()
        );
        return Err(Error::NoAddress { name: known.name, help });
    };
    fs_err::create_dir_all(&models)?;
    // Held until the end of this function; the kernel lets go of it if we are killed.
    let lock = File::create(models.join(format!(".{}.lock", known.name)))?;
    lock.file().lock()?;
    if place.exists() {
        return match look(known, &place) {
            State::Good => Ok(place),
            State::Wrong(message) => Err(Error::InTheWay { folder: place, message }),
            State::Missing => {
                let message = format!("it needs `{NETWORK}` and `{DESCRIPTION}`");
                Err(Error::InTheWay { folder: place, message })
            }
        };
    }
    let partial = models.join(format!(".{}.partial", known.name));
    fs_err::create_dir_all(&partial)?;
    let part = partial.join(NETWORK);
    download(known, url, client, &part, &place, progress)?;
    fs_err::write(partial.join(DESCRIPTION), known.description)?;
    File::open(&part)?.sync_all()?;
    fs_err::rename(&partial, &place)?;
    Ok(place)
}

fn download(
    known: &'static KnownModel,
    url: &str,
    client: &Client,
    part: &Path,
    place: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<()> {
    let right = || match sha256(part) {
        Ok(found) if found == known.sha256 => Ok(()),
        Ok(found) => Err(format!("the SHA-256 of what it serves is {found}, not {}", known.sha256)),
        Err(error) => Err(error.to_string()),
    };
    // A run that was killed may have left a whole file.
    if part.is_file() && right().is_ok() {
        return Ok(());
    }
    let wanted = Wanted { url, name: known.name, part, most: known.bytes };
    client.fetch(&wanted, &right, progress).map_err(|attempt| match attempt {
        Attempt::Stop(error) => error.into(),
        Attempt::Failed(message) => Error::Download {
            name: known.name,
            message: format!("{url}: {message}"),
            help: format!(
                "where this machine is offline, put `{NETWORK}` and `{DESCRIPTION}` into `{}` by hand, \
                 or set {MIRROR} to another address; what was fetched so far is kept",
                place.display()
            ),
        },
    })
}
