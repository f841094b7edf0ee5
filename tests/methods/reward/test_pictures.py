"""Reward models that see pictures: a frozen encoder, a projector, and a blank picture as proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.methods.reward.test_method import KINDS_OF_MODEL, config_of, settings
from tests.support.tiny_models import tiny_model
from textcentric.data.media.pictures import PictureError
from textcentric.data.pairs import PairSet
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.evaluation.rewards.baselines import swapped
from textcentric.evaluation.rewards.matrix import hidden, reward_matrix
from textcentric.evaluation.rewards.scoring import items_in_words
from textcentric.experts import picture_features as module
from textcentric.experts.classifier import picture_features
from textcentric.experts.picture_features import BLANK, Eyes
from textcentric.methods.reward import Item, Reward, RewardConfig
from textcentric.methods.reward.model import PROJECTOR
from textcentric.methods.reward.pictures import Projector, in_place
from textcentric.methods.reward.words import ABSENT, BROKEN, NONE, described, pictured
from textcentric.rows import Pair
from textcentric.training.loop import train

COLOURS = ("red", "blue")
pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of red and blue pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(4):
        colour = (250 - 20 * number, 0, 0) if number % 2 == 0 else (0, 0, 250 - 20 * number)
        Image.new("RGB", (40, 30), colour).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def vision(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny ViT: 2 x 2 patches and a class token, so five features a picture."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    folder = tmp_path_factory.mktemp("vit")
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=16,
        patch_size=8,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ViTModel(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)
    return str(folder)


def pairs(count: int = 12) -> list[Pair]:
    """Return pairs of which the picture alone says which response is right."""
    return [
        Pair(
            id=f"pair-{n}",
            prompt="kind :",
            chosen=COLOURS[n % 2],
            rejected=COLOURS[1 - n % 2],
            images=(f"{n % 4}.png",),
            group=f"{n % 4}.png",
        )
        for n in range(count)
    ]


def seeing(tmp_path: Path, vision: str, kind: str = "bert", **values: Any) -> Any:
    return config_of(tmp_path, kind, vision_model=vision, **values)


def items(rows: list[Pair]) -> list[Item]:
    return [Item({}, one.prompt, one.chosen, one.id, one.images) for one in rows]


@pytest.mark.parametrize(("kind", "values"), KINDS_OF_MODEL)
def test_scores_are_the_same_after_save_reload_and_merge_and_in_any_batch(
    tmp_path: Path, folder: Path, vision: str, kind: str, values: dict[str, Any]
) -> None:
    method = Reward(seeing(tmp_path, vision, kind, **values), pairs(), folder)
    train(method, settings(tmp_path), pairs(), quiet=True)
    scores = method.score(items(pairs()), batch_size=8)
    np.testing.assert_allclose(method.score(items(pairs()), batch_size=1), scores, atol=1e-5)
    loaded = Reward.load(tmp_path / "out", folder)
    np.testing.assert_allclose(loaded.score(items(pairs())), scores, atol=1e-5)
    if loaded.config.use_peft:
        loaded.merge()
        np.testing.assert_allclose(loaded.score(items(pairs())), scores, atol=1e-4)
    assert len(set(scores.round(5))) > 2  # pictures differ, so do their scores


def test_the_projectors_are_trained_each_for_its_branch_and_the_encoder_is_not(
    tmp_path: Path, folder: Path, vision: str
) -> None:
    method = Reward(seeing(tmp_path, vision, reward_objective="sfc"), pairs(), folder)
    before = {k: v.detach().clone() for k, v in method.model.projectors.named_parameters()}
    features = method.eyes.features(["0.png"]) if method.eyes else None
    train(method, settings(tmp_path, max_steps=4), pairs(), quiet=True)
    after = dict(method.model.projectors.named_parameters())
    assert {k.split(".")[0] for k in before} == {"default", "proxy"}
    assert not any(torch.equal(before[k], after[k]) for k in before)
    fresh = Eyes(vision, folder)
    torch.testing.assert_close(fresh.features(["0.png"]), features)
    assert "vision" not in " ".join(method.model.state_dict())


@pytest.mark.parametrize("source", ["packaged", "vit"])
def test_it_learns_what_only_the_picture_tells_and_the_proxy_does_not(
    tmp_path: Path, folder: Path, vision: str, source: str
) -> None:
    name = vision if source == "vit" else source
    values = {"reward_objective": "sfc", "proxy_input": "blank_image"}
    method = Reward(seeing(tmp_path, name, **values), pairs(), folder)
    loop = settings(tmp_path, max_steps=50, per_device_train_batch_size=12, learning_rate=6e-3)
    train(method, loop, pairs(), quiet=True)
    main, proxy = method.differences(pairs())
    assert (main > 0).all()
    assert proxy is not None
    assert (proxy > 0).mean() == 0.5  # it sees the same for both colours
    assert (method.differences(hidden(pairs(), method))[0] > 0).mean() == 0.5
    told = reward_matrix({"m": method}, {"s": pairs()})["cells"][0]
    assert told["accuracy"] == 1.0
    assert told["text_only"] == 0.5


def test_the_ids_hold_a_place_for_every_feature_behind_the_first_special_token(
    tmp_path: Path, folder: Path, vision: str
) -> None:
    method = Reward(seeing(tmp_path, vision), pairs(), folder)
    batch = method.collate(pairs(2), epoch=0)
    assert batch["places"].sum(dim=1).tolist() == [5, 5, 5, 5]
    assert batch["places"][0].nonzero().flatten().tolist() == [1, 2, 3, 4, 5]
    assert batch["features"].shape == (20, 16)
    bare = Reward(config_of(tmp_path), pairs())
    ids = batch["input_ids"][0][~batch["places"][0]]
    assert ids.tolist() == bare.collate(pairs(2), epoch=0)["input_ids"][0].tolist()
    assert method.reader.pad not in batch["input_ids"][batch["places"]]


def test_vectors_take_the_place_of_embeddings_and_gradients_reach_them() -> None:
    embeddings = torch.nn.Embedding(5, 2)
    places = torch.tensor([[False, True], [True, False]])
    vectors = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with in_place(embeddings, places, vectors):
        told = embeddings(torch.tensor([[1, 2], [3, 4]]))
    assert told[0, 1].tolist() == [1.0, 2.0]
    assert told[1, 0].tolist() == [3.0, 4.0]
    torch.testing.assert_close(told[0, 0], embeddings.weight[1])
    told.sum().backward()
    assert vectors.grad is not None
    assert vectors.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    torch.testing.assert_close(
        embeddings(torch.tensor([[1, 2]]))[0], embeddings.weight[[1, 2]]
    )  # and nothing stays behind


def test_the_projector_begins_with_vectors_as_large_as_embeddings() -> None:
    embeddings = torch.nn.Embedding(100, 8)
    torch.nn.init.normal_(embeddings.weight, std=0.02)
    projector = Projector(6, 8)
    projector.start_like(embeddings)
    with torch.no_grad():
        spread = projector(torch.randn(500, 6)).std()
    assert 0.01 < float(spread) < 0.04


def test_packaged_features_are_those_before_the_classes(folder: Path) -> None:
    eyes = Eyes("packaged", folder)
    assert eyes.shape == (1, 1280)
    with Image.open(folder / "0.png") as picture:
        expected = picture_features([picture.convert("RGB")])
    torch.testing.assert_close(eyes.features(["0.png"]), expected, atol=2e-3, rtol=2e-3)


def test_pictures_are_swapped_with_the_descriptions() -> None:
    told = swapped(pairs())
    assert all(one.images != two.images for one, two in zip(pairs(), told, strict=True))


def test_blank_stands_for_any_picture(folder: Path, vision: str) -> None:
    eyes = Eyes(vision)
    assert eyes.features([BLANK, BLANK]).shape == (10, 16)
    with pytest.raises(ConfigError, match="give image_dir="):
        eyes.features(["0.png"])


def test_features_beyond_the_limit_are_seen_again(
    folder: Path, vision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 0)
    monkeypatch.setattr(module, "BATCH", 2)
    eyes = Eyes(vision, folder)
    first = eyes.features(["0.png"])
    eyes.look(["1.png", "2.png", "3.png"])
    assert list(eyes._known) == [BLANK, "3.png"]
    torch.testing.assert_close(eyes.features(["0.png"]), first)


def test_bad_pictures_are_refused(tmp_path: Path, folder: Path, vision: str) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG nothing more")
    config = seeing(tmp_path, vision)
    broken = [Pair("1", "", "red", "blue", images=("broken.png",))]
    with pytest.raises(PictureError, match=r"broken\.png"):
        Reward(config, broken, folder)
    with pytest.raises(PictureError, match="leaves the data folder"):
        Reward(config, [Pair("1", "", "red", "blue", images=("../0.png",))], folder)
    with pytest.raises(DataError, match="'1' has no picture"):
        Reward(config, [Pair("1", "", "red", "blue")], folder)
    method = Reward(config, pairs(), folder)
    with pytest.raises(DataError, match="'x': it has no picture"):
        method.score([Item({}, "", "red", "x")])
    assert "9.png" in method.fault(Item({}, "", "red", "x", ("9.png",)))
    assert method.fault(Item({}, "", "red", "x", ("",)))  # an empty name is no blank picture


def test_a_broken_picture_of_a_response_is_not_called_absent(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG nothing more")
    names = ("broken.png", "9.png")
    items = [Item({}, "", "red", name, (name,)) for name in names]
    assert items_in_words(items, str(folder), "pixels") == [BROKEN, ABSENT]


def test_pairs_of_one_id_are_told_apart(folder: Path) -> None:
    good = Pair("x", "", "red", "blue", images=("0.png",))
    absent = Pair("x", "", "red", "blue", images=("9.png",))
    found = PairSet([good, absent], "a", "pairs")
    for shown in (pictured(found, folder), described(found, folder, expert="pixels")):
        assert [one.images for one in shown.pairs] == [("0.png",)]
        assert shown.balance["source"] == 2
    assert found.left_out.total() == 0


def test_pairs_without_a_readable_picture_are_counted(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG nothing more")
    more = [
        Pair("no", "", "red", "blue"),
        Pair("absent", "", "red", "blue", images=("9.png",)),
        Pair("broken", "", "red", "blue", images=("broken.png",)),
        Pair("outside", "", "red", "blue", images=("../0.png",)),
    ]
    found = pictured(PairSet([*pairs(4), *more], "a", "trl"), folder)
    assert [one.id for one in found.pairs] == [f"pair-{n}" for n in range(4)]
    assert found.left_out.lines == {NONE: 1, ABSENT: 2, BROKEN: 1}
    assert found.left_out.examples[BROKEN] == ["'pair broken, picture broken.png'"]


def test_a_blank_picture_needs_a_model_that_sees() -> None:
    with pytest.raises(ConfigError, match="give vision_model"):
        RewardConfig.of({"reward_objective": "sfc", "proxy_input": "blank_image"})


def test_a_model_without_its_projector_is_refused(
    tmp_path: Path, folder: Path, vision: str
) -> None:
    Reward(seeing(tmp_path, vision), pairs(), folder).save(tmp_path / "saved")
    (tmp_path / "saved" / PROJECTOR).unlink()
    with pytest.raises(RunError, match="copy the folder again"):
        Reward.load(tmp_path / "saved", folder)


def test_what_is_saved_is_an_ordinary_classifier(tmp_path: Path, folder: Path, vision: str) -> None:
    from transformers import AutoModelForSequenceClassification

    config = seeing(tmp_path, vision, reward_objective="sfc")
    Reward(config, pairs(), folder).save(tmp_path / "saved")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved")
    assert model.config.num_labels == 1
    assert not any("proj" in name for name in model.state_dict())


def test_an_unknown_encoder_is_refused(tmp_path: Path, folder: Path) -> None:
    tiny_model(tmp_path / "text")
    with pytest.raises(ConfigError, match="no-such-encoder"):
        Reward(config_of(tmp_path, vision_model=str(tmp_path / "no-such-encoder")), pairs(), folder)
