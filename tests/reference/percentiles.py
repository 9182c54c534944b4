"""Percentiles over a range of hours, from the samples themselves.

For: `export percentiles`, /v1/streaming/percentiles. The real ones merge
histograms of hours and days; here all samples of the range are sorted. Below
eight samples the answer is a sample, else what its bucket answers for.
"""

import decimal
import math

METRICS = ('startup_latency_ms', 'ptff_ms', 'e2e_latency_ms', 'output_fps')
LEVELS = (('p1', 0.01), ('p5', 0.05), ('p50', 0.5), ('p95', 0.95),
          ('p99', 0.99))
COLUMNS = ['orchestrator_address', 'pipeline_id', 'model_id', 'gpu_id',
           'metric', 'samples'] + [name for name, _ in LEVELS]
EXACT_BELOW = 8
LOWEST, HIGHEST = -960, 1599

# 2^(j/32), rounded once.
with decimal.localcontext() as context:
    context.prec = 60
    EDGES = [float(decimal.Decimal(2) ** (decimal.Decimal(j) / 32))
             for j in range(33)]


def bucket_of(x):
    """k with 2^(k/32) < x <= 2^((k+1)/32), held within bounds."""
    mantissa, exponent = math.frexp(x)
    edge = next(j for j in range(33) if mantissa * 2 <= EDGES[j])
    return min(max((exponent - 1) * 32 + edge - 1, LOWEST), HIGHEST)


def answer_of(bucket):
    doublings, edge = divmod(bucket, 32)
    low, high = EDGES[edge], EDGES[edge + 1]
    return math.ldexp(2 * low * high / (low + high), doublings)


def quantile(samples, level):
    """Of samples in order, those below 0 counted as 0."""
    x = max(samples[math.floor(level * (len(samples) - 1))], 0.0)
    if len(samples) < EXACT_BELOW or x == 0:
        return x
    return answer_of(bucket_of(x))


def key_of(row, by):
    return (row['orchestrator_address'] if by != 'model' else None,
            row['pipeline_id'], row['model_id'],
            row['gpu_id'] if by == 'gpu' else None)


def rows(sla_rows, by='orchestrator', start=0, end=math.inf):
    """SLA rows carry `distributions`: metric -> samples."""
    groups = {}
    for row in sla_rows:
        if start <= row['window_start_ms'] < end:
            found = groups.setdefault(key_of(row, by), {})
            for metric, samples in row['distributions'].items():
                found.setdefault(metric, []).extend(samples)
    out = []
    for key in sorted(groups, key=lambda k: [v or '' for v in k]):
        for metric in METRICS:
            samples = sorted(map(float, groups[key].get(metric, [])))
            if samples:
                row = dict(zip(COLUMNS, key), metric=metric,
                           samples=len(samples))
                for name, level in LEVELS:
                    row[name] = quantile(samples, level)
                out.append(row)
    return out
