"""probe: paid runs, against the sandbox network's orchestrators and its remote
signer. What is handed over is what the truth says was got, and never more than
the ceilings of a run and of a day; what cannot be paid is excused.
"""
import contextlib
import http.server
import json
import pathlib
import signal
import subprocess
import threading
import urllib.error
import urllib.request

import harness
from harness import json_lines, run, sanitised, soaking, wait_until
from sandbox import sandbox

PRICE_WEI = 500
SECOND_WEI = PRICE_WEI * 27648000
# A minute in advance; as the odds of tickets are rounded down, sixty of a
# second each are not quite enough.
FIRST_WEI = 61 * SECOND_WEI
SCENARIO = f"""
defaults: {{price_wei: {PRICE_WEI}}}
orchestrators:
  - {{name: paid}}
  - {{name: free, price_wei: 0}}
  - {{name: mistrusting, trusts_senders: false}}
  - {{name: silent, failure: {{rate: 1, kind: silent}}}}
  - {{name: broken, failure: {{rate: 1, kind: error}}}}
"""
NAMES = ["paid", "free", "mistrusting", "silent", "broken"]


def paid_network():
    return sandbox("--seed", 2, scenario=SCENARIO, orchestrators=len(NAMES))


def configure(signer, run_max_wei, day_max_wei):
    pathlib.Path("assay.yaml").write_text(
        f"payment:\n  signer_url: {signer}\n  run_max_wei: {run_max_wei}\n"
        f"  day_max_wei: {day_max_wei}\n", encoding="utf-8")


def command(*arguments, data="kept", seconds=1):
    kept = ("--data", data) if data else ()
    return ["probe", "--json", "--kind", "live", "--seconds", str(seconds),
            "--patience", "4", "--allow-cidr", "127.0.0.0/8", "--config",
            "assay.yaml", *kept, *arguments]


def probe(*arguments, code=None, **options):
    return json_lines(run(*command(*arguments, **options), code=code).out)


def verdict(row):
    return row["outcome"], row["reason"], row["cost_wei"]


def got_wei(network):
    """What orchestrators were given, at the start of jobs and later."""
    return sum(line.get("credit_wei", 0) for kind in ("start", "payment")
               for line in network.truth.of_kind(kind))


def check_ended(network):
    """We ended every job that was accepted."""
    for job in network.truth.runs():
        assert job.end and job.end["end"] == "input closed", (job.name,
                                                              job.end)


