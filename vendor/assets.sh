#!/bin/bash
#
# assets.sh OUT FILE...: makes OUT/assets.h.new and OUT/assets.c.new from the
# files of web/ (each under its path there) and from uPlot.
#
# Every file is stored gzipped, the only form in which it is served, and gets
# an entity tag from its content. The bytes enter by .incbin, which takes
# milliseconds where a C array of the same takes seconds to compile.
set -euo pipefail
out=$1
shift
uplot=build/src/uplot/dist

content_type() { # PATH
    case $1 in
    *.html) echo "text/html; charset=utf-8" ;;
    *.js) echo "text/javascript; charset=utf-8" ;;
    *.css) echo "text/css; charset=utf-8" ;;
    *.svg) echo "image/svg+xml" ;;
    *.png) echo "image/png" ;;
    *.ico) echo "image/x-icon" ;;
    *.woff2) echo "font/woff2" ;;
    *.json) echo "application/json" ;;
    *.webmanifest) echo "application/manifest+json" ;;
    *.txt) echo "text/plain; charset=utf-8" ;;
    *) echo "assets: $1: no content type is known for this ending" >&2
       return 1 ;;
    esac
}

# Adds one file: its bytes to $out/bytes, its row to $out/rows.
count=0
add() { # FILE PATH
    local zipped=$out/assets/$count.gz type tag size
    type=$(content_type "$2")
    gzip -9nc "$1" >"$zipped"
    tag=$(sha256sum "$zipped" | cut -c1-16)
    size=$(stat -c %s "$zipped")
    cat >>"$out/assets/bytes" <<END
__asm__(".pushsection .rodata.asset_$count, \"a\"\n"
        "asset_$count: .incbin \"$zipped\"\n"
        ".popsection\n");
extern const unsigned char asset_${count}[];
END
    printf '    {"%s", "%s", asset_%d, %d, "\\"%s\\""},\n' \
        "$2" "$type" "$count" "$size" "$tag" >>"$out/assets/rows"
    count=$((count + 1))
}

rm -rf "$out/assets"
mkdir -p "$out/assets"
: >"$out/assets/bytes"
: >"$out/assets/rows"
for file in "$@"; do add "$file" "${file#web}"; done
add "$uplot/uPlot.iife.min.js" /vendor/uplot.js
add "$uplot/uPlot.min.css" /vendor/uplot.css

cat >"$out/assets.h.new" <<'END'
/* Generated from web/: the files that the server hands out, gzipped. */
#ifndef ASSAY_GENERATED_ASSETS_H
#define ASSAY_GENERATED_ASSETS_H

#include <stddef.h>

struct asset {
    const char *path; /* "/app.js" */
    const char *content_type;
    const unsigned char *gzip;
    size_t gzip_bytes;
    const char *etag; /* with its quotes */
};

extern const struct asset assets[];
extern const size_t asset_count;

#endif
END
{
    echo '#include "assets.h"'
    echo
    cat "$out/assets/bytes"
    echo
    echo 'const struct asset assets[] = {'
    cat "$out/assets/rows"
    echo '};'
    echo "const size_t asset_count = $count;"
} >"$out/assets.c.new"
