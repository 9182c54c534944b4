"""Sessions of many events, and days of many sessions: shown page by page, settled
step by step."""
import json
import random
import sqlite3
import urllib.parse

from harness import export, run, sanitised, serving, skip, wait_until

DAY = 1767830400000  # 2026-01-08
KEY = "acme|s|r"
PATH = "/v1/sessions/" + urllib.parse.quote(KEY, "")
STATES = ("ONLINE", "LOADING", "DEGRADED_INPUT", "ERROR")


def event(number, stream="s", at=None):
    """A status; each tenth is a trace that may swap, several share a time."""
    at = DAY + 22 * 3_600_000 + number // 3 * 7000 if at is None else at
    who = f"0x{number // 900 % 3:040x}"
    data = {"stream_id": stream, "request_id": "r", "pipeline": "m",
            "orchestrator_info": {"address": who, "url": "https://" + who}}
    if number % 10 == 0:
        kind = "stream_trace"
        data["type"] = ("gateway_receive_stream_request" if number == 0 else
                        "gateway_receive_few_processed_segments")
    else:
        kind = "ai_stream_status"
        data["state"] = STATES[number // 7 % 4]
        data["inference_status"] = {"fps": number % 31 / 7}
    return json.dumps({"id": f"{stream}{number:06d}", "type": kind,
                       "timestamp": str(at), "gateway": f"g{number % 2}",
                       "data": data})


def take(lines, store="assay-data"):
    run("import", "--data", store, "--org", "acme", "-",
        input="\n".join(lines))


def token():
    return run("token", "create", "--scope", "ingest", "--org",
               "acme").out.split()[-1]


def post(server, secret, lines):
    code, _, body = server.get(
        "/v1/ingest/events", method="POST", body="\n".join(lines),
        headers={"Authorization": "Bearer " + secret,
                 "Content-Type": "application/x-ndjson"})
    assert code == 200, (code, body)


def all_events(server, limit):
    found, cursor = [], ""
    while True:
        answer = server.json(f"{PATH}?limit={limit}{cursor}")
        found += answer["events"]
        assert len(answer["events"]) <= limit
        assert answer["pagination"]["page_size"] == limit
        following = answer["pagination"]["next_cursor"]
        assert answer["pagination"]["has_more"] == (following is not None)
        if following is None:
            return found
        cursor = "&cursor=" + following


def test_events_come_in_pages():
    count = 400 if sanitised() else 3000
    lines = [event(number) for number in range(count)]
    random.Random(5).shuffle(lines)
    take(lines)
    with serving() as server:
        answer = server.json(PATH)
        assert answer["event_count"] == count
        assert answer["hour_count"] == len(answer["hours"])
        assert answer["selection_count"] == len(answer["selections"])
        assert len(answer["events"]) == min(count, 1000)
        wanted = sorted((line["timestamp"], line["id"])
                        for line in map(json.loads, lines))
        every = all_events(server, 1000)
        assert len(every) == count
        assert [one["ts"] for one in every] == sorted(
            one["ts"] for one in every)
        assert len({one["line"] for one in every}) == count
        first = server.json(f"/v1/evidence/lines/{every[0]['line']}")
        assert json.loads(first["text"])["id"] == wanted[0][1]
        for limit in (7, 511, 512, 513) if not sanitised() else (50,):
            assert all_events(server, limit) == every, limit


def test_pages_of_events_come_from_one_state():
    take([event(number) for number in range(60)])
    secret = token()
    with serving() as server:
        page = server.json(PATH + "?limit=50")
        post(server, secret, [event(1000, at=DAY), event(1001)])
        wait_until(lambda: server.json(PATH)["event_count"] == 62,
                   what="the new events")
        cursor = page["pagination"]["next_cursor"]
        rest = server.json(f"{PATH}?limit=50&cursor={cursor}")
        assert rest["event_count"] == 60 and len(rest["events"]) == 10
        assert rest["session"] == page["session"]


# ---- settled in steps --------------------------------------------------------

NO_LINES = ("session", "session_hour", "gateway_hour", "sla", "demand",
            "gpu_hour", "benchmark_day", "dirty_session", "dirty_hour",
            "dirty_day")


def dump(store, tables=None):
    base = sqlite3.connect(f"file:{store}/assay.db?mode=ro", uri=True)
    names = tables or [name for name, in base.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name NOT LIKE 'sqlite_%' AND name != 'token'")]
    out = {name: sorted(map(repr, base.execute(f"SELECT * FROM {name}")))
           for name in names}
    base.close()
    return out


def test_steps_give_the_same_tables_as_one_go():
    chance = random.Random(9)
    count = 900 if sanitised() else 4000
    lines = [event(number) for number in range(count)]
    lines += [event(number, "t") for number in range(50)]
    late = [line for line in lines if chance.random() < 0.02]
    early = [line for line in lines if line not in late]
    secret = token()
    with serving() as server:
        for at in range(0, len(early), 250):
            post(server, secret, early[at:at + 250])
            if at % 1000 == 750:
                post(server, secret, [late.pop()])
                post(server, secret, early[:3])
            seen = server.get(PATH)[0]
            assert seen in (200, 404), seen
        post(server, secret, late)
        wait_until(lambda: server.get(PATH)[0] == 200 and server.json(PATH)[
            "event_count"] == count, what="the last events")
    before = dump("assay-data")
    assert not before["dirty_session"] and not before["dirty_hour"]
    parts = [row for row in before["session_day"] if KEY in row]
    assert len(parts) >= count / 512, len(parts)
    run("rebuild")
    assert dump("assay-data") == before
    take(lines, "other")
    assert dump("other", NO_LINES) == dump("assay-data", NO_LINES)


def test_the_page_of_a_long_session_takes_little_memory():
    if sanitised():
        skip("a sanitised program keeps what it frees")
    take([event(number) for number in range(60000)])
    with serving() as server:
        def resident():
            with open(f"/proc/{server.process.pid}/status") as status:
                line = next(one for one in status if one.startswith("RssAnon"))
            return int(line.split()[1])

        server.json("/v1/sessions")
        before = resident()
        for _ in range(10):
            assert server.json(PATH)["event_count"] == 60000
            assert resident() < before + 13_000, (before, resident())


def test_no_row_is_ever_seen_without_its_score():
    secret = token()
    with serving() as server:
        for number in range(0, 200, 5):
            post(server, secret, [event(one) for one in range(
                number, number + 5)])
            for row in server.json("/v1/streaming/sla")["data"]:
                assert (row["sla_score"] is None) == \
                    (row["requested_sessions"] == 0), row
                assert row["sla_semantics_version"], row


# ---- days of many sessions ---------------------------------------------------

SESSIONS_AT_ONCE = 4096 # of a day, when it is settled
CHOSEN = DAY + 3 * 3_600_000


def snapshot(number, local):
    """What one orchestrator offered, under another signing address each time.
    """
    return json.dumps({
        "id": f"snapshot-{number}", "type": "network_capabilities",
        "timestamp": str(CHOSEN + (number - 3) * 60_000), "gateway": "g",
        "data": [{
            "address": "0x" + "a" * 40, "local_address": "0x" + local * 40,
            "orch_uri": "https://one.example:8935", "uri": "",
            "hardware": [{"pipeline": "live-video-to-video", "model_id": "m",
                          "gpu_info": {"0": {"id": f"GPU-{number}"}}}]}]})


def choosing(stream, address):
    return json.dumps({
        "id": stream, "type": "stream_trace", "gateway": "g",
        "timestamp": str(CHOSEN), "data": {
            "type": "gateway_receive_stream_request", "stream_id": stream,
            "request_id": "r", "pipeline_id": "live-video-to-video",
            "orchestrator_info": {"address": address}}})


def test_what_the_last_session_names_decides_on_the_first():
    """Although they are settled one after the other, piece by piece: all
    decisions of a day follow from all that it names."""
    one = "0x" + "1" * 40
    lines = [snapshot(1, "1"), snapshot(2, "2")] + [
        choosing(f"s{number:05d}", one)
        for number in range(SESSIONS_AT_ONCE + 500)]
    last = choosing("t", "0x" + "a" * 40)
    random.Random(3).shuffle(lines)
    take(lines, "without")
    take(lines, "later")
    take([last], "later")
    take(lines + [last], "with")
    before = export("selections", data="without")
    rows = export("selections", data="with")
    assert rows == run_whole("with") and before == run_whole("without")
    assert rows == export("selections", data="later")
    assert len(rows) == len(before) + 1
    for old, now in zip(before, rows):
        assert old["session_key"] == now["session_key"]
        assert old["attribution_snapshot_ts"] != now["attribution_snapshot_ts"] \
            or old["attribution_method"] != now["attribution_method"], now


def run_whole(store):
    return export("selections", "--pass", "whole", data=store)
