"""Session keys, whole-session facts, outcomes, latencies, session-hours.

For: specification 2.1, 2.2, 2.8 to 2.10 with DECISIONS.md 18 to 34, 58 to 61,
and the switches 78, 81 to 85, 89.
Everything here is about one session and all its events, however late; what
depends on the pass (selection, attribution) is added by lens.py.
"""

import math
from fractions import Fraction

from accept import CANONICAL_TRACES, LAST_MS
from jsontext import double, integer, lower, member, string

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS

RUNNING_STATES = {'ONLINE', 'DEGRADED_INPUT', 'DEGRADED_INFERENCE'}

EXCUSABLE = ('no orchestrators available', 'mediamtx ingest disconnected',
             'whip disconnected', 'missing video',
             'ice connection state failed', 'user disconnected')

SESSION_FAMILIES = {'stream_trace', 'ai_stream_status', 'ai_stream_events'}


def session_key(event):
    stream = string(member(event.data, 'stream_id'))
    request = string(member(event.data, 'request_id'))
    if not stream and not request:
        return ''
    return '|'.join([event.org, stream or '_missing_stream',
                     request or '_missing_request'])


def trace_type(event):
    return string(member(event.data, 'type'))


def is_session_event(event):
    """Makes a session and opens a day: canonical trace, status or event."""
    if event.family == 'stream_trace':
        return trace_type(event) in CANONICAL_TRACES
    return event.family in ('ai_stream_status', 'ai_stream_events')


def _first(times):
    """The least time; null if there is none or if it is the epoch."""
    return (min(times) or None) if times else None


def _latest(events, value_of):
    """The value of the latest event that has a non-blank one."""
    best = max((e for e in events if value_of(e)),
               key=lambda e: (e.ts, e.id.encode()), default=None)
    return value_of(best) if best else ''


def _pipeline(event):
    return string(member(event.data, 'pipeline'))


class Sample:
    """What one ai_stream_status says."""

    def __init__(self, event):
        data = event.data
        self.ts = event.ts
        self.gateway = event.gateway
        self.state = string(member(data, 'state'))
        self.fps = double(member(data, 'inference_status', 'fps'))
        self.latency = double(member(data, 'inference_status', 'latency_ms'))
        error = string(member(data, 'inference_status', 'last_error'))
        self.error = error not in ('', 'null')
        start = integer(member(data, 'start_time'))
        self.start_time = start if 0 < start <= LAST_MS else None
        self.online = self.state == 'ONLINE'
        self.running = self.state in RUNNING_STATES


class Hour:
    """The samples of one session in one UTC hour."""

    def __init__(self, start, samples, switches):
        self.start = start
        self.samples = len(samples)
        self.fps_positive = sum(s.fps > 0 for s in samples)
        self.running = sum(s.running for s in samples)
        self.errors = sum(s.error for s in samples)
        self.fps = [s.fps for s in samples]
        if 'fps_without_zeros' in switches:
            self.fps = [fps for fps in self.fps if fps > 0]
        self.latencies = [s.latency for s in samples if s.latency > 0]

    def jitter(self):
        """sigma / mu of FPS above 0, what is under the root rounded once."""
        fps = [f for f in self.fps if f > 0]
        if len(fps) < 2 or min(fps) < 1e-60 or max(fps) > 1e60:
            return None
        values = [Fraction(f) for f in fps]
        spread = len(fps) * sum(f * f for f in values) - sum(values) ** 2
        return math.sqrt(float(spread)) / float(sum(values))

    def is_still(self):
        return (self.fps_positive == 0 and self.running == 0
                and self.samples < 3)


