#!/usr/bin/env python3
"""Seeded synthetic telemetry, dense in edge cases.

For: feeding the real lens and the one in this folder with the same records.

    generate.py --seed N [--days D] [--sessions K] [--benchmark] -o FILE

`generate(seed, ...)` returns a list of records (bytes, one line each), in
delivery order. The same seed gives the same records. A small set is a few
hundred events in which nearly everything odd happens; with `benchmark` there
are eight or more days of well-behaved rows, enough for cohorts, with a day
that lacks a metric, and the odd sessions on top.

Times are chosen around snapshots and midnights, because that is where
attribution, passes and tails change their minds.
"""

import argparse
import json
import random
import sys

import traffic

SECOND, MINUTE, HOUR = 1000, 60 * 1000, 3600 * 1000
DAY = 24 * HOUR
BASE = 1767744000000  # 2026-01-07T00:00:00Z
ORGS = {'cloudspe': 'streaming-events', 'daydream': 'network_events'}

MODELS = ['streamdiffusion-sdxl', 'StreamDiffusion-SDXL-faceid', 'comfyui',
          'noop', 'NOOP', 'streamdiffusion-custom', 'Streamdiffusion-Custom',
          'streamdiffusion']
STATUS_HINTS = MODELS + ['', '', None, 'pip_sdxl-turbo', 'PIP_sd-turbo ',
                         'live-video-to-video', ' comfyui ', 5,
                         'streamdiffusion-sdxl ', 'pip_sdxl-turbo-faceid']
PIPELINE_IDS = ['', '', '', '', None, 'live-video-to-video',
                ' Live-Video-To-Video', 'text-to-image', 'pip_sdxl-turbo-v2v',
                'streamdiffusion', 'something-else', 'noop']
PIPELINES = ['live-video-to-video', 'live-video-to-video',
             'Live-Video-To-Video', 'text-to-image', 'byoc-thing', 'noop',
             '']
STATES = ['ONLINE', 'ONLINE', 'ONLINE', 'DEGRADED_INPUT',
          'DEGRADED_INFERENCE', 'LOADING', 'OFFLINE', 'ERROR', 'online', None]
EXCUSABLE = ['No Orchestrators Available', 'mediamtx ingest disconnected!',
             'the WHIP disconnected', 'missing video', 'user disconnected',
             'ICE connection state failed']
SEVERE = ['CUDA out of memory', 'timeout', '', None, {'code': 5}]
NUMBERS = [0, 1, 15.999951534393748, '12.25', '7', 'fast', '', None, True,
           -3.5, 1e-9, 24.1, '1e1', '007', ' 5', [3], {}, '0x10']
EXTREMES = [1e300, -1e300, 1.7e308, -1.7e308, 1e-320, 1e39, 3.4e38, 2 ** 63,
            '1e308']
ODD = [None, '', 0, 7, 1.5, True, False, 'null', 'x', [], {}, [1, 'a'],
       {'a': {'b': None}}, 'é\u2028\x01', '"\\/', -1, 1e300, 2 ** 63, '12']
IGNORED = ['create_signed_ticket', 'webrtc_stats', 'pipelines_api_request',
           '', 'Stream_Trace']
OTHERS = ['stream_ingest_metrics', 'discovery_results', 'create_new_payment',
          'ai_batch_request', 'ai_llm_request', 'job_gateway', 'job_payment',
          'job_orchestrator', 'job_auth', 'worker_lifecycle']
SCOPE_NOISE = ['stream_heartbeat', 'session_closed', 'error', 'playback_ready',
               'websocket_connected']
BAD_LINES = [
    b'{', b'nonsense', b'[1,2]', b'"text"', b'17', b'null', b'{"id":"a",}',
    b'{"id":"a","timestamp":NaN}', b'{"id":"\\ud800","type":"x"}',
    b'{"id":"\xff"}', b'{"id":1e999}', b'{"a":"\x01"}', b'\xef\xbb\xbf{}x',
    b'{"a":' * 129 + b'1' + b'}' * 129, b'{"id":"a"} {"id":"b"}',
    b"{'id':'a'}", b'{"id":"a\tb"}', b'{"id":01}', b'', b'   ', b'\r']
