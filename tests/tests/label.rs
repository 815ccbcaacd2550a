//! The labelling page: through the keyboard of a real browser, and against those who should not use it.

#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stdout, reason = "the long test says its figures")]

use std::{
    collections::HashMap,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use scarce_tests::{Browser, Labelling, Project, data_with, eventually, files, request};
use serde_json::{Value, json};

const PIPELINE: &str = r#"
[pipeline]
name = "mine"

[stages.images]
kind = "ingest"
path = "pictures"
resize = { height = 8, width = 8 }

[stages.given]
kind = "labels"
inputs = { images = "images" }
path = "mine.labels.csv"

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.answers]
kind = "knn"
inputs = { features = "pixels", labels = "given" }
k = 1

[stages.first]
kind = "select"
inputs = { embeddings = "pixels" }
strategy = "representatives"

[stages.next]
kind = "select"
inputs = { embeddings = "pixels", labels = "given" }
strategy = "representatives"

[stages.groups]
kind = "kmeans"
inputs = { features = "pixels" }
clusters = 4

[stages.map]
kind = "pca"
inputs = { features = "pixels" }
components = 2
"#;

const WORDS: [&str; 6] =
    ["--pipeline", "mine.toml", "--annotator", "ann", "--classes", "upper,lower"];

/// Pictures of two classes that anybody can tell apart; the class is in no name.
fn project(count: usize) -> Project {
    let project = Project::new();
    for at in 0..count {
        let picture = files::png(8, 8, &files::square(at % 2, at));
        project.write(&format!("pictures/{at:04}.png"), picture);
    }
    project.write("mine.toml", PIPELINE);
    project
}

fn class_of(name: &str) -> &'static str {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    ["upper", "lower"][digits.parse::<usize>().unwrap() % 2]
}

/// The lines of the journal that are labels: file and class.
fn kept(project: &Project) -> Vec<(String, String)> {
    let text = project.read("mine.labels.jsonl");
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines
        .filter(|line| line["what"] == "label")
        .map(|line| (word(&line["image"]["file"]), word(&line["class"])))
        .collect()
}

/// What a page of our own sends along.
fn own(page: &Labelling) -> [(String, String); 2] {
    [("cookie".to_owned(), page.cookie()), ("origin".to_owned(), page.base().to_owned())]
}

fn ask(page: &Labelling, path: &str, body: Option<&Value>) -> (u16, Value) {
    let headers = own(page);
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    request(&format!("{}{path}", page.base()), &headers, body)
}

fn status(page: &Labelling) -> Value {
    ask(page, "/api/status", None).1
}

fn ready(page: &Labelling) {
    eventually("the page is ready", || {
        let status = status(page);
        assert_ne!(status["phase"], "failed", "{status}");
        (status["phase"] == "ready").then_some(())
    });
}

/// Labels one picture of the queue rightly, and returns its name.
fn label_one(page: &Labelling) -> String {
    let (_, next) = ask(page, "/api/next", Some(&json!({ "tab": "t" })));
    let item = &next["next"][0];
    let name = item["name"].as_str().unwrap().to_owned();
    let wish = json!({ "tab": "t", "images": [item["place"]], "what": "label",
        "class": class_of(&name), "mode": "one" });
    let (code, answer) = ask(page, "/api/decide", Some(&wish));
    assert_eq!(code, 200, "{answer}");
    name
}

mod the_server {
    use super::*;

