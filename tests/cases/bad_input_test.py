"""Nothing that arrives stops the rest: each bad record is counted and kept.

A good session stands before and after the bad records of every test; its rows
must be those that it has alone, each bad record counted under its reason, kept
byte for byte, and counted once however often it comes.
"""
import gzip
import hashlib
import itertools
import json
import random
import struct
import subprocess
import sys

from harness import (ROOT, binary, environment, export, json_lines,
                     refuse_findings, run, sanitised)

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import compare                    # noqa: E402

TABLES = ("sla", "sessions", "selections")
ADDRESS = "0x" + "aBcDeF0123" * 4
URL = "https://Orch.example:8935"
DAY_MS = 24 * 3600 * 1000
TIME_MS = 1767908945298  # 2026-01-08T21:49:05.298Z
MODEL = "streamdiffusion-sdxl"
LINE_MAX_BYTES = 8 << 20
KEPT_BYTES = 64 << 10
NAME_MAX_BYTES = 64 << 10
VALUES_MAX = 64 << 10


# ---- one good event of each family -------------------------------------------


def envelope(number, family, data, org="good", start_ms=TIME_MS):
    return {"id": f"{org}-{number}", "type": family, "org": org,
            "timestamp": str(start_ms + number * 1000), "gateway": "0xGateway",
            "data": data}


def trace(kind, **more):
    return {"type": kind, "stream_id": "stream", "request_id": "request",
            "pipeline_id": "live-video-to-video", "client_source": "",
            "timestamp": TIME_MS,
            "orchestrator_info": {"address": ADDRESS, "url": URL}, **more}


def status(**more):
    return {"type": "status", "stream_id": "stream", "request_id": "request",
            "pipeline": MODEL, "pipeline_id": "", "state": "ONLINE",
            "start_time": TIME_MS + 2500,
            "inference_status": {"fps": 16.5, "latency_ms": 110,
                                 "last_error": None, "restart_count": 0},
            "input_status": {"fps": 30},
            "orchestrator_info": {"address": ADDRESS, "url": URL}, **more}


def capabilities():
    return [{"address": ADDRESS, "local_address": "0x" + "1" * 40,
             "orch_uri": URL, "uri": "",
             "capabilities": {"constraints": {"PerCapability": {
                 "35": {"models": {MODEL: {"warm": True, "capacity": 2}}}}}},
             "hardware": [{"pipeline": "live-video-to-video",
                           "model_id": MODEL,
                           "gpu_info": {"0": {"id": "GPU-1", "name": "RTX",
                                              "memory_total": 24}}}]}]


def session(org="good", start_ms=TIME_MS):
    """A session from its request to its close, with its orchestrator."""
    ids = {"stream_id": "stream", "request_id": "request"}
    events = [
        ("network_capabilities", capabilities()),
        ("stream_trace", trace("gateway_receive_stream_request")),
        ("stream_trace", trace("gateway_send_first_ingest_segment")),
        ("stream_trace", trace("gateway_receive_first_processed_segment")),
        ("stream_trace", trace("runner_send_first_processed_segment")),
        ("stream_trace", trace("gateway_receive_few_processed_segments")),
        ("ai_stream_status", status()),
        ("ai_stream_status", status(state="DEGRADED_INFERENCE")),
        ("ai_stream_events", dict(ids, type="error", pipeline=MODEL,
                                  message="user disconnected", capability="",
                                  orchestrator_info={"address": ADDRESS,
                                                     "url": URL})),
        ("stream_trace", trace("orchestrator_swap")),
        ("stream_trace", trace("gateway_ingest_stream_closed")),
        ("discovery_results", [{"address": ADDRESS, "latency_ms": "77",
                                "url": URL}]),
        ("create_new_payment", dict(ids, sessionID="x", faceValue="1 WEI",
                                    recipient=ADDRESS, price="1.0 wei")),
        ("stream_ingest_metrics", dict(ids, stats={"peer_conn_stats": {
            "BytesReceived": 5}}))]
    return [envelope(number, family, data, org, start_ms)
            for number, (family, data) in enumerate(events)]


