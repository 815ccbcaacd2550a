//! Files as Kaggle, Label Studio, COCO and spreadsheets write them.

use super::*;

/// Images of these names, with ids from 0; those of `left_out` could not be read.
fn images(sources: &[&str], left_out: &[(u32, &str)]) -> Bench {
    let mut bench = Bench::new();
    let missing = |id: &u32| left_out.iter().any(|(left, _)| left == id);
    let id: Vec<u32> = (0..).filter(|id| !missing(id)).take(sources.len()).collect();
    let images = Images {
        split: vec![Split::Pool; id.len()],
        source: sources.iter().map(|source| (*source).to_owned()).collect(),
        pixels: Vectors::new(1, vec![0; id.len()]),
        id,
    };
    let meta = ImagesMeta {
        shape: Shape { height: 1, width: 1, channels: 1 },
        left_out: left_out.iter().map(|(id, name)| (*id, (*name).to_owned())).collect(),
        ..ImagesMeta::default()
    };
    bench.wire("images", meta, images);
    bench
}

mod numbers_in_a_column_id {
    use super::*;

    /// `1.png … 12.png` in the order of a listing: 1, 10, 11, 12, 2, …
    fn kaggle() -> Bench {
        let mut names: Vec<String> = (1..=12).map(|i| format!("{i}.png")).collect();
        names.sort();
        images(&names.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    }

    #[test]
    fn are_names_where_ids_cannot_be_meant() {
        let bench = kaggle();
        // There is no id 12, but a 12.png.
        let path = bench.file("train.csv", "id,label\n1,dark\n12,light\n");
        assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 0), (3, 1)]);
    }

    #[test]
    fn are_refused_where_both_are_possible_and_differ() {
        let bench = kaggle();
        let path = bench.file("train.csv", "id,label\n1,dark\n2,light\n");
        let failure = bench.run("labels", json!({ "path": path }));
        let words = ["line 2", "called `1.png`", "the id 1, which is `10.png`", "match_by"];
        assert_failure(failure, "ingest::value", &words);
        let by = |by: &str| run(&bench, json!({ "path": path, "match_by": by })).0;
        assert_eq!(by("name"), [(0, 0), (4, 1)]);
        assert_eq!(by("id"), [(1, 0), (2, 1)]);
    }

    #[test]
    fn with_leading_zeros_are_names() {
        let bench = images(&["0000.png", "0001.png", "0002.png"], &[]);
        let path = bench.file("l.csv", "id,label\n0001,a\n0002,b\n");
        assert_eq!(run(&bench, json!({ "path": path })).0, [(1, 0), (2, 1)]);
    }

    #[test]
    fn are_ids_where_no_image_has_such_a_name_or_both_agree() {
        let bench = images(&["a.png", "b.png"], &[]);
        let path = bench.file("l.csv", "id,label\n1,a\n0,b\n");
        assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 1), (1, 0)]);
        let same = images(&["0", "1"], &[]);
        assert_eq!(run(&same, json!({ "path": path })).0, [(0, 1), (1, 0)]);
    }
}

#[test]
fn names_without_extension_in_a_column_image() {
    let bench = images(&["photos/a1.jpg", "photos/b2.jpg"], &[]);
    let path = bench.file("l.csv", "image,label\nb2,x\na1,y\n");
    assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 1), (1, 0)]);
}

#[test]
fn labels_of_pictures_that_were_left_out_are_passed_over() {
    let bench = images(&["a.png", "c.png"], &[(1, "b.png")]);
    let path = bench.file("l.csv", "file,label\na.png,x\nb.png,y\nc.png,y\n");
    assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 0), (2, 1)]);
    let by_id = bench.file("m.csv", "id,label\n0,x\n1,y\n2,y\n");
    assert_eq!(run(&bench, json!({ "path": by_id })).0, [(0, 0), (2, 1)]);
    let unknown = bench.file("n.csv", "file,label\nd.png,x\n");
    assert_failure(bench.run("labels", json!({ "path": unknown })), "ingest::value", &["`d.png`"]);
}

