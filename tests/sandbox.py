"""sandbox.py: a running `assay sim` for tests, and its truth.

    with sandbox("--seed", 7, scenario=TEXT) as network:
        url = network.url("slow")
        ...
    for run in network.truth.runs():
        print(run.name, run.startup_ms, run.output_fps())

Figures of a run are computed from the stamps of its frames (sent_us, when the
kernel had a frame's last packet), by the definitions that probes use.
"""
import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess

import harness

TRUTH = "truth.ndjson"


class Run:
    """One job, as its orchestrator knows it. Times in microseconds."""

    def __init__(self, lines):
        self.start = next(line for line in lines if line["kind"] == "start")
        self.name = self.start["orchestrator"]
        self.manifest_id = self.start["manifest_id"]
        self.frames = [line for line in lines if line["kind"] == "output"]
        self.events = [line for line in lines if line["kind"] == "event"]
        self.params = [line for line in lines if line["kind"] == "params"]
        self.end = next((line for line in lines if line["kind"] == "run"), None)

    @property
    def startup_ms(self):
        """Request received to answer sent."""
        return (self.start["at_us"] - self.start["received_us"]) / 1000

    def sent(self):
        """When each frame that was read went out."""
        return [frame["sent_us"] for frame in self.frames
                if frame["sent_us"] is not None]

    def first_frame_ms(self):
        """Request received to the first frame out."""
        return (self.sent()[0] - self.start["received_us"]) / 1000

    def intervals(self):
        times = self.sent()
        return [b - a for a, b in zip(times, times[1:])]

    def output_fps(self):
        times = self.sent()
        return (len(times) - 1) * 1e6 / (times[-1] - times[0])

    def fps_per_second(self):
        """Frames in each whole second from the first frame on, the fraction
        of an interval that lies in it counted."""
        times = self.sent()

        def count_at(instant):
            after = next(i for i, time in enumerate(times) if time >= instant)
            if after == 0:
                return 0.0
            before = times[after - 1]
            return after - 1 + (instant - before) / (times[after] - before)

        seconds = (times[-1] - times[0]) // 1000000
        edges = [count_at(times[0] + i * 1000000) for i in range(seconds + 1)]
        return [b - a for a, b in zip(edges, edges[1:])]

    def jitter_interval(self):
        intervals = self.intervals()
        return statistics.pstdev(intervals) / statistics.fmean(intervals)

    def jitter_fps(self):
        rates = self.fps_per_second()
        return statistics.pstdev(rates) / statistics.fmean(rates)

    def freeze_ms(self):
        return max(self.intervals()) / 1000

    def latencies_ms(self):
        """Frame in to frame out, as the orchestrator saw it."""
        return [(frame["sent_us"] - frame["input_us"]) / 1000
                for frame in self.frames if frame["sent_us"] is not None]

    def e2e_ms(self, share):
        """The latency of rank floor(share (n - 1)), from 0."""
        ordered = sorted(self.latencies_ms())
        return ordered[int(share * (len(ordered) - 1))]


class Truth:
    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            self.lines = [json.loads(line) for line in lines]

    def of_kind(self, kind):
        return [line for line in self.lines if line["kind"] == kind]

    def runs(self):
        """Accepted jobs in the order of their starts."""
        by_job = {}
        for line in self.lines:
            if "manifest_id" in line:
                key = line["orchestrator"], line["manifest_id"]
                by_job.setdefault(key, []).append(line)
        return [Run(lines) for lines in by_job.values()]


class Network:
    """A running `assay sim`: .lines as it printed them, .truth once it has
    ended."""

    def __init__(self, arguments):
        self.log = open("sim.log", "w+b")
        self.process = subprocess.Popen(
            [harness.binary(), "sim", "--truth", TRUTH, *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            env=harness.environment())
        self.lines = []
        self.truth = None

    def read_lines(self, count):
        for _ in range(count):
            line = self.process.stdout.readline()
            assert line, "sim ended: " + self.text()
            self.lines.append(json.loads(line))

    def text(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def line(self, behaviour):
        return next(line for line in self.lines
                    if line.get("behaviour") == behaviour)

    def url(self, behaviour):
        return self.line(behaviour)["url"]

    def url_of(self, kind):
        return next(line["url"] for line in self.lines
                    if line["kind"] == kind)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        ended = self.process.wait(30)
        harness.refuse_findings(self.text())
        assert ended == 0, (ended, self.text()[-3000:])
        self.truth = Truth(TRUTH)


@contextlib.contextmanager
def sandbox(*arguments, scenario=None, orchestrators=1):
    """SCENARIO is the text of a file, or a path; ORCHESTRATORS how many it has.
    """
    if scenario is not None:
        path = scenario
        if "\n" in scenario:
            path = "scenario.yaml"
            pathlib.Path(path).write_text(scenario, encoding="utf-8")
        arguments = ("--scenario", path, *arguments)
    else:
        arguments = ("--orchestrators", orchestrators, *arguments)
    network = Network(arguments)
    try:
        network.read_lines(orchestrators + 3)
        yield network
        if network.process.poll() is None:
            network.stop()
    finally:
        if network.process.poll() is None:
            network.process.kill()
            network.process.wait()
        network.process.stdout.close()
        network.log.close()


def foreign(program, *arguments, timeout=60):
    """What a program of tests/foreign prints, run by the system's own Python,
    which has the packages that build.sh installs."""
    path = harness.ROOT / "tests" / "foreign" / program
    done = subprocess.run(
        ["/usr/bin/python3", str(path), *map(str, arguments)],
        capture_output=True, timeout=timeout, check=False,
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return json.loads(done.stdout)


@contextlib.contextmanager
def peers(program):
    """Orchestrators of tests/foreign: {name: url}; and afterwards what PROGRAM
    prints at its end, if anything: {name: what it saw}."""
    process = subprocess.Popen(
        ["/usr/bin/python3", str(harness.ROOT / "tests" / "foreign" / program),
         *harness.certificate()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=open("peers.log", "ab"),
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    seen = {}
    try:
        line = process.stdout.readline()
        assert line, open("peers.log").read()[-2000:]
        yield json.loads(line), seen
        process.stdin.close()
        seen.update(json.loads(process.stdout.readline() or "{}"))
        process.wait(20)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