def encoded(records):
    return [record if isinstance(record, bytes)
            else json.dumps(record).encode() for record in records]


def text_of(records):
    return b"".join(record + b"\n" for record in encoded(records))


BEFORE = session()[:6]
AFTER = session()[6:]
GOOD_COUNT = ("accepted", "", "good", 14, 14)


# ---- the check ---------------------------------------------------------------


def rows(store, org=None):
    """The rows of the settled pass, those of one organisation if asked."""
    return {what: [row for row in export(what, data=store)
                   if org in (None, row["org"])] for what in TABLES}


def good_alone():
    run("import", "--data", "good", "-", input=text_of(BEFORE + AFTER))
    alone = rows("good")
    assert len(alone["sessions"]) == 1 and len(alone["sla"]) == 1
    assert alone["sessions"][0]["attribution_status"] == "resolved"
    assert alone["sla"][0]["status_samples"] == 2
    return alone


def counts(store):
    return [tuple(row.values()) for row in export("counts", data=store)]


def evidence_lines(store, *options):
    return run("evidence", "export", "--data", store,
               *options).out_bytes.split(b"\n")[:-1]


def check(bad, expected, org=None, alone=None, store="store"):
    """Imports BAD between the halves of the good session.

    EXPECTED are the rows of `export counts` beside the good session's.
    """
    alone = alone or good_alone()
    options = ["--org", org] if org else []
    content = text_of(BEFORE + bad + AFTER)
    run("import", "--data", store, *options, "-", input=content)
    assert counts(store) == sorted([GOOD_COUNT, *expected]), counts(store)
    assert rows(store, "good") == alone
    run("evidence", "verify", "--data", store)
    kept = evidence_lines(store)
    sent = encoded(BEFORE + bad + AFTER)
    assert sorted(kept) == sorted(dict.fromkeys(
        record.strip(b" \t\r\n") for record in sent)), "not the exact lines"
    before = rows(store)
    run("import", "--data", store, *options, "-", input=content)
    assert [(*row[:3], row[4]) for row in counts(store)] == [
        (*row[:3], row[4]) for row in sorted([GOOD_COUNT, *expected])]
    assert rows(store) == before
    assert evidence_lines(store) == kept
    run("rebuild", "--data", store)
    assert rows(store) == before
    assert [row[3] for row in counts(store)] == [
        2 * row[3] for row in sorted([GOOD_COUNT, *expected])]


def rejected(reason, count, org=""):
    return ("rejected", reason, org, count, count)


def odd(number, **changes):
    """A trace of another organisation; a change to `...` leaves it out."""
    record = envelope(number, "stream_trace",
                      trace("gateway_receive_stream_request"), "odd")
    record.update(changes)
    return {key: value for key, value in record.items() if value is not ...}


# ---- identity and time -------------------------------------------------------


def test_blank_and_missing_ids():
    check([odd(0, id=""), odd(1, id=None), odd(2, id=...),
           {}, {"data": {}}, {"value": {}}, {"value": {"id": ""}, "id": "x"},
           odd(3, id="", type=...), odd(4, id=None, timestamp="soon"),
           odd(5, id="", org=""), {"ID": "case", "Timestamp": "1"}],
          [rejected("blank_id", 5, "odd"), rejected("blank_id", 6)])


def test_odd_ids_that_are_ids():
    ids = [" ", 0, -0.0, 1e308, False, [], {}, [""], {"id": ""}, "\0", "null",
           "|", "a|b|c", "\u2028", "'; DROP TABLE session; --", "%n%s",
           "\ufeff", "x" * NAME_MAX_BYTES]
    check([odd(number, id=value) for number, value in enumerate(ids)],
          [("accepted", "", "odd", len(ids), len(ids))])


