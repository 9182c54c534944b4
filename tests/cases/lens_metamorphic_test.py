"""What must not change the rows: order, repetition, splitting, noise.

Each test imports generated telemetry (tests/reference/generate.py) in some
changed way, and compares the exported text with that of a plain import, byte
for byte.
"""
import gzip
import json
import random
import sys

from harness import ROOT, run, sanitised, soaking

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

MONTH_MS = 30 * 24 * 3600 * 1000


def seeds():
    count = 40 if soaking() else 1 if sanitised() else 4
    return range(501, 501 + count)


def records_of(seed):
    return generate.generate(seed, benchmark=seed % 4 == 1)


class Store:
    """A data directory in the test's folder."""

    def __init__(self, name):
        self.name = name
        self.files = 0

    def take(self, records, compress=False):
        """One import of these records."""
        self.files += 1
        path = f"{self.name}-{self.files}.ndjson"
        text = generate.file_of(records)
        if compress:
            path += ".gz"
            text = gzip.compress(text, 1)
        with open(path, "wb") as out:
            out.write(text)
        run("import", "--data", self.name, path)
        return self

    def rows(self, what, *arguments):
        return run("export", what, "--data", self.name, "--format", "ndjson",
                   *arguments).out

    def tables(self, *arguments):
        """The text of all tables of both passes and both lenses."""
        ways = (("--pass", "settled"), ("--pass", "whole"),
                ("--lens", "assay"))
        return {(what, *way): self.rows(what, *way, *arguments)
                for what in ("sla", "percentiles", "sessions", "selections")
                for way in ways}

    def unique(self):
        """The counts without `received`, which repetition may change."""
        return [{name: row[name] for name in ("class", "reason", "org",
                                              "unique")}
                for row in map(json.loads,
                               self.rows("counts").split("\n")[:-1])]


def assert_same(changed, plain, label):
    for name, text in plain.items():
        if changed[name] != text:
            pairs = zip(text.split("\n") + [""],
                        changed[name].split("\n") + [""])
            first = next(((a, b) for a, b in pairs if a != b), None)
            raise AssertionError(f"{label}: {name} differs: {first}")


def check(label, change):
    """CHANGE(seed, records, store) fills a store; its rows must not differ."""
    for seed in seeds():
        records = records_of(seed)
        plain = Store(f"plain-{seed}").take(records)
        store = Store(f"changed-{seed}")
        change(seed, records, store)
        where = f"{label}, seed {seed}"
        assert_same(store.tables(), plain.tables(), where)
        assert store.unique() == plain.unique(), where


def test_shuffling_changes_nothing():
    def change(seed, records, store):
        other = list(records)
        random.Random(seed).shuffle(other)
        store.take(other)
    check("shuffled", change)


def test_importing_everything_twice_changes_nothing():
    def change(_, records, store):
        store.take(records).take(records[::-1], compress=True)
    check("twice", change)


def test_splitting_into_many_imports_changes_nothing():
    def change(seed, records, store):
        r = random.Random(seed)
        other = list(records)
        if seed % 2:
            r.shuffle(other)
        while other:
            size = r.choice([1, 2, 10, 60, len(other)])
            store.take(other[:size])
            other = other[size:]
            if store.files > 12:
                store.take(other)
                other = []
    check("split", change)


def test_lens_assay_is_stored_as_it_would_be_computed():
    """Kept up to date import by import, or made at once by one pass."""
    for seed in seeds():
        records = records_of(seed)
        random.Random(seed).shuffle(records)
        store = Store(f"kept-{seed}")
        for first in range(0, len(records), len(records) // 5 + 1):
            store.take(records[first:first + len(records) // 5 + 1])
        for what in ("sla", "sessions", "demand", "gpu", "percentiles",
                     "payments"):
            assert (store.rows(what, "--lens", "assay") ==
                    store.rows(what, "--lens", "assay", "--pass", "whole")
                    ), (seed, what)


def test_rebuilding_changes_nothing():
    def change(_, records, store):
        middle = len(records) // 2
        store.take(records[middle:]).take(records[:middle])
        run("rebuild", "--data", store.name)
    check("rebuilt", change)


def later(record):
    """The same record a month on, under other ids and names."""
    outer = json.loads(record)
    body = outer.get("value", outer)
    data = body.get("data")
    body["id"] = "later-" + str(body["id"])
    body["timestamp"] = str(int(body["timestamp"]) + MONTH_MS)
    if isinstance(data, dict):
        data["stream_id"] = "later-" + str(data.get("stream_id"))
    return json.dumps(outer).encode()


def regular(records):
    """The records whose envelope has a plain id and 13-digit time."""
    for record in records:
        try:
            outer = json.loads(record)
            body = outer.get("value", outer)
            if (isinstance(body["id"], str) and body["id"]
                    and len(body["timestamp"]) == 13
                    and int(body["timestamp"]) < 4000000000000):
                yield record
        except (ValueError, TypeError, KeyError, AttributeError):
            pass


def test_repeating_a_month_later_changes_nothing():
    for seed in seeds():
        records = records_of(seed)
        month_on = [later(record) for record in regular(records)]
        plain = Store(f"plain-{seed}").take(records).take(month_on)
        store = Store(f"changed-{seed}").take(records).take(month_on)
        store.take(records, compress=True)
        assert_same(store.tables(), plain.tables(), f"seed {seed}")
        assert store.unique() == plain.unique(), seed


def test_ignored_and_rejected_records_change_no_row():
    for seed in seeds():
        records = records_of(seed)
        r = random.Random(seed)
        other = list(records)
        for i in range(60):
            body = {"id": f"ignored-{i}", "org": "cloudspe",
                    "timestamp": str(generate.BASE + r.randrange(10 ** 8)),
                    "type": r.choice(["webrtc_stats", "stream_trace"]),
                    "data": {"type": r.choice(["app_x", "unheard_of"]),
                             "stream_id": "s", "request_id": "r"}}
            line = json.dumps(body).encode()
            other.insert(r.randrange(len(other) + 1),
                         line if r.random() < 0.8 else line[:-1])
        plain = Store(f"plain-{seed}").take(records)
        store = Store(f"changed-{seed}").take(other)
        assert_same(store.tables(), plain.tables(), f"seed {seed}")


def test_counts_do_not_depend_on_order():
    """`received` too: it counts deliveries, whatever their order."""
    seed = 777
    records = records_of(seed)
    other = list(records)
    random.Random(seed).shuffle(other)
    assert (Store("a").take(records).rows("counts")
            == Store("b").take(other).rows("counts"))