def packet_jitters(events):
    """{(session key, hour): {'video': [ms, ...], 'audio': [...]}}."""
    out = {}
    for event in events:
        key = session_key(event)
        tracks = member(event.data, 'stats', 'track_stats')
        if (event.family != 'stream_ingest_metrics' or not key
                or not isinstance(tracks, list)):
            continue
        where = key, event.ts // HOUR_MS * HOUR_MS
        found = out.setdefault(where, {'video': [], 'audio': []})
        for kind, jitters in found.items():
            own = [member(t, 'jitter') for t in tracks
                   if string(member(t, 'type')) == kind]
            own = [float(j) for j in own if isinstance(j, (int, float))
                   and not isinstance(j, bool) and j >= 0]
            jitters.extend(own[:1])
    return out


def first_of_each_id(events):
    """Of the events with one id the first by (time, family)."""
    order = ['stream_trace', 'ai_stream_status', 'ai_stream_events']
    first = {}
    for e in sorted(events, key=lambda e: (e.ts, order.index(e.family))):
        first.setdefault(e.id, e)
    return [e for e in events if first[e.id] is e]


class Session:
    """One session: its events and every fact that no pass can change."""

    def __init__(self, key, events, switches=frozenset()):
        self.key = key
        self.switches = switches
        self.events = events
        self.org = events[0].org
        self.stream_id = string(member(events[0].data, 'stream_id'))
        self.request_id = string(member(events[0].data, 'request_id'))
        traces = [e for e in events if e.family == 'stream_trace']
        statuses = [e for e in events if e.family == 'ai_stream_status']
        notes = [e for e in events if e.family == 'ai_stream_events']
        self._trace_facts(traces)
        self._status_facts(statuses)
        self._note_facts(notes)
        own = [e for e in events if is_session_event(e)]
        self.last_seen = max(e.ts for e in own)
        self.days = sorted({e.ts // DAY_MS * DAY_MS for e in own})
        canonical = [e for e in own if e.family == 'stream_trace']
        self.gateway = (_latest(statuses, lambda e: e.gateway)
                        or _latest(canonical, lambda e: e.gateway))
        self.status_hint = _latest(statuses, _pipeline)
        self.trace_hint = _latest(traces, _pipeline)
        self.event_hint = _latest(notes, _pipeline)
        self._latencies()

    def _trace_facts(self, traces):
        def times(kind):
            return [e.ts for e in traces if trace_type(e) == kind]
        received = times('gateway_receive_stream_request')
        few = times('gateway_receive_few_processed_segments')
        self.started_at = _first(received)
        self.started_count = len(received)
        self.first_processed_at = _first(
            times('gateway_receive_first_processed_segment'))
        self.few_processed_at = _first(few)
        self.playable_count = len(few)
        self.first_ingest_at = _first(
            times('gateway_send_first_ingest_segment'))
        self.runner_first_processed_at = _first(
            times('runner_send_first_processed_segment'))
        self.no_orch_count = len(times('gateway_no_orchestrators_available'))
        self.completed_count = len(times('gateway_ingest_stream_closed'))
        self.swap_count = len(times('orchestrator_swap'))

    def _status_facts(self, statuses):
        self.samples = samples = [Sample(e) for e in statuses]
        self.loading_samples = sum(s.state == 'LOADING' for s in samples)
        loading = [s.ts for s in samples if s.state == 'LOADING']
        output = [s.ts for s in samples if s.fps > 0]
        self.cold = bool(loading) and (
            not output or min(loading) < min(output))
        self.status_start_time = _first(
            [s.start_time for s in samples if s.start_time is not None])
        self.status_samples = len(samples)
        self.online_samples = sum(s.online for s in samples)
        self.running_samples = sum(s.running for s in samples)
        self.fps_positive_samples = sum(s.fps > 0 for s in samples)
        self.degraded_input_samples = sum(
            s.state == 'DEGRADED_INPUT' for s in samples)
        self.degraded_inference_samples = sum(
            s.state == 'DEGRADED_INFERENCE' for s in samples)
        self.error_samples = sum(s.error for s in samples)
        by_hour = {}
        for s in samples:
            by_hour.setdefault(s.ts // HOUR_MS * HOUR_MS, []).append(s)
        self.hours = [Hour(start, by_hour[start], self.switches)
                      for start in sorted(by_hour)]

    def _note_facts(self, notes):
        errors = [e for e in notes
                  if lower(string(member(e.data, 'type'))) == 'error']
        self.startup_error_count = len(errors)
        messages = [lower(string(member(e.data, 'message'))) for e in errors]
        self.excusable_error_count = sum(
            any(words in m for words in EXCUSABLE) for m in messages)

    def _latencies(self):
        def between(start, end):
            if start is None or end is None or end < start:
                return None
            return end - start
        self.startup_latency_ms = between(self.started_at,
                                          self.first_processed_at)
        self.e2e_latency_ms = between(self.first_ingest_at,
                                      self.runner_first_processed_at)
        self.ptff_ms = between(self.status_start_time, self.few_processed_at)
        playable = between(self.started_at, self.few_processed_at)
        if 'e2e_documented' in self.switches:
            self.e2e_latency_ms = playable
        if 'ptff_from_request' in self.switches:
            self.ptff_ms = playable

    # Outcomes (2.8). Only the excusal depends on the selection.

    def requested(self):
        return self.started_count > 0

    def playable(self):
        return self.playable_count > 0

    def startup_outcome(self):
        if not self.requested():
            return 'unknown'
        return 'success' if self.playable() else 'failed'

    def selection_outcome(self, selected):
        if selected:
            return 'selected'
        return 'no_orch' if self.no_orch_count > 0 else 'unknown'

    def excusal_reason(self, selected):
        if self.startup_outcome() != 'failed':
            return 'none'
        if self.selection_outcome(selected) == 'no_orch':
            return 'no_orch'
        if 0 < self.startup_error_count == self.excusable_error_count:
            return 'excusable_error'
        return 'none'

    def startup_label(self, selected):
        if self.startup_outcome() != 'failed':
            return self.startup_outcome()
        excused = self.excusal_reason(selected) != 'none'
        return 'excused' if excused else 'unexcused'

    def loading_only(self):
        if 'loading_only_documented' in self.switches:
            return 0 < self.status_samples == self.loading_samples
        return (self.status_samples > 0 and self.running_samples == 0
                and self.online_samples == 0)

    def zero_output_fps(self):
        return self.status_samples > 0 and self.fps_positive_samples == 0

    def health_signals(self):
        sampled = self.status_samples > 0
        if 'health_first_processed' in self.switches:
            processed = self.first_processed_at is not None
            return (sampled + processed + self.playable()
                    if self.requested() else 0)
        dead = self.loading_only() and self.zero_output_fps()
        return sampled + self.playable() + (sampled and not dead)

    def expected_signals(self):
        return 3 if self.requested() else 0

    def is_tail_artefact(self, hour, sought_from):
        """2.10; earlier rows count from `sought_from` (None: from ever)."""
        if 'tail_artefact_kept' in self.switches:
            return False
        if self.started_at is None or not self.started_at < hour.start:
            return False
        if not hour.start <= self.last_seen < hour.start + HOUR_MS:
            return False
        if not hour.is_still():
            return False
        earlier = [h for h in self.hours if h.start < hour.start
                   and (sought_from is None or h.start >= sought_from)]
        return not earlier or earlier[-1].is_still()


def build_sessions(events, switches=frozenset()):
    """All sessions of these accepted events, by key."""
    by_key = {}
    for event in events:
        if event.family in SESSION_FAMILIES:
            key = session_key(event)
            if key:
                by_key.setdefault(key, []).append(event)
    out = {}
    for key in sorted(by_key):
        mine = by_key[key]
        if 'dedup_first' in switches:
            mine = first_of_each_id(mine)
        if any(is_session_event(e) for e in mine):
            out[key] = Session(key, mine, switches)
    return out
