"""Strict JSON in, compact JSON out, and the coercions.

For: reading records exactly as DECISIONS.md 1-5 and 15-19 say (specification
1.3). Python's own parser is too kind in places (NaN, lone surrogates, any
depth, huge numbers), so those are refused here.

An object is an `Object`: a dict in which the first of two equal keys wins,
with all pairs kept in `.pairs` for the compact texts.
"""

import json
import math
import re

DEEPEST = 128
LONGEST_BYTES = 8 * 1024 * 1024

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER = re.compile(r'-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z',
                     re.ASCII)
_SHORT = {'"': '\\"', '\\': '\\\\', '\b': '\\b', '\t': '\\t', '\n': '\\n',
          '\f': '\\f', '\r': '\\r'}


class Invalid(Exception):
    """The record is not a JSON object in our strict sense."""


class Object(dict):
    """A JSON object: first key wins, every pair is kept in order."""

    def __init__(self, pairs):
        super().__init__()
        self.pairs = pairs
        for key, value in pairs:
            self.setdefault(key, value)


def _number(token):
    if not any(c in token for c in '.eE') and token != '-0':
        if len(token) <= 20:
            whole = int(token)
            if -2 ** 63 <= whole < 2 ** 64:
                return whole
    value = float(token)
    if math.isinf(value):
        raise Invalid('number beyond a double')
    return value


def _constant(token):
    raise Invalid(token)


def _depth(text):
    depth = deepest = 0
    for c in _STRING.sub('', text):
        if c in '[{':
            depth += 1
            deepest = max(deepest, depth)
        elif c in ']}':
            depth -= 1
    return deepest


def _check_surrogates(value):
    if isinstance(value, str):
        value.encode('utf-8')
    elif isinstance(value, Object):
        for key, member in value.pairs:
            key.encode('utf-8')
            _check_surrogates(member)
    elif isinstance(value, list):
        for member in value:
            _check_surrogates(member)


def parse_object(record):
    """The object in these bytes, or Invalid."""
    if len(record) > LONGEST_BYTES:
        raise Invalid('too long')
    try:
        text = record.decode('utf-8')
        if _depth(text) > DEEPEST:
            raise Invalid('too deep')
        value = json.loads(text, object_pairs_hook=Object,
                           parse_int=_number, parse_float=_number,
                           parse_constant=_constant)
        if '\\u' in text:
            _check_surrogates(value)
    except (ValueError, RecursionError) as e:
        raise Invalid(str(e)) from e
    if not isinstance(value, Object):
        raise Invalid('not an object')
    return value


def number_text(value):
    """An integer's digits; a double's shortest text of %.15g to %.17g."""
    if isinstance(value, int):
        return str(value)
    for digits in (15, 16, 17):
        text = '%.*g' % (digits, value)
        if float(text) == value:
            return text
    raise AssertionError(value)


def _quoted(text):
    out = []
    for c in text:
        if c in _SHORT:
            out.append(_SHORT[c])
        elif c < ' ':
            out.append('\\u%04X' % ord(c))
        else:
            out.append(c)
    return '"' + ''.join(out) + '"'


def compact(value, sort_keys=False):
    """Compact JSON text; keys in given order, or sorted by bytes."""
    if value is None:
        return 'null'
    if value is True:
        return 'true'
    if value is False:
        return 'false'
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return '[' + ','.join(compact(v, sort_keys) for v in value) + ']'
    pairs = value.pairs
    if sort_keys:
        pairs = sorted(pairs, key=lambda pair: pair[0].encode('utf-8'))
    return '{' + ','.join(_quoted(k) + ':' + compact(v, sort_keys)
                          for k, v in pairs) + '}'


def member(value, *path):
    """The value at a path of keys, None where anything is missing."""
    for key in path:
        if not isinstance(value, Object):
            return None
        value = value.get(key)
    return value


def string(value):
    if value is None:
        return ''
    if isinstance(value, str):
        return value
    return compact(value)


def _numeric_text(text):
    """The number that this text is, or None."""
    if not _NUMBER.match(text):
        return None
    try:
        return _number(text)
    except Invalid:
        return None


def integer(value):
    if isinstance(value, bool) or value is None:
        return 0
    from_text = isinstance(value, str)
    if from_text:
        value = _numeric_text(value)
        if value is None:
            return 0
    if isinstance(value, float):
        if abs(value) >= 2.0 ** 63:
            return 0
        if from_text and value != math.trunc(value):
            return 0
        return math.trunc(value)
    if isinstance(value, int) and -2 ** 63 <= value < 2 ** 63:
        return value
    return 0


def double(value):
    if isinstance(value, str):
        value = _numeric_text(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    return float(value)


def lower(text):
    """Lower case, ASCII letters only."""
    return ''.join(c.lower() if 'A' <= c <= 'Z' else c for c in text)


def trim(text):
    return text.strip(' \t\n\v\f\r')
