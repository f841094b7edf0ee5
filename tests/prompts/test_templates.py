"""Templates of strangers: what prompts need works, everything else ends soon and says why."""

from __future__ import annotations

from typing import Any

import pytest

from textcentric.errors import PromptError
from textcentric.prompts.spending import MAX_SOURCE, MAX_STEPS, MAX_TEXT, MAX_WORK
from textcentric.prompts.templates import BoundedEnvironment, render

ENVIRONMENT = BoundedEnvironment()


def say(body: str, **variables: Any) -> str:
    """Render `body` as the user part of a prompt."""
    source = "{% block user %}" + body + "{% endblock %}"
    return render(ENVIRONMENT.bounded(source), "user", variables)


def refusal(body: str, **variables: Any) -> str:
    with pytest.raises(PromptError) as caught:
        say(body, **variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{ row }}", "A calm dog."),
        ("{% for name, text in parts.items() %}{{ name }}={{ text }};{% endfor %}", "a=1;b=2;"),
        ("{{ parts.a }}{{ parts['b'] }}{{ parts.get('c', '-') }}", "12-"),
        ("{{ parts | length }} {{ parts.keys() | join('+') }}", "2 a+b"),
        ("{% if 'c' in parts %}c{% elif parts.a == '1' %}one{% else %}x{% endif %}", "one"),
        ("{{ choices | join(', ') }}", "slow, fast"),
        ("{{ choices[::-1] | first }}{{ choices[1:] | join }}", "fastfast"),
        ("{{ row | replace('calm', 'bold') | upper }}", "A BOLD DOG."),
        ("{{ row | truncate(6, True, '~', 0) }}", "A cal~"),
        ("{{ row.split() | length * 0.4 | round(1) }}", "1.2000000000000002"),
        ("{% set words = row.split() %}{{ words[:[1, 2] | max] | join(' ') }}", "A calm"),
        ("{% for w in choices %}{{ loop.index }}{{ w }}{{ ',' if not loop.last }}{% endfor %}",
         "1slow,2fast"),
        ("{% set n = namespace(k=0) %}{% for w in choices %}{% set n.k = n.k + 1 %}{% endfor %}"
         "{{ n.k }}", "2"),
        ("{{ 'a' ~ 1 ~ row.title() }}", "a1A Calm Dog."),
        ("{{ 7 // 2 }} {{ 2 ** 3 }} {{ 7 % 4 }} {{ 6000 * 7000 }}", "3 8 3 42000000"),
        ("{{ missing is defined }} {{ missing | default('none') }}", "False none"),
        ("{{ ['b', 'a'] | sort | map('upper') | join }}", "AB"),
    ],
)  # fmt: skip
def test_what_prompts_need_works(body: str, expected: str) -> None:
    known = {"row": "A calm dog.", "parts": {"a": "1", "b": "2"}, "choices": ["slow", "fast"]}
    assert say(body, **known) == expected


def test_text_of_a_row_is_never_rendered() -> None:
    row = "{{ 7 * 7 }} {% for x in range(9) %}{{ x }}{% endfor %} <script>alert(1)</script> 🐕"
    assert say("{{ row }}", row=row) == row


def test_a_missing_variable_is_named_beside_the_known_ones() -> None:
    assert refusal("{{ sentnce }}", row="x", sentence="y") == (
        "'sentnce' is undefined; known: row, sentence"
    )


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(PromptError, match=r"^line 3: .*'endfor'"):
        ENVIRONMENT.bounded("{% block user %}\n{{ row }}\n{% endfor %}{% endblock %}")


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ row['__class__'] }}",
        "{{ row | attr('__class__') }}",
        "{{ [row] | map(attribute='__class__') | join }}",
        "{{ row.format(1) }}",
        "{{ '{0.__class__}'.format(row) }}",
        "{{ '%1000000000s' % row }}",
        "{{ row.format_map({}) }}",
        "{{ row.encode() }}",
        "{{ row.join('ab') }}",
        "{{ row.upper.__self__ }}",
        "{{ self.__class__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ range.__class__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ loop.__class__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler }}",
        "{{ namespace(a=1) }}",
        "{{ parts.update({'a': 1}) }}",
        "{{ parts.__class__ }}",
        "{{ row.upper }}",
    ],
)
def test_python_internals_are_out_of_reach(body: str) -> None:
    assert "object at 0x" not in refusal(body, row="x", parts={"a": "1"})


