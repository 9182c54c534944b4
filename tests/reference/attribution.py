"""Selection events of a session in a pass, and whom each is attributed to.

For: specification 2.3, 2.4, 2.6 and the selection filter of 11, with
DECISIONS.md 30 to 40 and 49 to 57.
"""

from jsontext import lower, member, string, trim
from sessions import is_session_event, trace_type
from snapshots import H

PIPELINES = {
    'live-video-to-video', 'text-to-image', 'image-to-image',
    'image-to-video', 'text-to-video', 'audio-to-text', 'text-to-speech',
    'upscale', 'llm', 'image-to-text', 'segment-anything-2', 'noop'}

FOLDED_MODELS = {'streamdiffusion', 'streamdiffusion-sdxl',
                 'streamdiffusion-sdxl-v2v', 'streamdiffusion-sdxl-faceid'}

ALIASES = {
    **{name: name for name in FOLDED_MODELS},
    'pip_sdxl-turbo': 'streamdiffusion-sdxl',
    'pip_sd-turbo': 'streamdiffusion-sdxl',
    'pip_sdxl-turbo-v2v': 'streamdiffusion-sdxl-v2v',
    'pip_sdxl-turbo-faceid': 'streamdiffusion-sdxl-faceid'}

EXACT_AGE_MS = 10 * 60 * 1000
FUTURE_MS = 30 * 1000
LATE_MS = 60 * 60 * 1000

CLASSES = ['exact', 'prior', 'future', 'stale', 'late']
OUTCOMES = {'exact': ('resolved', 'matched'),
            'prior': ('resolved', 'matched_prior'),
            'future': ('resolved', 'future_skew'),
            'stale': ('stale', 'stale_candidate'),
            'late': ('resolved', 'late_snapshot')}
IDENTITY_TYPES = ['uri', 'address', 'alias']


def normalise(pipeline_hint, model_hint):
    """N of specification 2.3."""
    hint = lower(trim(pipeline_hint))
    pipeline = hint if hint in PIPELINES else ''
    model = trim(model_hint)
    if lower(model) in FOLDED_MODELS:
        model = lower(model)
    if not model and hint in ALIASES:
        model = ALIASES[hint]
        pipeline = 'live-video-to-video'
    if not pipeline and model.startswith('streamdiffusion'):
        pipeline = 'live-video-to-video'
    if lower(pipeline) == lower(model):
        pipeline = ''
    return pipeline, model


class Candidate:
    """A session event as a possible sign of a selection."""

    def __init__(self, event):
        data = event.data
        self.event = event
        self.address = lower(string(member(data, 'orchestrator_info',
                                           'address')))
        self.url = lower(string(member(data, 'orchestrator_info', 'url')))
        self.identity = self.address or self.url
        hint = string(member(data, 'pipeline'))
        kind = trace_type(event)
        if event.family == 'stream_trace':
            self.priority = 1
            self.hints = normalise(string(member(data, 'pipeline_id')), '')
            self.swap = kind == 'orchestrator_swap'
        else:
            self.priority = 2 if event.family == 'ai_stream_status' else 3
            self.hints = normalise('', hint)
            self.swap = self.priority == 3 and 'swap' in kind

    def filter_order(self):
        return (self.event.ts, self.priority, self.event.id.encode())

    def trigger_order(self):
        e = self.event
        return (e.ts, self.priority, e.partition, e.offset, e.id.encode())


class Selection:
    """A selection event; its decision is made once snapshots are loaded."""

    def __init__(self, session_key, candidate, trigger):
        self.session_key = session_key
        self.candidate = candidate
        self.trigger = trigger
        self.ts = candidate.event.ts
        self.id = H(candidate.event.org, session_key, candidate.event.id)
        self.decision = None


def find_selections(session, start, end):
    """(selection events in trigger order, identities seen) of one pass."""
    candidates = [Candidate(e) for e in session.events if is_session_event(e)
                  and (start is None or start <= e.ts < end)]
    candidates.sort(key=Candidate.filter_order)
    kept = []
    for i, c in enumerate(candidates):
        if i == 0 or c.swap or c.identity != candidates[i - 1].identity:
            kept.append(c)
    kept.sort(key=Candidate.trigger_order)
    selections = []
    previous = None
    for c in kept:
        if not c.identity:
            continue
        if previous is None:
            trigger = 'initial'
        elif c.swap:
            trigger = 'swap'
        elif c.identity != previous:
            trigger = 'orch_change_fallback'
        else:
            trigger = None
        previous = c.identity
        if trigger:
            selections.append(Selection(session.key, c, trigger))
    identities = {c.identity for c in candidates if c.identity}
    return selections, identities


