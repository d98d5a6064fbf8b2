"""The examples and the readme run as they are."""

import re
import subprocess
import sys

import nbformat
import pytest
from conftest import PORTRAIT, ROOT, launch
from nbclient import NotebookClient

EXAMPLES = ROOT / "python/examples"


def test_the_notebook_runs_from_top_to_bottom():
    notebook = nbformat.read(EXAMPLES / "pictures.ipynb", as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": EXAMPLES}}).execute()
    printed = str([cell.get("outputs") for cell in notebook.cells])
    assert "image/png" in printed and "dominant_emotion='happy'" in printed


def example(name, *arguments):
    command = [sys.executable, EXAMPLES / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_an_archive_becomes_a_plot(tmp_path):
    frames = f"filesrc location={PORTRAIT} ! pngdec ! imagefreeze num-buffers=10 ! videoconvert"
    rate = "video/x-raw,format=I420,framerate=10/1"
    line = f"{frames} ! {rate} ! facedetect ! emotionclassify ! emotionpublish location=a.jsonl ! fakesink"
    launch(*line.split(), cwd=tmp_path)
    done = example("archive_plot.py", tmp_path / "a.jsonl", tmp_path / "a.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_webcam_without_a_camera_says_so():
    done = example("webcam.py", "nowhere.mp4")
    assert done.returncode == 1 and "nowhere.mp4: cannot be opened" in done.stderr


@pytest.mark.parametrize("page", ["README.md", "python/README.md", "docs/python.md"])
def test_the_first_example_of_a_page_prints_a_face(page, tmp_path, monkeypatch, capsys):
    (tmp_path / "photo.jpg").write_bytes(PORTRAIT.read_bytes())
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text()
    lines = next(found for found in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "FaceEmotions" in found)
    exec(lines, {})  # noqa: S102
    assert "happy" in capsys.readouterr().out
