use serde_json::{Value, json};

use super::*;

/// A summary of a file with one face that is happy for this share of its 10 seconds.
fn summary(file: &str, happy: f64) -> Value {
    json!({
        "version": crate::tag::summary::VERSION,
        "file": file,
        "recorded": "2024-05-06",
        "duration": 10.0,
        "frames": 100,
        "outputs": [format!("{}.html", file.rsplit('/').next().unwrap())],
        "arithmetic": "AVX-512 bf16",
        "settings": {"classifier": {"model": "mini", "weights_id": "abc", "threshold": 0.5}},
        "persons": [{
            "id": 1,
            "first_seen": 0.0,
            "last_seen": 10.0,
            "frames": 100,
            "emotion": "happy",
            "emotions": {"happy": happy, "uncertain": 1.0 - happy},
            "probabilities": {"happy": 0.5},
            "valence": 0.25,
            "quality": 0.75,
            "spans": [[0.0, 10.0 * happy, "happy", 0.9], [10.0 * happy, 10.0, "uncertain", 0.3]],
            "peaks": [],
        }],
    })
}

fn archive(summaries: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, summary) in summaries {
        let path = folder.path().join(format!("{file}.{SUMMARY}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, summary.to_string()).unwrap();
    }
    folder
}

fn two_groups() -> tempfile::TempDir {
    let files = ["a/one.mp4", "a/two.mp4", "b/three.mp4"];
    let shares = [0.5, 0.7, 0.2];
    let summaries = files.iter().zip(shares);
    let summaries: Vec<_> = summaries
        .map(|(file, share)| (*file, summary(file, share)))
        .collect();
    archive(&summaries)
}

#[test]
fn the_table_has_a_row_for_each_face_of_each_file() {
    let folder = two_groups();
    let archive = Archive::read(folder.path()).unwrap();
    let written = archive.write_tables(&Grouping::Folder).unwrap();
    assert_eq!(written.len(), 3);
    let mut table = csv::Reader::from_path(folder.path().join("archive.csv")).unwrap();
    let heading = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    let cell = |row: usize, name: &str| {
        let column = heading.iter().position(|found| found == name).unwrap();
        rows[row][column].to_owned()
    };
    assert_eq!([cell(0, "file"), cell(0, "group")], ["a/one.mp4", "a"]);
    assert_eq!([cell(0, "recorded"), cell(0, "camera")], ["2024-05-06", ""]);
    assert_eq!(
        [cell(1, "share_happy"), cell(1, "share_angry")],
        ["0.7", "0"]
    );
    assert_eq!([cell(2, "weights_id"), cell(2, "quality")], ["abc", "0.75"]);
}

#[test]
fn csv_and_parquet_hold_the_same_rows() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let folder = two_groups();
    let archive = Archive::read(folder.path()).unwrap();
    archive.write_tables(&Grouping::Folder).unwrap();
    let mut table = csv::Reader::from_path(folder.path().join("archive.csv")).unwrap();
    let file = fs::File::open(folder.path().join("archive.parquet")).unwrap();
    let parquet = SerializedFileReader::new(file).unwrap();
    let rows = parquet.get_row_iter(None).unwrap();
    let names: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let mut count = 0;
    for (row, record) in rows.zip(table.records()) {
        let columns = row.unwrap().into_columns();
        let record = record.unwrap();
        assert_eq!(columns.len(), names.len());
        for ((found, name), text) in columns.iter().zip(&names).zip(&record) {
            assert_eq!(&found.0, name);
            let shown = match &found.1 {
                parquet::record::Field::Null => String::new(),
                parquet::record::Field::Double(value) => value.to_string(),
                parquet::record::Field::Long(value) => value.to_string(),
                parquet::record::Field::Str(value) => value.clone(),
                other => panic!("{other}"),
            };
            assert_eq!(shown, text, "{name}");
        }
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn groups_are_compared_by_the_frames_of_their_faces() {
    let folder = two_groups();
    let archive = Archive::read(folder.path()).unwrap();
    let text = archive.groups_text(&Grouping::Folder);
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "group",
            "files",
            "hours",
            "faces",
            "happy",
            "uncertain",
            "valence"
        ]
    );
    assert_eq!(
        rows[1],
        ["a", "2", "0.01", "2", "60.0", "%", "40.0", "%", "0.25"]
    );
    assert_eq!(
        rows[2],
        ["b", "1", "0.00", "1", "20.0", "%", "80.0", "%", "0.25"]
    );
    assert_eq!(rows[3][..3], ["all", "files", "3"]);
    let by_name: Grouping = "(t)".parse().unwrap();
    let text = archive.groups_text(&by_name);
    assert!(
        text.contains("(no group)") && text.contains("\nt "),
        "{text}"
    );
}