def latest(selections):
    """The greatest time; of equal times the first in trigger order."""
    best = None
    for s in selections:
        if best is None or s.ts > best.ts:
            best = s
    return best


class Decision:
    """Whom a selection event is attributed to, and why."""

    def __init__(self, status, reason, method, confidence, interval=None,
                 gpu='', surface=()):
        self.status = status
        self.reason = reason
        self.method = method
        self.confidence = confidence
        version = interval.version if interval else None
        self.snapshot_ts = version.valid_from if version else None
        self.address = version.address if version else ''
        self.uri = version.uri if version else ''
        self.pipeline = interval.pipeline if interval else ''
        self.model = interval.model if interval else ''
        self.gpu = gpu
        names = {i.name for i in surface} - {''}
        self.gpu_name = '+'.join(sorted(names, key=str.encode))
        self.runner_version = next((i.runner_version for i in surface
                                    if i.runner_version), '')
        cards = {}
        for i in surface:
            if i.gpu:
                cards.setdefault(i.gpu, max(i.memory, 0))
        self.gpu_memory = sum(cards.values()) or None


def unresolved(reason):
    return Decision('unresolved', reason, 'missing', 'low')


def ambiguous():
    return Decision('ambiguous', 'ambiguous_candidates', 'ambiguous', 'low')


def _classified(intervals, t, switches):
    """(class, interval) of one identity type's intervals at time t."""
    at = [i for i in intervals if i.version.valid_from == t]
    if at:
        return [('exact', i) for i in at]
    out = []
    starts = {i.version.valid_from for i in intervals}
    before = max((s for s in starts if s < t), default=None)
    after = min((s for s in starts if s > t), default=None)
    for i in intervals:
        if i.version.valid_from == before:
            if t - before > EXACT_AGE_MS:
                out.append(('stale', i))
            else:
                inside = i.version.contains(t)
                out.append(('exact' if inside else 'prior', i))
        elif i.version.valid_from == after and after - t <= FUTURE_MS:
            out.append(('future', i))
        elif (i.version.valid_from == after and after - t <= LATE_MS
              and 'late_snapshot' in switches):
            out.append(('late', i))
    return out


def _compatible(interval, hints):
    pipeline, model = hints
    return ((not pipeline or lower(pipeline) == lower(interval.pipeline))
            and (not model or lower(model) == lower(interval.model)))


def _choose_gpu(surface, switches):
    """(gpu, hardware flag) of intervals in order; 11 on 2.6."""
    complete = all(i.hardware and i.pipeline and i.model for i in surface)
    gpus = {i.gpu for i in surface if i.gpu}
    if complete and len(gpus) > 1:
        if 'multi_gpu' in switches:
            return '+'.join(sorted(gpus, key=str.encode)), True
        return '', True
    return surface[0].gpu, surface[0].hardware


def decide(candidate, intervals, switches=frozenset()):
    """The decision for one selection event, from its org's intervals."""
    c = candidate
    t = c.event.ts
    if 'late_snapshot' in switches:
        intervals = [i for i in intervals
                     if i.version.valid_from <= t + LATE_MS]
    by_address = [i for i in intervals
                  if c.address and i.version.address == c.address]
    by_alias = [i for i in intervals
                if c.address and i.version.alias == c.address]
    if c.url:
        by_url = [i for i in intervals if i.version.uri == c.url]
        if not by_url:
            if by_alias:
                return unresolved('missing_uri_snapshot_local_alias_present')
            if by_address:
                return unresolved(
                    'missing_uri_snapshot_address_match_present')
            return unresolved('missing_candidate')
        pools = {'uri': by_url}
    else:
        pools = {'address': by_address, 'alias': by_alias}
    found = [(kind, freshness, interval)
             for kind, pool in pools.items()
             for freshness, interval in _classified(pool, t, switches)]
    if not found:
        return unresolved('missing_candidate')
    best = min((f[1] for f in found), key=CLASSES.index)
    found = [f for f in found if f[1] == best]
    found = [f for f in found if _compatible(f[2], c.hints)] or found
    kind = min((f[0] for f in found), key=IDENTITY_TYPES.index)
    surface = [f[2] for f in found if f[0] == kind]
    surface.sort(key=lambda i: (-i.version.valid_from, i.hash))
    if len({i.surface() for i in surface}) > 1:
        return ambiguous()
    gpu, hardware = _choose_gpu(surface, switches)
    status, reason = OUTCOMES[best]
    if not hardware:
        status, reason = 'hardware_less', 'matched_without_hardware'
    confidence = 'high'
    if status == 'stale' or reason == 'late_snapshot':
        confidence = 'medium'
    return Decision(status, reason, kind + '_interval_' + best, confidence,
                    surface[0], gpu, surface)
