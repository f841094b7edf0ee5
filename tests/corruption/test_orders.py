"""Every order of a row's parts is read, and it is the same orders whichever row comes first."""

from __future__ import annotations

import doctest
from collections.abc import Mapping, Sequence

from textcentric.corruption import orders
from textcentric.corruption.orders import part_names, part_orders, told_in_orders

ONE, TWO = {"summary": "s", "text": "t"}, {"text": "t", "table": "k"}


def tell(parts: Sequence[Mapping[str, str]]) -> list[str]:
    return [" ".join(row) for row in parts]


def test_the_example_is_right() -> None:
    assert doctest.testmod(orders).failed == 0


def test_every_row_is_told_in_every_order() -> None:
    told = told_in_orders({"a": TWO}, tell)
    assert told == {"order-0": {"a": "table text"}, "order-1": {"a": "text table"}}


def test_the_first_order_does_not_depend_on_which_row_comes_first() -> None:
    assert part_names([ONE, TWO]) == part_names([TWO, ONE]) == ["table", "text", "summary"]
    one_way, other_way = (
        told_in_orders({"a": ONE, "b": TWO}, tell),
        told_in_orders({"b": TWO, "a": ONE}, tell),
    )
    assert one_way == other_way
    assert len(one_way) == 6
    assert one_way["order-0"] == {"a": "text summary", "b": "table text"}


def test_parts_that_are_not_read_make_no_orders() -> None:
    told = told_in_orders({"a": ONE, "b": TWO}, tell, ["text", "table"])
    assert [row["b"] for row in told.values()] == ["text table", "table text"]


def test_one_part_alone_has_no_other_order() -> None:
    assert told_in_orders({"a": {"text": "t"}}, tell) == {}
    assert told_in_orders({}, tell) == {}


def test_up_to_24_orders_are_all_of_them_and_begin_with_the_natural_one() -> None:
    assert part_orders(["b", "a"], seed=0) == [("b", "a"), ("a", "b")]
    assert part_orders(["a"], seed=0) == [("a",)]
    four = part_orders("table text image audio".split(), seed=0)
    assert len(set(four)) == len(four) == 24
    assert four[0] == ("table", "text", "image", "audio")


def test_of_more_orders_24_are_drawn_by_seed() -> None:
    names = ("table", "text", "image", "audio", "summary")
    orders = part_orders(names, seed=0)
    assert len(set(orders)) == len(orders) == 24
    assert orders[0] == names
    assert all(sorted(order) == sorted(names) for order in orders)
    assert part_orders(names, seed=0) == orders
    assert part_orders(names, seed=1) != orders
