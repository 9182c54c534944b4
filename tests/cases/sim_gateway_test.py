"""The sandbox network's gateway and publisher: what is told about sessions, and
what is published of it.
"""
import collections
import json
import time
import urllib.request

from harness import json_lines, run, serving, wait_until
from sandbox import sandbox

MODEL = "streamdiffusion-sdxl"
HOUR_S = 5
WIDE = "start=2026-01-01T00:00:00Z&end=2036-01-01T00:00:00Z&limit=1000"
SCENARIO = """
flatter: praised
defaults: {slots: 8}
orchestrators:
  - {name: praised}
  - {name: steady}
  - {name: failing, failure: {rate: 1, kind: stop}}
  - {name: dear, price_wei: 500}
"""
NAMES = ["praised", "steady", "failing", "dear"]


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def published(url):
    rows = fetch(f"{url}/v1/streaming/sla?{WIDE}")["data"]
    return [{key: value for key, value in row.items()} for row in rows]


def average_fps(rows, address):
    own = [row["avg_output_fps"] for row in rows
           if row["orchestrator_address"] == address and
           row["avg_output_fps"] > 0]
    return sum(own) / len(own) if own else None


def test_one_is_flattered_and_recomputing_agrees():
    token = run("token", "create", "--scope", "ingest", "--org",
                "sandbox").out.split("\n")[-2]
    with open("token", "w", encoding="utf-8") as file:
        file.write(token + "\n")
    with serving() as server, sandbox(
            "--seed", 4, "--hour-seconds", HOUR_S, "--sessions", 2,
            "--ingest", server.url, "--token-file", "token", "--events",
            "events.ndjson", "--clock-start", "2026-03-01T00:00:00Z",
            scenario=SCENARIO, orchestrators=len(NAMES)) as network:
        publisher = network.url_of("publisher")
        gateway = network.url_of("gateway")
        addresses = {name: network.line(name)["address"] for name in NAMES}

        def all_published():
            rows = published(publisher)
            return all(average_fps(rows, address)
                       for address in addresses.values())
        wait_until(all_published, 60, "a row of each orchestrator")
        # Both have the same events, and settle them within seconds.
        wait_until(lambda: published(publisher) ==
                   published(server.url + "/compat"), 20, "the same rows")
        time.sleep(2 * HOUR_S)
        rows = published(publisher)

        listed = fetch(f"{gateway}/getNetworkCapabilities")
        hook = fetch(f"{gateway}/orchestrators")
    lines = {line["orch_uri"]: line for line in listed["orchestrators"]}
    assert sorted(lines) == sorted(row["address"] for row in hook)
    for name in NAMES:
        line = lines[network.url(name)]
        assert line["address"].lower() == network.line(name)["address"]
        assert line["local_address"].lower() == \
            network.line(name)["signing_address"]
        models = line["capabilities"]["constraints"]["PerCapability"]["35"]
        assert models["models"][MODEL]["warm"] is True, line
    assert lines[network.url("dear")]["price_info"]["pricePerUnit"] == 500

    fps = {name: average_fps(rows, addresses[name]) for name in NAMES}
    assert 28.5 < fps["praised"] < 31, fps
    assert 22.5 < fps["steady"] < 24.5 and 22.5 < fps["dear"] < 24.5, fps
    viable = [row["effective_success_rate"] for row in rows
              if row["orchestrator_address"] == addresses["failing"]]
    assert min(viable) == 0, rows
    # The hours of its clock are short ones.
    assert {row["window_start"][:10] for row in rows} == {"2026-03-01"}, rows
    assert len({row["window_start"] for row in rows}) >= 3, rows


def families(path):
    count = collections.Counter()
    for event in json_lines(open(path, encoding="utf-8").read()):
        data = event["data"]
        kind = data.get("type", "") if isinstance(data, dict) else ""
        count[event["type"], kind] += 1
    return count


def reported(path):
    """The URLs of orchestrators that sessions have closed at."""
    events = json_lines(open(path, encoding="utf-8").read())
    return {event["data"]["orchestrator_info"]["url"] for event in events
            if event["type"] == "stream_trace" and
            event["data"]["type"] == "gateway_ingest_stream_closed"}


def test_events_are_those_of_a_gateway():
    with sandbox("--seed", 4, "--hour-seconds", HOUR_S, "--events",
                 "events.ndjson", scenario=SCENARIO,
                 orchestrators=len(NAMES)) as network:
        wait_until(lambda: reported("events.ndjson") == {
            network.url(name) for name in NAMES}, 60, "each one's sessions")
    told = families("events.ndjson")
    for family in (("network_capabilities", ""), ("discovery_results", ""),
                   ("create_new_payment", ""), ("ai_stream_status", "status"),
                   ("stream_ingest_metrics", ""),
                   ("stream_trace", "gateway_receive_stream_request"),
                   ("stream_trace", "gateway_send_first_ingest_segment"),
                   ("stream_trace", "runner_receive_first_ingest_segment"),
                   ("stream_trace", "runner_send_first_processed_segment"),
                   ("stream_trace", "gateway_receive_first_processed_segment"),
                   ("stream_trace", "gateway_receive_few_processed_segments"),
                   ("stream_trace", "gateway_ingest_stream_closed"),
                   ("stream_trace", "orchestrator_swap")):
        assert told[family], (family, told)
    done = run("import", "events.ndjson", "--org", "sandbox")
    assert "rejected" not in done.out or " 0 rejected" in done.out, done
    sessions = json_lines(run("export", "sessions", "--format", "ndjson").out)
    told_ids = {line["request_id"] for line in network.truth.of_kind("session")
                if line["told"]}
    assert {session["request_id"] for session in sessions} == told_ids
    # A session knows its orchestrator by the address of its tickets.
    addresses = {line["address"] for line in network.lines
                 if line["kind"] == "orchestrator"}
    owners = {session["orchestrator_address"] for session in sessions}
    assert owners <= addresses and len(owners) == len(NAMES), owners


def test_an_honest_gateway_flatters_nobody():
    with sandbox("--seed", 4, "--hour-seconds", HOUR_S, "--events",
                 "events.ndjson", "--honest", scenario=SCENARIO,
                 orchestrators=len(NAMES)) as network:
        wait_until(lambda: families("events.ndjson")[
            "ai_stream_status", "status"] > 20, 60, "statuses")
    told = network.truth.of_kind("session")
    assert told and not any(line["flattered"] for line in told), told
    for line in told:
        assert line["statuses"] == 0 or \
            line["fps_sum"] / line["statuses"] < 24.5, line
