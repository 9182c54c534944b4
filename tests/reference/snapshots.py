"""Capability snapshots: elements, version chains, intervals.

For: specification 2.5 and the hash inputs of 11, with DECISIONS.md 41 to 48.
"""

import hashlib
import re

from jsontext import Object, compact, lower, member, string

BUILTIN = {
    '27': 'text-to-image', '28': 'image-to-image', '29': 'image-to-video',
    '30': 'upscale', '31': 'audio-to-text', '32': 'segment-anything-2',
    '33': 'llm', '34': 'image-to-text', '35': 'live-video-to-video',
    '36': 'text-to-speech'}

BYOC = '37'

BEFORE_MS = 10 * 60 * 1000
AFTER_MS = 30 * 1000

_ADDRESS = re.compile(r'0x[0-9a-f]{40}\Z')


def H(*parts):
    return hashlib.md5('|'.join(parts).encode('utf-8')).hexdigest()


class WrongType(Exception):
    """A capability field is not what it should be."""


class Element:
    """One orchestrator in one network_capabilities event."""

    def __init__(self, event, raw):
        self.org = event.org
        self.ts = event.ts
        self.event_id = event.id
        self.raw = raw
        self.address = lower(string(member(raw, 'address')))
        self.uri = lower(string(member(raw, 'orch_uri'))
                         or string(member(raw, 'uri')))
        alias = lower(string(member(raw, 'local_address')))
        fits = _ADDRESS.match(alias) and alias != self.address
        self.alias = alias if fits else ''
        self.payload_hash = H(compact(raw))


def elements_of(event):
    """The elements of one event; the last of an (address, uri) wins."""
    found = {}
    if isinstance(event.data, list):
        for raw in event.data:
            if isinstance(raw, Object):
                element = Element(event, raw)
                if element.address:
                    found[element.address, element.uri] = element
    return list(found.values())


class Interval:
    """One (pipeline, model, gpu) that a version offers."""

    def __init__(self, version, suffix, pipeline='', model='', gpu='',
                 hardware=False, name='', memory=0, runner_version=''):
        self.version = version
        self.hash = H(version.id, H(*suffix))
        self.pipeline = pipeline
        self.model = model
        self.gpu = gpu
        self.hardware = hardware
        self.name = name
        self.memory = memory
        self.runner_version = runner_version

    def surface(self):
        return (self.version.address, self.version.uri,
                lower(self.pipeline), lower(self.model))


class Version:
    """A payload of one (address, uri), valid from its first sight."""

    def __init__(self, element):
        self.address = element.address
        self.uri = element.uri
        self.alias = element.alias
        self.valid_from = element.ts
        self.valid_to = None
        self.id = H(element.org, element.address, element.uri,
                    element.event_id, element.payload_hash)
        self.intervals = _intervals(self, element.raw)

    def contains(self, t):
        return (self.valid_from <= t
                and (self.valid_to is None or t < self.valid_to))


def _typed(value, kind):
    """The value if it is of that kind, None if it is null or missing."""
    if value is not None and not isinstance(value, kind):
        raise WrongType()
    return value


def _text(value):
    return _typed(value, str) or ''


def _gpus(entry):
    """(id, memory_total, name) of every GPU of a hardware entry."""
    info = _typed(entry.get('gpu_info'), (Object, list))
    if info is None:
        return []
    values = info.values() if isinstance(info, Object) else info
    gpus = []
    for gpu in values:
        if _typed(gpu, Object) is None:
            continue
        memory = gpu.get('memory_total')
        if memory is None:
            memory = 0
        if isinstance(memory, bool) or not isinstance(memory, int):
            raise WrongType()
        if not -2 ** 63 <= memory < 2 ** 63:
            raise WrongType()
        gpus.append((_text(gpu.get('id')), memory,
                     string(gpu.get('name'))))
    return gpus


def _hardware(raw):
    """(pipeline, model, gpus) of every hardware entry."""
    entries = []
    for entry in _typed(raw.get('hardware'), list) or []:
        entry = _typed(entry, Object)
        if entry is None:
            entries.append(('', '', []))
        else:
            entries.append((_text(entry.get('pipeline')),
                            _text(entry.get('model_id')), _gpus(entry)))
    return entries


def _per_capability(raw):
    """(pipeline, model), once each, of the builtin capabilities."""
    value = raw
    for key in ('capabilities', 'constraints', 'PerCapability'):
        value = _typed(value.get(key), Object)
        if value is None:
            return []
    found = []
    for number in sorted(value):
        capability = _typed(value[number], Object)
        if capability is None:
            continue
        models = _typed(capability.get('models'), Object)
        if models is None:
            continue
        for model in sorted(models):
            _typed(models[model], Object)
            pair = (BUILTIN.get(number), model)
            if number in BUILTIN and pair not in found:
                found.append(pair)
    return found


def _runner_version(raw, pipeline, model):
    """What the capability says that its model's runner is."""
    numbers = {name: number for number, name in BUILTIN.items()}
    return string(member(
        raw, 'capabilities', 'constraints', 'PerCapability',
        numbers.get(lower(pipeline), BYOC), 'models', model, 'runnerVersion'))


def _intervals(version, raw):
    try:
        hardware = _hardware(raw)
        per_capability = _per_capability(raw)
    except WrongType:
        return [Interval(version, ('hardware-less', 'error'))]
    out = []
    for pipeline, model, gpus in hardware:
        runner = _runner_version(raw, pipeline, model)
        if not gpus:
            out.append(Interval(version, (pipeline, model, 'hardware-less'),
                                pipeline, model, runner_version=runner))
        for gpu, memory, name in gpus:
            out.append(Interval(version, (pipeline, model, gpu, str(memory)),
                                pipeline, model, gpu, True, name, memory,
                                runner))
    if not hardware:
        for pipeline, model in per_capability:
            out.append(Interval(
                version, (pipeline, model, 'per-capability'), pipeline, model,
                runner_version=_runner_version(raw, pipeline, model)))
    return out or [Interval(version, ('hardware-less',))]


def load(elements, seen, start, end, everyone=False):
    """The intervals of one org that a pass over [start, end) sees.

    `seen` holds the addresses and URLs of the pass's selection events; start
    and end are None for a pass over everything. With `everyone` it does not
    matter who was seen.
    """
    chains = {}
    for e in elements:
        if start is not None and not (
                start - BEFORE_MS <= e.ts < end + AFTER_MS):
            continue
        if everyone or {e.address, e.uri, e.alias} & seen - {''}:
            chains.setdefault((e.address, e.uri), []).append(e)
    intervals = []
    for chain in chains.values():
        chain.sort(key=lambda e: (e.ts, e.event_id.encode()))
        versions = []
        previous = None
        for element in chain:
            if element.payload_hash == previous:
                continue
            previous = element.payload_hash
            versions.append(Version(element))
        for version, following in zip(versions, versions[1:]):
            version.valid_to = following.valid_from
        for version in versions:
            intervals.extend(version.intervals)
    return intervals
