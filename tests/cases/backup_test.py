"""Backups under write load: each is one moment of the store, whole, and
becomes a store again; and what restore refuses."""
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

from harness import (ROOT, SAMPLE_LOG, binary, environment, export, folder,
                     run, sanitised, serving, skip, soaking)

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

# Small batches, so that there are many commits to fall between.
ENVIRONMENT = {"ASSAY_IMPORT_COMMIT_LINES": "50"}


def backups():
    return 100 if soaking() else 3 if sanitised() else 10


class Writer(threading.Thread):
    """Imports one file of events after the other until it is told to stop."""

    def __init__(self, data):
        super().__init__()
        self.data = data
        self.stopped = False
        self.imports = 0
        self.failure = None

    def run(self):
        path = folder() / "load.ndjson"
        while not self.stopped:
            records = generate.generate(self.imports, sessions=20)
            path.write_bytes(b"".join(line + b"\n" for line in records))
            done = subprocess.run(
                [binary(), "import", "--data", self.data, path],
                env=environment(ENVIRONMENT), capture_output=True,
                check=False)
            if done.returncode != 0:
                self.failure = done.stderr[-2000:]
                return
            self.imports += 1


def lines_of(data):
    """Number and hash of all lines of evidence."""
    out = run("evidence", "export", "--json", "--data", data).out_bytes
    rows = [json.loads(line) for line in out.split(b"\n") if line]
    return {row["line"]: row["sha256"] for row in rows}


def check_backup(name, before, after_all):
    """The backup holds all lines that were there when it began, and none
    that never were."""
    run("restore", name, "--data", "restored")
    held = lines_of("restored")
    missing = [line for line in before if held.get(line) != before[line]]
    assert not missing, (name, missing[:5])
    run("evidence", "verify", "--data", "restored")
    run("rebuild", "--data", "restored")
    after_all.append(held)
    shutil.rmtree("restored")


def test_backups_under_write_load_are_whole():
    run("import", "--data", "store", SAMPLE_LOG)
    writer = Writer("store")
    writer.start()
    held = []
    try:
        for number in range(backups()):
            before = lines_of("store")
            run("backup", f"{number}.db", "--data", "store")
            check_backup(f"{number}.db", before, held)
            os.unlink(f"{number}.db")
    finally:
        writer.stopped = True
        writer.join()
    assert writer.failure is None, writer.failure
    assert writer.imports > 0
    final = lines_of("store")
    for lines in held:
        assert lines.items() <= final.items()
    sizes = [len(lines) for lines in held]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1], sizes


def tables(data):
    return {what: export(what, data=data)
            for what in ("sla", "sessions", "selections", "counts")}


def test_a_backup_beside_a_server_has_the_same_tables():
    run("import", "--org", "cloudspe", SAMPLE_LOG)
    wanted = tables("assay-data")
    os.mkdir("backups")
    with serving():
        name = run("backup", "backups").out.strip()
    assert pathlib.Path(name).parent == pathlib.Path("backups"), name
    assert os.stat(name).st_mode & 0o777 == 0o600
    assert [path.name for path in pathlib.Path("backups").iterdir()] == \
        [pathlib.Path(name).name]
    run("restore", name, "--data", "other")
    assert tables("other") == wanted


def test_a_backup_removes_what_a_killed_one_left():
    """And nothing of another that is under way, or that is no backup's."""
    run("import", SAMPLE_LOG)
    os.mkdir("there")
    there = pathlib.Path("there")
    left = there / "assay-20260101T000000Z.db.partial-1"
    under_way = there / f"b.db.partial-{os.getpid()}"
    mine = there / "mine.partial-7"
    for place in (left, under_way, mine, there / "x.partial-y"):
        place.mkdir()
    for name in ("assay.db", "assay.db-journal", "assay.lock"):
        (left / name).write_bytes(b"x" * 5000)
        (under_way / name).write_bytes(b"x")
    (mine / "notes").write_text("mine")
    lock = os.open(under_way, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    name = pathlib.Path(run("backup", "there").out.strip()).name
    assert {path.name for path in there.iterdir()} == {
        name, under_way.name, mine.name, "x.partial-y"}
    assert len(list(under_way.iterdir())) == 3
    assert (mine / "notes").read_text() == "mine"
    os.close(lock)
    run("backup", "there/b.db")
    assert not under_way.exists()
    if sanitised():
        return  # cannot be traced
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "-e", "trace=link", "-e",
         "inject=link:signal=KILL", binary(), "backup", "there/c.db"],
        env=environment({}), capture_output=True, check=False)
    assert done.returncode in (-9, 137), done
    assert [path.name[:13] for path in there.glob("c.db*")] == ["c.db.partial-"]
    run("backup", "there/c.db")
    assert [path.name for path in there.glob("c.db*")] == ["c.db"]


def test_a_backup_replaces_nothing():
    run("import", SAMPLE_LOG)
    pathlib.Path("there.db").write_text("mine")
    refused = run("backup", "there.db", code=2)
    assert "exists already" in refused.err, refused.err
    assert pathlib.Path("there.db").read_text() == "mine"
    refused = run("backup", "nowhere/there.db", code=3)
    assert "nowhere" in refused.err, refused.err
    assert not list(pathlib.Path(".").glob("there.db.partial*"))


