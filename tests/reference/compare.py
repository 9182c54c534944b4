#!/usr/bin/env python3
"""Runs the real lens and the one in this folder, and compares every cell.

    compare.py [--seeds A-B] [--benchmark-every N] [--steps N] [--shrink]
               [--switches] [FILE...]

The binary is $ASSAY_BIN, else build/assay. Each seed's records are imported
into a fresh data directory (in one, three or many imports, plain or gzip, by
seed); then all tables of both passes, the counts and the inventory are
exported and compared: the same rows, in the same order, the same columns in
the same order, every number equal as a double. With FILE the records are the
lines (or array elements) of that file instead.

--switches compares other lenses instead of the published one: all switches,
none, one alone and a few, which ones by seed.

--steps imports a set in N imports, every other set shuffled, and compares
after each of them.

For each seed that differs the first cells are printed, with the events of the
session or row concerned. --shrink first reduces the records to a minimal set
that still differs; the set is kept as compare-SEED.ndjson in the directory of
--keep (default: the system's temporary directory).
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import hourly                        # noqa: E402
import jobs                          # noqa: E402
import lens as published             # noqa: E402
import network                       # noqa: E402
import percentiles                   # noqa: E402
from generate import file_of, generate  # noqa: E402
from jsontext import compact         # noqa: E402
from sessions import session_key     # noqa: E402
from switches import SWITCHES        # noqa: E402


class View:
    """One way to fold: a pass of the published lens, or other switches."""

    def __init__(self, label, options, mode, switches=()):
        self.label = label
        self.options = options
        self.mode = mode
        self.switches = switches

    def columns(self, what):
        if len(self.switches) == len(SWITCHES):
            return ASSAY_COLUMNS.get(what, COLUMNS[what])
        return COLUMNS[what]


PUBLISHED = (View('--pass settled', ['--pass', 'settled'], 'settled'),
             View('--pass whole', ['--pass', 'whole'], 'whole'))


def switched(*names):
    """The published lens with these switches."""
    options = [option for name in names for option in ('--switch', name)]
    return View(' '.join(options) or 'no switch', options or
                ['--pass', 'whole'], 'whole', names)


ASSAY = View('--lens assay', ['--lens', 'assay'], 'whole', SWITCHES)


def other_lenses(seed):
    """Views of the other lens: all of it as it is stored and computed now, none
    of it, one switch alone, any few."""
    r = random.Random(seed)
    few = [name for name in SWITCHES if r.random() < 0.4]
    every = View('--lens assay --pass whole',
                 ['--lens', 'assay', '--pass', 'whole'], 'whole', SWITCHES)
    none = View('all switched off', ['--lens', 'assay', '--without',
                                     ','.join(SWITCHES)], 'whole')
    return (ASSAY, every, none, switched(SWITCHES[seed % len(SWITCHES)]),
            switched(*few))


KEYS = {
    'sla': ('window_start', 'org', 'orchestrator_address', 'pipeline_id',
            'model_id', 'gpu_id'),
    'demand': ('window_start', 'org', 'gateway', 'pipeline_id', 'model_id'),
    'gpu': ('window_start', 'org', 'orchestrator_address', 'pipeline_id',
            'model_id', 'gpu_id'),
    'sessions': ('session_key',),
    'selections': ('session_key', 'selection_ts', 'selection_event_id'),
    'percentiles': ('orchestrator_address', 'pipeline_id', 'model_id',
                    'gpu_id', 'metric'),
    'requests': ('window_start', 'org', 'gateway', 'capability_family',
                 'pipeline_id', 'canonical_model', 'orchestrator_address',
                 'orchestrator_uri'),
    'batch-jobs': ('org', 'request_id'),
    'byoc-jobs': ('org', 'completed_at', 'event_id'),
    'payments': ('org', 'event_ts', 'event_id'),
    'inventory': ('org', 'orch_address', 'pipeline_id', 'model_id', 'gpu_id',
                  'hardware_present'),
    'counts': ('class', 'reason', 'org')}
COLUMNS = {'sla': published.SLA_COLUMNS,
           'demand': hourly.DEMAND_COLUMNS,
           'gpu': hourly.GPU_COLUMNS,
           'sessions': published.SESSION_COLUMNS,
           'selections': published.SELECTION_COLUMNS,
           'percentiles': percentiles.COLUMNS,
           'requests': jobs.DEMAND_COLUMNS,
           'batch-jobs': jobs.BATCH_COLUMNS,
           'byoc-jobs': jobs.BYOC_COLUMNS,
           'payments': jobs.PAYMENT_COLUMNS,
           'inventory': network.OFFER_COLUMNS,
           'counts': published.COUNT_COLUMNS}
ASSAY_COLUMNS = {'sla': published.ASSAY_SLA_COLUMNS,
                 'gpu': hourly.ASSAY_GPU_COLUMNS,
                 'payments': jobs.ASSAY_PAYMENT_COLUMNS}
OF_A_VIEW = ('sla', 'demand', 'gpu', 'percentiles', 'sessions', 'selections', 'requests',
             'batch-jobs', 'byoc-jobs', 'payments')
OF_ALL = ('counts', 'inventory')


class Failure(Exception):
    """The binary did not do what was asked."""


def binary():
    default = os.path.join(HERE, '..', '..', 'build', 'assay')
    return os.environ.get('ASSAY_BIN') or os.path.abspath(default)


def run(*arguments, stdin=None):
    done = subprocess.run([binary(), *arguments], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Failure('assay %s: exit %d\n%s' % (
            ' '.join(arguments), done.returncode,
            done.stderr.decode('utf-8', 'replace')[-2000:]))
    return done.stdout


def import_records(data, groups, org='', compressed=False):
    """Imports each group of records with one command of its own."""
    for i, records in enumerate(groups):
        text = file_of(records)
        path = os.path.join(data, 'input-%d.ndjson' % i)
        if compressed:
            path += '.gz'
            text = gzip.compress(text, 1)
        with open(path, 'wb') as out:
            out.write(text)
        options = ['--org', org] if org else []
        run('import', '--data', os.path.join(data, 'store'), *options, path)
        os.remove(path)


def export_real(data, what, options=()):
    text = run('export', what, '--data', os.path.join(data, 'store'),
               *options, '--format', 'ndjson')
    return [json.loads(line) for line in text.split(b'\n') if line]


def real_tables(data, views):
    tables = {(what, None): export_real(data, what) for what in OF_ALL}
    for view in views:
        for what in OF_A_VIEW:
            tables[what, view] = export_real(data, what, view.options)
    return tables


def reference_tables(groups, org='', views=PUBLISHED):
    lens = published.Lens()
    for records in groups:
        for record in records:
            lens.add(record, org)
    tables = {('counts', None): lens.export_counts()}
    for view in views:
        lens.run(view.mode, view.switches)
        tables['inventory', None] = lens.export_inventory()
        more = published.request_tables(lens.requests())
        tables.update(((what, view), rows) for what, rows in more.items())
        tables['sla', view] = lens.export_sla()
        tables['demand', view] = lens.export_demand()
        tables['gpu', view] = lens.export_gpus()
        tables['percentiles', view] = lens.export_percentiles()
        tables['sessions', view] = lens.export_sessions()
        tables['selections', view] = lens.export_selections()
    return tables, lens


def same(a, b):
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b


def table_differences(name, expected, got):
    """Lines of text: (key or None, sentence) of each difference."""
    what = name[0]
    label = what if name[1] is None else '%s %s' % (what, name[1].label)
    keys = KEYS[what]
    wanted = name[1].columns(what) if name[1] else COLUMNS[what]

    def by_key(rows):
        found = {}
        for row in rows:
            key = tuple(row.get(k) for k in keys)
            found.setdefault(key, []).append(row)
        return found
    left, right = by_key(expected), by_key(got)
    out = []
    for key in left:
        if len(left[key]) > len(right.get(key, [])):
            out.append((key, '%s: row missing: %s' % (label, key)))
    for key in right:
        if len(right[key]) > len(left.get(key, [])):
            out.append((key, '%s: row too many: %s' % (label, key)))
    for key in left:
        for a, b in zip(left[key], right.get(key, [])):
            for column in wanted:
                if column not in b:
                    out.append((key, '%s: no column %s' % (label, column)))
                elif not same(a[column], b[column]):
                    out.append((key, '%s: %s: %s: reference %r, assay %r' % (
                        label, key, column, a[column], b[column])))
    for row in got[:1]:
        if list(row) != wanted:
            out.append((None, '%s: columns are %s' % (label, list(row))))
    if not out:
        order = [tuple(r[k] for k in keys) for r in expected]
        if order != [tuple(r[k] for k in keys) for r in got]:
            out.append((None, '%s: rows in another order' % label))
    return out


def differences(groups, org='', compressed=False, views=PUBLISHED):
    """All differences for these groups of records, and the reference."""
    expected, lens = reference_tables(groups, org, views)
    with tempfile.TemporaryDirectory(prefix='assay-compare-') as data:
        import_records(data, groups, org, compressed)
        got = real_tables(data, views)
    out = []
    for name in expected:
        for key, sentence in table_differences(name, expected[name],
                                               got[name]):
            out.append((name, key, sentence))
    return out, lens


def differences_on_the_way(groups, views=PUBLISHED):
    """As differences, but compared after each group's import.

    Stops at the first group after which something differs.
    """
    with tempfile.TemporaryDirectory(prefix='assay-compare-') as data:
        for i, group in enumerate(groups):
            import_records(data, [group])
            expected, lens = reference_tables(groups[:i + 1], '', views)
            got = real_tables(data, views)
            out = [(name, key, sentence) for name in expected
                   for key, sentence in table_differences(
                       name, expected[name], got[name])]
            if out:
                return out, lens
    return [], None


def in_steps(seed, records, count):
    """The records in `count` groups; shuffled for every other seed."""
    if seed % 2:
        records = list(records)
        random.Random(seed).shuffle(records)
    size = len(records) // count + 1
    return [records[i:i + size] for i in range(0, len(records), size)]


def grouping(seed, records):
    """How a seed's records are delivered: (groups, org, compressed)."""
    count = (1, 1, 3, 1, 7)[seed % 5]
    size = len(records) // count + 1
    groups = [records[i:i + size] for i in range(0, len(records), size)]
    return groups, ('', '', 'cloudspe')[seed % 3], seed % 4 == 3