BAD_TIMES = ['', 'soon', None, True, -5, '12345', '17679089452980', ' 9',
             '2026-02-30', '2026-01-08T25:00:00Z', '2026-01-08T10:00:60Z',
             '1767908945.', 1767908945298.5, {}, '2026-01-08Z',
             '2026-01-08 10:00:00+99:00', '1969-12-31T23:59:59Z', 1e17]

FRESHNESS = [0, 1, -1, 999, 5000, 60000, -30000, -30001, -29999, -5000,
             599999, 600000, 600001, 3600000, -3600000, 20 * MINUTE]


class Orchestrator:
    """What one orchestrator is, and how it describes itself right now."""

    def __init__(self, r, others):
        self.r = r
        self.address = _address(r)
        self.local = _address(r) if r.random() < 0.5 else self.address
        host = r.choice(['orch', 'Rtav-Orch', 'ai', 'live'])
        self.url = 'https://%s%d.example:8935' % (host, r.randrange(1000))
        if others and r.random() < 0.3:
            self.url = r.choice(others).url
        if others and r.random() < 0.2:
            self.local = r.choice(others).local
        self.models = r.sample(MODELS, r.choice([1, 1, 1, 2]))
        self.pipeline = 'live-video-to-video'
        self.gpus = ['GPU-%08x' % r.getrandbits(32)
                     for _ in range(r.choice([1, 1, 1, 2, 3]))]
        self.revision = 0
        self.shape = r.choice(['hardware'] * 5 + ['mixed', 'per-capability',
                                                  'none', 'bare-entry'])
        self.drops_alias = self.no_url = False
        self.own = random.Random(self.address)

    def mutate(self):
        r = self.r
        change = r.randrange(9)
        if change == 0:
            self.models = r.sample(MODELS, r.choice([1, 1, 2]))
        elif change == 1:
            self.gpus = ['GPU-%08x' % r.getrandbits(32)
                         for _ in range(r.choice([1, 1, 2]))]
        elif change == 2:
            self.drops_alias = not self.drops_alias
        elif change == 3:
            self.url = self.url.swapcase()
        elif change == 4:
            self.shape = r.choice(['hardware', 'per-capability', 'none',
                                   'bare-entry', 'mixed'])
        elif change == 5:
            self.no_url = not self.no_url
        elif change == 6:
            self.local = _address(r)
        self.revision += 1

    def _gpu_info(self):
        r = self.r
        gpus = [{'id': g, 'name': 'RTX %d' % (ord(g[-1]) % 3), 'memory_total':
                 25757220864 + i % 2} for i, g in enumerate(self.gpus)]
        if r.random() < 0.1:
            gpus.append({'id': '', 'name': 'unnamed'})
        if r.random() < 0.05:
            gpus.append({'name': 'none'})
        return gpus if r.random() < 0.3 else {
            str(i): g for i, g in enumerate(gpus)}

    def _hardware(self, orderly):
        r = self.r
        if orderly:
            return [{'pipeline': self.pipeline, 'model_id': m, 'gpu_info':
                     {'0': {'id': self.gpus[0], 'memory_total': 24}}}
                    for m in self.models]
        out = []
        for model in self.models:
            entry = {'pipeline': r.choice(PIPELINES) if r.random() < 0.2
                     else self.pipeline, 'model_id': model,
                     'gpu_info': self._gpu_info()}
            if self.shape == 'bare-entry' or (self.shape == 'mixed'
                                              and r.random() < 0.5):
                entry['gpu_info'] = r.choice([None, {}, []])
                if r.random() < 0.3:
                    del entry['gpu_info']
            out.append(entry)
        return out

    def _capabilities(self):
        r = self.r
        numbers = ['35'] + r.sample(['27', '37', '99', '1', '035', '33'], 2)
        per = {n: {'models': {m: {'warm': True, 'capacity': 1}
                              for m in r.sample(MODELS, r.randrange(3))}}
               for n in numbers}
        for n in numbers:
            for model in per[n]['models'].values():
                if self.own.random() < 0.4:
                    model['runnerVersion'] = self.own.choice(
                        ['0.14.0', '0.2', '', None, 7])
        return {'bitstring': '0', 'constraints': {'PerCapability': per}}

    def element(self, orderly=False):
        r = self.r
        e = {'address': self.address, 'local_address': self.local,
             'orch_uri': self.url, 'version': '0.8.%d' % self.revision}
        if orderly:
            e['hardware'] = self._hardware(True)
            return e
        if self.drops_alias:
            e['local_address'] = r.choice(['', None, self.address, '0x12'])
        if self.no_url:
            e['orch_uri'] = ''
        elif r.random() < 0.3:
            e['uri'] = e.pop('orch_uri')
        if self.shape in ('hardware', 'mixed', 'bare-entry'):
            e['hardware'] = self._hardware(False)
        elif r.random() < 0.5:
            e['hardware'] = r.choice([None, []])
        if self.shape in ('per-capability', 'mixed'):
            e['capabilities'] = self._capabilities()
        if self.own.random() < 0.6:
            e['capabilities_prices'] = traffic.prices(self.own)
        if r.random() < 0.06:
            _break_element(r, e)
        return e


