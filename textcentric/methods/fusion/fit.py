"""Which variants fit the modalities at hand; one that does not is refused with those that do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textcentric.errors import ConfigError, DataError, option
from textcentric.methods.fusion.config import VARIANTS, CrmtConfig
from textcentric.rows import Record


def check_fit(config: CrmtConfig, widths: Mapping[str, int]) -> None:
    """Raise ConfigError where the variant does not fit modalities of these `widths`.

    So does one that lacks a model to begin from, and one that is given too many.
    """
    if why := misfit(config.variant, widths):
        fitting = [name for name in VARIANTS if not misfit(name, widths)]
        raise ConfigError(f"variant={config.variant!r} {why}; those that fit: {', '.join(fitting)}")
    if config.modality_dropout and len(widths) < 2:
        raise ConfigError(
            f"modality_dropout={config.modality_dropout:g} leaves modalities out, never all of a"
            f" row, and rows have {', '.join(widths)} alone; leave it at 0"
        )
    if config.modality_dropout and config.method.trains == "nothing":
        raise ConfigError(
            f"modality_dropout={config.modality_dropout:g} is of training steps, and"
            f" variant={config.variant!r} takes none; leave it at 0"
        )
    if config.absent == "nothing" and config.method.fusion != "linear":
        raise ConfigError(
            f"absent='nothing' is of sums of scores, and variant={config.variant!r} leaves absent"
            " modalities out itself; leave absent at 'zeros'"
        )
    if config.start and config.method.fusion == "experts":
        raise ConfigError(
            f"variant={config.variant!r} has heads that no model of a single modality has, so it"
            " begins from none; leave crmt.start empty"
        )
    if strange := sorted(config.start.keys() - widths.keys()):
        raise ConfigError(
            f"crmt.start names {strange[0]!r}, which is not read; expected some of"
            f" {', '.join(widths)}"
        )
    lacking = [name for name in widths if name not in config.start]
    if config.method.starts and lacking:
        trainings = "; ".join(
            f"textcentric train crmt --variant jt --modalities {name} ... -o models/{name}"
            for name in lacking
        )
        flags = " ".join(f"{option(f'{name}_start', f'models/{name}')}" for name in lacking)
        raise ConfigError(
            f"variant={config.variant!r} begins from models of single modalities, and"
            f" {', '.join(lacking)} has none; make them on the same rows, with the same settings"
            f" ({trainings}), then give {flags}"
        )


def check_complete(config: CrmtConfig, names: Sequence[str], rows: Sequence[Record]) -> None:
    """Raise where the variant learns from rows that have all modalities, and training has none."""
    if not config.method.complete:
        return
    learns = f"variant={config.variant!r} learns from rows that have all of {', '.join(names)}"
    if config.modality_dropout == 1:
        raise ConfigError(f"{learns}, and modality_dropout=1 leaves one of each row; give less")
    if not any(all(name in row.inputs for name in names) for row in rows):
        counts = {name: sum(name in row.inputs for row in rows) for name in names}
        raise DataError(
            f"{learns}, and none of {len(rows):,} training rows has them"
            f" ({', '.join(f'{n}: {count:,}' for n, count in counts.items())}); give some complete"
            f" rows, read fewer modalities ({option('modalities')} {names[0]}), or take variant jt"
        )


def misfit(variant: str, widths: Mapping[str, int]) -> str | None:
    """Return why a variant cannot read modalities of these `widths`, None where it can."""
    needs = VARIANTS[variant]
    if len(widths) < needs.least:
        return f"needs {needs.least} modalities, and rows have {', '.join(widths)} alone"
    if needs.one_width and len(set(widths.values())) > 1:
        return (
            f"compares features across modalities, and their widths are {dict(widths)}: give"
            " encoders of one width"
        )
    return None
