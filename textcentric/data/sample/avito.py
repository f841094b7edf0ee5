"""The Avito sample: invented Russian advertisements, with a drawn thing each.

A deal's probability follows from `rule.py`: seller and price (table), the state of the thing and
the room for bargaining (text), and how the picture looks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

from textcentric.data.sample.drawing import random_look
from textcentric.data.sample.files import save_picture, written
from textcentric.data.sample.grammar import capital, read_sections, sentence, sentences, untold
from textcentric.data.sample.rule import CUES, Look, noisy_label

COLUMNS = (
    "item_id user_id region city parent_category_name category_name param_1 param_2 param_3 title"
    " description price item_seq_number activation_date user_type image image_top_1"
    " deal_probability description_truncated"
).split()
# Thing, the same in the accusative, part of the site, category, first parameter.
THINGS = (
    ("комод", "комод", "Для дома и дачи", "Мебель и интерьер", "Шкафы и комоды"),
    ("шкаф", "шкаф", "Для дома и дачи", "Мебель и интерьер", "Шкафы и комоды"),
    ("лампа", "лампу", "Для дома и дачи", "Мебель и интерьер", "Освещение"),
    ("велосипед", "велосипед", "Хобби и отдых", "Велосипеды", "Дорожные"),
    ("коляска", "коляску", "Личные вещи", "Товары для детей и игрушки", "Детские коляски"),
    ("куртка", "куртку", "Личные вещи", "Одежда, обувь, аксессуары", "Женская одежда"),
    ("пылесос", "пылесос", "Для дома и дачи", "Бытовая техника", "Для дома"),
    ("телевизор", "телевизор", "Бытовая электроника", "Аудио и видео", "Телевизоры"),
    ("ноутбук", "ноутбук", "Бытовая электроника", "Ноутбуки", "None"),
    ("дрель", "дрель", "Для дома и дачи", "Ремонт и строительство", "Инструменты"),
    ("гитара", "гитару", "Хобби и отдых", "Музыкальные инструменты", "Гитары"),
    ("палатка", "палатку", "Хобби и отдых", "Спорт и отдых", "Туризм"),
)
BRANDS = ("Вектор", "Орион", "Северянка", "Лада-М", "Polaris K2", "Темп", "Заря", "NordLine")
CITIES = (
    ("Омская область", "Омск"),
    ("Тверская область", "Тверь"),
    ("Пермский край", "Пермь"),
    ("Республика Карелия", "Петрозаводск"),
    ("Самарская область", "Тольятти"),
    ("Томская область", "Томск"),
)


def write(folder: Path, rows: int, seed: int) -> None:
    """Write `rows` advertisements and their pictures into `folder`."""
    (folder / "train_jpg").mkdir(parents=True)
    table = folder / "train.csv"
    with closing(written(table, COLUMNS, advertisements(rows, seed))) as made:
        for row, look in made:
            picture = folder / "train_jpg" / f"{row['image']}.jpg"
            save_picture(picture, "thing", look, f"picture/{seed}/{row['item_id']}")


def advertisements(rows: int, seed: int) -> Iterator[tuple[dict[str, str], Look | None]]:
    """Yield `rows` advertisements with the look of their picture; 1 in 10 has none."""
    told: set[bytes] = set()
    for number in range(rows):
        rng = Random(f"avito/{seed}/{number}")
        look = random_look(rng)
        shown = None if rng.random() < 0.1 else look
        row = _cells(number, seed, rng, told)
        row["image"] = "" if shown is None else _hash("image", seed, number, 64)
        row["image_top_1"] = "" if shown is None else str(float(rng.randrange(3000)))
        probability = noisy_label("avito", row, row["description"], shown, rng)
        row["deal_probability"] = f"{probability:.5f}"
        yield row, shown


def _hash(what: str, seed: int, number: int, length: int) -> str:
    return hashlib.sha256(f"{what}/{seed}/{number}".encode()).hexdigest()[:length]


def _cells(number: int, seed: int, rng: Random, told: set[bytes]) -> dict[str, str]:
    thing, accusative, part, category, parameter = rng.choice(THINGS)
    region, city = rng.choice(CITIES)
    user_type = rng.choices(("Private", "Company", "Shop"), (70, 20, 10))[0]
    slots = {
        "thing": thing,
        "thing_acc": accusative,
        "brand": rng.choice(BRANDS),
        "city": city,
        "year": str(rng.randint(2008, 2017)),
    }
    slots |= {capital(key): capital(word) for key, word in slots.items()}
    return {
        "item_id": _hash("item", seed, number, 12),
        "user_id": _hash("user", seed, number // 2 if number % 5 else number, 12),
        "region": region,
        "city": city,
        "parent_category_name": part,
        "category_name": category,
        "param_1": parameter,
        "param_2": "None",
        "param_3": "None",
        "title": sentence(read_sections("avito"), "title", slots, rng),
        "description": untold(partial(_description, user_type, slots, rng), told),
        "price": f"{round(10 ** rng.uniform(2.5, 4.9), -1):.1f}",
        "item_seq_number": str(rng.randint(1, 500)),
        "activation_date": f"2017-03-{rng.randint(15, 28)}",
        "user_type": user_type,
        "description_truncated": "False",
    }


def _description(user_type: str, slots: dict[str, str], rng: Random) -> str:
    sections = read_sections("avito")
    voice = "shop" if user_type != "Private" else rng.choice(("tidy", "hurried"))
    lines = [sentence(sections, f"open.{voice}", slots, rng)]
    state = rng.choices((0.9, 0.0, -0.9, None), (35, 15, 35, 15))[0]
    urgency = rng.choices((0.5, -0.5, None), (30, 30, 40))[0]
    for section, family, points in (
        ("cue", "avito", state),
        ("deal", "avito urgency", urgency),
    ):
        if points is not None:
            cue = rng.choice(CUES[family][points])
            words = slots | {"cue": cue, "Cue": capital(cue)}
            lines.append(sentence(sections, section, words, rng))
    lines += sentences(sections, "detail", rng.randint(0, 3), slots, rng)
    ended = [line if line.endswith(".") else f"{line}." for line in lines]
    return " ".join(line.lower() if voice == "hurried" else capital(line) for line in ended)
