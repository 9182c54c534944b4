#!/usr/bin/env python3
"""probe.py: what measuring costs, each figure beside its goal and a yardstick
of the same run. Run by `./build.sh bench probe`, which builds what it needs
and unpacks Debian's blackbox_exporter; needs a quiet machine.

The network that is measured is the sandbox, with one orchestrator for every
run, and shares the processors, except where a row says "on one core": then the
program that measures has one of them and the network all others. A figure is
the median of its repetitions, in brackets its least and its most.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ["ASSAY_BIN"] = str(ROOT / "build" / "assay")

import harness                    # noqa: E402
from sandbox import sandbox       # noqa: E402

BENCH = ROOT / "build" / "release" / "bench"
BLACKBOX = ROOT / ("build/blackbox-exporter/usr/bin/"
                   "prometheus-blackbox-exporter")
MEDIA_SECONDS = 2
REPETITIONS = 5
AT_ONCE = 64
LIVE_SECONDS = 8
LIVE_REPETITIONS = 3
MORE_AT_ONCE = (96, 128, 160, 200)
KEPT_CALLS = 5000

rows = []


def add(what, figure, goal="", yardstick=""):
    rows.append((what, figure, goal, yardstick))
    print(f"{what}: {figure}", file=sys.stderr)


def spread(values, digits, unit):
    """Median (least to most)."""
    median = statistics.median(values)
    return (f"{median:.{digits}f} ({min(values):.{digits}f} to "
            f"{max(values):.{digits}f}) {unit}")


def measure_media():
    """The transport stream alone: no network, no loop."""
    done = subprocess.run([BENCH / "media", str(MEDIA_SECONDS)], check=True,
                          capture_output=True)
    told = json.loads(done.stdout)
    assert told["frames"] == 60 * 24, told
    add("frames found in a transport stream", f"{told['read_mb_s']} MB/s",
        "", f"copying it: {told['copy_mb_s']} MB/s")
    add("reading a second of live stream", f"{told['read_us']} us of CPU",
        "of 3 ms for all")
    add("writing a second of live stream", f"{told['write_us']} us of CPU",
        "of 3 ms for all", f"{told['write_mb_s']} MB/s")
    add("memory of a reader", f"{told['reader_bytes']} B", "of 256 KB for all")
    add("stamps of a minute's frames", f"{told['stamp_bytes']} B",
        "of 256 KB for all")


# ---- processes ---------------------------------------------------------------


def peak_kb(pid):
    """The most memory it has had, None where it has ended. What wait4 tells
    instead includes this program, as whose copy it began."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    found = [line for line in lines if line.startswith("VmHWM")]
    return int(found[0].split()[1]) if found else None


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1]
    ticks = sum(map(int, fields.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def watch_memory(pid, peak):
    while (kb := peak_kb(pid)) is not None:
        peak[0] = kb
        time.sleep(0.005)


def probe(urls, *arguments, core=None):
    """A run for each of URLS at once: their rows, CPU seconds and peak memory
    in KB of the process that measured them."""
    peak = [0]
    process = subprocess.Popen(
        [harness.binary(), "probe", "--json", "--allow-cidr", "127.0.0.0/8",
         *arguments, *urls], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=harness.environment())
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    watcher = threading.Thread(target=watch_memory, args=(process.pid, peak))
    watcher.start()
    told = harness.json_lines(process.stdout.read().decode())
    watcher.join()
    process.stdout.close()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    assert len(told) == len(urls), len(told)
    return told, used.ru_utime + used.ru_stime, peak[0]


@contextlib.contextmanager
def network_of(count):
    """A sandbox of COUNT orchestrators, and their URLs."""
    scenario = f"orchestrators:\n  - name: wide\n    count: {count}\n"
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place), \
            sandbox("--seed", 1, scenario=scenario,
                    orchestrators=count) as network:
        yield network, [line["url"] for line in network.lines
                        if line["kind"] == "orchestrator"]


# ---- reach, beside blackbox_exporter -----------------------------------------


@contextlib.contextmanager
def blackbox_exporter():
    """Its process and a function that has it probe a URL; it shakes hands and
    asks for one page."""
    module = {"prober": "http", "timeout": "5s",
              "http": {"valid_status_codes": [404],
                       "tls_config": {"insecure_skip_verify": True}}}
    pathlib.Path("blackbox.yml").write_text(
        json.dumps({"modules": {"tls": module}}))
    port = harness.free_port()
    process = subprocess.Popen(
        [BLACKBOX, "--config.file=blackbox.yml",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(url):
        with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/probe?module=tls&target="
                f"{url}/discovery", timeout=20) as answer:
            assert b"probe_success 1" in answer.read()

    def is_up():
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/").close()
            return True
        return False

    try:
        harness.wait_until(is_up)
        yield process, ask
    finally:
        process.terminate()
        process.wait()


def measure_blackbox(urls):
    """CPU milliseconds of each of its probes, and KB of memory."""
    if not BLACKBOX.exists():
        return "it could not be had", ""
    with blackbox_exporter() as (process, ask), \
            concurrent.futures.ThreadPoolExecutor(len(urls)) as pool:
        ask(urls[0])
        idle_kb = peak_kb(process.pid)
        cpu = []
        for _ in range(REPETITIONS):
            before = cpu_seconds(process.pid)
            for _ in range(4):
                list(pool.map(ask, urls))
            cpu.append((cpu_seconds(process.pid) - before) * 1000 /
                       (4 * len(urls)))
        kb = (peak_kb(process.pid) - idle_kb) / len(urls)
    return (f"blackbox_exporter: {spread(cpu, 2, 'ms')}",
            f"blackbox_exporter: {kb:.0f} KB")


def measure_reach(urls):
    cpu, memory = [], []
    for _ in range(REPETITIONS):
        _, one_cpu, one_kb = probe(urls[:1])
        told, all_cpu, all_kb = probe(urls)
        assert all(row["outcome"] == "ok" for row in told), told
        cpu.append((all_cpu - one_cpu) * 1000 / (len(urls) - 1))
        memory.append((all_kb - one_kb) / (len(urls) - 1))
    theirs_cpu, theirs_memory = measure_blackbox(urls)
    add("reach, on a connection of its own", spread(cpu, 2, "ms of CPU"),
        "2.0, goal 1.4", theirs_cpu)
    add(f"... memory of each, {len(urls)} at once", spread(memory, 0, "KB"),
        "goal 60", theirs_memory)


def measure_kept(url):
    each = []
    for _ in range(REPETITIONS):
        done = subprocess.run([BENCH / "calls", url, str(KEPT_CALLS)],
                              check=True, capture_output=True)
        each.append(json.loads(done.stdout)["us_each"] / 1000)
    add("a call on a kept connection", spread(each, 3, "ms of CPU"),
        "goal 0.05")


# ---- live --------------------------------------------------------------------


def errors_of(told, network):
    """Medians over the runs of what was measured less what was done: of the
    rate, of both jitters, of the latency in ms."""
    truth = {job.start["request_id"]: job for job in network.truth.runs()}
    found = []
    for row in told:
        job = truth[row["run_id"]]
        job.frames = [frame for frame in job.frames
                      if frame["sent_us"] is not None][:row["frames_out"]]
        found.append((abs(row["output_fps"] / job.output_fps() - 1),
                      abs(row["jitter_interval"] - job.jitter_interval()),
                      abs(row["jitter_fps"] - job.jitter_fps()),
                      abs(row["e2e_p50_ms"] - job.e2e_ms(0.5))))
    return [statistics.median(values) for values in zip(*found)]


def promise_of(told, count, network):
    """Of the runs: how many, how well they were fed, how true they are."""
    good = [row for row in told if row["outcome"] == "ok"]
    fed = min(row["input_fps"] for row in good)
    fps, interval, seconds, latency_ms = errors_of(good, network)
    kept = (len(good) == count and fed > 24 * 0.995 and fps <= 0.005 and
            interval <= 0.01 and seconds <= 0.01 and latency_ms <= 1)
    return kept, (
        f"{'kept' if kept else 'NOT KEPT'}: {len(good)} ok, in from {fed:.2f} "
        f"fps; off by {fps * 100:.3f} % fps, {interval:.4f} and "
        f"{seconds:.4f} jitter, {latency_ms:.2f} ms")


def measure_live():
    """The promise is the one of the tests: medians of latency within 1 ms,
    rates within 0.5 %, both jitters within 0.01."""
    arguments = ("--kind", "live", "--seconds", str(LIVE_SECONDS))
    cpu, memory, words, jitter = [], [], [], []
    for _ in range(LIVE_REPETITIONS):
        with network_of(AT_ONCE) as (network, urls):
            _, _, one_kb = probe(urls[:1], *arguments, core=0)
            told, used, all_kb = probe(urls, *arguments, core=0)
        words.append(promise_of(told, AT_ONCE, network)[1])
        jitter.append(statistics.median(row["jitter_fps"] for row in told))
        cpu.append(used * 1000 / AT_ONCE / LIVE_SECONDS)
        memory.append((all_kb - one_kb) / (AT_ONCE - 1))
    for text in words:
        add(f"{AT_ONCE} live runs at once on one core", text, "must")
    add("... their median jitter_fps", spread(jitter, 4, ""), "0.005 with 8")
    add("... a second of live stream", spread(cpu, 2, "ms of CPU"),
        "8, goal 3")
    add("... memory of a run", spread(memory, 0, "KB"), "goal 256")
    for count in MORE_AT_ONCE:
        with network_of(count) as (network, urls):
            told, used, _ = probe(urls, *arguments, core=0)
        kept, text = promise_of(told, count, network)
        add(f"{count} live runs at once on one core",
            f"{text}; {used * 1000 / count / LIVE_SECONDS:.2f} ms of CPU",
            "goal 200")
        if not kept:
            break


def print_table():
    table = [("what", "measured", "goal", "yardstick")] + rows
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    for row in table:
        print("  ".join(cell.ljust(width)
                        for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    measure_media()
    with network_of(AT_ONCE) as (_, addresses):
        measure_reach(addresses)
        measure_kept(addresses[0])
    measure_live()
    print_table()
