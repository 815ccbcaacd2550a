use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use md5::{Digest, Md5};
use miette::Diagnostic;

use super::*;

/// What the server does with the next request; after the last it serves the whole file.
#[derive(Clone, Copy)]
enum Act {
    Serve,
    /// Announces everything, sends so many bytes and hangs up.
    Cut(usize),
    /// Sends the whole file whatever range is asked for.
    IgnoreRange,
    Status(u16),
    Garbage,
}

/// A server on this machine; the requests it saw are `path range`.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

fn serve(body: Vec<u8>, acts: Vec<Act>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        let mut acts = acts.into_iter();
        for stream in listener.incoming() {
            let act = acts.next().unwrap_or(Act::Serve);
            // A client that hangs up is its own affair.
            let _ = stream.and_then(|stream| answer(stream, &body, act, &log));
        }
    });
    Server { address, seen }
}

fn answer(
    mut stream: TcpStream,
    body: &[u8],
    act: Act,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap()?;
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let mut range = None;
    for line in lines {
        let line = line?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(from) = line.strip_prefix("range: bytes=") {
            range = from.trim_end_matches('-').parse::<usize>().ok();
        }
    }
    log.lock().unwrap().push(format!("{path} {}", range.unwrap_or(0)));
    let head = |status: &str, length: usize, more: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")
    };
    let start = range.filter(|_| !matches!(act, Act::IgnoreRange)).unwrap_or(0);
    match act {
        Act::Status(status) => {
            return stream.write_all(head(&format!("{status} No"), 0, "").as_bytes());
        }
        Act::Garbage => {
            stream.write_all(head("200 OK", 7, "").as_bytes())?;
            return stream.write_all(b"garbage");
        }
        _ if start >= body.len() => {
            return stream.write_all(head("416 No", 0, "").as_bytes());
        }
        _ => {}
    }
    let rest = &body[start..];
    let sent = if let Act::Cut(n) = act { &rest[..n.min(rest.len())] } else { rest };
    if start > 0 {
        let more = format!("Content-Range: bytes {start}-{}/{}\r\n", body.len() - 1, body.len());
        stream.write_all(head("206 Partial", rest.len(), &more).as_bytes())?;
    } else {
        stream.write_all(head("200 OK", rest.len(), "").as_bytes())?;
    }
    stream.write_all(sent)
}

/// A data set of one file, made known to nobody but this test.
fn downloader(addresses: &[&Server]) -> Downloader {
    let addresses = addresses.iter().map(|server| server.address.clone()).collect();
    Downloader::new(Dataset::Mnist, addresses, Duration::from_millis(1))
}

fn raw() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn packed() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(&raw()).unwrap();
    encoder.finish().unwrap()
}

fn file() -> KnownFile {
    let md5 = find::hex(&Md5::digest(raw()));
    KnownFile { name: "train-images-idx3-ubyte", md5: md5.leak(), bytes: raw().len() as u64 }
}

fn fetch_into(folder: &Path, servers: &[&Server]) -> Result<PathBuf> {
    downloader(servers).fetch_file(&file(), folder, &mut |progress| {
        assert!(progress.total.is_none_or(|total| progress.done <= total));
    })
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

mod a_download {
    use super::*;

    #[test]
    fn arrives_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = fetch_into(folder.path(), &[&serve(packed(), Vec::new())]).unwrap();
        assert_eq!(fs_err::read(path).unwrap(), packed());
        assert_eq!(names(folder.path()), ["train-images-idx3-ubyte.gz"]);
    }

    #[test]
    fn goes_on_where_the_connection_broke() {
        let folder = tempfile::tempdir().unwrap();
        let acts = vec![Act::Cut(1000), Act::Cut(0), Act::Cut(5000)];
        let server = serve(packed(), acts);
        let path = fetch_into(folder.path(), &[&server]).unwrap();
        assert_eq!(fs_err::read(path).unwrap(), packed());
        let url = "/train-images-idx3-ubyte.gz";
        let expected = [0, 1000, 1000, 6000].map(|start| format!("{url} {start}"));
        assert_eq!(*server.seen.lock().unwrap(), expected);
    }

    #[test]
    fn goes_on_where_a_killed_run_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("train-images-idx3-ubyte.gz.part");
        fs_err::write(&part, &packed()[..70_000]).unwrap();
        let server = serve(packed(), Vec::new());
        fetch_into(folder.path(), &[&server]).unwrap();
        assert!(server.seen.lock().unwrap()[0].ends_with(" 70000"));
        // And a run that was killed just before the end asks nobody.
        fs_err::rename(folder.path().join("train-images-idx3-ubyte.gz"), &part).unwrap();
        fetch_into(folder.path(), &[&server]).unwrap();
        assert_eq!(server.seen.lock().unwrap().len(), 1);
    }

    #[test]
    fn starts_again_over_a_part_that_does_not_fit() {
        for (part, acts) in [
            (vec![7; 5000], Vec::new()),
            (vec![7; 5000], vec![Act::IgnoreRange]),
            (vec![7; 500_000], Vec::new()),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs_err::write(folder.path().join("train-images-idx3-ubyte.gz.part"), part).unwrap();
            let path = fetch_into(folder.path(), &[&serve(packed(), acts)]).unwrap();
            assert_eq!(fs_err::read(path).unwrap(), packed());
        }
    }

    #[test]
    fn tries_the_next_address() {
        for act in [Act::Status(404), Act::Garbage] {
            let folder = tempfile::tempdir().unwrap();
            let broken = serve(Vec::new(), vec![act; 9]);
            let path = fetch_into(folder.path(), &[&broken, &serve(packed(), Vec::new())]).unwrap();
            assert_eq!(fs_err::read(path).unwrap(), packed());
        }
    }

    #[test]
    fn that_fails_says_why_and_what_to_do_by_hand() {
        for (act, word) in [
            (Act::Status(404), "answers 404"),
            (Act::Status(503), "answers 503"),
            (Act::Garbage, "MD5"),
            (Act::Cut(0), "broke after 0"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let server = serve(packed(), vec![act; 9]);
            let error = fetch_into(folder.path(), &[&server]).unwrap_err();
            let text = format!("{error} {}", error.help().unwrap());
            let by_hand = ["download by hand", "cvdf-datasets", folder.path().to_str().unwrap()];
            for word in by_hand.into_iter().chain([word, &server.address]) {
                assert!(text.contains(word), "`{word}` is not in: {text}");
            }
            assert!(!names(folder.path()).iter().any(|name| name == "train-images-idx3-ubyte.gz"));
        }
        let nobody = Server { address: "http://127.0.0.1:1".to_owned(), seen: Arc::default() };
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(fetch_into(folder.path(), &[&nobody]), Err(Error::Download { .. })));
    }
}

