//! Programs of others that provide kinds, and do it badly.

use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use scarce_tests::{Child, SMALL, descendants};

use super::kills::all_end;
use crate::{Case, Outcome, Subject, pipelines, subject::as_documented};

/// What a host says that it provides, when it says it well.
const DESCRIPTION: &str = r#"{"protocol": 1, "kinds": [{"kind": "evil", "summary": "Does what it should not",
  "outputs": [{"name": "page", "type": "page", "format": "page", "doc": "The page"},
              {"name": "labels", "type": "labels", "format": "table", "doc": "Labels"}],
  "params": {"type": "object", "additionalProperties": false, "properties": {}}, "fingerprint": "1"}]}"#;

/// Ways to run a stage badly; `$page` and `$labels` are where the outputs go, `$victim` is a file that
/// is none of the host's business.
const RUNS: &[&str] = &[
    "sleep 60",
    "trap '' TERM INT HUP; while :; do sleep 1; done",
    "exec <&- >&- 2>&-; sleep 60",
    "kill -STOP $$; sleep 60",
    "yes | head -c 30000000",
    "yes >&2 | head -c 10; yes | head -c 30000000 >&2",
    "head -c 30000000 /dev/zero | tr '\\0' a",
    "head -c 3000000 /dev/urandom",
    "head -c 3000000 /dev/urandom >&2",
    "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 4) & done; echo '{\"event\":\"done\"}'",
    "(sleep 4; echo '{\"event\":\"done\"}') & echo '{\"event\":\"failed\"'",
    "kill -KILL $$",
    "kill -SEGV $$",
    "kill -TERM $$",
    "exit 0",
    "exit 3",
    "exit 255",
    "echo '{\"event\":\"done\"}'",
    "echo '{\"event\":\"done\"}'; echo '{\"event\":\"done\"}'; exit 1",
    "echo '{\"event\":\"failed\",\"code\":\"x\",\"message\":\"x\"}'; echo '{\"event\":\"done\"}'",
    "echo '{\"event\":\"failed\",\"code\":1,\"message\":{}}'",
    "printf '{\"event\":\"failed\",\"code\":\"x\",\"message\":\"'; head -c 2000000 /dev/zero | tr '\\0' b; echo '\"}'",
    "echo '{\"event\":\"progress\",\"done\":18446744073709551616,\"total\":-1}'; echo '[[[[[[[['; echo null",
    "printf '{\"event\":\"progress\",\"done\":5,\"total\":1,\"unit\":\"\\u001b[31m\\u0000\"}\\n'; echo ok",
    "ln -s \"$victim\" \"$page.html\"; make_labels; done_",
    "ln \"$victim\" \"$page.html\"; make_labels; done_",
    "mkdir \"$page.html\"; make_labels; done_",
    "mkfifo \"$page.html\"; make_labels; done_",
    ": > \"$page.html\"; : > \"$labels.parquet\"; done_",
    "make_page; echo PAR1PAR1PAR1 > \"$labels.parquet\"; done_",
    "make_page; head -c 100000 /dev/urandom > \"$labels.parquet\"; done_",
    "make_page; cp \"$1\" \"$labels.parquet\"; done_",
    "make_page; rm -rf \"$(dirname \"$page\")\"; done_",
    "make_page; rm -rf \"$(dirname \"$page\")\"; ln -s \"$(dirname \"$victim\")\" \"$(dirname \"$page\")\"; done_",
    "make_page; make_labels; chmod 000 \"$(dirname \"$page\")\" \"$page.html\"; done_",
    "make_page; ln -s \"$victim\" \"$(dirname \"$page\")/manifest.json\"; done_",
    "make_page; rm -f \"$(dirname \"$page\")/log.jsonl\"; ln -s \"$victim\" \"$(dirname \"$page\")/log.jsonl\"; exit 1",
    "make_page; mkdir \"$(dirname \"$page\")/extra\"; echo x > \"$(dirname \"$page\")/extra/x\"; done_",
    "rm -f \"$1\"; cd /; make_page; exit 1",
    "setsid sleep 4 & done_",
];

