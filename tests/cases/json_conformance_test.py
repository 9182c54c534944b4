"""What is JSON: RFC 8259 case by case, each one record of an import.

VALUES are put into an event's `data`; what is written there decides only
whether the record is JSON. DOCUMENTS are records as they stand. Where the RFC
leaves a choice (depth, large numbers, duplicate keys, lone surrogates, a byte
order mark), tests/reference/DECISIONS.md has made it.
"""
import sys

from harness import ROOT, export, run

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import jsontext                   # noqa: E402

HEAD = b'{"id":"%d","type":"x","org":"a","timestamp":"1767908945298","data":'

ACCEPTED_VALUES = [
    # literals and numbers
    b"null", b"true", b"false", b"0", b"-0", b"0.0", b"-0.0", b"0e0", b"0E-0",
    b"1", b"-1", b"10", b"1.5", b"-1.5", b"1e1", b"1E1", b"1e+1", b"1e-1",
    b"1.0e+01", b"1.25E-007", b"123456789012345678901234567890", b"0.1",
    b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808",
    b"18446744073709551615", b"18446744073709551616", b"1e308",
    b"1.7976931348623157e308", b"-1.7976931348623157e308", b"5e-324",
    b"1e-400", b"-1e-400", b"1e-99999999999", b"0e99999999999", b"1e+0000001",
    b"0." + b"0" * 400 + b"1", b"1" + b"0" * 300, b"1." + b"1" * 1000,
    b"0.30000000000000004", b"2.2250738585072011e-308",
    # strings
    b'""', b'"a"', b'" "', b'"\\""', b'"\\\\"', b'"\\/"', b'"/"',
    b'"\\b\\f\\n\\r\\t"', b'"\\u0000"', b'"\\u001f"', b'"\\u0041"',
    b'"\\u00e9\\u00E9"', b'"\\uFFFF"', b'"\\ufdd0"', b'"\\ud83d\\ude00"',
    b'"\\uD800\\uDC00"', b'"\\udbff\\udfff"', b'"\x7f"', b'"\xc2\x80"',
    b'"\xc3\xa9"', b'"\xe2\x80\xa8\xe2\x80\xa9"', b'"\xef\xbb\xbf"',
    b'"\xef\xbf\xbe"', b'"\xef\xbf\xbf"', b'"\xf0\x9f\x98\x80"',
    b'"\xf4\x8f\xbf\xbf"', b'"\xed\x9f\xbf"', b'"\xee\x80\x80"',
    b'"\\\\u0000"', b'"\\\\\\""', b'"' + b"a" * 100000 + b'"',
    b'"{"', b'"[[["', b'"]"', b'"/*"', b'"null"',
    # arrays and objects
    b"[]", b"[ ]", b"[\t]", b"[[]]", b"[[],[]]", b"[1]", b"[1,2]",
    b"[ 1 , 2 ]", b"[null]", b'[1,"a",null,true,{},[]]', b"{}", b"{ }",
    b'{"":0}', b'{"a":0}', b'{"a":0,"b":1}', b'{ "a" : 0 , "b" : 1 }',
    b'{"a":0,"a":1}', b'{"\\u0061":0,"a":1}', b'{"\\u0000":0}',
    b'{"a":{"b":{"c":[]}}}', b'{"\xc3\xa9":0}', b'{" ":0}', b'{"a":[{}]}',
    b"[" * 127 + b"]" * 127, b'{"a":' * 126 + b"{}" + b"}" * 126,
    b"[" + b"0," * 50000 + b"0]", b"\t1", b"1\t", b" \t null \t "]

