#!/usr/bin/env bash
# Builds Containerfile with buildah and uses the result: who it runs as, that nothing that compiles is in it, a photograph, the
# settings of compose.yaml, and its health check (as root). In place of the images of a registry it takes roots of Debian 12 below
# target/, the first one with this machine's toolchain and crates.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh
# shellcheck source=tools/debian-root.sh
. tools/debian-root.sh
storage=$repository/target/container
toolchain=$(rustup show active-toolchain | cut -d ' ' -f 1)

fail() { printf 'test-container: %s\n' "$*" >&2; exit 1; }
b() { buildah --root "$storage/images" --runroot "$storage/run" "$@"; }

import_roots() {
    local container
    b inspect --type image localhost/debian >/dev/null 2>&1 && return
    step 'Importing a root of Debian 12'
    container=$(b from scratch)
    b add --quiet "$container" "$roots/bookworm-fresh" / >/dev/null
    b commit --quiet "$container" localhost/debian >/dev/null
    b config --env PATH="/rust/cargo:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" --env RUSTUP_HOME=/rust/rustup \
        --env RUSTUP_TOOLCHAIN="$toolchain" --env CARGO_HOME=/cache/cargo --env CARGO_NET_OFFLINE=true "$container"
    b commit --quiet --rm "$container" localhost/rust >/dev/null
}

build() {
    local cargo=${CARGO_HOME:-$HOME/.cargo} rustup=${RUSTUP_HOME:-$HOME/.rustup}
    step 'Building'
    mkdir -p "$storage/target"
    b build --isolation chroot --format docker --tag emotion-tools \
        --build-arg RUST_IMAGE=localhost/rust --build-arg BASE_IMAGE=localhost/debian \
        --volume "$cargo/bin:/rust/cargo:ro" --volume "$rustup:/rust/rustup:ro" --volume "$cargo/registry:/cache/cargo/registry:ro" \
        --volume "$storage/target:/src/target" --file Containerfile . >"$storage/build.log" 2>&1 \
        || { tail -n 20 "$storage/build.log"; fail "the container is not built; all of it is in $storage/build.log"; }
}

# What runs in the container, with a network of its own: the folder /test has the files.
inside() {
    set -e
    echo "user $(id --user)"
    if command -v cc gcc rustc cargo; then exit 1; fi
    emotion-tag /test/astronaut.png --out /tmp/tags
    grep --quiet '"emotion":"[a-z]' /tmp/tags/astronaut.png.jsonl
    emotion-crowd --check /etc/emotion-crowd/crowd.toml
    emotion-crowd /etc/emotion-crowd/crowd.toml &
    local program=$! try
    for try in $(seq 100); do
        "$@" 2>/dev/null && echo "healthy after ${try} tries" && kill "$program" && wait "$program" && exit 0
        sleep 0.1
    done
    echo 'never healthy'
    exit 1
}

use() {
    local container folder=$storage/test health=()
    step 'Using it'
    readarray -t health < <(b inspect --type image --format '{{range .Docker.Config.Healthcheck.Test}}{{println .}}{{end}}' emotion-tools | sed '/^$/d')
    [ "${health[0]:-}" = CMD ] || fail "expected a health check, found ${health[*]:-none}"
    mkdir -p "$folder"
    cp tests/media/astronaut.png "$folder"
    openssl rand -hex 16 >"$folder/page-token"
    container=$(b from emotion-tools)
    unshare --net bash -c 'ip link set lo up; exec "$@"' bash \
        buildah --root "$storage/images" --runroot "$storage/run" run --isolation chroot \
        --volume "$folder:/test:ro" --volume "$folder/page-token:/run/secrets/page-token:ro" \
        --volume "$repository/pipelines/compose/crowd.toml:/etc/emotion-crowd/crowd.toml:ro" \
        "$container" bash -c "$(declare -f inside); inside \"\$@\"" bash "${health[@]:1}" | tee "$storage/output"
    grep --quiet '^user 10001$' "$storage/output" || fail "it does not run as user 10001"
    b rm "$container" >/dev/null
    b images
}

lacks=$(debian_root_lacks)
[ -z "$lacks" ] || { skipped "the container: $lacks"; exit 0; }
tools/setup.sh container
make_debian_root bookworm "$roots/bookworm-fresh"
cargo fetch --locked --quiet
import_roots
build
use
step 'Done'
