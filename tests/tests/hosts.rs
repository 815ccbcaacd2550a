//! Programs that provide kinds: the two built in, and those that anybody adds.

#![allow(clippy::unwrap_used)]

use std::{os::unix::fs::PermissionsExt, path::Path};

use scarce_tests::{Project, SMALL, binaries, fixture};

const PAGE: &str = r#"
[pipeline]
name = "page"
hosts = ["HOST"]

[stages.page]
kind = "python-page"
text = "from Python"
"#;

/// A pipeline that names the Python host.
fn page() -> Project {
    Project::with(&PAGE.replace("HOST", &fixture("scarce-python").to_string_lossy()))
}

/// A program in the project's folder `bin`, which is put first on the path.
fn on_the_path(project: &mut Project, name: &str, text: &str) {
    let program = project.write(&format!("bin/{name}"), text);
    fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let first = project.path("bin").to_string_lossy().into_owned();
    project.set("PATH", &format!("{first}:{path}"));
}

fn python() -> String {
    fs_err::read_to_string(fixture("scarce-python")).unwrap()
}

mod a_host_in_python {
    use super::*;

    #[test]
    fn runs_when_the_pipeline_names_it() {
        let project = page();
        let run = project.run(&[]).ended(0);
        assert_eq!(run.ran(), ["page"]);
        let html = project.read("artifacts/runs/page/page/page.html");
        assert!(html.contains("from Python"), "{html}");
        assert_eq!(project.run(&[]).ended(0).ran(), [""; 0]);
        let says = run.all("log").any(|event| event["message"] == "python 3 runs python-page");
        assert!(says, "{}", run.answer);
    }

    #[test]
    fn is_found_on_the_path_and_beside_the_pipeline() {
        let mut project = Project::with(&PAGE.replace("hosts = [\"HOST\"]\n", ""));
        on_the_path(&mut project, "scarce-python", &python());
        assert_eq!(project.run(&[]).ended(0).ran(), ["page"]);
        let listed = project.scarce(&["stages"]).ended(0);
        listed.says(&["python-page", "python-pass", "autoencoder", "knn"]);

        let beside = Project::with(&PAGE.replace("HOST", "bin/scarce-python"));
        let program = beside.write("bin/scarce-python", python());
        fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(beside.run(&[]).ended(0).ran(), ["page"]);
    }

    #[test]
    fn reads_and_writes_tables_of_others() {
        let hosts = format!("hosts = [\"{}\"]", fixture("scarce-python").display());
        let text = SMALL.replace("name = \"small\"", &format!("name = \"small\"\n{hosts}"));
        let text = text.replace("labels = \"labels\"", "labels = \"handed-on\"")
            + "\n[stages.handed-on]\nkind = \"python-pass\"\ninputs = { labels = \"labels\" }\n";
        let project = Project::with(&text);
        assert_eq!(project.run(&[]).ended(0).ran().len(), 6);
        let labels = project.digests("small/labels");
        assert_eq!(project.digests("small/handed-on"), labels);
    }

    #[test]
    fn fails_with_its_own_words() {
        let project = page();
        project.edit("text =", "fail = true\ntext =");
        let answer = project.ask("run", &[]).ended(1);
        answer.complains_of(&["failed as asked", "[python::asked]", "set `fail = false`"]);
        let failure = project.run(&[]).ended(1);
        assert_eq!(failure.failure("page")["code"], "python::asked");
    }

    #[test]
    fn has_its_parameters_checked_like_any_other() {
        let project = page();
        project.edit("text =", "txt =");
        let answer = project.ask("check", &[]).ended(2);
        answer.complains_of(&["unknown key `txt`", "`text`"]);
    }
}

mod a_broken_host {
    use super::*;

