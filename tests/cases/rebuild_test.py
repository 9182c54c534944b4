"""`assay rebuild`: all tables again from the evidence, byte for byte.

Tables are read with Python's own SQLite, so that no query of the program can
hide a difference.
"""
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from harness import (ROOT, SAMPLE_LOG, binary, environment, export, free_port,
                     refuse_findings, run, sample, sanitised, serving,
                     wait_until)

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

MIGRATIONS = sorted((ROOT / "sql" / "migrations").glob("*.sql"))
NEWEST = int(MIGRATIONS[-1].name[:4])
# These hold no number of a line, so that not even the order of arrival shows.
WITHOUT_LINES = ("session", "session_hour", "sla", "settled_hour",
                 "benchmark_day", "count_total", "dirty_session", "dirty_hour",
                 "dirty_day", "session_place", "pack_hour", "pack_day",
                 "pack_name", "ingest_hour")
DERIVED = ("session_day", "snapshot_hour", "seen", "selection",
           "session_pack", *WITHOUT_LINES)
EXPORTED = [(what, which) for what in ("sla", "sessions", "selections")
            for which in ("settled", "whole")]


def connect(store="assay-data", mode="ro"):
    return sqlite3.connect(f"file:{store}/assay.db?mode={mode}", uri=True)


def schema(store="assay-data"):
    base = connect(store)
    rows = base.execute("SELECT type, name, sql FROM sqlite_master "
                        "WHERE name NOT LIKE 'sqlite_%' "
                        "ORDER BY type, name").fetchall()
    version, = base.execute("PRAGMA user_version").fetchone()
    base.close()
    return rows, version


