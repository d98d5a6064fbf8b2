#!/usr/bin/env bash
# deb.sh [SUITE...]: builds Debian packages of the plugin, the programs and the trainer into target/packages, for bookworm, trixie
# or, by default, both: each in a root of its suite (as root; 5 GB each). CROSS names the architectures besides this machine's that
# the packages are also made for, by default arm64.
#
# The same sources give the same packages: the times in them are that of the last commit, or SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian-root.sh
. tools/debian-root.sh
declare -A package_of=([gst-plugin-emotion]=gstreamer1.0-emotion [emotion-pipelines]=emotion-tools [emotion-trainer]=emotion-trainer)
out=$repository/target/packages

# The licences of what is compiled in. The text of Apache's is part of Debian.
third_party() { # CRATE FEATURES RUST-TARGET
    local package licence name folder file
    echo "What is compiled in, and its licences. The Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0."
    cargo tree --locked --package "$1" --no-default-features --features "$2" --target "$3" --edges normal --prefix none --format '{p}|{l}' \
        | sed 's, (\*)$,,' | grep -v '(/' | sort --unique | while IFS='|' read -r package licence; do
        name=${package%% v*}
        folder=$(echo "$CARGO_HOME/registry/src/"*"/$name-$(sed -E 's/.* v([^ ]+).*/\1/' <<<"$package")")
        printf '\n==== %s (%s)\n' "${package% (*}" "$licence"
        for file in "$folder"/{LICEN[CS]E,COPYING,COPYRIGHT,NOTICE,UNLICENSE}*; do
            [ ! -f "$file" ] || grep --quiet 'TERMS AND CONDITIONS FOR USE, REPRODUCTION' "$file" || { echo; cat "$file"; }
        done
    done
}

# In the root of the suite.
build() { # SUITE
    local suite=$1 purposes=(build deb) version architecture
    local -A features=([gst-plugin-emotion]='' [emotion-pipelines]='' [emotion-trainer]=keras)
    if [ "$suite" != bookworm ]; then
        purposes+=(analytics)
        features[gst-plugin-emotion]=v1_24
    fi
    version="$(cargo pkgid --package gst-plugin-emotion | sed 's/.*[#@]//')-1~deb$(debian_release '')"
    rm -rf target/packaging target/packages
    mkdir -p target/packaging target/packages
    # The manual pages and the completions come from a program of the first one.
    build_for "$(dpkg --print-architecture)" emotion-packaging
    for architecture in $(foreign_architectures); do
        build_for "$architecture"
    done
    lintian --fail-on error,warning --allow-root target/packages/*.deb
    step "$suite: done"
}

# With the suite, the version, the purposes and the features of `build`.
build_for() { # ARCHITECTURE CRATE...: these crates of our own too
    local architecture=$1 triple rust_target environment
    shift
    step "$suite, $architecture: what building needs"
    ARCHITECTURE=$architecture tools/setup.sh "${purposes[@]}"
    triple=$(debian_triple "$architecture")
    rust_target=${triple/-linux/-unknown-linux}
    environment=${rust_target//-/_}
    # hdf5-metno-sys loads the library of the machine that builds, by this name, to compare its version with that of the headers.
    ln --symbolic --force "/usr/lib/$(debian_triple "$(dpkg --print-architecture)")/"libhdf5_serial.so.*[0-9].[0-9].[0-9] /usr/local/lib/libhdf5.so

    step "$suite, $architecture: building $version"
    # Without OpenCV: its packages are larger than everything else together. The paths of this machine's crates stay out.
    local prefix=$CARGO_HOME/registry/src=/crates crates=("${!package_of[@]}")
    env RUSTFLAGS="--remap-path-prefix=$prefix" CFLAGS="-O2 -ffile-prefix-map=$prefix" \
        "PKG_CONFIG_$environment=$triple-pkg-config" "CARGO_TARGET_${environment^^}_LINKER=$triple-gcc" \
        cargo build --release --locked --target "$rust_target" "${crates[@]/#/--package=}" "${@/#/--package=}" \
        --no-default-features --features "emotion-trainer/keras${*:+,emotion-packaging/keras}${features[gst-plugin-emotion]:+,gst-plugin-emotion/v1_24}"
    [ $# -eq 0 ] || "target/$rust_target/release/emotion-packaging" target/packaging

    step "$suite, $architecture: packaging"
    local crate package multiarch
    for crate in "${crates[@]}"; do
        package=${package_of[$crate]}
        cat >target/packaging/changelog <<END
$package ($version) $suite; urgency=medium

  * /usr/share/doc/$package/NEWS.gz lists the changes.

 -- gst-plugin-emotion developers <gst-emotion@users.noreply.github.com>  $(LC_ALL=C date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
END
        third_party "$crate" "${features[$crate]}" "$rust_target" | gzip --no-name --best >target/packaging/third-party.gz
        multiarch=none
        [ "$crate" != gst-plugin-emotion ] || multiarch=same
        cargo deb --no-build --quiet --target "$rust_target" --package "$crate" --deb-version "$version" --multiarch "$multiarch" --output target/packages/
    done
}

# In a mount namespace.
mount_and_build() { # SUITE
    local root=$roots/$1
    mount_sources "$root" cargo-deb
    mount_debian_root "$root"
    build_in_debian_root "$root" env SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" CROSS="$(foreign_architectures)" /work/tools/deb.sh --in-root "$1"
}

case ${1:-} in
    --in-root) build "$2" ;;
    --mounted) mount_and_build "$2" ;;
    *)
        lacks=$(debian_root_lacks)
        [ -z "$lacks" ] || { echo "deb.sh: $lacks" >&2; exit 1; }
        tools/setup.sh packages
        cargo fetch --locked --quiet
        export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
        for architecture in $(foreign_architectures); do
            triple=$(debian_triple "$architecture")
            rustup target add "${triple/-linux/-unknown-linux}"
        done
        mkdir -p "$out"
        [ $# -gt 0 ] || set -- bookworm trixie
        for suite in "$@"; do
            make_debian_root "$suite" "$roots/$suite"
            unshare --mount --propagation private "$0" --mounted "$suite"
            rm -f "$out"/*"~deb$(debian_release "$roots/$suite")"*.deb
            cp --preserve=timestamps "$roots/$suite/cache/target/packages/"*.deb "$out"
        done
        ls -l "$out"
        ;;
esac
