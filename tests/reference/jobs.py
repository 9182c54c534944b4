"""Jobs, request demand and payments of the published lens, slow and simple.

For: specification 1.4, 3.8 and 3.9, with DECISIONS.md 98 to 111 and 120. One
`Requests` holds what one run of the lens made; the tables are lists of rows.
"""

import math
import re
from fractions import Fraction

import attribution
import snapshots
from attribution import normalise
from jsontext import double, integer, lower, member, string
from score import exact_sum, shown
from sessions import DAY_MS, HOUR_MS
from switches import SWITCHES

WORKER_REACH_MS = 30 * DAY_MS
BYOC = 37

BATCH_COLUMNS = '''completed_at org request_id gateway pipeline model_id
received_at success tries duration_ms orch_url latency_score price_per_unit
error_type error selection_outcome gpu_model_name attribution_status
attribution_reason attribution_method attribution_confidence
attribution_snapshot_ts orchestrator_address orchestrator_uri gpu_id llm_model
prompt_tokens completion_tokens total_tokens tokens_per_second ttft_ms
finish_reason'''.split()

BYOC_COLUMNS = '''completed_at org event_id request_id gateway capability model
success duration_ms http_status orch_address orch_url worker_url
charged_compute price_per_unit selection_outcome gpu_model_name
attribution_status attribution_reason attribution_method
attribution_confidence attribution_snapshot_ts orchestrator_address
orchestrator_uri gpu_id error'''.split()

DEMAND_COLUMNS = '''window_start org gateway execution_mode capability_family
capability_name capability_id canonical_pipeline pipeline_id canonical_model
orchestrator_address orchestrator_uri job_count selected_count no_orch_count
success_count duration_ms_sum price_sum llm_request_count llm_success_count
llm_total_tokens_sum llm_total_tokens_sample_count llm_tokens_per_second_sum
llm_tokens_per_second_sample_count llm_ttft_ms_sum llm_ttft_ms_sample_count
published'''.split()

PAYMENT_COLUMNS = '''event_ts org event_id gateway session_id request_id
manifest_id pipeline_hint sender_address recipient_address orchestrator_url
face_value_wei price_wei_per_pixel win_prob num_tickets session_key link_method
link_status'''.split()
ASSAY_PAYMENT_COLUMNS = PAYMENT_COLUMNS + ['expected_value_wei']


def boolean(value):
    """Coercion of 1.3: true, or a number that is not zero."""
    if isinstance(value, bool):
        return value
    return isinstance(value, (int, float)) and value != 0


def order(event):
    return (event.ts, event.id.encode())


def kind_of(event):
    return string(member(event.data, 'type'))


def around(value):
    """A sum in 64 bits, as the publisher's columns hold it."""
    value &= 2 ** 64 - 1
    return value - 2 ** 64 if value >= 2 ** 63 else value


class Asked:
    """What attribution is asked about a job."""

    class Moment:
        def __init__(self, ts):
            self.ts = ts

    def __init__(self, ts, address, url, hints):
        self.event = Asked.Moment(ts)
        self.address = address
        self.url = url
        self.hints = hints


def _decision(decision):
    return {'attribution_status': decision.status,
            'attribution_reason': decision.reason,
            'attribution_method': decision.method,
            'attribution_confidence': decision.confidence,
            'attribution_snapshot_ms': decision.snapshot_ts,
            'orchestrator_address': decision.address,
            'orchestrator_uri': decision.uri,
            'gpu_id': decision.gpu or None,
            'gpu_model_name': None}


