"""Lists in pages: one state for all pages, or 410; entity tags that follow the
rows alone; addresses that pin their rows."""
import json
import urllib.parse

from harness import run, serving, wait_until

T0 = 1767830400000  # 2026-01-08T00:00:00Z
HOUR, MINUTE = 3_600_000, 60_000
LIVE = "live-video-to-video"
DAY = "as_of=2026-01-08T12:00:00Z"
LISTS = ("/v1/streaming/sla?", "/v1/streaming/demand?",
         "/v1/streaming/gpu-metrics?", "/v1/sessions?",
         f"/v1/streaming/models?{DAY}", f"/v1/streaming/orchestrators?{DAY}")


def line(number, org, kind, at, data):
    return json.dumps({"id": f"e{number}", "org": org, "type": kind,
                       "timestamp": str(at), "gateway": "g", "data": data})


def address(i):
    return f"0x{i:040x}"


def offer(org, i, at=T0 + 8 * HOUR):
    return line(f"{org}-offer-{i}-{at}", org, "network_capabilities", at, [
        {"address": address(i), "orch_uri": f"https://o{i}.example",
         "hardware": [{"pipeline": LIVE, "model_id": f"model-{i % 3}",
                       "gpu_info": {"0": {"id": f"GPU-{i}",
                                          "memory_total": 1}}}]}])


def status(org, i, at, fps=10):
    return line(f"{org}-{i}-{at}", org, "ai_stream_status", at, {
        "stream_id": f"s{i}", "request_id": "r", "pipeline": f"model-{i % 3}",
        "state": "ONLINE", "inference_status": {"fps": fps},
        "orchestrator_info": {"address": address(i),
                              "url": f"https://o{i}.example"}})


def import_network():
    """Two organisations with equal keys, three orchestrators, two hours."""
    lines = []
    for org in ("acme", "beta"):
        for i in range(3):
            lines.append(offer(org, i))
            lines += [status(org, i, T0 + hour * HOUR + 30 * MINUTE)
                      for hour in (8, 9)]
    run("import", "-", input="\n".join(lines))


def token():
    return run("token", "create", "--scope", "ingest").out.split()[-1]


def post(server, secret, *lines):
    code, _, body = server.get(
        "/v1/ingest/events", method="POST", body="\n".join(lines),
        headers={"Authorization": "Bearer " + secret,
                 "Content-Type": "application/x-ndjson"})
    assert code == 200, (code, body)


def pages(server, path, limit=1, between=lambda: None):
    """The rows of all pages; BETWEEN is called after each."""
    found, cursor = [], ""
    while True:
        page = server.json(f"{path}&limit={limit}{cursor}")
        found += page["data"]
        following = page["pagination"]["next_cursor"]
        if not following:
            return found
        cursor = "&cursor=" + following
        between()


def test_all_pages_come_from_one_state():
    import_network()
    secret = token()
    numbers = iter(range(1000))
    with serving() as server:
        def disturb():
            """Each session moves to the front, each row changes, and more
            come; seen as soon as it is settled."""
            number = next(numbers)
            before = server.json("/v1/streaming/sla?limit=1000")["data"]
            post(server, secret, offer("acme", 100 + number),
                 *(status(org, i, T0 + 9 * HOUR + 40 * MINUTE + number, number)
                   for org in ("acme", "beta") for i in (0, 1, 2, 100 + number)))
            wait_until(lambda: server.json("/v1/streaming/sla?limit=1000")[
                "data"] != before, what="the next state")

        for path in LISTS:
            wanted = server.json(path + "&limit=1000")["data"]
            assert len(wanted) > 2, path
            limit = len(wanted) // 3 + 1
            got = pages(server, path, limit, disturb)
            assert got == wanted, (path, len(got), len(wanted))
            assert server.json(path + "&limit=1000")["data"] != wanted, path


def test_a_cursor_is_gone_with_its_state():
    import_network()
    with serving() as server:
        first = {path: server.get(path + "&limit=1") for path in LISTS}
    with serving() as server:
        for path in LISTS:
            page = json.loads(first[path][2])
            following = f"{path}&cursor={page['pagination']['next_cursor']}"
            code, fields, body = server.get(following)
            assert code == 410, (path, code)
            assert fields["Content-Type"] == "application/problem+json"
            problem = json.loads(body)
            assert problem["parameter"] == "cursor" and \
                "without cursor" in problem["detail"], problem
            # The same rows are the same page, with the same cursor; whoever
            # asks for it, and be it in vain, may go on.
            code, _, body = server.get(
                path + "&limit=1",
                headers={"If-None-Match": first[path][1]["ETag"]})
            assert (code, body) == (304, b""), (path, code)
            assert server.get(following)[0] == 200, path


