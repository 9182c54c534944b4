#!/bin/sh
#
# replace.sh FILE...: FILE.new takes the place of FILE; a header only where the
# two differ, so that what includes it is not compiled for nothing.
set -eu
for file in "$@"; do
    case $file in
    *.h) if cmp -s "$file.new" "$file"; then rm "$file.new" && continue; fi ;;
    esac
    mv "$file.new" "$file"
done