BAD_TIMES = [
    "", None, ..., "soon", True, {}, [], -1, 0, "0", "12345678", "12345678901",
    "123456789012", "12345678901234", " 1767908945298", "1767908945298 ",
    "+1767908945298", "-1767908945", "1767908945298.0", "1767908945.",
    "1767908945.1234567890", "1767908945,5", "0x1767908945", "1e12", 1e308,
    1767908945298.5, "2026", "2026-01", "2026-1-08", "2026-01-08T",
    "2026-01-08T21", "2026-01-08T24:00", "2026-01-08T21:60", "2026-02-29",
    "2026-01-08T21:49:60", "2026-01-08T21:49:05.", "2026-13-01", "2026-00-01",
    "2026-01-00", "2026-01-08T21:49:05.1234567890Z", "2026-01-08Z",
    "2026-01-08T21:49:05+24:00", "2026-01-08T21:49:05+01:60", "1900-02-29",
    "2026-01-08T21:49:05 Z", "2026-01-08  21:49:05", "20260108T214905Z",
    "2026-01-08T21:49Zx", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00+00:01",
    "2286-11-20T17:46:40Z", "9999-12-31", "2026-01-08T21:49:05\0",
    "\uff11767908945298", "Thu, 08 Jan 2026 21:49:05 GMT"]


def test_unparsable_times():
    check([odd(number, timestamp=value)
           for number, value in enumerate(BAD_TIMES)],
          [rejected("invalid_timestamp", len(BAD_TIMES), "odd")])


GOOD_TIMES = {
    "1767908945298": "2026-01-08T21:49:05.298Z",
    1767908945298: "2026-01-08T21:49:05.298Z",
    "1767908945": "2026-01-08T21:49:05.000Z",
    "999999999": "2001-09-09T01:46:39.000Z",
    999999999: "2001-09-09T01:46:39.000Z",
    "000000000": "1970-01-01T00:00:00.000Z",
    "0000000000000": "1970-01-01T00:00:00.000Z",
    "9999999999999": "2286-11-20T17:46:39.999Z",
    "4102444800000": "2100-01-01T00:00:00.000Z",
    "1767908945.2989": "2026-01-08T21:49:05.298Z",
    1767908945.5: "2026-01-08T21:49:05.500Z",
    "1970-01-01": "1970-01-01T00:00:00.000Z",
    "1970-01-01T01:00+01": "1970-01-01T00:00:00.000Z",
    "2024-02-29T23:59:59,999999999-2359": "2024-03-01T23:58:59.999Z",
    "2026-01-08 21:49": "2026-01-08T21:49:00.000Z",
    "2026-01-08t21:49:05.2z": "2026-01-08T21:49:05.200Z",
    "2100-02-28T12:00:00Z": "2100-02-28T12:00:00.000Z",
    "2286-11-20T18:46:39.999+01:00": "2286-11-20T17:46:39.999Z"}


def test_times_from_1970_to_2286_are_times():
    ids = {"stream_id": "s", "request_id": "r"}
    records = [odd(number, org=f"odd-{number:02}", timestamp=value,
                   data=dict(trace("gateway_receive_stream_request"), **ids))
               for number, value in enumerate(GOOD_TIMES)]
    check(records, [("accepted", "", f"odd-{number:02}", 1, 1)
                    for number in range(len(GOOD_TIMES))])
    sessions = {row["org"]: row for row in export("sessions", data="store")}
    for number, expected in enumerate(GOOD_TIMES.values()):
        row = sessions[f"odd-{number:02}"]
        assert row["last_seen"] == expected, (number, row["last_seen"])
        # A minimum of 0 is no time (DECISIONS 25).
        epoch = expected == "1970-01-01T00:00:00.000Z"
        assert row["started_at"] == (None if epoch else expected), row


def test_events_around_midnight_belong_to_their_own_day():
    records = []
    for number, ms in enumerate((-1, 0, 1)):
        at = TIME_MS // DAY_MS * DAY_MS + 50 * DAY_MS + ms
        records.append(dict(
            envelope(number, "ai_stream_status", status(), "odd"),
            timestamp=str(at)))
    check(records, [("accepted", "", "odd", 3, 3)])
    found = {row["window_start"]: row["status_samples"]
             for row in export("sla", data="store") if row["org"] == "odd"}
    assert found == {"2026-02-26T23:00:00Z": 1, "2026-02-27T00:00:00Z": 2}


# ---- not JSON ----------------------------------------------------------------