    #[test]
    fn answers_nobody_without_the_token_and_no_page_of_others() {
        let project = project(20);
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        let base = page.base();
        let cookie = page.cookie();
        let port = base.rsplit(':').next().unwrap();
        let own_host = format!("127.0.0.1:{port}");
        let status = format!("{base}/api/status");
        assert_eq!(request(&status, &[], None).0, 403, "no token");
        assert_eq!(request(&status, &[("cookie", "scarce-label=x")], None).0, 403, "a wrong one");
        assert_eq!(request(&status, &[("cookie", &cookie)], None).0, 200);
        let foreign = [("cookie", cookie.as_str()), ("host", "evil.example")];
        assert_eq!(request(&status, &foreign, None).0, 403, "another name for this machine");
        assert_eq!(request(&format!("{base}/?token=1234"), &[], None).0, 403);
        assert_eq!(request(&page.address, &[("host", &own_host)], None).0, 303);
        let undo = format!("{base}/api/undo");
        let body = json!({ "tab": "t" });
        assert_eq!(request(&undo, &[("cookie", &cookie)], Some(&body)).0, 403, "no origin");
        let other = [("cookie", cookie.as_str()), ("origin", "http://evil.example")];
        assert_eq!(request(&undo, &other, Some(&body)).0, 403, "another page");
        assert_eq!(ask(&page, "/api/undo", Some(&body)).0, 200);
    }

    #[test]
    fn gives_out_the_pictures_of_the_run_and_nothing_else() {
        let project = project(20);
        project.write("secret.png", files::png(8, 8, &[1; 64]));
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        for size in ["thumb", "display", "full"] {
            assert_eq!(ask(&page, &format!("/picture/3/{size}"), None).0, 200, "{size}");
        }
        for path in [
            "/picture/20/full",
            "/picture/-1/full",
            "/picture/..%2f..%2fsecret.png/full",
            "/picture/3/..%2f..%2fsecret.png",
            "/assets/..%2f..%2fsecret.png",
            "/mine.toml",
        ] {
            let (code, _) = ask(&page, path, None);
            assert!((400..500).contains(&code), "{path}: {code}");
        }
    }

    #[test]
    fn refuses_what_makes_no_sense_with_a_word() {
        let project = project(20);
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        let wish = |images: Value, what: &str, class: Value| json!({ "tab": "t", "images": images, "what": what, "class": class, "mode": "one" });
        for body in [
            wish(json!([]), "label", json!("upper")),
            wish(json!([999]), "label", json!("upper")),
            wish(json!([1]), "label", json!("  ")),
            wish(json!([1]), "label", json!("a\u{7}b")),
            wish(json!([1]), "perhaps", Value::Null),
        ] {
            let (code, answer) = ask(&page, "/api/decide", Some(&body));
            assert_eq!(code, 400, "{body}: {answer}");
            assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
        }
        let key = json!({ "name": "upper", "key": "u" });
        assert_eq!(ask(&page, "/api/class", Some(&key)).0, 400);
        assert!(kept(&project).is_empty());
    }

    #[test]
    fn ends_cleanly_when_asked_to() {
        for name in ["INT", "TERM"] {
            let project = project(20);
            let page = Labelling::start(&project, &WORDS);
            ready(&page);
            let file = label_one(&page);
            assert_eq!(page.end(name), Some(0), "{name}");
            let labels = project.read("mine.labels.csv");
            assert_eq!(labels, format!("file,label,annotator\n{file},{},ann\n", class_of(&file)));
        }
    }
}

mod labels {
    use super::*;

    #[test]
    fn survive_a_kill_in_the_middle() {
        let project = project(60);
        let mut given = Vec::new();
        for _ in 0..3 {
            let page = Labelling::start(&project, &WORDS);
            ready(&page);
            given.extend((0..7).map(|_| label_one(&page)));
            page.kill();
            let names: Vec<String> = kept(&project).into_iter().map(|(file, _)| file).collect();
            assert_eq!(names, given, "every label that was acknowledged, each once");
        }
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        let status = status(&page);
        let count = status["learnt"].as_u64().unwrap() + status["audited"].as_u64().unwrap();
        assert_eq!(count, 21);
    }

