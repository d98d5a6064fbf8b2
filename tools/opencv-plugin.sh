#!/usr/bin/env bash
# Unpacks GStreamer's own OpenCV plugin under target/ for the tests: its element `facedetect` has the same name as ours.
# It is not installed: an installed one runs instead of ours.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${CARGO_TARGET_DIR:-target}/gstreamer-opencv
if [ -d "$folder/usr" ] || ! command -v apt-get >/dev/null; then
    exit 0
fi
mkdir -p "$folder"
unpack() {
    (cd "$folder" && apt-get -o APT::Sandbox::User=root download --quiet gstreamer1.0-opencv libgstreamer-opencv1.0-0) || return 1
    local package
    for package in "$folder"/*.deb; do
        dpkg --extract "$package" "$folder" || return 1
        rm "$package"
    done
}
if unpack; then
    echo "Unpacked GStreamer's OpenCV plugin to $folder for the tests."
else
    echo "Note: GStreamer's OpenCV plugin could not be downloaded; its tests are skipped."
fi
