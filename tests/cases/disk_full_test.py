"""A full disk: no acknowledgement, no loss, and the import resumes.

Two ways to fill it: a limit on the size of files, which needs no rights (the
write beyond it fails as on a full disk), and a small file system of its own
where the test may mount one.
"""
import contextlib
import json
import os
import resource
import subprocess
import sys

from harness import (ROOT, Result, binary, environment, refuse_findings, run,
                     sanitised, skip)

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

TABLES = ("sla", "sessions", "selections")
ENVIRONMENT = {"ASSAY_IMPORT_COMMIT_LINES": "50"}


def make_input(path):
    records = []
    for seed in range(21, 22 if sanitised() else 24):
        records += generate.generate(seed, sessions=150)
    with open(path, "wb") as out:
        out.write(b"".join(record + b"\n" for record in records))


def tables(store):
    return [run("export", what, "--data", store, "--format", "ndjson").out
            for what in TABLES]


def contents(store):
    out = run("evidence", "export", "--json", "--data", store).out_bytes
    rows = [json.loads(line) for line in out.split(b"\n") if line]
    return {(row["class"], row["org"], row["sha256"]) for row in rows}


def run_limited(limit_bytes, *arguments):
    """Runs assay so that no file can grow beyond LIMIT_BYTES.

    Python ignores SIGXFSZ, and the program inherits that: the write fails
    instead of the process being killed.
    """
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    done = subprocess.run([binary(), *arguments], capture_output=True,
                          env=environment(ENVIRONMENT), preexec_fn=limit,
                          restore_signals=False, timeout=120, check=False)
    result = Result(list(arguments), done)
    refuse_findings(result.err)
    return result


def check_full(done):
    assert done.code == 3, done
    assert "no space left" in done.err, done


def check_whole(store):
    """Whatever is there is consistent: tables as a rebuild makes them."""
    run("evidence", "verify", "--data", store)
    before = tables(store)
    run("rebuild", "--data", store)
    assert tables(store) == before


def test_an_import_that_fills_the_disk_resumes():
    make_input("in.ndjson")
    run("import", "--data", "whole", "in.ndjson", env=ENVIRONMENT)
    largest = os.path.getsize("whole/assay.db")
    full = 0
    kept = set()
    for share in (0.05, 0.2, 0.4, 0.6, 0.8):
        limit = int(largest * share) + 100_000
        done = run_limited(limit, "import", "--data", "store", "in.ndjson")
        if done.code == 0:
            continue
        full += 1
        check_full(done)
        now = run("evidence", "verify", "--data", "store", code=None)
        if "there is no store" in now.err:
            continue
        run("evidence", "verify", "--data", "store")
        rows = contents("store")
        assert kept <= rows, f"lines are gone: {list(kept - rows)[:5]}"
        kept = rows
    assert full > 0, "the limit was never reached"
    run("import", "--data", "store", "in.ndjson", env=ENVIRONMENT)
    assert tables("store") == tables("whole")
    assert contents("store") == contents("whole")
    check_whole("store")


def test_no_room_for_a_store_at_all():
    make_input("in.ndjson")
    for limit in (0, 1000, 20000):
        check_full(run_limited(limit, "import", "--data", "store",
                               "in.ndjson"))
    run("import", "--data", "store", "in.ndjson", env=ENVIRONMENT)
    run("evidence", "verify", "--data", "store")


@contextlib.contextmanager
def small_disk(path, size):
    os.mkdir(path)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}",
                              "tmpfs", path], capture_output=True,
                             check=False)
    if mounted.returncode != 0:
        skip("no right to mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_small_file_system_that_is_full():
    make_input("in.ndjson")
    run("import", "--data", "whole", "in.ndjson", env=ENVIRONMENT)
    with small_disk("disk", "64m"):
        filler = os.open("disk/filler", os.O_WRONLY | os.O_CREAT)
        room = os.statvfs("disk").f_bavail * os.statvfs("disk").f_bsize
        os.posix_fallocate(filler, 0, room - 300_000)
        check_full(run("import", "--data", "disk/store", "in.ndjson",
                       env=ENVIRONMENT, code=3))
        os.ftruncate(filler, 0)
        os.close(filler)
        run("import", "--data", "disk/store", "in.ndjson", env=ENVIRONMENT)
        assert tables("disk/store") == tables("whole")
        assert contents("disk/store") == contents("whole")
        check_whole("disk/store")
