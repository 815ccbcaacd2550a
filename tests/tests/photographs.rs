//! A folder as it comes off a phone, through the binary: read rightly, or refused by name.

#![allow(clippy::unwrap_used)]

use fs_err::os::unix::fs::symlink;
use scarce_tests::{Project, files};

const PIPELINE: &str = "[pipeline]\nname = \"own\"\n\n[stages.images]\nkind = \"ingest\"\n\
     path = \"photos\"\n\n[stages.labels]\nkind = \"labels\"\npath = \"labels.csv\"\n\
     inputs = { images = \"images\" }\n";

fn picture(shade: u8) -> Vec<u8> {
    files::png(8, 8, &[shade; 64])
}

#[test]
fn one_bad_picture_is_listed_its_label_passed_over_and_the_run_goes_on() {
    let project = Project::with(PIPELINE);
    for at in 0..120 {
        project.write(&format!("photos/{at:03}.png"), picture(at));
    }
    project.write("photos/005.png", "");
    project.write(
        "labels.csv",
        "image,choice,annotator\n/data/upload/1/df8721fe-001.png,Cat,1\n\
         005,Dog,1\n007,Dog,1\n",
    );
    let run = project.run(&[]).ended(0);
    let logged = |word: &str| run.all("log").any(|event| event.to_string().contains(word));
    assert!(logged("`005.png`: the file is empty"), "{}", run.answer);
    assert!(logged("labelled, but the picture cannot be read"), "{}", run.answer);
    assert_eq!(project.rows("own/images/images.parquet").len(), 119);
    assert_eq!(project.rows("own/labels/labels.parquet").len(), 2);
}

#[test]
fn all_bad_pictures_are_listed_at_once() {
    let project = Project::with(PIPELINE);
    project.write("photos/a.png", picture(1));
    project.write("photos/b.png", "");
    project.write("photos/c.jpg", "<!DOCTYPE html>");
    symlink("/etc/passwd", project.path("photos/d.png")).unwrap();
    symlink("nowhere", project.path("photos/e.png")).unwrap();
    project.write("labels.csv", "file,label\na.png,x\n");
    let answer = project.ask("run", &[]).ended(1);
    answer.complains_of(&[
        "4 of 5 images",
        "`b.png`",
        "`c.jpg`",
        "web page",
        "`d.png`",
        "`e.png`",
        "leads nowhere",
        "skip_unreadable",
    ]);
}

#[test]
fn splits_are_understood_or_refused() {
    let project = Project::with(PIPELINE);
    for name in ["Train/cat/1.png", "Train/dog/2.png", "Valid/cat/3.png", "Test/dog/4.png"] {
        project.write(&format!("photos/{name}"), picture(9));
    }
    project.write("labels.csv", "file,label\n1.png,cat\n");
    let run = project.run(&["images"]).ended(0);
    let joined = run.all("log").any(|event| event.to_string().contains("`Valid` join `train`"));
    assert!(joined, "{}", run.answer);
    assert_eq!(project.rows("own/images/images.parquet").len(), 4);
    project.write("photos/extra/cat/5.png", picture(9));
    let answer = project.ask("run", &["images"]).ended(1);
    answer.complains_of(&["pictures::layout", "`extra`"]);
}
