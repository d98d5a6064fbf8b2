"""The settings of emotion-crowd, divided."""

from pathlib import Path

import pytest
import tomllib

from emotion_ray.crowd_settings import CrowdSettings
from emotion_ray.placement import Camera

TEXT = """
[page]
token = { file = "page.token" }
pictures = "off"
[detect]
min-size = 30
[records]
include = "changes"
[[source]]
name = "hall"
uri = "rtsp://camera/1"
frames-per-second = 5
[[source.zone]]
name = "till \\"1\\""
corners = [[0.5, 0], [1, 0], [1, 1]]
[[source]]
name = "door"
uri = "rtsp://camera/2"
frames-per-second = 2.5
"""


def read(folder: Path, text: str) -> CrowdSettings:
    path = folder / "crowd.toml"
    path.write_text(text)
    return CrowdSettings.read(path)


def test_machines_have_all_but_the_sources_and_a_page_of_their_own(tmp_path: Path) -> None:
    settings = read(tmp_path, TEXT)
    assert settings.loads() == [Camera("hall", 5.0), Camera("door", 2.5)]
    assert settings.cameras["hall"]["zone"][0]["name"] == 'till "1"'
    of_node = tomllib.loads(settings.of_node("control"))
    assert of_node["page"] == {"token": {"file": "page.token"}, "pictures": "off", "listen": "0.0.0.0:0"}
    assert of_node["api"] == {"token": "control", "allow-local-sources": True}
    assert of_node["detect"] == {"min-size": 30} and "source" not in of_node
    without = read(tmp_path, TEXT.replace('token = { file = "page.token" }', ""))
    assert tomllib.loads(without.of_node("control"))["page"]["listen"] == "127.0.0.1:0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[page", "crowd.toml: "),
        ('[[source]]\nname = "a"\nuri = "x"\n', "the source a has no frames-per-second"),
        ('[[source]]\nname = "a"\nframes-per-second = 1\n' * 2, "a second source named a"),
        ("[api]\n", "leave it out"),
    ],
)
def test_settings_that_cannot_be_divided_are_errors(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(tmp_path, text)