def deep(levels):
    """A record whose own braces are level 1."""
    inner = "[" * (levels - 2) + "]" * (levels - 2)
    return (f'{{"id":"deep-{levels}","type":"x","org":"odd",'
            f'"timestamp":"1767908945298","data":{{"d":{inner}}}}}').encode()


def test_what_is_not_json():
    whole = json.dumps(odd(0)).encode()
    lines = [
        b"nonsense", b"{", b"}", b"]", b",", b"\"", b"{]", b"{}{}", b"{} []",
        b"[]", b"[1,2]", b"17", b"null", b"true", b"\"text\"", b"-", b"\0",
        b"\x1b[31mred", b"\xff\xfe{\0}\0", b"<html>", b"id,type,timestamp",
        whole[:-1], whole + b"}", whole + whole, whole + b",", b"," + whole,
        whole.replace(b'"', b"'"), whole.replace(b":", b"="),
        whole[:-1] + b",}", whole[:-1] + b',"x":NaN}',
        whole[:-1] + b',"x":Infinity}', whole[:-1] + b',"x":1e999}',
        whole[:-1] + b',"x":01}', whole[:-1] + b',"x":"\t"}',
        whole[:-1] + b',"x":"\xc3"}', whole[:-1] + b',"x":"\xed\xa0\x80"}',
        whole[:-1] + b',"x":"\xf5\x80\x80\x80"}', b"/* x */" + whole,
        whole + b"// x", b"\xc2\xa0" + whole, b"\x0b" + whole]
    # A first line that looks like an array would make all of it one.
    check(lines, [rejected("invalid_json", len(lines))])
    check(lines, [rejected("invalid_json", len(lines), "mine")], org="mine",
          store="other")


def test_nesting_of_128_is_enough():
    family = "unsupported_event_family"
    check([deep(127), deep(128), deep(129), deep(130), deep(100000),
           b'{"id":' * 200 + b"1" + b"}" * 200],
          [("ignored", family, "odd", 2, 2), rejected("invalid_json", 4)])


def test_brackets_in_strings_do_not_nest():
    check([odd(1, note="[" * 500), odd(2, note="{\"" * 500),
           odd(3, note="\\" * 301 + "[" * 200)],
          [("accepted", "", "odd", 3, 3)])


def test_surrogates_and_nul():
    whole = json.dumps(odd(0)).encode()[:-1]
    bad = [whole + b',"x":"' + text + b'"}' for text in (
        b"\\ud800", b"\\udc00", b"\\ud83d\\ud83d", b"\\ude00\\ud83d",
        b"\\ud800x", b"\\ud800\\n", b"\\uD83D\\u0041", b"\\u12", b"\\uXYZW",
        b"\0", b"a\0b")]
    bad += [whole + b',"\\ud800":1}', whole[:-1] + b"\0}", b"\0" + whole + b"}",
            whole + b"}\0"]
    fine = [odd(1, x="\U0001f600"), odd(2, x="\ud83d\ude00"), odd(3, x="\0"),
            odd(4, id="a\0b"), odd(5, gateway="\0"), odd(6, x="\ufffe\uffff"),
            odd(7, data=dict(trace("orchestrator_swap"), stream_id="a\0b",
                             request_id="\0"))]
    check(bad + fine, [("accepted", "", "odd", len(fine), len(fine)),
                       rejected("invalid_json", len(bad))])


def test_ids_that_differ_after_a_nul_differ():
    check([odd(1, id="a\0b"), odd(1, id="a\0c"), odd(1, id="a")],
          [("accepted", "", "odd", 3, 3)])


def test_a_mark_inside():
    mark = b"\xef\xbb\xbf"
    whole = json.dumps(odd(0)).encode()
    check([mark + whole, whole[:1] + mark + whole[1:], whole + mark, mark,
           odd(1, id="\ufeff", gateway="\ufeff")],
          [("accepted", "", "odd", 1, 1), rejected("invalid_json", 4)])