def shrink(records, org, views):
    """A small set of records that still differs (or fails)."""
    def differs(subset):
        try:
            return bool(differences([subset], org, False, views)[0])
        except Failure:
            return True
    if not differs(records):
        return records
    size = len(records) // 2
    while size >= 1:
        start = 0
        while start < len(records):
            fewer = records[:start] + records[start + size:]
            if fewer and differs(fewer):
                records = fewer
            else:
                start += size
        size //= 2
    return records


def context(lens, name, key):
    """The events that the row is about, as text."""
    if key is None or name[0] not in ('sla', 'sessions', 'selections'):
        return ''
    lens.run(name[1].mode, name[1].switches)
    org = key[1] if name[0] == 'sla' else key[0].partition('|')[0]
    wanted = {key[0]}
    if name[0] == 'sla':
        wanted = {s.key for s in lens.sessions.values() for h in s.hours
                  if s.org == key[1]
                  and published.window(h.start) == key[0]}
    out = []
    for event in sorted(lens.intake.events.values(),
                        key=lambda e: (e.ts, e.id)):
        if event.org != org:
            continue
        capability = event.family == 'network_capabilities'
        if capability or (event.family.startswith(('stream_t', 'ai_stream'))
                          and session_key(event) in wanted):
            data = compact(event.data)
            if len(data) > 700:
                data = data[:700] + '...'
            out.append('    %s %s %s %s gateway=%r p=%d o=%d %s' % (
                published.instant(event.ts), event.org, event.family,
                event.id, event.gateway, event.partition, event.offset,
                data))
    if len(out) > 60:
        out = out[:60] + ['    ... %d more' % (len(out) - 60)]
    return '\n'.join(out)


