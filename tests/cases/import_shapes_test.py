"""`assay import`: every shape of input, whose lines they are, stop and repeat.

The sample log's records are written in each shape that import knows; the rows
must be the same, because a shape is only packing.
"""
import fcntl
import gzip
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

from harness import (SAMPLE_LOG, binary, environment, export, folder,
                     json_lines, refuse_findings, run, sample, skip,
                     wait_until)

TABLES = ("sla", "sessions", "selections", "counts")
BOM = b"\xef\xbb\xbf"
EVENT = {"id": "e-1", "type": "stream_trace", "timestamp": "1767908945298",
         "gateway": "g", "data": {"type": "gateway_receive_stream_request",
                                  "stream_id": "s", "request_id": "r"}}
DUMP = "getNetworkCapabilities.json"
BYOC_DUMP = "getNetworkCapabilities-ai-batch-byoc.json"


def records():
    return json.loads(SAMPLE_LOG.read_text())


def event(**changes):
    return json.dumps(dict(EVENT, **changes))


def lines_of(values):
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def tables(store):
    return {what: run("export", what, "--data", store).out for what in TABLES}


def counts(store="assay-data"):
    return [tuple(row.values()) for row in export("counts", data=store)]


def take(content, *options, store="assay-data", name="input"):
    """Imports CONTENT as a file; the summary's rows."""
    with open(name, "wb") as out:
        out.write(content)
    done = run("import", "--data", store, "--json", *options, name)
    assert done.err == "", done
    return json_lines(done.out)


# ---- shapes ------------------------------------------------------------------


def zstd_frame(content, block_bytes=100000):
    """A zstd frame of stored blocks, without checksum (RFC 8878)."""
    blocks = [content[i:i + block_bytes]
              for i in range(0, len(content), block_bytes)] or [b""]
    out = b"\x28\xb5\x2f\xfd\x80\x58" + struct.pack("<I", len(content))
    for i, block in enumerate(blocks):
        last = i == len(blocks) - 1
        out += struct.pack("<I", last | len(block) << 3)[:3] + block
    return out


def in_pieces(content, pack):
    """Three packed parts one after the other, cut within records."""
    third = len(content) // 3
    return b"".join(pack(part) for part in (
        content[:third], content[third:2 * third], content[2 * third:]))


def pretty(value):
    return json.dumps(value, indent=2).encode()


def shapes():
    log = records()
    plain = lines_of(log)
    compact = json.dumps(log, separators=(",", ":")).encode()
    # Half of them unwrapped: without a topic --org says whose they are.
    unwrapped = [record["value"] if i % 2 else record
                 for i, record in enumerate(log)]
    yield "the file as it is", SAMPLE_LOG.read_bytes()
    yield "lines", plain
    yield "lines with CRLF", plain.replace(b"\n", b"\r\n")
    yield "lines without the last newline", plain[:-1]
    yield "blank lines between", b"\n \t\n" + plain.replace(b"\n", b"\n\r\n \n")
    yield "white space around", b"  " + plain.replace(b"\n", b"\t \n\t ")
    yield "a mark, then lines", BOM + plain
    yield "a mark and blanks, then lines", BOM + b"\n \n" + plain
    yield "a compact array", compact
    yield "a compact array and a newline", compact + b"\n"
    yield "a pretty array", pretty(log)
    yield "a pretty array with CRLF", pretty(log).replace(b"\n", b"\r\n")
    yield "a mark, then an array", BOM + compact
    yield "arrays in a row", b"".join(
        json.dumps(log[i:i + 9]).encode() + b"\n" * (i % 2)
        for i in range(0, len(log), 9))
    yield "pretty arrays in a row", b"\n".join(
        pretty(log[i:i + 9]) for i in range(0, len(log), 9))
    yield "an array, then lines", json.dumps(log[:9]).encode() + b"\n" + (
        lines_of(log[9:]))
    yield "an array and lines on one line", json.dumps(log[:9]).encode() + (
        lines_of(log[9:]))
    yield "pretty objects", b"\n".join(map(pretty, log)) + b"\n"
    yield "pretty objects with CRLF", b"\r\n".join(
        pretty(record).replace(b"\n", b"\r\n") for record in log)
    yield "pretty objects without space", b"".join(map(pretty, log))
    unindented = [json.dumps(record, indent=0).encode() for record in log]
    yield "objects over lines without indent", b"\n".join(unindented)
    yield "an array without indent", json.dumps(log, indent=0).encode()
    yield "an array with one record a line", b"[\n" + b",\n".join(
        json.dumps(record).encode() for record in log) + b"\n]\n"
    yield "bare envelopes", lines_of(unwrapped)
    yield "gzip", gzip.compress(plain)
    yield "gzip in members", in_pieces(plain, gzip.compress)
    yield "gzip of an array", gzip.compress(compact)
    yield "gzip of a mark and lines", gzip.compress(BOM + plain)
    yield "gzip with a name and a comment", named_gzip(plain)
    yield "zstd", zstd_frame(plain)
    yield "zstd in frames", in_pieces(plain, zstd_frame)
    yield "zstd of a pretty array", zstd_frame(pretty(log), 70001)