#[test]
fn unicode_forms_match_in_names_and_classes() {
    let bench = images(&["nai\u{308}ve.png", "b.png"], &[]);
    let path = bench.file("l.csv", "file,label\nna\u{ef}ve.png,caf\u{e9}\nb.png,cafe\u{301}\n");
    let (labels, classes) = run(&bench, json!({ "path": path }));
    assert_eq!(labels, [(0, 0), (1, 0)]);
    assert_eq!(classes, ["caf\u{e9}"]);
}

mod label_studio {
    use super::*;

    fn bench() -> Bench {
        images(&["a.png", "my cat.png", "z.png"], &[])
    }

    #[test]
    fn as_csv() {
        let bench = bench();
        let path = bench.file(
            "export.csv",
            "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at\n\
             1,2,Cat,2024-01-01T00:00:00Z,7,/data/upload/1/df8721fe-a.png,3.1,2024-01-01\n\
             2,2,Dog,2024-01-01T00:00:00Z,8,/data/upload/1/0bad1dea-my_cat.png,3.1,2024-01-01\n",
        );
        let (labels, classes) = run(&bench, json!({ "path": path }));
        assert_eq!(labels, [(0, 0), (1, 1)]);
        assert_eq!(classes, ["Cat", "Dog"]);
    }

    #[test]
    fn as_json_and_json_min() {
        let bench = bench();
        let result = |class: &str| {
            json!([{ "type": "choices", "from_name": "choice",
            "to_name": "image", "value": { "choices": [class] } }])
        };
        let task = |id: u32, image: &str, annotations: serde_json::Value| json!({ "id": id, "data": { "image": image }, "annotations": annotations });
        let tasks = json!([
            task(
                1,
                "/data/upload/1/df8721fe-a.png",
                json!([
                    { "completed_by": 1, "result": result("Cat") },
                    { "completed_by": 2, "result": result("Dog"), "was_cancelled": true },
                ])
            ),
            task(
                2,
                "/data/local-files/?d=x/my%20cat.png",
                json!([
                    { "completed_by": { "id": 1, "email": "ann@example.com" }, "result": result("Dog") },
                ])
            ),
            task(3, "z.png", json!([])),
        ]);
        let path = bench.file("export.json", tasks.to_string());
        assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 0), (1, 1)]);
        let min = json!([
            { "image": "/data/upload/1/df8721fe-a.png", "id": 1, "choice": "Cat", "annotator": 1 },
            { "image": "z.png", "id": 2, "choice": "Dog", "annotator": 2 },
        ]);
        let path = bench.file("min.json", serde_json::to_string_pretty(&min).unwrap());
        assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 0), (2, 1)]);
        let two = json!([task(
            5,
            "a.png",
            json!([{ "result": [{ "value": { "choices":
            ["Cat", "Dog"] } }] }])
        )]);
        let path = bench.file("two.json", two.to_string());
        let failure = bench.run("labels", json!({ "path": path }));
        assert_failure(failure, "ingest::value", &["task 5", "`Cat`, `Dog`"]);
    }

    #[test]
    fn by_people_who_disagree() {
        let bench = bench();
        let path = bench.file(
            "l.csv",
            "image,choice,annotator\na.png,Cat,ann\nz.png,Dog,ann\na.png,Dog,bob\nz.png,Dog,bob\n\
             z.png,Cat,eve\n",
        );
        let failure = bench.run("labels", json!({ "path": path }));
        let words = [
            "`a.png` is `Cat` by `ann` in line 2 and `Dog` by `bob` in line 4",
            "`z.png` is `Dog` by `ann` in line 3 and `Cat` by `eve` in line 6",
            "`annotator = ",
        ];
        assert_failure(failure, "ingest::value", &words);
        let ann = json!({ "path": path, "annotator": "ann" });
        assert_eq!(run(&bench, ann).0, [(0, 0), (2, 1)]);
        let nobody = bench.run("labels", json!({ "path": path, "annotator": "anne" }));
        assert_failure(nobody, "ingest::value", &["did you mean `ann`?"]);
    }
}

