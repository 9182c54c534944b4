#!/bin/bash
#
# fetch.sh LOCK CACHE SOURCES: puts every source that LOCK names, checked and
# patched, into SOURCES/<name>/, and corrects it by edits/<name>.edit, where
# there is one beside LOCK.
#
# How: archives come through apt and npm, by package name, into CACHE. Debian
# sources of another release than this machine's are reached through a private
# apt root, made of the machine's own sources with the suite exchanged; the
# machine's keyring verifies them and nothing on the machine changes. Each
# archive must have the hash in the lock before it is unpacked.
#
# Promises: no root needed; silent when nothing is to be done; one exception
# to the hashes, and a loud one: where a newer Debian revision has replaced a
# locked patch tarball, the one that the signed archive offers for the same
# original tarball is taken, since a security fix must not stop the build.
#
# Turned down: plain `apt-get source name=version`, which stops working at the
# next point release, and copies of the sources in this repository.
set -euo pipefail
export LC_ALL=C

lock=$(readlink -f "$1")
mkdir -p "$2" "$3"
cache=$(readlink -f "$2")
sources=$(readlink -f "$3")
vendor=$(dirname "$lock")
apt_root=$cache/apt
log=$cache/fetch.log

die() {
    echo "fetch: $*" >&2
    if [ -s "$log" ]; then tail -n 15 "$log" >&2; fi
    exit 1
}

lock_lines() { grep -vE '^(#|$)' "$lock"; }

hash_of() { sha256sum "$1" | cut -d' ' -f1; }

# The exact archive of the lock, or the successor accepted in its place.
have() { # FILE HASH
    [ -f "$cache/$1" ] && [ "$(hash_of "$cache/$1")" = "$2" ]
}

have_successor() { # FILE
    local successor hash
    [ -f "$cache/$1.successor" ] || return
    read -r successor hash <"$cache/$1.successor"
    have "$successor" "$hash"
}

# ---- the private apt root --------------------------------------------------

# The machine's own sources for its release, rewritten to deb-src of SUITE.
# Sources that do not name the release (other vendors) are left out.
suite_sources() { # SUITE
    local names="$VERSION_CODENAME|stable|oldstable" file
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        sed -E -e 's/^Types:.*/Types: deb-src/' \
            -e "/^Suites:/s/\b($names)\b/$1/g" "$file" |
            awk -v suite="$1" 'BEGIN { RS = ""; ORS = "\n\n" }
                $0 ~ "Suites:[^\n]*" suite' >>"$apt_root/parts/$1.sources"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -nE "s/^deb(-src)?([[:space:]].*[[:space:]])($names)\b/deb-src\2$1/p" \
            "$file" >>"$apt_root/parts/$1.list"
    done
}

open_apt_root() {
    local suite
    # shellcheck disable=SC1091
    . /etc/os-release
    rm -rf "$apt_root/parts"
    mkdir -p "$apt_root"/{parts,state,lists/partial,cache/archives/partial}
    : >"$apt_root/status"
    for suite in $(lock_lines | awk '$1 == "deb" { print $3 }' | sort -u); do
        suite_sources "$suite"
    done
    cat >"$apt_root/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt_root/parts";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt_root/state";
Dir::State::lists "$apt_root/lists";
Dir::State::status "$apt_root/status";
Dir::Cache "$apt_root/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "2";
END
    export APT_CONFIG=$apt_root/apt.conf
    apt-get -q update >"$log" 2>&1 || true # a missing suite shows up below
}

# Versions of source package NAME that ship a file with HASH, newest first.
versions_with() { # NAME HASH
    apt-cache showsrc --only-source "$1" 2>>"$log" |
        awk -v hash="$2" '/^Version:/ { version = $2 }
            $1 == hash { print version }' | sort -urV
}

download_deb() { # NAME VERSION WHICH
    (cd "$cache" && apt-get -q source --download-only "$3" \
        "$1=$2" >>"$log" 2>&1)
}

# ---- one kind of archive each ----------------------------------------------

fetch_original() { # NAME FILE HASH
    local version
    for version in $(versions_with "$1" "$3"); do
        if download_deb "$1" "$version" --tar-only && have "$2" "$3"; then
            return
        fi
    done
    die "$2: no source package offers this tarball; see vendor/lock.txt"
}

