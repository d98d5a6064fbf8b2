#!/usr/bin/env bash
# Everything for hours, and what it takes meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

usage="usage: ${0##*/} pipeline [--faces N] [--frames N] | crowd [--streams N] [--seconds N] | tag [--hours N] | short | chart
Runs a pipeline of all elements, emotion-crowd, or emotion-tag, and appends samples of memory, descriptors, threads and delays
to target/soak/NAME.csv; pipeline counts the frames of all its runs, crowd the seconds, and tag begins again. short is minutes of each,
and fails where something grows. chart draws the curves (needs Python's matplotlib). More options: ${0##*/} crowd --help. CLIP is the video,
SOAK_NAME the name of the samples. Build before: cargo build --release -p gst-plugin-emotion -p emotion-pipelines."
out=${CARGO_TARGET_DIR:-target}/soak
release=${CARGO_TARGET_DIR:-target}/release

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
    pipeline | crowd | tag | short | chart) ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
mkdir -p "$out"
export GST_PLUGIN_PATH=$release
# The Python that has GStreamer's bindings.
python=/usr/bin/python3

clip() { # FILE: a clip of one face that moves
    [ -n "${CLIP-}" ] && { echo "$CLIP"; return; }
    [ -e "$out/clip.mp4" ] || ffmpeg -v error -loop 1 -i tests/media/astronaut.png -t 10 -r 25 \
        -vf "crop=480:270:'10+2*n/5':20,format=yuv420p" -c:v libx264 -bf 0 -g 50 "$out/clip.mp4"
    echo "$out/clip.mp4"
}

run() { # WHAT ARGUMENT...
    local what=$1 name=${SOAK_NAME:-$1} video
    shift
    case $what in
        pipeline) "$python" bench/soak/pipeline.py "$out/$name.csv" "$@" ;;
        crowd | tag)
            video=$(clip)
            "$python" "bench/soak/$what.py" "$release/emotion-$what" "$video" "$out/$name.csv" "$@"
            ;;
    esac
}

case $1 in
    short)
        rm -rf "$out/short"
        for faces in 0 2 40; do SOAK_NAME=short/pipeline-$faces run pipeline --faces "$faces" --seconds 180 --limits; done
        SOAK_NAME=short/crowd run crowd --streams 4 --seconds 240 --limits
        SOAK_NAME=short/tag run tag --hours 3 --limits
        ;;
    chart)
        python3 bench/soak/samples.py "$out/soak.svg" "$out"/*.csv
        ;;
    *) run "$@" ;;
esac