#[test]
fn a_broken_summary_costs_no_other_one_and_is_named() {
    let old = json!({"version": 1});
    let folder = archive(&[("a.mp4", summary("a.mp4", 0.5)), ("old.mp4", old)]);
    fs::write(folder.path().join("cut.mp4.summary.json"), "{\"version\"").unwrap();
    let archive = Archive::read(folder.path()).unwrap();
    assert_eq!(archive.files.len(), 1);
    let mut reasons = archive.unreadable.iter().map(|(_, reason)| reason.as_str());
    assert!(
        reasons
            .clone()
            .any(|reason| reason.contains("found 1; tag the file again"))
    );
    assert!(reasons.any(|reason| reason.contains("found no JSON")));
}

#[test]
fn files_that_were_tagged_on_machines_of_several_kinds_are_counted_by_kind() {
    use super::merge::Completeness;
    let merged = |arithmetics: [&str; 3]| {
        let summaries = ["a.mp4", "b.mp4", "c.mp4"].into_iter().zip(arithmetics);
        let summaries = summaries.map(|(file, arithmetic)| {
            let mut summary = summary(file, 0.5);
            summary["arithmetic"] = arithmetic.into();
            (file, summary)
        });
        let folder = archive(&summaries.collect::<Vec<_>>());
        let archive = Archive::read(folder.path()).unwrap();
        Completeness::of(&archive, &[], &[]).unwrap()
    };
    let mixed = merged(["AVX-512 bf16", "AVX2 f32", "AVX-512 bf16"]);
    assert!(mixed.is_complete());
    let text = mixed.text();
    assert!(
        text.contains("2 with AVX-512 bf16, 1 with AVX2 f32; --precision f32"),
        "{text}"
    );
    let json = serde_json::to_value(&mixed).unwrap();
    assert_eq!(
        json["mixed_arithmetic"],
        json!({"AVX-512 bf16": 2, "AVX2 f32": 1})
    );
    let same = merged(["AVX2 f32"; 3]);
    assert_eq!(same.text(), "3 tagged\n");
    assert_eq!(
        serde_json::to_value(&same).unwrap().get("mixed_arithmetic"),
        None
    );
}

#[test]
fn a_folder_without_results_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Archive::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("expected results of emotion-tag"), "{error}");
    let missing = folder.path().join("missing");
    let error = format!("{:#}", Archive::read(&missing).unwrap_err());
    assert!(error.contains("cannot be read: No such file"), "{error}");
}

#[test]
fn a_name_with_signs_of_patterns_is_searched_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a[1]*");
    fs::create_dir(&odd).unwrap();
    fs::write(
        odd.join("a.mp4.summary.json"),
        summary("a.mp4", 0.5).to_string(),
    )
    .unwrap();
    fs::create_dir(odd.join(".emotion-tag")).unwrap();
    fs::write(odd.join(".emotion-tag/b.mp4.summary.json"), "").unwrap();
    let archive = Archive::read(&odd).unwrap();
    assert_eq!((archive.files.len(), archive.unreadable.len()), (1, 0));
}

#[test]
fn the_page_loads_nothing_and_links_the_pages_of_the_files() {
    let folder = two_groups();
    let archive = Archive::read(folder.path()).unwrap();
    let path = archive.write_page(&Grouping::Folder).unwrap();
    let page = fs::read_to_string(path).unwrap();
    assert!(page.contains("\"page\":\"a/one.mp4.html\""), "{page}");
    // The namespace of SVG is a name, not an address to load.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for elsewhere in ["http:", "https:", "src=\"", "href=\"", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn the_page_shows_pictures_of_faces_that_were_kept() {
    let mut kept = summary("a.mp4", 0.5);
    kept["outputs"] = json!(["a.mp4.thumbnails.json"]);
    let folder = archive(&[("a.mp4", kept)]);
    let pictures =
        json!({"persons": [{"id": 1, "place": null, "strip": [{"time": 0.0, "jpeg": "Zm9v"}]}]});
    fs::write(
        folder.path().join("a.mp4.thumbnails.json"),
        pictures.to_string(),
    )
    .unwrap();
    let archive = Archive::read(folder.path()).unwrap();
    let path = archive.write_page(&Grouping::Folder).unwrap();
    assert!(
        fs::read_to_string(path)
            .unwrap()
            .contains("\"picture\":\"Zm9v\"")
    );
}

#[test]
fn files_that_were_tagged_with_the_same_settings_share_them() {
    use std::sync::Arc;
    let mut other = summary("c.mp4", 0.5);
    other["settings"]["every"] = "1s".into();
    let folder = archive(&[
        ("a.mp4", summary("a.mp4", 0.5)),
        ("b.mp4", summary("b.mp4", 0.5)),
        ("c.mp4", other),
    ]);
    let files = Archive::read(folder.path()).unwrap().files;
    assert!(Arc::ptr_eq(&files[0].settings, &files[1].settings));
    assert!(!Arc::ptr_eq(&files[1].settings, &files[2].settings));
}