def test_damage_in_an_array_stays_where_it_is():
    alone = good_alone()
    parts = encoded(BEFORE + AFTER)
    for i, wrong in enumerate((b"nonsense", b'"', b"1 2", b"{]", b"}",
                               b'{"a":"\x01"}', b"\\", b'{"a":"b}')):
        content = b"[\n" + b",\n".join(
            parts[:7] + [wrong] + parts[7:]) + b"\n]\n"
        store = f"array-{i}"
        run("import", "--data", store, "-", input=content)
        # A string left open takes the rest of its element along; the newline
        # ends it. Unclosed brackets would take all.
        if wrong not in (b'"', b'{"a":"b}'):
            assert counts(store) == [GOOD_COUNT,
                                     rejected("invalid_json", 1)], wrong
            assert rows(store) == alone, wrong
        else:
            assert counts(store)[-1][:2] == ("rejected", "invalid_json"), wrong


def test_damage_in_pretty_objects_stays_where_it_is():
    parts = [json.dumps(record, indent=1).encode()
             for record in BEFORE + AFTER]
    whole = parts[0].split(b"\n")
    for i, wrong in enumerate((
            b'{\n "id": "open', b'{\n "a": [', b'{\n "a": 1,', b"nonsense",
            b"\n".join(whole[:3]), b"\n".join(whole[:-1]), b'{\n "a": "}"')):
        content = b"\n".join(parts[:7] + [wrong] + parts[7:])
        run("import", "--data", f"pretty-{i}", "-", input=content)
        assert counts(f"pretty-{i}") == [
            GOOD_COUNT, rejected("invalid_json", 1)], (wrong,
                                                       counts(f"pretty-{i}"))
    content = b",\n".join(parts)
    run("import", "--data", "commas", "-", input=content)
    assert counts("commas") == [GOOD_COUNT, ("rejected", "invalid_json", "",
                                             13, 1)]


# ---- long lines --------------------------------------------------------------


def padded(length, number=0):
    """A valid record of exactly LENGTH bytes."""
    record = json.dumps(odd(number, pad="")).encode()
    return record[:-2] + b"p" * (length - len(record)) + record[-2:]


def test_lines_around_8_mib():
    alone = good_alone()
    lengths = (LINE_MAX_BYTES, LINE_MAX_BYTES + 1, 9000000)
    long = [padded(length, number) for number, length in enumerate(lengths)]
    content = text_of(BEFORE + long + long + AFTER)
    run("import", "--data", "store", "-", input=content)
    assert counts("store") == [GOOD_COUNT, ("accepted", "", "odd", 2, 1),
                               ("rejected", "invalid_json", "", 4, 2)]
    assert rows("store", "good") == alone
    kept = [row for row in json_lines(run(
        "evidence", "export", "--json", "--data", "store").out)
            if row["kind"] == "oversize"]
    assert sorted((row["length"], row["sha256"]) for row in kept[:2]) == [
        (len(line), hashlib.sha256(line).hexdigest()) for line in long[1:]]
    told = json.loads(evidence_lines("store", "--class", "rejected")[0])
    assert (told["length"], told["kept_bytes"]) == (len(long[1]), KEPT_BYTES)
    assert long[0] in evidence_lines("store")
    run("evidence", "verify", "--data", "store")
    before = counts("store")
    run("rebuild", "--data", "store")
    assert counts("store") == before


def test_long_lines_in_every_shape():
    long = padded(9000000)
    good = encoded(BEFORE)
    for i, content in enumerate((
            long + b"\n" + good[0], good[0] + b"\r\n" + long,
            b"[" + good[0] + b"," + long + b"," + good[1] + b"]",
            json.dumps(json.loads(long), indent=1).encode() + b"\n" + good[0],
            gzip.compress(good[0] + b"\n" + long + b"\n" + good[1], 1))):
        run("import", "--data", str(i), "-", input=content)
        found = counts(str(i))
        assert found[0][:3] == ("accepted", "", "good"), (i, found)
        assert found[1] == ("rejected", "invalid_json", "", 1, 1), (i, found)


def test_much_white_space_is_no_record():
    blank = b" " * 9000000
    for i, content in enumerate((
            text_of(BEFORE[:1] + [blank] + BEFORE[1:2]),
            text_of([blank + encoded(BEFORE)[0], encoded(BEFORE)[1]]),
            b"[" + encoded(BEFORE)[0] + b"," + blank + encoded(BEFORE)[1]
            + b"]")):
        run("import", "--data", str(i), "-", input=content)
        assert counts(str(i)) == [("accepted", "", "good", 2, 2)], i