REJECTED_VALUES = [
    # literals and numbers
    b"", b" ", b"nul", b"nulll", b"Null", b"NULL", b"True", b"TRUE", b"fals",
    b"undefined", b"nan", b"NaN", b"-NaN", b"inf", b"Infinity", b"-Infinity",
    b"01", b"-01", b"00", b"-", b"+1", b"--1", b"1-", b"1+1", b".5", b"-.5",
    b"5.", b"-5.", b"1.e1", b".e1", b"1e", b"1E", b"1e+", b"1e-", b"1e1.5",
    b"1ee1", b"1.2.3", b"1 2", b"0x1", b"0b1", b"1_000", b"1a", b"1f", b"1L",
    b"1,", b"\xef\xbc\x91", b"1\xc2\xa0", b"1e309", b"-1e309", b"1e99999999",
    b"1" + b"0" * 400, b"1.7976931348623159e308", b"2e308",
    # strings
    b'"', b'"a', b'a"', b"'a'", b"a", b'"a""b"', b'"a" "b"', b'"\t"', b'"\r"',
    b'"\x01"', b'"\x1f"', b'"\x00"', b'"\\"', b'"\\a"', b'"\\0"', b'"\\x41"',
    b'"\\\'"', b'"\\u"', b'"\\u0"', b'"\\u00"', b'"\\u000"', b'"\\u00G0"',
    b'"\\U0041"', b'"\\u 041"', b'"\\u-041"', b'"\\\t"', b'"\\\xc3\xa9"',
    b'"\\ud800"', b'"\\udbff"', b'"\\udc00"', b'"\\udfff"', b'"\\ud800a"',
    b'"\\ud800\\n"', b'"\\ud800\\u0041"', b'"\\ud800\\ud800"',
    b'"\\udc00\\ud800"', b'"\x80"', b'"\xbf"', b'"\xc0\x80"', b'"\xc1\xbf"',
    b'"\xc3"', b'"\xc3("', b'"\xe0\x80\x80"', b'"\xe0\x9f\xbf"', b'"\xe2\x82"',
    b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xf0\x80\x80\x80"',
    b'"\xf0\x8f\xbf\xbf"', b'"\xf0\x9f\x98"', b'"\xf4\x90\x80\x80"',
    b'"\xf8\x88\x80\x80\x80"', b'"\xfe"', b'"\xff"',
    # arrays and objects
    b"[", b"]", b"[1", b"1]", b"[1,]", b"[,1]", b"[,]", b"[1,,2]", b"[1 2]",
    b"[1;2]", b"[1:2]", b"[1}", b"[[]", b"[]]", b"[a]", b"[-]", b"(1)", b"<>",
    b"{", b"}", b"{]", b'{"a"}', b'{"a":}', b'{"a" 0}', b'{"a",0}', b"{a:0}",
    b"{0:0}", b"{null:0}", b"{'a':0}", b'{"a":0,}', b'{,"a":0}', b"{,}",
    b'{"a":0,,"b":1}', b'{"a":0 "b":1}', b'{"a":0;"b":1}', b'{"a"::0}',
    b'{"a":0:1}', b'{"a":0', b'{"a":0]', b'{"a":{}', b'{"a":0}}', b'{:0}',
    b'{"a\x01":0}', b'{"\\ud800":0}', b'{"a":0}{"b":1}', b"{} []",
    b"[" * 128 + b"]" * 128, b'{"a":' * 127 + b"{}" + b"}" * 127,
    b"[" * 50000, b"[" * 50000 + b"]" * 50000,
    # what is around
    b"1//", b"//\t1", b"1/**/", b"/**/1", b"#1", b"1#", b"\x0b1", b"\x0c1",
    b"1\x00", b"\x001", b"\xef\xbb\xbf1", b"\xc2\xa01", b"\xe3\x80\x801",
    b"\xff", b"\xe2\x80\xa81", b"1\x1a"]

# As whole records; accepted means: an object, though without an id.
ACCEPTED_DOCUMENTS = [
    b"{}", b" {} ", b"\t{}\t", b"{}\r", b'{"a":1}', b"{ }", b'{"id":null}',
    b'{"id":"","id":"x"}', b'{"\\u0069d":""}', b'{"id":""}']
REJECTED_DOCUMENTS = [
    b"null", b"true", b"0", b'"text"', b'"{}"', b"{", b"}", b"{}}", b"{}{}",
    b"{},", b",{}", b"{}1", b"1{}", b"{};", b"{}\x00", b"\x00{}", b"\x00",
    b"\x0c{}", b"{}\x0c", b"\xef\xbb\xbf{}", b"{}\xef\xbb\xbf",
    b"\xff\xfe{\x00}\x00",
    b"\xfe\xff\x00{\x00}", b"+{}", b"<a/>", b"{}//", b"/**/{}", b"a=1", b"---",
    b"{}]", b"'{}'", b"\xe2\x80\x8b{}", b"\xc2\x85{}"]

# Over several lines; a form feed or a bare word between makes it damaged.
ACCEPTED_LINES = [
    b"{\n}", b"{\r\n}", b"\n\n{\n\n}\n\n", b'{\n"a":\n1\n}', b'{\n"a"\n:\n1\n}',
    b'{\n\t"a": [\n1,\n2\n]\n}', b"[{\n}]", b"[\n{\n}\n]"]


def counts(store):
    return {(row["class"], row["reason"]): row["received"]
            for row in export("counts", data=store)}


def record_of(number, value):
    return HEAD % number + value + b"}"


def take(records, store):
    """Imports RECORDS as lines after one that makes the file lines."""
    first = record_of(0, b"0")
    run("import", "--data", store, "-",
        input=b"".join(record + b"\n" for record in [first] + records))
    found = counts(store)
    assert sum(found.values()) == len(records) + 1, found
    found["ignored", "unsupported_event_family"] -= 1
    return {key: count for key, count in found.items() if count}


def blame(records, reason):
    """The records that do not alone end under REASON."""
    wrong = []
    for i, record in enumerate(records):
        found = take([record], f"alone-{i}")
        if found != {reason: 1}:
            wrong.append((record[:200], found))
    return wrong