def named_gzip(content):
    """gzip with all optional header fields."""
    whole = gzip.compress(content)
    extra = struct.pack("<H", 4) + b"abcd"
    return (whole[:3] + b"\x1c" + whole[4:10] + extra + b"name\0comment\0"
            + whole[10:])


def test_every_shape_gives_the_same_rows():
    expected = None
    for label, content in shapes():
        summary = take(content, "--org", "cloudspe", store=label)
        assert sum(row["received"] for row in summary) == 65, (label, summary)
        got = tables(label)
        expected = expected or got
        assert got == expected, label
        run("evidence", "verify", "--data", label)
    assert json.loads(expected["counts"]) == {
        "class": "accepted", "reason": "", "org": "cloudspe",
        "received": 65, "unique": 65}


def test_what_the_zstd_program_makes():
    if not shutil.which("zstd"):
        skip("needs the program zstd")
    # Long repeats, so that the last block gives far more than it takes.
    many = lines_of(dict(EVENT, id=f"e-{i}", data=dict(
        EVENT["data"], note="n" * 300)) for i in range(5000))
    with open("many", "wb") as out:
        out.write(many)
    for store, level in enumerate(("-1", "-19", "--no-check", "--long=27")):
        packed = subprocess.run(["zstd", "-q", "-c", level, "many"],
                                stdout=subprocess.PIPE, check=True).stdout
        take(packed, "--org", "a", store=str(store))
        assert counts(str(store)) == [("accepted", "", "a", 5000, 5000)], level


def test_blocks_of_every_size_come_out_whole():
    """Output that fills the buffer in the middle of the last block."""
    many = lines_of(dict(EVENT, id=f"e-{i}") for i in range(4000))
    for size in (1, 3, 999, 65536, 99991, 131072):
        content = many if size > 3 else many[:many.index(b"\n", 5000) + 1]
        take(zstd_frame(content, size), "--org", "a", store=str(size))
        assert counts(str(size))[0][4] == content.count(b"\n"), size


def test_a_wrapper_keeps_the_place_it_came_from():
    """Equal payloads: the smallest partition and offset stand, whatever comes
    first; a data beside `value` makes the outside the envelope."""
    inner = json.loads(event())
    take(lines_of([
        {"topic": "network_events", "partition": 1, "offset": 1,
         "value": inner},
        {"topic": "network-events", "partition": 0, "offset": 9,
         "value": inner},
        dict(inner, value=dict(inner, id="inner"), org="outside")]))
    assert counts() == [("accepted", "", "daydream", 2, 1),
                        ("accepted", "", "outside", 1, 1)]


