# shellcheck shell=bash
# To be sourced, from the folder of the repository, by scripts that work in a root of Debian: below target/debian/, in a mount
# namespace, so that nothing stays mounted however they end. shellcheck knows the variables from here:
#   repository   the folder with the sources, /work in a root
#   roots        the folder of the roots, one for each suite; a root stays for the next time
#
# The packages come from the mirror of Debian that this machine's apt uses, or from DEBIAN_MIRROR. The sources, the Rust
# toolchain and the downloaded crates are this machine's, mounted read-only.
repository=$PWD
# shellcheck disable=SC2034
roots=$repository/target/debian

export BEGAN=${BEGAN:-$(date +%s)}
step() { printf '\n-- %s (%d s)\n' "$1" $(($(date +%s) - BEGAN)); }

debian_mirror() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        printf '%s\n' "$DEBIAN_MIRROR"
    else
        # shellcheck disable=SC2016
        apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E '^https?://.*/debian/?$' | head -n 1 || true
    fi
}

# Why no root can be made or entered here; nothing if it can.
debian_root_lacks() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "needs root for chroot and mounts (use sudo)"
    elif ! command -v rustup >/dev/null; then
        echo "needs a toolchain of rustup, which works in other systems too"
    elif [ -z "$(debian_mirror)" ]; then
        echo "this machine's apt knows no mirror of Debian; set DEBIAN_MIRROR to the address of one"
    fi
}

make_debian_root() { # SUITE FOLDER [ARCHITECTURE]
    local suite=$1 root=$2 architecture=${3:-} mirror proxy=
    [ ! -e "$root/etc/os-release" ] || return 0
    mirror=$(debian_mirror)
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [ -z "$proxy" ] || export http_proxy="$proxy"
    step "A root of Debian $suite from $mirror"
    mkdir -p "$(dirname "$root")"
    rm -rf "$root.new"
    debootstrap ${architecture:+--arch="$architecture"} --variant=minbase --include=ca-certificates "$suite" "$root.new" "$mirror" >"$root.log" \
        || { tail -n 5 "$root.log"; exit 1; }
    [ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";" >"$root.new/etc/apt/apt.conf.d/proxy"
    # The lists of testing expire after a week; a mirror may be older.
    [ "$suite" != testing ] || echo 'Acquire::Check-Valid-Until "false";' >"$root.new/etc/apt/apt.conf.d/valid-until"
    mv "$root.new" "$root"
}

# The number of a release, such as 12.
debian_release() { # ROOT
    sed -nE 's/^VERSION_ID="(.*)"/\1/p' "$1/etc/os-release"
}

# The triple of an architecture of Debian, such as aarch64-linux-gnu of arm64.
debian_triple() { # ARCHITECTURE
    # It warns where the compiler is for another one.
    dpkg-architecture --host-arch "$1" --query DEB_HOST_MULTIARCH 2>/dev/null
}

# The architectures that packages are made for besides this machine's: those of CROSS, by default arm64.
foreign_architectures() {
    # shellcheck disable=SC2086
    printf '%s\n' ${CROSS-arm64} | grep --invert-match --line-regexp "$(dpkg --print-architecture)" || true
}

# The rest runs in a mount namespace: unshare --mount --propagation private.

mount_debian_root() { # ROOT
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/tmp"
    cp --dereference /etc/resolv.conf "$1/etc/resolv.conf"
}

mount_read_only() { # FOLDER PLACE
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
}

# What building needs. PROGRAM...: programs of this machine that are wanted too; they may be installed anywhere.
mount_sources() { # ROOT PROGRAM...
    local root=$1 cargo=${CARGO_HOME:-$HOME/.cargo} rustup=${RUSTUP_HOME:-$HOME/.rustup} program
    shift
    mkdir -p "$root"/{work,cache/target,cache/cargo/registry,rust/{bin,cargo,rustup}} "$repository/target"
    for program in "$@"; do
        cp "$(command -v "$program")" "$root/rust/bin"
    done
    mount_read_only "$repository" "$root/work"
    mount --bind "$root/cache/target" "$root/work/target"
    mount_read_only "$cargo/bin" "$root/rust/cargo"
    mount_read_only "$cargo/registry" "$root/cache/cargo/registry"
    mount_read_only "$rustup" "$root/rust/rustup"
    [ ! -e "$cargo/config.toml" ] || cp "$cargo/config.toml" "$root/cache/cargo"
}

in_debian_root() { # ROOT COMMAND...
    local root=$1
    shift
    env --ignore-environment TERM="${TERM:-dumb}" BEGAN="$BEGAN" \
        HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$root" "$@"
}

build_in_debian_root() { # ROOT COMMAND...
    local root=$1
    shift
    in_debian_root "$root" env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/rust/cargo:/rust/bin \
        CARGO_HOME=/cache/cargo CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=/work/target \
        RUSTUP_HOME=/rust/rustup RUSTUP_TOOLCHAIN="$(rustup show active-toolchain | cut -d ' ' -f 1)" \
        "$@"
}
