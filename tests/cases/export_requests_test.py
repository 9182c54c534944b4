"""`assay export` of demand, GPUs, requests, payments and the inventory.

The expected rows are worked out by hand from the published tables, not
printed by the program.
"""
import csv
import io
import json
import random
import urllib.parse

from harness import SAMPLE_LOG, run, serving

NINE = 1767949200000  # 2026-01-09T09:00:00Z
URL = "https://o.example:8935"
WHAT = ("demand", "gpu", "requests", "batch-jobs", "byoc-jobs", "payments",
        "inventory")
ATTRIBUTED = ("attribution_status", "attribution_reason",
              "attribution_method", "orchestrator_address", "gpu_id")


def event(name, kind, at, data):
    return json.dumps({"id": name, "type": kind, "org": "acme",
                       "timestamp": str(at), "gateway": "gw", "data": data})


def offers(at):
    """One orchestrator with one GPU that draws, at a price of 5 for 2."""
    gpu = {"id": "GPU-1", "name": "RTX 4090", "memory_total": 1000}
    return event("offers", "network_capabilities", at, [{
        "address": "0xAA", "local_address": "", "orch_uri": URL,
        "hardware": [{"pipeline": "text-to-image", "model_id": "sdxl",
                      "gpu_info": {"0": gpu}}],
        "capabilities_prices": [{"pricePerUnit": 5, "pixelsPerUnit": 2,
                                 "capability": 27, "constraint": "sdxl"}]}])


def traffic():
    """A drawn image, a byoc job without orchestrator, and a payment."""
    batch = {"request_id": "r1", "pipeline": "text-to-image",
             "model_id": "sdxl"}
    payment = {"sessionID": "s", "requestID": "r1", "manifestID": "35_x",
               "sender": "0xCC", "recipient": "0xAA", "orchestrator": URL,
               "faceValue": "9007199254740993 WEI", "winProb": "0.5",
               "numTickets": "2", "price": "1.5 wei/pixel"}
    return [
        offers(NINE - 60000),
        event("received", "ai_batch_request", NINE, {
            **batch, "type": "ai_batch_request_received"}),
        event("done", "ai_batch_request", NINE + 1500, {
            **batch, "type": "ai_batch_request_completed", "success": True,
            "tries": 1, "duration_ms": 1500, "orch_url": URL,
            "latency_score": 0.5, "price_per_unit": 2.5}),
        event("attempt", "job_gateway", NINE + 2000, {
            "type": "job_gateway_completed", "request_id": "b1",
            "capability": "upscale", "success": False, "duration_ms": 40,
            "error": "No orchestrators here"}),
        event("payment", "create_new_payment", NINE + 2500, payment)]


def text(what, *arguments):
    return run("export", what, *arguments).out


def export(what, *arguments):
    return [json.loads(line) for line in text(what, *arguments).splitlines()]


def holds(row, **expected):
    got = {name: row[name] for name in expected}
    assert got == expected, (got, expected)


def take(lines):
    run("import", "-", input="".join(line + "\n" for line in lines))


def test_request_demand_counts_each_attempt_once():
    take(traffic())
    batch, byoc = export("requests")
    holds(batch, window_start="2026-01-09T09:00:00Z", org="acme",
          gateway="gw", execution_mode="request", capability_family="builtin",
          pipeline_id="text-to-image", canonical_model="sdxl", job_count=1,
          orchestrator_uri=URL, selected_count=1, no_orch_count=0,
          success_count=1, duration_ms_sum=1500, price_sum=2.5)
    holds(byoc, capability_family="byoc", capability_name="upscale",
          canonical_model=None, orchestrator_uri="", job_count=1,
          selected_count=0, no_orch_count=1, success_count=0,
          duration_ms_sum=40)


def test_an_hour_without_a_session_is_told_but_marked_as_not_published():
    take(traffic())
    assert [row["published"] for row in export("requests")] == [0, 0]
    take([event("trace", "stream_trace", NINE + 60000, {
        "type": "gateway_receive_stream_request", "stream_id": "a",
        "request_id": "b"})])
    assert [row["published"] for row in export("requests")] == [1, 1]


def test_jobs_are_attributed_to_who_offered_them():
    take(traffic())
    (batch,), (byoc,) = export("batch-jobs"), export("byoc-jobs")
    holds(batch, completed_at="2026-01-09T09:00:01.500Z", request_id="r1",
          received_at="2026-01-09T09:00:00.000Z", success=1, tries=1,
          selection_outcome="selected",
          attribution_snapshot_ts="2026-01-09T08:59:00.000Z", llm_model=None)
    assert [batch[name] for name in ATTRIBUTED] == [
        "resolved", "matched", "uri_interval_exact", "0xaa", "GPU-1"]
    holds(byoc, event_id="attempt", request_id="b1", success=0,
          selection_outcome="no_orch", error="No orchestrators here")
    assert [byoc[name] for name in ATTRIBUTED] == [
        "unresolved", "missing_candidate", "missing", "", None]