fetch_patches() { # NAME FILE HASH
    local version
    for version in $(versions_with "$1" "$3"); do
        if download_deb "$1" "$version" --diff-only && have "$2" "$3"; then
            return
        fi
    done
    fetch_successor "$1" "$2"
}

# apt checks what it downloads against the signed index, so the file is
# Debian's; it is only not the one that was locked.
fetch_successor() { # NAME FILE
    local original locked version file
    read -r locked original < <(lock_lines | awk -v name="$1" \
        '$2 == name && $5 ~ /\.orig\./ { print $4, $6 }')
    for version in $(versions_with "$1" "$original"); do
        dpkg --compare-versions "$version" gt "$locked" || continue
        file=${1}_${version#*:}.debian.tar.xz
        if download_deb "$1" "$version" --diff-only && [ -f "$cache/$file" ]
        then
            echo "$file $(hash_of "$cache/$file")" >"$cache/$2.successor"
            warn_successor "$2" "$file"
            return
        fi
    done
    die "$2: neither this patch tarball nor a newer revision can be had"
}

warn_successor() { # FILE SUCCESSOR
    cat >&2 <<END
fetch: WARNING: $1
    is gone from the archive. Its signed successor is used instead:
    $2 sha256 $(hash_of "$cache/$2")
    Builds are not byte-identical to earlier ones until vendor/lock.txt
    names it.
END
}

fetch_npm() { # NAME VERSION FILE HASH
    (cd "$cache" && npm pack --loglevel=error "$1@$2" >>"$log" 2>&1) ||
        die "$3: npm pack failed"
    have "$3" "$4" || die "$3: wrong checksum"
}

fetch_missing() {
    local kind name suite version file hash opened=
    while read -r kind name suite version file hash; do
        if have "$file" "$hash" || have_successor "$file"; then continue; fi
        echo "fetching $file" >&2
        case $kind:$file in
        deb:*)
            if [ -z "$opened" ]; then open_apt_root && opened=yes; fi
            case $file in
            *.debian.tar.*) fetch_patches "$name" "$file" "$hash" ;;
            *) fetch_original "$name" "$file" "$hash" ;;
            esac
            ;;
        npm:*) fetch_npm "$name" "$version" "$file" "$hash" ;;
        *) die "$lock: unknown kind $kind (suite $suite)" ;;
        esac
    done < <(lock_lines)
}

# ---- unpacking -------------------------------------------------------------

apply_patches() { # DIRECTORY ARCHIVE
    local patch
    mkdir "$1/.packaging"
    tar -xf "$2" -C "$1/.packaging"
    while read -r patch _; do
        patch -d "$1" -p1 -s <"$1/.packaging/debian/patches/$patch" ||
            die "$2: patch $patch does not apply"
    done < <(grep -vE '^(#|$)' "$1/.packaging/debian/patches/series")
}

# A source is unpacked afresh whenever the hashes of its archives differ from
# those it was made of, or its edits do. The stamp is what the Makefile looks
# at.
unpack() { # NAME
    local target=$sources/$1 part=$sources/.$1.part file archives=() wanted
    local edits=$vendor/edits/$1.edit
    while read -r file; do
        if have_successor "$file"; then
            read -r file _ <"$cache/$file.successor"
        fi
        archives+=("$cache/$file")
    done < <(lock_lines | awk -v name="$1" '$2 == name { print $5 }')
    wanted=$(sha256sum "${archives[@]}" | cut -d' ' -f1)
    [ ! -f "$edits" ] || wanted+=" $(hash_of "$edits")"
    if [ "$(cat "$target/.unpacked" 2>/dev/null)" = "$wanted" ]; then return; fi
    rm -rf "$part" "$target"
    mkdir "$part"
    tar -xf "${archives[0]}" -C "$part" --strip-components=1
    for file in "${archives[@]:1}"; do apply_patches "$part" "$file"; done
    [ ! -f "$edits" ] || awk -v top="$part" -f "$vendor/edit.awk" "$edits" ||
        die "$1: its source is not what $edits corrects"
    mv "$part" "$target"
    echo "$wanted" >"$target/.unpacked"
}

fetch_missing
while read -r name; do unpack "$name"; done < <(
    lock_lines | awk '{ print $2 }' | sort -u
)
