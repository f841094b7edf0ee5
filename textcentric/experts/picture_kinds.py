"""Wider kinds of the classifier's 1,000 classes: what may be said where no class is sure enough.

ImageNet's classes are leaves of WordNet; these are parents of some of them, chosen because captions
or the types of products tell whether they are right. A garment that may be a jersey, a sweatshirt
or a T-shirt is surely a garment.
"""

from __future__ import annotations

Spans = tuple[tuple[int, int], ...]  # classes from the first to before the second


def spans(text: str) -> Spans:
    """Return the classes of `7 10-12` as ((7, 8), (10, 13)).

    >>> spans("7 10-12")
    ((7, 8), (10, 13))
    """
    pairs = (piece.partition("-") for piece in text.split())
    return tuple((int(first), int(last or first) + 1) for first, _, last in pairs)


WIDE_KINDS = {
    "a garment": spans(
        "399-400 411 445 459 474 501 568 578 608 610 614 617 638-639 652 655 689 697 735 775 834"
        " 841-842 869 887"
    ),
    "a shoe": spans("502 514 630 770 774"),
    "a bag": spans("414 636 728 748"),
    "a vehicle": spans(
        "403-405 407-408 436 444 466 468 472 484 510-511 547 554-555 561 565 569 573 575-576 586"
        " 603 609 612 625 627-628 654 656 661 665 670-671 675 690 694 705 717 734 751 757 779-780"
        " 802-803 814 817 820 829 833 847 864 866-867 870-871 874 880 895 914"
    ),
    "mountains or cliffs": spans("970 972 979-980"),
    "a shore": spans("460 525 718 975-978"),
}
# From which summed share on: chosen as those of the classes, but with a lower bound of 0.7, for
# most kinds are rarer. "An animal" where no dog or cat is sure was wrong too often at any share, so
# it is no kind (docs/experts.md).
SURE_WIDE = {
    "a garment": 0.6,
    "a shoe": 0.3,
    "a bag": 0.3,
    "a vehicle": 0.6,
    "mountains or cliffs": 0.3,
    "a shore": 0.45,
}