def _address(r):
    text = '%040x' % r.getrandbits(160)
    return '0x' + ''.join(c.upper() if r.random() < 0.3 else c for c in text)


def _break_element(r, element):
    """Gives one field of an element an odd type."""
    where = r.randrange(8)
    hardware = element.get('hardware')
    if where == 0:
        element['hardware'] = r.choice(ODD)
    elif where == 1:
        element['capabilities'] = r.choice(ODD)
    elif where == 2:
        element['capabilities'] = {'constraints': r.choice(ODD)}
    elif where == 3:
        element['capabilities'] = {'constraints': {'PerCapability': {
            '35': r.choice([5, None, {'models': r.choice(ODD)},
                            {'models': {'m': r.choice(ODD)}}])}}}
    elif where == 4 and hardware:
        hardware.append(r.choice(ODD))
    elif where == 5 and hardware:
        hardware[0][r.choice(['pipeline', 'model_id', 'gpu_info'])] = (
            r.choice(ODD))
    elif where == 6 and hardware:
        hardware[0]['gpu_info'] = r.choice(
            [{'0': {'id': r.choice(ODD), 'memory_total': r.choice(ODD)}},
             [r.choice(ODD)]])
    else:
        element[r.choice(['address', 'local_address', 'orch_uri'])] = (
            r.choice(ODD))


