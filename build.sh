#!/bin/bash
#
# build.sh: everything one does with this repository, one word each. Run it
# without a word to build, with `help` for the list.
#
# How: it installs what a bare Debian lacks, fetches the libraries' sources by
# lock file (vendor/fetch.sh), and lets one Makefile (vendor/Makefile) do the
# rest. Everything made lies in build/; removing that folder undoes all of it.
# Several calls may run at once: whoever builds a flavour holds its lock.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$(readlink -f "$0")")"

cache=${ASSAY_CACHE:-build/vendor-cache}

usage() {
    cat <<'END'
./build.sh [word]

  (none)                     build/assay: static, stripped, reproducible
  run [option...]            build, and serve a simulated network (assay demo)
  test [pattern]             checks and all tests, or those whose name matches
  check                      include map, warnings, format, and other rules
  asan                       build/asan/assay, build/asan/unit: ASan and UBSan
  fuzz [target] [seconds]    fuzz one target or all, 60 s each unless said
  soak                       the long tests
  bench [part]               measurements
  debug                      build/debug/assay for a debugger
  format                     put all C files into the one format
  clip                       draw and encode the test pattern again
  compile [file...]          only compile, gcc and clang, all warnings
  arm64                      build/arm64/assay, cross-compiled
  clean                      remove build/ except fetched archives
  help                       this text

ASSAY_CACHE names a folder for fetched archives other than build/vendor-cache.
END
}