def check(records, reason):
    found = take(records, "all")
    if found != {reason: len(records)}:
        raise AssertionError(f"{found}: {blame(records, reason)}")
    run("evidence", "verify", "--data", "all")
    # Judged the same when the evidence is read again.
    before = counts("all")
    run("rebuild", "--data", "all")
    assert counts("all") == before


def test_the_cases_are_many_and_differ():
    for cases in (ACCEPTED_VALUES, REJECTED_VALUES, ACCEPTED_DOCUMENTS,
                  REJECTED_DOCUMENTS, ACCEPTED_LINES):
        assert len(set(cases)) == len(cases)
        assert not any(b"\n" in case for case in cases
                       if cases is not ACCEPTED_LINES)


def test_the_second_implementation_agrees():
    cases = ([(record_of(0, value), True) for value in ACCEPTED_VALUES]
             + [(record_of(0, value), False) for value in REJECTED_VALUES]
             + [(record.strip(b" \t\r"), True)
                for record in ACCEPTED_DOCUMENTS]
             + [(record, False) for record in REJECTED_DOCUMENTS])
    for record, accepted in cases:
        try:
            jsontext.parse_object(record)
            assert accepted, record[:200]
        except jsontext.Invalid:
            assert not accepted, record[:200]


def test_accepted_values():
    check([record_of(number, value)
           for number, value in enumerate(ACCEPTED_VALUES, 1)],
          ("ignored", "unsupported_event_family"))


def test_rejected_values():
    check([record_of(number, value)
           for number, value in enumerate(REJECTED_VALUES, 1)],
          ("rejected", "invalid_json"))


def test_accepted_documents():
    check(ACCEPTED_DOCUMENTS, ("rejected", "blank_id"))


def test_rejected_documents():
    check(REJECTED_DOCUMENTS, ("rejected", "invalid_json"))


def test_values_as_the_first_thing_of_a_file():
    """Shapes are told by the first bytes; the verdict must not differ."""
    for i, value in enumerate(ACCEPTED_VALUES[::9] + REJECTED_VALUES[::9]):
        content = record_of(1, value)
        run("import", "--data", str(i), "-", input=content + b"\n")
        expected = (("ignored", "unsupported_event_family")
                    if value in ACCEPTED_VALUES
                    else ("rejected", "invalid_json"))
        assert counts(str(i)) == {expected: 1}, (value[:100], counts(str(i)))


def test_elements_of_an_array():
    content = b"[" + b",".join(
        record_of(number, value)
        for number, value in enumerate(ACCEPTED_VALUES)) + b"]"
    run("import", "-", input=content)
    assert counts("assay-data") == {
        ("ignored", "unsupported_event_family"): len(ACCEPTED_VALUES)}


def test_objects_over_several_lines():
    for i, content in enumerate(ACCEPTED_LINES):
        run("import", "--data", str(i), "-", input=content)
        assert counts(str(i)) == {("rejected", "blank_id"): 1}, content


def test_the_first_of_duplicate_keys_counts():
    lines = [b'{"id":"x","id":"","type":"x","org":"a","timestamp":"1767908945"'
             b',"timestamp":"","org":"b","data":1,"data":2}',
             b'{"id":"y","type":"x","type":"stream_trace","\\u0074ype":"z",'
             b'"org":"a","timestamp":"1767908945"}']
    run("import", "-", input=b"\n".join(lines))
    assert [tuple(row.values()) for row in export("counts")] == [
        ("ignored", "unsupported_event_family", "a", 2, 2)]


def test_numbers_and_escapes_mean_what_they_say():
    """Ids that are one text are one id, however they are written."""
    same = [[b'"\\u0061"', b'"a"'], [b'"1.5"', b"1.5", b"15e-1", b"1.50"],
            [b"100", b"100", b'"100"'], [b"1e2", b'"100"', b"100.0"],
            [b'"\\/"', b'"/"'], [b'"\\ud83d\\ude00"', b'"\xf0\x9f\x98\x80"'],
            [b"-0", b'"-0"', b"-0.0", b"-0e5"], [b"true", b'"true"'],
            [b"[1, 2]", b'"[1,2]"'],
            [b'{"b":1,"a":2}', b'"{\\"b\\":1,\\"a\\":2}"'],
            [b"1e22", b'"1e+22"'],
            [b"123456789012345678", b'"123456789012345678"'],
            [b"0.1", b'"0.1"', b"0.10000000000000001"]]
    for i, spellings in enumerate(same):
        run("import", "--data", str(i), "-", input=b"\n".join(
            b'{"id":%s,"type":"x","org":"a","timestamp":"1767908945"}'
            % spelling for spelling in spellings))
        row, = export("counts", data=str(i))
        assert (row["received"], row["unique"]) == (len(spellings), 1), (
            spellings, row)
