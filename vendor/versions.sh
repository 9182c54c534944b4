#!/bin/sh
#
# versions.sh: one line for `assay version`: every library that goes into the
# program with its version, read from the lock file. SQLite and llhttp have
# other numbers than the packages that carry them, so their headers are asked.
set -eu
sqlite=$(sed -n 's/^#define SQLITE_VERSION *"\(.*\)"/\1/p' \
    build/src/better-sqlite3/deps/sqlite3/sqlite3.h)
llhttp=$(awk '/^#define LLHTTP_VERSION_/ { list = list dot $3; dot = "." }
    END { print list }' build/src/python-aiohttp/vendor/llhttp/build/llhttp.h)
awk -v sqlite="$sqlite" -v llhttp="$llhttp" '
    $2 == "python-aiohttp" { next }
    $1 == "deb" && $5 ~ /\.orig\./ {
        version = $4
        sub(/^[0-9]+:/, "", version)
        sub(/.*\+really/, "", version)
        sub(/[-+].*/, "", version)
        list = list $2 " " version ", "
    }
    $1 == "npm" && $2 != "better-sqlite3" { list = list $2 " " $4 ", " }
    END { print list "llhttp " llhttp ", sqlite " sqlite }' vendor/lock.txt