class Requests:
    """Everything but streams, of one organisation-wide set of events."""

    def __init__(self, events, elements, sessions, mode, switches):
        self.events = sorted(events, key=order)
        self.elements = elements     # by org
        self.sessions = sessions     # session rows that exist
        self.mode = mode
        self.switches = switches
        self.batch, self.byoc = [], []
        for org in sorted({e.org for e in self.events}, key=str.encode):
            mine = [e for e in self.events if e.org == org]
            self._batch_jobs(org, mine)
            self._byoc_jobs(org, mine)

    def _decide(self, org, day, asked):
        """Decisions on what one pass asks; `day` is None for all times."""
        seen = {a.address for a in asked} | {a.url for a in asked}
        end = None if day is None else day + DAY_MS
        intervals = snapshots.load(self.elements.get(org, []), seen, day, end,
                                   'late_snapshot' in self.switches)
        return [attribution.decide(a, intervals, self.switches) for a in asked]

    def _passes(self, jobs):
        """(day or None, its jobs), the day by the completion."""
        if self.mode == 'whole':
            return [(None, jobs)] if jobs else []
        days = sorted({j['completed_ms'] // DAY_MS * DAY_MS for j in jobs})
        return [(day, [j for j in jobs
                       if j['completed_ms'] // DAY_MS * DAY_MS == day])
                for day in days]

    # Batch.

    def _batch_jobs(self, org, events):
        batch = [e for e in events if e.family == 'ai_batch_request'
                 and string(member(e.data, 'request_id'))]
        llms = [e for e in events if e.family == 'ai_llm_request' and
                kind_of(e) in ('llm_request_completed',
                               'llm_stream_completed')]
        completed, received, llm = {}, {}, {}
        for e in batch:
            request = string(member(e.data, 'request_id'))
            if kind_of(e) == 'ai_batch_request_completed':
                completed[request] = e
            elif kind_of(e) == 'ai_batch_request_received':
                received.setdefault(request, e)
        for e in llms:
            llm[string(member(e.data, 'request_id'))] = e
        jobs = [_batch_job(org, e, received.get(r), llm.get(r))
                for r, e in completed.items()]
        jobs.sort(key=lambda j: (j['completed_ms'], j['request_id'].encode()))
        for day, mine in self._passes(jobs):
            asked = [Asked(0 if j['received_ms'] is None else j['received_ms'],
                           '', lower(j['orch_url']),
                           normalise(j['pipeline'], j['model_id'] or ''))
                     for j in mine]
            for job, decision in zip(mine, self._decide(org, day, asked)):
                job.update(_decision(decision))
        self.batch.extend(jobs)

    # Byoc.

    def _byoc_jobs(self, org, events):
        workers = [Worker(e) for e in events
                   if e.family == 'worker_lifecycle']
        jobs = [_byoc_job(org, e) for e in events
                if e.family == 'job_gateway'
                and kind_of(e) == 'job_gateway_completed']
        for day, mine in self._passes(jobs):
            asked = []
            for job in mine:
                worker = _worker_of(job, workers, day)
                job['model'] = (worker.model or None) if worker else None
                job['price_per_unit'] = worker.price if worker else None
                asked.append(Asked(job['completed_ms'], job['orch_address'],
                                   lower(job['orch_url']),
                                   (job['capability'], job['model'] or '')))
            for job, decision in zip(mine, self._decide(org, day, asked)):
                job.update(_decision(decision))
                if not job['model']:
                    job['model'] = decision.model or None
        self.byoc.extend(jobs)

    # Request demand.

    def published_hours(self):
        hours = set()
        for session in self.sessions:
            for ms in (session.started_at, session.last_seen):
                if ms is not None:
                    hours.add(ms // HOUR_MS * HOUR_MS)
            hours.update(h.start for h in session.hours)
        return hours

    def demand(self):
        groups = {}
        for job in self.batch:
            if job['pipeline']:
                key = _demand_key(job, 'builtin', job['pipeline'],
                                  job['model_id'], '')
                groups.setdefault(key, []).append(job)
        for job in self.byoc:
            if job['capability']:
                key = _demand_key(job, 'byoc', job['capability'],
                                  job['model'], job['orch_address'])
                groups.setdefault(key, []).append(job)
        published = self.published_hours()
        return [_demand_row(key, groups[key], published)
                for key in sorted(groups, key=_in_bytes)]

    # Payments.

    def payments(self):
        keys = {}
        for session in self.sessions:
            if session.request_id:
                name = (session.org, session.request_id)
                keys.setdefault(name, []).append(session.key)
        rows = []
        for e in self.events:
            if e.family == 'create_new_payment':
                rows.append(_payment(e, keys))
        rows.sort(key=lambda r: (r['org'].encode(), r['event_ms'],
                                 r['event_id'].encode()))
        if len(self.switches) == len(SWITCHES):
            _link_by_session(rows)
        return rows


def _in_bytes(key):
    return tuple(part.encode() if isinstance(part, str) else part
                 for part in key)


def _batch_job(org, e, received, llm):
    d = e.data
    success = boolean(member(d, 'success'))
    url = string(member(d, 'orch_url'))
    error_type = string(member(d, 'error_type'))
    outcome = 'unknown'
    if url:
        outcome = 'selected'
    elif not success and error_type == 'no_orchestrators':
        outcome = 'no_orch'
    in_time = received is not None and received.ts <= e.ts
    row = {'completed_ms': e.ts, 'org': org,
           'request_id': string(member(d, 'request_id')),
           'gateway': e.gateway, 'pipeline': string(member(d, 'pipeline')),
           'model_id': string(member(d, 'model_id')) or None,
           'received_ms': received.ts if in_time else None,
           'success': int(success), 'tries': integer(member(d, 'tries')),
           'duration_ms': integer(member(d, 'duration_ms')), 'orch_url': url,
           'latency_score': double(member(d, 'latency_score')),
           'price_per_unit': double(member(d, 'price_per_unit')),
           'error_type': error_type, 'error': string(member(d, 'error')),
           'selection_outcome': outcome}
    for name in ('llm_model', 'prompt_tokens', 'completion_tokens',
                 'total_tokens', 'tokens_per_second', 'ttft_ms',
                 'finish_reason'):
        row[name] = None
    if llm is not None:
        d = llm.data
        row.update(
            llm_model=string(member(d, 'model')),
            prompt_tokens=integer(member(d, 'prompt_tokens')),
            completion_tokens=integer(member(d, 'completion_tokens')),
            total_tokens=integer(member(d, 'total_tokens')),
            tokens_per_second=double(member(d, 'tokens_per_second')),
            ttft_ms=integer(member(d, 'ttft_ms')),
            finish_reason=string(member(d, 'finish_reason')))
    return row


def _byoc_job(org, e):
    d = e.data
    success = boolean(member(d, 'success'))
    address = lower(string(member(d, 'orchestrator_info', 'address')))
    url = string(member(d, 'orchestrator_info', 'url'))
    error = string(member(d, 'error'))
    outcome = 'unknown'
    if address or url:
        outcome = 'selected'
    elif not success and 'no orchestrators' in lower(error):
        outcome = 'no_orch'
    return {'completed_ms': e.ts, 'org': org, 'event_id': e.id,
            'request_id': string(member(d, 'request_id')),
            'gateway': e.gateway,
            'capability': string(member(d, 'capability')),
            'success': int(success),
            'duration_ms': integer(member(d, 'duration_ms')),
            'http_status': integer(member(d, 'http_status')),
            'orch_address': address, 'orch_url': url,
            'worker_url': string(member(d, 'worker_url')),
            'charged_compute': int(boolean(member(d, 'charged_compute'))),
            'selection_outcome': outcome, 'error': error}


class Worker:
    """One registration, whatever became of it."""

    def __init__(self, e):
        self.ts = e.ts
        self.capability = string(member(e.data, 'capability'))
        self.address = lower(string(member(e.data, 'orchestrator_info',
                                           'address')))
        self.url = string(member(e.data, 'worker_url'))
        self.price = double(member(e.data, 'price_per_unit'))
        options = member(e.data, 'worker_options')
        first = options[0] if isinstance(options, list) and options else None
        self.model = string(member(first, 'model'))


def _worker_of(job, workers, day):
    """The last registration that is not later than the job."""
    known = [w for w in workers if job['orch_address']
             and w.address == job['orch_address']
             and w.capability == job['capability']
             and w.ts <= job['completed_ms']
             and (day is None or w.ts >= day - WORKER_REACH_MS)]
    url = lower(job['worker_url'])
    same = [w for w in known if url and lower(w.url) == url]
    unknown = [w for w in known if not w.url or not url]
    found = same or unknown
    return found[-1] if found else None


def _demand_key(job, family, name, model, address):
    hour = job['completed_ms'] // HOUR_MS * HOUR_MS
    return (hour, job['org'], job['gateway'], family, name, model or '',
            address, lower(job['orch_url']))


def _demand_row(key, jobs, published):
    hour, org, gateway, family, name, model, address, uri = key
    builtin = family == 'builtin'
    llm = [j for j in jobs if builtin and name == 'llm' and j['llm_model']]
    return {
        'window_start_ms': hour, 'org': org, 'gateway': gateway,
        'execution_mode': 'request', 'capability_family': family,
        'capability_name': name, 'capability_id': None if builtin else BYOC,
        'canonical_pipeline': name if builtin else None, 'pipeline_id': name,
        'canonical_model': model or None, 'orchestrator_address': address,
        'orchestrator_uri': uri, 'job_count': len(jobs),
        'selected_count': _count(jobs, 'selected'),
        'no_orch_count': _count(jobs, 'no_orch'),
        'success_count': sum(j['success'] for j in jobs),
        'duration_ms_sum': around(sum(j['duration_ms'] for j in jobs)),
        'price_sum': shown(exact_sum([j['price_per_unit'] or 0.0
                                      for j in jobs])),
        'llm_request_count': len(llm),
        'llm_success_count': sum(j['success'] for j in llm),
        'llm_total_tokens_sum': around(sum(j['total_tokens'] for j in llm)),
        'llm_total_tokens_sample_count': len(llm),
        'llm_tokens_per_second_sum': shown(exact_sum(
            [j['tokens_per_second'] for j in llm])),
        'llm_tokens_per_second_sample_count': len(llm),
        'llm_ttft_ms_sum': around(sum(j['ttft_ms'] for j in llm)),
        'llm_ttft_ms_sample_count': len(llm),
        'published': int(hour in published)}


def _count(jobs, outcome):
    return sum(j['selection_outcome'] == outcome for j in jobs)


def _wei(text):
    digits = text[:-4] if text.endswith(' WEI') else text
    if not digits or any(c not in '0123456789' for c in digits):
        return 0
    return int(digits) if int(digits) < 2 ** 64 else 0


def _without_number(manifest):
    number, mark, rest = manifest.partition('_')
    digits = bool(number) and all(c in '0123456789' for c in number)
    return rest if mark and digits else manifest


def _link_by_session(rows):
    """To the first of the same session id, from the day before on."""
    named = [dict(r) for r in rows if r['session_key'] and r['session_id']]
    for row in rows:
        day = row['event_ms'] // DAY_MS * DAY_MS
        same = [r for r in named if r['org'] == row['org']
                and r['session_id'] == row['session_id']
                and day - DAY_MS <= r['event_ms'] < day + DAY_MS]
        if not row['session_key'] and same:
            row.update(session_key=same[0]['session_key'],
                       link_method='session_id', link_status='resolved')


_FRACTION = re.compile(r'(0|1)(\.[0-9]+)?\Z')


def _expected(data):
    """Face value * probability * tickets in whole wei, if all is told."""
    chance = string(member(data, 'winProb'))
    tickets = integer(member(data, 'numTickets'))
    if (not _FRACTION.match(chance) or Fraction(chance) > 1 or tickets < 0
            or len(chance) > 61):
        return None
    face = _wei(string(member(data, 'faceValue')))
    return str(math.floor(face * Fraction(chance) * tickets))


def _payment(e, keys):
    d = e.data
    request = string(member(d, 'requestID'))
    found = keys.get((e.org, request), []) if request else []
    price = string(member(d, 'price'))
    if price.endswith(' wei/pixel'):
        price = price[:-len(' wei/pixel')]
    manifest = string(member(d, 'manifestID'))
    return {'event_ms': e.ts, 'org': e.org, 'event_id': e.id,
            'gateway': e.gateway,
            'session_id': string(member(d, 'sessionID')),
            'request_id': request, 'manifest_id': manifest,
            'pipeline_hint': _without_number(manifest),
            'sender_address': lower(string(member(d, 'sender'))),
            'recipient_address': lower(string(member(d, 'recipient'))),
            'orchestrator_url': string(member(d, 'orchestrator')),
            'face_value_wei': str(_wei(string(member(d, 'faceValue')))),
            'price_wei_per_pixel': double(price),
            'win_prob': double(string(member(d, 'winProb'))),
            'num_tickets': integer(member(d, 'numTickets')),
            'session_key': min(found, key=str.encode) if found else None,
            'link_method': 'request_id' if found else 'unlinked',
            'link_status': 'resolved' if found else 'unresolved',
            'expected_value_wei': _expected(d)}
