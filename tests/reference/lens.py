"""The lenses, slow and simple: records in, export rows out.

For: a second implementation of the specification of the published metrics,
written from its text, to compare the real one with. Sections 1 to 3.5 and 11;
what the text leaves open is decided in DECISIONS.md. Without switches it is
the `published` lens, with all of them `assay`.

    lens = Lens()
    lens.add(record_bytes, default_org)
    lens.run('settled')            # or 'whole'
    lens.run('whole', ['fps_without_zeros'])
    lens.export_sla() ...

Reading order: accept.py, sessions.py, snapshots.py, attribution.py, score.py,
jobs.py, network.py, then the passes here, then hourly.py.
"""

import datetime
import math

import attribution
import hourly
import jobs
import network
import percentiles
import score
import snapshots
from accept import Intake
from attribution import normalise
from sessions import (DAY_MS, HOUR_MS, build_sessions, packet_jitters,
                      trace_type)
from switches import SWITCHES, chosen

SLA_COLUMNS = '''window_start org orchestrator_address pipeline_id model_id
gpu_id gpu_model_name region known_sessions_count requested_sessions
startup_success_sessions no_orch_sessions startup_excused_sessions
startup_failed_sessions loading_only_sessions zero_output_fps_sessions
output_failed_sessions effective_failed_sessions confirmed_swapped_sessions
inferred_swap_sessions total_swapped_sessions sessions_ending_in_error
error_status_samples health_signal_count health_expected_signal_count
output_fps_sum status_samples prompt_to_first_frame_sum_ms
prompt_to_first_frame_sample_count e2e_latency_sum_ms
e2e_latency_sample_count health_signal_coverage_ratio startup_success_rate
excused_failure_rate effective_success_rate no_swap_rate
output_viability_rate avg_output_fps avg_prompt_to_first_frame_ms
avg_e2e_latency_ms ptff_p50 ptff_p90 ptff_benchmark_row_count e2e_p50 e2e_p90
e2e_benchmark_row_count fps_p10 fps_p50 fps_benchmark_row_count
ptff_score_raw e2e_score_raw fps_score_raw reliability_score ptff_score
e2e_score latency_score fps_score quality_score sla_semantics_version
sla_score'''.split()

# What lens `assay` has beside them.
ASSAY_SLA_COLUMNS = (SLA_COLUMNS + ['fps_samples', 'fps_jitter_coefficient']
                     + hourly.EXTRA_COLUMNS)

SESSION_COLUMNS = '''session_key org stream_id request_id gateway started_at
first_processed_at few_processed_at first_ingest_at runner_first_processed_at
status_start_time last_seen started_count playable_count no_orch_count
completed_count swap_count status_samples online_samples running_samples
fps_positive_samples degraded_input_samples degraded_inference_samples
error_samples error_seen startup_error_count excusable_error_count
status_hint trace_hint event_hint requested_seen playable_seen completed
selection_event_id selection_ts selection_trigger selection_outcome
attribution_status attribution_reason attribution_method
attribution_confidence attribution_snapshot_ts orchestrator_address
orchestrator_uri pipeline_id model_id gpu_id startup_outcome startup_label
excusal_reason loading_only_session zero_output_fps_session
health_signal_count health_expected_signal_count startup_latency_ms
e2e_latency_ms ptff_ms'''.split()

SELECTION_COLUMNS = '''selection_event_id org session_key selection_ts
selection_trigger event_id orchestrator_identity observed_address
observed_url pipeline_hint model_hint attribution_status attribution_reason
attribution_method attribution_confidence attribution_snapshot_ts
orchestrator_address orchestrator_uri pipeline_id model_id gpu_id'''.split()

COUNT_COLUMNS = ['class', 'reason', 'org', 'received', 'unique']

_EPOCH = datetime.datetime(1970, 1, 1)


def instant(ms):
    """RFC 3339 with milliseconds, null for null."""
    if ms is None:
        return None
    when = _EPOCH + datetime.timedelta(milliseconds=ms)
    return when.isoformat(timespec='milliseconds') + 'Z'


def window(ms):
    """RFC 3339 without milliseconds."""
    when = _EPOCH + datetime.timedelta(milliseconds=ms)
    return when.isoformat(timespec='seconds') + 'Z'