    #[test]
    fn of_two_people_on_one_journal_are_both_kept_and_compared() {
        let project = project(40);
        let ann = Labelling::start(&project, &WORDS);
        ready(&ann);
        let words = ["--pipeline", "mine.toml", "--annotator", "bob"];
        let bob = Labelling::start(&project, &words);
        ready(&bob);
        for (page, class) in [(&ann, "upper"), (&bob, "lower")] {
            for place in [1, 2, 3] {
                let class = if place == 3 { "upper" } else { class };
                let wish = json!({ "tab": "t", "images": [place], "what": "label",
                    "class": class, "mode": "one" });
                assert_eq!(ask(page, "/api/decide", Some(&wish)).0, 200);
            }
        }
        let agreement = eventually("ann sees what bob said", || {
            let agreement = status(&ann)["agreement"][0].clone();
            (agreement["both"] == 3).then_some(agreement)
        });
        assert_eq!((&agreement["one"], &agreement["other"]), (&json!("ann"), &json!("bob")));
        assert_eq!(agreement["same"], 1);
        assert_eq!(kept(&project).len(), 6);
        drop((ann, bob));
        // Whose word counts is a parameter.
        for (rule, wanted) in [("last", "lower"), ("first", "upper"), ("ann", "upper")] {
            let words = [&WORDS[..], &["--who-wins", rule]].concat();
            let page = Labelling::start(&project, &words);
            ready(&page);
            let item = ask(&page, "/api/item/1", None).1;
            assert_eq!(item["decision"]["class"], wanted, "{rule}");
        }
    }

    #[test]
    fn follow_a_picture_that_was_renamed_and_leave_one_that_was_changed() {
        let project = project(40);
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        for place in [4, 5, 6] {
            let wish = json!({ "tab": "t", "images": [place], "what": "label",
                "class": "upper", "mode": "one" });
            assert_eq!(ask(&page, "/api/decide", Some(&wish)).0, 200);
        }
        page.end("INT");
        let pictures = project.path("pictures");
        fs_err::rename(pictures.join("0004.png"), pictures.join("9004.png")).unwrap();
        fs_err::write(pictures.join("0005.png"), files::png(8, 8, &[77; 64])).unwrap();
        // New pictures come in before the others.
        project.write("pictures/0000a.png", files::png(8, 8, &[99; 64]));
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        let status = status(&page);
        assert_eq!(status["images"], 41);
        let count = status["learnt"].as_u64().unwrap() + status["audited"].as_u64().unwrap();
        assert_eq!(count, 2, "{status}");
        assert!(status["notices"].to_string().contains("changed"), "{status}");
        page.end("INT");
        let labels = project.read("mine.labels.csv") + &project.read("mine.labels.audit.csv");
        assert!(labels.contains("9004.png,upper") && labels.contains("0006.png,upper"), "{labels}");
        assert!(!labels.contains("0005.png"), "{labels}");
        assert!(project.read("mine.labels.jsonl").contains("0005.png"), "the journal keeps it");
    }

    #[test]
    fn of_another_tool_come_in_once_and_a_stale_file_brings_nothing_back() {
        let project = project(40);
        project.write(
            "old.csv",
            "image,choice,annotator\n/data/upload/1/df8721fe-0003.png,lower,eve\n",
        );
        let words = [&WORDS[..], &["--labels", "old.csv"]].concat();
        for _ in 0..2 {
            let page = Labelling::start(&project, &words);
            ready(&page);
            assert_eq!(status(&page)["learnt"], 1);
            page.end("INT");
        }
        assert_eq!(kept(&project), [("0003.png".to_owned(), "lower".to_owned())]);
        // Undone, and killed before the file of labels follows.
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        let file = label_one(&page);
        page.end("INT");
        let stale = project.read("mine.labels.csv");
        assert!(stale.contains(&file));
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        assert_eq!(ask(&page, "/api/undo", Some(&json!({ "tab": "t" }))).0, 200);
        page.kill();
        project.write("mine.labels.csv", stale);
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        assert_eq!(status(&page)["learnt"], 1);
    }

