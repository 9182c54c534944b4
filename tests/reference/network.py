"""What the network offers: each offer once, as it was seen last.

For: specification 1.5 with DECISIONS.md 112 to 115.
"""

import snapshots
from jobs import boolean
from jsontext import Object, integer, lower, member, string

OFFER_COLUMNS = '''last_seen org orch_address orchestrator_uri capability_id
capability_name capability_family canonical_pipeline pipeline_id model_id warm
advertised_capacity hardware_present gpu_id gpu_model_name
gpu_memory_bytes_total supports_stream supports_request price_per_unit
pixels_per_unit'''.split()

NUMBERS = {pipeline: int(number)
           for number, pipeline in snapshots.BUILTIN.items()}
LIVE, BYOC = 35, 37


def _hardware_offers(raw):
    for entry in raw.get('hardware') or []:
        entry = entry or Object([])
        surface = {'pipeline': string(entry.get('pipeline')),
                   'model': string(entry.get('model_id')),
                   'hardware_present': 1}
        info = entry.get('gpu_info')
        gpus = info.values() if isinstance(info, Object) else info or []
        gpus = [g for g in gpus if g is not None]
        if not gpus:
            yield surface
        for gpu in gpus:
            yield dict(surface, gpu_id=string(gpu.get('id')) or None,
                       gpu_model_name=string(gpu.get('name')) or None,
                       gpu_memory_bytes_total=integer(
                           gpu.get('memory_total')))


def _model_offers(raw):
    models = member(raw, 'capabilities', 'constraints', 'PerCapability')
    for number in sorted(snapshots.BUILTIN):
        offers = member(models, number, 'models')
        for model, offer in (offers or Object([])).items():
            yield {'pipeline': snapshots.BUILTIN[number], 'model': model,
                   'hardware_present': 0,
                   'warm': int(boolean(member(offer, 'warm'))),
                   'advertised_capacity': integer(member(offer, 'capacity'))}


def offers_of(raw):
    """What one element offers; nothing where a field is of a wrong type."""
    try:
        hardware = snapshots._hardware(raw)
        snapshots._per_capability(raw)
    except snapshots.WrongType:
        return []
    return list(_hardware_offers(raw) if hardware else _model_offers(raw))


def prices_of(raw):
    """((pipeline, model), byoc, price, pixels) of what is really priced."""
    listed = raw.get('capabilities_prices')
    for price in listed if isinstance(listed, list) else []:
        number = str(integer(member(price, 'capability')))
        constraint = string(member(price, 'constraint'))
        wei = integer(member(price, 'pricePerUnit'))
        pixels = integer(member(price, 'pixelsPerUnit'))
        if number == str(BYOC):
            surface = (constraint, '')
        elif number in snapshots.BUILTIN:
            surface = (snapshots.BUILTIN[number], constraint)
        else:
            continue
        if surface[0] and wei > 0 and pixels > 0:
            yield surface, number == str(BYOC), wei, pixels


class Network:
    """All that was seen in these network_capabilities events."""

    def __init__(self, events):
        self.offers = {}
        self.prices = {}      # (org, address, pipeline, model) -> row
        self.sightings = {}   # (org, address) -> when and where seen last
        self.ever_warm = set()    # keys of offers that were, or are hardware
        for event in sorted(events, key=lambda e: (e.ts, e.id.encode())):
            for raw in event.data if isinstance(event.data, list) else []:
                address = lower(string(member(raw, 'address')))
                if isinstance(raw, Object) and address:
                    self._see(event, raw, address)

    def _see(self, event, raw, address):
        uri = lower(string(raw.get('orch_uri')) or string(raw.get('uri')))
        seen = {'last_seen_ms': event.ts, 'org': event.org,
                'orch_address': address, 'orchestrator_uri': uri}
        self.sightings[event.org, address] = seen
        for offer in offers_of(raw):
            row = _offer_row(seen, offer)
            key = (event.org, address, row['pipeline_id'], offer['model'],
                   offer.get('gpu_id'), offer['hardware_present'])
            self.offers[key] = row
            if row['warm'] or row['hardware_present']:
                self.ever_warm.add(key)
        for surface, byoc, wei, pixels in prices_of(raw):
            self.prices[(event.org, address) + surface] = dict(
                seen, pipeline=surface[0], model=surface[1], byoc=byoc,
                wei=wei, pixels=pixels)

    def rows(self):
        rows = []
        for row in self.offers.values():
            byoc = row['capability_family'] == 'byoc'
            model = '' if byoc else row['model_id'] or ''
            price = self.prices.get(
                (row['org'], row['orch_address'], row['pipeline_id'], model))
            rows.append(dict(
                row, pixels_per_unit=price['pixels'] if price else None,
                price_per_unit=str(price['wei']) if price else None))
        rows.sort(key=lambda r: (
            r['orch_address'].encode(), r['pipeline_id'].encode(),
            (r['model_id'] or '').encode(), (r['gpu_id'] or '').encode(),
            r['hardware_present'], r['org'].encode()))
        return rows


def _offer_row(seen, offer):
    number = NUMBERS.get(lower(offer['pipeline']), BYOC)
    byoc = number == BYOC
    pipeline = offer['pipeline'] if byoc else lower(offer['pipeline'])
    row = {'capability_id': number,
           'capability_name': 'byoc' if byoc else pipeline,
           'capability_family': 'byoc' if byoc else 'builtin',
           'canonical_pipeline': pipeline, 'pipeline_id': pipeline,
           'model_id': offer['model'] or None, 'warm': None,
           'advertised_capacity': None, 'gpu_id': None,
           'gpu_model_name': None, 'gpu_memory_bytes_total': None,
           'supports_stream': int(number in (LIVE, BYOC)),
           'supports_request': int(number != LIVE)}
    row.update(seen)
    row.update({name: value for name, value in offer.items()
                if name not in ('pipeline', 'model')})
    return row