class SessionRow:
    """A session as one pass leaves it."""

    def __init__(self, session, selection, decision):
        self.session = session
        self.selection = selection    # of this pass or carried, or None
        self.decision = decision      # with the ambiguous override
        self.selected = selection is not None
        s = session
        hints = [s.status_hint, s.trace_hint, s.event_hint]
        first = next((h for h in [decision.pipeline] + hints if h), '')
        self.pipeline, self.model = normalise(first, decision.model)


def _never_selected(session):
    reason = 'missing_candidate'
    if session.excusal_reason(selected=False) == 'no_orch':
        reason = 'no_selection_no_orch_excused'
    return attribution.Decision('unresolved', reason, None, None)


class Part:
    """One session in one SLA row (3.1).

    `hour` holds its samples; None for an orchestrator that it left (88).
    `counts` says that the session's flags and latencies count here, `swapped`
    that its swap does.
    """

    def __init__(self, session, last, hour, counts, swapped):
        self.session = session
        self.last = last
        self.hour = hour
        self.counts = counts
        self.swapped = swapped
        self.card = last.decision


class Lens:
    """All evidence, and the result of the pass that was run last."""

    def __init__(self):
        self.intake = Intake()

    def add(self, record, default_org=''):
        self.intake.take(record, default_org)

    def run(self, mode, switches=()):
        """Computes everything; mode is 'settled' or 'whole'.

        With switches it must be 'whole'.
        """
        self.switches = chosen(switches)
        assert mode == 'whole' or not self.switches
        events = self.intake.events.values()
        self.sessions = build_sessions(events, self.switches)
        self.packets = packet_jitters(events)
        self.elements = {}
        for event in events:
            if event.family == 'network_capabilities':
                self.elements.setdefault(event.org, []).extend(
                    snapshots.elements_of(event))
        self.mode = mode
        self.selections = []
        self.chosen = {}       # session key -> its selections in order
        self.stored = {}       # session key -> latest selection so far
        self.last_row = {}     # session key -> SessionRow
        self.owner = {}        # (session key, day) -> SessionRow
        for org in sorted({s.org for s in self.sessions.values()}):
            self._run_org(org)
        self.rows = self._sla_rows()
        score.score_rows(self.rows, self.switches)

    def _run_org(self, org):
        mine = [s for s in self.sessions.values() if s.org == org]
        if self.mode == 'whole':
            self._pass(org, mine, None, None)
            return
        for day in sorted({d for s in mine for d in s.days}):
            touched = [s for s in mine if day in s.days]
            self._pass(org, touched, day, day + DAY_MS)

    def _pass(self, org, touched, start, end):
        found = {s.key: attribution.find_selections(s, start, end)
                 for s in touched}
        candidates = [sel.candidate for selections, _ in found.values()
                      for sel in selections]
        seen = ({c.address for c in candidates} | {c.url for c in candidates})
        intervals = snapshots.load(self.elements.get(org, []), seen, start,
                                   end, 'late_snapshot' in self.switches)
        for session in touched:
            selections, identities = found[session.key]
            for sel in selections:
                sel.decision = attribution.decide(sel.candidate, intervals,
                                                  self.switches)
            self.selections.extend(selections)
            self.chosen[session.key] = selections
            row = self._session_row(session, selections, identities)
            self.last_row[session.key] = row
            for hour in session.hours:
                if start is None or start <= hour.start < end:
                    self.owner[session.key, hour.start] = row

    def _session_row(self, session, selections, identities):
        own = attribution.latest(selections)
        if own is not None:
            self.stored[session.key] = own
            decision = own.decision
            if decision.reason == 'missing_candidate' and len(identities) > 1:
                decision = attribution.ambiguous()
            return SessionRow(session, own, decision)
        carried = self.stored.get(session.key)
        if carried is not None:
            return SessionRow(session, carried, carried.decision)
        return SessionRow(session, None, _never_selected(session))

    # Swaps (86 to 88).

    def inferred_swap(self, session):
        """Without a trace, but the attributed orchestrator changed."""
        if 'inferred_swaps' not in self.switches or session.swap_count:
            return False
        named = [s.decision.address for s in self.chosen[session.key]
                 if s.decision.address]
        return any(a != b for a, b in zip(named, named[1:]))

    def _leavings(self, session):
        """(time, decision or None) of every orchestrator that was left."""
        selections = self.chosen[session.key]
        if self.inferred_swap(session):
            named = [s for s in selections if s.decision.address]
            return [(b.ts, a.decision) for a, b in zip(named, named[1:])
                    if a.decision.address != b.decision.address]
        out = []
        for e in session.events:
            if (e.family == 'stream_trace'
                    and trace_type(e) == 'orchestrator_swap'):
                own = [s for s in selections if s.candidate.event.id == e.id]
                before = [s for s in selections if s.ts <= e.ts]
                left = own[:1] or before[-1:]
                out.append((e.ts, e.id.encode(),
                            left[0].decision if left else None))
        return [(ts, decision) for ts, _, decision in
                sorted(out, key=lambda leaving: leaving[:2])]

    def _left_parts(self, session, last, groups):
        """Adds the parts of what was left; true if its own was among them."""
        own = False
        done = set()
        for ts, decision in self._leavings(session) if session.hours else []:
            address = decision.address if decision else ''
            if address == last.decision.address:
                own = True
                continue
            begun = [h.start for h in session.hours if h.start <= ts]
            hour = begun[-1] if begun else session.hours[0].start
            if (hour, address) in done:
                continue
            done.add((hour, address))
            row = SessionRow(session, None, decision or _never_selected(session))
            key = (hour, session.org, address, row.pipeline, row.model,
                   decision.gpu if decision else '')
            part = Part(session, last, None, True, True)
            part.card = decision or attribution.ambiguous()
            groups.setdefault(key, []).append(part)
        return own

    # SLA input rows (3.1).

    def _sla_rows(self):
        groups = {}
        for session in self.sessions.values():
            last = self.last_row[session.key]
            swapped = session.swap_count > 0 or self.inferred_swap(session)
            if 'swap_charged_to_left' in self.switches:
                swapped = self._left_parts(session, last, groups)
            counted = False
            for hour in session.hours:
                sought_from = None
                if self.mode == 'settled':
                    day = hour.start // DAY_MS * DAY_MS
                    sought_from = day - HOUR_MS
                if session.is_tail_artefact(hour, sought_from):
                    continue
                owner = self.owner[session.key, hour.start]
                key = (hour.start, session.org, owner.decision.address,
                       owner.pipeline, owner.model, last.decision.gpu)
                counts = not (counted
                              and 'session_counted_once' in self.switches)
                counted = True
                groups.setdefault(key, []).append(
                    Part(session, last, hour, counts, swapped))
        self.members = [groups[key] for key in sorted(groups)]
        return [self._sla_row(key, groups[key]) for key in sorted(groups)]

    def _sla_row(self, key, members):
        start, org, address, pipeline, model, gpu = key
        asked = [m for m in members if m.counts and m.session.requested()]
        judged = [m for m in asked if not self._uncounted(m)]
        own = [m for m in members if m.hour]

        def count(test, among=judged):
            return sum(1 for m in among if test(m.session, m.last))

        def failed(session, last, excused):
            if session.startup_outcome() != 'failed':
                return False
            reason = session.excusal_reason(last.selected)
            return (reason != 'none') == excused

        def output_failed(session):
            return session.loading_only() or session.zero_output_fps()

        ptffs, latencies, fps, signals, expected = [], [], [], 0, 0
        startups = [m.session.startup_latency_ms for m in own
                    if m.counts and m.session.startup_latency_ms]
        for m in own:
            fps.extend(m.hour.fps)
            if m.counts and m.session.ptff_ms:
                ptffs.append(m.session.ptff_ms)
            if m.hour.latencies:
                latencies.extend(m.hour.latencies)
            elif m.counts and m.session.e2e_latency_ms:
                latencies.append(m.session.e2e_latency_ms)
            if m.counts and not self._uncounted(m):
                signals += m.session.health_signals()
                expected += m.session.expected_signals()
        swapped = [m for m in judged if m.swapped]
        inferred = [m for m in swapped if self.inferred_swap(m.session)]
        split = 'inferred_swaps' in self.switches
        row = {
            'window_start_ms': start,
            'distributions': {
                'startup_latency_ms': startups, 'ptff_ms': ptffs,
                'e2e_latency_ms': latencies, 'output_fps': fps},
            'window_start': window(start),
            'org': org,
            'orchestrator_address': address,
            'pipeline_id': pipeline,
            'model_id': model or None,
            'gpu_id': gpu or None,
            'gpu_model_name': None,
            'region': None,
            'known_sessions_count': len(asked),
            'requested_sessions': len(asked),
            'startup_success_sessions': count(
                lambda s, _: s.startup_outcome() == 'success'),
            'no_orch_sessions': count(
                lambda s, l: s.selection_outcome(l.selected) == 'no_orch',
                asked),
            'startup_excused_sessions': count(
                lambda s, l: failed(s, l, True), asked),
            'startup_failed_sessions': count(
                lambda s, l: failed(s, l, False)),
            'loading_only_sessions': count(lambda s, _: s.loading_only()),
            'zero_output_fps_sessions': count(
                lambda s, _: s.zero_output_fps()),
            'output_failed_sessions': count(lambda s, _: output_failed(s)),
            'effective_failed_sessions': count(
                lambda s, l: failed(s, l, False) or output_failed(s)),
            'confirmed_swapped_sessions': (len(swapped) - len(inferred)
                                           if split else 0),
            'inferred_swap_sessions': len(inferred),
            'total_swapped_sessions': len(swapped),
            'sessions_ending_in_error': count(
                lambda s, _: s.error_samples > 0),
            'error_status_samples': sum(m.hour.errors for m in own),
            'health_signal_count': signals,
            'health_expected_signal_count': expected,
            'output_fps_sum': score.exact_sum(fps),
            'status_samples': sum(m.hour.samples for m in own),
            'fps_samples': len(fps),
            'prompt_to_first_frame_sum_ms': score.exact_sum(ptffs),
            'prompt_to_first_frame_sample_count': len(ptffs),
            'e2e_latency_sum_ms': score.exact_sum(latencies),
            'e2e_latency_sample_count': len(latencies)}
        if len(self.switches) == len(SWITCHES):
            self._add_extras(row, members)
        return row

    def _add_extras(self, row, members):
        """What lens assay has where the publisher has nothing."""
        own = [m for m in members if m.hour]
        jitters = [m.hour.jitter() for m in own]
        jitters = [j for j in jitters if j is not None]
        for name, column in (('gpu_name', 'gpu_model_name'),
                             ('runner_version', 'runner_version')):
            row[column] = min({getattr(m.card, name) for m in members} - {''},
                              key=str.encode, default=None)
        memories = [m.card.gpu_memory for m in members if m.card.gpu_memory]
        row['gpu_memory_bytes_total'] = max(memories, default=None)
        row['fps_jitter_sum'] = score.exact_sum(jitters)
        row['fps_jitter_hour_count'] = len(jitters)
        row['fps_jitter_coefficient'] = (
            row['fps_jitter_sum'] / len(jitters) if jitters else None)
        counted = [m.session for m in own if m.counts]
        row['cold_sessions'] = sum(
            s.cold and s.requested() for s in counted)
        for word, cold in (('cold', True), ('warm', False)):
            found = [s.startup_latency_ms for s in counted
                     if s.cold == cold and s.startup_latency_ms]
            row[f'{word}_startup_latency_sum_ms'] = sum(found)
            row[f'{word}_startup_latency_sample_count'] = len(found)
            row[f'avg_{word}_startup_latency_ms'] = (
                sum(found) / len(found) if found else None)

        for kind in ('video', 'audio'):
            found = [j for m in own for j in self.packets.get(
                (m.session.key, m.hour.start), {}).get(kind, [])]
            name = f'ingest_{kind}_packet_jitter'
            row[f'{name}_sum_ms'] = score.exact_sum(found)
            row[f'{name}_sample_count'] = len(found)
            row[f'avg_{name}_ms'] = (
                row[f'{name}_sum_ms'] / len(found) if found else None)

    def _uncounted(self, part):
        """Excused, and excused sessions do not count (90)."""
        return ('excused_not_counted' in self.switches and part.session
                .excusal_reason(part.last.selected) != 'none')

    # Export.

    def export_sla(self):
        def cell(value):
            return score.shown(value) if isinstance(value, float) else value
        assay = len(self.switches) == len(SWITCHES)
        columns = ASSAY_SLA_COLUMNS if assay else SLA_COLUMNS
        return [{c: cell(row[c]) for c in columns} for row in self.rows]

    def export_demand(self):
        return _told(hourly.DEMAND_COLUMNS, hourly.demand(self))

    def export_gpus(self):
        assay = len(self.switches) == len(SWITCHES)
        return _told(hourly.ASSAY_GPU_COLUMNS if assay else
                     hourly.GPU_COLUMNS, hourly.gpus(self))

    def export_percentiles(self, by='orchestrator', start=0, end=math.inf):
        return percentiles.rows(self.rows, by, start, end)

    def export_counts(self):
        return self.intake.count_rows()

    def requests(self):
        """What of the run's events no stream is made of."""
        return jobs.Requests(self.intake.events.values(), self.elements,
                             self.sessions.values(), self.mode, self.switches)

    def export_inventory(self):
        return _told(network.OFFER_COLUMNS, network.Network(
            e for e in self.intake.events.values()
            if e.family == 'network_capabilities').rows())

    def export_selections(self):
        rows = [_selection_row(s) for s in self.selections]
        rows.sort(key=lambda r: (r['session_key'], r['selection_ts'],
                                 r['selection_event_id']))
        return rows

    def export_sessions(self):
        return [_export_session(self.last_row[key])
                for key in sorted(self.sessions)]