    #[test]
    fn on_the_path_is_a_warning_and_breaks_nothing() {
        let mut project = Project::with(SMALL);
        on_the_path(&mut project, "scarce-foo", "#!/bin/sh\necho not json\n");
        on_the_path(&mut project, "scarce-bar", "#!/bin/sh\necho lost my way >&2\nexit 7\n");
        let answer = project.ask("run", &[]).ended(0);
        answer.complains_of(&["scarce-foo", "scarce-bar", "lost my way", "5 ran"]);
    }

    #[test]
    fn that_the_pipeline_names_is_an_error() {
        let project = Project::with(&PAGE.replace("HOST", "./nowhere"));
        project.ask("run", &[]).ended(2).complains_of(&["nowhere", "orchestrator::host"]);
    }

    #[test]
    fn of_another_protocol_is_told_apart() {
        let mut project = Project::with(&PAGE.replace("HOST", "scarce-later"));
        on_the_path(&mut project, "scarce-later", "#!/bin/sh\necho '{\"protocol\": 9}'\n");
        project.ask("check", &[]).ended(2).complains_of(&["protocol 9"]);
    }

    #[test]
    fn that_dies_without_a_word_is_a_failed_stage() {
        let text = python().replace("code = {", "import os; os._exit(3)\n        code = {");
        let mut project = Project::with(&PAGE.replace("HOST", "scarce-python"));
        on_the_path(&mut project, "scarce-python", &text);
        let run = project.run(&[]).ended(1);
        let message = run.failure("page")["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains("exit code 3"), "{message}");
    }
}

mod a_table_of_a_host {
    use super::*;

    /// A pipeline of one stage, whose host hands on one of the tables in `fixtures/predictions`.
    fn handing_on(table: &str) -> Project {
        let (host, path) =
            (fixture("scarce-copy"), fixture(&format!("predictions/{table}.parquet")));
        let (host, path) = (host.display(), path.display());
        Project::with(&format!(
            "[pipeline]\nname = \"copied\"\nhosts = [\"{host}\"]\n\n\
             [stages.copied]\nkind = \"copied-predictions\"\npath = \"{path}\"\n"
        ))
    }

    #[test]
    fn is_published_when_it_keeps_what_it_promises() {
        let project = handing_on("good");
        assert_eq!(project.run(&[]).ended(0).ran(), ["copied"]);
    }

    #[test]
    fn is_refused_by_row_and_column_when_it_does_not() {
        for (table, words) in [
            ("fifty-times", "row 10, column `id`: 7 occurs twice"),
            ("seven", "row 41, column `probabilities`: the probability of class 1 is 7"),
        ] {
            let run = handing_on(table).run(&[]).ended(1);
            let failure = run.failure("copied");
            assert_eq!(failure["code"], "orchestrator::output");
            let message = failure["message"].as_str().unwrap();
            assert!(
                message.starts_with("output `predictions`") && message.ends_with(words),
                "{message}"
            );
        }
    }
}

mod libtorch {
    use super::*;

    /// Names of the shared libraries that a program needs, from its ELF dynamic section.
    fn libraries(program: &Path) -> String {
        let words = ["-d", &program.to_string_lossy()];
        let answer = std::process::Command::new("readelf").args(words).output();
        if let Ok(output) = answer
            && output.status.success()
        {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            return text.lines().filter(|line| line.contains("(NEEDED)")).collect();
        }
        let output = std::process::Command::new("ldd").arg(program).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn is_linked_by_scarce_torch_and_not_by_scarce() {
        let of = |name| libraries(&binaries().join(name));
        assert!(of("scarce").contains("libc"), "the list is read: {}", of("scarce"));
        for library in ["torch", "libc10", "cuda"] {
            assert!(!of("scarce").contains(library), "{}", of("scarce"));
        }
        assert!(of("scarce-torch").contains("libtorch"), "{}", of("scarce-torch"));
    }

    #[test]
    fn is_found_from_any_folder_with_an_empty_environment() {
        let output = std::process::Command::new(binaries().join("scarce-torch"))
            .arg("describe")
            .current_dir("/")
            .env_clear()
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("\"autoencoder\"") && text.contains("\"encode\""), "{text}");
    }
}