def test_payments_keep_their_wei_exactly():
    take(traffic())
    payment, = export("payments")
    holds(payment, event_ts="2026-01-09T09:00:02.500Z", sender_address="0xcc",
          recipient_address="0xaa", face_value_wei="9007199254740993",
          win_prob=0.5, num_tickets=2, price_wei_per_pixel=1.5,
          pipeline_hint="x", session_key=None, link_status="unresolved")


def test_payments_of_the_sample_are_linked_by_request_alone():
    run("import", SAMPLE_LOG)
    rows = export("payments")
    assert len(rows) == 6
    assert [row["link_status"] for row in rows].count("resolved") == 1
    assert sum(int(row["face_value_wei"]) * row["num_tickets"]
               for row in rows) == 16807200000000000
    assert "expected_value_wei" not in rows[0]
    # By lens assay also by the session id that they share; and worth less.
    rows = export("payments", "--lens", "assay")
    assert [row["link_method"] for row in rows] == (
        ["request_id"] + ["session_id"] * 5)
    assert len({row["session_key"] for row in rows}) == 1
    assert sum(int(row["expected_value_wei"]) for row in rows) == (
        3 * 2400000002400 + 4 * 2400000000000)
    minutes, = (row["total_minutes"] for row in export("demand"))
    assert 2.8 < minutes < 2.9


def test_payments_are_served_as_they_are_exported():
    run("import", "--org", "acme", SAMPLE_LOG)
    run("import", "--org", "beta", SAMPLE_LOG)
    for lens in ("published", "assay"):
        rows = export("payments", "--lens", lens)
        newest = [row for org in ("acme", "beta") for row in rows[::-1]
                  if row["org"] == org]
        with serving() as server:
            for limit in (1, 5, 100):
                got, more = [], ""
                while more is not None:
                    page = server.json(f"/v1/payments?lens={lens}&limit="
                                       f"{limit}{more}")
                    got += page["data"]
                    more = page["pagination"]["next_cursor"]
                    more = more and "&cursor=" + more
                assert got == newest, (lens, limit)
            one = rows[0]
            for query, expected in (
                    ("session=" + urllib.parse.quote(one["session_key"]),
                     [row for row in newest
                      if row["session_key"] == one["session_key"]]),
                    ("org=beta&session=", [
                        row for row in newest if row["org"] == "beta"
                        and row["session_key"] is None]),
                    ("orchestrator=0xAA", []),
                    ("end=" + one["event_ts"], []),
                    ("org=acme&start=" + rows[5]["event_ts"], [rows[5]])):
                assert server.json(f"/v1/payments?lens={lens}&{query}")[
                    "data"] == expected, (lens, query)


def test_a_day_too_large_for_memory_is_read_in_parts():
    payment = json.loads(traffic()[-1])["data"]
    take([event(f"payment {number:04}", "create_new_payment",
                NINE - 8 * 3600000 + number * 36000,
                {**payment, "requestID": f"request {number}",
                 "manifestID": f"35_{number}"})
          for number in range(2000)])
    with serving(env={"ASSAY_SERVE_COMPUTE_BYTES": "1MiB"}) as server:
        for lens in ("published", "assay"):
            got, more = [], ""
            while more is not None:
                page = server.json(f"/v1/payments?lens={lens}&limit=333" + more)
                got += page["data"]
                more = page["pagination"]["next_cursor"]
                more = more and "&cursor=" + more
            assert got == export("payments", "--lens", lens)[::-1]


def test_the_inventory_has_each_offer_as_it_was_seen_last():
    take([offers(NINE - 60000)])
    later = json.loads(offers(NINE + 5000))
    later["id"] = "later"
    later["data"][0]["hardware"][0]["gpu_info"]["0"]["name"] = "RTX 5090"
    take([json.dumps(later)])
    offer, = export("inventory")
    holds(offer, last_seen="2026-01-09T09:00:05.000Z", orch_address="0xaa",
          orchestrator_uri=URL, capability_id=27, hardware_present=1,
          gpu_id="GPU-1", gpu_model_name="RTX 5090", price_per_unit="5",
          pixels_per_unit=2, supports_request=1, supports_stream=0)


def test_the_order_of_arrival_and_repetition_change_nothing():
    lines = traffic()
    take(lines)
    before = {what: text(what) for what in WHAT}
    run("rebuild")
    assert before == {what: text(what) for what in WHAT}
    random.Random(5).shuffle(lines)
    for line in lines + lines[:2]:
        run("import", "--data", "other", "-", input=line + "\n")
    assert before == {what: text(what, "--data", "other") for what in WHAT}


def test_times_and_formats():
    take(traffic())
    run("import", SAMPLE_LOG)
    for what in WHAT:
        rows = export(what)
        assert rows or what == "gpu", what
        cells = list(csv.reader(io.StringIO(text(what, "--format", "csv"))))
        assert len(cells) == len(rows) + 1
        assert all(list(row) == cells[0] for row in rows)
        assert export(what, "--to", "2026-01-08") == []
        split = "2026-01-09"
        before, after = [], []
        for row in rows:
            late = next(iter(row.values())) >= split
            (after if late else before).append(row)
        assert export(what, "--to", split) == before, what
        assert export(what, "--from", split) == after, what
