use super::*;

fn model() -> Vec<String> {
    ["angry", "disgust", "happy"].map(String::from).to_vec()
}

fn labels(text: &str) -> LabelGroups {
    LabelGroups::new(&model(), &Renaming::parse(text).unwrap())
}

#[test]
fn labels_keep_their_names_unless_they_get_others() {
    assert_eq!(labels("").names(), model());
    assert_eq!(
        labels(" happy = große Freude ").names(),
        ["angry", "disgust", "große Freude"]
    );
}

#[test]
fn labels_of_one_name_are_one_and_have_the_sum_of_their_probabilities() {
    for text in [
        "angry+disgust=negative",
        "angry=negative,disgust=negative",
        "disgust=angry",
    ] {
        let labels = labels(text);
        assert_eq!(labels.names().len(), 2, "{text}");
        assert_eq!(labels.sums(&[0.25, 0.25, 0.5]), [0.5, 0.5], "{text}");
    }
}

#[test]
fn names_that_the_model_does_not_have_are_unknown() {
    let renaming = Renaming::parse("happy=a,joy=b").unwrap();
    assert_eq!(renaming.unknown(&model()).collect::<Vec<_>>(), ["joy"]);
}

#[test]
fn a_text_that_is_no_renaming_is_refused_with_the_part_that_is_wrong() {
    for (text, part) in [
        ("happy", "happy"),
        ("happy=", "happy="),
        ("a=b, +c=d", "+c=d"),
        ("a=b=c", "a=b=c"),
        ("a=b,,c=d", ""),
    ] {
        assert_eq!(
            Renaming::parse(text),
            Err(RenamingError::Entry(part.into())),
            "{text}"
        );
    }
    assert_eq!(
        Renaming::parse("a=b,a=c"),
        Err(RenamingError::Twice("a".to_owned()))
    );
    assert_eq!(Renaming::parse("a=uncertain"), Err(RenamingError::Reserved));
}
