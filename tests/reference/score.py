"""Rates, daily benchmarks, seven-day cohort and the score of an SLA row.

For: specification 3.2 to 3.5 and 11 (days without a value), with
DECISIONS.md 62 to 72. Rows are dicts with the columns of `export sla`.
"""

import fractions
import math
import struct

from sessions import DAY_MS

GATE = 48
COHORT_DAYS = 7
VERSION = 'quality-benchmark-v1'

# metric -> (sum column, count column, low level, high level)
METRICS = {
    'ptff': ('prompt_to_first_frame_sum_ms',
             'prompt_to_first_frame_sample_count', 0.5, 0.9),
    'e2e': ('e2e_latency_sum_ms', 'e2e_latency_sample_count', 0.5, 0.9),
    'fps': ('output_fps_sum', 'fps_samples', 0.1, 0.5)}

NAN = float('nan')


def exact_sum(values):
    """The sum, rounded once; infinite or NaN as plain addition has it."""
    values = list(values)
    if not all(math.isfinite(v) for v in values):
        return sum(v for v in values if not math.isfinite(v))
    total = sum(map(fractions.Fraction, values))
    try:
        return float(total)
    except OverflowError:
        return math.inf if total > 0 else -math.inf


def clamp(x):
    """min(max(x, 0), 1), where NaN counts as 0."""
    if math.isnan(x):
        return 0.0
    return min(max(x, 0.0), 1.0)


# The t-digest, in Float32.