#[test]
fn coco_and_fiftyone() {
    let bench = images(&["a.png", "b.png"], &[]);
    let coco = json!({
        "images": [{ "id": 10, "file_name": "a.png" }, { "id": 11, "file_name": "b.png" }],
        "categories": [{ "id": 3, "name": "cat" }, { "id": 9, "name": "dog" }],
        "annotations": [
            { "id": 1, "image_id": 11, "category_id": 9 },
            { "id": 2, "image_id": 10, "category_id": 3 },
            { "id": 3, "image_id": 10, "category_id": 3 },
        ],
    });
    let path = bench.file("coco.json", coco.to_string());
    let (labels, classes) = run(&bench, json!({ "path": path }));
    assert_eq!((labels, classes), (vec![(0, 0), (1, 1)], vec!["cat".into(), "dog".into()]));
    let mut several = coco.clone();
    several["annotations"][2]["category_id"] = 9.into();
    let path = bench.file("several.json", several.to_string());
    let failure = bench.run("labels", json!({ "path": path }));
    assert_failure(failure, "ingest::value", &["`a.png` is `cat`", "annotation 2"]);
    let mut unknown = coco;
    unknown["annotations"][0]["image_id"] = 12.into();
    let path = bench.file("unknown.json", unknown.to_string());
    let failure = bench.run("labels", json!({ "path": path }));
    assert_failure(failure, "ingest::value", &["annotation 0", "`image_id` is 12"]);
    let fiftyone = json!({ "classes": ["cat", "dog"], "labels": { "a": 1, "b": 0 } });
    let path = bench.file("labels.json", fiftyone.to_string());
    assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 1), (1, 0)]);
}

#[test]
fn a_stray_quote_is_refused_where_it_opens() {
    let bench = images(&["1.png", "2.png", "3.png", "4.png"], &[]);
    for (text, words) in [
        ("file,label\n1.png,cat\n2.png,\"dog\n3.png,cat\n4.png,\"dog\n", ["line 3", "up to 5"]),
        ("file,label\n\"1.png,cat\n2.png,dog\n3.png\",cat\n", ["line 2", "up to 4"]),
        (
            "file,note,label\n1.png,\"5 in,cat\n2.png,6 in,dog\n3.png,\"x,cat\n",
            ["line 2", "up to 4"],
        ),
        ("file,label\n1.png,cat\n2.png,\"dog\n3.png,cat\n", ["line 3", "quote"]),
    ] {
        let path = bench.file("l.csv", text);
        let failure = bench.run("labels", json!({ "path": path }));
        assert_failure(failure, "ingest::value", &words);
    }
    // A note of several lines is no mistake.
    let path = bench.file("l.csv", "file,note,label\n1.png,\"two\nlines\",cat\n2.png,\"\",dog\n");
    assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 0), (1, 1)]);
}

#[test]
fn json_rows_that_call_the_label_otherwise_are_refused_with_their_line() {
    let bench = images(&["1.png", "2.png", "3.png"], &[]);
    let first = "{\"file\": \"1.png\", \"label\": \"cat\"}\n";
    let path =
        bench.file("l.jsonl", format!("{first}\n{{\"file\": \"2.png\", \"class\": \"dog\"}}\n"));
    let failure = bench.run("labels", json!({ "path": path }));
    assert_failure(failure, "ingest::value", &["line 3", "no `label`", "`class`"]);
    let path =
        bench.file("l.jsonl", format!("{first}{{\"image\": \"2.png\", \"label\": \"dog\"}}\n"));
    let failure = bench.run("labels", json!({ "path": path }));
    assert_failure(failure, "ingest::value", &["line 2", "no `file`", "`image`"]);
    // A row without a label is an image that is not labelled yet.
    let path = bench.file("l.jsonl", format!("{first}{{\"file\": \"2.png\"}}\n"));
    assert_eq!(run(&bench, json!({ "path": path })).0, [(0, 0)]);
}
