"""Line protocol: columns equal what the careful reader says of each line, and each mistake has its line and column."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from shopfloor.plant import Kind, TagPath
from shopfloor.plant.config import InfluxDoorSection
from shopfloor.services.influx.line import Head, MistakeError, read_line
from shopfloor.services.influx.lines import Lines, parse
from shopfloor.services.influx.names import Names

BITS = ["a", "cpu", ",", "=", " ", '"', "\\", "\n", "\n", "1", "2.5", "3i", "4u", "t", "true", "-", ".", "e5", "#",
        "\r\n", "é",
        ",x=1", " v=1", " v=1,w=2i 5", ' s="q"', ' s="a b,c=d" 7', "\t", "9999999999999999999i"]  # fmt: skip


def one_by_one(body: bytes) -> tuple[Counter[tuple[object, ...]], int]:
    found: Counter[tuple[object, ...]] = Counter()
    refused = at = 0
    body = body if body.endswith(b"\n") else body + b"\n"
    while at < len(body):
        end = body.index(b"\n", at) + 1
        try:
            line = read_line(body, at)
        except MistakeError:
            refused, line = refused + 1, None
        if line is not None and line.time is not None and not 0 <= line.time < 9_214_646_400_000_000_000:
            refused, end, line = refused + 1, line.end, None
        if line is not None:
            end = line.end
            found.update((line.head, name, repr(value), line.time or 0) for name, value in line.fields)
        at = end
    return found, refused


def at_once(body: bytes) -> tuple[Counter[tuple[object, ...]], int]:
    lines = parse(body, 1, 0)
    return Counter(rows(lines)), lines.refused


def rows(lines: Lines) -> list[tuple[object, ...]]:
    return [
        (lines.heads[head], lines.names[name], repr(value), int(lines.time[line]))
        for column in lines.columns.values()
        for line, head, name, value in zip(
            column.line.tolist(), column.head.tolist(), column.name.tolist(), column.value.tolist(), strict=True
        )
    ]


@given(st.lists(st.sampled_from(BITS), max_size=25).map("".join))
@example('a,b=c\\ d v="x\ny",w=1 5\ncpu v=1\n')
@example('a v="x\ncpu v=1\ny" 3\n')
@example("a v=1 -5")
@example('a,b="c v=1')
@example("a\\ v=1")
def test_columns_equal_the_careful_reader(text: str) -> None:
    assert at_once(text.encode()) == one_by_one(text.encode())


@given(st.binary(max_size=60))
def test_no_bytes_are_too_hostile(body: bytes) -> None:
    lines = parse(body, 1, 0)
    assert lines.refused <= lines.count
    assert all(mistake.line >= 1 and mistake.column >= 1 for mistake in lines.mistakes)


def test_every_type_and_escape() -> None:
    body = (
        b"# a comment\n\n"
        b'wea\\,ther\\ x,loc\\=a=b\\ c\\,d f=1.5,i=-2i,u=3u,e=1e-3,s="say \\"hi\\" \\\\ \\x",t=T,n=false 1\r\n'
        b'multi text="two\nlines" 2\n'
        b"cpu load=.5"
    )
    head = Head("wea,ther x", (("loc=a", "b c,d"),))
    lines = parse(body, 1_000_000_000, 12_345_678_901)
    assert Counter(rows(lines)) == Counter(
        [(head, "f", "1.5", 10**9), (head, "i", "-2", 10**9), (head, "u", "3", 10**9), (head, "e", "0.001", 10**9),
         (head, "s", repr('say "hi" \\ \\x'), 10**9), (head, "t", "1.0", 10**9), (head, "n", "0.0", 10**9),
         (Head("multi"), "text", repr("two\nlines"), 2 * 10**9), (Head("cpu"), "load", "0.5", 12 * 10**9)]
    )  # fmt: skip
    assert (lines.count, lines.refused) == (3, 0)


@pytest.mark.parametrize(
    ("line", "column", "sentence"),
    [
        (b"cpu", 4, "FIELD=VALUE was expected after the measurement and a blank"),
        (b",host=a v=1", 1, "a measurement was expected"),
        (b"cpu,host v=1", 5, "TAG=VALUE was expected after the comma"),
        (b"cpu,host= v=1", 10, "a value was expected for the tag 'host'"),
        (b"cpu,a=1,a=2 v=1", 9, "the tag 'a' was expected once"),
        (b"cpu v=", 7, "a number, 12i, 12u, true, false or a text in double quotes"),
        (b"cpu v=nan", 7, "a number, 12i"),
        (b"cpu v=1e999", 7, "at most 1.8e308"),
        (b"cpu v=1,=2", 9, "FIELD=VALUE was expected"),
        (b"cpu v=9223372036854775808i", 7, "a whole number from -9223372036854775808"),
        (b"cpu v=-1u", 7, "a whole number from 0"),
        (b'cpu v="open', 7, "a text is not closed"),
        (b"cpu v=1 soon", 9, "the time was expected"),
        (b"cpu v=1 5 6", 9, "the time was expected"),
        (b'cpu v="a"b', 10, "a comma and the next field"),
        (b"cpu v=1 -1", 9, "a time from 1970 to 2261"),
        (b"cpu v=1 99999999999999999999", 9, "a time from 1970 to 2261"),
        ("ölpumpe,é=1 v=x".encode(), 15, "a number"),
        (b"cpu,h=\xff v=1", 1, "UTF-8 was expected"),
    ],
)
def test_each_mistake_has_its_column(line: bytes, column: int, sentence: str) -> None:
    lines = parse(b"good v=1 1\n" + line + b"\ngood v=2 2\n", 1, 0)
    (mistake,) = lines.mistakes
    assert (mistake.line, mistake.column) == (2, column)
    assert sentence in str(mistake)
    assert lines.columns[Kind.FLOAT].value.tolist() == [1.0, 2.0]


def test_a_million_mistakes_are_counted_and_not_described() -> None:
    lines = parse(b"bad\n" * 20_000, 1, 0)
    assert (lines.count, lines.refused, len(lines.mistakes)) == (20_000, 20_000, 100)


WORDS = st.text(min_size=1, max_size=12).filter(lambda text: not any(c in text for c in "\n\r\\"))


@given(
    st.builds(Head, WORDS, st.dictionaries(WORDS, WORDS, max_size=4).map(lambda tags: tuple(sorted(tags.items())))),
    WORDS, WORDS,
)  # fmt: skip
@example(Head("/var/log #1+2", (("host", "a b  c "), ("k", "%2F=,-"))), " f", "b/c")
def test_names_come_back_from_their_path(head: Head, field: str, bucket: str) -> None:
    names = Names(InfluxDoorSection(), "delta")
    path = names.path(bucket, head, field)
    assert str(TagPath.parse(path)) == path
    series = names.series(path)
    assert (series.measurement, dict(series.tags), series.field, series.bucket) == (
        head.measurement, dict(head.tags), field, bucket)  # fmt: skip


def test_the_plants_own_lines_map_back_exactly() -> None:
    names = Names(InfluxDoorSection(), "elsewhere")
    levels = {"site": "delta", "area": "frames", "line": "line 1", "cell": "cell-a", "asset": "cnc=1"}
    head = Head("spindle.power", tuple(sorted(levels.items())))
    assert names.path("any", head, "value") == "delta/frames/line 1/cell-a/cnc=1/spindle.power"
    assert names.path("any", head, "other").startswith("elsewhere/any/influx/spindle.power/")
    series = names.series("delta/frames/line 1/cell-a/cnc=1/spindle.power")
    assert (series.measurement, dict(series.tags), series.field) == ("spindle.power", levels, "")


def test_templates_are_tried_in_order() -> None:
    section = InfluxDoorSection.model_validate(
        {"paths": [{"measurement": "cpu", "path": "{site}/it/servers/{host}/{cpu}/{field}"},
                   {"measurement": "press*", "path": "{site}/{bucket}/{line}/{measurement}/{tags}/{field}"}]}
    )  # fmt: skip
    names = Names(section, "delta")
    cpu = Head("cpu", (("cpu", "0"), ("host", "a/b")))
    assert names.path("t", cpu, "idle") == "delta/it/servers/a%2Fb/0/idle"
    assert names.series("delta/it/servers/a%2Fb/0/idle").tags == {"host": "a/b", "cpu": "0"}
    more = Head("cpu", (*cpu.tags, ("z", "1")))
    assert names.path("t", more, "idle") == "delta/t/influx/cpu/cpu=0,host=a%2Fb,z=1/idle"
    press = Head("press-7", (("line", "a"),))
    assert names.path("t", press, "force") == "delta/t/a/press-7/-/force"
    assert names.series("delta/t/a/press-7/-/force").tags == {"line": "a"}
