"""/healthz and /readyz: what a supervisor is told when the disk goes bad."""
import contextlib
import json
import os
import resource
import subprocess
import threading

from harness import run, sanitised, serving, skip, wait_until

LINE = json.dumps({"id": "e", "type": "ai_stream_status",
                   "timestamp": "1767900000000", "gateway": "g",
                   "data": {"stream_id": "s"}})


def ready(server):
    """Status of /readyz, and why it is not 200."""
    status, fields, body = server.get("/readyz")
    answer = json.loads(body)
    assert fields["Cache-Control"] == "no-store", fields
    if status == 200:
        assert answer == {"status": "ok"}, answer
        return status, ""
    assert fields["Content-Type"] == "application/problem+json", fields
    assert fields["Retry-After"] == "1", fields
    assert server.json("/healthz") == {"status": "ok"}
    return status, answer["detail"]


def test_a_write_that_fails_is_not_ready_until_it_works_again():
    if sanitised():
        skip("the limit on file sizes would stop the sanitiser's log")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving() as server:
        assert ready(server) == (200, "")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                         (4096, limit[1]))
        # What was found out before holds for five seconds.
        status, why = wait_until(
            lambda: (answer := ready(server))[0] == 503 and answer)
        assert status == 503 and "space" in why, why
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limit)
        wait_until(lambda: ready(server)[0] == 200, what="being ready")


def test_asking_often_writes_seldom():
    run("import", "--org", "acme", "-", input=LINE)
    with serving() as server:
        ready(server)
        before = os.path.getsize("assay-data/assay.db-wal")
        threads = [threading.Thread(
            target=lambda: [ready(server) for _ in range(50)])
            for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        written = os.path.getsize("assay-data/assay.db-wal") - before
        assert written <= 4 * 8300, f"{written} bytes for 400 questions"


@contextlib.contextmanager
def mounted(path, *arguments):
    """PATH with `mount ARGUMENTS PATH` on it; skips without the right to."""
    done = subprocess.run(["mount", *arguments, path], capture_output=True,
                          check=False)
    if done.returncode:
        skip("no right to mount a file system")
    try:
        yield
    finally:
        # A worker may have the store open there.
        subprocess.run(["umount", "-l", path], check=True)


def test_a_disk_that_is_full_or_read_only_is_not_ready():
    os.mkdir("disk")
    with mounted("disk", "-t", "tmpfs", "-o", "size=48m", "tmpfs"):
        run("import", "--data", "disk/store", "--org", "acme", "-", input=LINE)
        with serving("--data", "disk/store") as server:
            assert ready(server) == (200, "")
            filler = os.open("disk/filler", os.O_WRONLY | os.O_CREAT)
            os.posix_fallocate(filler, 0, 40 << 20)
            status, why = ready(server)
            assert status == 503 and "16 MB" in why, why
            os.ftruncate(filler, 0)
            os.close(filler)
            assert ready(server) == (200, "")
            with mounted("disk/store", "--bind", "disk/store"):
                subprocess.run(["mount", "-o", "remount,ro,bind",
                                "disk/store"], check=True)
                status, why = ready(server)
                assert status == 503 and "read-only" in why, why
            assert ready(server) == (200, "")


def test_a_clock_that_went_back_is_not_ready():
    run("import", "--org", "acme", "-", input=LINE)
    shift = ("import sqlite3; db = sqlite3.connect('assay-data/assay.db'); "
             "db.execute('UPDATE evidence_feed SET last_arrival_ms = "
             "last_arrival_ms + 3600000'); db.commit()")
    subprocess.run(["python3", "-c", shift], check=True)
    with serving() as server:
        status, why = ready(server)
        assert status == 503 and "clock" in why, why
