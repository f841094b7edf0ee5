"""Draw `docs/rooms.svg`: the rooms on their floors, and the imports that no longer way implies.

python docs/rooms.py
"""

from __future__ import annotations

import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
PICTURE = DOCS / "rooms.svg"
GROUND = "ground"
WIDTH, HEIGHT, BOX, ROW = 880, 34, 150, 84  # pixels
BASE = 640  # width of the ground
MOVED = {"api": 640, "corruption": 210, "training": 740}  # out of the way of other arrows
MOVED |= {"runs": 560, "metrics": 760, "prompts": 560}
STYLE = """\
  text { font: 14px sans-serif; text-anchor: middle; fill: #1b1f24 }
  text.floor { font-size: 12px; fill: #6b7280 }
  rect { fill: #eef3fb; stroke: #4a6fa5; rx: 5px }
  path { fill: none; stroke: #8a94a3; marker-end: url(#tip) }"""
TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#8a94a3;stroke:none"/></marker>'
)


def main() -> None:
    """Write the picture."""
    shape = runpy.run_path(str(DOCS.parent / "tests" / "whole" / "test_rooms.py"))
    PICTURE.write_text(picture(shape), encoding="utf-8")
    print(PICTURE)


def picture(shape: Mapping[str, Any]) -> str:
    """Return the picture as SVG, made from the floors and imports that the tests read."""
    ground = set(shape["GROUND"].split())
    floors = [[GROUND], *(names.split() for names in shape["FLOORS"][1:-1]), ["cli"]]
    reached: dict[str, set[str]] = {room: set() for floor in floors for room in floor}
    for source, target, _ in shape["ARROWS"]:
        pair = [source.partition(".")[0], target.partition(".")[0]]
        upper, lower = (GROUND if room in ground else room for room in pair)
        if upper != lower and {upper, lower} <= reached.keys():
            reached[upper].add(lower)
    return drawn(floors, {room: needed(room, reached) for room in reached}, sorted(ground))


def needed(room: str, reached: Mapping[str, set[str]]) -> list[str]:
    """Return the rooms that `room` imports and that none of its other imports leads to."""

    def below(start: str) -> set[str]:
        return reached[start].union(*(below(one) for one in reached[start]))

    implied = set[str]().union(*(below(one) for one in reached[room]))
    return sorted(reached[room] - implied)


def drawn(
    floors: Sequence[Sequence[str]], arrows: Mapping[str, Sequence[str]], ground: Sequence[str]
) -> str:
    """Return the SVG of rooms on floors, the ground at the bottom."""
    high = len(floors) * ROW + 20
    place = {
        room: (
            MOVED.get(room, WIDTH * (at + 1) // (len(rooms) + 1) + 20),
            high - ROW * (number + 1) + 10,
        )
        for number, rooms in enumerate(floors)
        for at, room in enumerate(rooms)
    }
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 40} {high}">',
        f"<style>\n{STYLE}\n</style>",
        f"<defs>{TIP}</defs>",
        f'<rect width="{WIDTH + 40}" height="{high}" style="fill:#fff;stroke:none"/>',
    ]
    for room, targets in arrows.items():
        for target in targets:
            (x, y), (to_x, to_y) = place[room], place[target]
            if target == GROUND:
                to_x = min(max(x, to_x - BASE // 2 + 20), to_x + BASE // 2 - 20)
            y, to_y = y + HEIGHT, to_y - 2
            bend = (y + to_y) // 2
            lines.append(f'<path d="M{x} {y}C{x} {bend} {to_x} {bend} {to_x} {to_y}"/>')
    for number, rooms in enumerate(floors):
        lines.append(f'<text class="floor" x="14" y="{place[rooms[0]][1] + 22}">{number}</text>')
    for room, (x, y) in place.items():
        text = " ".join(ground) if room == GROUND else f"{room}/"
        wide = BASE if room == GROUND else BOX
        lines.append(f'<rect x="{x - wide // 2}" y="{y}" width="{wide}" height="{HEIGHT}"/>')
        lines.append(f'<text x="{x}" y="{y + 22}">{text}</text>')
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    main()
