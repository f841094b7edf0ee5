"""Whisper from its package: CTranslate2's arrays become transformers' weights, one by one."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textcentric.errors import ConfigError
from textcentric.models.packaged_whisper import packaged_whisper, write_whisper

DIGITS = Path(os.environ.get("AV_DIGITS_DIR", Path(__file__).parents[3] / "shared/data/av_digits"))
WIDTH, HIDDEN, WORDS = 4, 6, 9
SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>")
KINDS = {"float16": 4, "int16": 2}
# Whisper writes a number in words or in digits, whichever is likelier by a hair: either is heard.
DIGIT_WORDS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}


def attention(name: str, rng: np.random.Generator, cross: bool) -> dict[str, np.ndarray]:
    """Return the arrays of one attention: projections of one input lie in one array."""
    sizes = (WIDTH, 2 * WIDTH, WIDTH) if cross else (3 * WIDTH, WIDTH)
    found = {f"{name}/layer_norm/gamma": rng.random(WIDTH)}
    found[f"{name}/layer_norm/beta"] = rng.random(WIDTH)
    for place, size in enumerate(sizes):
        found[f"{name}/linear_{place}/weight"] = rng.random((size, WIDTH))
        found[f"{name}/linear_{place}/bias"] = rng.random(size)
    return found


def arrays() -> dict[str, np.ndarray]:
    """Return a Whisper of one layer as CTranslate2 keeps it."""
    rng = np.random.default_rng(0)
    found: dict[str, np.ndarray] = {
        "encoder/conv1/weight": rng.random((WIDTH, 80, 3)),
        "encoder/conv1/bias": rng.random(WIDTH),
        "encoder/conv2/weight": rng.random((WIDTH, WIDTH, 3)),
        "encoder/conv2/bias": rng.random(WIDTH),
        "encoder/position_encodings/encodings": rng.random((1500, WIDTH)),
        "decoder/position_encodings/encodings": rng.random((448, WIDTH)),
        "decoder/embeddings/weight": rng.random((WORDS, WIDTH)),
    }
    for part in ("encoder", "decoder"):
        layer = f"{part}/layer_0"
        found |= attention(f"{layer}/self_attention", rng, cross=False)
        found |= {f"{layer}/ffn/linear_0/weight": rng.random((HIDDEN, WIDTH))}
        found |= {f"{layer}/ffn/linear_0/bias": rng.random(HIDDEN)}
        found |= {f"{layer}/ffn/linear_1/weight": rng.random((WIDTH, HIDDEN))}
        found |= {f"{layer}/ffn/linear_1/bias": rng.random(WIDTH)}
        for norm in (f"{layer}/ffn/layer_norm", f"{part}/layer_norm"):
            found |= {f"{norm}/gamma": rng.random(WIDTH), f"{norm}/beta": rng.random(WIDTH)}
    found |= attention("decoder/layer_0/attention", rng, cross=True)
    numbers = {name: values.astype(np.float16) for name, values in found.items()}
    return numbers | {"encoder/num_heads": np.array(2, np.int16)}


def write_package(folder: Path, held: dict[str, np.ndarray], spec: str = "WhisperSpec") -> None:
    """Write a model of CTranslate2's version 6, with its tokenizer and its settings."""

    def text(name: str) -> bytes:
        return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"

    content = struct.pack("<I", 6) + text(spec) + struct.pack("<II", 3, len(held))
    for name, values in held.items():
        content += text(name) + struct.pack("<B", values.ndim)
        content += struct.pack(f"<{values.ndim}I", *values.shape)
        content += struct.pack("<BI", KINDS[str(values.dtype)], values.nbytes) + values.tobytes()
    (folder / "model.bin").write_bytes(content + struct.pack("<I", 0))
    vocabulary = {token: place for place, token in enumerate("abcdef")}
    added = [
        {"id": len(vocabulary) + place, "content": token, "special": True, "normalized": False,
         "single_word": False, "lstrip": False, "rstrip": False}
        for place, token in enumerate(SPECIAL)
    ]  # fmt: skip
    model = {"type": "BPE", "vocab": vocabulary, "merges": []}
    tokenizer = {"version": "1.0", "added_tokens": added, "model": model}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    settings = {"suppress_ids": [1, 2], "suppress_ids_begin": [0]}
    (folder / "config.json").write_text(json.dumps(settings))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_array_lies_where_transformers_looks_for_it(package: Path, tmp_path: Path) -> None:
    from transformers import WhisperForConditionalGeneration

    held = arrays()
    write_package(package, held)
    write_whisper(package, tmp_path / "model")
    model = WhisperForConditionalGeneration.from_pretrained(tmp_path / "model")
    weights = {name: np.asarray(values.float()) for name, values in model.state_dict().items()}

    def same(name: str, values: np.ndarray) -> bool:
        return np.array_equal(weights.pop(f"model.{name}"), values.astype(np.float32))

    fused = held["encoder/layer_0/self_attention/linear_0/weight"]
    own = "encoder.layers.0.self_attn"
    assert same(f"{own}.q_proj.weight", fused[:WIDTH])
    assert same(f"{own}.k_proj.weight", fused[WIDTH : 2 * WIDTH])
    assert same(f"{own}.v_proj.weight", fused[2 * WIDTH :])
    cross = "decoder.layers.0.encoder_attn"
    keys = held["decoder/layer_0/attention/linear_1/weight"]
    assert same(f"{cross}.q_proj.weight", held["decoder/layer_0/attention/linear_0/weight"])
    assert same(f"{cross}.k_proj.weight", keys[:WIDTH])
    assert same(f"{cross}.v_proj.weight", keys[WIDTH:])
    assert same(f"{cross}.out_proj.weight", held["decoder/layer_0/attention/linear_2/weight"])
    assert same(f"{cross}_layer_norm.bias", held["decoder/layer_0/attention/layer_norm/beta"])
    norm = held["decoder/layer_0/self_attention/layer_norm/gamma"]
    assert same("decoder.layers.0.self_attn_layer_norm.weight", norm)
    assert same("encoder.layers.0.fc1.weight", held["encoder/layer_0/ffn/linear_0/weight"])
    assert same("encoder.layer_norm.bias", held["encoder/layer_norm/beta"])
    assert same("encoder.embed_positions.weight", held["encoder/position_encodings/encodings"])
    assert same("decoder.embed_tokens.weight", held["decoder/embeddings/weight"])
    assert [round(float(values.mean()), 3) for values in weights.values() if not values.any()] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_tokens_of_the_package_are_those_that_are_written(
    package: Path, tmp_path: Path
) -> None:
    from transformers import GenerationConfig

    write_package(package, arrays())
    write_whisper(package, tmp_path / "model")
    settings: Any = GenerationConfig.from_pretrained(tmp_path / "model")
    assert (settings.eos_token_id, settings.decoder_start_token_id) == (6, 7)
    assert (settings.suppress_tokens, settings.begin_suppress_tokens) == ([1, 2], [0])
    assert settings.no_timestamps_token_id == 8


