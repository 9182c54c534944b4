"""From records to accepted events, and the counts of everything.

For: specification 1.1 and 1.2 with DECISIONS.md 1-14. A record is rejected,
ignored or accepted; of accepted deliveries with one key the first by
(gateway, NUL, data with sorted keys), partition, offset stays.
"""

import calendar
import datetime
import hashlib
import re

from jsontext import (Invalid, Object, compact, integer, lower, member,
                      number_text, parse_object, string)

FAMILIES = {
    'stream_trace', 'ai_stream_status', 'ai_stream_events',
    'stream_ingest_metrics', 'network_capabilities', 'discovery_results',
    'create_new_payment', 'ai_batch_request', 'ai_llm_request',
    'job_gateway', 'job_payment', 'job_orchestrator', 'job_auth',
    'worker_lifecycle'}

RUNNER_TRACES = {'runner_receive_first_ingest_segment',
                 'runner_send_first_processed_segment'}
CANONICAL_TRACES = {
    'gateway_receive_stream_request', 'gateway_ingest_stream_closed',
    'gateway_send_first_ingest_segment',
    'gateway_receive_first_processed_segment',
    'gateway_receive_few_processed_segments',
    'gateway_receive_first_data_segment',
    'gateway_no_orchestrators_available', 'orchestrator_swap'}

SCOPE_NOISE = {
    'stream_heartbeat', 'pipeline_load_start', 'pipeline_loaded',
    'session_created', 'stream_started', 'playback_ready', 'session_closed',
    'stream_stopped', 'pipeline_unloaded', 'websocket_connected',
    'websocket_disconnected', 'error'}

TOPIC_ORGS = {'streaming_events': 'cloudspe', 'network_events': 'daydream'}

LAST_MS = 9999999999999

_SECONDS = re.compile(r'([0-9]{9,10})(?:\.([0-9]{1,9}))?\Z')
_MILLISECONDS = re.compile(r'[0-9]{13}\Z')
_ISO = re.compile(
    r'([0-9]{4})-([0-9]{2})-([0-9]{2})'
    r'(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?'
    r'(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?)?\Z')


class Event:
    """One accepted event."""

    def __init__(self, org, family, ts, event_id, gateway, data, partition,
                 offset):
        self.org = org
        self.family = family
        self.ts = ts
        self.id = event_id
        self.gateway = gateway
        self.data = data
        self.partition = partition
        self.offset = offset

    def payload(self):
        text = self.gateway + '\0' + compact(self.data, sort_keys=True)
        return text.encode('utf-8')


def _fraction_ms(digits):
    return int((digits or '').ljust(3, '0')[:3])


def _iso_ms(match):
    year, month, day, hour, minute, second = (
        int(part or 0) for part in match.groups()[:6])
    fraction, sign, zone_hour, zone_minute = match.groups()[6:]
    try:
        when = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    ms = calendar.timegm(when.timetuple()) * 1000 + _fraction_ms(fraction)
    if sign:
        if int(zone_hour) > 23 or int(zone_minute or 0) > 59:
            return None
        shift = (int(zone_hour) * 60 + int(zone_minute or 0)) * 60000
        ms += -shift if sign == '+' else shift
    return ms


def time_ms(value):
    """The envelope's timestamp in ms, or None if it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = number_text(value)
    if not isinstance(value, str):
        return None
    ms = None
    seconds = _SECONDS.match(value)
    iso = _ISO.match(value)
    if _MILLISECONDS.match(value):
        ms = int(value)
    elif seconds:
        ms = int(seconds[1]) * 1000 + _fraction_ms(seconds[2])
    elif iso:
        ms = _iso_ms(iso)
    if ms is None or not 0 <= ms <= LAST_MS:
        return None
    return ms


def ignore_reason(family, data):
    """The reason to ignore it, or None if it is accepted."""
    if family not in FAMILIES:
        return 'unsupported_event_family'
    if family != 'stream_trace':
        return None
    kind = string(member(data, 'type'))
    if kind in CANONICAL_TRACES or kind in RUNNER_TRACES:
        return None
    if lower(kind).startswith('app_'):
        return 'ignored_stream_trace_non_core_app'
    client = lower(string(member(data, 'client_source')))
    if client == 'scope' and kind in SCOPE_NOISE:
        return 'ignored_stream_trace_scope_client_noise'
    return 'unsupported_stream_trace_type'


class Intake:
    """Takes records one by one; keeps counts and the accepted events."""

    def __init__(self):
        self.received = {}   # (class, reason, org) -> deliveries
        self.unique = {}     # (class, reason, org) -> set of keys
        self.events = {}     # (org, family, ts, id) -> Event
        self.conflicts = set()

    def _count(self, kind, reason, org, key):
        where = (kind, reason, org)
        self.received[where] = self.received.get(where, 0) + 1
        self.unique.setdefault(where, set()).add(key)

    def take(self, record, default_org=''):
        record = record.strip(b' \t\r\n')
        if not record:
            return
        digest = hashlib.sha256(record).digest()
        try:
            outer = parse_object(record)
        except Invalid:
            self._count('rejected', 'invalid_json', default_org, digest)
            return
        envelope, topic, partition, offset = outer, '', 0, 0
        if isinstance(outer.get('value'), Object) and 'data' not in outer:
            envelope = outer['value']
            topic = string(outer.get('topic')).replace('-', '_')
            partition = integer(outer.get('partition'))
            offset = integer(outer.get('offset'))
        org = (string(outer.get('org')) or string(envelope.get('org'))
               or default_org or TOPIC_ORGS.get(topic, ''))
        if '|' in org:
            org = ''
        event_id = string(envelope.get('id'))
        ts = time_ms(envelope.get('timestamp'))
        if not event_id:
            self._count('rejected', 'blank_id', org, digest)
        elif ts is None:
            self._count('rejected', 'invalid_timestamp', org, digest)
        elif not org:
            self._count('rejected', 'blank_org', '', digest)
        else:
            self._keep(Event(org, string(envelope.get('type')), ts, event_id,
                             string(envelope.get('gateway')),
                             envelope.get('data'), partition, offset))

    def _keep(self, event):
        key = (event.org, event.family, event.ts, event.id)
        reason = ignore_reason(event.family, event.data)
        if reason:
            self._count('ignored', reason, event.org, key)
            return
        self._count('accepted', '', event.org, key)
        known = self.events.get(key)
        if known is None:
            self.events[key] = event
            return
        if known.payload() != event.payload():
            self.conflicts.add(key)
        if ((event.payload(), event.partition, event.offset)
                < (known.payload(), known.partition, known.offset)):
            self.events[key] = event

    def count_rows(self):
        return [{'class': kind, 'reason': reason, 'org': org,
                 'received': self.received[kind, reason, org],
                 'unique': len(self.unique[kind, reason, org])}
                for kind, reason, org in sorted(self.received)]