    #[test]
    fn that_a_full_disk_does_not_take_are_not_called_kept() {
        let project = project(20);
        let page = Labelling::start(&project, &WORDS);
        ready(&page);
        label_one(&page);
        page.end("INT");
        let before = project.read("mine.labels.jsonl");
        // Nobody may append any more, not even the owner.
        let script = "mount -t tmpfs -o size=64k none /mnt && cp mine.labels.jsonl /mnt/j.jsonl && \
                      dd if=/dev/zero of=/mnt/filler bs=1k 2>/dev/null; exec \"$0\" \"$@\"";
        let Some(page) = Labelling::start_in_own_mounts(
            &project,
            script,
            &[&WORDS[..], &["--journal", "/mnt/j.jsonl"]].concat(),
        ) else {
            return;
        };
        ready(&page);
        let mut refused = None;
        // The last page of the file may have room for a line or two.
        for place in 0..20 {
            let class = "x".repeat(70);
            let wish = json!({ "tab": "t", "images": (0..20).collect::<Vec<u32>>(), "what": "label",
                "class": format!("{class}{place}"), "mode": "one" });
            let before = status(&page)["latest"].clone();
            let (code, answer) = ask(&page, "/api/decide", Some(&wish));
            if code != 200 {
                assert_eq!(
                    status(&page)["latest"],
                    before,
                    "what is not kept is not shown as kept"
                );
                refused = Some((code, answer));
                break;
            }
        }
        let (code, answer) = refused.expect("the disk is full");
        assert_eq!((code, &answer["code"]), (507, &json!("label::not_kept")), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains("not kept"), "{answer}");
        assert_eq!(project.read("mine.labels.jsonl"), before);
    }
}

mod a_person {
    use super::*;

    /// The text of the page has these words.
    fn sees(browser: &Browser, words: &str) {
        browser.until(20, &format!("return document.body.innerText.includes({})", json!(words)));
    }

    fn current(browser: &Browser) -> String {
        let alt = browser.until(20, "return document.querySelector('#stage img')?.alt ?? null");
        alt.as_str().unwrap().trim_start_matches("Picture ").to_owned()
    }

    /// Presses the key of the right class, and waits for the next picture.
    fn answer(browser: &Browser) -> String {
        let name = current(browser);
        browser.keys(if class_of(&name) == "upper" { "p" } else { "l" });
        let other = format!(
            "return document.querySelector('#stage img')?.alt !== {}",
            json!(format!("Picture {name}"))
        );
        browser.until(20, &other);
        name
    }

    #[test]
    fn labels_through_the_keyboard_and_loses_nothing_when_it_is_killed() {
        let Some(browser) = Browser::start() else { return };
        let project = project(80);
        let page = Labelling::start(&project, &WORDS);
        browser.open(&page.address);
        sees(&browser, "Which class is it?");
        let address = browser.script("return location.href", &[]);
        assert_eq!(address, json!(format!("{}/", page.base())), "the token is out of sight");
        let mut given: Vec<String> = (0..10).map(|_| answer(&browser)).collect();
        // The first guesses come by themselves, and Enter accepts one.
        browser.until(
            30,
            "return document.querySelector('#guess').textContent.includes('Looks like')",
        );
        let guessed = current(&browser);
        browser.keys("\u{e007}");
        eventually("the guess is kept", || {
            kept(&project).iter().any(|(f, _)| *f == guessed).then_some(())
        });
        given.push(guessed);
        // Undone, it is there again.
        browser.keys("z");
        let undone = given.pop().unwrap();
        let wanted = json!(format!("Picture {undone}"));
        browser
            .until(20, &format!("return document.querySelector('#stage img')?.alt === {wanted}"));
        given.push(answer(&browser));
        // A new class on the way.
        let name = current(&browser);
        browser.keys("n");
        browser.until(10, "return document.activeElement.id === 'new-class'");
        browser.keys("odd\u{e007}");
        eventually("the new class is kept", || {
            kept(&project).contains(&(name.clone(), "odd".to_owned())).then_some(())
        });
        // Unsure, unusable, skipped: all go on to another picture.
        for key in ["u", "x", "\u{e014}"] {
            let name = current(&browser);
            browser.keys(key);
            let other = json!(format!("Picture {name}"));
            browser.until(
                20,
                &format!("return document.querySelector('#stage img')?.alt !== {other}"),
            );
        }
        page.kill();
        let before = kept(&project);
        browser.keys("p");
        browser.until(20, "return !document.querySelector('#alert').hidden");
        let page = Labelling::start(&project, &WORDS);
        browser.open(&page.address);
        sees(&browser, "Last decisions");
        for _ in 0..5 {
            answer(&browser);
        }
        let after = kept(&project);
        assert_eq!(after.len(), before.len() + 5);
        assert_eq!(after[..before.len()], before[..]);
        assert!(given.iter().all(|name| after.iter().any(|(file, _)| file == name)));
    }

