#!/bin/bash
# Files of at most 900 lines, functions of at most 80. Tables inside a function
# are not counted. Our format puts a function's braces alone in column one.
. "$(dirname "$0")/verdict.bash"

mapfile -t files < <(own_c_files)
lengths=$(awk '
    FNR == 1 { inside = 0 }
    /^\{$/ { inside = 1; start = FNR; skipped = 0; next }
    inside && /= \{$/ { table = FNR }
    inside && table && /^ *\};$/ { skipped += FNR - table + 1; table = 0 }
    inside && /^\}/ {
        inside = table = 0
        print FNR - start - 1 - skipped, FILENAME ":" start
    }' "${files[@]}" | sort -n)
median=$(awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] + 0 }' \
    <<<"$lengths")
{
    awk '$1 > 80 { print $2 ": a function of " $1 " lines; split it" }' \
        <<<"$lengths"
    wc -l "${files[@]}" | awk '$2 != "total" && $1 > 900 {
        print $2 ":" $1 ": a file of " $1 " lines; find its parts" }'
} | verdict "$(wc -l <<<"$lengths") functions, median $median lines, longest \
$(tail -n 1 <<<"$lengths" | cut -d' ' -f1)"
