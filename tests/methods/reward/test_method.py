"""Reward models on tiny transformers: both branches, what is read, saved, merged and scored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.methods.references import reward as reference
from tests.methods.references.reward import Scored
from tests.support.tiny_models import tiny_model
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.methods.reward import Item, Reward, RewardConfig
from textcentric.methods.reward.model import halves, head, with_early_gradients
from textcentric.methods.reward.objective import bradley_terry, failure_coefficient
from textcentric.methods.reward.texts import NOTHING, ResponseReader
from textcentric.rows import Pair
from textcentric.training.config import TrainConfig
from textcentric.training.loop import train

COLOURS = ("red", "blue")
KINDS = ("dog", "cat", "bird")
pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")


def pairs(count: int = 12, **values: Any) -> list[Pair]:
    """Return pairs of which the picture alone says which response is right."""
    return [
        Pair(
            id=f"pair-{n}",
            prompt=f"kind : {KINDS[n % 3]} ?",
            chosen=COLOURS[n % 2],
            rejected=COLOURS[1 - n % 2],
            descriptions={"image": f"a {COLOURS[n % 2]} {KINDS[n % 3]}"},
            **values,
        )
        for n in range(count)
    ]


def config_of(tmp_path: Path, kind: str = "bert", **values: Any) -> RewardConfig:
    folder = tmp_path / kind
    name = str(folder) if folder.exists() else tiny_model(folder, kind)
    return RewardConfig.of({"model_name_or_path": name, "max_length": 48, **values})


def settings(tmp_path: Path, **values: Any) -> TrainConfig:
    known: dict[str, Any] = {"max_steps": 2, "learning_rate": 1e-2}
    known |= {"per_device_train_batch_size": 4, "output_dir": tmp_path / "out"}
    known |= {"eval_strategy": "no", "save_strategy": "no"}
    return TrainConfig(**{**known, **values})


def items(rows: list[Pair]) -> list[Item]:
    return [Item(p.descriptions, p.prompt, p.chosen, p.id) for p in rows]


PEFT = {"use_peft": True, "lora_r": 2, "lora_alpha": 4, "lora_dropout": 0.0}
SFC = {"reward_objective": "sfc"}
KINDS_OF_MODEL = [
    pytest.param("bert", {}, id="bert"),
    pytest.param("gpt2", {}, id="gpt2"),
    pytest.param("bert", {"reward_objective": "sfc"}, id="bert-sfc"),
    pytest.param("gpt2", {"reward_objective": "sfc"}, id="gpt2-sfc"),
    pytest.param("bert", PEFT, id="bert-lora"),
    pytest.param("gpt2", {**PEFT, "reward_objective": "sfc"}, id="gpt2-lora-sfc"),
    pytest.param("bert", {**PEFT, "reward_objective": "sfc"}, id="bert-lora-sfc"),
]


@pytest.mark.parametrize(("kind", "values"), KINDS_OF_MODEL)
def test_a_step_moves_every_weight_that_is_trained(
    tmp_path: Path, kind: str, values: dict[str, Any]
) -> None:
    method = Reward(config_of(tmp_path, kind, **values), pairs())
    before = {n: p.detach().clone() for n, p in method.model.named_parameters() if p.requires_grad}
    train(method, settings(tmp_path), pairs(), quiet=True)
    after = dict(method.model.named_parameters())
    still = [n for n, p in before.items() if torch.equal(p, after[n]) and "pooler" not in n]
    fixed = {n for n in still if ("classifier" in n or "ln_f" in n) and "bias" in n}  # cancel out
    still = [n for n in still if n not in fixed]
    unused = ("wpe", "position_embeddings", "wte", "word_embeddings", "token_type", "lora_A")
    assert [name for name in still if not any(part in name for part in unused)] == []
    branches = {name.split(".")[0] for name in before}
    shared = values.get("use_peft") and values.get("reward_objective") == "sfc"
    assert branches == ({"main", "proxy"} if len(values) == 1 else {"main"}), before.keys()
    assert any(".proxy." in name for name in before) == bool(shared)


@pytest.mark.parametrize(("kind", "values"), KINDS_OF_MODEL)
def test_scores_are_the_same_after_save_reload_and_merge_and_in_any_batch(
    tmp_path: Path, kind: str, values: dict[str, Any]
) -> None:
    method = Reward(config_of(tmp_path, kind, **values), pairs())
    train(method, settings(tmp_path), pairs(), quiet=True)
    asked = items(pairs())
    told = method.score(asked, batch_size=8)
    assert len(set(told.tolist())) > 2
    np.testing.assert_allclose(method.score(asked, batch_size=1), told, atol=1e-6)
    loaded = Reward.load(tmp_path / "out")
    assert not any("proxy" in name for name in loaded.model.state_dict())
    np.testing.assert_allclose(loaded.score(asked), told, atol=1e-6)
    if values.get("use_peft"):
        loaded.merge()
        loaded.save(tmp_path / "merged")
        np.testing.assert_allclose(loaded.score(asked), told, atol=1e-5)
        merged = Reward.load(tmp_path / "merged")
        np.testing.assert_allclose(merged.score(asked), told, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_what_is_saved_is_an_ordinary_classifier_of_one_label(tmp_path: Path, kind: str) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    method = Reward(config_of(tmp_path, kind, reward_objective="sfc"), pairs())
    train(method, settings(tmp_path), pairs(), quiet=True)
    model, told = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    assert model.config.num_labels == 1
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    text = "image: a red dog\nquestion: kind : dog ?\nresponse: red"
    logits = model.eval()(**tokenizer(text, return_tensors="pt")).logits
    item = Item({"image": "a red dog"}, "kind : dog ?", "red")
    assert logits.item() == pytest.approx(float(method.score([item])[0]), abs=1e-6)


def test_prompt_and_response_are_the_same_in_both_branches(tmp_path: Path) -> None:
    reader = Reward(config_of(tmp_path, reward_objective="sfc"), pairs()).reader
    (pair,) = pairs(1)
    for seen, proxied in zip(reader.both(pair), reader.both(pair, proxy=True), strict=True):
        described = reader._tokens("image: a red dog\n")
        replaced = reader._tokens(f"image: {NOTHING}\n")
        assert seen[1 + len(described) :].tolist() == proxied[1 + len(replaced) :].tolist()
        assert seen[1 : 1 + len(described)].tolist() == described.tolist()
        assert proxied[1 : 1 + len(replaced)].tolist() == replaced.tolist()


def test_the_proxy_does_without_the_named_fields(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(config_of(tmp_path).model_name_or_path)
    said = {"image": "red", "table": "age : old"}
    kept = ResponseReader(tokenizer, max_length=48, without=["image"])
    assert kept.without_fields(said) == {"image": NOTHING, "table": "age : old"}
    dropped = ResponseReader(tokenizer, max_length=48, without=["image"], placeholder=False)
    assert dropped.without_fields(said) == {"table": "age : old"}
    assert ResponseReader(tokenizer, max_length=48).without_fields(said) == {
        "image": NOTHING,
        "table": NOTHING,
    }


def test_of_a_long_text_the_description_is_cut_first_then_the_prompt_never_the_response(
    tmp_path: Path,
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(config_of(tmp_path).model_name_or_path)
    reader = ResponseReader(tokenizer, max_length=20)
    said, asked, told = {"image": "red " * 30}, "old " * 6, "blue dog"
    words = tokenizer.convert_ids_to_tokens(reader.read(said, asked, told).tolist())
    assert len(words) == 20
    assert (words.count("old"), words.count("red")) == (6, 4)
    assert words[-3:] == ["blue", "dog", "[SEP]"]
    ids = reader.read(said, "young " + "old " * 30, told)
    words = tokenizer.convert_ids_to_tokens(ids.tolist())
    assert (words.count("red"), words.count("old"), words.count("young")) == (0, 14, 0)
    with pytest.raises(DataError, match=r"response of 'x' has 32 tokens.*max_length=20"):
        reader.read(said, asked, "dog " * 30, "x")
    long = Pair("x", asked, "dog " * 30, "cat")
    assert reader.too_long(long)
    assert not reader.too_long(pairs(1)[0])


def test_the_loss_of_a_batch_is_the_objective_of_its_pairs(tmp_path: Path) -> None:
    method = Reward(config_of(tmp_path, reward_objective="sfc"), pairs())
    rows = pairs(5)
    found = method.loss(method.model, method.collate(rows, 0))
    main, proxy = method._pair_rewards(rows, 2)
    assert proxy is not None
    losses, proxy_losses = (
        torch.nn.functional.softplus(-rewards.difference) for rewards in (main, proxy)
    )
    expected = failure_coefficient(losses, proxy_losses) * losses + proxy_losses
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def centred(tmp_path: Path, **values: Any) -> tuple[Reward, list[Pair], list[Scored]]:
    """Return a model whose rewards are far from 0, pairs with margins, and what both say."""
    rows = [replace(pair, margin=at / 2) for at, pair in enumerate(pairs(4))]
    method = Reward(config_of(tmp_path, center_rewards_coefficient=2.0, **values), rows)
    with torch.no_grad():
        head(method.model.main).weight *= 50
    main, proxy = method._pair_rewards(rows, 4)
    both = (main, proxy or main)
    of = [side for one in both for side in (one.chosen, one.rejected)]
    told: list[list[float]] = torch.stack(of, dim=1).tolist()
    return method, rows, [Scored(a, b, c, d, at / 2) for at, (a, b, c, d) in enumerate(told)]


def test_margin_and_centering_reach_the_loss(tmp_path: Path) -> None:
    method, rows, scored = centred(tmp_path)
    losses = [reference.bradley_terry(one.chosen, one.rejected, one.margin) for one in scored]
    off = [2.0 * (one.chosen + one.rejected) ** 2 for one in scored]
    found = method.loss(method.model, method.collate(rows, 0)).tolist()
    assert found == pytest.approx([a + b for a, b in zip(losses, off, strict=True)], rel=1e-4)
    assert method.evaluate(rows, 4)["loss"] == pytest.approx(fmean(losses), rel=1e-4)


def test_both_branches_have_the_margin_and_the_weight_leaves_the_centring_alone(
    tmp_path: Path,
) -> None:
    method, rows, scored = centred(tmp_path, **SFC)
    found = method.loss(method.model, method.collate(rows, 0)).tolist()
    assert found == pytest.approx(reference.shortcut_aware(scored, centering=2.0), rel=1e-4)
    told = method.evaluate(rows, 4)
    assert told["sfc_mean"] == pytest.approx(fmean(map(reference.coefficient, scored)), rel=1e-4)
    assert told["proxy_loss"] == pytest.approx(
        fmean(reference.bradley_terry(*one[2:]) for one in scored), rel=1e-4
    )


def test_weights_can_be_normalised_shuffled_and_smoothed(tmp_path: Path) -> None:
    main, proxy = torch.tensor([0.1, 0.9, 0.5, 0.4]), torch.tensor([0.5, 0.1, 0.5, 1.6])
    plain = failure_coefficient(main, proxy)

    def method(**values: Any) -> Reward:
        return Reward(config_of(tmp_path, reward_objective="sfc", **values), pairs(4))

    assert method(sfc_normalize=True)._weights(main, proxy).mean().item() == pytest.approx(1)
    shuffled = method(sfc_shuffle=True)._weights(main, proxy)
    assert sorted(shuffled.tolist()) == sorted(plain.tolist())
    smooth, place = method(sfc_ema=0.75), torch.tensor([2, 0, 1, 3])
    first = smooth._smoothed(main, proxy, place)
    assert [one.tolist() for one in first] == [main.tolist(), proxy.tolist()]
    second = smooth._smoothed(main * 2, proxy * 3, place)
    assert second[0].tolist() == pytest.approx((main * 1.25).tolist())
    assert second[1].tolist() == pytest.approx((proxy * 1.5).tolist())


def test_a_frozen_proxy_stays_and_only_weighs(tmp_path: Path) -> None:
    blind = [Pair(p.id, p.prompt, p.chosen, p.rejected) for p in pairs()]
    train(Reward(config_of(tmp_path), blind), settings(tmp_path), blind, quiet=True)
    values = {"reward_objective": "sfc", "proxy_schedule": "frozen"}
    config = config_of(tmp_path, **values, proxy_model_name_or_path=str(tmp_path / "out"))
    method = Reward(config, pairs())
    before = {n: p.clone() for n, p in method.model.proxy.state_dict().items()}
    train(method, settings(tmp_path, output_dir=tmp_path / "next"), pairs(), quiet=True)
    assert all(torch.equal(before[n], p) for n, p in method.model.proxy.state_dict().items())
    assert method.evaluate(pairs(), 4)["proxy_loss"] > 0


def test_a_start_that_has_a_head_keeps_it(tmp_path: Path) -> None:
    train(Reward(config_of(tmp_path), pairs()), settings(tmp_path), pairs(), quiet=True)
    trained = Reward.load(tmp_path / "out")
    values = {"model_name_or_path": str(tmp_path / "out"), "reward_objective": "sfc"}
    method = Reward(config_of(tmp_path, **values), pairs())
    expected = trained.model.main.state_dict()
    for branch in (method.model.main, method.model.proxy):
        assert all(torch.equal(branch.state_dict()[n], p) for n, p in expected.items())


def test_it_learns_what_only_the_description_tells_and_the_proxy_does_not(tmp_path: Path) -> None:
    rows = pairs(24)
    method = Reward(config_of(tmp_path, reward_objective="sfc"), rows)
    loop = settings(tmp_path, max_steps=25, per_device_train_batch_size=24, learning_rate=1e-2)
    train(method, loop, rows, quiet=True)
    told = method.evaluate(rows, 8)
    assert told["accuracy"] == 1.0
    assert told["proxy_accuracy"] < 0.8
    assert 0 < told["sfc_p10"] <= told["sfc_mean"] <= told["sfc_p90"] <= 1


def test_metrics_count_ties_half(tmp_path: Path) -> None:
    method = Reward(config_of(tmp_path), pairs())
    with torch.no_grad():
        for one in method.model.parameters():
            one.zero_()
    assert method.evaluate(pairs(), 4)["accuracy"] == 0.5


@pytest.mark.parametrize(
    ("rows", "values", "error", "message"),
    [
        ([Pair("a", "?", "red", "red ")], {}, DataError, "'a': chosen and rejected are equal"),
        ([Pair("a", "?", "red", "")], {}, DataError, "a response is empty"),
        ([Pair("a", "?", "x", "y", margin=float("nan"))], {}, DataError, "margin is not a finite"),
        ([Pair("a", "?", "x", "y")], {"reward_objective": "sfc"}, DataError, "no pair has one"),
        (
            pairs(2),
            {"reward_objective": "sfc", "proxy_fields": ["sound"]},
            DataError,
            r"\(sound\) and no pair has one",
        ),
        (pairs(2), {"max_length": 400}, ConfigError, "takes 64 tokens at most"),
    ],
)
def test_pairs_that_teach_nothing_are_refused(
    tmp_path: Path, rows: list[Pair], values: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        Reward(config_of(tmp_path, **values), rows)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reward_objectiv": "sfc"}, "did you mean 'reward_objective'"),
        ({"reward_objective": "dpo"}, "'bt' or 'sfc'"),
        ({"proxy_schedule": "frozen", "reward_objective": "sfc"}, "needs proxy_model_name_or_path"),
        ({"save_proxy": True}, "save_proxy is of the shortcut-aware objective"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RewardConfig.of(values)


def test_an_empty_response_is_not_scored(tmp_path: Path) -> None:
    method = Reward(config_of(tmp_path), pairs())
    with pytest.raises(DataError, match="item 'b': the response is empty"):
        method.score([Item({}, "?", "red", "a"), Item({}, "?", " ", "b")])


def test_a_model_whose_head_was_not_saved_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    method = Reward(config_of(tmp_path), pairs())
    method.save(tmp_path / "out")
    path = tmp_path / "out" / "model.safetensors"
    weights = {n: w for n, w in load_file(path).items() if not n.startswith("classifier")}
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(RunError, match="no weights of the head"):
        Reward.load(tmp_path / "out")


def test_an_adapter_whose_head_was_not_saved_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    method = Reward(config_of(tmp_path, "gpt2", **PEFT), pairs())
    method.save(tmp_path / "out")
    path = tmp_path / "out" / "adapter_model.safetensors"
    save_file({n: w for n, w in load_file(path).items() if "score" not in n}, path)
    with pytest.raises(RunError, match="no weights of the head"):
        Reward.load(tmp_path / "out")


def test_metadata_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no reward\.json"):
        Reward.load(tmp_path)
    (tmp_path / "reward.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        Reward.load(tmp_path)
    (tmp_path / "reward.json").write_text(json.dumps({"format": 0, "config": {}, "data": ""}))
    with pytest.raises(RunError, match="not of format 1"):
        Reward.load(tmp_path)


def test_a_decoder_without_pad_and_end_token_is_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path, "gpt2")
    path = Path(config.model_name_or_path) / "tokenizer_config.json"
    metadata = json.loads(path.read_text())
    metadata.pop("eos_token", None)
    path.write_text(json.dumps(metadata))
    with pytest.raises(ConfigError, match="neither a pad nor an end token"):
        Reward(config, pairs())


def test_the_head_computes_in_float32_under_bfloat16(tmp_path: Path) -> None:
    method = Reward(config_of(tmp_path, dtype="bfloat16"), pairs())
    batch = method.collate(pairs(2), 0)
    logits = method.model.main(batch["input_ids"], batch["attention_mask"]).logits
    assert logits.dtype == torch.float32


def test_the_proxy_learns_the_same_as_alone_and_its_activations_are_gone(tmp_path: Path) -> None:
    method = Reward(config_of(tmp_path, reward_objective="sfc"), pairs())
    batch = method.collate(pairs(), epoch=0)
    texts = {k.removeprefix("proxy_"): v for k, v in batch.items() if k.startswith("proxy_")}
    method.loss(method.model, batch).sum().backward()
    found = {
        n: p.grad.clone() for n, p in method.model.proxy.named_parameters() if p.grad is not None
    }
    method.model.zero_grad()
    bradley_terry(halves(method.model.proxy_rewards(texts))).sum().backward()
    for name, one in method.model.proxy.named_parameters():
        if one.grad is not None:
            torch.testing.assert_close(found[name], one.grad)
    _, losses = method.model(batch, texts)
    assert "_Early" in type(losses.grad_fn).__name__


def test_early_gradients_that_float16_cannot_hold_are_kept() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    halved = weight.half() * torch.tensor(2.0**-12)  # its gradient passes through float16
    losses = halved.float() * 2.0**-14
    direct = torch.autograd.grad(losses.sum(), weight, retain_graph=True)[0]
    with_early_gradients(losses, [weight]).sum().backward()
    assert float(direct) == 0
    assert weight.grad is not None
    assert float(weight.grad) == 2.0**-26


def test_early_gradients_are_those_of_the_sum_and_a_bad_row_spoils_its_own_loss_only() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    idle = torch.nn.Parameter(torch.tensor(1.0))
    given = torch.tensor([[1.0, 0.5], [float("nan"), 1.0]])
    told = with_early_gradients(given @ weight, [weight, idle])
    assert told.isfinite().tolist() == [True, False]
    told = with_early_gradients(given[:1] @ weight, [weight, idle])
    (3 * told.sum()).backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [3.0, 1.5]
    assert idle.grad is None


@pytest.mark.parametrize(("kind", "values"), KINDS_OF_MODEL)
def test_gradient_checkpointing_changes_nothing(
    tmp_path: Path, kind: str, values: dict[str, Any]
) -> None:
    found = []
    for checkpointing in (False, True):
        config = config_of(tmp_path, kind, gradient_checkpointing=checkpointing, **values)
        method = Reward(config, pairs())
        method.model.train()
        method.loss(method.model, method.collate(pairs(), epoch=0)).sum().backward()
        found.append({n: p.grad for n, p in method.model.named_parameters()})
    for name, one in found[0].items():
        if one is not None and one.abs().max() > 0:
            torch.testing.assert_close(found[1][name], one, atol=1e-6, rtol=1e-4)
