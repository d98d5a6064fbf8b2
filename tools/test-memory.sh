#!/usr/bin/env bash
# Runs tests of what is parallel, unsafe or reads what others have written under tools that watch memory:
# AddressSanitizer and ThreadSanitizer (need a nightly compiler, the latter with its rust-src) and valgrind.
#
#     tools/test-memory.sh TARGET_DIR [address|thread|valgrind]…
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh
folder=$(realpath -m "$1")/memory
shift
[ $# -gt 0 ] || set -- address thread valgrind
host=$(rustc -vV | sed -n 's/^host: //p')

has_nightly() {
    cargo +nightly --version >/dev/null 2>&1 || { skipped "$1: there is no nightly compiler (rustup toolchain install nightly)"; return 1; }
}

# The packages of which all tests run, and tests of the others that read what others have written.
address() {
    has_nightly AddressSanitizer || return 0
    # GLib and GStreamer keep what they have once registered, which is no leak.
    export CARGO_TARGET_DIR=$folder/address RUSTFLAGS=-Zsanitizer=address ASAN_OPTIONS=detect_leaks=0
    cargo +nightly nextest run --locked --target "$host" \
        --package emotion-models --package emotion-detect --package emotion-analysis
    cargo +nightly nextest run --locked --target "$host" --lib --package emotion-trainer --package emotion-pipelines \
        -E 'package(emotion-trainer) & test(/^(data|formats|detector::annotations|run::checkpoint)/)
            + package(emotion-pipelines) & test(/^(archive|camera_mode|cli|crowd::config|shard|tag)/)'
}

# The threads that hand frames and detections to each other.
thread() {
    has_nightly ThreadSanitizer || return 0
    rustup component add rust-src --toolchain nightly >/dev/null 2>&1 || { skipped "ThreadSanitizer: rust-src cannot be had"; return 0; }
    export CARGO_TARGET_DIR=$folder/thread RUSTFLAGS=-Zsanitizer=thread
    cargo +nightly nextest run --locked --target "$host" -Zbuild-std --lib --no-default-features \
        --package gst-plugin-emotion --package emotion-pipelines --package emotion-models \
        -E 'test(/background::tests|frame_queue::tests|parallel::tests|threads/)'
}

# A short line with all elements, in which errors and lost memory of this project count.
valgrind() {
    # Not this function.
    type -P valgrind >/dev/null || { skipped "valgrind: it is not installed (Debian: valgrind)"; return 0; }
    cargo build --locked --release --package gst-plugin-emotion --no-default-features
    local log=$folder/valgrind.log
    mkdir -p "$folder"
    # valgrind knows no AVX-512; the loops for AVX2 run.
    GST_PLUGIN_PATH=${CARGO_TARGET_DIR:-target}/release GST_REGISTRY=$folder/registry.bin GST_REGISTRY_FORK=no G_SLICE=always-malloc \
        command valgrind --quiet --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=none --error-exitcode=9 \
        --num-callers=40 --log-file="$log" \
        gst-launch-1.0 -q filesrc location=tests/media/astronaut.png ! pngdec ! imagefreeze num-buffers=3 ! videoconvert \
        ! emotionfacedetect ! emotionclassify ! emotionzones zones='all=0,0 1,0 1,1 0,1' ! emotionoverlay privacy=blur \
        ! emotionpublish location=/dev/null ! fakesink || { cat "$log"; return 1; }
    # What GStreamer and its libraries lose by themselves is not ours, and fontconfig keeps the patterns that pango asks for.
    local lost
    lost=$(sed 's/^==[0-9]*== *//' "$log" | awk -v RS= '/definitely lost/ && /libgstemotion/ && !/libfontconfig/')
    [ -z "$lost" ] || { echo "$lost"; return 1; }
    echo "no error, and nothing of the plugin is lost: $log"
}

for tool in "$@"; do
    printf '\n== %s ==\n' "$tool"
    # Each has settings of its own.
    ("$tool")
done
