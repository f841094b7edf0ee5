"""Speech to words: Whisper and its kind by name, or the packaged pocketsphinx."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from textcentric.models.loading import load_model, revision

if TYPE_CHECKING:
    from textcentric.data.sounds import Sound

_RATE = 16_000  # Hz
_WINDOW = 30 * _RATE  # samples: what Whisper hears at once
_LONGEST = 220  # new tokens a window
_PEAK = 0.2  # of full scale
# Confidence from which on 8 of 10 of pocketsphinx's words are right: there is none, by
# `python -m benchmarks experts` on spoken digits and sentences (docs/experts.md has the table).
SPHINX_LEAST = float("inf")
_SILENCE = 0.2  # seconds: recordings cut close to the word lose its first sound


class Sphinx:
    """The packaged US English recogniser; its confidence is the decoder's posterior per word."""

    name = "pocketsphinx"

    @cached_property
    def version(self) -> str:
        """Return the package's version; the model comes with it."""
        from importlib.metadata import version as installed

        return installed("pocketsphinx")

    def hear(self, sound: Sound) -> tuple[str, float | None]:
        """Return what was said ("" if nothing) and the confidence in it."""
        decoder = self._decoder
        decoder.reinit_feat()  # its noise estimate would carry over from the recording before
        decoder.start_utt()
        decoder.process_raw(_pcm16(sound.samples), no_search=False, full_utt=True)
        decoder.end_utt()
        best = decoder.hyp()
        if best is None or not best.hypstr.strip():
            return "", None
        words = best.hypstr.split()
        return " ".join(words), min(1.0, float(best.prob) ** (1 / len(words)))

    @cached_property
    def _decoder(self) -> Any:
        from pocketsphinx import Decoder

        return Decoder(samprate=_RATE, loglevel="FATAL")


class Whisper:
    """A speech model of the Whisper kind, from a folder or the hub, decoding greedily.

    Raises ConfigError where the model cannot be loaded.
    """

    def __init__(self, model: str):
        self.name = model

    @cached_property
    def version(self) -> str:
        """Return the commit of a hub model, or a digest of a folder's weights."""
        return revision(self.name)

    def hear(self, sound: Sound) -> tuple[str, float | None]:
        """Return what was said, window by window; the model gives no confidence."""
        starts = range(0, sound.samples.size, _WINDOW)
        said = [self._hear_window(sound.samples[i : i + _WINDOW]) for i in starts]
        return " ".join(filter(None, said)), None

    def _hear_window(self, samples: np.ndarray) -> str:
        import torch

        processor, model = self._loaded
        batch = processor(samples, sampling_rate=_RATE, return_tensors="pt")
        with torch.inference_mode():
            tokens = model.generate(
                batch["input_features"].to(model.device), max_new_tokens=_LONGEST, do_sample=False
            )
        return str(processor.batch_decode(tokens, skip_special_tokens=True)[0]).strip()

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_model(
            self.name, "AutoModelForSpeechSeq2Seq", expert="audio", expected="a Whisper model"
        )


def _pcm16(samples: np.ndarray) -> bytes:
    """Return samples as 16-bit integers at a common peak, with a moment of silence around."""
    peak = float(np.abs(samples).max(initial=0.0))
    scale = _PEAK / peak if peak > 0 else 1.0
    padded = np.pad(samples * scale, round(_SILENCE * _RATE))
    return (padded * 32767).astype("<i2").tobytes()