def test_inputs_without_records():
    for label, content in (
            ("empty", b""), ("newlines", b"\n\n\r\n"), ("blanks", b" \t "),
            ("mark", BOM), ("mark and blanks", BOM + b"\n \n"),
            ("empty array", b"[]"), ("empty arrays", b"[ ] [\n]\n[]"),
            ("empty gzip", gzip.compress(b"")),
            ("empty zstd", zstd_frame(b""))):
        assert take(content, store=label) == [], label
        assert counts(label) == [], label
        assert tables(label) == dict.fromkeys(TABLES, ""), label


# ---- standard input ----------------------------------------------------------


def start(*arguments, **options):
    return subprocess.Popen([binary(), *arguments], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=environment(), **options)


def ended(process):
    """Exit code, standard output and error, as text."""
    out, err = process.communicate(timeout=60)
    refuse_findings(err.decode())
    return process.returncode, out.decode(), err.decode()


def feed(process, content):
    process.stdin.write(content)
    process.stdin.flush()


def test_standard_input():
    plain = lines_of(records())
    run("import", "--data", "whole", SAMPLE_LOG)
    for label, content in (("plain", plain), ("gzip", gzip.compress(plain)),
                           ("zstd", zstd_frame(plain)),
                           ("array", SAMPLE_LOG.read_bytes())):
        run("import", "--data", label, "-", input=content)
        assert tables(label) == tables("whole"), label


def test_a_pipe_that_brings_the_first_bytes_one_by_one():
    plain = lines_of(records())
    run("import", "--data", "whole", SAMPLE_LOG)
    for label, content in (("mark", BOM + plain), ("zstd", zstd_frame(plain)),
                           ("gzip", gzip.compress(plain))):
        process = start("import", "--data", label, "-")
        for i in range(5):
            feed(process, content[i:i + 1])
            time.sleep(0.02)
        feed(process, content[5:])
        code, _, err = ended(process)
        assert (code, err) == (0, ""), label
        assert tables(label) == tables("whole"), label


def test_a_named_pipe():
    os.mkfifo("pipe")
    process = start("import", "pipe")
    with open("pipe", "wb") as out:
        out.write(lines_of(records()))
    code, _, err = ended(process)
    assert (code, err) == (0, ""), err
    assert counts() == [("accepted", "", "cloudspe", 65, 65)]


def test_a_named_pipe_that_nobody_writes_can_be_left():
    os.mkfifo("pipe")
    process = start("import", "pipe")
    wait_until(lambda: os.path.exists("assay-data/assay.db"), what="a store")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 1 and "stopped" in err, err


def test_half_a_mark_is_no_mark():
    for content, rows in ((b"\xef", 1), (b"\xef\xbb", 1), (b"\xef\xbb{}", 1),
                          (b"\xef{}\n{}", 2), (BOM + BOM + b"{}", 1)):
        store = content.hex()
        take(content, store=store)
        assert sum(row[3] for row in counts(store)) == rows, content
        assert counts(store)[-1][:2] == ("rejected", "invalid_json"), content


# ---- whose lines they are ----------------------------------------------------


def test_the_organisation_of_a_line():
    def wrapped(topic="streaming_events", outer=None, inner=None, **more):
        value = json.loads(event(**({"org": inner} if inner else {})))
        record = {"topic": topic, "partition": 0, "offset": 0, "value": value}
        return dict(record, **({"org": outer} if outer else {}), **more)
    cases = [
        (event(org="own"), "given", "own"),
        (event(), "given", "given"),
        (event(), None, None),
        (event(org=""), "given", "given"),
        (event(org=None), "given", "given"),
        (event(org=7), None, "7"),
        (event(org={"a": [1]}), None, '{"a":[1]}'),
        (event(org="a-b\u00e4\n"), None, "a-b\u00e4\n"),
        (wrapped(outer="outer", inner="inner"), "given", "outer"),
        (wrapped(inner="inner"), "given", "inner"),
        (wrapped(), "given", "given"),
        (wrapped(), None, "cloudspe"),
        (wrapped("streaming-events"), None, "cloudspe"),
        (wrapped("network_events"), None, "daydream"),
        (wrapped("network-events"), None, "daydream"),
        (wrapped("Network_events"), None, None),
        (wrapped("other"), None, None),
        (wrapped(None), None, None),
        (json.dumps(dict(json.loads(event()), topic="network_events")), None,
         None)]
    for i, (record, given, expected) in enumerate(cases):
        if not isinstance(record, str):
            record = json.dumps(record)
        options = ["--org", given] if given else []
        take(record.encode(), *options, store=str(i))
        row = (("accepted", "", expected, 1, 1) if expected
               else ("rejected", "blank_org", "", 1, 1))
        assert counts(str(i)) == [row], (record, given)


