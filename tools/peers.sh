#!/usr/bin/env bash
# peers.sh FOLDER: puts a Python environment with what `make bench` measures against into FOLDER.
set -euo pipefail
folder=$(realpath --canonicalize-missing "$1")
cd "$(dirname "$0")/.."
wanted=bench/peers/requirements.txt
cmp --silent "$wanted" "$folder/requirements.txt" && { echo "there already"; exit 0; }

rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" || {
    echo "peers: pip could not install $wanted: check the network, the free disk space (6 GB), and that python3 is one that PyTorch has wheels for" >&2
    exit 1
}
cp "$wanted" "$folder/requirements.txt"
