"""Runs emotion-ray: python -m emotion_ray."""

import sys

from .cli import main

sys.exit(main())
