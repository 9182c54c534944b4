"""Hours of demand and of single GPUs.

For: specification 3.6 and 3.7, with the switches that reach them (79, 85 to
90 of DECISIONS.md). Made from a Lens that has run: its sessions, and the
session-hours of its SLA rows.
"""

import score
from sessions import HOUR_MS
from switches import SWITCHES

DEMAND_COLUMNS = '''window_start org gateway region pipeline_id model_id
sessions_count known_sessions_count requested_sessions
startup_success_sessions no_orch_sessions startup_excused_sessions
startup_failed_sessions loading_only_sessions zero_output_fps_sessions
effective_failed_sessions confirmed_swapped_sessions inferred_swap_sessions
total_swapped_sessions sessions_ending_in_error error_status_samples
health_signal_count health_expected_signal_count health_signal_coverage_ratio
startup_success_rate excused_failure_rate effective_success_rate
output_fps_sum status_samples avg_output_fps total_minutes
ticket_face_value_eth'''.split()

GPU_COLUMNS = '''window_start org orchestrator_address pipeline_id model_id
gpu_id gpu_model_name region gpu_memory_bytes_total runner_version
cuda_version known_sessions_count startup_success_sessions no_orch_sessions
startup_excused_sessions startup_failed_sessions confirmed_swapped_sessions
inferred_swap_sessions total_swapped_sessions sessions_ending_in_error
error_status_samples health_signal_count health_expected_signal_count
health_signal_coverage_ratio output_fps_sum status_samples avg_output_fps
p95_output_fps fps_jitter_coefficient prompt_to_first_frame_sum_ms
prompt_to_first_frame_sample_count avg_prompt_to_first_frame_ms
p95_prompt_to_first_frame_latency_ms startup_latency_sum_ms
startup_latency_sample_count avg_startup_latency_ms p95_startup_latency_ms
e2e_latency_sum_ms e2e_latency_sample_count avg_e2e_latency_ms
p95_e2e_latency_ms startup_failed_rate swap_rate'''.split()


def ratio(part, whole):
    return part / whole if whole else None


# Demand (3.6).

class Group:
    """What one session adds to one row: its flags, samples, or both."""

    def __init__(self):
        self.session = None   # the SessionRow, where it is demand here
        self.fps = []
        self.samples = 0


def _start(session):
    at = session.started_at
    return (session.last_seen if at is None else at) // HOUR_MS * HOUR_MS


