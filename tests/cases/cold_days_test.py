"""Sessions long over lie in packs, and days long settled keep only which lines
they are of: nothing may show it."""
import json
import random
import sqlite3
import sys
import time
import urllib.parse

from harness import ROOT, folder, run, serving

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

DAY = 86400000


def database(store="assay-data"):
    return sqlite3.connect(folder() / store / "assay.db")


def ask(question, store="assay-data"):
    base = database(store)
    rows = base.execute(question).fetchall()
    base.close()
    return rows


def packed(store="assay-data"):
    """How many sessions are in packs, and how many are not."""
    return ask("SELECT total(sessions), (SELECT count(*) FROM session) "
               "FROM session_pack", store)[0]


def cold(store="assay-data"):
    """How many hours of fingerprints are cold, and how many are not; and how
    many parts of sessions that are not packed."""
    return [ask(f"SELECT total(cold), count(*) - total(cold) FROM {table}",
                store)[0] for table in ("seen", "session_day")]


def told_until(ms, store="assay-data"):
    """Whatever it holds came in at that time."""
    base = database(store)
    with base:
        base.execute("UPDATE evidence_feed SET last_arrival_ms = ?", (ms,))
    base.close()


def take(records, store="assay-data", **options):
    return run("import", "--json", "--data", store, "-",
               input=b"".join(record + b"\n" for record in records), **options)


def added(done):
    """How many accepted events an import took that were not known."""
    return sum(row["added"] for row in map(json.loads, done.out.splitlines())
               if row["class"] == "accepted")


def answers(store="assay-data"):
    return {(what, which): run("export", what, "--pass", which, "--data",
                               store).out
            for what in ("sla", "sessions", "selections", "demand", "gpu")
            for which in ("settled", "whole")}


def event_time(record):
    try:
        time = json.loads(record)["timestamp"]
        return int(time) if len(time) == 13 else 0
    except (ValueError, KeyError, TypeError):
        return 0


def assert_packed_alike(store, other):
    """All but the numbers of lines, which tell the order of arrival."""
    for table in ("session_place", "pack_hour", "pack_day", "pack_name"):
        assert (ask(f"SELECT * FROM {table}", store)
                == ask(f"SELECT * FROM {table}", other)), table
    question = "SELECT pack, hour, sessions FROM session_pack"
    assert ask(question, store) == ask(question, other)


def test_late_and_repeated_events_of_cold_days():
    records = generate.generate(7, days=4, sessions=24)
    take(records, "at-once")
    wanted = answers("at-once")
    sessions, hours = packed("at-once")[0], cold("at-once")[0][0]
    assert sessions > 10 and hours > 10, (sessions, hours)
    late = [r for r in records if event_time(r) % 5 == 1]
    early = [r for r in records if event_time(r) % 5 != 1]
    random.Random(7).shuffle(early)
    take(early, "late")
    assert packed("late")[0] > 0 and cold("late")[0][0] > 0
    take(late, "late")
    assert answers("late") == wanted
    assert cold("late") == cold("at-once")
    assert_packed_alike("late", "at-once")
    assert added(take(records[::2], "late")) == 0
    assert answers("late") == wanted
    assert cold("late") == cold("at-once")
    assert_packed_alike("late", "at-once")
    run("rebuild", "--data", "late")
    assert answers("late") == wanted
    assert_packed_alike("late", "at-once")


def test_events_of_a_cold_session_are_shown_as_they_were():
    key = "o|s|r"
    data = {"stream_id": "s", "request_id": "r", "state": "ONLINE",
            "orchestrator_info": {"address": "0xAB", "url": "https://X:1"}}
    lines = [json.dumps({
        "org": "o", "id": f"e{n}", "type": "ai_stream_status",
        "timestamp": str(1767225600000 + n * 5000), "gateway": f"g{n % 2}",
        "data": dict(data, inference_status={"fps": n / 7})}).encode()
        for n in range(700)]
    later = json.dumps({
        "org": "o", "id": "later", "type": "stream_trace", "gateway": "",
        "timestamp": str(1767225600000 + 3 * DAY),
        "data": {"stream_id": "t", "request_id": "t",
                 "type": "gateway_receive_stream_request"}}).encode()
    take(lines)
    with serving() as server:
        before = server.json(f"/v1/sessions/{key}?limit=1000")
    assert packed() == (0, 1) and cold()[1] == (0, 2)
    take([later])
    assert packed() == (1, 1) and cold()[1] == (0, 1)
    with serving() as server:
        after = server.json(f"/v1/sessions/{key}?limit=1000")
    assert len(before["events"]) == 700
    assert after["events"] == before["events"]


