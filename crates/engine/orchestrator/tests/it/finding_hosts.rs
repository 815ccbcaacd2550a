use std::time::Duration;

use scarce_orchestrator::{BuiltIn, Hosts, Rank, Search};
use scarce_stage::Description;
use tempfile::TempDir;

use crate::project::{Project, script, test_host};

/// A script that hosts one kind.
fn host(folder: &TempDir, name: &str, kind: &str) -> std::path::PathBuf {
    let description = format!(r#"{{"protocol":1,"kinds":[{{"kind":"{kind}","summary":"s"}}]}}"#);
    script(folder.path(), name, &format!("echo started >> \"$0.log\"\nprintf '%s' '{description}'"))
}

fn search(path: &TempDir) -> Search {
    Search {
        named: Vec::new(),
        builtin: None,
        siblings: None,
        path: Some(path.path().into()),
        cache: None,
        timeout: Duration::from_secs(10),
    }
}

#[test]
fn hosts_on_the_path_are_found_by_their_name() {
    let path = tempfile::tempdir().unwrap();
    host(&path, "scarce-one", "one");
    host(&path, "other", "two");
    fs_err::write(path.path().join("scarce-notes.txt"), "not a program").unwrap();
    let hosts = Hosts::discover(&search(&path)).unwrap();
    assert_eq!(hosts.all().len(), 1);
    let (_, kind) = hosts.get("one").unwrap();
    assert!(kind.fingerprint.starts_with("program "), "a script is its own fingerprint");
    assert!(hosts.get("two").is_none());
}

#[test]
fn a_broken_one_on_the_path_is_a_warning_and_a_broken_one_that_is_named_an_error() {
    let path = tempfile::tempdir().unwrap();
    host(&path, "scarce-good", "good");
    let broken = [
        script(path.path(), "scarce-nonsense", "echo hello"),
        script(path.path(), "scarce-old", r#"echo '{"protocol":0,"kinds":[]}'"#),
        script(path.path(), "scarce-sad", "echo 'no libtorch here' >&2; exit 3"),
        script(path.path(), "scarce-slow", "sleep 60"),
        script(
            path.path(),
            "scarce-twice",
            r#"echo '{"protocol":1,"kinds":[{"kind":"a","summary":""},{"kind":"a","summary":""}]}'"#,
        ),
    ];
    let mut search = search(&path);
    search.timeout = Duration::from_millis(1500);
    let hosts = Hosts::discover(&search).unwrap();
    assert!(hosts.get("good").is_some());
    assert_eq!(hosts.warnings().len(), broken.len(), "{:?}", hosts.warnings());
    let words =
        ["not a host's description", "protocol 0", "no libtorch here", "did not answer", "twice"];
    for (warning, words) in hosts.warnings().iter().zip(words) {
        assert!(warning.contains(words), "{warning}");
    }
    search.named = vec!["scarce-sad".into()];
    let error = Hosts::discover(&search).unwrap_err().to_string();
    assert!(error.contains("scarce-sad") && error.contains("no libtorch here"), "{error}");
    search.named = vec!["/nowhere/host".into()];
    assert!(Hosts::discover(&search).unwrap_err().to_string().contains("/nowhere/host"));
}

#[test]
fn the_earlier_of_two_wins_unless_they_rank_the_same() {
    let path = tempfile::tempdir().unwrap();
    host(&path, "scarce-a", "shared");
    let mut search = search(&path);
    let builtin = Description::new("shared", "built in");
    search.builtin = Some(BuiltIn { program: test_host(), kinds: vec![builtin] });
    let hosts = Hosts::discover(&search).unwrap();
    assert_eq!(hosts.get("shared").unwrap().1.summary, "built in");
    assert_eq!(hosts.all()[0].rank, Rank::BuiltIn);
    assert!(hosts.warnings()[0].contains("is taken from"), "{:?}", hosts.warnings());

    // Two on the path: only who needs the kind is bothered.
    let mut project = Project::new("[stages.a]\nkind = \"scripted\"\n");
    let again = |name: &str| {
        project.script(
            name,
            r#"printf '%s' '{"protocol":1,"kinds":[{"kind":"scripted","summary":"s"}]}'"#,
        )
    };
    let both = vec![again("one"), again("two"), test_host()];
    project.hosts = both;
    let error = project.with(|_| ()).unwrap_err().to_string();
    assert!(error.contains("/one`") && error.contains("/two`"), "{error}");
    project.toml = "[stages.a]\nkind = \"source\"\n".to_owned();
    assert!(project.with(|_| ()).is_ok());
}

#[test]
fn a_description_is_remembered_until_the_program_changes() {
    let path = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let program = host(&path, "scarce-one", "one");
    let mut search = search(&path);
    search.cache = Some(cache.path().to_owned());
    let starts = || fs_err::read_to_string(program.with_extension("log")).unwrap().lines().count();
    for _ in 0..3 {
        assert!(Hosts::discover(&search).unwrap().get("one").is_some());
    }
    assert_eq!(starts(), 1);
    host(&path, "scarce-one", "another");
    assert!(Hosts::discover(&search).unwrap().get("another").is_some());
    assert_eq!(starts(), 2);
}

/// A default that is another would be another parameter of every stage that leaves it out, without a word.
#[test]
fn a_description_that_has_changed_on_the_disk_is_asked_for_anew() {
    let path = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let program = host(&path, "scarce-one", "one");
    let mut search = search(&path);
    search.cache = Some(cache.path().to_owned());
    assert!(Hosts::discover(&search).unwrap().get("one").is_some());
    let files = scarce_store::list(cache.path()).unwrap();
    let [file] = &files[..] else { panic!("one description") };
    let text = fs_err::read_to_string(file).unwrap();
    assert!(text.contains("\"one\""), "{text}");
    fs_err::write(file, text.replace("\"one\"", "\"two\"")).unwrap();
    let hosts = Hosts::discover(&search).unwrap();
    assert!(hosts.get("one").is_some() && hosts.get("two").is_none());
    let starts = fs_err::read_to_string(program.with_extension("log")).unwrap().lines().count();
    assert_eq!(starts, 2);
    assert_eq!(fs_err::read_to_string(file).unwrap(), text, "and remembered anew");
}

#[test]
fn one_on_the_path_that_does_not_answer_costs_its_silence_once() {
    let path = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let hang = || script(path.path(), "scarce-slow", "echo started >> \"$0.log\"\nsleep 60");
    let program = hang();
    let mut search = search(&path);
    search.cache = Some(cache.path().to_owned());
    search.timeout = Duration::from_millis(700);
    let starts = || fs_err::read_to_string(program.with_extension("log")).unwrap().lines().count();
    for _ in 0..3 {
        let hosts = Hosts::discover(&search).unwrap();
        let [warning] = hosts.warnings() else { panic!("{:?}", hosts.warnings()) };
        assert!(warning.contains("scarce-slow") && warning.contains("did not answer"), "{warning}");
    }
    assert_eq!(starts(), 1);
    // Another file under this name may be another program.
    fs_err::remove_file(&program).unwrap();
    hang();
    assert_eq!(Hosts::discover(&search).unwrap().warnings().len(), 1);
    assert_eq!(starts(), 2);
    host(&path, "scarce-slow", "quick");
    assert!(Hosts::discover(&search).unwrap().get("quick").is_some());
    // Who asks for it by name gets it asked.
    hang();
    assert_eq!(Hosts::discover(&search).unwrap().warnings().len(), 1);
    search.named = vec![program.clone()];
    assert!(Hosts::discover(&search).unwrap_err().to_string().contains("did not answer"));
    assert_eq!(starts(), 5);
}