def test_another_model_of_ctranslate2_is_refused(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    write_package(package, {}, spec="TransformerSpec")
    with pytest.raises(ConfigError, match="not a Whisper model of CTranslate2's version 6"):
        write_whisper(package, tmp_path / "model")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_was_written_is_asked_like_any_whisper(package: Path, tmp_path: Path) -> None:
    from textcentric.data.media.sounds import RATE, Sound
    from textcentric.experts.speech import Whisper

    write_package(package, arrays())
    write_whisper(package, tmp_path / "model")
    hiss = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    words, confidence = Whisper(str(tmp_path / "model"), "tiny").hear(Sound(0.1 * hiss, 1.0))
    assert set(words) <= set("adef ")  # of the others two are never written, two not at first
    assert confidence in (None, 0.0) or 0.0 < confidence <= 1.0


@pytest.mark.parametrize("name", ["decoder/layer_norm/gamma", "encoder/conv2/bias"])
def test_a_model_that_lacks_weights_is_refused(package: Path, tmp_path: Path, name: str) -> None:
    pytest.importorskip("transformers")
    held = arrays()
    del held[name]
    write_package(package, held)
    lacked = name.replace("/gamma", "/weight").replace("/", ".")
    with pytest.raises(ConfigError, match=f"no whole Whisper: .'model.{lacked}'"):
        write_whisper(package, tmp_path / "model")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_packaged_whisper_hears_digits_read_one_after_the_other() -> None:
    files = [DIGITS / f"recordings/{digit}_jackson_0.wav" for digit in (1, 2, 3, 4, 5)]
    if not all(file.is_file() for file in files):
        pytest.skip("the spoken digits are absent")
    from textcentric.data.media.sounds import RATE, Sound, open_sound
    from textcentric.experts.speech import Whisper

    pause = np.zeros(RATE // 4, np.float32)
    samples = np.concatenate(
        [piece for file in files for piece in (open_sound(file).samples, pause)]
    )
    words, confidence = Whisper(str(packaged_whisper())).hear(Sound(samples, samples.size / RATE))
    heard = [word.strip(" ,.-").lower() for word in words.replace(",", " ").split()]
    assert [DIGIT_WORDS.get(word, word) for word in heard][:3] == ["1", "2", "3"]
    assert confidence is not None
    assert 0.3 < confidence <= 1.0