def filler(orgs):
    """Enough for the blocks before it to be full."""
    return [json.dumps({
        "org": org, "id": f"f{n}", "type": "stream_ingest_metrics",
        "timestamp": str(1767225600000 + 40 * DAY), "gateway": "",
        "data": {"n": n}}).encode() for n in range(9000) for org in orgs]


def test_what_expires_is_warm_before():
    records = generate.generate(9, days=4, sessions=24)
    take(records)
    take(filler(generate.ORGS))
    assert packed()[0] > 10, packed()
    before = answers()
    packs = ask("SELECT pack, hour, sessions FROM session_pack")
    base = database()
    with base:
        base.execute("UPDATE evidence_block SET first_arrival_ms = 1, "
                     "last_arrival_ms = 1 WHERE feed IN (SELECT feed FROM "
                     "evidence_feed WHERE class = 0)")
    base.close()
    take([b"{}"], env={"ASSAY_EVIDENCE_KEEP_ACCEPTED_DAYS": "1"})
    base = database()
    lost, = base.execute("SELECT count(*) FROM evidence_expired_day").fetchone()
    base.close()
    assert lost > 3
    assert cold()[1][0] == 0, cold()
    assert answers() == before
    assert added(take(records)) == 0
    assert ask("SELECT pack, hour, sessions FROM session_pack") == packs
    assert answers() == before


def varint(chunk, at):
    value = shift = 0
    while True:
        value |= (chunk[at] & 127) << shift
        shift += 7
        at += 1
        if chunk[at - 1] < 128:
            return value, at


def otherwise_made(chunk):
    """A chunk of fingerprints, each of which is another one."""
    count, at = varint(chunk, 1)
    lines = 0
    while lines < count:
        _, at = varint(chunk, at)
        more, at = varint(chunk, at)
        lines += 1 + more
    return (chunk[:at] + bytes(255 - byte for byte in chunk[at:at + 6 * count])
            + chunk[at + 6 * count:])


def test_fingerprints_that_were_made_otherwise_are_made_again():
    """Marked as cold by migration 20, with fingerprints of another kind."""
    records = generate.generate(11, days=2, sessions=12)
    take(records)
    wanted = answers()
    base = database()
    with base:
        warm = base.execute("SELECT class, org, shard, chunk, fingerprints "
                            "FROM seen WHERE class < 2 AND NOT cold").fetchall()
        assert warm
        for *key, chunk in warm:
            assert chunk[0] == 1
            base.execute(
                "UPDATE seen SET fingerprints = ?, cold = 1 WHERE class = ? "
                "AND org = ? AND shard = ? AND chunk = ?",
                (otherwise_made(chunk), *key))
    base.close()
    done = take(records)
    assert all(row["added"] == 0
               for row in map(json.loads, done.out.splitlines())
               if row["class"] != "rejected"), done.out
    assert answers() == wanted


# ---- payments and discovery, which are their lines from the beginning --------


WHOLE, LINES, FOR_GOOD = range(3)  # of column form


def payment(number, at, url="https://o:1"):
    return json.dumps({
        "org": "o", "id": f"payment {number}", "gateway": "g",
        "type": "create_new_payment", "timestamp": str(at),
        "data": {"sessionID": f"s{number % 9}", "manifestID": "35_m",
                 "requestID": f"r{number % 9}" if number % 4 else "",
                 "sender": "0xCC", "recipient": f"0x{number % 3}",
                 "orchestrator": url, "faceValue": "7 WEI",
                 "price": "2 wei/pixel", "winProb": "0.5",
                 "numTickets": str(number)}}).encode()