def test_a_cursor_is_for_its_question():
    import_network()
    with serving() as server:
        path = "/v1/streaming/sla?org=acme&pipeline=" + LIVE
        cursor = server.json(path + "&limit=1")["pagination"]["next_cursor"]
        rows = server.json(f"{path}&limit=1000&cursor={cursor}")["data"]
        assert len(rows) == 5
        other_order = f"/v1/streaming/sla?cursor={cursor}&pipeline={LIVE}" \
            "&limit=2&org=acme"
        assert server.json(other_order)["data"] == rows[:2]
        csv = server.get(f"{path}&format=csv&cursor={cursor}")[2]
        assert csv.count(b"\r\n") == 6
        for other in ("/v1/streaming/sla?org=beta", "/v1/streaming/sla?",
                      path + "&start=2026-01-01", "/v1/sessions?org=acme",
                      f"/v1/streaming/demand?org=acme&pipeline={LIVE}"):
            code, _, body = server.get(f"{other}&cursor={cursor}")
            assert code == 400 and b"another list" in body, (other, body)
        for at in range(0, len(cursor), 7):
            altered = cursor[:at] + ("B" if cursor[at] == "A" else "A") + \
                cursor[at + 1:]
            code, _, body = server.get(f"{path}&cursor={altered}")
            assert code == 400, (at, code, body)
        for odd in ("", "x", cursor[:-1], cursor + "A", "%00", "W10"):
            assert server.get(f"{path}&cursor={odd}")[0] == 400, odd


def test_tags_follow_the_rows_alone():
    import_network()
    secret = token()
    closed = ("/v1/streaming/sla?end=2026-01-08T10:00:00Z",
              "/v1/streaming/sla?end=2026-01-08T10:00:00Z&limit=2",
              "/v1/streaming/demand?end=2026-01-08T10:00:00Z",
              "/v1/sessions?end=2026-01-08T10:00:00Z",
              f"/v1/streaming/sla?orchestrator={address(1)}")
    with serving() as server:
        before = {path: server.get(path) for path in closed}
        post(server, secret, status("acme", 7, T0 + 15 * HOUR))
        wait_until(lambda: server.json("/v1/streaming/sla")["data"][0][
            "window_start"] == "2026-01-08T15:00:00Z", what="the new hour")
        for path in closed:
            _, fields, body = server.get(path)
            assert fields["ETag"] == before[path][1]["ETag"], path
            assert body == before[path][2], path
            code, _, _ = server.get(
                path, headers={"If-None-Match": fields["ETag"]})
            assert code == 304, path


def test_generated_at_is_until_when_the_rows_tell():
    import_network()
    with serving() as server:
        for path, wanted in (
                ("/v1/streaming/sla", "2026-01-08T10:00:00.000Z"),
                ("/v1/streaming/sla?as_of=2026-01-08T09:59:00Z",
                 "2026-01-08T09:00:00.000Z"),
                ("/v1/streaming/sla?end=2026-01-08T09:00:00Z",
                 "2026-01-08T09:00:00.000Z"),
                ("/v1/streaming/sla?org=none", None),
                ("/v1/sessions", "2026-01-08T09:30:00.000Z"),
                (f"/v1/streaming/models?{DAY}", "2026-01-08T08:00:00.000Z")):
            assert server.json(path)["meta"]["generated_at"] == wanted, path


def test_an_address_can_pin_its_rows():
    import_network()
    secret = token()
    with serving() as server:
        pinned = {}
        for path in LISTS:
            for form in ("", "&format=csv"):
                for coding in ("identity", "gzip"):
                    headers = {"Accept-Encoding": coding}
                    code, fields, body = server.get(path + form,
                                                    headers=headers)
                    assert code == 200
                    assert "immutable" not in fields["Cache-Control"]
                    pin = fields["Content-Location"]
                    code, fields, again = server.get(pin, headers=headers)
                    assert code == 200 and again == body, pin
                    assert fields["Cache-Control"] == \
                        "max-age=31536000, immutable", pin
                    pinned[pin] = path
        code, fields, body = server.get(
            "/v1/streaming/sla?pin=0123456789abcdef")
        assert code == 410 and json.loads(body)["parameter"] == "pin"
        assert fields["Cache-Control"] == "no-store"
        before = server.json("/v1/streaming/sla")["data"]
        post(server, secret, offer("acme", 0, T0 + 9 * HOUR + 1),
             offer("acme", 50, T0 + 9 * HOUR + 2),
             *(status("acme", i, T0 + 9 * HOUR + 50 * MINUTE)
               for i in (0, 50)))
        wait_until(lambda: server.json("/v1/streaming/sla")["data"] != before,
                   what="a late line's effect")
        for pin in pinned:
            assert server.get(pin)[0] == 410, pin


def test_pages_of_csv_are_linked_without_pin():
    import_network()
    with serving() as server:
        path = "/v1/streaming/sla?format=csv&limit=2"
        _, fields, body = server.get(path)
        code, fields, same = server.get(fields["Content-Location"])
        assert code == 200 and same == body
        link = fields["Link"].split(">")[0].lstrip("<")
        query = urllib.parse.parse_qs(link.partition("?")[2])
        assert set(query) == {"format", "limit", "cursor"}, link
        assert server.get(link)[0] == 200