def test_runs_are_paid_and_ended_however_they_end():
    with paid_network() as network:
        configure(network.url_of("signer"), 2 * FIRST_WEI, 20 * FIRST_WEI)
        rows = probe(*(network.url(name) for name in NAMES), code=1)
        got = {name: verdict(row) for name, row in zip(NAMES, rows)}
        paid = {name: got[name][2] for name in ("paid", "silent", "broken")}
        assert got["paid"][:2] == ("ok", None), got
        assert got["free"] == ("ok", None, None), got
        assert got["mistrusting"] == (
            "excused", "insufficient_sender_reserve", None), got
        assert got["silent"][:2] == ("failed", "no_output"), got
        assert got["broken"][0] in ("ok", "failed"), got
        # The odds of a ticket are rounded down.
        assert all(0 <= FIRST_WEI - wei < 1000 for wei in paid.values()), got
        assert rows[0]["price_wei"] == SECOND_WEI, rows[0]

        # Asked to stop, with a job that was paid for a minute.
        process = subprocess.Popen(
            [harness.binary(), *command(network.url("paid"), seconds=60)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=harness.environment())
        truth = pathlib.Path("truth.ndjson")
        wait_until(lambda: truth.read_text().count('"orchestrator":"paid","ma'
                                                   'nifest_id"') > 60)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        harness.refuse_findings(err.decode())
        stopped = json.loads(out)
        assert stopped["reason"] == "stopped", stopped
    check_ended(network)
    spent = sum(paid.values()) + stopped["cost_wei"]
    assert 0 <= got_wei(network) - spent < 4000, (spent, got_wei(network))


def test_no_ceiling_is_ever_exceeded():
    with paid_network() as network:
        signer, url = network.url_of("signer"), network.url("paid")
        excused = ("excused", "wei_ceiling_run", None)
        for run_wei, day_wei, wanted in (
                (0, 0, excused), (0, 9 * FIRST_WEI, excused),
                (FIRST_WEI - 1000, 9 * FIRST_WEI, excused),
                (FIRST_WEI, 0, ("excused", "wei_ceiling_day", None)),
                (FIRST_WEI, FIRST_WEI - 1000,
                 ("excused", "wei_ceiling_day", None))):
            configure(signer, run_wei, day_wei)
            row, = probe(url, code=5)
            assert verdict(row) == wanted, (run_wei, day_wei, row)
        # Only a store knows what was spent today.
        configure(signer, FIRST_WEI, 9 * FIRST_WEI)
        row, = probe(url, code=5, data=None)
        assert verdict(row) == ("excused", "wei_ceiling_day", None), row
        run("probe", "--json", "--kind", "live", "--allow-cidr", "127.0.0.0/8",
            url, code=5)

        # Two fit into the day, in one process and in the next.
        configure(signer, FIRST_WEI, 2 * FIRST_WEI + FIRST_WEI // 2)
        rows = probe("--repeat", 3, url, code=5)
        rows += probe(url, code=5)
        assert [row["reason"] for row in rows] == [
            None, None, "wei_ceiling_day", "wei_ceiling_day"], rows
        # At once, none knows what the others spend: each has its share.
        rows = probe(url, url, url, data="other", code=5)
        assert {row["reason"] for row in rows} == {"wei_ceiling_day"}, rows
    assert got_wei(network) == 2 * FIRST_WEI, got_wei(network)
    check_ended(network)


class Signer(http.server.BaseHTTPRequestHandler):
    """Between the probe and the network's signer. .answers: what payments are
    answered with in turn, None for what the signer says."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200
        if self.path == "/generate-live-payment":
            self.server.asked += 1
            status = self.server.answers(self.server.asked) or 200
        content = b"{}"
        if status == 200:
            request = urllib.request.Request(self.server.signer + self.path,
                                             body, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    content = answer.read()
            except urllib.error.HTTPError as refusal:
                status, content = refusal.code, refusal.read()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def signer_between(signer, answers):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Signer)
    server.signer, server.answers, server.asked = signer, answers, 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_the_signer_refuses_is_ours():
    rows = [
        # Terms that are outdated are asked for again, not for ever.
        ("outdated once", lambda n: 480 if n == 1 else None, "ok", None),
        ("always outdated", lambda n: 480, "excused", "session_outdated"),
        ("too dear", lambda n: 481, "excused", "price_above_limit"),
        ("no tickets", lambda n: 482, "excused", "signer_failed"),
        ("unauthorized", lambda n: 401, "excused", "signer_failed"),
        ("unpaid", lambda n: 402, "excused", "signer_failed"),
        ("broken", lambda n: 500, "excused", "signer_failed")]
    with paid_network() as network:
        for name, answers, outcome, reason in rows:
            with signer_between(network.url_of("signer"), answers) as url:
                configure(url, FIRST_WEI, 9 * FIRST_WEI)
                row, = probe(network.url("paid"))
            assert (row["outcome"], row["reason"]) == (outcome, reason), \
                (name, row)
            assert (row["cost_wei"] or 0) <= FIRST_WEI, (name, row)
        configure("http://127.0.0.1:9", FIRST_WEI, 9 * FIRST_WEI)
        row, = probe(network.url("paid"), code=5)
        assert row["reason"] == "signer_failed", row
    assert got_wei(network) == FIRST_WEI, got_wei(network)
    check_ended(network)


def test_a_long_run_is_paid_on():
    if not soaking() or sanitised():
        return  # it takes more than the minute that is paid in advance
    with paid_network() as network:
        answers = lambda n: {2: 482, 4: 500}.get(n)
        with signer_between(network.url_of("signer"), answers) as url:
            configure(url, 3 * FIRST_WEI, 9 * FIRST_WEI)
            row, = probe(network.url("paid"), seconds=90)
        assert row["outcome"] == "ok", row
        # One that the run's ceiling ends.
        configure(network.url_of("signer"), FIRST_WEI + 5 * SECOND_WEI,
                  9 * FIRST_WEI)
        ended, = probe(network.url("paid"), seconds=90)
        assert ended["reason"] == "wei_ceiling_run", ended
    costs = [row["cost_wei"], ended["cost_wei"]]
    assert FIRST_WEI < costs[0] < 2.5 * FIRST_WEI, costs
    assert costs[1] <= FIRST_WEI + 5 * SECOND_WEI, costs
    assert 0 <= got_wei(network) - sum(costs) < 10**5, (costs,
                                                        got_wei(network))
    check_ended(network)