def test_a_line_of_a_gigabyte():
    """Hashed as it passes: memory stays small."""
    megabytes = 64 if sanitised() else 1024
    piece = b"x" * (1 << 20)
    digest = hashlib.sha256(b'{"id":"')
    process = subprocess.Popen([binary(), "import", "-"],
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, env=environment())
    process.stdin.write(text_of(BEFORE) + b'{"id":"')
    for _ in range(megabytes):
        process.stdin.write(piece)
        digest.update(piece)
    process.stdin.write(b"\n" + text_of(AFTER))
    process.stdin.flush()
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        peak = next(int(line.split()[1]) for line in file
                    if line.startswith("VmHWM"))
    _, err = process.communicate(timeout=120)
    refuse_findings(err.decode())
    assert process.returncode == 0, err
    assert sanitised() or peak < 100 * 1024, f"{peak} KiB"
    assert counts("assay-data") == [GOOD_COUNT, rejected("invalid_json", 1)]
    row, = json_lines(run("evidence", "export", "--json", "--class",
                          "rejected").out)
    assert row["length"] == (megabytes << 20) + 7
    assert row["sha256"] == digest.hexdigest()


# ---- damaged packing ---------------------------------------------------------


def zstd_frame(content):
    """A zstd frame of stored blocks of 1,000 bytes (RFC 8878)."""
    blocks = [content[i:i + 1000] for i in range(0, len(content), 1000)]
    out = b"\x28\xb5\x2f\xfd\x80\x58" + struct.pack("<I", len(content))
    for i, block in enumerate(blocks):
        last = i == len(blocks) - 1
        out += struct.pack("<I", last | len(block) << 3)[:3] + block
    return out


def damaged_files():
    plain = text_of(BEFORE + AFTER)
    for pack in (lambda content: gzip.compress(content, 0), zstd_frame):
        name = "gzip" if pack is not zstd_frame else "zstd"
        packed = pack(plain)
        half = len(packed) // 2
        yield name, "cut", packed[:half], 3
        yield name, "cut before its last byte", packed[:-1], 12
        yield name, "second part cut", pack(text_of(BEFORE)) + packed[:20], 6
        yield name, "followed by garbage", packed + b"garbage", 14
        yield name, "header alone", packed[:6], 0
        yield name, "magic alone", packed[:4], 0
    packed = gzip.compress(plain, 0)
    yield "gzip", "wrong checksum", (
        packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]), 14
    yield "gzip", "wrong length", packed[:-1] + bytes([packed[-1] ^ 1]), 14
    yield "gzip", "wrong block", packed[:10] + b"\xff" + packed[11:], 0
    packed = zstd_frame(plain)
    yield "zstd", "wrong block", packed[:10] + b"\xff" + packed[11:], 0
    yield "zstd", "huge window", b"\x28\xb5\x2f\xfd\x00\xff" + packed[6:], 0


def test_damaged_compression_gives_what_lies_before():
    alone = good_alone()
    for i, (kind, what, content, least) in enumerate(damaged_files()):
        label = f"{kind} {what}"
        with open("damaged", "wb") as out:
            out.write(content)
        store = f"store-{i}"
        done = run("import", "--data", store, "damaged", code=1)
        assert "damaged" in done.err and kind in done.err, (label, done.err)
        accepted = [row for row in counts(store) if row[0] == "accepted"]
        assert sum(row[4] for row in accepted) >= least, (label, accepted)
        run("evidence", "verify", "--data", store)
        run("import", "--data", store, "-", input=text_of(BEFORE + AFTER))
        assert rows(store) == alone, label


def test_a_damaged_file_does_not_stop_the_next():
    alone = good_alone()
    with open("damaged.gz", "wb") as out:
        out.write(gzip.compress(text_of(BEFORE))[:-9])
    with open("after", "wb") as out:
        out.write(text_of(AFTER))
    with open("before", "wb") as out:
        out.write(text_of(BEFORE))
    run("import", "--data", "store", "damaged.gz", "after", "before", code=1)
    assert rows("store") == alone