@pytest.mark.parametrize(
    "name",
    "center format indent attr xmlattr urlize tojson pprint batch slice groupby filesizeformat"
    " random sum striptags safe wordwrap".split(),
)
def test_a_filter_that_no_prompt_needs_is_not_there(name: str) -> None:
    assert refusal("{{ row | " + name + " }}", row="x") == f"line 1: No filter named {name!r}."


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "macro"),
        ("{% include 'x' %}", "include"),
        ("{% import 'x' as x %}", "import"),
        ("{% from 'x' import y %}", "fromimport"),
        ("{% call f() %}{% endcall %}", "callblock"),
        ("{% filter upper %}x{% endfilter %}", "filterblock"),
        ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "recursive loops"),
    ],
)
def test_what_prompts_do_not_need_is_refused_by_line(body: str, kind: str) -> None:
    assert refusal(body).startswith(f"line 1: {kind} ")


def test_inheritance_is_refused() -> None:
    with pytest.raises(PromptError, match="line 1: extends is not available"):
        ENVIRONMENT.bounded("{% extends 'x' %}")


STEPS = f"refused: more than {MAX_STEPS:,} loop steps and calls"
OUTPUT = f"refused: more than {MAX_TEXT:,} characters of output"
VALUE = f"refused: a value has more than {MAX_TEXT:,} characters or items"
WORK = "refused: more than 10,000,000 characters and items of work"
REPETITION = f"refused: a repetition would pass {MAX_TEXT:,} characters"
DIGITS = "refused: a number has more than 128 bits"
GROWING = "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set n.x = "


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}", STEPS),
        ("{% for a in range(99999) %}{% endfor %}", STEPS),
        ("{% for a in row %}{{ row }}{% endfor %}", OUTPUT),
        ("{% for a in range(9999) %}" + "x" * 200 + "{% endfor %}", OUTPUT),
        ("{{ 'a' * 1000000000 }}", REPETITION),
        ("{{ 1000000000 * 'a' }}", REPETITION),
        ("{{ [1] * 1000000000 }}", REPETITION),
        ("{{ ('a' * 1000000) * 1000000 }}", REPETITION),
        (GROWING + "n.x ~ n.x %}{% endfor %}", VALUE),
        (GROWING + "n.x + n.x %}{% endfor %}", VALUE),
        (GROWING + "n.x * 2 %}{% endfor %}", REPETITION),
        (GROWING + "n.x | replace('a', 'aa') %}{% endfor %}",
         f"refused: a replacement would pass {MAX_TEXT:,} characters"),
        (GROWING + "[n.x, n.x] | join %}{% endfor %}",
         f"refused: a joined text would pass {MAX_TEXT:,} characters"),
        ("{% set n = namespace(x='aaaa') %}{% for i in range(99) %}"
         "{% set x %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = x %}{% endfor %}", OUTPUT),
        ("{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}"
         "{% endfor %}", WORK),
        ("{{ 9 ** 9999999 }}", "refused: 9 ** 9999999 is too large for a prompt"),
        ("{{ 9 ** 9 ** 9 }}", "refused: 387420489 ** 9 is too large for a prompt"),
        ("{% set n = namespace(x=9) %}{% for i in range(99) %}{% set n.x = n.x * 99999 %}"
         "{% endfor %}", DIGITS),
        ("{{ ('f' * 1000000) | int(0, 16) }}", DIGITS),
        ("{{ self.user() }}", "refused: the template calls itself without end"),
        ("{{ self.user() }}{{ self.user() }}", "refused: the template calls itself without end"),
        ("{% set b = 'x ' * 400000 %}{% for i in range(9999) %}{% set c = b.split() %}{% endfor %}",
         WORK),
        ("{% set b = ('x ' * 400000).split() %}{% for i in range(9999) %}"
         "{% if 'y' in b %}{% endif %}{% endfor %}", WORK),
        ("{% set b = 'x' * 900000 %}{% for i in range(9999) %}{% set c = b[::-1] %}{% endfor %}",
         WORK),
        ("{% set b = 'x' * 900000 %}{% for i in range(9999) %}{% set c = b | upper %}{% endfor %}",
         WORK),
        ("{{ ('x ' * 9999).split() | map('replace', 'x', 'y' * 900000) | list | length }}", WORK),
    ],
)  # fmt: skip
def test_a_template_that_never_ends_or_explodes_is_stopped(body: str, why: str) -> None:
    assert refusal(body, row="x" * 10_000) == why