    #[test]
    fn labels_many_at_once_with_exceptions_left_out() {
        let Some(browser) = Browser::start() else { return };
        let project = project(80);
        let page = Labelling::start(&project, &WORDS);
        browser.open(&page.address);
        sees(&browser, "Which class is it?");
        browser.until(20, "return document.querySelector('#modes a') !== null");
        eventually("there are groups", || (status(&page)["has_groups"] == true).then_some(()));
        browser.script("location.hash = '#many'", &[]);
        browser.until(20, "return document.querySelectorAll('.cell').length > 4");
        let click = "const cells = document.querySelectorAll('.cell');
            cells[0].click();
            cells[3].dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey: true }));
            cells[1].click();
            return [...cells].map((cell) => cell.getAttribute('aria-checked') === 'true').slice(0, 5)";
        let chosen = browser.script(click, &[]);
        assert_eq!(chosen, json!([true, false, true, true, false]));
        browser.keys("p");
        eventually("three are labelled", || (kept(&project).len() == 3).then_some(()));
        browser.keys("z");
        eventually("all three are taken back", || (status(&page)["learnt"] == 0).then_some(()));
    }

    #[test]
    fn finds_names_roles_and_states_for_everything_that_can_be_used() {
        let Some(browser) = Browser::start() else { return };
        let project = project(60);
        let page = Labelling::start(&project, &WORDS);
        browser.open(&page.address);
        sees(&browser, "Which class is it?");
        (0..10).for_each(|_| drop(answer(&browser)));
        for mode in ["one", "many", "correct", "map"] {
            browser.script(&format!("location.hash = '#{mode}'"), &[]);
            thread::sleep(Duration::from_millis(400));
            let nameless = browser.script(
                "const named = (e) => e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.title;
                 const use = [...document.querySelectorAll('button, a, input, canvas, progress, [role=group]')];
                 const images = [...document.images].filter((image) => !image.hasAttribute('alt'));
                 return [...use.filter((e) => !named(e)), ...images].map((e) => e.outerHTML)",
                &[],
            );
            assert_eq!(nameless, json!([]), "{mode}");
            let twice = browser.script(
                "const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
                 return ids.filter((id, at) => ids.indexOf(id) !== at)",
                &[],
            );
            assert_eq!(twice, json!([]), "{mode}");
        }
    }
}

/// The clothes photographs, flat in one folder, with the class of each.
fn clothes(project: &Project, most: usize) -> Option<HashMap<String, String>> {
    let photos = data_with("photos")?.join("photos");
    let archive = photos.join("clothing.tar");
    let unpacked = std::process::Command::new("tar")
        .args(["xf".as_ref(), archive.as_os_str()])
        .current_dir(project.folder())
        .status();
    assert!(unpacked.is_ok_and(|status| status.success()), "{}", archive.display());
    fs_err::create_dir(project.path("photos")).unwrap();
    let mut found = Vec::new();
    collect(&project.path("clothing"), &mut found);
    found.sort();
    let step = found.len().div_ceil(most).max(1);
    let mut truth = HashMap::new();
    for path in found.into_iter().step_by(step) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let class = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        fs_err::rename(&path, project.path("photos").join(&name)).unwrap();
        truth.insert(name, class);
    }
    Some(truth)
}

