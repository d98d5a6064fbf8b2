#!/usr/bin/env bash
# test-ray.sh FOLDER CLIPS: tags so many clips on a Ray cluster of three nodes on this machine, one of which dies, and checks the
# package and the files for other schedulers. FOLDER holds the built programs; what comes from PyPI goes there too.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh
folder=$(realpath "$1")
package=pipelines/ray

tools/peers.sh "$folder/test-ray" "$package/tests/requirements.txt" || {
    skipped "tagging on a Ray cluster: what it needs cannot be had from PyPI"
    exit 0
}
bin=$folder/test-ray/bin
"$bin/ruff" check --quiet "$package"
"$bin/ruff" format --quiet --check "$package"
(cd "$package" && "$bin/mypy" emotion_ray)
for file in pipelines/kubernetes/*.yaml; do
    "$bin/kubernetes-validate" --quiet "$file"
done
bash -n pipelines/slurm/tag.sbatch
# The tests find the package there, and so do Ray's processes.
EMOTION_TAG=$folder/debug/emotion-tag EMOTION_CROWD=$folder/debug/emotion-crowd EMOTION_RAY_CLIPS=$2 EMOTION_RAY_CAMERAS=12 PYTHONPATH=$(realpath "$package") \
    RAY_USAGE_STATS_ENABLED=0 RAY_DISABLE_IMPORT_WARNING=1 \
    "$bin/python" -m pytest --quiet "$package/tests"
