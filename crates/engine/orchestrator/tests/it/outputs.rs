//! What a host leaves among its outputs, and what it calls them.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use crate::project::Project;

/// A host of one kind whose output has this name and format; `exec` goes to the folder of the outputs
/// and does as told.
fn project(port: &str, format: &str, exec: &str) -> Project {
    let mut project = Project::new("[stages.a]\nkind = \"odd\"\n");
    let text = format!(
        r#"if [ "$1" = describe ]; then
printf '%s' '{{"protocol":1,"kinds":[{{"kind":"odd","summary":"s","fingerprint":"1","outputs":[{{"name":"{port}","type":"page","format":"{format}","doc":"d"}}]}}]}}'
else
cd "$(dirname "$(sed 's/.*"{port}":"\([^"]*\)".*/\1/' "$2")")" || exit 9
{exec}
echo '{{"event":"done"}}'
fi"#
    );
    project.hosts = vec![project.script("host", &text)];
    project
}

/// A file of somebody else's.
fn victim(project: &Project) -> PathBuf {
    let path = project.path("precious.txt");
    fs_err::write(&path, "precious").unwrap();
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    path
}

#[test]
fn ports_that_lead_elsewhere_or_to_the_files_of_the_store_are_refused() {
    for (port, format) in [
        ("../escape", "page"),
        ("/tmp/escape", "page"),
        ("a/b", "table"),
        ("", "page"),
        ("two words", "page"),
        ("manifest", "model"),
    ] {
        let error = project(port, format, "").with(|_| ()).unwrap_err().to_string();
        assert!(error.contains("`odd`") && error.contains(&format!("`{port}`")), "{error}");
    }
    assert!(project("manifest", "page", "").with(|_| ()).is_ok());
}

#[test]
fn links_are_refused_and_lead_to_no_harm() {
    for (exec, words) in [
        ("echo x > page.html; ln -s VICTIM manifest.json", "`manifest.json`"),
        ("echo x > page.html; ln -f VICTIM manifest.json", "`manifest.json`"),
        ("echo x > page.html; echo {} > manifest.json", "`manifest.json`"),
        ("echo x > page.html; ln -sf VICTIM log.jsonl", "`log.jsonl`"),
        ("ln VICTIM page.html", "`page.html`"),
        ("ln -s VICTIM page.html", "`page.html`"),
        ("cd ..; rm -r entry; ln -s \"$(dirname VICTIM)\" entry", "in place of the folder"),
    ] {
        let folder = project("page", "page", "");
        let victim = victim(&folder);
        let mut project =
            project("page", "page", &exec.replace("VICTIM", victim.to_str().unwrap()));
        project.options.jobs = 1;
        let ran = project.run();
        let failure = ran.failure();
        assert_eq!(failure.code, "orchestrator::output", "{exec}: {failure:?}");
        assert!(failure.message.contains(words), "{exec}: {failure:?}");
        assert_eq!(fs_err::read_to_string(&victim).unwrap(), "precious", "{exec}");
        let mode = fs_err::metadata(&victim).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "{exec}");
        assert!(!project.root().join("runs/small/a").exists(), "{exec}");
    }
}

#[test]
fn files_of_its_own_are_published() {
    let project = project("page", "page", "echo x > page.html; echo y > scratch");
    assert_eq!(project.run().counts(), (1, 0));
    assert!(project.root().join("runs/small/a/page.html").exists());
}
