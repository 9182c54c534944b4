"""A damaged, foreign, newer or occupied store is said to be so, with what to
do about it; no damage makes the program crash or invent rows."""
import fcntl
import os
import random
import re
import shutil
import struct

from harness import (SAMPLE_LOG, export, run, sanitised, serving, soaking)

DATABASE = "assay-data/assay.db"
PAGE_BYTES = 8192
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
USER_VERSION_AT, APPLICATION_ID_AT = 60, 68


def make_store():
    run("import", SAMPLE_LOG)
    assert not os.path.exists(DATABASE + "-wal"), "closed without checkpoint"


def patch(at, data):
    with open(DATABASE, "r+b") as file:
        file.seek(at)
        file.write(data)


def content():
    with open(DATABASE, "rb") as file:
        return file.read()


def refused(*words, code=3):
    """Every way of opening the store fails with these words."""
    for command in (["import", SAMPLE_LOG], ["export", "sla"],
                    ["rebuild"], ["evidence", "verify"], ["serve"]):
        done = run(*command, code=code)
        for word in words:
            assert word in done.err, (command, word, done.err)
        assert done.out == "", done


def test_noise_in_the_place_of_the_database():
    os.mkdir("assay-data")
    with open(DATABASE, "wb") as file:
        file.write(random.Random(1).randbytes(3 * PAGE_BYTES))
    refused("it is not a database", "restore a backup", "import again")


def test_a_text_file_in_the_place_of_the_database():
    os.mkdir("assay-data")
    with open(DATABASE, "w") as file:
        file.write("id,type,timestamp\n" * 100)
    refused("it is not a database", "restore a backup")


def test_a_header_with_flipped_bytes():
    make_store()
    patch(0, b"SQLite format 4\0")
    refused("it is not a database")


def test_a_damaged_first_page():
    make_store()
    patch(100, b"\xff" * 40)
    refused("is damaged", "restore a backup")


def test_a_file_that_was_cut():
    make_store()
    size = os.path.getsize(DATABASE)
    os.truncate(DATABASE, size // 2 // PAGE_BYTES * PAGE_BYTES)
    done = run("evidence", "verify", code=None)
    assert done.code in (1, 3), done
    os.truncate(DATABASE, PAGE_BYTES + 100)
    refused("is damaged")


def test_a_newer_store():
    make_store()
    patch(USER_VERSION_AT, struct.pack(">I", 9999))
    refused("has schema 9999, this program knows up to", "later release")


def test_a_database_of_another_program():
    make_store()
    patch(APPLICATION_ID_AT, struct.pack(">I", 0x12345678))
    refused("database of another program", "--data")


def test_an_empty_file_is_no_store_yet():
    os.mkdir("assay-data")
    with open(DATABASE, "wb"):
        pass
    assert "there is no store" in run("export", "sla", code=3).err
    run("import", SAMPLE_LOG)
    assert len(export("sla")) == 1


def test_verify_names_the_block_that_was_changed():
    make_store()
    run("import", "--org", "other", "-", input=b"".join(
        b'{"id":"x%d","type":"stream_trace","timestamp":"1767908945298",'
        b'"data":{"padding":"%s"}}\n' % (i, b"%d" % i * 300)
        for i in range(6000)))
    summary = run("evidence", "verify").out
    blocks = int(re.search(r"ok: 6065 lines in (\d+) blocks of 2 feeds",
                           summary)[1])
    assert blocks > 2, summary
    whole = content()
    named = set()
    for found in re.finditer(re.escape(ZSTD_MAGIC), whole):
        place = found.start() + 30
        patch(place, bytes([whole[place] ^ 0x55]))
        done = run("evidence", "verify", code=None)
        patch(place, whole[place:place + 1])
        if done.code == 0:
            continue # a frame that is no evidence, or not any more
        defects = re.findall(r"defect: block (\d+) \(", done.out)
        assert len(defects) == 1, done
        assert "do not have the recorded hash" in done.out, done
        assert "1 defects in the evidence" in done.err, done
        named.add(int(defects[0]))
    assert named == set(range(1, blocks + 1)), named
    run("evidence", "verify")


def test_a_changed_block_is_not_exported_or_rebuilt_from():
    make_store()
    whole = content()
    place = whole.index(ZSTD_MAGIC) + 30
    patch(place, bytes([whole[place] ^ 0x55]))
    for command in (["evidence", "export"], ["rebuild"]):
        done = run(*command, code=3)
        assert "block 1 (" in done.err, done
    patch(place, whole[place:place + 1])
    run("rebuild")
    assert len(export("sla")) == 1


def test_flipped_bytes_anywhere_crash_nothing():
    """Rows may be missing or refused, but nothing ends by a signal."""
    make_store()
    shutil.copy(DATABASE, "whole.db")
    whole = content()
    chance = random.Random(11)
    rounds = 300 if soaking() else 6 if sanitised() else 30
    for _ in range(rounds):
        shutil.copy("whole.db", DATABASE)
        for _ in range(chance.choice((1, 3, 40))):
            at = chance.randrange(len(whole))
            patch(at, bytes([chance.randrange(256)]))
        for command in (["evidence", "verify"], ["export", "sla"],
                        ["import", SAMPLE_LOG]):
            done = run(*command, code=None)
            assert done.code in (0, 1, 3), done
            assert done.code == 0 or done.err, done
        for extra in ("-wal", "-shm"):
            if os.path.exists(DATABASE + extra):
                os.remove(DATABASE + extra)


def test_a_store_in_use_names_its_owner():
    with serving() as server:
        words = f"is in use by process {server.process.pid};"
        for command in (["import", SAMPLE_LOG], ["rebuild"]):
            assert words in run(*command, code=3).err
        run("export", "sla")
        run("evidence", "verify")
    run("import", SAMPLE_LOG)


def test_a_lock_without_an_owner_is_no_lock():
    make_store()
    with open("assay-data/assay.lock", "w") as lock:
        lock.write("99999999\n")
    run("rebuild")
    with open("assay-data/assay.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        assert "in use by another process" in run("rebuild", code=3).err
