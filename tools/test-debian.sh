#!/usr/bin/env bash
# Tests the plugin with GStreamer's analytics metadata (cargo feature v1_24) where GStreamer is new enough: in a root of
# Debian 13 (trixie) or of Debian testing below target/. There it builds the plugin without OpenCV's cascades, runs its tests,
# and then lines with elements of others, whose results stay in target/debian/SUITE/cache/lines.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh
# shellcheck source=tools/debian-root.sh
. tools/debian-root.sh

suite=${1:-}
case $suite in
    trixie | testing) root=$roots/$suite ;;
    *) echo "usage: $0 trixie|testing" >&2; exit 2 ;;
esac
# GStreamer's ONVIF elements in Rust: a plugin of its own, for the test alone.
onvif_crate=gst-plugin-analytics
onvif_version=0.15.4

# What cargo needs in the root, where the crates are read-only.
fetch() {
    cargo fetch --locked --quiet
    local onvif=$root/cache/onvif
    mkdir -p "$onvif"
    if [ ! -e "$onvif/Cargo.lock" ]; then
        cat >"$onvif/Cargo.toml" <<END
[package]
name = "onvif"
version = "0.0.0"
edition = "2024"

[lib]
path = "lib.rs"

[dependencies]
$onvif_crate = "=$onvif_version"

[workspace]
END
        : >"$onvif/lib.rs"
    fi
    cargo fetch --quiet --manifest-path "$onvif/Cargo.toml"
}

# In a mount namespace.
mount_and_enter() {
    mount_sources "$root" cargo-nextest cargo-deny
    mount_debian_root "$root"
    build_in_debian_root "$root" /work/tools/test-debian.sh "$suite" --in-root
}

in_root() {
    step "Packages"
    tools/setup.sh build run test analytics
    step "The plugin and its tests, with GStreamer $(pkg-config --modversion gstreamer-1.0)"
    local features=(--package gst-plugin-emotion --no-default-features --features v1_24 --locked)
    cargo nextest run --no-fail-fast "${features[@]}"
    step "Three lines with elements of others"
    local plugins=/cache/plugins-$onvif_version
    if [ ! -e "$plugins" ]; then
        CARGO_TARGET_DIR=/cache/onvif/target cargo build --manifest-path /cache/onvif/Cargo.toml --package "$onvif_crate"
        mkdir -p "$plugins.new"
        cp /cache/onvif/target/debug/libgstrsanalytics.so "$plugins.new"
        mv "$plugins.new" "$plugins"
    fi
    mkdir -p /cache/lines
    GST_PLUGIN_PATH=$plugins EMOTION_KEEP_DRAWN=/cache/lines \
        cargo nextest run "${features[@]}" --run-ignored only -E 'test(/^analytics::lines::/)'
    # The first of them as README has it, with the plugin as a file.
    local picture=(filesrc location=tests/media/astronaut.png ! pngdec ! imagefreeze num-buffers=5 ! videoconvert)
    gst-launch-1.0 --quiet --gst-plugin-load="$CARGO_TARGET_DIR/debug/deps/libgstemotion.so" \
        "${picture[@]}" ! facedetect ! emotionclassify ! objectdetectionoverlay \
        ! videoconvert ! pngenc ! multifilesink location=/cache/lines/objectdetectionoverlay.png
    if gst-inspect-1.0 --exists ultralightfacedetectortensordec; then
        step "A line behind GStreamer's tensor decoder for faces"
        apt-get install --yes --quiet --no-install-recommends gir1.2-gst-plugins-bad-1.0 >/dev/null
        GST_PLUGIN_PATH=$CARGO_TARGET_DIR/debug/deps python3 plugin/tests/tensor_decoder.py \
            tests/media/astronaut.png /cache/lines/tensor-decoder.png
    fi
    ls /cache/lines
    step "Done"
}

case ${2:-} in
    --in-root) in_root ;;
    --mounted) mount_and_enter ;;
    '')
        lacks=$(debian_root_lacks)
        [ -z "$lacks" ] || { skipped "Debian $suite: $lacks"; exit 0; }
        tools/setup.sh debian
        make_debian_root "$suite" "$root"
        fetch
        exec unshare --mount --propagation private "$0" "$suite" --mounted
        ;;
    *) echo "usage: $0 trixie|testing" >&2; exit 2 ;;
esac