@pytest.mark.parametrize(
    "body",
    [
        "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}"
        "{% endfor %}{{ n.x }}",
        "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = (n.x, n.x) %}"
        "{% endfor %}{{ n.x }}",
        "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = {'a': n.x} %}"
        "{% endfor %}{{ n.x }}",
    ],
)
def test_containers_do_not_nest(body: str) -> None:
    assert "cannot stand here" in refusal(body)


@pytest.mark.parametrize(
    "body",
    [
        "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
        "{{ " + "1+" * 20_000 + "1 }}",
        "{{ " + "-" * 30_000 + "1 }}",
        "{{ 'a'" + "|upper" * 8_000 + " }}",
        "{% if 1 %}" * 3_000 + "{% endif %}" * 3_000,
        "{% for i in [1] %}" * 500 + "{% endfor %}" * 500,
    ],
)
def test_a_template_nested_too_deeply_is_an_error_not_a_crash(body: str) -> None:
    assert refusal(body) == "the template is nested too deeply; make it simpler"


def test_a_template_of_two_million_characters_is_refused_unread() -> None:
    with pytest.raises(PromptError, match=f"2,000,000 characters; at most {MAX_SOURCE:,}"):
        ENVIRONMENT.bounded("x" * 2_000_000)


def test_a_row_of_two_million_characters_is_too_much_to_print() -> None:
    assert refusal("{{ row }}", row="x" * 2_000_000) == OUTPUT


def test_output_up_to_the_limit_is_let_through() -> None:
    assert len(say("{{ row }}", row="x" * MAX_TEXT)) == MAX_TEXT


@pytest.mark.parametrize(
    "body",
    [
        "{{ 'aaaaaa' | truncate(1) }}",
        "{{ 5 | dictsort }}",
        "{{ 5 | join }}",
        "{{ 1 / 0 }}",
        "{{ 1.5 | round(999999999, 'ceil') }}",
        "{{ row + 1 }}",
        "{{ row | int(base=99) + 'a' }}",
        "{{ row() }}",
        "{{ range(100000000) | list }}",
    ],
)
def test_nonsense_is_a_prompt_error_and_nothing_else(body: str) -> None:
    assert refusal(body, row="x")


def test_one_exploding_template_does_not_use_up_the_next_ones_bounds() -> None:
    refusal("{% for a in range(99999) %}{% endfor %}")
    assert say("{{ 'a constant' }}") == "a constant"


def test_a_sorted_range_is_rendered_within_bounds() -> None:
    assert say("{{ range(10000) | sort(reverse=True) | first }}") == "9999"


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("This lamp is old but bright at night.", "This lamp"),
        ("这盏灯很旧，但是晚上非常好看。", "这盏灯"),
        ("โคมไฟเก่าแต่ส่องสว่างสวยงาม", "โคมไฟเก่"),
    ],
)
def test_an_opening_is_a_share_of_the_words_of_any_script(text: str, begins: str) -> None:
    environment = BoundedEnvironment()
    template = environment.bounded("{% block begin %}{{ text | opening(0.34) }}{% endblock %}")
    assert render(template, "begin", {"text": text}) == begins


