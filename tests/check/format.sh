#!/bin/bash
# All our C has the one format (.clang-format); ./build.sh format makes it so.
. "$(dirname "$0")/verdict.bash"

clang-format --version | grep -q 'version 14\.' ||
    skip "needs clang-format 14, other versions format differently"
mapfile -t files < <(own_c_files)
{ clang-format --dry-run -Werror "${files[@]}" 2>&1 || true; } |
    sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: error: .*/\1: run .\/build.sh format/p' |
    sort -u -t: -k1,1 | verdict "${#files[@]} files"