fn collect(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { collect(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// All clothes photographs, labelled through the keyboard by somebody who knows the truth and takes a
/// second for each: the figures of the documentation. Minutes of encoding.
///
/// `cargo test --release -p scarce-tests --test label -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes; prints the figures"]
fn clothes_by_the_keyboard() {
    let Some(browser) = Browser::start() else { return };
    let mut project = Project::new();
    let most = std::env::var("SCARCE_TEST_CLOTHES").ok().and_then(|text| text.parse().ok());
    let Some(truth) = clothes(&project, most.unwrap_or(usize::MAX)) else { return };
    let shared = data_with("photos").unwrap();
    project.set("SCARCE_DATA", &shared.parent().unwrap().to_string_lossy());
    let mut names: Vec<&String> = truth.values().collect();
    names.sort();
    names.dedup();
    let classes = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    let words =
        ["photos", "--encoder", "efficientnet-lite0", "--annotator", "ann", "--classes", &classes];
    let mut page = Labelling::start(&project, &words);
    browser.open(&page.address);
    let begin = Instant::now();
    browser.until(3_600, "return document.querySelector('#stage img') !== null");
    println!("{} pictures, ready after {:.0} s", truth.len(), begin.elapsed().as_secs_f64());
    let (mut waits, mut missed) = (Vec::new(), Vec::new());
    for (goal, wanted) in [(10, 0.70), (50, 0.78), (100, 0.80)] {
        while status(&page)["learnt"].as_u64().unwrap() < goal {
            let alt = browser.until(20, "return document.querySelector('#stage img')?.alt ?? null");
            let name = alt.as_str().unwrap().trim_start_matches("Picture ").to_owned();
            let known = status(&page);
            let class = known["classes"].as_array().unwrap().iter();
            let class = class.clone().find(|class| class["name"] == json!(truth[&name])).unwrap();
            thread::sleep(Duration::from_millis(700));
            let pressed = Instant::now();
            browser.keys(class["key"].as_str().unwrap());
            let other = json!(alt);
            browser.until(
                20,
                &format!("return document.querySelector('#stage img')?.alt !== {other}"),
            );
            waits.push(pressed.elapsed().as_secs_f64());
        }
        let status = eventually("the model has learnt from all labels", || {
            let status = status(&page);
            (status["learnt_from"] == goal && status["learning"] == false).then_some(status)
        });
        let file = format!("predictions-{goal}.csv");
        project.scarce(&["export", "photos.toml", "--as", "csv", "--to", &file]).ended(0);
        let (mut right, mut total) = (0, 0);
        for line in project.read(&file).lines().skip(1).filter(|line| line.ends_with(",predicted"))
        {
            let cells: Vec<&str> = line.split(',').collect();
            total += 1;
            right += usize::from(truth[cells[0]] == cells[1]);
        }
        let share = f64::from(right as u32) / f64::from(total);
        println!(
            "{goal} labels learnt from, {} audits: {:.1} % of {total} others right; the page says {}; new guesses in {:.1} s",
            status["audited"],
            100.0 * share,
            status["audit"],
            status["learnt_in"].as_f64().unwrap_or_default()
        );
        if most.is_none() && share < wanted {
            missed.push(format!("{:.1} % after {goal} labels", 100.0 * share));
        }
        if goal == 50 {
            page.kill();
            page = Labelling::start(&project, &words[..1]);
            browser.open(&page.address);
            browser.until(120, "return document.querySelector('#stage img') !== null");
            assert_eq!(self::status(&page)["learnt"], 50);
        }
    }
    let mut painted: Vec<f64> = browser
        .script("return window.keyToPicture", &[])
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    painted.sort_by(f64::total_cmp);
    waits.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    println!(
        "key to picture: median {:.0} ms, 95th percentile {:.0} ms of {} in the browser; longest wait seen from outside {:.2} s",
        at(&painted, 0.5),
        at(&painted, 0.95),
        painted.len(),
        waits.last().unwrap()
    );
    assert!(waits.last().unwrap() < &1.0);
    assert!(missed.is_empty(), "less than wanted: {}", missed.join(", "));
}