def _told(columns, rows):
    """The columns of rows, moments written out."""
    moments = {'last_seen': 'last_seen_ms', 'completed_at': 'completed_ms',
               'received_at': 'received_ms', 'event_ts': 'event_ms',
               'attribution_snapshot_ts': 'attribution_snapshot_ms'}

    def cell(row, name):
        if name == 'window_start':
            return window(row['window_start_ms'])
        if name in moments:
            return instant(row[moments[name]])
        value = row[name]
        return score.shown(value) if isinstance(value, float) else value
    return [{name: cell(row, name) for name in columns} for row in rows]


def request_tables(requests):
    """The export of each table that `jobs.Requests` makes, by its name."""
    return {'requests': _told(jobs.DEMAND_COLUMNS, requests.demand()),
            'batch-jobs': _told(jobs.BATCH_COLUMNS, requests.batch),
            'byoc-jobs': _told(jobs.BYOC_COLUMNS, requests.byoc),
            'payments': _told(jobs.ASSAY_PAYMENT_COLUMNS,
                              requests.payments())}


def _decision_columns(decision):
    return {'attribution_status': decision.status,
            'attribution_reason': decision.reason,
            'attribution_method': decision.method,
            'attribution_confidence': decision.confidence,
            'attribution_snapshot_ts': instant(decision.snapshot_ts),
            'orchestrator_address': decision.address,
            'orchestrator_uri': decision.uri,
            'pipeline_id': decision.pipeline,
            'model_id': decision.model or None,
            'gpu_id': decision.gpu or None}


