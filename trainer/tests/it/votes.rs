//! Reading `fer2013new.csv` beside `fer2013.csv`.

use std::path::Path;

use emotion_trainer::data::ferplus::{self, Error, SplitVotes};
use emotion_trainer::data::{Dataset, FACE_SIZE, Votes, fer2013};

/// Four faces, all different: two Training rows about a PublicTest row, and a PrivateTest row.
fn dataset() -> Dataset {
    dataset_of(&[
        (1, "Training"),
        (2, "PublicTest"),
        (3, "Training"),
        (4, "PrivateTest"),
    ])
}

fn dataset_of(rows: &[(u8, &str)]) -> Dataset {
    let mut csv = "emotion,pixels,Usage\n".to_owned();
    for (value, usage) in rows {
        let pixels = vec![value.to_string(); FACE_SIZE * FACE_SIZE].join(" ");
        csv += &format!("0,{pixels},{usage}\n");
    }
    fer2013::read(csv.as_bytes(), Path::new("fer2013.csv")).unwrap()
}

fn file(rows: &[&str]) -> String {
    format!(
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n{}\n",
        rows.join("\n")
    )
}

fn read(rows: &[&str], dataset: &Dataset) -> Result<SplitVotes, Error> {
    ferplus::read(file(rows).as_bytes(), Path::new("fer2013new.csv"), dataset)
}

fn message_of(rows: &[&str]) -> String {
    read(rows, &dataset()).unwrap_err().to_string()
}

const ROWS: [&str; 4] = [
    "Training,fer0.png,1,2,0,0,5,0,0,1,1,0",
    "PublicTest,fer1.png,10,0,0,0,0,0,0,0,0,0",
    "Training,fer2.png,0,0,10,0,0,0,0,0,0,0",
    "PrivateTest,fer3.png,0,0,0,0,10,0,0,0,0,0",
];

#[test]
fn votes_go_to_the_faces_of_their_split_in_the_order_of_the_labels() {
    let [training, public, private] = read(&ROWS, &dataset()).unwrap();
    let first = Votes::new([5, 0, 0, 2, 0, 0, 1, 1, 1, 0]);
    let second = Votes::new([0, 0, 0, 0, 0, 10, 0, 0, 0, 0]);
    assert_eq!(training, [Some(first), Some(second)]);
    assert_eq!(public, [Some(Votes::new([0, 0, 0, 0, 0, 0, 10, 0, 0, 0]))]);
    assert_eq!(private, [Some(Votes::new([10, 0, 0, 0, 0, 0, 0, 0, 0, 0]))]);
}

#[test]
fn each_column_counts_for_its_own_emotion() {
    let columns = [
        "anger",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
        "neutral",
        "contempt",
        "unknown",
        "NF",
    ];
    for (label_id, column) in columns.into_iter().enumerate() {
        let header = file(&[]);
        let voted = |name: &str| if name == column { "9" } else { "0" };
        let names: Vec<_> = header.trim().split(',').collect();
        let counts: Vec<_> = names[2..].iter().map(|name| voted(name)).collect();
        let row = format!("Training,a.png,{}", counts.join(","));
        let [votes, ..] = read(&[&row], &dataset_of(&[(1, "Training")])).unwrap();
        let mut expected = [0; 10];
        expected[label_id] = 9;
        assert_eq!(votes, [Some(Votes::new(expected))], "{column}");
    }
}

#[test]
fn a_picture_name_at_two_different_faces_leaves_both_without_votes() {
    let mut rows = ROWS;
    rows[2] = "Training,fer0.png,0,0,10,0,0,0,0,0,0,0";
    let [training, ..] = read(&rows, &dataset()).unwrap();
    assert_eq!(training, [None, None]);
}

#[test]
fn a_picture_name_at_two_equal_faces_keeps_the_votes() {
    let dataset = dataset_of(&[(1, "Training"), (1, "Training")]);
    let rows = [ROWS[0], ROWS[0]];
    let [training, ..] = read(&rows, &dataset).unwrap();
    assert!(training.iter().all(Option::is_some));
}

#[test]
fn rows_without_a_name_are_not_taken_for_the_same_picture() {
    let mut rows = ROWS;
    rows[0] = "Training,,10,0,0,0,0,0,0,0,0,0";
    rows[2] = "Training,,10,0,0,0,0,0,0,0,0,0";
    let [training, ..] = read(&rows, &dataset()).unwrap();
    assert!(training.iter().all(Option::is_some));
}

#[test]
fn a_row_of_another_split_than_its_face_is_refused_with_line_and_row() {
    let mut rows = ROWS;
    rows.swap(1, 2);
    let message = message_of(&rows);
    let expected = "fer2013new.csv, line 3: the votes of row 1 are for Training, but row 1 of the \
                    faces is PublicTest (rows counted from 0)";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn too_few_and_too_many_rows_are_refused_with_both_numbers() {
    let message = message_of(&ROWS[..3]);
    assert!(
        message.contains("votes for 3 rows, the faces are 4 rows"),
        "{message}"
    );
    let message = message_of(&[&ROWS[..], &ROWS[3..]].concat());
    assert!(
        message.contains("votes for more than 4 rows, the faces are 4 rows"),
        "{message}"
    );
}

#[test]
fn votes_that_are_no_number_are_an_error_with_line_and_emotion() {
    let mut rows = ROWS;
    rows[1] = "PublicTest,fer1.png,10,0,0,0,0,0,some,0,0,0";
    assert_eq!(
        message_of(&rows),
        "fer2013new.csv, line 3: fear is `some`, expected a number of votes"
    );
}

#[test]
fn votes_beside_a_folder_of_pictures_are_refused() {
    let message = read(&ROWS, &Dataset::default()).unwrap_err().to_string();
    assert!(message.contains("leave --votes out"), "{message}");
}

#[test]
fn fer2013_csv_in_place_of_the_votes_is_an_error_that_names_a_column() {
    let text = "emotion,pixels,Usage\n0,1,Training\n";
    let error = ferplus::read(text.as_bytes(), Path::new("fer2013.csv"), &dataset()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("column `Image name` is missing"),
        "{message}"
    );
}

/// The start of the published file beside faces of which no two are equal.
#[test]
#[ignore = "needs EMOTION_DATA: fer2013/fer2013new.csv"]
fn of_the_published_votes_only_names_of_two_faces_are_left_out() {
    const ROWS: usize = 12_000;
    let path = emotion_tests::data("fer2013/fer2013new.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = text.split_inclusive('\n').take(1 + ROWS);
    let text: String = lines.by_ref().collect();
    let rest = " 0".repeat(FACE_SIZE * FACE_SIZE - 2);
    let face = |row: usize| format!("0,{} {}{rest},Training\n", row / 256, row % 256);
    let csv = format!(
        "emotion,pixels,Usage\n{}",
        (0..ROWS).map(face).collect::<String>()
    );
    let dataset = fer2013::read(csv.as_bytes(), Path::new("fer2013.csv")).unwrap();

    let [votes, ..] = ferplus::read(text.as_bytes(), &path, &dataset).unwrap();
    let without: Vec<usize> = (0..ROWS).filter(|&row| votes[row].is_none()).collect();
    // 76 more have votes for no emotion.
    let no_emotion = |votes: &&Option<Votes>| votes.is_some_and(|votes| votes.shares().is_none());
    assert_eq!(votes.iter().filter(no_emotion).count(), 76);
    assert_eq!(without.len(), 4);
    // These rows share names: fer0006953.png and fer0011785.png.
    for row in [5274, 6968, 5348, 11817] {
        assert!(without.contains(&row), "{row}");
    }
}
