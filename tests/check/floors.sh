#!/bin/bash
# Rooms include only downwards, and only public headers: see floors.txt.
. "$(dirname "$0")/verdict.bash"

mapfile -t files < <(project_files app | grep '\.[ch]$')
awk -f tests/check/floors.awk tests/check/floors.txt "${files[@]}" |
    verdict "${#files[@]} files include only downwards"
