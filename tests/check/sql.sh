#!/bin/bash
# SQL lives in sql/, where it can be read, tested and checked as a whole.
. "$(dirname "$0")/verdict.bash"

mapfile -t files < <(project_files app | grep '\.[ch]$')
words='SELECT|INSERT|REPLACE INTO|UPDATE|DELETE FROM|CREATE|DROP|ALTER|PRAGMA'
words="$words|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|VACUUM|ATTACH|WITH"
{ grep -nHE "\"[[:space:]]*($words)([[:space:];]|\")" "${files[@]}" || true; } |
    sed 's/$/  (name it in sql\/queries)/' | verdict "none in C"
