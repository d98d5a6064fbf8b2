"""Records as data frames."""

import json

import polars
import pytest
from conftest import PORTRAIT, ROOT, built, launch, run
from emotion_faces import read
from pandas.testing import assert_frame_equal


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The portrait and a picture without a face, tagged in three formats."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "in").mkdir()
    (folder / "in/nobody.pgm").write_bytes(b"P5 64 64 255\n" + bytes(64 * 64))
    (folder / "in/face.png").write_bytes(PORTRAIT.read_bytes())
    for form in ("jsonl", "csv", "parquet"):
        run(built("emotion-tag"), folder / "in", "--out", folder / form, "--format", form)
    return folder


def test_the_three_formats_are_the_same_frame(results):
    for picture, faces in (("face.png", 1), ("nobody.pgm", 0)):
        frames = [read(results / form / f"{picture}.{form}") for form in ("jsonl", "csv", "parquet")]
        for frame in frames[1:]:
            assert_frame_equal(frame, frames[0])
        header = (results / f"csv/{picture}.csv").read_text().splitlines()[0]
        assert list(frames[0].columns) == header.split(",")
        assert list(frames[0]["faces"]) == [faces]
    face = read(results / "jsonl/face.png.jsonl").iloc[0]
    assert face["emotion"] == "happy" and face["happy"] > 0.8 and face["source"] == "face.png"
    assert (face["frame_width"], face["width"] < 200, bool(face["uncertain"])) == (512, True, False)
    assert 0 < face["right_eye_x"] < face["nose_x"] < face["left_eye_x"] < 1


def test_polars_has_the_same_columns_and_values(results):
    frames = [read(results / form / f"face.png.{form}", "polars") for form in ("jsonl", "csv", "parquet")]
    for frame in frames:
        assert isinstance(frame, polars.DataFrame) and frame.equals(frames[0])
        assert frame.schema == frames[0].schema
    assert frames[0].columns == list(read(results / "jsonl/face.png.jsonl").columns)


def test_a_folder_is_all_json_lines_in_it(results):
    frame = read(results / "jsonl")
    assert list(frame["source"]) == ["face.png", "nobody.pgm"]
    with pytest.raises(FileNotFoundError, match="no .jsonl"):
        read(results / "csv")


def test_faces_without_emotions_and_tracks_are_read(tmp_path):
    (tmp_path / "frame.grey").write_bytes(bytes(64 * 64) * 2)
    source = "filesrc location=frame.grey ! rawvideoparse format=gray8 width=64 height=64"
    launch(*f"{source} ! emotionpublish location=a.jsonl ! fakesink".split(), cwd=tmp_path)
    frame = read(tmp_path / "a.jsonl")
    assert list(frame["faces"]) == [0, 0] and frame["emotion"].isna().all()


def test_landmarks_and_labels_of_own_weights_have_columns(tmp_path):
    schema = json.loads((ROOT / "pipelines/schema/record.schema.json").read_text())
    face = {
        "box": dict(x=1, y=2, width=3, height=4),
        "box_normalized": dict(x=0.1, y=0.2, width=0.3, height=0.4),
        "probabilities": dict(calm=0.9, happy=0.1),
        "landmarks": dict(left_eye_x=0.5, left_eye_y=0.25),
    }
    record = dict(version=2, stream_time=1.5, running_time=None, width=10, height=20, faces=[face])
    assert set(schema["required"]) <= set(record)
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")
    [row] = read(tmp_path / "a.jsonl", "polars").to_dicts()
    assert (row["calm"], row["happy"], row["angry"], row["left_eye_y"]) == (0.9, 0.1, None, 0.25)
    assert (row["width"], row["frame_width"], row["height_normalized"]) == (3, 10, 0.4)


def test_zones_and_lines_are_the_same_in_json_lines_and_csv(tmp_path):
    analysis = "facedetect ! emotionclassify ! emotionzones name=zones"
    zones = ["zones=all=0,0 1,0 1,1 0,1 limit=3; grüße=0,0 0.1,0 0,0.1", "lines=door=0.9,0 0.9,1"]
    for form in ("jsonl", "csv"):
        launch(
            *f"filesrc location={PORTRAIT} ! pngdec ! imagefreeze num-buffers=10 ! videoconvert ! {analysis}".split(),
            *zones,
            *f"! emotionpublish location=a.{form} format={form} ! fakesink".split(),
            cwd=tmp_path,
        )
    frames = [read(tmp_path / f"a.{form}") for form in ("jsonl", "csv")]
    assert_frame_equal(*frames)
    row = frames[0].iloc[-1]
    assert row["in_zones"] == "all"
    assert [zone["people"] for zone in json.loads(row["zones"])] == [1, 0]
    assert json.loads(row["lines"])[0]["name"] == "door"


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a.jsonl", '{"version":2', ValueError, "a.jsonl:1: expected a whole record"),
        ("a.jsonl", '{"version":2}\n', ValueError, "a.jsonl:1: expected a record"),
        ("a.jsonl", "[]\n", ValueError, "a.jsonl:1"),
        ("a.csv", "time,price\n1,2\n", ValueError, "the column stream_time is missing"),
        ("a.csv", "stream_time,faces,emotion\nsoon,1,happy\n", ValueError, "a.csv:2"),
        ("a.parquet", "PAR1", ValueError, "expected a Parquet file"),
        ("a.txt", "", ValueError, "expected a file .jsonl, .csv or .parquet"),
    ],
)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_what_holds_no_records_is_an_error(tmp_path, name, text, error, message, library):
    (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message):
        read(tmp_path / name, library)


def test_a_missing_file_and_an_unknown_library_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="'numpy'"):
        read(tmp_path, "numpy")


def test_a_library_that_is_not_installed_is_an_import_error(results, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="library='polars'"):
        read(results / "jsonl/face.png.jsonl")
