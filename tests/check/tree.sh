#!/bin/bash
# What may stand in the tree: the eight names at its top, nothing large, no
# open ends, no address of a package registry, no path of somebody's machine.
. "$(dirname "$0")/verdict.bash"

mapfile -t files < <(project_files .)
top='app|web|sql|tests|vendor|build\.sh|README\.md|Dockerfile|LICENSE'
registries='(deb|security|snapshot)[.]debian[.]org|registry[.]npmjs|pypi[.]org'
homes='(^|[^a-zA-Z0-9_.-])/(home|root|work|farm)/[a-z.]'
open_ends='\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b'

# grep -I: text files only.
search() { # REGEX ADVICE
    { grep -nHIoE "$1" "${files[@]}" || true; } | sed "s/\$/  ($2)/"
}

{
    printf '%s\n' "${files[@]}" | cut -d/ -f1 | sort -u |
        grep -vxE "$top|\..*" | sed 's/$/: not at the top of the tree/' || true
    find "${files[@]}" -size +600k | sed 's/$/: over 600 KB/'
    search "$registries" "packages are named, their hosts are not"
    search "$homes" "a path of one machine"
    search "$open_ends" "do it, or describe it in an issue"
} | verdict "${#files[@]} files"