def _groups(lens):
    """{row key: {session key: Group}}."""
    out = {}

    def group(row, hour, gateway):
        key = (hour, row.session.org, gateway, row.pipeline, row.model)
        return out.setdefault(key, {}).setdefault(row.session.key, Group())
    for row in lens.last_row.values():
        s = row.session
        group(row, _start(s), s.gateway).session = row
        for sample in s.samples:
            part = group(row, sample.ts // HOUR_MS * HOUR_MS, sample.gateway)
            part.samples += 1
            if sample.fps > 0 or 'fps_without_zeros' not in lens.switches:
                part.fps.append(sample.fps)
    return out


def _minutes(session):
    at = session.started_at
    if at is None or session.last_seen <= at:
        return 0.0
    return (session.last_seen - at) / 60000


def _demand_row(lens, key, groups):
    start, org, gateway, pipeline, model = key
    here = [g.session for g in groups if g.session]
    asked = [r for r in here if r.session.requested()]

    def count(test):
        return sum(1 for r in asked if test(r.session))
    excused = [r for r in asked
               if r.session.excusal_reason(r.selected) != 'none']
    failed = [r for r in asked if r.session.startup_outcome() == 'failed'
              and r not in excused]
    dead = [r for r in asked
            if r.session.loading_only() or r.session.zero_output_fps()]
    confirmed = count(lambda s: s.swap_count > 0)
    inferred = count(lens.inferred_swap)
    split = 'inferred_swaps' in lens.switches
    signals = sum(r.session.health_signals() for r in here)
    expected = sum(r.session.expected_signals() for r in here)
    fps = [value for g in groups for value in g.fps]
    total = score.exact_sum(fps)
    once = 'session_counted_once' in lens.switches
    successes = count(lambda s: s.startup_outcome() == 'success')
    effective = ratio(len({id(r) for r in failed + dead}), len(asked))
    return {
        'window_start_ms': start, 'org': org, 'gateway': gateway,
        'region': None, 'pipeline_id': pipeline, 'model_id': model or None,
        'sessions_count': len(here) if once else len(groups),
        'known_sessions_count': len(asked),
        'requested_sessions': len(asked),
        'startup_success_sessions': successes,
        'no_orch_sessions': sum(
            r.session.selection_outcome(r.selected) == 'no_orch'
            for r in asked),
        'startup_excused_sessions': len(excused),
        'startup_failed_sessions': len(failed),
        'loading_only_sessions': count(lambda s: s.loading_only()),
        'zero_output_fps_sessions': count(lambda s: s.zero_output_fps()),
        'effective_failed_sessions': len({id(r) for r in failed + dead}),
        'confirmed_swapped_sessions': confirmed if split else 0,
        'inferred_swap_sessions': inferred if split else 0,
        'total_swapped_sessions': confirmed + inferred,
        'sessions_ending_in_error': count(lambda s: s.error_samples > 0),
        'error_status_samples': sum(r.session.error_samples for r in here),
        'health_signal_count': signals,
        'health_expected_signal_count': expected,
        'health_signal_coverage_ratio':
            min(signals / expected, 1.0) if expected else 1.0,
        'startup_success_rate': ratio(successes, len(asked)),
        'excused_failure_rate': ratio(len(excused), len(asked)),
        'effective_success_rate':
            None if effective is None else 1 - effective,
        'output_fps_sum': total,
        'status_samples': sum(g.samples for g in groups),
        'avg_output_fps': ratio(total, len(fps)),
        'total_minutes': score.exact_sum(_minutes(r.session) for r in here),
        'ticket_face_value_eth': 0.0}


def _in_bytes(key):
    return tuple(part.encode() if isinstance(part, str) else part
                 for part in key)


def demand(lens):
    groups = _groups(lens)
    return [_demand_row(lens, key, list(groups[key].values()))
            for key in sorted(groups, key=_in_bytes)]


# GPUs (3.7).

def _p95(values):
    return score.Digest(values).quantile(0.95) if values else None


def _gpu_row(lens, row, members):
    own = [m for m in members if m.hour]
    counted = [m.session for m in own if m.counts]

    def latencies(name):
        return [getattr(s, name) for s in counted if getattr(s, name)]
    startups = latencies('startup_latency_ms')
    averages = [score.exact_sum(m.hour.fps) / len(m.hour.fps)
                for m in own if m.hour.fps]
    known = row['known_sessions_count']
    out = {name: row.get(name) for name in GPU_COLUMNS}
    out.update({
        'window_start_ms': row['window_start_ms'],
        'cuda_version': None,
        'p95_output_fps': _p95(averages),
        'p95_prompt_to_first_frame_latency_ms': _p95(latencies('ptff_ms')),
        'startup_latency_sum_ms': score.exact_sum(startups),
        'startup_latency_sample_count': len(startups),
        'avg_startup_latency_ms': ratio(sum(startups), len(startups)),
        'p95_startup_latency_ms': _p95(startups),
        'p95_e2e_latency_ms': _p95(latencies('e2e_latency_ms')),
        'startup_failed_rate': ratio(row['startup_failed_sessions'], known),
        'swap_rate': ratio(row['total_swapped_sessions'], known)})
    if len(lens.switches) == len(SWITCHES):
        out.update({name: row[name] for name in EXTRA_COLUMNS})
    return out


def gpus(lens):
    return [_gpu_row(lens, row, members)
            for row, members in zip(lens.rows, lens.members)
            if row['gpu_id']]


# What lens `assay` adds to both kinds of hours.
EXTRA_COLUMNS = '''fps_jitter_sum fps_jitter_hour_count cold_sessions
cold_startup_latency_sum_ms cold_startup_latency_sample_count
avg_cold_startup_latency_ms warm_startup_latency_sum_ms
warm_startup_latency_sample_count avg_warm_startup_latency_ms
ingest_video_packet_jitter_sum_ms ingest_video_packet_jitter_sample_count
avg_ingest_video_packet_jitter_ms ingest_audio_packet_jitter_sum_ms
ingest_audio_packet_jitter_sample_count
avg_ingest_audio_packet_jitter_ms'''.split()
ASSAY_GPU_COLUMNS = GPU_COLUMNS + EXTRA_COLUMNS