# ---- the summary, repetition -------------------------------------------------


def summary_row(kind, reason, family, org, received, added, conflicts=0):
    return {"class": kind, "reason": reason, "type": family, "org": org,
            "received": received, "added": added, "conflicts": conflicts}


SAMPLE_SUMMARY = [("ai_stream_status", 17), ("create_new_payment", 6),
                  ("discovery_results", 1), ("network_capabilities", 1),
                  ("stream_ingest_metrics", 34), ("stream_trace", 6)]


def test_the_summary_as_json_and_as_a_table():
    done = run("import", "--json", SAMPLE_LOG)
    assert json_lines(done.out) == [
        summary_row("accepted", "", family, "cloudspe", count, count)
        for family, count in SAMPLE_SUMMARY]
    again = run("import", SAMPLE_LOG).out.splitlines()
    assert again[0].split() == ["class", "reason", "type", "org", "received",
                                "added", "conflicts"]
    assert [line.split() for line in again[1:]] == [
        ["accepted", family, "cloudspe", str(count), "0", "0"]
        for family, count in SAMPLE_SUMMARY]


def test_the_summary_by_type_and_reason():
    other = json.loads(event(gateway="other"))
    rows = take(b"nonsense\n" + lines_of([
        json.loads(event()), json.loads(event()), other,
        dict(EVENT, type="webrtc_stats"), dict(EVENT, type="unheard_of"),
        dict(EVENT, data={"type": "app_start"}),
        dict(EVENT, data={"type": "error", "client_source": "SCOPE"}),
        dict(EVENT, data={"type": "error"}), dict(EVENT, id="")]),
        "--org", "a")
    ignored = "unsupported_event_family"
    assert rows == [
        summary_row("accepted", "", "stream_trace", "a", 3, 1, 1),
        summary_row("ignored", "ignored_stream_trace_non_core_app",
                    "stream_trace", "a", 1, 1),
        summary_row("ignored", "ignored_stream_trace_scope_client_noise",
                    "stream_trace", "a", 1, 1),
        summary_row("ignored", ignored, "other", "a", 1, 1),
        summary_row("ignored", ignored, "webrtc_stats", "a", 1, 1),
        summary_row("ignored", "unsupported_stream_trace_type",
                    "stream_trace", "a", 1, 1),
        summary_row("rejected", "blank_id", "", "a", 1, 1),
        summary_row("rejected", "invalid_json", "", "a", 1, 1)]


def test_importing_again_adds_nothing():
    run("import", SAMPLE_LOG)
    before = tables("assay-data")
    for repeat in (2, 3):
        rows = json_lines(run("import", "--json", SAMPLE_LOG).out)
        assert [row["added"] for row in rows] == [0] * 6, rows
        after = tables("assay-data")
        assert counts() == [("accepted", "", "cloudspe", 65 * repeat, 65)]
        for what in ("sla", "sessions", "selections"):
            assert after[what] == before[what], what


def test_several_files_at_once():
    log = records()
    run("import", "--data", "whole", SAMPLE_LOG)
    for name, part in (("a.ndjson", lines_of(log[40:])),
                       ("b.json", json.dumps(log[20:40]).encode()),
                       ("c.gz", gzip.compress(lines_of(log[:20])))):
        with open(name, "wb") as out:
            out.write(part)
    run("import", "--data", "parts", "a.ndjson", "b.json", "c.gz")
    assert tables("parts") == tables("whole")
    run("import", "--data", "mixed", "c.gz", "-", "a.ndjson",
        input=lines_of(log[20:40]))
    assert tables("mixed") == tables("whole")