def test_restore_refuses_beside_a_server():
    run("import", SAMPLE_LOG)
    run("backup", "b.db")
    with serving() as server:
        refused = run("restore", "b.db", "--force", code=3)
        assert str(server.process.pid) in refused.err, refused.err
        assert server.json("/v1/health")["store"]["lines"] == 65


def test_restore_replaces_only_when_told():
    run("import", SAMPLE_LOG)
    run("backup", "b.db")
    pathlib.Path("more.ndjson").write_bytes(
        b"".join(line + b"\n" for line in generate.generate(5, sessions=3)))
    run("import", "more.ndjson")
    now = lines_of("assay-data")
    assert len(now) > 65
    refused = run("restore", "b.db", code=2)
    assert "--force" in refused.err, refused.err
    assert lines_of("assay-data") == now
    run("restore", "b.db", "--force")
    assert len(lines_of("assay-data")) == 65
    left = sorted(path.name for path in pathlib.Path("assay-data").iterdir())
    assert set(left) <= {"assay.db", "assay.db-wal", "assay.db-shm",
                         "assay.lock"}, left
    # And it is a store like any other.
    run("import", "more.ndjson")
    assert len(lines_of("assay-data")) == len(now)


# ---- killed while it restores --------------------------------------------------

# What changes names or makes something durable; between two of them nothing
# else matters.
STEPS = "rename,unlink,mkdir,rmdir,fsync,fdatasync,link"


def killed_store():
    """One whose server was killed, so that its log holds what was
    acknowledged last; its lines."""
    secret = run("token", "create", "--scope", "ingest", "--org",
                 "acme").out.split()[-1]
    run("import", "--org", "acme", SAMPLE_LOG)
    body = b"".join(line + b"\n" for line in generate.generate(7, sessions=3))
    with serving() as server:
        code, _, _ = server.get(
            "/v1/ingest/events", "POST", body,
            {"Authorization": "Bearer " + secret,
             "Content-Type": "application/x-ndjson"})
        assert code == 200, code
        server.process.kill()
        server.process.wait()
    assert os.path.getsize("assay-data/assay.db-wal") > 0
    shutil.copytree("assay-data", "old")
    return lines_of("old")


def restore_killed(step):
    """Whether it was killed; as it enters its STEPth step."""
    shutil.rmtree("assay-data")
    shutil.copytree("old", "assay-data")
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "-e", "trace=" + STEPS, "-e",
         f"inject={STEPS}:signal=KILL:when={step}", binary(), "restore",
         "b.db", "--force"], env=environment({}), capture_output=True,
        check=False)
    assert done.returncode in (0, -9, 137), done.stderr
    return done.returncode != 0


def test_a_restore_killed_anywhere_leaves_one_of_the_two():
    """Wholly the old store, with its log, or wholly the new one; and never the
    old one again once it was the new one."""
    if sanitised():
        skip("a sanitised program cannot be traced")
    run("import", "--data", "other", SAMPLE_LOG)
    run("backup", "b.db", "--data", "other")
    new = lines_of("other")
    old = killed_store()
    assert old != new
    was_new, step = False, 1
    while restore_killed(step):
        if step % 2: # a reader finishes it, or a writer
            run("import", "-", input="")
        found = lines_of("assay-data")
        assert found in (old, new), (step, len(found))
        assert found == new or not was_new, step
        was_new = found == new
        step += 1
    assert was_new and step > 10, step
    run("evidence", "verify")
    run("restore", "b.db", "--force")
    left = {path.name for path in pathlib.Path("assay-data").iterdir()}
    assert left <= {"assay.db", "assay.db-wal", "assay.db-shm",
                    "assay.lock"}, left
    print(f"# killed at {step - 1} steps")


def test_what_is_no_backup_changes_nothing():
    run("import", SAMPLE_LOG)
    run("backup", "b.db")
    whole = pathlib.Path("b.db").read_bytes()
    now = lines_of("assay-data")
    bad = {
        "text": b"this is not a database\n" * 1000,
        "empty": b"",
        "cut": whole[:len(whole) // 2],
        "torn": whole[:60000] + bytes(20000) + whole[80000:],
    }
    for name, content in bad.items():
        pathlib.Path(name).write_bytes(content)
        refused = run("restore", name, "--force", code=None)
        assert refused.code in (1, 2, 3), refused
        assert lines_of("assay-data") == now, name
        assert not list(pathlib.Path("assay-data").glob("assay.db.partial*")), name
    assert run("restore", "absent", "--force", code=None).code in (1, 2, 3)
    assert run("restore", ".", "--force", code=None).code == 2


def test_every_flip_of_evidence_is_found_by_restore():
    """A changed byte in a block of lines is seen before anything is replaced.
    """
    run("import", SAMPLE_LOG)
    run("backup", "b.db")
    whole = bytearray(pathlib.Path("b.db").read_bytes())
    at = whole.find(b"\x28\xb5\x2f\xfd")
    assert at > 0, "no compressed block was found"
    whole[at + 40] ^= 1
    pathlib.Path("flipped.db").write_bytes(bytes(whole))
    refused = run("restore", "flipped.db", "--data", "other", code=None)
    assert refused.code == 3 and "defect" in refused.err, refused
    assert not pathlib.Path("other/assay.db").exists()
