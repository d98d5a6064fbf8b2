"""What the tests share."""

import os
import subprocess
from pathlib import Path

import numpy
import pytest
from emotion_faces import FaceEmotions
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PORTRAIT = ROOT / "tests/media/astronaut.png"


def built(name: str) -> Path:
    """A program or the plugin, as cargo has built it."""
    path = Path(os.environ["EMOTION_TARGET"]) / name
    assert path.exists(), f"{path} is missing: cargo build --workspace"
    return path


@pytest.fixture(scope="session")
def analyzer() -> FaceEmotions:
    return FaceEmotions()


@pytest.fixture(scope="session")
def portrait() -> numpy.ndarray:
    """512 × 512 × 3, RGB, one happy face."""
    return numpy.asarray(Image.open(PORTRAIT).convert("RGB"))


def run(*command: object, **options: object) -> str:
    """What a program prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def launch(*line: object, cwd: Path) -> str:
    """Runs a pipeline with our plugin."""
    plugin = built("libgstemotion.so")
    environment = os.environ | {"GST_REGISTRY": str(cwd / "registry.bin")}
    load = f"--gst-plugin-load={plugin}"
    return run("gst-launch-1.0", load, "-q", *line, cwd=cwd, env=environment)