def report(found, lens, cells):
    for name, key, sentence in found[:cells]:
        print('  ' + sentence)
    if len(found) > cells:
        print('  ... %d more' % (len(found) - cells))
    for name, key, _ in found[:1]:
        print(context(lens, name, key))


def read_records(path):
    with open(path, 'rb') as source:
        data = source.read()
    if data.lstrip().startswith(b'['):
        return [json.dumps(r).encode() for r in json.loads(data)]
    return data.split(b'\n')


def work(arguments):
    """(label, groups, org, compressed) of everything to compare."""
    if arguments.files:
        for path in arguments.files:
            yield path, [read_records(path)], arguments.org, False
        return
    first, _, last = arguments.seeds.partition('-')
    for seed in range(int(first), int(last or first) + 1):
        every = arguments.benchmark_every
        records = generate(seed, benchmark=bool(every) and seed % every == 0)
        if arguments.steps:
            yield str(seed), in_steps(seed, records, arguments.steps), '', ''
        else:
            yield (str(seed), *grouping(seed, records))


def main():
    parser = argparse.ArgumentParser(description='compare both lenses')
    parser.add_argument('--seeds', default='1-50')
    parser.add_argument('--benchmark-every', type=int, default=10)
    parser.add_argument('--steps', type=int, default=0)
    parser.add_argument('--shrink', action='store_true')
    parser.add_argument('--switches', action='store_true')
    parser.add_argument('--keep', default=tempfile.gettempdir())
    parser.add_argument('--org', default='')
    parser.add_argument('--cells', type=int, default=8)
    parser.add_argument('--stop-after', type=int, default=3)
    parser.add_argument('files', nargs='*')
    arguments = parser.parse_args()
    bad = compared = 0
    for label, groups, org, compressed in work(arguments):
        compared += 1
        views = PUBLISHED
        if arguments.switches:
            views = other_lenses(int(label) if label.isdigit() else 0)
        try:
            if arguments.steps:
                found, lens = differences_on_the_way(groups, views)
            else:
                found, lens = differences(groups, org, compressed, views)
        except Failure as failure:
            print('%s: %s' % (label, failure))
            found = lens = None
        if found == []:
            continue
        bad += 1
        if found:
            print('%s: %d cells differ' % (label, len(found)))
            report(found, lens, arguments.cells)
        if arguments.shrink:
            small = shrink([r for g in groups for r in g], org, views)
            path = os.path.join(arguments.keep, 'compare-%s.ndjson' %
                                os.path.basename(label))
            with open(path, 'wb') as out:
                out.write(file_of(small))
            print('  shrunk to %d records (--org %r): %s' % (
                len(small), org, path))
            try:
                report(*differences([small], org, False, views),
                       arguments.cells)
            except Failure as failure:
                print('  %s' % failure)
        if bad >= arguments.stop_after:
            break
    print('%d sets compared, %d differ' % (compared, bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
