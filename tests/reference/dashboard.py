"""The bodies of /v1/dashboard, as of some time, from a Lens that has run; but
the job feed, which is of the present.

For: specification 4.4 with DECISIONS.md 119 to 123, with nulls where the
publisher writes zeros. The Lens holds nothing later than that time.
"""

import hourly
import lens as published
import network
import score
from sessions import DAY_MS, HOUR_MS

ACTIVE_MS = HOUR_MS // 2


def ratio(part, whole):
    return part / whole if whole else None


def percent(part, whole):
    return part / whole * 100 if whole else None


def change(first, second):
    return percent(second - first, first)


def _by_count(count, name):
    """Most first, then by name."""
    return lambda row: (-row[count], row[name].encode())


class Dashboard:
    """Everything asked at `now`, of a window of `hours` before."""

    def __init__(self, lens, now, hours):
        self.lens = lens
        self.now = now
        self.hours = hours
        self.since = now - hours * HOUR_MS
        self.demand = [r for r in hourly.demand(lens) if self._inside(
            r['window_start_ms'])]
        self.offers, self.network = self._network(now - DAY_MS, now)
        self.jobs = lens.requests()

    def _inside(self, ms):
        return self.since <= ms <= self.now

    def _network(self, start, end):
        seen = network.Network(
            e for e in self.lens.intake.events.values()
            if e.family == 'network_capabilities' and start <= e.ts < end)
        return seen.rows(), seen

    # Jobs.

    def _job_groups(self, jobs, name):
        groups = {}
        for job in jobs:
            if self._inside(job['completed_ms']):
                groups.setdefault(job[name], []).append(job)
        rows = [dict({name: key}, **_job_sums(group))
                for key, group in groups.items()]
        return sorted(rows, key=_by_count('total_jobs', name))

    def _all_jobs(self, jobs):
        return _job_sums([j for j in jobs
                          if self._inside(j['completed_ms'])])

    # kpi

    def kpi(self):
        hours = {}
        for row in self.demand:
            hours.setdefault(row['window_start_ms'], []).append(row)
        buckets = [(at, hours[at]) for at in sorted(hours)]
        half = len(buckets) // 2

        def sums(part):
            rows = [r for _, group in part for r in group]
            asked = sum(r['requested_sessions'] for r in rows)
            good = asked - sum(r['effective_failed_sessions'] for r in rows)
            minutes = score.exact_sum(r['total_minutes'] for r in rows)
            return percent(good, asked), asked, minutes
        rate, asked, minutes = sums(buckets)
        first, second = sums(buckets[:half]), sums(buckets[half:])
        points = (None if first[0] is None or second[0] is None
                  else second[0] - first[0])

        def observed(start, end):
            seen = self._network(start, end)[1].sightings
            return len({address for _, address in seen})
        now = observed(self.since, self.now)
        before = observed(self.since - self.hours * HOUR_MS, self.since)
        return {
            'streaming': {
                'successRate': {'value': rate, 'delta': points},
                'orchestratorsObserved': {'value': now,
                                          'delta': change(before, now)},
                'dailyUsageMins': {'value': minutes,
                                   'delta': change(first[2], second[2])},
                'dailySessionCount': {'value': asked,
                                      'delta': change(first[1], second[1])},
                'dailyNetworkFeesEth': {'value': None, 'delta': None},
                'timeframeHours': self.hours,
                'hourlySessions': [
                    {'hour': published.window(at),
                     'value': sums([(at, rows)])[1]} for at, rows in buckets],
                'hourlyUsage': [
                    {'hour': published.window(at),
                     'value': sums([(at, rows)])[2]} for at, rows in buckets]},
            'requests': {'ai_batch': self._all_jobs(self.jobs.batch),
                         'byoc': self._all_jobs(self.jobs.byoc)}}

    # pipelines

    def pipelines(self):
        def usage(label, key, rows, more):
            parts = {}
            for row in rows:
                parts.setdefault(row[key] or '', []).append(row)
            out = []
            for name, group in parts.items():
                fps = score.exact_sum(r['output_fps_sum'] for r in group)
                one = {label: name,
                       'mins': score.exact_sum(
                           r['total_minutes'] for r in group),
                       'sessions': sum(
                           r['requested_sessions'] for r in group),
                       'avgFps': ratio(fps, sum(
                           r['status_samples'] for r in group))}
                out.append(dict(one, **more(group)))
            return sorted(out, key=_by_count('sessions', label))
        named = [r for r in self.demand if r['pipeline_id']]
        return {
            'streaming': usage('name', 'pipeline_id', named, lambda group: {
                'modelMins': usage('model', 'model_id', group,
                                   lambda _: {})}),
            'requests': {
                'by_pipeline': self._job_groups(self.jobs.batch, 'pipeline'),
                'by_capability': self._job_groups(self.jobs.byoc,
                                                  'capability')}}

    # orchestrators

    def orchestrators(self):
        addresses = {}
        for seen in sorted(self.network.sightings.values(),
                           key=lambda s: s['org'].encode()):
            best = addresses.get(seen['orch_address'])
            if not best or seen['last_seen_ms'] >= best['last_seen_ms']:
                addresses[seen['orch_address']] = seen
        rows = [self._orchestrator(address, seen)
                for address, seen in addresses.items()]
        return sorted(rows, key=_by_count('knownSessions', 'address'))

    def _orchestrator(self, address, seen):
        hours = [r for r in self.lens.rows
                 if r['orchestrator_address'] == address
                 and self._inside(r['window_start_ms'])]
        asked = sum(r['requested_sessions'] for r in hours)
        good = asked - sum(r['effective_failed_sessions'] for r in hours)
        scored = [r for r in hours
                  if r['requested_sessions'] and r['sla_score'] is not None]
        newest = max((r['window_start_ms'] for r in scored), default=None)
        last = [r for r in scored if r['window_start_ms'] == newest]
        offers = [o for o in self.offers if o['orch_address'] == address]
        pipelines = sorted({o['pipeline_id'] for o in offers}, key=str.encode)
        return {
            'address': address, 'serviceUri': seen['orchestrator_uri'],
            'knownSessions': sum(r['known_sessions_count'] for r in hours),
            'successSessions': sum(
                r['startup_success_sessions'] for r in hours),
            'successRatio': None if not asked else good / asked * 100,
            'effectiveSuccessRate': ratio(good, asked),
            'noSwapRatio': ratio(score.exact_sum(
                r['no_swap_rate'] * r['requested_sessions']
                for r in hours if r['no_swap_rate'] is not None), asked),
            'slaScore': ratio(
                score.exact_sum(r['sla_score'] * r['requested_sessions']
                                for r in last),
                sum(r['requested_sessions'] for r in last)),
            'slaWindowStart':
                None if newest is None else published.window(newest),
            'gpuCount': len({o['gpu_id'] for o in offers if o['gpu_id']}),
            'pipelines': pipelines,
            'pipelineModels': [{'pipelineId': name, 'modelIds': sorted(
                {o['model_id'] for o in offers
                 if o['pipeline_id'] == name and o['model_id']},
                key=str.encode)} for name in pipelines]}

    # gpu-capacity, pipeline-catalog, pricing

    def _hardware(self):
        return [o for o in self.offers
                if o['hardware_present'] and o['model_id']
                and o['capability_family'] == 'builtin']

    def gpu_capacity(self):
        names, pipelines = {}, {}
        for o in self._hardware():
            card = (o['orch_address'], o['gpu_id'])
            if not o['gpu_id']:
                continue
            names.setdefault(card, o['gpu_model_name'] or 'Unknown')
            models = pipelines.setdefault(o['pipeline_id'], {})
            models.setdefault(o['model_id'], set()).add(card)

        def tallies(label, count, parts):
            return sorted(parts, key=_by_count(count, label))
        active = {(r.decision.address, r.decision.gpu)
                  for r in self._open_streams() if r.decision.gpu}
        return {
            'totalGPUs': len(names), 'activeGPUs': len(active),
            'availableCapacity': max(len(names) - len(active), 0),
            'models': tallies('model', 'count', [
                {'model': name, 'count': list(names.values()).count(name)}
                for name in set(names.values())]),
            'pipelineGPUs': tallies('name', 'gpus', [
                {'name': name, 'gpus': len(set().union(*models.values())),
                 'models': tallies('model', 'gpus', [
                     {'model': model, 'gpus': len(cards)}
                     for model, cards in models.items()])}
                for name, models in pipelines.items()])}

    def pipeline_catalog(self):
        models = {}
        for o in self._hardware():
            models.setdefault(o['pipeline_id'], set()).add(o['model_id'])
        return [{'id': name, 'name': name, 'regions': [],
                 'models': sorted(models[name], key=str.encode)}
                for name in sorted(models, key=str.encode)]

    def pricing(self):
        newest = {}
        for price in sorted(self.network.prices.values(),
                            key=lambda p: p['org'].encode()):
            key = (price['orch_address'], price['pipeline'], price['model'])
            if (key not in newest or price['last_seen_ms']
                    > newest[key]['last_seen_ms']):
                newest[key] = price
        rows = [self._price(price) for price in newest.values()]
        return sorted(rows, key=lambda r: tuple(
            r[name].encode() for name in ('orchAddress', 'pipeline',
                                          'model')))

    def _price(self, price):
        byoc = price['byoc']
        fitting = [o for o in self.offers
                   if o['orch_address'] == price['orch_address']
                   and o['pipeline_id'] == price['pipeline']
                   and (byoc or (o['model_id'] or '') == price['model'])]
        warm = any((o['org'], o['orch_address'], o['pipeline_id'],
                    o['model_id'] or '', o['gpu_id'], o['hardware_present'])
                   in self.network.ever_warm for o in fitting)
        model = price['model'] or next(
            (o['model_id'] for o in fitting if o['model_id']), '')
        return {'orchAddress': price['orch_address'],
                'orchName': host_of(price['orchestrator_uri']),
                'pipeline': price['pipeline'],
                'model': model or (price['pipeline'] if byoc else ''),
                'priceWeiPerUnit': price['wei'],
                'pixelsPerUnit': price['pixels'], 'isWarm': int(warm)}

    # Streams that go on.

    def _open_streams(self):
        """Session rows of those that nobody closed."""
        return [row for row in self.lens.last_row.values()
                if not row.session.completed_count and self.now - ACTIVE_MS
                < row.session.last_seen <= self.now]

    def bodies(self):
        """By the last part of the route; lists as they stand in `data`."""
        return {'kpi': self.kpi(), 'pipelines': self.pipelines(),
                'orchestrators': self.orchestrators(),
                'gpu-capacity': self.gpu_capacity(),
                'pipeline-catalog': self.pipeline_catalog(),
                'pricing': self.pricing()}


def _job_sums(jobs):
    return {
        'total_jobs': len(jobs),
        'selected_jobs': sum(
            j['selection_outcome'] == 'selected' for j in jobs),
        'no_orch_jobs': sum(j['selection_outcome'] == 'no_orch'
                            for j in jobs),
        'success_rate': ratio(sum(j['success'] == 1 for j in jobs),
                              len(jobs)),
        'avg_duration_ms': ratio(score.exact_sum(
            float(j['duration_ms']) for j in jobs), len(jobs))}


def host_of(uri):
    """The host of a URL; all of what is none."""
    scheme, mark, rest = uri.partition('://')
    if not mark:
        return uri
    ends = ']/?' if rest.startswith('[') else ':/?'
    length = next((i for i, c in enumerate(rest) if c in ends), len(rest))
    return rest[:length].lstrip('[')
