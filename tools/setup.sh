#!/usr/bin/env bash
# Installs what is missing for the named purposes: build, cascade, analytics, run, test, memory, bench, debian, roots, packages,
# emulator, deb, release, container.
# On Debian and Ubuntu through apt, elsewhere it says what is needed and goes on where that is there. ARCHITECTURE=arm64: for building
# packages of another architecture of Debian, whose libraries take the place of this one's.
set -euo pipefail
cd "$(dirname "$0")/.."

packages_build=(
    make gcc libc6-dev pkg-config # the linker, and a C compiler for TLS
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
    libcairo2-dev libpango1.0-dev # the overlay draws with them
)
packages_cascade=(
    libopencv-dev                 # Haar and LBP cascades
    opencv-data                   # trained ones
    g++ clang libclang-dev        # the bindings are generated from OpenCV's headers
)
packages_analytics=(
    libgstreamer-plugins-bad1.0-dev # GStreamer's analytics metadata, 1.24 and newer
)
packages_run=(
    gstreamer1.0-tools            # gst-launch-1.0, gst-inspect-1.0
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad      # h264parse
    gstreamer1.0-plugins-ugly     # x264enc
    gstreamer1.0-libav            # decoders
    python3-gi gir1.2-gstreamer-1.0 # rtsp-in.sh with a login
    gstreamer1.0-x                # windows
    fonts-dejavu-core             # text for the overlay
)
packages_test=(
    libhdf5-dev                   # the trainer's feature `keras`
    libssl-dev g++                # the feature `kafka`
    xvfb                          # a display for the window test
    mosquitto                     # an MQTT broker
    openssl                       # and its certificates
    python3-gi gir1.2-gst-rtsp-server-1.0 # an RTSP camera
    gir1.2-gst-plugins-base-1.0   # GStreamer's metadata in Python
    gstreamer1.0-rtsp             # and a client that sends to one
    python3-prometheus-client     # reads /metrics as Prometheus does
    prometheus                    # and Prometheus itself, with promtool
    systemd                       # systemd-analyze checks the unit of emotion-crowd
    chromium                      # shows the pages of the programs
    ffmpeg                        # makes files for emotion-tag, and ffprobe tells their times
)
if [ "$(uname -m)" = x86_64 ]; then # the NEON loops in an emulator
    packages_test+=(qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
fi
packages_memory=(
    valgrind                      # reads and writes of memory that is not there, and what is lost
)
packages_bench=(
    python3-venv                  # the peers come from PyPI
)
packages_test+=("${packages_bench[@]}")
packages_roots=(
    debootstrap                   # makes a root of another release
)
packages_deb=(
    dpkg-dev                      # finds the packages of the libraries
    libhdf5-dev                   # the trainer's feature `keras`
    lintian                       # checks the result
)
packages_container=(
    buildah crun                  # builds Containerfile
    iproute2 openssl
)
modules_build=(gstreamer-1.0 gstreamer-base-1.0 gstreamer-app-1.0 gstreamer-video-1.0 cairo pango pangocairo)
modules_cascade=(opencv4)
modules_analytics=('gstreamer-analytics-1.0')
modules_test=(gstreamer-check-1.0)
elements_run=(autovideosink qtdemux mp4mux h264parse x264enc avdec_h264 v4l2src)

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

require_rust() {
    command -v cargo >/dev/null || fail "cargo was not found: install a Rust toolchain, 1.95 or newer (https://rustup.rs), open a new shell and call make again."
}

apt_install() {
    local missing=() name native architecture
    native=$(dpkg --print-architecture)
    for name in "$@"; do
        architecture=${name#*:}
        [ "$architecture" != "$name" ] || architecture=$native
        dpkg-query --show --showformat='${db:Status-Status} ${Architecture}\n' "${name%:*}" 2>/dev/null \
            | grep --quiet --line-regexp --extended-regexp "installed ($architecture|all)" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    say "Installing with apt: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null \
            || fail "that needs root and sudo was not found. As root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    # An outdated list names versions that the archive no longer has.
    "${as_root[@]}" apt-get update --quiet
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
}

check_without_apt() {
    local modules=("$@") missing=() name
    command -v pkg-config >/dev/null || fail "pkg-config was not found. This system has no apt: install by hand pkg-config and the development files of ${modules[*]}."
    for name in "${modules[@]}"; do
        pkg-config --exists "$name" || missing+=("$name")
    done
    [[ " ${modules[*]} " != *" opencv4 "* ]] || command -v clang >/dev/null || missing+=("clang with libclang")
    [ ${#missing[@]} -eq 0 ] || fail "this system has no apt: install by hand the development files of ${missing[*]}."
    for name in "${elements_run[@]}"; do
        gst-inspect-1.0 --exists "$name" 2>/dev/null || say "Note: the GStreamer element $name is missing; some pipelines need it."
    done
}

cargo_tool() { # NAME: a cargo subcommand, built from source where it is missing
    command -v "cargo-$1" >/dev/null && return 0
    say "Installing with cargo: cargo-$1 (some minutes, once)"
    cargo install --locked "cargo-$1"
}

require_rust
packages=() modules=()
for purpose in "$@"; do
    case $purpose in
        build) packages+=("${packages_build[@]}") modules+=("${modules_build[@]}") ;;
        cascade) packages+=("${packages_cascade[@]}") modules+=("${modules_cascade[@]}") ;;
        analytics) packages+=("${packages_analytics[@]}") modules+=("${modules_analytics[@]}") ;;
        run) packages+=("${packages_run[@]}") ;;
        test) packages+=("${packages_test[@]}") modules+=("${modules_test[@]}") ;;
        memory) packages+=("${packages_memory[@]}") ;;
        bench) packages+=("${packages_bench[@]}") ;;
        debian | roots) packages+=("${packages_roots[@]}") ;;
        packages) packages+=("${packages_roots[@]}" dpkg-dev) ;;
        emulator) packages+=(qemu-user-static dpkg-dev) ;;
        deb) packages+=("${packages_deb[@]}") ;;
        container) packages+=("${packages_roots[@]}" "${packages_container[@]}") ;;
        release) packages+=("${packages_roots[@]}" "${packages_bench[@]}") ;;
        *) fail "unknown purpose $purpose: expected build, cascade, analytics, run, test, memory, bench, debian, roots, packages, emulator, deb, release or container" ;;
    esac
done

if [ -n "${ARCHITECTURE:-}" ] && [ "$ARCHITECTURE" != "$(dpkg --print-architecture)" ]; then
    dpkg --add-architecture "$ARCHITECTURE"
    for index in "${!packages[@]}"; do
        [[ ${packages[index]} != lib*-dev ]] || packages[index]+=:$ARCHITECTURE
    done
    triple=$(dpkg-architecture --host-arch "$ARCHITECTURE" --query DEB_HOST_MULTIARCH)
    packages+=("gcc-${triple//_/-}")
fi

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    apt_install "${packages[@]}"
else
    check_without_apt "${modules[@]}"
fi

if [[ " $* " == *" test "* || " $* " == *" debian "* ]]; then
    for component in fmt clippy; do
        cargo "$component" --version >/dev/null 2>&1 || fail "cargo $component is missing: rustup component add rustfmt clippy"
    done
    cargo_tool nextest
    cargo_tool deny
fi
if [[ " $* " == *" test "* ]]; then
    tools/opencv-plugin.sh
fi
if [[ " $* " == *" packages "* ]]; then
    cargo_tool deb
fi
if [[ " $* " == *" release "* ]]; then
    cargo_tool cyclonedx
    cargo_tool machete
fi
