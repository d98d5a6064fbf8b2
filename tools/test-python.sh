#!/usr/bin/env bash
# test-python.sh TARGET-FOLDER: tests the Python package, as cargo has built it, with the environment in test-peers.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
. tools/skipped.sh
target=$(realpath "$1")
python=$target/test-peers/bin/python
if [ ! -x "$python" ]; then
    skipped 'the Python package: what its tests need could not be installed from PyPI'
    exit 0
fi

# As maturin lays it out.
package=$target/test-python
rm -rf "$package"
mkdir -p "$package"
cp -r python/emotion_faces "$package"
cp "$target/debug/libemotion_faces.so" "$package/emotion_faces/_native.abi3.so"
export PYTHONPATH=$package EMOTION_TARGET=$target/debug

(cd python && "$python" -m mypy --no-error-summary --cache-dir "$target/mypy" emotion_faces)
(cd "$package" && "$python" -m mypy.stubtest --mypy-config-file "$root/python/pyproject.toml" emotion_faces._native)
"$python" -m pytest -q -p no:cacheprovider python/tests
