#!/usr/bin/env bash
# test-packages.sh [SUITE...]: installs what `make deb wheel` has built in fresh roots of Debian (bookworm, trixie; by default both)
# as people do, and uses it: the lines of README, a clip with a face, the service, the Python package, an upgrade and a purge.
# Only what installs from Debian has a network. It prints how long the installations take and how large they are.
#
# Packages of other architectures (CROSS, by default arm64) are installed in roots of these, in an emulator.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh
# shellcheck source=tools/debian-root.sh
. tools/debian-root.sh
packages=target/packages
report=$roots/packages.txt

fail() { printf 'test-packages: %s\n' "$*" >&2; exit 1; }
expect_packages() { # ARCHITECTURE
    compgen -G "$packages/*~deb${release}_$1.deb" >/dev/null || fail "$packages has no packages for $suite on $1: make deb"
}
# With a loopback device, which ioctl SIOCSIFFLAGS takes up: `ip` is not installed.
offline() {
    # shellcheck disable=SC2016
    unshare --net perl -MSocket -e 'socket($s, AF_INET, SOCK_DGRAM, 0); $r = pack("Z16sx22", "lo", 1); ioctl($s, 0x8914, $r) or die $!; exec @ARGV' "$@"
}
seconds() { # WHAT COMMAND...: how long the command takes, into the report
    local what=$1 began
    shift
    began=$(date +%s%N)
    "$@" >/tmp/output 2>&1 || { tail -n 20 /tmp/output; fail "$what: $*"; }
    printf '%s: %s %d.%01d s\n' "$suite" "$what" $((($(date +%s%N) - began) / 1000000000)) $((($(date +%s%N) - began) / 100000000 % 10)) | tee --append /report.txt
}
apt() { DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet --yes "$@"; }

# Everything but the download is done without a network.
install_offline() { # PACKAGE...
    apt --download-only install "$@" >/dev/null
    seconds "apt install $(basename --multiple "$@" | sed "s/_.*//; s/[.]deb$//" | paste --serial --delimiters=" ")" offline env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes install "$@"
}

# The line of README that contains a text, with a test source in the place of the camera.
readme_line() { grep --max-count=1 --fixed-strings -- "$1" README.md | sed 's/^ *//; s/v4l2src/videotestsrc num-buffers=20/'; }