def _selection_row(selection):
    c = selection.candidate
    row = {'selection_event_id': selection.id,
           'org': c.event.org,
           'session_key': selection.session_key,
           'selection_ts': instant(selection.ts),
           'selection_trigger': selection.trigger,
           'event_id': c.event.id,
           'orchestrator_identity': c.identity,
           'observed_address': c.address,
           'observed_url': c.url,
           'pipeline_hint': c.hints[0],
           'model_hint': c.hints[1]}
    row.update(_decision_columns(selection.decision))
    return row


_PLAIN = '''org stream_id request_id gateway started_count playable_count
no_orch_count completed_count swap_count status_samples online_samples
running_samples fps_positive_samples degraded_input_samples
degraded_inference_samples error_samples startup_error_count
excusable_error_count status_hint trace_hint event_hint startup_latency_ms
e2e_latency_ms ptff_ms'''.split()

_TIMES = '''started_at first_processed_at few_processed_at first_ingest_at
runner_first_processed_at status_start_time last_seen'''.split()


def _export_session(row):
    s = row.session
    sel = row.selection
    out = {'session_key': s.key}
    out.update({name: getattr(s, name) for name in _PLAIN})
    out.update({name: instant(getattr(s, name)) for name in _TIMES})
    out.update(_decision_columns(row.decision))
    out.update({
        'pipeline_id': row.pipeline,
        'model_id': row.model or None,
        'error_seen': int(s.error_samples > 0),
        'requested_seen': int(s.requested()),
        'playable_seen': int(s.playable()),
        'completed': int(s.completed_count > 0),
        'selection_event_id': sel.id if sel else None,
        'selection_ts': instant(sel.ts) if sel else None,
        'selection_trigger': sel.trigger if sel else None,
        'selection_outcome': s.selection_outcome(row.selected),
        'startup_outcome': s.startup_outcome(),
        'startup_label': s.startup_label(row.selected),
        'excusal_reason': s.excusal_reason(row.selected),
        'loading_only_session': int(s.loading_only()),
        'zero_output_fps_session': int(s.zero_output_fps()),
        'health_signal_count': s.health_signals(),
        'health_expected_signal_count': s.expected_signals()})
    return {c: out[c] for c in SESSION_COLUMNS}
