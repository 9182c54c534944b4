#!/bin/bash
# Shell passes shellcheck; Python compiles.
. "$(dirname "$0")/verdict.bash"

mapfile -t shell < <(project_files . |
    grep -E '\.(sh|bash)$|^\.ci/run$')
mapfile -t python < <(project_files tests | grep -E '\.py$|^tests/run$')
parse='import ast, sys
for name in sys.argv[1:]:
    try:
        ast.parse(open(name, encoding="utf-8").read(), name)
    except SyntaxError as error:
        print(f"{name}:{error.lineno}: {error.msg}")'
{
    shellcheck -s bash -e SC1091 -f gcc "${shell[@]}" || true
    python3 -c "$parse" "${python[@]}"
} | verdict "${#shell[@]} shell and ${#python[@]} Python files"
