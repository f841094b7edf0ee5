"""Airbnb listings and their price per night, in two notations of the same thing.

`listings.csv` is either the scraped table with printed lists (`Price_Night`, `Title`, pictures as
`images/ID-a.jpg`) or a file of Inside Airbnb (`price` as "$1,200.00", `name`, `host_id`).
"""

from __future__ import annotations

from pathlib import Path

from textcentric.data.named import Layout
from textcentric.data.schema import Schema, read_schema
from textcentric.data.tables.table import Table, open_table
from textcentric.errors import DataError

ABOUT = "homes to rent: table, title and description, a photo; target: price per night"
HOW_TO_GET = "download a city's listings.csv.gz from insideairbnb.com/get-the-data"
TABLES = ("listings.csv", "listings.csv.gz")
PHOTOS = {"folder": "images", "pattern": "{id}-*.jpg"}


HEADINGS = (  # of the site's list of amenities, and the small print under some of them
    "What this place offers",
    "Scenic views",
    "Bathroom",
    "Bedroom and laundry",
    "Entertainment",
    "Family",
    "Heating and cooling",
    "Home safety",
    "Internet and office",
    "Kitchen and dining",
    "Location features",
    "Outdoor",
    "Parking and facilities",
    "Services",
    "Not included",
    "Essentials",
    "Bowls, chopsticks, plates, cups, etc.",
    "Space where guests can cook their own meals",
    "Pots and pans, oil, salt and pepper",
    "Separate street or building entrance",
    "Allow stays of 28 days or more",
    "An open space on the property usually covered in grass",
    "A desk or table with a chair and space for a laptop.",
)


def _rating(label: str) -> dict[str, object]:
    return {"label": label, "unit": "of 5", "min": 0, "max": 5}


SCRAPED = read_schema(
    {
        "name": "airbnb",
        "id": "ID",
        "target": "Price_Night",
        "task": "regression",
        "text": ["Title", "Description"],
        "image": PHOTOS,
        "allow_missing": "image",
        "ignore": ["url"],
        "missing": ["", "NaN", "nan", "[]"],
        "columns": {
            "Description": {"reads": "list", "drop": ["About this space"]},
            "Amenities": {"reads": "list", "drop": HEADINGS},
            "guests": {"label": "Guests", "reads": "number", "min": 1, "max": 50},
            "beds": {"label": "Beds", "reads": "number", "min": 0, "max": 50},
            "bedrooms": {"label": "Bedrooms", "reads": "number", "min": 0, "max": 50},
            "bathrooms": {"label": "Bathrooms", "reads": "number", "min": 0, "max": 50},
            "Cleanliness_rate": _rating("Cleanliness"),
            "Accuracy_rate": _rating("Accuracy"),
            "Communication_rate": _rating("Communication"),
            "Location_rate": _rating("Location rating"),
            "Check-in_rate": _rating("Check-in"),
            "Value_rate": _rating("Value"),
            "amenities_count": {"label": "Number of amenities", "reads": "number", "min": 0},
            "Price_Night": {"min": 0, "max": 100_000},
        },
    }
)
_INSIDE_TABLE = {
    "neighbourhood_cleansed": {"label": "Neighbourhood"},
    "neighbourhood_group_cleansed": {"label": "District"},
    "property_type": {"label": "Property type"},
    "room_type": {"label": "Room type"},
    "accommodates": {"label": "Guests", "reads": "number", "min": 0, "max": 50},
    "bathrooms": {"label": "Bathrooms", "reads": "number", "min": 0, "max": 50},
    "bathrooms_text": {"label": "Bathrooms in words"},
    "bedrooms": {"label": "Bedrooms", "reads": "number", "min": 0, "max": 50},
    "beds": {"label": "Beds", "reads": "number", "min": 0, "max": 100},
    "amenities": {"label": "Amenities", "reads": "list"},
    "minimum_nights": {"label": "Shortest stay", "unit": "nights", "min": 1},
    "maximum_nights": {"label": "Longest stay", "unit": "nights", "min": 1},
    "instant_bookable": {"label": "Instant booking", "reads": "flag"},
    "host_is_superhost": {"label": "Superhost", "reads": "flag"},
    "host_identity_verified": {"label": "Host identity verified", "reads": "flag"},
    "number_of_reviews": {"label": "Reviews", "reads": "number", "min": 0},
    "review_scores_rating": _rating("Rating"),
    "review_scores_accuracy": _rating("Accuracy"),
    "review_scores_cleanliness": _rating("Cleanliness"),
    "review_scores_checkin": _rating("Check-in"),
    "review_scores_communication": _rating("Communication"),
    "review_scores_location": _rating("Location rating"),
    "review_scores_value": _rating("Value"),
}
INSIDE = read_schema(
    {
        "name": "airbnb",
        "id": "id",
        "target": "price",
        "task": "regression",
        "text": ["name", "description", "neighborhood_overview"],
        "image": PHOTOS,
        "allow_missing": "image",
        "group": "host_id",
        "table": list(_INSIDE_TABLE),
        "missing": ["", "NaN", "nan", "N/A", "[]"],
        "columns": _INSIDE_TABLE,
    }
)


def layout(folder: Path) -> Layout:
    """Return the layout of the folder with `listings.csv`; raise DataError if it is none."""
    path = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if path is None:
        raise DataError(f"folder {str(folder)!r} holds no Airbnb: expected {TABLES[0]} in it")
    table = open_table(path)
    return Layout(table=table, schema=_schema(table), root=folder)


def _schema(table: Table) -> Schema:
    """Choose the notation by the header; of Inside Airbnb's columns, which vary, take what is."""
    if "Price_Night" in table.columns or "ID" in table.columns:
        return SCRAPED
    optional = {"neighborhood_overview", "description"} - set(table.columns)
    text = [name for name in INSIDE.text if name not in optional]
    group = "host_id" if "host_id" in table.columns else None
    values = INSIDE.model_dump(exclude_unset=True) | {"text": text, "group": group}
    values["table"] = [name for name in INSIDE.table or () if name in table.columns]
    return read_schema(values)
