#!/bin/bash
# All our C compiles without a warning, under gcc and clang. The objects stay,
# so a second run compiles only what has changed.
. "$(dirname "$0")/verdict.bash"

compile() { # FLAVOUR
    flock "build/.$1.lock" make -k -s -j"$(nproc)" -f vendor/Makefile \
        FLAVOUR="$1" objects 2>&1 | grep -v '^make' || true
}

{
    compile gcc
    compile clang
} | verdict "none from gcc or clang"
