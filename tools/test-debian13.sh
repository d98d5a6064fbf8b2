#!/usr/bin/env bash
# Tests the plugin with GStreamer's analytics metadata (cargo feature v1_24) where GStreamer is new enough: in a root of
# Debian 13 below target/, which stays for the next time. There it builds the plugin without OpenCV's cascades, runs its tests,
# and then three lines with elements of others, whose results stay in target/debian13-root/cache/lines.
#
# The root comes from the mirror of Debian that this machine's apt uses, or from DEBIAN_MIRROR. The sources, the Rust toolchain
# and the downloaded crates are this machine's, mounted read-only.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh

suite=trixie
repository=$PWD
root=$repository/target/debian13-root
# GStreamer's ONVIF elements in Rust: a plugin of its own, for the test alone.
onvif_crate=gst-plugin-analytics
onvif_version=0.15.4

export BEGAN=${BEGAN:-$(date +%s)}
step() { printf '\n-- %s (%d s)\n' "$1" $(($(date +%s) - BEGAN)); }

debian_mirror() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        printf '%s\n' "$DEBIAN_MIRROR"
    else
        apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E '^https?://.*/debian/?$' | head -n 1 || true
    fi
}

make_root() {
    [ ! -e "$root/etc/os-release" ] || return 0
    local mirror proxy=
    mirror=$(debian_mirror)
    if [ -z "$mirror" ]; then
        skipped "Debian 13: this machine's apt knows no mirror of Debian; set DEBIAN_MIRROR to the address of one"
        exit 0
    fi
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [ -z "$proxy" ] || export http_proxy="$proxy"
    step "A root of Debian 13 from $mirror"
    rm -rf "$root.new"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root.new" "$mirror" >"$root.log" \
        || { tail -n 5 "$root.log"; exit 1; }
    [ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";" >"$root.new/etc/apt/apt.conf.d/proxy"
    mv "$root.new" "$root"
}

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

# The rest of the script, in a mount namespace: nothing stays mounted, however it ends.
mount_and_enter() {
    local cargo=${CARGO_HOME:-$HOME/.cargo} rustup=${RUSTUP_HOME:-$HOME/.rustup}
    mkdir -p "$root"/{work,cache/target,cache/cargo/registry,rust/{bin,cargo,rustup}} "$repository/target"
    # They may be installed anywhere.
    cp "$(command -v cargo-nextest)" "$(command -v cargo-deny)" "$root/rust/bin"
    mount --bind "$repository" "$root/work"
    mount -o remount,bind,ro "$root/work"
    mount --bind "$root/cache/target" "$root/work/target"
    read_only "$cargo/bin" "$root/rust/cargo"
    read_only "$cargo/registry" "$root/cache/cargo/registry"
    read_only "$rustup" "$root/rust/rustup"
    [ ! -e "$cargo/config.toml" ] || cp "$cargo/config.toml" "$root/cache/cargo"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
    exec env --ignore-environment TERM="${TERM:-dumb}" \
        HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/rust/cargo:/rust/bin \
        CARGO_HOME=/cache/cargo CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=/cache/target \
        RUSTUP_HOME=/rust/rustup RUSTUP_TOOLCHAIN="$(rustup show active-toolchain | cut -d ' ' -f 1)" \
        BEGAN="$BEGAN" \
        chroot "$root" /work/tools/test-debian13.sh --in-root
}

read_only() {
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
}

in_root() {
    step "Packages"
    tools/setup.sh build run test analytics
    step "The plugin and its tests, with GStreamer $(pkg-config --modversion gstreamer-1.0)"
    local features=(--package gst-plugin-emotion --no-default-features --features v1_24 --locked)
    cargo nextest run "${features[@]}"
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
    ls /cache/lines
    step "Done"
}

case ${1:-} in
    --in-root) in_root ;;
    --mounted) mount_and_enter ;;
    '')
        if [ "$(id -u)" -ne 0 ]; then
            skipped "Debian 13: needs root for chroot and mounts (sudo make test-debian13)"
            exit 0
        fi
        command -v rustup >/dev/null || { skipped "Debian 13: needs a toolchain of rustup, which works there too"; exit 0; }
        tools/setup.sh debian13
        mkdir -p target
        make_root
        fetch
        exec unshare --mount --propagation private "$0" --mounted
        ;;
    *) echo "usage: $0" >&2; exit 2 ;;
esac
