#!/bin/sh
#
# versions.sh: one line for `assay version`: every library that goes into the
# program with its version, read from the lock file. SQLite's own number is
# not the one of the package that carries it, so its header is asked.
set -eu
sqlite=$(sed -n 's/^#define SQLITE_VERSION *"\(.*\)"/\1/p' \
    build/src/better-sqlite3/deps/sqlite3/sqlite3.h)
awk -v sqlite="$sqlite" '
    $1 == "deb" && $5 ~ /\.orig\./ {
        version = $4
        sub(/^[0-9]+:/, "", version)
        sub(/.*\+really/, "", version)
        sub(/[-+].*/, "", version)
        list = list $2 " " version ", "
    }
    $1 == "npm" && $2 != "better-sqlite3" { list = list $2 " " $4 ", " }
    END { print list "sqlite " sqlite }' vendor/lock.txt