class Telemetry:
    """Collects events, then turns them into delivered records."""

    def __init__(self, seed, days, sessions):
        self.r = r = random.Random(seed)
        self.days = days
        self.session_count = sessions
        self.grain = r.choice([1, 1, 10, 1000])
        self.extreme = r.random() < 0.04
        self.packet_random = random.Random(-1 - seed)
        self.events = []   # (org, envelope)
        self.used = set()
        self.fleet = []
        for _ in range(r.randrange(3, 9)):
            self.fleet.append(Orchestrator(r, self.fleet))
        self.snapshot_times = {org: [] for org in ORGS}

    # Single events.

    def _id(self, family, ts):
        r = self.r
        if self.events and r.random() < 0.01:
            again = self.events[r.randrange(len(self.events))][1]['id']
            if (again, ts) not in self.used:
                self.used.add((again, ts))
                return again
        fresh = '%08x-%04x' % (r.getrandbits(32), r.getrandbits(16))
        self.used.add((fresh, ts))
        return fresh

    def emit(self, org, family, ts, data, gateway=''):
        ts = max(int(ts), 0)
        self.events.append((org, {
            'id': self._id(family, ts), 'type': family, 'timestamp': str(ts),
            'gateway': gateway, 'data': data}))

    def snapshot(self, org, ts, orderly=False):
        r = self.r
        members = (self.fleet if orderly else
                   r.sample(self.fleet, r.randrange(1, len(self.fleet) + 1)))
        elements = []
        for o in members:
            if not orderly and r.random() < 0.35:
                o.mutate()
            elements.append(o.element(orderly))
        if not orderly:
            if r.random() < 0.1:
                elements.append(r.choice(members).element())
            if r.random() < 0.1:
                elements.insert(0, r.choice(ODD))
            if r.random() < 0.04:
                elements = r.choice([{}, {'orchestrators': elements}, None,
                                     'list'])
        self.emit(org, 'network_capabilities', ts, elements)
        self.snapshot_times[org].append(ts)

    # Odd sessions.

    def _info(self, orch):
        """An orchestrator_info in one of its many forms."""
        r = self.r
        if orch is None:
            return r.choice([{'address': '', 'url': ''}, None, 5, {},
                             {'address': None}])
        address = orch.local if r.random() < 0.6 else orch.address
        url = orch.url
        if r.random() < 0.2:
            url = url.swapcase()
        choice = r.random()
        if choice < 0.25:
            url = ''
        elif choice < 0.35:
            address = ''
        elif choice < 0.4:
            url = 'https://unknown.example'
        elif choice < 0.43:
            address = _address(r)
        elif choice < 0.45:
            return {'address': '0x12', 'url': ''}
        elif choice < 0.47:
            return {'address': r.choice(ODD), 'url': r.choice(ODD)}
        return {'address': address, 'url': url}

    def _names(self, kind):
        r = self.r
        stream = 'stream-%04x' % r.getrandbits(16)
        request = '%06x' % r.getrandbits(24)
        if kind < 0.08:
            stream = r.choice(['', None])
        elif kind < 0.16:
            request = r.choice(['', None])
        elif kind < 0.18:
            stream = request = ''
        elif kind < 0.2:
            stream = 17
        return {'stream_id': stream, 'request_id': request}

    def _start_of_session(self, org):
        r = self.r
        choice = r.random()
        if choice < 0.55 and self.snapshot_times[org]:
            return r.choice(self.snapshot_times[org]) + r.choice(FRESHNESS)
        if choice < 0.8:
            midnight = BASE + DAY * r.randrange(self.days + 1)
            return midnight + r.choice([0, -1, -5000, -30000, 30000, -HOUR,
                                        -MINUTE, 10 * MINUTE, HOUR])
        if choice < 0.82:
            return r.choice([0, 1, 4102444800000])
        return BASE + r.randrange(self.days * DAY)

    def _jitter(self, ms):
        return ms // self.grain * self.grain

    def _statuses(self, org, names, gateway, ts, count, orch, style):
        """`count` status events every few seconds; returns the end."""
        r = self.r
        for _ in range(count):
            state = r.choice(STATES)
            fps = r.choice(NUMBERS) if r.random() < 0.3 else r.random() * 30
            if style == 'still':
                state, fps = r.choice(['OFFLINE', 'LOADING', 'ERROR']), 0
            elif style == 'good':
                state, fps = 'ONLINE', r.random() * 30
            if self.extreme and r.random() < 0.2:
                fps = r.choice(EXTREMES)
            inference = {'fps': fps}
            if r.random() < 0.2:
                inference['latency_ms'] = r.choice(
                    NUMBERS + [100.5, 200, '55.5'])
            if r.random() < 0.2:
                inference['last_error'] = r.choice(
                    ['', None, 'null', 'boom', {}, 0])
            if r.random() < 0.02:
                inference = r.choice(ODD)
            data = dict(names, state=state, inference_status=inference,
                        orchestrator_info=self._info(orch),
                        pipeline=r.choice(STATUS_HINTS))
            if r.random() < 0.7:
                start = ts - r.choice([-4000, 0, 1000, 3000, 9000])
                data['start_time'] = r.choice(
                    [start] * 6 + [str(start), 0, '', 'x', -5, start + 0.7,
                                   None, 1e17, 5])
            self.emit(org, 'ai_stream_status', ts, data,
                      r.choice([gateway, gateway, '', '0xGate']))
            if self.packet_random.random() < 0.5:
                self._packets(org, names, gateway, ts)
            ts += self._jitter(r.choice([0, 1, 5000, 10000]))
        return ts

    def _packets(self, org, names, gateway, ts):
        """What a gateway reports on the packets that come in."""
        r = self.packet_random
        tracks = []
        for kind in r.choice([['video'], ['video', 'audio'], ['audio'], [],
                              ['video', 'video'], ['screen', 'audio']]):
            jitter = r.choice([r.random() * 20, r.expovariate(0.1), 0, 7])
            if r.random() < 0.15:
                jitter = r.choice(NUMBERS + EXTREMES)
            tracks.append({'type': kind, 'jitter': jitter})
            if r.random() < 0.05:
                tracks[-1].pop(r.choice(['type', 'jitter']))
        if r.random() < 0.05:
            tracks = r.choice(ODD)
        stats = {'track_stats': tracks, 'conn_quality': 'good'}
        if r.random() < 0.02:
            stats = r.choice(ODD)
        self.emit(org, 'stream_ingest_metrics', ts, dict(names, stats=stats),
                  gateway)

    def _trace(self, org, names, gateway, ts, kind, orch=None, **more):
        r = self.r
        data = dict(names, type=kind, orchestrator_info=self._info(orch),
                    pipeline_id=r.choice(PIPELINE_IDS))
        if kind == 'orchestrator_swap' or r.random() < 0.1:
            data['pipeline'] = r.choice(STATUS_HINTS)
        data.update(more)
        self.emit(org, 'stream_trace', ts, data, gateway)

    def _note(self, org, names, gateway, ts, kind, message, orch=None):
        data = dict(names, type=kind, message=message,
                    pipeline=self.r.choice(STATUS_HINTS),
                    orchestrator_info=self._info(orch))
        self.emit(org, 'ai_stream_events', ts, data, gateway)

    def _startup(self, org, names, gateway, ts, orch):
        """The usual traces of a start; any may be missing, late or twice."""
        r = self.r
        steps = [('gateway_receive_stream_request', 0, None),
                 ('gateway_send_first_ingest_segment', 2000, orch),
                 ('runner_receive_first_ingest_segment', 2050, orch),
                 ('runner_send_first_processed_segment', 2106, orch),
                 ('gateway_receive_first_processed_segment', 2655, orch),
                 ('gateway_receive_few_processed_segments', 6744, orch),
                 ('gateway_receive_first_data_segment', 6800, orch)]
        for kind, after, who in steps:
            if r.random() < 0.12:
                continue
            for _ in range(1 if r.random() < 0.95 else 2):
                late = after + r.choice([0, 0, 0, 1, -3000, 500])
                self._trace(org, names, gateway, ts + self._jitter(late),
                            kind, who)
        return ts + 7000

    def odd_session(self):
        r = self.r
        org = r.choice(list(ORGS))
        names = self._names(r.random())
        gateway = r.choice(['', '', '0xgateway', '0xOther'])
        orch = r.choice(self.fleet)
        ts = self._start_of_session(org)
        plan = r.choice(['plain'] * 4 + [
            'no_orch', 'error', 'status_only', 'trace_only', 'swap', 'change',
            'tail', 'long', 'long', 'still', 'runner_only', 'notes_only'])
        if plan == 'runner_only':
            self._trace(org, names, gateway, ts,
                        'runner_send_first_processed_segment', orch)
            return
        if plan == 'notes_only':
            self._note(org, names, gateway, ts,
                       r.choice(['swap', 'my_swap_done', 'error', 'Swap']),
                       'x', orch)
            return
        if plan == 'status_only':
            self._statuses(org, names, gateway, ts, r.randrange(1, 6), orch,
                           'any')
            return
        if plan in ('no_orch', 'error'):
            self._failure(org, names, gateway, ts, orch, plan)
            return
        ts = self._startup(org, names, gateway, ts, orch)
        if plan == 'trace_only':
            return
        style = {'plain': 'good', 'still': 'still'}.get(plan, 'any')
        ts = self._statuses(org, names, gateway, ts, r.randrange(1, 7), orch,
                            style)
        if plan in ('swap', 'change'):
            if plan == 'swap':
                self._trace(org, names, gateway, ts, 'orchestrator_swap',
                            orch)
            orch = r.choice(self.fleet)
            ts = self._statuses(org, names, gateway, ts + r.choice([0, 1000]),
                                r.randrange(1, 4), orch, 'good')
        elif plan == 'tail':
            self._tail(org, names, gateway, ts)
        elif plan == 'long':
            self._long(org, names, gateway, ts, orch)
        if r.random() < 0.15:
            self._note(org, names, gateway, ts,
                       r.choice(['Swap', 'swapped', 'no swap', 'other']), '',
                       orch)
        if r.random() < 0.4:
            self._trace(org, names, gateway, ts,
                        'gateway_ingest_stream_closed', None)
        if r.random() < 0.2:
            self._note(org, names, gateway, ts, r.choice(['error', 'Error']),
                       r.choice(EXCUSABLE + SEVERE), orch)

    def dropped_alias(self):
        """A snapshot that drops an alias which a session still reports."""
        r = self.r
        org = r.choice(list(ORGS))
        orch = Orchestrator(r, [])
        orch.local = _address(r)
        orch.shape = 'hardware'
        at = BASE + r.randrange(self.days * DAY)
        later = at + r.choice([1, 5000, 300000, 599999])
        self.emit(org, 'network_capabilities', at, [orch.element(True)])
        orch.revision += 1
        changed = orch.element(True)
        changed['local_address'] = r.choice([orch.address, '', '0x5'])
        self.emit(org, 'network_capabilities', later, [changed])
        asked = later + r.choice([1, 0, 1000, 400000, at - later + 600000])
        for info in ({'address': orch.local.upper().replace('X', 'x'),
                      'url': ''},
                     {'address': orch.address, 'url': r.choice(['', orch.url])
                      }):
            self.emit(org, 'ai_stream_status', asked, {
                'stream_id': 'alias', 'request_id': '%x' % r.getrandbits(24),
                'state': 'ONLINE', 'inference_status': {'fps': 12},
                'orchestrator_info': info, 'pipeline': orch.models[0]})

    def _failure(self, org, names, gateway, ts, orch, plan):
        r = self.r
        self._trace(org, names, gateway, ts, 'gateway_receive_stream_request')
        for _ in range(r.randrange(1, 4)):
            ts += self._jitter(r.randrange(3000))
            if plan == 'no_orch':
                self._trace(org, names, gateway, ts,
                            'gateway_no_orchestrators_available',
                            orch if r.random() < 0.15 else None)
            else:
                pool = EXCUSABLE if r.random() < 0.8 else SEVERE
                self._note(org, names, gateway, ts,
                           r.choice(['error', 'ERROR', 'warning']),
                           r.choice(pool), orch if r.random() < 0.3 else None)
        if r.random() < 0.4:
            self._statuses(org, names, gateway, ts, r.randrange(1, 4),
                           orch if r.random() < 0.5 else None, 'still')

    def _tail(self, org, names, gateway, ts):
        """One or two dead samples in later hours, sometimes at midnight."""
        r = self.r
        hour = ts // HOUR * HOUR + HOUR
        if r.random() < 0.4:
            hour = ts // DAY * DAY + DAY
            if r.random() < 0.6:
                self._statuses(org, names, gateway, hour - r.choice(
                    [1, MINUTE, HOUR + 1]), 1, None,
                    r.choice(['still', 'good']))
        for _ in range(r.choice([1, 1, 2])):
            self._statuses(org, names, gateway, hour + r.choice([0, 1, MINUTE]),
                           r.choice([1, 2, 2, 3]), None, 'still')
            hour += HOUR * r.choice([1, 1, 2])

    def _long(self, org, names, gateway, ts, orch):
        """Samples over up to three days, thick around midnight."""
        r = self.r
        for _ in range(r.randrange(1, 5)):
            midnight = ts // DAY * DAY + DAY
            ts = r.choice([midnight - 1, midnight, midnight - 2000,
                           ts + HOUR, midnight + 5 * HOUR])
            if r.random() < 0.3:
                orch = r.choice(self.fleet)
            who = orch if r.random() < 0.7 else None
            ts = self._statuses(org, names, gateway, ts, r.randrange(1, 4),
                                who, r.choice(['any', 'good', 'still']))

    # Noise that must not matter.

    def noise(self):
        r = self.r
        org = r.choice(list(ORGS))
        ts = BASE + r.randrange(self.days * DAY)
        names = self._names(r.random())
        choice = r.random()
        if choice < 0.3:
            self.emit(org, r.choice(IGNORED), ts, dict(names, x=1))
        elif choice < 0.5:
            self.emit(org, r.choice(OTHERS), ts,
                      r.choice([dict(names, success=True), [], None]))
        elif choice < 0.7:
            kind = r.choice(['app_start', 'APP_x', 'stream_stopped',
                             'unheard_of', '', None])
            self.emit(org, 'stream_trace', ts, dict(names, type=kind))
        elif choice < 0.9:
            self.emit(org, 'stream_trace', ts, dict(
                names, type=r.choice(SCOPE_NOISE + ['app_scope']),
                client_source=r.choice(['scope', 'SCOPE', 'web'])))
        else:
            self.emit(org, r.choice(['stream_trace', 'ai_stream_status']), ts,
                      r.choice(ODD))

    # Well-behaved rows for benchmarks.

    def orderly_days(self):
        """A row per (orchestrator, hour): one clean session each."""
        r = self.r
        hours = r.choice([2, 3, 5])
        models = r.sample(MODELS[:2] + ['comfyui'], 2)
        blank_day = r.randrange(self.days)
        blank_metric = r.choice(['ptff', 'e2e'])
        crowded = r.randrange(self.days) if r.random() < 0.5 else -1
        for _ in range(8 if crowded < 0 else 24):
            self.fleet.append(Orchestrator(r, []))
        for i, o in enumerate(self.fleet):
            o.models = [models[i % 2]]
            o.gpus = o.gpus[:1]
        for day in range(self.days):
            for h in range(22 if day == crowded else hours):
                at = BASE + day * DAY + (h + 2) * HOUR
                for o in self.fleet:
                    o.revision += 1
                self.snapshot('cloudspe', at, orderly=True)
                self.snapshot('daydream', at, orderly=True)
                for i, o in enumerate(self.fleet):
                    if r.random() < 0.1:
                        continue
                    skip = blank_metric if (day == blank_day and
                                            i % 2 == 0) else None
                    self._clean(r.choice(list(ORGS)), o,
                                at + 1000 * r.randrange(500), skip)

    def _clean(self, org, orch, ts, skip):
        r = self.r
        names = {'stream_id': 's%08x' % r.getrandbits(32),
                 'request_id': 'r%06x' % r.getrandbits(24)}
        info = {'address': orch.local, 'url': orch.url}
        e2e = int(r.lognormvariate(5, 0.5))
        ptff = int(r.lognormvariate(8.7, 0.4))
        steps = [('gateway_receive_stream_request', 0),
                 ('gateway_send_first_ingest_segment', 2000),
                 ('gateway_receive_few_processed_segments', 1000 + ptff)]
        if skip != 'e2e':
            steps.append(('runner_send_first_processed_segment', 2000 + e2e))
        for kind, after in steps:
            self.emit(org, 'stream_trace', ts + after, dict(
                names, type=kind, orchestrator_info=info, pipeline_id=''))
        for i in range(r.randrange(1, 4)):
            data = dict(names, state='ONLINE', pipeline=orch.models[0],
                        inference_status={'fps': self._clean_fps()},
                        orchestrator_info=info)
            if skip != 'ptff':
                data['start_time'] = ts + 1000
            self.emit(org, 'ai_stream_status', ts + 9000 + 1000 * i, data)

    def _clean_fps(self):
        if self.extreme and self.r.random() < 0.02:
            return self.r.choice(EXTREMES)
        return self.r.gauss(16, 4)

    # Delivery.

    def _break_some(self):
        """An odd value in some member of some events."""
        r = self.r
        for _, envelope in self.events:
            if r.random() < 0.015 and isinstance(envelope['data'], dict):
                keys = list(envelope['data'])
                if keys:
                    envelope['data'][r.choice(keys)] = r.choice(ODD)
            if r.random() < 0.004:
                envelope['gateway'] = r.choice(ODD)
            if r.random() < 0.002:
                envelope['data'] = r.choice(ODD)

    def _timestamp(self, ms):
        """The same instant in one of its spellings."""
        r = self.r
        choice = r.random()
        if not 1000000000000 <= ms or choice < 0.7:
            return '%013d' % ms
        if choice < 0.8:
            return ms
        if choice < 0.85:
            fraction = '%03d' % (ms % 1000)
            return '%d.%s' % (ms // 1000, fraction + r.choice(['', '999']))
        if choice < 0.88 and ms % 1000 == 0:
            return r.choice([str(ms // 1000), ms // 1000])
        return _iso(r, ms)

    def _record(self, org, envelope):
        r = self.r
        body = dict(envelope)
        body['timestamp'] = self._timestamp(int(envelope['timestamp']))
        if r.random() < 0.01:
            body['org'] = r.choice(list(ORGS))
        choice = r.random()
        if choice < 0.5:
            body = {'id': 'log-%d' % r.randrange(10 ** 6),
                    'timestamp': 1, 'type': 'x', 'topic': ORGS[org],
                    'partition': r.randrange(3), 'offset': r.randrange(2000),
                    'value': body}
            if r.random() < 0.03:
                body['org'] = r.choice(['', None] + list(ORGS))
            if r.random() < 0.02:
                body.pop(r.choice(['partition', 'offset', 'topic']))
        elif choice < 0.97:
            body['org'] = org
        separators = r.choice([(',', ':'), (', ', ': ')])
        text = json.dumps(body, separators=separators,
                          ensure_ascii=r.random() < 0.5)
        record = text.encode('utf-8')
        if r.random() < 0.02:
            record = record[:-1] + b',"id":"second","data":0}'
        return record

    def _redeliveries(self):
        r = self.r
        again = []
        for org, envelope in self.events:
            if r.random() < 0.06:
                again.append((org, envelope))
            if r.random() < 0.03:
                other = json.loads(json.dumps(envelope))
                if isinstance(other['data'], dict) and other['data']:
                    key = r.choice(list(other['data']))
                    other['data'][key] = r.choice(
                        ODD + ['comfyui', 'ONLINE',
                               'gateway_receive_few_processed_segments'])
                else:
                    other['gateway'] = r.choice(['', '0xgateway', '0xZ'])
                again.append((org, other))
        self.events.extend(again)

    def records(self):
        r = self.r
        self._break_some()
        self._redeliveries()
        out = [self._record(org, e) for org, e in self.events]
        for _ in range(r.randrange(6)):
            out.append(r.choice(BAD_LINES))
        for _ in range(r.randrange(4)):
            out.append(json.dumps({
                'id': 'bad-time', 'type': r.choice(['stream_trace', 'x']),
                'timestamp': r.choice(BAD_TIMES),
                'org': r.choice(['', 'cloudspe'])}).encode())
        for blank in r.sample([None, '', 'absent'], r.randrange(3)):
            body = {'id': blank, 'type': 'webrtc_stats', 'timestamp': '5'}
            if blank == 'absent':
                del body['id']
            out.append(json.dumps(body).encode())
        order = r.choice(['time', 'shuffled', 'mostly'])
        if order == 'shuffled':
            r.shuffle(out)
        elif order == 'mostly':
            for _ in range(len(out) // 10):
                i, j = r.randrange(len(out)), r.randrange(len(out))
                out[i], out[j] = out[j], out[i]
        return out


def _iso(r, ms):
    import datetime
    shift, zone = r.choice([(0, 'Z'), (0, ''), (0, 'z'), (120, '+02:00'),
                            (-330, '-0530'), (60, '+01')])
    when = (datetime.datetime(1970, 1, 1)
            + datetime.timedelta(milliseconds=ms, minutes=shift))
    text = when.strftime('%Y-%m-%d' + r.choice('T t') + '%H:%M:%S')
    if ms % 1000 or r.random() < 0.5:
        text += '.%03d' % (ms % 1000) + r.choice(['', '9', '000000'])
    return text + zone


def generate(seed, days=None, sessions=None, benchmark=False):
    """The records of a seed, as bytes, in delivery order."""
    r = random.Random(seed * 7919 + 1)
    if days is None:
        days = r.randrange(8, 11) if benchmark else r.randrange(1, 4)
    if sessions is None:
        sessions = r.randrange(6, 26)
    t = Telemetry(seed, days, sessions)
    for org in ORGS:
        for _ in range(r.randrange(1, 7)):
            at = BASE + r.randrange(days * DAY)
            if r.random() < 0.4:
                at = BASE + DAY * r.randrange(days + 1) + r.choice(
                    [-1, 0, 29999, 30000, -600000, -600001, -5000])
            t.snapshot(org, at)
            if r.random() < 0.4:
                t.snapshot(org, at + r.choice([0, 1, 5000, 600000]))
    for _ in range(sessions):
        t.odd_session()
    for _ in range(r.randrange(3)):
        t.dropped_alias()
    for _ in range(r.randrange(12)):
        t.noise()
    if benchmark:
        t.orderly_days()
    traffic.Traffic(t, ORGS).add()
    return t.records()


def file_of(records):
    """The text of a file with these lines.

    A file whose first text is a bracket is one array, not lines, and a BOM at
    its start is skipped: a record that begins so goes to the end.
    """
    records = list(records)
    for _ in range(len(records)):
        first = next((i for i, r in enumerate(records) if r.strip()), None)
        if first is None or not records[first].startswith(
                (b'[', b'\xef\xbb\xbf')):
            break
        records.append(records.pop(first))
    return b''.join(record + b'\n' for record in records)


def main():
    parser = argparse.ArgumentParser(description='synthetic telemetry')
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--days', type=int)
    parser.add_argument('--sessions', type=int)
    parser.add_argument('--benchmark', action='store_true')
    parser.add_argument('-o', default='-')
    args = parser.parse_args()
    records = generate(args.seed, args.days, args.sessions, args.benchmark)
    data = file_of(records)
    if args.o == '-':
        sys.stdout.buffer.write(data)
    else:
        with open(args.o, 'wb') as out:
            out.write(data)


if __name__ == '__main__':
    main()
