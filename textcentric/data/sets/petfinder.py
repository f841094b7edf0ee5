"""PetFinder.my Adoption Prediction: how fast a pet finds a home (0 fastest .. 4 not at all).

The usual layout is `train/train.csv`, `train_images/PETID-N.jpg` and the three tables of names;
the tables may also lie beside the folder `train`, and `train.csv` in the folder itself.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textcentric.data.media.photo_labels import read_photo_labels
from textcentric.data.named import Layout
from textcentric.data.schema import Schema, read_schema
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError

ABOUT = "pets on offer: table, description, photos; target: how fast they are adopted"
HOW_TO_GET = (
    "download `petfinder-adoption-prediction` from kaggle.com (accept its rules), unpack it"
)
TABLES = ("train/train.csv", "train.csv", "train/train.csv.gz", "train.csv.gz")
YES_NO = {"1": "yes", "2": "no", "3": "not sure"}
NOT_STATED = {"0": "not stated"}

SCHEMA = read_schema(
    {
        "name": "petfinder",
        "id": "PetID",
        "target": "AdoptionSpeed",
        "task": "ordinal",
        "choices": {
            0: "adopted on the day it was listed",
            1: "adopted within the first week",
            2: "adopted within the first month",
            3: "adopted in the second or third month",
            4: "not adopted after 100 days",
        },
        "text": ["Description"],
        "image": {"folder": "train_images", "pattern": "{id}-*.jpg"},
        "allow_missing": "image",
        "group": "RescuerID",
        "missing": ["", "NaN", "nan"],
        "columns": {
            "Type": {"codes": {"1": "dog", "2": "cat"}},
            "Age": {"unit": "months", "codes": {"0": "less than a month"}, "min": 0, "max": 300},
            "Breed1": {"label": "Breed"},
            "Breed2": {"label": "Second breed"},
            "Gender": {"codes": {"1": "male", "2": "female", "3": "mixed (a group)"}},
            "Color1": {"label": "Colour"},
            "Color2": {"label": "Second colour"},
            "Color3": {"label": "Third colour"},
            "MaturitySize": {
                "label": "Size when grown",
                "codes": NOT_STATED
                | {"1": "small", "2": "medium", "3": "large", "4": "extra large"},
            },
            "FurLength": {
                "label": "Fur length",
                "codes": NOT_STATED | {"1": "short", "2": "medium", "3": "long"},
            },
            "Vaccinated": {"codes": YES_NO},
            "Dewormed": {"codes": YES_NO},
            "Sterilized": {"codes": YES_NO},
            "Health": {
                "codes": NOT_STATED | {"1": "healthy", "2": "minor injury", "3": "serious injury"},
            },
            "Quantity": {"unit": "animals", "min": 1, "max": 30},
            "Fee": {"unit": "ringgit", "codes": {"0": "free"}, "min": 0, "max": 5000},
            "VideoAmt": {"label": "Videos", "reads": "number", "min": 0, "max": 20},
            "PhotoAmt": {"label": "Photos", "reads": "number", "min": 0, "max": 40},
        },
    }
)
NAME_TABLES = {
    "breed_labels.csv": ("BreedID", "BreedName", ("Breed1", "Breed2")),
    "color_labels.csv": ("ColorID", "ColorName", ("Color1", "Color2", "Color3")),
    "state_labels.csv": ("StateID", "StateName", ("State",)),
}
PHOTO_LABELS = ("train_image_labels.csv.gz", "train_image_labels.csv")


def layout(folder: Path) -> Layout:
    """Return the layout of the PetFinder folder `folder`; raise DataError if it is none."""
    table = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if table is None:
        raise DataError(f"folder {str(folder)!r} holds no PetFinder: expected {TABLES[0]} in it")
    root = table.parent.parent if table.parent.name == "train" else table.parent
    columns: dict[str, dict[str, str | None]] = {}
    notes, side_tables = [], []
    for name, (key, word, targets) in NAME_TABLES.items():
        path = next((p for p in (root / name, table.parent / name) if p.is_file()), None)
        if path is None:
            notes.append(f"{name} is absent from {str(root)!r}: codes stay numbers")
            continue
        try:
            columns |= dict.fromkeys(targets, _names(path, key, word))
        except DataError as error:
            notes.append(f"{error}: codes stay numbers")
            continue
        side_tables.append(path)
    labels = next((root / name for name in PHOTO_LABELS if (root / name).is_file()), None)
    return Layout(
        table=open_table(table),
        schema=_with_codes(columns),
        root=root,
        side_tables=tuple(side_tables),
        photo_labels=partial(read_photo_labels, labels) if labels else None,
        notes=tuple(notes),
    )


def _names(path: Path, key: str, word: str) -> dict[str, str | None]:
    """Read {code: name} from a table of names; 0 means none."""
    table = open_table(path)
    if key not in table.columns or word not in table.columns:
        raise DataError(f"{str(path)!r} needs the columns {key} and {word}")
    pairs = ((str(row[key]).strip(), str(row[word]).strip()) for row in table.rows())
    return {"0": None} | dict(pairs)


def _with_codes(names: dict[str, dict[str, str | None]]) -> Schema:
    values = SCHEMA.model_dump(exclude_unset=True)
    for column, codes in names.items():
        values["columns"].setdefault(column, {})["codes"] = codes
    return read_schema(values)
