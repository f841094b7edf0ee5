"""Speech to words: Whisper and its kind, or pocketsphinx, which guesses as earlier versions did."""

from __future__ import annotations

import re
from functools import cached_property
from math import exp
from typing import TYPE_CHECKING, Any

import numpy as np

from textcentric.models.loading import load_model, quiet, revision

if TYPE_CHECKING:
    from textcentric.data.media.sounds import Sound

_RATE = 16_000  # Hz
_LONGEST = 220  # new tokens a window
_PEAK = 0.2  # of full scale
# From this confidence on 8 of 10 words of Whisper tiny.en are right, in every kind of sound of
# `python -m benchmarks experts` (docs/experts.md). Of other models that was not measured.
WHISPER_LEAST = 0.7
LEAST_WORDS, LEAST_DIFFERENT = 3, 0.5
_SILENCE = 0.2  # seconds: recordings cut close to the word lose its first sound


class Sphinx:
    """A US English recogniser; its confidence is the decoder's posterior per word.

    It was right too rarely at any confidence to be believed, so it speaks among guesses alone.
    """

    name = "pocketsphinx"
    longest = None

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

    Its confidence is the geometric mean of the shares of its tokens, marks and ends left out; 0
    for one or two words and for words over and over, which were wrong at any confidence: a model
    that learned from subtitles hears "you" in drums and "woo" in cats.
    Raises ConfigError where the model cannot be loaded.
    """

    longest = 30.0  # seconds heard at once

    def __init__(self, model: str, name: str | None = None):
        self.name = name or model
        self._model = model

    @cached_property
    def version(self) -> str:
        """Return the commit of a hub model, or a digest of a folder's weights."""
        return revision(self._model)

    def hear(self, sound: Sound) -> tuple[str, float | None]:
        """Return what was said in up to `longest` seconds ("" if nothing), and the confidence."""
        import torch

        processor, model = self._loaded
        batch = processor(sound.samples, sampling_rate=_RATE, return_tensors="pt")
        features = batch["input_features"].to(model.device, model.dtype)
        with torch.inference_mode(), quiet():
            answer = model.generate(
                features,
                max_new_tokens=_LONGEST,
                do_sample=False,
                return_dict_in_generate=True,
                output_scores=True,
            )
        (words,) = processor.batch_decode(answer.sequences, skip_special_tokens=True)
        sure = _confidence(answer, processor.tokenizer) if is_speech(words) else 0.0
        return words.strip(), sure if words.strip() else None

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_model(
            self._model, "AutoModelForSpeechSeq2Seq", expert="audio", expected="a Whisper model"
        )


def is_speech(words: str) -> bool:
    """Say whether there are enough words, and enough different ones, to be believed.

    >>> is_speech("Two dogs run."), is_speech("Thank you."), is_speech("woo, woo, woo, woo!")
    (True, False, False)
    """
    said = re.findall(r"\w+", words.casefold())
    return len(said) >= LEAST_WORDS and len(set(said)) >= LEAST_DIFFERENT * len(said)


def _confidence(answer: Any, tokenizer: Any) -> float:
    """Return the geometric mean of the shares of an answer's tokens that stand for words."""
    written = answer.sequences[0, -len(answer.scores) :].tolist()
    special = set(tokenizer.all_special_ids)
    shares = [
        float(scores[0].log_softmax(-1)[token])
        for token, scores in zip(written, answer.scores, strict=True)
        if token not in special and re.search(r"\w", tokenizer.decode([token]))
    ]
    return exp(sum(shares) / len(shares)) if shares else 0.0


def _pcm16(samples: np.ndarray) -> bytes:
    """Return samples as 16-bit integers at a common peak, with a moment of silence around."""
    peak = float(np.abs(samples).max(initial=0.0))
    scale = _PEAK / peak if peak > 0 else 1.0
    padded = np.pad(samples * scale, round(_SILENCE * _RATE))
    return (padded * 32767).astype("<i2").tobytes()