# ---- capability dumps --------------------------------------------------------


def evidence_rows():
    return json_lines(run("evidence", "export", "--json").out)


def test_a_capability_dump_is_a_snapshot():
    for name in (DUMP, BYOC_DUMP):
        for _ in range(2):
            run("import", "--org", "me", "--at", "2026-01-08T21:50:00Z",
                sample(name))
        # The same offers a minute later are another snapshot.
        run("import", "--org", "me", "--at", "2026-01-08T21:51:00Z",
            sample(name))
    assert counts() == [("accepted", "", "me", 6, 4)]
    rows = [row for row in evidence_rows() if row["kind"] == "line"]
    assert sorted(row["event_time"] for row in rows) == [
        "2026-01-08T21:50:00.000Z"] * 2 + ["2026-01-08T21:51:00.000Z"] * 2
    sent = json.loads(open(sample(DUMP), encoding="utf-8").read())
    assert any(json.loads(row["text"])["data"] == sent["orchestrators"]
               for row in rows)


def test_a_dump_without_time_is_of_the_file_s_time():
    shutil.copy(sample(DUMP), "dump.json")
    os.utime("dump.json", (1767909001.75, 1767909001.75))
    for _ in range(2):
        run("import", "--org", "me", "dump.json")
    assert counts() == [("accepted", "", "me", 2, 1)]
    assert evidence_rows()[0]["event_time"] == "2026-01-08T21:50:01.000Z"
    packed = gzip.compress(open("dump.json", "rb").read())
    with open("dump.gz", "wb") as out:
        out.write(packed)
    os.utime("dump.gz", (1767909001, 1767909001))
    run("import", "--org", "me", "dump.gz")
    assert counts() == [("accepted", "", "me", 3, 1)]


def test_a_dump_on_standard_input_is_of_now():
    before = time.time() - 1
    run("import", "--org", "me", "-", input=open(sample(DUMP), "rb").read())
    told = evidence_rows()[0]["event_time"]
    taken = time.mktime(time.strptime(told[:19], "%Y-%m-%dT%H:%M:%S"))
    taken -= time.timezone
    assert before - 1 <= taken <= time.time() + 1, told


def test_a_dump_needs_an_organisation():
    run("import", sample(DUMP))
    assert counts() == [("rejected", "blank_org", "", 1, 1)]


def test_a_dump_tells_who_served_a_session():
    """From the URL in a session's trace, by the snapshot, to the address."""
    dump = json.loads(open(sample(BYOC_DUMP), encoding="utf-8").read())
    orchestrator = next(one for one in dump["orchestrators"]
                        if one["address"] != one["local_address"])
    trace = dict(EVENT, data=dict(
        EVENT["data"], type="gateway_receive_first_processed_segment",
        orchestrator_info={"address": "",
                           "url": orchestrator["orch_uri"].upper()}))
    take(lines_of([EVENT, dict(trace, id="e-2", timestamp="1767908947298")]),
         "--org", "me")
    run("import", "--org", "me", "--at", "2026-01-08T21:49:00Z",
        sample(BYOC_DUMP))
    session, = export("sessions")
    assert session["orchestrator_address"] == orchestrator["address"].lower()
    assert session["attribution_snapshot_ts"] == "2026-01-08T21:49:00.000Z"
    assert session["attribution_method"] == "uri_interval_exact", session


def test_what_is_no_dump():
    for i, value in enumerate((
            {"orchestrators": {}}, {"orchestrators": None},
            {"orchestrator": []},
            {"orchestrators": [], "data": 1}, {"orchestrators": "[]"})):
        take(json.dumps(value).encode(), "--org", "me", store=str(i))
        assert counts(str(i)) == [("rejected", "blank_id", "me", 1, 1)], value
    take(json.dumps(dict(EVENT, orchestrators=[])).encode(), "--org", "me")
    assert counts() == [("accepted", "", "me", 1, 1)]


