"""Traffic beside streams: jobs, workers, payments, what is offered at a price.

For: generate.py. Request ids are used again across hours, midnights and
organisations; URLs and addresses are those of the fleet, or nearly; times lie
around snapshots.
"""

HOUR = 3600 * 1000
PIPELINES = ['text-to-image', 'text-to-image', 'llm', 'llm', 'LLM', '',
             'live-video-to-video', 'upscale', None, 7]
NAMES = ['', 'sdxl', 'streamdiffusion-sdxl', 'StreamDiffusion-SDXL-faceid',
         'noop', None, 4]
CAPABILITIES = ['video-up', 'Video-Up', 'text-to-image', '', None, 'noop',
                'byoc-thing']
TRUTH = [True, True, False, 1, 0, 'true', None, 0.5]
NUMBERS = [0, 1, 250, 1500, '1500', '1.5', -3, 2 ** 62, 2 ** 63 - 1, 2 ** 63,
           1e300, 'many', None, True, 12.75]
REALS = [0.1, 0.2, 0.7, '3.5', 1e300, -1e300, 1e-9, None, 'x', 12, True]
ERRORS = ['', '', 'No Orchestrators found', 'no orchestrators', 'timeout',
          None, {'code': 5}]
FACES = ['2402400000000000 WEI', '2402400000000000', '18446744073709551615 WEI',
         '18446744073709551616 WEI', '0 WEI', 'WEI', '-5 WEI', '1.5 WEI', '',
         ' 7 WEI', '007 WEI', 5, None, '9007199254740993 WEI']
OPTIONS = [[{'model': 'sdxl'}], [{'model': 'streamdiffusion-sdxl'}], [], None,
           [{}], {'0': {'model': 'sdxl'}}, [{'model': 5}], ['sdxl'],
           [{'model': ''}, {'model': 'sdxl'}]]