# ---- wrong types in every field ----------------------------------------------


DEEP = json.loads("[" * 100 + "]" * 100)
WRONG = [None, True, False, 0, -1, 1e308, -1e308, 2 ** 63, 2 ** 64, 0.5, "",
         "x", "12.5", "-7", " 5", [], {}, [None], [[]], {"": None},
         {"id": 1, "type": "x"}, DEEP, "\0", "x" * 5000]


def places(value, path=()):
    """The path of every member and element, outermost first."""
    items = (value.items() if isinstance(value, dict)
             else enumerate(value) if isinstance(value, list) else ())
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def replaced(value, path, wrong):
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    if wrong is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = wrong
    return copy


def mutations(start_ms=TIME_MS + 60 * DAY_MS):
    """Each event of a session with each place of it replaced; sessions of
    their own, so that every one shows what it does alone."""
    numbers = itertools.count()
    wrongs = WRONG[::5] if sanitised() else WRONG
    for record in session("odd", start_ms):
        for path in list(places(record)):
            for wrong in [...] + wrongs:
                number = next(numbers)
                out = replaced(record, path, wrong)
                data = out.get("data")
                if path[-1] not in ("id", "data"):
                    out["id"] = f"odd-{number}"
                if isinstance(data, dict) and path[-1] != "stream_id":
                    data["stream_id"] = f"stream-{number}"
                yield out


def test_wrong_types_in_every_field():
    """Against the second implementation, cell by cell."""
    alone = good_alone()
    wrong = list(mutations())
    assert sanitised() or len(wrong) > 3000, len(wrong)
    content = encoded(BEFORE + wrong + AFTER)
    run("import", "--data", "store", "-", input=text_of(content))
    assert rows("store", "good") == alone
    found, lens = compare.differences([content])
    sentences = "\n".join(sentence for _, _, sentence in found[:5])
    assert not found, f"{sentences}\n" + (
        compare.context(lens, found[0][0], found[0][1]))
    total = sum(row[3] for row in counts("store"))
    assert total == len(content), (total, len(content))
    run("evidence", "verify", "--data", "store")
    unique = set(content)
    kept = evidence_lines("store")
    assert len(kept) == len(unique) and set(kept) == unique
    before = rows("store"), [row[4] for row in counts("store")]
    random.Random(3).shuffle(content)
    run("import", "--data", "store", "-", input=text_of(content))
    assert (rows("store"), [row[4] for row in counts("store")]) == before


def test_an_object_where_an_array_belongs_and_the_reverse():
    as_object = {str(i): one for i, one in enumerate(capabilities())}
    kind = "unsupported_stream_trace_type"
    check([envelope(1, "network_capabilities", as_object, "odd"),
           envelope(2, "network_capabilities", capabilities()[0], "odd"),
           envelope(3, "network_capabilities", [capabilities()], "odd"),
           envelope(4, "stream_trace", [trace("orchestrator_swap")], "odd"),
           envelope(5, "ai_stream_status", [status()], "odd"),
           envelope(6, "ai_stream_events", [{"type": "error"}], "odd"),
           envelope(7, "discovery_results", {"address": ADDRESS}, "odd")],
          [("accepted", "", "odd", 6, 6), ("ignored", kind, "odd", 1, 1)])
    assert not [row for row in export("sessions", data="store")
                if row["org"] == "odd"]


def test_numbers_as_text_are_numbers():
    def with_texts(data):
        inference = dict(data["inference_status"], fps="16.5",
                         latency_ms="110")
        return dict(data, inference_status=inference,
                    start_time=str(data["start_time"]))
    alone = good_alone()
    records = [dict(record, timestamp=int(record["timestamp"]),
                    data=with_texts(record["data"])
                    if record["type"] == "ai_stream_status"
                    else record["data"])
               for record in BEFORE + AFTER]
    run("import", "--data", "texts", "-", input=text_of(records))
    assert rows("texts") == alone
    assert alone["sla"][0]["output_fps_sum"] == 33
    assert alone["sla"][0]["e2e_latency_sum_ms"] is not None