def dump(store="assay-data", tables=None):
    """Table -> all its rows, in the order of their bytes."""
    base = connect(store)
    base.text_factory = bytes
    names = [name.decode() for name, in base.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name NOT LIKE 'sqlite_%'")]
    out = {name: sorted(map(repr, base.execute(f"SELECT * FROM {name}")))
           for name in names if tables is None or name in tables}
    base.close()
    return out


def assert_same(after, before):
    assert list(after) == list(before)
    for name, rows in before.items():
        if after[name] != rows:
            missing = [row for row in rows if row not in after[name]][:2]
            more = [row for row in after[name] if row not in rows][:2]
            raise AssertionError(f"{name}: was {missing}, is {more}")


def rows_of(store):
    return {pair: run("export", pair[0], "--pass", pair[1], "--data",
                      store).out for pair in EXPORTED}


def take(records, store="assay-data"):
    run("import", "--data", store, "-",
        input=b"".join(record + b"\n" for record in records))


def report(number, *tracks):
    """What a gateway says of the packets of a stream."""
    return json.dumps({
        "org": "cloudspe", "id": f"packets-{number}", "gateway": "",
        "type": "stream_ingest_metrics", "timestamp": str(generate.BASE),
        "data": {"stream_id": f"s{number}", "request_id": "r",
                 "stats": {"track_stats": tracks}}}).encode()


# One of a stream adds to its hour, and one has nothing to add.
REPORTS = [report(1, {"type": "video", "jitter": 2.5}), report(2)]


def seeds():
    return (31,) if sanitised() else (31, 32, 33, 34)


# ---- the same bytes ----------------------------------------------------------


def test_tables_are_the_same_to_the_byte():
    for seed in seeds():
        store = str(seed)
        take(generate.generate(seed, benchmark=seed % 4 == 3), store)
        before = dump(store)
        filled = {name for name, rows in before.items() if rows}
        assert filled >= {"session_pack", "session_place", "pack_hour",
                          "pack_day", "pack_name", "sla", "seen",
                          "snapshot_hour", "count_total", "ingest_hour"}
        for _ in range(2):
            done = run("rebuild", "--data", store)
            assert done.out == "" and done.err == "", done
            assert_same(dump(store), before)
        run("evidence", "verify", "--data", store)


def test_tables_are_the_same_after_many_imports_out_of_order():
    for seed in seeds():
        records = generate.generate(seed) + REPORTS
        plain, store = f"plain-{seed}", f"shuffled-{seed}"
        take(records, plain)
        other = records + records[::3]
        random.Random(seed).shuffle(other)
        for i in range(0, len(other), len(other) // 4 + 1):
            take(other[i:i + len(other) // 4 + 1], store)
        for what in ("as imported", "rebuilt"):
            left, right = (dump(one, WITHOUT_LINES) for one in (store, plain))
            for tables in left, right:
                tables.pop("count_total")  # deliveries differ
            assert_same(left, right)
            assert rows_of(store) == rows_of(plain), (seed, what)
            before = dump(store)
            run("rebuild", "--data", store)
            assert_same(dump(store), before)


def test_dumps_and_odd_lines_are_rebuilt_too():
    run("import", "--org", "me", "--at", "2026-01-08T21:50:00Z",
        sample("getNetworkCapabilities.json"))
    run("import", sample("getNetworkCapabilities-ai-batch-byoc.json"))
    run("import", SAMPLE_LOG)
    run("import", "--org", "x", "-",
        input=b"nonsense\n\xff\n{}\n" + b"y" * 9000000 + b"\n")
    before = dump()
    run("rebuild")
    assert_same(dump(), before)


def test_a_rebuild_repairs_every_derived_table():
    take(generate.generate(31))
    before = dump()
    for table in DERIVED:
        base = connect(mode="rw")
        base.execute(f"DELETE FROM {table}")
        base.commit()
        base.close()
        run("rebuild")
        assert_same(dump(), before)
    base = connect(mode="rw")
    base.execute("UPDATE sla SET figures = x'00', pipeline_id = 'x'")
    base.execute("UPDATE session SET status_samples = 7, org = 'x'")
    base.commit()
    base.close()
    run("rebuild")
    assert_same(dump(), before)


def test_importing_goes_on_after_a_rebuild():
    records = generate.generate(32)
    half = len(records) // 2
    take(records, "whole")
    take(records[:half])
    run("rebuild")
    take(records[half // 2:])
    assert rows_of("assay-data") == rows_of("whole")
    unique = [[{**row, "received": 0} for row in export("counts", data=store)]
              for store in ("assay-data", "whole")]
    assert unique[0] == unique[1]


def test_an_empty_store_is_rebuilt():
    run("import", "-", input="")
    before = dump()
    run("rebuild")
    assert_same(dump(), before)


# ---- interruption ------------------------------------------------------------


def test_a_killed_rebuild_leaves_the_rows_or_makes_them():
    records = [record for seed in range(40, 40 + (3 if sanitised() else 12))
               for record in generate.generate(seed)]
    take(records)
    before = dump()
    started = time.monotonic()
    run("rebuild")
    seconds = time.monotonic() - started
    chance = random.Random(5)
    for _ in range(2 if sanitised() else 6):
        process = subprocess.Popen([binary(), "rebuild"], env=environment(),
                                   stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
        run("evidence", "verify")
    run("rebuild")
    assert_same(dump(), before)


# ---- who may -----------------------------------------------------------------


def test_a_rebuild_refuses_beside_a_server():
    run("import", SAMPLE_LOG)
    before = dump()
    with serving() as server:
        for command in (["rebuild"], ["import", SAMPLE_LOG]):
            done = run(*command, code=3)
            assert re.search(rf"\b{server.process.pid}\b", done.err), done
            assert done.out == "" and "assay-data" in done.err, done
        # Reading goes on beside it.
        assert len(export("sla")) == 1
        run("evidence", "verify")
    assert_same(dump(), before)
    run("rebuild")


def test_a_server_refuses_beside_an_import():
    process = subprocess.Popen([binary(), "import", "-"], env=environment(),
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists("assay-data/assay.lock")
               and os.path.getsize("assay-data/assay.lock"), what="the lock")
    for command in (["serve", "--listen", f"127.0.0.1:{free_port()}"],
                    ["rebuild"], ["import", SAMPLE_LOG]):
        done = run(*command, code=3)
        assert re.search(rf"\b{process.pid}\b", done.err), done
    _, err = process.communicate(timeout=30)
    refuse_findings(err.decode())
    assert process.returncode == 0
    run("rebuild")


def test_without_a_store():
    """Where nothing is there is nothing to rebuild; nothing breaks."""
    run("rebuild", "--data", "new", code=None)
    run("rebuild", "extra", code=2)
    run("rebuild", "--format", "csv", code=2)
    assert not os.path.exists("assay-data")


# ---- schemas -----------------------------------------------------------------


def test_a_store_of_the_first_schema_migrates():
    """Its evidence is all there is; everything else is made from it."""
    take(generate.generate(33))
    run("import", SAMPLE_LOG)
    os.mkdir("old")
    base = sqlite3.connect("old/assay.db")
    base.executescript(MIGRATIONS[0].read_text())
    base.execute("ATTACH 'assay-data/assay.db' AS new")
    tables = [name for name, in base.execute(
        "SELECT name FROM main.sqlite_master WHERE type = 'table'")]
    assert "evidence_block" in tables
    for table in tables:
        base.execute(f"INSERT INTO main.{table} SELECT * FROM new.{table}")
    base.commit()
    assert base.execute("PRAGMA main.user_version").fetchone() == (1,)
    base.close()
    shutil.copytree("old", "to import")
    run("rebuild", "--data", "old")
    assert schema("old") == schema()
    assert schema("old")[1] == NEWEST
    assert_same(dump("old", DERIVED), dump(tables=DERIVED))
    assert rows_of("old") == rows_of("assay-data")
    run("evidence", "verify", "--data", "old")
    run("import", "--data", "to import", SAMPLE_LOG)
    assert schema("to import") == schema()


def test_a_reader_of_an_older_schema_says_what_to_do():
    os.mkdir("assay-data")
    base = sqlite3.connect("assay-data/assay.db")
    base.executescript(MIGRATIONS[0].read_text())
    base.close()
    with open("assay-data/assay.db", "rb") as file:
        before = file.read()
    done = run("export", "sla", code=None)
    assert done.code in (0, 3), done
    assert done.code == 0 or "schema" in done.err, done
    with open("assay-data/assay.db", "rb") as file:
        assert file.read() == before, "a reader changed the store"


def test_a_newer_schema_is_refused():
    run("import", SAMPLE_LOG)
    base = connect(mode="rw")
    base.execute(f"PRAGMA user_version = {NEWEST + 1}")
    base.commit()
    base.close()
    with open("assay-data/assay.db", "rb") as file:
        before = file.read()
    for command in (["rebuild"], ["import", SAMPLE_LOG], ["export", "sla"],
                    ["evidence", "verify"]):
        done = run(*command, code=3)
        assert "later release" in done.err and done.out == "", done
        assert str(NEWEST + 1) in done.err, done
    with open("assay-data/assay.db", "rb") as file:
        assert file.read() == before


def test_a_database_of_another_program_is_refused():
    os.mkdir("assay-data")
    base = sqlite3.connect("assay-data/assay.db")
    base.execute("CREATE TABLE mine (text)")
    base.commit()
    base.close()
    for command in (["rebuild"], ["import", SAMPLE_LOG], ["export", "sla"]):
        assert "another program" in run(*command, code=3).err
    base = connect()
    assert base.execute("SELECT name FROM sqlite_master").fetchall() == [
        ("mine",)]
    base.close()