say() { echo "build: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# ---- what must be on the machine -------------------------------------------

# Lines "command package". For a package without a command a file of it stands
# there, or the word "package".
build_needs='apt-get apt
gcc gcc
/usr/include/stdio.h libc6-dev
make make
patch patch
xz xz-utils
bzip2 bzip2
npm npm
flock util-linux
/etc/ssl/certs/ca-certificates.crt ca-certificates'
test_needs='python3 python3
clang clang
clang-format clang-format
shellcheck shellcheck
chromium chromium
zstd zstd
openssl openssl
git git
strace strace
package python3-aiohttp
package python3-grpcio'
bench_needs='python3 python3
sqlite3 sqlite3'
fuzz_needs='clang clang
package libclang-rt-dev'
clip_needs='python3 python3
ffmpeg ffmpeg'
arm64_needs='aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu'

missing_of() { # NEEDS
    local thing package
    while read -r thing package; do
        case $thing in
        /*) [ -e "$thing" ] || echo "$package" ;;
        package) dpkg-query -W "$package" >/dev/null 2>&1 || echo "$package" ;;
        *) command -v "$thing" >/dev/null || echo "$package" ;;
        esac
    done <<<"$1"
}

need() { # NEEDS
    local missing root=()
    mapfile -t missing < <(missing_of "$1")
    if [ ${#missing[@]} = 0 ]; then return; fi
    if ! command -v apt-get >/dev/null; then
        die "this machine lacks: ${missing[*]}, and has no apt-get to install
it. Build in a Debian container: mount this folder into an image of Debian 12
and run ./build.sh there."
    fi
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "this machine lacks: ${missing[*]}.
Install them as root (apt-get install ${missing[*]}) and run this again."
        root=(sudo)
    fi
    say "installing ${missing[*]}"
    mkdir -p build
    { "${root[@]}" apt-get -q update && "${root[@]}" env \
        DEBIAN_FRONTEND=noninteractive apt-get -qy install \
        --no-install-recommends "${missing[@]}"; } >build/install.log 2>&1 ||
        { tail -n 20 build/install.log >&2; die "the installation failed"; }
}

# ---- building --------------------------------------------------------------

# Runs the rest under the lock NAME, so that calls at the same time wait for
# each other instead of writing the same files.
locked() { # NAME COMMAND...
    local name=$1
    shift
    mkdir -p build
    (
        flock 9
        "$@" 9>&-
    ) 9>"build/.$name.lock"
}

prepare() {
    need "$build_needs"
    locked fetch vendor/fetch.sh vendor/lock.txt "$cache" build/src
    locked generated make -s -f vendor/Makefile generated
}

# The flavours on glibc share their libraries, hence one lock.
build() { # FLAVOUR [GOAL...]
    local flavour=$1 lock=$1
    shift
    case $flavour in
    asan | debug | fuzz) lock=glibc ;;
    esac
    prepare
    locked "$lock" make -s -f vendor/Makefile -j"$(nproc)" \
        FLAVOUR="$flavour" "$@"
}

release() {
    build release all
    ln -f build/release/assay build/assay
}

# ---- words -----------------------------------------------------------------

do_run() {
    release
    unset ASSAY_CACHE # the program would ask what it means
    exec build/assay demo "$@"
}

# A validator of OpenAPI documents that is not ours, by its name and version.
# Tests say so when it could not be had.
fetch_openapi_validator() {
    local place=build/openapi-validator version=2.11.0
    if [ -e "$place/node_modules/.bin/validate-api" ]; then return; fi
    npm install --prefix "$place" --no-save --no-audit --no-fund \
        --loglevel=error --ignore-scripts \
        "@seriousme/openapi-schema-validator@$version" \
        >build/openapi-validator.log 2>&1 ||
        say "npm could not fetch the OpenAPI validator; its test is skipped"
}

# The checks compile by themselves; all else that tests run is built here.
do_test() {
    need "$test_needs"
    locked openapi-validator fetch_openapi_validator
    release
    build release unit
    build asan all unit fuzz
    tests/run "$@"
}

do_check() {
    need "$test_needs"
    prepare
    tests/run --only checks "$@"
}

do_soak() {
    need "$bench_needs"
    release
    build release bench
    ASSAY_SOAK=1 do_test "$@"
    do_fuzz "" 600
}

fuzz_one() { # TARGET SECONDS
    local target=$1 seconds=$2 place=build/fuzz/work/$1
    mkdir -p "$place/corpus"
    say "fuzzing $target for $seconds s"
    if ! "build/fuzz/fuzz/$target" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$place/" \
        "$place/corpus" "tests/fuzz/seeds/$target" >"$place/log" 2>&1; then
        sed -n '/ERROR: \|runtime error/,$p' "$place/log" | head -n 30 >&2
        die "$target: a fault was found; the input lies in $place/"
    fi
    grep -E 'number_of_executed_units|new_units_added' "$place/log" >&2
}

do_fuzz() { # [TARGET] [SECONDS]
    local target=${1:-} seconds=${2:-60} file
    if [[ $target =~ ^[0-9]+$ ]]; then
        seconds=$target target=
    fi
    [ -z "$target" ] || [ -e "tests/fuzz/${target}_fuzz.c" ] ||
        die "there is no tests/fuzz/${target}_fuzz.c"
    need "$fuzz_needs"
    build fuzz fuzz
    for file in tests/fuzz/*_fuzz.c; do
        file=$(basename "$file" _fuzz.c)
        if [ -z "$target" ] || [ "$file" = "$target" ]; then
            fuzz_one "$file" "$seconds"
        fi
    done
}

# The yardstick of probes. The bench says so when it could not be had.
fetch_blackbox_exporter() {
    local place=build/blackbox-exporter
    if [ -e "$place/usr/bin/prometheus-blackbox-exporter" ]; then return; fi
    mkdir -p "$place"
    (cd "$place" && apt-get -q download prometheus-blackbox-exporter &&
        dpkg-deb -x prometheus-blackbox-exporter_*.deb .) \
        >build/blackbox-exporter.log 2>&1 ||
        say "apt-get could not fetch blackbox_exporter"
}

do_bench() { # [PART]
    local part=${1:-} file
    [ -z "$part" ] || [ -e "tests/bench/$part.py" ] ||
        die "there is no tests/bench/$part.py"
    need "$bench_needs"
    release
    build release bench
    locked blackbox-exporter fetch_blackbox_exporter
    for file in tests/bench/*.py; do
        if [ -z "$part" ] || [ "$file" = "tests/bench/$part.py" ]; then
            "$file"
        fi
    done
}

do_compile() {
    need "$test_needs"
    prepare
    vendor/compile.sh "$@"
}

do_format() {
    need "$test_needs"
    find app tests vendor/runtime vendor/config -name '*.[ch]' -exec clang-format -i {} +
}

do_clip() {
    need "$clip_needs"
    vendor/clip.sh app/media/clip.h264
}

do_arm64() {
    need "$arm64_needs"
    build arm64 all
}

do_clean() {
    if [ -d build ]; then
        find build -mindepth 1 -maxdepth 1 -not -name vendor-cache \
            -exec rm -rf {} +
    fi
}

word=${1:-release}
[ $# = 0 ] || shift
case $word in
release) release ;;
asan) build asan all unit ;;
debug) build debug all ;;
run | test | check | fuzz | soak | bench | format | clip | compile | arm64 | \
    clean)
    "do_$word" "$@"
    ;;
help | -h | --help) usage ;;
*)
    usage >&2
    die "no such word: $word"
    ;;
esac