# ---- stopping ----------------------------------------------------------------


def test_a_stopped_import_keeps_what_it_read():
    log = records()
    run("import", "--data", "whole", SAMPLE_LOG)
    for number in (signal.SIGINT, signal.SIGTERM):
        store = f"stopped by {number}"
        process = start("import", "--data", store, "-")
        feed(process, lines_of(log[:30]) + b'{"half": "a li')
        wait_until_read(process)
        process.send_signal(number)
        code, out, err = ended(process)
        assert code == 1 and "stopped" in err and "accepted" in out, err
        assert counts(store) == [("accepted", "", "cloudspe", 30, 30)]
        run("evidence", "verify", "--data", store)
        run("import", "--data", store, SAMPLE_LOG)
        assert counts(store) == [("accepted", "", "cloudspe", 95, 65)]
        for what in ("sla", "sessions", "selections"):
            assert tables(store)[what] == tables("whole")[what], what


def wait_until_read(process):
    """Until everything in its pipe has been read and taken."""
    def is_empty():
        left = fcntl.ioctl(process.stdin, termios.FIONREAD, b"\0" * 4)
        return left == b"\0" * 4
    wait_until(is_empty, what="reading")
    time.sleep(0.5)


def test_a_stop_ends_all_files():
    with open("later.ndjson", "wb") as out:
        out.write(lines_of([dict(EVENT, org="later")]))
    process = start("import", "-", "later.ndjson")
    feed(process, lines_of([dict(EVENT, org="first")]))
    wait_until_read(process)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 1 and "stopped" in err, err
    assert counts() == [("accepted", "", "first", 1, 1)]


# ---- names that cannot be read -----------------------------------------------


def test_a_name_that_cannot_be_read_costs_nothing():
    os.mkdir("directory")
    os.symlink("nowhere", "dangling")
    for wrong in ("missing.json", "directory", "dangling", "",
                  str(SAMPLE_LOG) + "/x"):
        done = run("import", SAMPLE_LOG, wrong, code=2)
        assert wrong in done.err and done.out == "", done
        assert not (folder() / "assay-data").exists(), wrong
    run("import", code=2)
    run("import", "--at", "yesterday", SAMPLE_LOG, code=2)
    assert not (folder() / "assay-data").exists()


def test_a_file_of_another_user():
    with open("secret.json", "wb") as out:
        out.write(lines_of([EVENT]))
    os.chmod("secret.json", 0)
    if os.access("secret.json", os.R_OK):
        skip("this user may read everything")
    assert "secret.json" in run("import", "secret.json", code=2).err


# ---- progress ----------------------------------------------------------------


def test_progress_is_silent_elsewhere_than_on_a_terminal():
    process = start("import", "-")
    for i in range(8):
        feed(process, lines_of([dict(EVENT, id=f"e{i}", org="a")]))
        time.sleep(0.1)
    assert ended(process)[2] == ""


def on_a_terminal(*arguments):
    """What an import writes to a terminal while its input comes slowly."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [binary(), "import", *arguments, "-"], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=terminal, env=environment())
    os.close(terminal)
    for i in range(10):
        feed(process, lines_of([dict(EVENT, id=f"e{i}", org="a")]))
        time.sleep(0.1)
    process.stdin.close()
    shown = b""
    while select.select([controller], [], [], 20)[0]:
        try:
            piece = os.read(controller, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(controller)
    assert process.wait(20) == 0, shown
    return shown.decode()


def test_progress_on_a_terminal():
    shown = on_a_terminal()
    states = shown.split("\r\x1b[K")
    assert any(" records" in state and "/s" in state for state in states)
    assert states[-1] == "", "the line is wiped at the end"
    assert shown.count("\n") == 0, shown
    assert on_a_terminal("--quiet", "--data", "other") == ""
