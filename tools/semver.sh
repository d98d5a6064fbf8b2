#!/usr/bin/env bash
# Compares the interfaces of the libraries with those of the last release: what has to change in the version, and what breaks others.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh
tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
if [ -z "$tag" ]; then
    skipped 'the interfaces of the libraries: no release to compare with (a tag such as v0.1.0)'
    exit 0
fi
command -v cargo-semver-checks >/dev/null || cargo install --locked cargo-semver-checks
cargo semver-checks --baseline-rev "$tag" --package emotion-models --package emotion-detect --package emotion-analysis