/// Ways to say badly what there is.
const DESCRIPTIONS: &[&str] = &[
    "sleep 60",
    "yes",
    "exit 1",
    "true",
    "kill -KILL $$",
    "head -c 50000000 /dev/zero",
    "(sleep 30) & echo \"$description\"",
    "echo \"$description\"; echo \"$description\"",
    "echo \"$description\" | sed 's/\"protocol\": 1/\"protocol\": 99/'",
    "echo \"$description\" | sed 's/\"evil\"/\"knn\"/'",
    "echo \"$description\" | sed 's/\"evil\"/\"..\\/..\"/'",
    "echo \"$description\" | sed 's/\"evil\"/\"\"/'",
    "echo \"$description\" | sed 's/\"name\": \"page\"/\"name\": \"..\\/..\\/page\"/'",
    "echo \"$description\" | sed 's/\"name\": \"page\"/\"name\": \"\\/etc\\/page\"/'",
    "echo \"$description\" | sed 's/\"name\": \"page\"/\"name\": \"manifest\"/'",
    "echo \"$description\" | sed 's/\"name\": \"labels\"/\"name\": \"page\"/'",
    "echo \"$description\" | sed 's/\"type\": \"labels\"/\"type\": \"nothing\"/'",
    "echo \"$description\" | sed 's/\"properties\": {}/\"$ref\": \"#\\/nowhere\"/'",
    "echo \"$description\" | sed 's/\"properties\": {}/\"$ref\": \"#\"/'",
    "echo \"$description\" | sed 's/\"properties\": {}/\"pattern\": \"(((((a+)+)+)+)+)+$[\"/'",
    "echo \"$description\" | sed 's/\"fingerprint\": \"1\"/\"fingerprint\": 1/'",
    "head -c 100000 /dev/zero | tr '\\0' '['",
    "printf '\\377\\376'; echo \"$description\"",
];

/// A stage of a bad host beside a good pipeline. Whatever it does, the others finish and nothing of
/// anybody else's is touched.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let subject = Subject::of(pipelines::ALL[0], &["--jobs", "2", "--threads", "2"]);
    let project = &subject.project;
    let describes = case.number % 3 == 2;
    let turn = case.number as usize;
    let (description, runs) = if describes {
        (DESCRIPTIONS[turn / 3 % DESCRIPTIONS.len()], "done_")
    } else {
        ("echo \"$description\"", RUNS[(turn - turn / 3) % RUNS.len()])
    };
    let victim = project.write("victim/file", "mine");
    fs_err::set_permissions(&victim, std::fs::Permissions::from_mode(0o640)).unwrap();
    let program =
        project.write("scarce-evil", script(description, runs, &victim.to_string_lossy()));
    fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let head = "name = \"small\"\nhosts = [\"./scarce-evil\"]";
    let evil = "\n[stages.evil]\nkind = \"evil\"\nresources = { time = 3 }\n";
    project.write("pipeline.toml", SMALL.replace("name = \"small\"", head) + evil);
    let said = format!("a host that runs by `{runs}` and describes by `{description}`");

    let begin = Instant::now();
    let run = subject.start(&[]);
    std::thread::sleep(case.moment(Duration::from_millis(200)));
    let below = descendants(run.id());
    let answer = run.finish();
    assert!(begin.elapsed() < Duration::from_secs(45), "{said}: {:?}", begin.elapsed());
    as_documented(&answer, &[0, 1, 2]);
    if answer.code == Some(2) {
        assert!(describes, "{said}: {answer}");
    } else {
        let run = scarce_tests::Run::from(answer);
        let done: Vec<String> = run.ran().into_iter().filter(|task| task != "evil").collect();
        assert_eq!(done, ["images", "knn", "labels", "pixels", "report"], "{said}: {}", run.answer);
    }
    if case.once_in(4) {
        as_documented(&Child::start(project.command(&["plan", "pipeline.toml"])).finish(), &[0, 2]);
    }
    all_end(&below);
    assert_eq!(project.read("victim/file"), "mine", "{said}");
    let mode = fs_err::metadata(&victim).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640, "{said}");
    let there: Vec<_> = fs_err::read_dir(project.path("victim")).unwrap().collect();
    assert_eq!(there.len(), 1, "{said}: {there:?}");

    project.write("pipeline.toml", SMALL);
    subject.recovers();
    Outcome::Survived
}

fn script(description: &str, runs: &str, victim: &str) -> String {
    format!(
        "#!/bin/bash\ndescription='{DESCRIPTION}'\nvictim='{victim}'\n\
         done_() {{ echo '{{\"event\":\"done\"}}'; }}\n\
         make_page() {{ echo '<!doctype html>' > \"$page.html\"; }}\n\
         make_labels() {{ echo no labels > \"$labels.parquet\"; }}\n\
         case \"$1\" in\ndescribe) {description} ;;\n\
         exec) shift\n\
         page=$(sed 's/.*\"page\":\"\\([^\"]*\\)\".*/\\1/' \"$1\")\n\
         labels=$(sed 's/.*\"labels\":\"\\([^\"]*\\)\".*/\\1/' \"$1\")\n\
         {runs} ;;\nesac\n"
    )
}
