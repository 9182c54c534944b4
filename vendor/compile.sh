#!/bin/bash
#
# compile.sh [FILE...]: compiles only these files of ours (all without a name)
# with gcc and clang, every warning an error, and keeps nothing. The quick
# answer while writing.
set -euo pipefail

compile() { # FILE
    local compiler ok=0
    for compiler in gcc clang; do
        eval "$compiler $FLAGS -c $1 -o /dev/null" || ok=1
    done
    return $ok
}
export -f compile

FLAGS=$(make -s -f vendor/Makefile FLAVOUR=gcc flags)
export FLAGS
if [ $# = 0 ]; then
    mapfile -t found < <(find app tests vendor/runtime vendor/config -name '*.c')
    set -- "${found[@]}"
fi
# shellcheck disable=SC2016
printf '%s\0' "$@" | xargs -0 -n 1 -P 2 bash -c 'compile "$1"' compile
