#!/usr/bin/env bash
# peers.sh FOLDER REQUIREMENTS: puts a Python environment with the packages of the file REQUIREMENTS into FOLDER.
set -euo pipefail
folder=$(realpath --canonicalize-missing "$1")
cd "$(dirname "$0")/.."
wanted=$2
cmp --silent "$wanted" "$folder/requirements.txt" && { echo "there already"; exit 0; }

rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" || {
    rm -rf "$folder"
    echo "peers: pip could not install $wanted: check the network, the free disk space (6 GB for PyTorch), and that its packages have wheels for this python3" >&2
    exit 1
}
cp "$wanted" "$folder/requirements.txt"