mod the_four_files {
    use super::*;
    use crate::images::tests::test_data;

    /// The real MNIST labels, which are small, and where they lie.
    fn real() -> Option<PathBuf> {
        let data = test_data();
        if data.is_none() {
            #[expect(clippy::print_stderr, reason = "a skipped test says so")]
            {
                eprintln!("skipped: set SCARCE_TEST_DATA to a folder with `mnist`");
            }
        }
        data
    }

    fn nobody() -> Downloader {
        let address = "http://127.0.0.1:1".to_owned();
        Downloader::new(Dataset::Mnist, vec![address], Duration::from_millis(1))
    }

    #[test]
    fn are_found_in_a_data_folder_and_in_the_user_s() {
        let Some(data) = real() else { return };
        let found =
            provide_with(&nobody(), None, std::slice::from_ref(&data), &mut |_| {}).unwrap();
        assert!(found.iter().all(|path| path.starts_with(data.join("mnist"))));
        let user = data.join("mnist");
        assert_eq!(provide_with(&nobody(), Some(&user), &[], &mut |_| {}).unwrap(), found);
        let survey = survey(&[data]);
        assert!(survey.iter().all(Survey::is_complete), "{survey:?}");
    }

    #[test]
    fn of_another_data_set_are_told_apart() {
        let Some(data) = real() else { return };
        // The names are the same: only the checksum tells.
        let fashion = data.join("fashion-mnist");
        let error = provide_with(&nobody(), Some(&fashion), &[], &mut |_| {}).unwrap_err();
        assert!(matches!(error, Error::Checksum { .. }), "{error}");
        assert!(error.help().unwrap().to_string().contains("file of fashion-mnist"));
        // Lying flat in a data folder they are passed over.
        let error = provide_with(
            &nobody(),
            None,
            &[tempfile::tempdir().unwrap().path().to_owned(), fashion.clone()],
            &mut |_| {},
        )
        .unwrap_err();
        assert!(matches!(error, Error::Download { .. }), "{error}");
    }

    #[test]
    fn go_by_both_spellings_packed_or_not() {
        let Some(data) = real() else { return };
        let folder = tempfile::tempdir().unwrap();
        let packed = data.join("mnist/t10k-labels-idx1-ubyte.gz");
        fs_err::copy(packed, folder.path().join("t10k-labels.idx1-ubyte.gz")).unwrap();
        let found = verify(folder.path());
        let mnist = found.iter().find(|survey| survey.known.dataset == Dataset::Mnist).unwrap();
        assert_eq!(mnist.files[3].state, State::Good);
        assert_eq!(mnist.files[0].state, State::Missing);
    }

    #[test]
    fn that_are_damaged_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mnist = folder.path().join("mnist");
        fs_err::create_dir_all(&mnist).unwrap();
        let path = mnist.join("train-labels-idx1-ubyte.gz");
        for bytes in [&packed()[..], &packed()[..500], b"text"] {
            fs_err::write(&path, bytes).unwrap();
            let found = verify(folder.path());
            let state = &found[1].files[1].state;
            assert!(
                matches!(state, State::Wrong(text) if text.contains("train-labels")),
                "{state:?}"
            );
            let error = provide_with(&nobody(), None, &[folder.path().to_owned()], &mut |_| {})
                .unwrap_err();
            assert!(error.to_string().contains("train-labels-idx1-ubyte.gz"), "{error}");
        }
    }

    #[test]
    fn that_are_missing_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let error = provide_with(&nobody(), Some(folder.path()), &[], &mut |_| {}).unwrap_err();
        assert!(error.help().unwrap().to_string().contains("`t10k-labels-idx1-ubyte`"));
        let error = provide_with(&nobody(), None, &[], &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("no data folder"), "{error}");
    }
}
