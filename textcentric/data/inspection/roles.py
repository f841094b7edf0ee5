"""Which column plays which role: a guess with its reason, and what else it could be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from textcentric.data.inspection.columns import ColumnProfile, TableProfile, settled
from textcentric.data.inspection.groups import repeated
from textcentric.data.inspection.leaks import leak, share_that_says
from textcentric.data.inspection.media import Media
from textcentric.data.inspection.names import (
    CLASSES,
    PARTS,
    TARGETS,
    split_named,
    words_of,
)
from textcentric.data.schema import ROW_NUMBER, Split

LAST, NAMED, SUITS = 2, 3, 1  # what the place, the words and the kind of a target say
CLEAR = 3  # by how much the best has to lead
FEW = 2  # whole numbers that are no amounts
LISTED = 5  # words of classes


@dataclass
class Guess:
    """A role: the column, or the value, that fills it, the reason, and what it could be instead."""

    value: str
    reason: str
    instead: list[str] = field(default_factory=list)
    unsure: bool = False


@dataclass
class Roles:
    """What each column of a table is for; `ignored` has the reason for each that is left out."""

    id: Guess
    target: Guess | None = None
    task: Guess | None = None
    text: dict[str, str] = field(default_factory=dict)
    media: list[Media] = field(default_factory=list)
    group: Guess | None = None
    split: Guess | None = None
    splits: dict[str, Split | None] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    def taken(self) -> set[str]:
        """Return the columns that are no part of the table."""
        guesses = (self.id, self.target, self.group, self.split)
        named = {guess.value for guess in guesses if guess is not None}
        files = {media.files.column for media in self.media if media.files.column}
        return {*named, *files, *self.text, *self.ignored}


def guess_roles(profile: TableProfile, media: Sequence[Media]) -> Roles:
    """Return the roles of the columns of `profile`, whose rows have the files of `media`."""
    files: dict[str, Media] = {}
    for each in media:
        if each.rows:
            files.setdefault(each.modality, each)
    roles = Roles(_id(profile, files.values()), media=list(files.values()))
    _take_split(profile, roles)
    _take_texts(profile, roles)
    _leave_out(profile, roles, media)
    _take_target(profile, roles)
    _leave_out_leaks(profile, roles)
    _take_group(profile, roles)
    dates = [column for column in _rest(profile, roles) if column.kind == "date"]
    if dates and roles.split is None:
        roles.doubts.append(
            f"{dates[0].name} has dates: are later rows to be told from earlier ones? Then a column"
            " of splits has to say so"
        )
    roles.doubts += _marked(_rest(profile, roles))
    if not (roles.text or roles.media or _rest(profile, roles)):
        roles.doubts.append("no column is left that anything could be learnt from")
    return roles


def _marked(columns: Sequence[ColumnProfile]) -> Iterator[str]:
    """Yield one line of the words in columns of words that are taken as missing."""
    if marked := [column for column in columns if column.marks]:
        listed = "; ".join(f"{column.name}: {column.in_marks()}" for column in marked[:LISTED])
        more = f" and {len(marked) - LISTED} more columns" if len(marked) > LISTED else ""
        yield f"taken as missing: {listed}{more}; `missing: []` of a column keeps the word"


def _rest(profile: TableProfile, roles: Roles) -> list[ColumnProfile]:
    taken = roles.taken()
    return [column for name, column in profile.columns.items() if name not in taken]


def _id(profile: TableProfile, media: Iterable[Media]) -> Guess:
    unique = [
        c for c in profile.columns.values() if c.unique and c.kind in ("id", "counter", "number")
    ]
    unique = [column for column in unique if column.kind != "number" or column.whole]
    by_files = {each.id for each in media if each.id}
    ranked = sorted(unique, key=lambda c: (c.name not in by_files, c.name.lower() != "id",
                                           not c.named_id, c.kind == "number"))  # fmt: skip
    ranked = [c for c in ranked if c.name in by_files or c.named_id or c.kind == "id"
              or c.name == next(iter(profile.columns))]  # fmt: skip
    named = [c for c in profile.columns.values() if c.name.lower() == "id" and not c.unique]
    instead = [_why_no_id(column) for column in named]
    if not ranked:
        return Guess(ROW_NUMBER, "no column has a value of its own in every row", instead)
    best = ranked[0]
    reason = "the names of the files begin with it" if best.name in by_files else best.about()
    instead += [f"{column.name}: unique too" for column in ranked[1:]]
    return Guess(best.name, reason, instead)


def _why_no_id(column: ColumnProfile) -> str:
    if not column.complete:
        return f"{column.name} has {len(column.cells) - column.values:,} rows without a value"
    value, count = column.counts.most_common(1)[0]
    return f"{column.name} is not unique: {value!r:.40} stands in {count:,} rows"


def _take_split(profile: TableProfile, roles: Roles) -> None:
    known = profile.table.split_column
    for column in profile.columns.values():
        seen = {name: split_named(name) for name in column.counts}
        named = bool(PARTS & {*words_of(column.name)})
        if column.name == known:
            roles.split = Guess(column.name, "the splits of the data set")
        elif len(seen) > 1 and all(seen.values()) and roles.split is None:
            roles.split = Guess(column.name, column.about())
            roles.splits = {name: split for name, split in seen.items() if name != split}
        elif named and column.kind in ("class", "boolean") and len(column.whole) > 1:
            roles.ignored[column.name] = f"numbers of folds? {column.about()}"


def _take_texts(profile: TableProfile, roles: Roles) -> None:
    roles.text |= {column.name: column.about() for column in profile.of_kind("text")}
    lists = [column for column in profile.of_kind("list") if column.of_texts]
    roles.text |= {column.name: "lists of texts" for column in lists}


_LEFT_OUT: dict[str, str] = {
    "empty": "no value in it",
    "constant": "",
    "counter": "counts rows",
    "url": "addresses, which no model follows",
    "conversation": "conversations, which a table does not read; write their messages as one text",
    "object": "objects, which a table reads as JSON; make a column of each key",
    "picture": "",
    "sound": "",
}


def _leave_out(profile: TableProfile, roles: Roles, media: Sequence[Media]) -> None:
    absent = {each.files.column: each for each in media if not each.rows}
    for column in _rest(profile, roles):
        if column.name in absent:
            found = absent[column.name]
            what = "pictures" if found.modality == "image" else "sounds"
            roles.ignored[column.name] = f"names {what} that are not here ({found.absent})"
        elif column.kind == "path":
            roles.ignored[column.name] = "names of files, beside those that are taken"
        elif column.kind in _LEFT_OUT and not _may_vary(profile, column):
            roles.ignored[column.name] = _LEFT_OUT[column.kind] or column.about()
        elif column.unique and (column.kind == "id" or column.named_id):
            roles.ignored[column.name] = "another id: " + column.about()


def _may_vary(profile: TableProfile, column: ColumnProfile) -> bool:
    """Say whether a column of one value may be the target of rows that are sorted by it."""
    named = column.name in profile.table.names or {*words_of(column.name)} & {*TARGETS}
    return column.kind == "constant" and not profile.whole and bool(named)


def _take_target(profile: TableProfile, roles: Roles) -> None:
    scored = sorted(
        ((_target_score(profile, roles, column), at, column.name)
         for at, column in enumerate(profile.columns.values())), reverse=True,
    )  # fmt: skip
    likely = [(score, name) for score, _, name in scored if score >= NAMED]
    if not likely:
        possible = ", ".join([name for score, _, name in scored if score > 0][:4])
        perhaps = f" (perhaps {possible})" if possible else ""
        roles.doubts.append(f"no column looks like the target; name one, `target: COLUMN`{perhaps}")
        return
    best, name = likely[0]
    column = profile.columns[name]
    last = ", last column" if name == _rest(profile, roles)[-1].name else ""
    near = [other for score, other in likely[1:] if score >= best - CLEAR]
    lacking = 2 * (column.values + sum(column.marks.values())) <= len(column.cells)
    roles.target = Guess(name, column.about() + last, near, unsure=lacking)
    roles.task = _task(column, profile.table.names.get(name, ()))
    roles.doubts += _doubts_of_target(profile, column)


def _doubts_of_target(profile: TableProfile, column: ColumnProfile) -> Iterator[str]:
    if column.marks:
        mark = next(iter(column.marks))
        keys = f'`missing: ["", {mark}]`'
        yield f"{column.name}: {column.in_marks()} is a class; {keys} of the column says no"
    if column.different < 2:
        yield f"{column.name} has one value in the first {profile.rows:,} rows: sorted by it?"


def _target_score(profile: TableProfile, roles: Roles, column: ColumnProfile) -> int:
    """Return how much says that a column is the target, 0 where it can be none."""
    fits = column.kind in ("class", "boolean", "number") and column.different > 1
    if column.name in roles.taken() or not (fits or _may_vary(profile, column)):
        return 0
    words = words_of(column.name)
    said = max((TARGETS.get(word, 0) for word in words), default=0)
    shorter = (name for name in profile.columns if {*words_of(name)} < {*words})
    said -= NAMED if any(shorter) else 0  # `rating`, rather than `rating_text`
    said += NAMED if column.name in profile.table.names else 0
    if column.named_id and not said:
        return 0
    last = LAST if column.name == _rest(profile, roles)[-1].name else 0
    return said + last + SUITS


def _task(column: ColumnProfile, words: Sequence[str]) -> Guess:
    if words:
        listed = ", ".join(f"{code} {word}" for code, word in enumerate(words[:LISTED]))
        reason = f"{len(words)} values, with words of the data set ({listed})"
        return Guess("classification", reason)
    if column.kind == "number":
        return Guess("regression", "numbers")
    classes = CLASSES & {*words_of(column.name)} or not column.only_numbers
    if classes or len(column.whole) <= FEW:
        return Guess("classification", f"{column.different + len(column.marks)} values")
    span = f"whole numbers {column.whole[0]} to {column.whole[-1]}"
    if column.ranked:
        return Guess("ordinal", f"{span}; classification, if their order means nothing")
    return Guess("regression", f"{span}; classification, if they are codes")


def _leave_out_leaks(profile: TableProfile, roles: Roles) -> None:
    if roles.target is None:
        return
    target = profile.columns[roles.target.value]
    for column in _rest(profile, roles):
        if why := leak(target, column):
            roles.ignored[column.name] = f"leak? {why}"
        elif {*words_of(target.name)} <= {*words_of(column.name)}:
            roles.doubts.append(f"{column.name} is called like the target; a leak?")
    roles.target.instead = [n for n in roles.target.instead if n not in roles.ignored]
    words = [column.name for column in _rest(profile, roles) if column.kind == "words"]
    for name in (*roles.text, *words):
        if share := share_that_says(target, profile.columns[name]):
            roles.doubts.append(f"{name} says the word of {target.name} in {share:.0%} of the rows")


def _take_group(profile: TableProfile, roles: Roles) -> None:
    free = {*profile.columns} - roles.taken()
    files = {media.files.column for media in roles.media if media.files.column}
    found = repeated(profile, free, files)
    roles.doubts += [column.too_few() for column in found if column.few]
    groups = [column for column in found if not column.few]
    if not groups:
        return
    best = groups[0]
    if roles.split is not None and settled(profile.columns[roles.split.value], best.column) < 1:
        roles.doubts.append(best.straddles())
        return
    others = [group.column.name for group in groups[1:]]
    reason = f"{best.reason}; no value lies in two splits"
    roles.group = Guess(best.column.name, reason, others)
