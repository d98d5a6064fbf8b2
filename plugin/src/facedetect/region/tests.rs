use super::*;

#[test]
fn numbers_up_to_one_are_fractions_of_the_frame_and_others_pixels() {
    let right_half: RegionSetting = "0.5, 0, 0.5, 1".parse().unwrap();
    let found = right_half.in_frame(640, 480);
    let expected = preprocess::Region {
        x: 320.0,
        y: 0.0,
        width: 320.0,
        height: 480.0,
    };
    assert_eq!(found, expected);
    let pixels: RegionSetting = "0,10,200,100".parse().unwrap();
    assert_eq!(pixels.in_frame(640, 480), pixels.in_frame(64, 48));
    assert_eq!(pixels.in_frame(640, 480).width, 200.0);
}

#[test]
fn texts_that_are_no_rectangle_are_rejected_with_an_example() {
    for text in [
        "1,2,3",
        "a,b,c,d",
        "0,0,0,1",
        "-1,0,1,1",
        "0,0,nan,1",
        "0,0,1,1,1",
    ] {
        let error = text.parse::<RegionSetting>().unwrap_err().to_string();
        assert!(
            error.contains(text) && error.contains("0.5,0,0.5,1"),
            "{error}"
        );
    }
}
