#!/bin/bash
# No function or variable of ours has a name of the C library: the linker would
# take ours without a word wherever a library meant the other (`accept`, say).
. "$(dirname "$0")/verdict.bash"

flock build/.gcc.lock make -k -s -j"$(nproc)" -f vendor/Makefile FLAVOUR=gcc \
    objects >/dev/null 2>&1 || true # warnings.sh tells what does not compile
mapfile -t objects < <(project_files app | sed -n 's/\.c$/.o/p' |
    while read -r object; do
        [ ! -e "build/gcc/$object" ] || echo "build/gcc/$object"
    done)
taken=$(for name in libc.so.6 libm.so.6; do
    nm -D --defined-only "$(gcc -print-file-name=$name)"
done | awk '{ sub(/@.*/, "", $3); print $3 }')
nm -A -g --defined-only "${objects[@]}" |
    awk 'NR == FNR { taken[$1] = 1; next }
        $3 in taken && $3 != "main" {
            sub(/^build\/gcc\//, "", $1)
            sub(/\.o:.*/, ".c", $1)
            print $1 ": " $3 " is a name of the C library; choose another"
        }' <(echo "$taken") - |
    verdict "${#objects[@]} objects take no name of the C library"