def test_the_case_of_addresses_and_urls_does_not_matter():
    alone = good_alone()
    for i, change in enumerate((str.lower, str.upper, str.swapcase)):
        text = text_of(BEFORE + AFTER).decode()
        for name in (ADDRESS, URL):
            text = text.replace(name, "0x" + change(name[2:])
                                if name == ADDRESS else change(name))
        run("import", "--data", str(i), "-", input=text)
        got = rows(str(i))
        for what in ("sla", "sessions"):
            assert got[what] == alone[what], (i, what)
        address = got["sessions"][0]["orchestrator_address"]
        assert address == ADDRESS.lower()


# ---- what a nasty sender would send ------------------------------------------


def test_separators_in_names():
    """Names that hold what keys are made of stay names of their own."""
    names = ["a", "a|b", "|", "||", "a b", "a\tb", "a,b", "a\"b", "a'b", "a\nb",
             "a%", "*", "..", "-", "--", "\u00e4", "A", "a ", "_missing_stream"]
    records = [odd(number, id=f"odd-{number}", data=dict(
        trace("gateway_receive_stream_request"), stream_id=name,
        request_id="r")) for number, name in enumerate(names)]
    check(records, [("accepted", "", "odd", len(names), len(names))])
    found = [row["stream_id"] for row in export("sessions", data="store")
             if row["org"] == "odd"]
    assert sorted(found) == sorted(names)
    text = run("export", "sessions", "--data", "store", "--format",
               "csv").out
    assert '"a""b"' in text and '"a,b"' in text


def test_one_id_at_different_times_is_different_events():
    records = [odd(0, timestamp=str(TIME_MS + shift))
               for shift in (0, 1, 3600 * 1000, DAY_MS, 400 * DAY_MS)]
    check(records, [("accepted", "", "odd", 5, 5)])


def test_offsets_and_partitions_of_any_kind():
    for number in (-1, -2 ** 63, 2 ** 63, 1e308, "-5", None, {}, "x"):
        record = {"topic": "network_events", "partition": number,
                  "offset": number, "value": odd(0)}
        for store in ("a", "b"):
            run("import", "--data", store, "-", input=text_of([record]))
    assert counts("a") == [("accepted", "", "odd", 8, 1)]
    assert rows("a") == rows("b")


def named(length, number=0):
    """Every name of LENGTH bytes, one at a time."""
    long = "n" * length
    ids = {"stream_id": long, "request_id": long,
           "orchestrator_info": {"url": long}}
    return [odd(number + 1, org=long), odd(number + 2, gateway=long),
            odd(number + 3, id=str(number) + long[1:]),
            odd(number + 4, type=long),
            odd(number + 5, data=dict(trace("orchestrator_swap"), **ids))]


def test_names_have_64_kib():
    """That is more than any name has; longer ones are no names."""
    check(named(NAME_MAX_BYTES) + named(NAME_MAX_BYTES + 1, number=5),
          [("accepted", "", "n" * NAME_MAX_BYTES, 1, 1),
           ("accepted", "", "odd", 3, 3),
           ("ignored", "unsupported_event_family", "odd", 1, 1),
           rejected("blank_org", 1), rejected("invalid_json", 4, "odd")])


def test_an_event_has_65536_values():
    """Keys and values of its data; what stands beside it is not folded."""
    def filled(more):
        data = trace("orchestrator_swap")
        data["x"] = [0] * (VALUES_MAX - 2 * len(data) - 7 + more)
        return data

    check([odd(1, data=filled(0)), odd(2, data=filled(1)),
           odd(3, pad="p" * 1000000, more=[0] * (2 * VALUES_MAX))],
          [("accepted", "", "odd", 2, 2), rejected("invalid_json", 1, "odd")])


def test_many_organisations():
    many = 100 if sanitised() else 2000
    records = [odd(0, org=f"org-{number}") for number in range(many)]
    run("import", "-", input=text_of(BEFORE + records + AFTER))
    assert len(counts("assay-data")) == many + 1
    assert len(export("sessions")) == many + 1
    run("evidence", "verify")