def payments_of_three_days():
    """In which some come again and differ, so that one of two is beaten."""
    start = 1767225600000
    rows = [payment(number, start + number * 311000) for number in range(800)]
    rows += [payment(number, start + number * 311000, f"https://{number}:1")
             for number in range(0, 800, 7)]
    rows += [json.dumps({
        "org": "o", "id": f"d{number}", "type": "discovery_results",
        "timestamp": str(start + number * 600000), "gateway": "",
        "data": [{"address": "0xAB", "url": "https://o:1", "latency_ms": 3}]
    }).encode() for number in range(300)]
    return rows


def paid(store="assay-data"):
    return [run("export", "payments", "--lens", lens, "--data", store).out
            for lens in ("published", "assay")]


def request_hours(store="assay-data"):
    return ask("SELECT org, kind, hour, chunk, form, events "
               "FROM request_hour ORDER BY 1, 2, 3, 4", store)


def forms(store="assay-data"):
    return {(chunk, form) for *_, chunk, form, _ in request_hours(store)}


def test_payments_are_the_same_in_whichever_order_they_come():
    records = payments_of_three_days()
    take(records, "at-once")
    random.Random(3).shuffle(records)
    for first in range(4):
        take(records[first::4])
    assert len(paid()[0].splitlines()) == 800
    assert paid() == paid("at-once")
    assert forms() == {(0, LINES)}
    hours = request_hours()
    assert sum(len(events) for *_, events in hours) < 1100 * 10
    run("rebuild")
    assert request_hours() == hours


def test_payments_that_cannot_be_read_say_what_to_do():
    take(payments_of_three_days())
    wanted = paid()
    for damage in (b"\xff\xff", b"\1\1\0\0\1\2\0\0"):
        base = database()
        with base:
            base.execute("UPDATE request_hour SET events = ? WHERE kind = 2 "
                         "AND hour = (SELECT max(hour) FROM request_hour "
                         "WHERE kind = 2)",
                         (damage,))
        base.close()
        done = run("export", "payments", code=3)
        assert "payments of o cannot be read" in done.err, done.err
        assert "assay rebuild" in done.err, done.err
        run("rebuild")
        assert paid() == wanted


def test_payments_are_whole_where_their_evidence_expires():
    take(payments_of_three_days())
    take(filler(["o"]))
    wanted, by_line = paid(), request_hours()
    base = database()
    with base:
        base.execute("UPDATE evidence_block SET first_arrival_ms = 1, "
                     "last_arrival_ms = 1 WHERE block = 1")
    base.close()
    take([b"{}"], env={"ASSAY_EVIDENCE_KEEP_ACCEPTED_DAYS": "1"})
    assert forms() == {(0, FOR_GOOD)}
    assert paid() == wanted
    take([payment(9999, 1767225600000 + 5)])
    assert forms() == {(0, FOR_GOOD)}
    assert len(paid()[0].splitlines()) == len(wanted[0].splitlines()) + 1
    run("rebuild")
    assert len(paid()[0].splitlines()) == len(wanted[0].splitlines()) + 1
    base = database()
    with base:  # as a store of before, which had all of them whole
        base.execute("DELETE FROM evidence_expired_day")
        base.execute("DELETE FROM request_hour WHERE hour = 1767225600000")
        base.execute("UPDATE request_hour SET form = ?", (WHOLE,))
    base.close()
    take([b"{}"])
    assert request_hours() == [row for row in by_line
                               if row[2] != 1767225600000]


# ---- snapshots, of which a day becomes one row -------------------------------


HOUR, DAY_AS_ONE, HOUR_FOR_GOOD = range(3)  # of column form


def offers(number, at, free=0):
    return json.dumps({
        "org": "o", "id": f"offers {number}", "type": "network_capabilities",
        "timestamp": str(at), "gateway": "",
        "data": [{"address": f"0x{number % 5}", "local_address": "0xb",
                  "orch_uri": f"https://o{number % 5}:1",
                  "capabilities_prices": [{
                      "pricePerUnit": 1 + number % 3, "pixelsPerUnit": 1,
                      "capability": 35, "constraint": "m"}],
                  "hardware": [{"pipeline": "live-video-to-video",
                                "model_id": "m", "gpu_info": {"0": {
                                    "id": "GPU-1", "name": "A",
                                    "memory_free": free}}}]}]}).encode()


