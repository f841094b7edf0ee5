"""Avito Demand Prediction: Russian advertisements and the probability that they sell.

`train.csv` (or any `avito*.csv`) lies in the folder; photos, if there are any, lie in `train_jpg`
under the name in the column `image`.
"""

from __future__ import annotations

from pathlib import Path

from textcentric.data.named import Layout
from textcentric.data.schema import read_schema
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError

ABOUT = "Russian advertisements: table, title and description, a photo; target: deal probability"
HOW_TO_GET = "download `avito-demand-prediction` from kaggle.com (accept its rules), unpack it"
TABLES = ("train.csv", "train.csv.gz", "avito_rows.csv", "train.csv/train.csv")

SCHEMA = read_schema(
    {
        "name": "avito",
        "id": "item_id",
        "target": "deal_probability",
        "task": "regression",
        "text": ["title", "description"],
        "image": {"column": "image", "folder": "train_jpg", "pattern": "{value}.jpg"},
        "allow_missing": "image",
        "group": "user_id",
        "ignore": ["image_top_1", "description_truncated"],
        "missing": ["", "None", "NaN", "nan"],
        "columns": {
            "region": {"label": "Регион"},
            "city": {"label": "Город"},
            "parent_category_name": {"label": "Раздел"},
            "category_name": {"label": "Категория"},
            "param_1": {"label": "Параметр 1"},
            "param_2": {"label": "Параметр 2"},
            "param_3": {"label": "Параметр 3"},
            "price": {"label": "Цена", "unit": "руб.", "min": 0},
            "item_seq_number": {"label": "Номер объявления", "reads": "number", "min": 0},
            "activation_date": {"label": "Дата"},
            "user_type": {
                "label": "Продавец",
                "codes": {"Private": "частное лицо", "Company": "компания", "Shop": "магазин"},
            },
            "deal_probability": {"min": 0, "max": 1},
        },
    }
)


def layout(folder: Path) -> Layout:
    """Return the layout of the Avito folder `folder`; raise DataError if it is none."""
    path = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if path is None:
        raise DataError(f"folder {str(folder)!r} holds no Avito: expected {TABLES[0]} in it")
    return Layout(table=open_table(path), schema=SCHEMA, root=folder)