def f32(x):
    try:
        return struct.unpack('<f', struct.pack('<f', x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


class Digest:
    """Centroids (mean, count) of values, merged in one walk."""

    def __init__(self, values):
        self.centroids = []
        self.count = 0.0
        if values:
            self._walk(sorted(f32(v) for v in values))

    def _walk(self, means):
        total = f32(len(means))
        limit = f32(f32(total * f32(0.01)) * 4)
        done = 0.0
        mean, count = means[0], 1.0
        for right in means[1:]:
            q_left = f32(f32(done + f32(count * 0.5)) / total)
            q_right = f32(f32(f32(done + count) + 0.5) / total)
            spread = min(f32(q_left * f32(1 - q_left)),
                         f32(q_right * f32(1 - q_right)))
            merges = mean == right or not (math.isinf(mean)
                                           or math.isinf(right))
            if count + 1 <= f32(limit * spread) and merges:
                count = f32(count + 1)
                if right != mean:
                    mean = f32(mean + f32(f32(right - mean) / count))
            else:
                self.centroids.append((mean, count))
                done = f32(done + count)
                mean, count = right, 1.0
        self.centroids.append((mean, count))
        self.count = f32(done + count)

    def quantile(self, level):
        """The value at this level; NaN without values."""
        if not self.centroids:
            return NAN
        if len(self.centroids) == 1:
            return self.centroids[0][0]
        x = level * self.count
        done = 0.0
        last_mean, last_count = self.centroids[0]
        last_centre = 0.0
        for mean, count in self.centroids:
            centre = done + count * 0.5
            if centre >= x:
                left = last_centre + (0.5 if last_count == 1 else 0.0)
                right = centre - (0.5 if count == 1 else 0.0)
                if x <= left:
                    return last_mean
                if x >= right:
                    return mean
                k = f32(f32(f32(x) - f32(left))
                        / f32(f32(right) - f32(left)))
                return f32((1 - k) * last_mean + k * mean)
            done = f32(done + count)
            last_mean, last_count, last_centre = mean, count, centre
        return last_mean


# Benchmarks and cohort.

def average(row, metric):
    total, count = METRICS[metric][:2]
    return row[total] / row[count] if row[count] > 0 else None


def _collapsed(rows):
    """Input rows of all orgs together: (hour, orch, gpu, pipeline, model)."""
    groups = {}
    for row in rows:
        if row['pipeline_id']:
            key = (row['window_start_ms'], row['orchestrator_address'],
                   row['gpu_id'], row['pipeline_id'], row['model_id'])
            groups.setdefault(key, []).append(row)
    for key, group in groups.items():
        merged = {'day': key[0] // DAY_MS, 'pipeline_id': key[3],
                  'model_id': key[4]}
        for total, count, _, _ in METRICS.values():
            merged[total] = exact_sum(row[total] for row in group)
            merged[count] = sum(row[count] for row in group)
        yield merged


def benchmarks(rows):
    """(day, pipeline, model) -> {metric: (low, high, n, values)}.

    NaN without n.
    """
    groups = {}
    for row in _collapsed(rows):
        key = (row['day'], row['pipeline_id'], row['model_id'])
        groups.setdefault(key, []).append(row)
    out = {}
    for key, group in groups.items():
        out[key] = {}
        for metric, (_, _, low, high) in METRICS.items():
            values = [average(row, metric) for row in group]
            values = [v for v in values if v is not None]
            digest = Digest(values)
            out[key][metric] = (digest.quantile(low), digest.quantile(high),
                                len(values), values)
    return out


def cohort(days, metric, switches=frozenset()):
    """(low, high, N) from the daily (low, high, n) of the week before."""
    total = sum(day[metric][2] for day in days)
    if total == 0:
        return None, None, 0
    if 'merged_benchmark' in switches:
        digest = Digest([v for day in days for v in day[metric][3]])
        low, high = METRICS[metric][2:]
        return digest.quantile(low), digest.quantile(high), total
    if 'nan_day_neutral' in switches:
        days = [day for day in days if day[metric][2] > 0]
    low = exact_sum(day[metric][0] * day[metric][2] for day in days) / total
    high = exact_sum(day[metric][1] * day[metric][2] for day in days) / total
    return low, high, total


def cohort_of(row, bench, metric, switches):
    day = row['window_start_ms'] // DAY_MS
    keys = [(day - back, row['pipeline_id'], row['model_id'])
            for back in range(COHORT_DAYS, 0, -1)]
    return cohort([bench[k] for k in keys if k in bench], metric, switches)


# Score.

def lower_is_better(value, p50, p90, n, gate=GATE):
    if value is None or n < gate:
        return 0.5
    if p90 <= p50:
        return 1.0 if value <= p50 else 0.0
    if value <= p50:
        return 1.0
    if value >= p90:
        return 0.0
    return 1 - (value - p50) / (p90 - p50)


def higher_is_better(value, p10, p50, n, gate=GATE):
    if value is None or n < gate:
        return 0.5
    if p50 <= p10:
        return 1.0 if value >= p50 else 0.0
    if value >= p50:
        return 1.0
    if value <= p10:
        return 0.0
    return (value - p10) / (p50 - p10)


def shrunk(raw, samples, enough):
    return clamp(0.5 + min(samples / enough, 1.0) * (raw - 0.5))


def counted_sessions(row, switches):
    """How many sessions the rates divide by."""
    r = row['requested_sessions']
    if 'excused_not_counted' in switches:
        r -= row['startup_excused_sessions']
    return r


def add_rates(row, switches=frozenset()):
    r = counted_sessions(row, switches)
    asked = row['requested_sessions']

    def rate(count):
        return count / r if r else None

    def without(count):
        return 1 - count / r if r else None
    hs = row['health_signal_count']
    he = row['health_expected_signal_count']
    row['health_signal_coverage_ratio'] = min(hs / he, 1.0) if he else 1.0
    row['startup_success_rate'] = rate(row['startup_success_sessions'])
    row['excused_failure_rate'] = (row['startup_excused_sessions'] / asked
                                   if asked else None)
    row['effective_success_rate'] = without(row['effective_failed_sessions'])
    row['no_swap_rate'] = without(row['total_swapped_sessions'])
    row['output_viability_rate'] = without(row['output_failed_sessions'])
    row['avg_output_fps'] = average(row, 'fps')
    row['avg_prompt_to_first_frame_ms'] = average(row, 'ptff')
    row['avg_e2e_latency_ms'] = average(row, 'e2e')


def shown(x):
    """JSON has neither NaN nor infinity: null."""
    return x if x is None or math.isfinite(x) else None


def add_score(row, bench, switches=frozenset()):
    """The cohort's columns, component scores and the score; 3.4 and 3.5.

    `bench` maps a metric to (low, high, N).
    """
    raws = {}
    gate = 1 if 'no_row_gate' in switches else GATE
    for metric, scale, value, levels in (
            ('ptff', lower_is_better, row['avg_prompt_to_first_frame_ms'],
             ('p50', 'p90')),
            ('e2e', lower_is_better, row['avg_e2e_latency_ms'],
             ('p50', 'p90')),
            ('fps', higher_is_better, row['avg_output_fps'],
             ('p10', 'p50'))):
        low, high, n = bench[metric]
        row[metric + '_' + levels[0]] = shown(low)
        row[metric + '_' + levels[1]] = shown(high)
        row[metric + '_benchmark_row_count'] = n
        raws[metric] = scale(value, low, high, n, gate)
        row[metric + '_score_raw'] = shown(raws[metric])
    ptff = shrunk(raws['ptff'], row['prompt_to_first_frame_sample_count'], 10)
    e2e = shrunk(raws['e2e'], row['e2e_latency_sample_count'], 10)
    fps = shrunk(raws['fps'], row['fps_samples'], 30)
    quality = clamp(0.6 * (0.6 * ptff + 0.4 * e2e) + 0.4 * fps)
    reliability = score = None
    if counted_sessions(row, switches) > 0:
        reliability = clamp(0.4 * row['startup_success_rate']
                            + 0.2 * row['no_swap_rate']
                            + 0.4 * row['output_viability_rate'])
        score = (100 * row['health_signal_coverage_ratio']
                 * (0.7 * reliability + 0.3 * quality))
        score = min(max(score, 0.0), 100.0)
    row['reliability_score'] = reliability
    row['ptff_score'] = ptff
    row['e2e_score'] = e2e
    row['latency_score'] = clamp(0.6 * ptff + 0.4 * e2e)
    row['fps_score'] = fps
    row['quality_score'] = quality
    row['sla_semantics_version'] = VERSION
    row['sla_score'] = score


def score_rows(rows, switches=frozenset()):
    """Completes the input rows of one pass, in place."""
    bench = benchmarks(rows)
    for row in rows:
        add_rates(row, switches)
        cohorts = {m: cohort_of(row, bench, m, switches) for m in METRICS}
        if not row['pipeline_id']:
            cohorts = {m: (None, None, 0) for m in METRICS}
        add_score(row, cohorts, switches)
