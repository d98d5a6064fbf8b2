use emotion_models::preprocess::GreyImage;
use gst_video::{VideoFormat, VideoInterlaceMode};

use super::*;

fn grid(width: u32, height: u32, par: (i32, i32), mode: VideoInterlaceMode) -> PixelGrid {
    gst::init().unwrap();
    let info = VideoInfo::builder(VideoFormat::Gray8, width, height)
        .par(gst::Fraction::new(par.0, par.1))
        .interlace_mode(mode)
        .build()
        .unwrap();
    PixelGrid::new(&info)
}

#[test]
fn the_shorter_side_of_a_pixel_is_enlarged() {
    use VideoInterlaceMode::{Alternate, Progressive};
    for (par, mode, stored, square) in [
        ((1, 1), Progressive, (720, 576), (720, 576)),
        ((64, 45), Progressive, (720, 576), (1024, 576)),
        ((1, 2), Progressive, (720, 576), (720, 1152)),
        ((1, 1), Alternate, (720, 288), (720, 576)),
        ((2, 1), Alternate, (720, 288), (720, 288)),
        ((1000, 1), Progressive, (720, 576), (7200, 576)),
    ] {
        let grid = grid(720, 576, par, mode);
        assert_eq!((grid.stored(), grid.square()), (stored, square), "{par:?}");
        assert_eq!(grid.is_square(), stored == square);
    }
}

#[test]
fn regions_go_to_square_pixels_and_back() {
    let grid = grid(720, 576, (2, 1), VideoInterlaceMode::Alternate);
    let region = Region::new(10.0, 20.0, 30.0, 40.0);
    let square = grid.to_square(region);
    assert_eq!(square, Region::new(10.0, 10.0, 30.0, 20.0));
    assert_eq!(grid.to_frame(square), region);
}

#[test]
fn an_enlarged_picture_runs_evenly_from_value_to_value_in_both_directions() {
    let pixels = [0, 100, 200];
    let wide = GreyImage::new(&pixels, 3, 1, 3).unwrap();
    let square = SquarePixels {
        image: &wide,
        width: 6,
        height: 1,
    };
    let expected = [0, 25, 75, 125, 175, 200];
    assert_eq!(square.grey(0, 0..6, &mut Vec::new()), expected);
    assert_eq!(square.grey(0, 3..5, &mut Vec::new()), [125, 175]);

    let high = GreyImage::new(&pixels, 1, 3, 1).unwrap();
    let square = SquarePixels {
        image: &high,
        width: 1,
        height: 6,
    };
    let column: Vec<u8> = (0..6)
        .map(|y| square.grey(y, 0..1, &mut Vec::new())[0])
        .collect();
    assert_eq!(column, expected);
}