has_face() { # WHAT, and records on standard input
    # All of it is read, so that nobody writes into a closed pipe.
    [ "$(grep --count '"emotion":"[a-z]')" -gt 0 ] || fail "$1: expected a face with an emotion, found none"
}

test_elements() { # PREFIX of the detector's name
    local line
    line=$(readme_line "! ${1}facedetect ! emotionclassify ! emotionoverlay" || readme_line '! facedetect ! emotionclassify ! emotionoverlay')
    [ -z "$1" ] || line=${line//! facedetect/! ${1}facedetect}
    echo "$line"
    # Without a display, autovideosink of Debian 12 crashes whatever stands before it.
    offline xvfb-run --auto-servernum bash -c "$line" >/tmp/output 2>&1 || { cat /tmp/output; fail "$line"; }
    offline gst-launch-1.0 --quiet filesrc location=/tmp/out/clip.mp4 ! decodebin ! videoconvert ! "${1}facedetect" \
        ! emotionclassify ! emotionpublish location=- ! fakesink | has_face "${1}facedetect"
}

test_service() {
    [ ! -e /etc/systemd/system/multi-user.target.wants/emotion-crowd.service ] || fail "the service is enabled before it has settings"
    emotion-crowd --check /etc/emotion-crowd/crowd.toml
    # shellcheck disable=SC2016
    offline bash -c '
        cd /tmp
        emotion-crowd /etc/emotion-crowd/crowd.toml 2>/tmp/crowd.log &
        program=$!
        for try in $(seq 100); do
            if exec 3<>/dev/tcp/127.0.0.1/8080; then
                printf "GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:8080\r\n\r\n" >&3
                read -r answer <&3
                break
            fi 2>/dev/null
            sleep 0.1
        done
        kill "$program" && wait "$program"
        [[ "${answer:-}" == *" 200 "* ]]' || { cat /tmp/crowd.log; fail "emotion-crowd with the settings of the package: expected that /healthz answers 200"; }
}

# Lays the newer package that an upgrade needs.
newer() { # PACKAGE
    local folder=/tmp/newer/$1
    rm -rf "$folder" "$folder.deb"
    dpkg-deb --raw-extract "$packages/${1}_"*"~deb${release}_$(dpkg --print-architecture).deb" "$folder"
    sed -i 's/^Version: \(.*\)-1~/Version: \1-2~/' "$folder/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$folder" "$folder.deb" >/dev/null
}

test_upgrade_and_purge() {
    local settings=/etc/emotion-crowd/crowd.toml name files file
    local names=(gstreamer1.0-emotion emotion-tools emotion-trainer)
    echo '# ours' >>"$settings"
    mkdir -p /tmp/newer /var/lib/private/emotion-crowd
    for name in "${names[@]}"; do newer "$name"; done
    install_offline /tmp/newer/*.deb
    dpkg-query --show --showformat '${Version}\n' emotion-tools | grep --quiet -- '-2~' || fail "the packages have not been upgraded"
    tail -n 1 "$settings" | grep --quiet '^# ours$' || fail "$settings: an upgrade has changed what somebody wrote"
    readarray -t files < <(for name in "${names[@]}"; do dpkg --listfiles "$name"; done | grep emotion)
    apt purge "${names[@]}" >/dev/null
    for file in "${files[@]}" "$settings" /etc/emotion-crowd /var/lib/private/emotion-crowd; do
        [ ! -e "$file" ] || fail "purge has left $file"
    done
    ! dpkg --get-selections '*emotion*' 2>/dev/null | grep --invert-match --quiet deinstall || fail "purge has left a package"
}

test_wheel() {
    local wheel=(target/wheels/emotion_faces-*"$(uname --machine).whl")
    [ -e "${wheel[0]}" ] || { skipped "the Python package in a root of Debian: target/wheels has no wheel (make wheel)"; return; }
    install_offline python3-venv
    seconds 'a Python environment' offline python3 -m venv /tmp/venv
    seconds 'pip install of the wheel' offline /tmp/venv/bin/pip install --quiet --no-index "${wheel[0]}"
    # shellcheck disable=SC2016
    sed -n '/^## Python/,/^## /{/^```python/,/^```/p}' README.md | grep -v '^```' | sed 's|photo.jpg|tests/media/astronaut.png|' >/tmp/readme.py
    offline /tmp/venv/bin/python /tmp/readme.py | tee /tmp/output
    grep --quiet '%$' /tmp/output || fail "README's lines in Python: expected a face with an emotion"
}

in_root() { # SUITE
    suite=$1
    release=$(debian_release '')
    local debs=("./$packages/"*"~deb${release}_$(dpkg --print-architecture).deb")
    step "$suite: apt install"
    apt update
    install_offline "${debs[@]}"
    local compiler
    for compiler in cc gcc c++ clang rustc cargo; do
        ! command -v "$compiler" >/dev/null || fail "a compiler is installed: $compiler"
    done

    step "$suite: the programs and the elements"
    apt --no-install-recommends install xvfb xauth >/dev/null
    seconds 'emotion-demo with the built-in clip' offline emotion-demo --clip --no-window --out /tmp/out
    has_face emotion-demo </tmp/out/faces.jsonl
    test_elements ''
    offline emotion-tag /tmp/out/clip.mp4 --out /tmp/tags
    has_face emotion-tag </tmp/tags/clip.mp4.jsonl
    offline emotion-trainer predict tests/media/astronaut.png
    bash -n /usr/share/bash-completion/completions/emotion-*
    test_service

    step "$suite: beside OpenCV's plugin"
    install_offline gstreamer1.0-opencv
    gst-inspect-1.0 facedetect | grep Filename
    test_elements emotion

    step "$suite: the Python package"
    test_wheel

    step "$suite: upgrade and purge"
    test_upgrade_and_purge
    step "$suite: done"
}

# What an emulator can show in reasonable time.
in_foreign_root() { # SUITE
    suite=$1
    local architecture
    architecture=$(dpkg --print-architecture)
    release=$(debian_release '')
    step "$suite, $architecture: apt install"
    apt update
    apt --no-install-recommends install "./$packages/"*"~deb${release}_$architecture.deb" gstreamer1.0-tools gstreamer1.0-plugins-good >/dev/null
    step "$suite, $architecture: the programs and the elements"
    gst-inspect-1.0 facedetect | grep Filename
    gst-launch-1.0 --quiet filesrc location=tests/media/astronaut.png ! pngdec ! videoconvert ! facedetect \
        ! emotionclassify ! emotionpublish location=- ! fakesink >/tmp/faces.jsonl
    has_face "facedetect on $architecture" </tmp/faces.jsonl
    emotion-trainer predict tests/media/astronaut.png
    emotion-tag --version
    step "$suite, $architecture: the Python package"
    test_wheel
    step "$suite, $architecture: done"
}

# Programs of the architecture run in the emulator from now on, here and in all roots.
emulate() { # ARCHITECTURE
    local name
    tools/setup.sh emulator
    name=qemu-$(debian_triple "$1" | cut -d - -f 1)
    mountpoint --quiet /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    [ -e "/proc/sys/fs/binfmt_misc/$name" ] || cat "/usr/lib/binfmt.d/$name.conf" >/proc/sys/fs/binfmt_misc/register
}

# In a mount namespace.
mount_and_enter_foreign() { # SUITE ARCHITECTURE
    local fresh=$roots/$1-$2 root=$roots/$1-test
    emulate "$2"
    make_debian_root "$1" "$fresh" "$2"
    rm -rf --one-file-system "$root"
    cp -a "$fresh" "$root"
    mkdir -p "$root/work"
    mount_read_only "$repository" "$root/work"
    mount_debian_root "$root"
    in_debian_root "$root" /work/tools/test-packages.sh --in-foreign-root "$1"
}

# In a mount namespace.
mount_and_enter() { # SUITE
    local fresh=$roots/$1-fresh root=$roots/$1-test
    rm -rf --one-file-system "$root"
    cp -a "$fresh" "$root"
    mkdir -p "$root/work" "$roots/$1-archives/partial"
    mount_read_only "$repository" "$root/work"
    mount_debian_root "$root"
    # What is downloaded stays for the next time.
    mount --bind "$roots/$1-archives" "$root/var/cache/apt/archives"
    in_debian_root "$root" /work/tools/test-packages.sh --in-root "$1"
    cat "$root/report.txt" >>"$report"
}

case ${1:-} in
    --in-root) in_root "$2" ;;
    --mounted) mount_and_enter "$2" ;;
    --in-foreign-root) in_foreign_root "$2" ;;
    --mounted-foreign) mount_and_enter_foreign "$2" "$3" ;;
    *)
        lacks=$(debian_root_lacks)
        [ -z "$lacks" ] || { skipped "packages in fresh roots of Debian: $lacks"; exit 0; }
        [ $# -gt 0 ] || set -- bookworm trixie
        tools/setup.sh roots
        : >"$report"
        for suite in "$@"; do
            make_debian_root "$suite" "$roots/$suite-fresh"
            release=$(debian_release "$roots/$suite-fresh")
            expect_packages "$(dpkg --print-architecture)"
            unshare --mount --propagation private "$0" --mounted "$suite"
            for architecture in $(foreign_architectures); do
                expect_packages "$architecture"
                unshare --mount --propagation private "$0" --mounted-foreign "$suite" "$architecture"
            done
        done
        echo
        cat "$report"
        for deb in "$packages"/*.deb; do
            printf '%s: %d kB, installed %d kB\n' "$(basename "$deb")" "$(($(stat --format=%s "$deb") / 1000))" "$(dpkg-deb --field "$deb" Installed-Size)"
        done
        ;;
esac
