# verdict.bash: what every check of this folder uses; it is sourced.
#
# A check is one tests/check/NAME.sh. It prints findings as "# file:line: what
# to do" and then one line, "ok check NAME: ..." or "not ok check NAME: ...",
# and exits 1 where it found something. tests/run runs them all.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
check_name=$(basename "$0" .sh)
check_name=${check_name//_/ }

# The files of this project under the given paths: what git tracks or would,
# or, in a copy without git, what there is outside build/.
project_files() { # PATH...
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files -co --exclude-standard -- "$@" | sort -u |
            while read -r file; do [ -e "$file" ] && echo "$file"; done
    else
        find "$@" \( -path ./build -o -name __pycache__ \) -prune -o \
            -type f -print | sed 's|^\./||' | sort
    fi
}

own_c_files() { project_files app tests vendor/runtime vendor/config | grep '\.[ch]$'; }

# Reads findings, one a line, and gives the verdict; DETAIL is for a good one.
verdict() { # DETAIL
    local findings
    findings=$(cat)
    if [ -z "$findings" ]; then
        echo "ok check $check_name: $1"
        return
    fi
    echo "# ${findings//$'\n'/$'\n# '}"
    echo "not ok check $check_name: $(wc -l <<<"$findings") lines above"
    exit 1
}

skip() { # REASON
    echo "skip check $check_name: $1"
    exit 0
}