def text_of(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + \
        f".{ms % 1000:03}Z"


def inventories(store="assay-data"):
    start = 1767225600000
    spans = [(None, None), (start + 3600000, start + 7200000),
             (start + DAY - 1800000, start + DAY + 5400000),
             (start + 5000000, start + 5000001)]
    return [run("export", "inventory", "--data", store, *(
        ["--from", text_of(first), "--to", text_of(end)] if end else [])).out
        for first, end in spans]


def snapshot_rows(store="assay-data"):
    return ask("SELECT org, hour, chunk, form, length(snapshots) "
               "FROM snapshot_hour ORDER BY 1, 2, 3", store)


def test_a_day_of_snapshots_becomes_one_row():
    start = 1767225600000
    rows = [offers(number, start + number * 500000) for number in range(200)]
    rows += [offers(number, start + number * 500000, 7)
             for number in range(0, 200, 9)]  # again, and they differ
    later = offers(1000, start + 4 * DAY)
    take(rows, "apart")
    wanted = inventories("apart")
    assert {row[3] for row in snapshot_rows("apart")} == {HOUR}
    assert all(len(rows) > 10 for rows in wanted[:3]), wanted
    take([*rows[50:], later])
    assert [row[1:4] for row in snapshot_rows()] == [
        (start, 0, DAY_AS_ONE), (start + DAY, 0, DAY_AS_ONE),
        (start + 4 * DAY, 0, HOUR)]
    take(rows[:50])
    assert [row[3] for row in snapshot_rows()] == [
        DAY_AS_ONE, DAY_AS_ONE, HOUR]
    assert inventories()[1:] == wanted[1:]
    take([*rows, later], "at-once")
    assert inventories("at-once") == inventories()
    before = snapshot_rows()
    run("rebuild")
    assert snapshot_rows() == before
    assert inventories("at-once") == inventories()


def test_a_large_day_of_snapshots_stays_in_hours():
    start = 1767225600000
    rows = [offers(number, start + number * 20000, number)
            for number in range(4000)]
    take(rows, "apart")
    wanted = inventories("apart")
    take([*rows[:100], offers(5000, start + 4 * DAY)])
    assert [row[3] for row in snapshot_rows()] == [DAY_AS_ONE, HOUR]
    take(rows[100:])
    assert {row[3] for row in snapshot_rows()} == {HOUR_FOR_GOOD, HOUR}
    assert inventories()[1:] == wanted[1:]
    run("rebuild")
    assert {row[3] for row in snapshot_rows()} == {HOUR_FOR_GOOD, HOUR}
    assert inventories()[1:] == wanted[1:]


def test_a_stamp_of_the_future_cools_nothing():
    now = int(time.time() * 1000)

    def line(name, at):
        return json.dumps({
            "org": "o", "id": name, "type": "stream_trace", "gateway": "",
            "timestamp": str(at),
            "data": {"stream_id": name, "request_id": name,
                     "type": "gateway_receive_stream_request"}}).encode()

    take([line("today", now), line("future", now + 300 * DAY)])
    assert packed() == (0, 2) and cold()[0] == (0, 2)
    take([line("past", now - 3 * DAY)])
    assert packed() == (1, 2) and cold()[0] == (1, 2)


# ---- what is served ----------------------------------------------------------


def moved(records, ms):
    """Those with a time in milliseconds, told as much later."""
    for record in records:
        if event_time(record):
            event = json.loads(record)
            event["timestamp"] = str(int(event["timestamp"]) + ms)
            yield json.dumps(event).encode()


def listed(server, path):
    rows, cursor = [], ""
    while cursor is not None:
        page = server.json(f"{path}&limit=7{cursor}")
        rows += page["data"]
        cursor = page["pagination"]["next_cursor"]
        cursor = cursor and "&cursor=" + cursor
    return rows


def served(span):
    """What is served of sessions, and of figures that are read from them."""
    answers = {}
    with serving() as server:
        for path in ("sessions", "payments", "streaming/sla",
                     "streaming/demand", "streaming/gpu-metrics"):
            answers[path] = listed(server, f"/v1/{path}?{span}")
        sessions = answers["sessions"]
        assert len(sessions) > 20, len(sessions)
        orgs = sorted({row["org"] for row in sessions})
        hours = sorted({row["window_start"]
                        for row in answers["streaming/sla"]})
        for one in ["org=" + org for org in orgs] + [
                f"org={orgs[0]}&hour={hour}" for hour in hours[:20]]:
            answers[one] = listed(server, f"/v1/sessions?{span}&{one}")
        assert any(answers[f"org={orgs[0]}&hour={hour}"]
                   for hour in hours[:20])
        for row in sessions[::5]:
            path = "/v1/sessions/" + urllib.parse.quote(
                row["session_key"], "")
            page = server.json(path)
            answers[path] = [page[key] for key in sorted(page)
                             if key != "meta"]
        percentiles = server.json(f"/v1/streaming/percentiles?{span}")
        answers["percentiles"] = percentiles["data"]
    return answers


def test_what_is_served_does_not_tell_what_is_packed():
    now = int(time.time() * 1000)
    start = now // DAY * DAY + 2 * DAY
    records = generate.generate(13, days=3, sessions=60)
    times = sorted(filter(None, map(event_time, records)))
    take(moved(records, start - times[len(times) // 2] // DAY * DAY))
    assert packed()[0] == 0
    span = "start={}Z&end={}Z".format(*(
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000))
        for ms in (start - 9 * DAY, start + 9 * DAY)))
    before, exported = served(span), answers()
    told_until(start + 30 * DAY)
    take([b"{}"])
    assert packed()[0] > 20 and packed()[1] < 3, packed()
    after = served(span)
    for path, rows in before.items():
        assert after[path] == rows, path
    assert answers() == exported


def test_a_session_too_large_for_a_pack_goes_on():
    """Its row is packed without the others, comes back, and is packed again."""
    start = 1767225600000
    data = {"stream_id": "s", "request_id": "r",
            "type": "gateway_receive_stream_request"}

    def line(number, at, stream="s"):
        return json.dumps({
            "org": "o", "id": f"e{number}", "type": "stream_trace",
            "gateway": "x" * 60000, "timestamp": str(at),
            "data": dict(data, stream_id=stream, request_id=stream)}).encode()

    def status(number, at):
        return json.dumps({
            "org": "o", "id": f"s{number}", "type": "ai_stream_status",
            "gateway": str(number) * 9000, "timestamp": str(at),
            "data": {"stream_id": "s", "request_id": "s", "state": "ONLINE",
                     "orchestrator_info": {"address": "0x1"}}}).encode()

    def rows():
        return ask("SELECT count(*) FROM gateway_hour")[0][0]

    lines = [status(n, start + n * 60000) for n in range(200)]
    later = [line("later", start + 3 * DAY, "t")]
    take(lines + later)
    assert packed() == (1, 1) and rows() == 200
    more = [status(n, start + n * 60000) for n in range(200, 206)]
    take(more)
    assert packed() == (1, 1) and rows() == 206
    before = answers()
    run("rebuild")
    assert answers() == before
    take(lines + more + later, "at-once")
    assert answers("at-once") == before


def test_a_session_that_was_packed_and_goes_on_is_as_any():
    start = 1767225600000

    def status(number, at, stream="s"):
        return json.dumps({
            "org": "o", "id": f"e{number}", "type": "ai_stream_status",
            "gateway": "g", "timestamp": str(at),
            "data": {"stream_id": stream, "request_id": "r",
                     "state": "ONLINE"}}).encode()

    first = [status(n, start + n * 1000) for n in range(700)]
    between = [status("b", start + 4 * 3600000, "t")]
    last = [status("c", start + 5 * 3600000), status("d", start + 5 * 3600000,
                                                     "t")]
    take(first + between)
    assert packed() == (1, 1)
    take(last)
    assert packed() == (0, 2)
    take(first + between + last, "at-once")
    question = "SELECT session_key, day, chunk, cold FROM session_day"
    assert ask(question) == ask(question, "at-once")
    assert answers() == answers("at-once")


def test_a_damaged_pack_is_named_and_made_again():
    records = generate.generate(15, days=2, sessions=24)
    take(records)
    wanted = answers()
    assert packed()[0] > 10
    base = database()
    with base:
        base.execute("UPDATE session_pack SET rows = CAST(substr(rows, 1, 20) "
                     "|| x'ff' || substr(rows, 22) AS BLOB)")
    base.close()
    done = run("export", "sessions", code=3)
    assert "pack" in done.err and "assay rebuild" in done.err, done
    run("rebuild")
    assert answers() == wanted