class Traffic:
    """Adds its events to a Telemetry."""

    def __init__(self, telemetry, orgs):
        self.t = telemetry
        self.r = telemetry.r
        self.orgs = list(orgs)
        self.ids = ['r%d' % i for i in range(8)] + ['']

    def _when(self, org):
        return self.t._start_of_session(org) + self.r.choice(
            [0, 1, 999, 5000, HOUR - 1, HOUR])

    def _url(self):
        """The URL of one of the fleet, of nobody, or none."""
        url = self.r.choice(self.t.fleet).url
        return self.r.choice([url, url, url, url, url.swapcase(), '', None,
                              'https://unknown.example'])

    def _info(self):
        return self.t._info(self.r.choice(self.t.fleet + [None]))

    def _some(self, data, **more):
        """Each of the further fields, or not."""
        data.update({name: value for name, value in more.items()
                     if self.r.random() < 0.85})
        return data

    def batch(self, org):
        r = self.r
        request, ts = r.choice(self.ids), self._when(org)
        gateway = r.choice(['', 'gw', '0xGate'])
        about = {'request_id': request, 'pipeline': r.choice(PIPELINES),
                 'model_id': r.choice(NAMES)}
        if r.random() < 0.8:
            self.t.emit(org, 'ai_batch_request',
                        ts - r.choice([0, 0, 1500, 1500, -1, 3 * HOUR]),
                        dict(about, type='ai_batch_request_received'), gateway)
        if r.random() < 0.5:
            self.llm(org, request, ts)
        self.t.emit(org, 'ai_batch_request', ts, self._some(
            dict(about, type='ai_batch_request_completed'),
            success=r.choice(TRUTH), tries=r.choice(NUMBERS),
            duration_ms=r.choice(NUMBERS), orch_url=self._url(),
            latency_score=r.choice(REALS), price_per_unit=r.choice(REALS),
            error_type=r.choice(['', 'no_orchestrators', 'other']),
            error=r.choice(ERRORS)), gateway)

    def llm(self, org, request, ts):
        r = self.r
        kinds = ['llm_request_completed', 'llm_stream_completed', 'llm_other']
        self.t.emit(org, 'ai_llm_request', ts + r.choice([-2, 0, 700, HOUR]),
                    self._some({'type': r.choice(kinds),
                                'request_id': request},
                               model=r.choice(NAMES),
                               prompt_tokens=r.choice(NUMBERS),
                               completion_tokens=r.choice(NUMBERS),
                               total_tokens=r.choice(NUMBERS),
                               tokens_per_second=r.choice(REALS),
                               ttft_ms=r.choice(NUMBERS),
                               finish_reason=r.choice(['stop', '', None])))

    def byoc(self, org):
        r = self.r
        ts, capability = self._when(org), r.choice(CAPABILITIES)
        info, worker = self._info(), r.choice(
            ['http://w1', 'HTTP://W1', 'http://w2', '', None])
        if r.random() < 0.7:
            self.worker(org, ts - r.choice([0, 1, -1, HOUR, 31 * 24 * HOUR]),
                        capability, info, worker)
        about = {'request_id': r.choice(self.ids), 'capability': capability}
        self.t.emit(org, 'job_gateway', ts - 40,
                    dict(about, type='job_gateway_submitted'))
        self.t.emit(org, 'job_gateway', ts, self._some(
            dict(about, type='job_gateway_completed', orchestrator_info=info),
            success=r.choice(TRUTH), duration_ms=r.choice(NUMBERS),
            http_status=r.choice([200, 503, '200', None]), worker_url=worker,
            charged_compute=r.choice(TRUTH), error=r.choice(ERRORS)), 'gw')
        self.t.emit(org, 'job_auth', ts - 80,
                    dict(about, success=r.choice(TRUTH),
                         orchestrator_info=info))
        self.t.emit(org, 'job_payment', ts, dict(about, amount=3))
        self.t.emit(org, 'job_orchestrator', ts - 60, dict(
            about, type='job_orchestrator_token_fetch_result', latency_ms=4))

    def worker(self, org, ts, capability, info, url):
        r = self.r
        self.t.emit(org, 'worker_lifecycle', ts, self._some(
            {'type': r.choice(['worker_registered', 'worker_unregistered']),
             'capability': capability, 'orchestrator_info': info},
            worker_url=r.choice([url, url, '', 'http://w2']),
            price_per_unit=r.choice(REALS),
            worker_options=r.choice(OPTIONS)))

    def payment(self, org):
        r = self.r
        named = [e['data'].get('request_id') for o, e in self.t.events
                 if o == org and e['type'].startswith('ai_stream')
                 and isinstance(e['data'], dict)]
        self.t.emit(org, 'create_new_payment', self._when(org), self._some(
            {'sessionID': 'p%d' % r.randrange(4)},
            requestID=r.choice(named + self.ids),
            manifestID=r.choice(['35_noop', '_x', '35', '12a_x', '', None,
                                 '7_8_y']),
            sender='0xAb', recipient=r.choice(self.t.fleet).address,
            orchestrator=self._url(), faceValue=r.choice(FACES),
            winProb=r.choice(['0.001', '1', 'x', '', None, '1e-3',
                              '0.333333333333333333', '1.5', '00.5']),
            numTickets=r.choice(['2', '100', '', 'x', 3, None]),
            price=r.choice(['1635.021 wei/pixel', '12', 'x wei/pixel', '',
                            None])))

    def add(self):
        r = self.r
        for _ in range(r.randrange(4, 30)):
            org = r.choice(self.orgs)
            r.choice([self.batch, self.batch, self.byoc, self.byoc,
                      self.payment])(org)


def prices(r):
    """What an element may say of its prices."""
    return [{'capability': r.choice([35, 27, 37, '35', 99, None]),
             'constraint': r.choice(NAMES + CAPABILITIES),
             'pricePerUnit': r.choice([1, 1618, 0, -1, '7', None, 2 ** 63,
                                       2 ** 62]),
             'pixelsPerUnit': r.choice([1, 1, 2, 0, None])}
            for _ in range(r.randrange(3))] + r.choice([[], [], [5], [None]])