LOOP = "{% for a in range(19999) %}"
LONG = "x" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        "{% set x = range(99999) | max %}",
        "{% set x = range(99999) | min %}",
        "{% set x = range(99999) | list %}",
        "{% set x = range(99999) | length %}",
        "{% set x = range(99999) | sort %}",
        "{% set x = range(99999) | unique | first %}",
        "{% set x = range(99999) | join %}",
        "{% set x = range(99999) | map('abs') | max %}",
        "{% set x = range(99999) | select('gt', 99998) | first %}",
        "{% set x = range(99999) | reject('lt', 99998) | first %}",
        "{% set x = range(99999) | reverse | first %}",
        "{% set x = range(99999)[::2] %}",
        "{% set x = range(99999).count(5) %}",
        "{% set x = range(99999).index(99998) %}",
        "{% set x = range(99999) + range(99999) %}",
        "{% set x = range(99999) * 2 %}",
        "{% if 1.5 in range(99999) %}{% endif %}",
        "{% if range(99999) == range(99998) %}{% endif %}",
        "{% for b in range(99999) if b > 99998 %}{% endfor %}",
        "{% set x = long | title %}",
        "{% set x = long | wordcount %}",
        "{% set x = long | truncate(9) %}",
        "{% set x = long | capitalize %}",
        "{% set x = long | reverse %}",
        "{% set x = long | list %}",
        "{% set x = long | int %}",
        "{% set x = long.title() %}",
        "{% set x = long.split('x') %}",
        "{% set x = long.splitlines() %}",
        "{% set x = long.count('xx') %}",
        "{% set x = long.find('y') %}",
        "{% set x = long.strip('x') %}",
        "{% set x = long.startswith(long) %}",
        "{% set x = long ~ a %}",
        "{% if long is eq(long) %}{% endif %}",
        "{% if 'y' in long %}{% endif %}",
        "{% if loop.changed(long) %}{% endif %}",
        "{% set x = nothing | default(long) %}",
        "{% set x = words | sort %}",
        "{% set x = words | unique | list %}",
        "{% set x = words | map('upper') | list %}",
        "{% set x = words | selectattr('0') | list %}",
        "{% set x = words.count('dog') %}",
        "{% set x = parts.values() | join %}",
        "{% set x = parts | dictsort %}",
        "{% set x = [long, long] %}{% set y = x.count(long ~ '') %}",
        "{% set n = namespace(x=long) %}{% set n.x = n.x + 'y' %}",
        "{{ self.other() }}",
    ],
)
def test_what_is_walked_within_a_loop_is_charged_by_its_length(body: str) -> None:
    """Whatever bound speaks first, the work done is within it: no time is measured."""
    source = "{% block user %}" + LOOP + body + "{% endfor %}{% endblock %}"
    template = ENVIRONMENT.bounded(source + "{% block other %}" + "y" * 9000 + "{% endblock %}")
    known = {"long": LONG, "words": ["dog"] * 5000, "parts": {"text": LONG}}
    with pytest.raises(PromptError, match=r"^refused: more than|^refused: a value has more than"):
        render(template, "user", known)
    assert ENVIRONMENT.spent.work < 2 * MAX_WORK


@pytest.mark.parametrize(
    "body", ["{{ row.strip(long) }}", "{{ row | trim(long) }}", "{{ row.lstrip(long) }}"]
)
def test_few_characters_can_be_stripped_at_once(body: str) -> None:
    assert refusal(body, row="x", long=LONG) == "refused: more than 100 characters to strip"


def test_a_loop_with_much_in_it_is_charged_for_all_of_it() -> None:
    body = LOOP + "{{ a + 1 if a else 2 }}" * 2000 + "{% endfor %}"
    assert refusal(body).startswith("refused: more than")
    assert ENVIRONMENT.spent.steps < MAX_STEPS + 2


def test_a_loop_can_be_asked_of_itself() -> None:
    body = "{% for a in 'xyz' %}{{ loop.cycle('a', 'b') }}{{ loop.length }}{{ loop is defined }}"
    assert say(body + "{% endfor %}") == "a3Trueb3Truea3True"
