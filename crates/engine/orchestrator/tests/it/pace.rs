//! What the machinery itself costs. The bounds are loose: these run unoptimised on busy machines.

use std::time::Instant;

use crate::project::Project;

#[test]
fn a_thousand_cached_tasks_take_no_time() {
    let mut project = Project::new(
        r#"
[axes]
seed = { from = 0, to = 250 }
[stages.a]
kind = "source"
value = "$seed"
[stages.b]
kind = "halve"
inputs = { truth = "a" }
[stages.c]
kind = "halve"
inputs = { truth = "a" }
[stages.d]
kind = "halve"
inputs = { truth = "a" }
"#,
    );
    project.options.jobs = 4;
    let begin = Instant::now();
    let first = project.run();
    let tasks = first.summary.ran + first.summary.cached;
    let each = begin.elapsed().as_secs_f64() / first.summary.ran as f64;
    eprintln!("{tasks} tasks, {} executed, {:.1} ms each", first.summary.ran, each * 1e3);
    assert!(first.summary.is_success());
    assert_eq!(tasks, 1000);
    let begin = Instant::now();
    let second = project.run();
    let elapsed = begin.elapsed();
    eprintln!("nothing to do at {tasks} tasks: {:.1} ms", elapsed.as_secs_f64() * 1e3);
    assert_eq!(second.counts(), (0, 1000));
    assert!(elapsed.as_secs_f64() < 3.0, "{elapsed:?}");
}
