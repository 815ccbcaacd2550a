use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use miette::Diagnostic;
use scarce_download::Client;

use crate::{fetch::fetch_from, *};

/// A server on this machine that serves one body for every `.onnx` and `{}` for the rest, hangs up
/// after so many bytes of the first answers, and remembers what was asked.
fn serve(body: Vec<u8>, cuts: Vec<usize>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        let mut cuts = cuts.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let path = lines.next().unwrap().unwrap().split(' ').nth(1).unwrap().to_owned();
            let headers: Vec<String> =
                lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let start = headers
                .iter()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("range: bytes=")?
                        .trim_end_matches('-')
                        .parse()
                        .ok()
                })
                .unwrap_or(0_usize);
            log.lock().unwrap().push(format!("{path} {start}"));
            let body: &[u8] = if path.strip_suffix(".onnx").is_some() { &body } else { b"{}" };
            let rest = &body[start.min(body.len())..];
            let status = if start > 0 {
                format!(
                    "206 Partial\r\nContent-Range: bytes {start}-{}/{}",
                    body.len() - 1,
                    body.len()
                )
            } else {
                "200 OK".to_owned()
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                rest.len()
            );
            let sent = cuts.next().map_or(rest, |cut| &rest[..cut.min(rest.len())]);
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent));
        }
    });
    (address, seen)
}

fn get(name: &str, url: Option<&str>, data: &std::path::Path) -> Result<PathBuf> {
    let client = Client::new(Duration::from_millis(1));
    fetch_from(named(name).unwrap(), url, &client, data, &mut |_| {})
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A model of 10,000 bytes that nobody but these tests knows.
fn small() -> &'static KnownModel {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    fs_err::write(&path, [7; 10_000]).unwrap();
    let sha256 = scarce_wheels::sha256(&path).unwrap().leak();
    let model = KnownModel {
        name: "small",
        title: "",
        licence: "",
        bytes: 10_000,
        sha256,
        width: 1,
        address: None,
        description: "{}",
    };
    Box::leak(Box::new(model))
}

#[test]
fn the_list_says_of_every_model_what_a_user_needs_to_know() {
    for model in known() {
        assert!(!model.licence.is_empty() && model.bytes > 0 && model.width > 0);
        assert_eq!(model.sha256.len(), 64, "{}", model.name);
        let described: serde_json::Value = serde_json::from_str(model.description).unwrap();
        assert_eq!(described["image_mean"].as_array().unwrap().len(), 3);
        // Addresses name a revision, never a branch.
        assert!(model.address.is_none_or(|address| !address.contains("/resolve/main")));
    }
}

#[test]
fn a_download_goes_on_where_it_broke_and_gets_its_name_when_it_is_right() {
    let data = tempfile::tempdir().unwrap();
    let (address, seen) = serve(vec![7; 10_000], vec![3000]);
    let url = format!("{address}/a.onnx");
    let client = Client::new(Duration::from_millis(1));
    let get = || fetch_from(small(), Some(&url), &client, data.path(), &mut |_| {});
    let folder = get().unwrap();
    assert_eq!(folder, data.path().join("models/small"));
    assert_eq!(names(&folder), ["model.onnx", "preprocessor_config.json"]);
    assert_eq!(fs_err::read(folder.join("model.onnx")).unwrap(), [7; 10_000]);
    assert_eq!(*seen.lock().unwrap(), ["/a.onnx 0", "/a.onnx 3000"]);
    // What is there is not asked for again, and never overwritten.
    get().unwrap();
    fs_err::write(folder.join("model.onnx"), [8; 10_000]).unwrap();
    let error = get().unwrap_err();
    assert!(matches!(error, Error::InTheWay { .. }), "{error}");
    assert!(error.to_string().contains("SHA-256"), "{error}");
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[test]
fn a_file_with_another_digest_is_refused_and_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let (address, _) = serve(vec![7; 100], Vec::new());
    let url = format!("{address}/a.onnx");
    let error = get("dinov2-small", Some(&url), data.path()).unwrap_err();
    assert!(error.to_string().contains("SHA-256"), "{error}");
    assert!(!data.path().join("models/dinov2-small").exists());
    assert!(names(&data.path().join("models/.dinov2-small.partial")).is_empty());
}

#[test]
fn offline_it_says_what_to_do_by_hand() {
    let data = tempfile::tempdir().unwrap();
    let error = get("dinov2-small", Some("http://127.0.0.1:1"), data.path()).unwrap_err();
    let help = error.help().unwrap().to_string();
    for word in ["offline", "preprocessor_config.json", "models/dinov2-small", "SCARCE_MIRROR"] {
        assert!(help.contains(word), "`{word}` is not in: {help}");
    }
    let error = get("efficientnet-lite0", None, data.path()).unwrap_err();
    assert!(error.to_string().contains("no public address"), "{error}");
}

#[test]
fn models_are_found_by_name_and_nothing_else_is() {
    let data = tempfile::tempdir().unwrap();
    let own = data.path().join("models/own");
    fs_err::create_dir_all(&own).unwrap();
    let folders: Vec<PathBuf> = vec!["/nowhere".into(), data.path().to_owned()];
    assert_eq!(find("own", &folders), Some(own.clone()));
    for name in ["../own", "", ".", "models/own", "other"] {
        assert_eq!(find(name, &folders), None, "{name}");
    }
    assert_eq!(find_any(&folders), None, "an empty folder is no model");
    fs_err::write(own.join("model.onnx"), "x").unwrap();
    fs_err::write(own.join("preprocessor_config.json"), "{}").unwrap();
    assert_eq!(find_any(&folders), Some(own));
    // One of the list comes first, whatever it holds; a survey says that it is not what it should be.
    let listed = data.path().join("models/dinov2-small");
    fs_err::create_dir_all(&listed).unwrap();
    fs_err::write(listed.join("model.onnx"), "x").unwrap();
    fs_err::write(listed.join("preprocessor_config.json"), "{}").unwrap();
    assert_eq!(find_any(&folders), Some(listed));
    let found = survey(&folders).into_iter().find(|s| s.known.name == "dinov2-small").unwrap();
    assert!(matches!(found.state, State::Wrong(_)), "{found:?}");
}
