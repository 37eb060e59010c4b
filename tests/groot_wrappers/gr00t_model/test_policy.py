"""The policy: every tier answers as the stock model does, or is left with a reason."""

import logging

import numpy as np
import pytest
import torch

from groot_wrappers.errors import ContractError
from groot_wrappers.gr00t_model import policy as policy_module
from groot_wrappers.gr00t_model.forward import Forward
from groot_wrappers.gr00t_model.pictures import PictureChain
from groot_wrappers.gr00t_model.policy import Gr00tModel, Tier
from groot_wrappers.modality import check_modality_configs
from groot_wrappers.protocol.hosting import require_policy
from groot_wrappers.protocol.offer import ROW_NOISE
from tests.groot_wrappers.gr00t_model.small_gr00t import EDGE, SmallPolicy, observe

pytestmark = pytest.mark.slow

TIERS = [tier for tier in Tier if tier is not Tier.compile]


def noise_of(rows):
    return {ROW_NOISE: [[7, row] for row in range(rows)]}


def same(one, other):
    return all(np.array_equal(one[key], other[key]) for key in one)


class TestTier:
    @pytest.mark.parametrize("tier", TIERS)
    def test_answers_as_the_stock_model_does(self, small, tier):
        policy = small(tier)
        assert policy.identity["tier"] == tier
        assert "fallback" not in policy.identity
        observation = observe(7)
        torch.manual_seed(11)
        expected, _ = SmallPolicy().get_action(observation)  # draws its weights first
        state = torch.get_rng_state()
        torch.manual_seed(11)
        SmallPolicy()
        action, info = policy.get_action(observation, None)
        assert info == {}
        assert torch.equal(torch.get_rng_state(), state)
        for key in expected:
            assert action[key].dtype == np.float32
            np.testing.assert_allclose(action[key], expected[key], atol=5e-6)

    @pytest.mark.parametrize("tier", TIERS)
    def test_lets_a_row_depend_on_its_own_noise_alone(self, small, tier):
        policy = small(tier, batch_sizes=(4,))
        observation, noise = observe(4), np.array([[5, 0], [5, 1], [2**40, 0], [-3, 2]])
        first, _ = policy.get_action(observation, {ROW_NOISE: noise})
        order = [2, 0, 3, 1]
        again = {
            "video": {key: value[order] for key, value in observation["video"].items()},
            "state": {key: value[order] for key, value in observation["state"].items()},
            "language": {key: [value[row] for row in order] for key, value in observation["language"].items()},
        }
        permuted, _ = policy.get_action(again, {ROW_NOISE: noise[order].tolist()})
        restarted, _ = small(tier, batch_sizes=(4,)).get_action(observation, {ROW_NOISE: noise})
        assert same(first, restarted)
        for key in first:
            np.testing.assert_allclose(first[key][order], permuted[key], atol=5e-6)  # to the bit on a card
        other, _ = policy.get_action(observation, {ROW_NOISE: noise + 1})
        assert not same(first, other)

    def test_is_graphs_unless_it_is_named(self):
        assert Tier("auto") is Tier.graphs
        with pytest.raises(ContractError, match=r"policy.tier is auto or one of stock, .*compile, got 'fast'"):
            Tier("fast")


class TestFallback:
    def fail(self, monkeypatch, error, when=lambda own_backbone: True):
        whole = Forward.__init__

        def build(self, *arguments, own_backbone, **named):
            if when(own_backbone):
                raise error
            whole(self, *arguments, own_backbone=own_backbone, **named)

        monkeypatch.setattr(Forward, "__init__", build)

    def test_is_to_the_tier_before_and_told(self, small, monkeypatch, caplog):
        self.fail(monkeypatch, RuntimeError("no\nmemory"), lambda own_backbone: own_backbone)
        with caplog.at_level(logging.WARNING):
            policy = small("graphs")
        assert policy.identity["tier"] == "head"
        assert policy.identity["tier_asked"] == "graphs"
        assert policy.identity["fallback"] == "graphs: RuntimeError: no"
        assert "Tier graphs is left" in caplog.text
        self.fail(monkeypatch, RuntimeError("gone"))
        assert small("graphs").identity["fallback"] == "graphs: RuntimeError: gone; head: RuntimeError: gone"

    def test_is_where_actions_are_farther_from_the_reference(self, small, monkeypatch):
        whole = Forward.actions
        monkeypatch.setattr(Forward, "actions", lambda *arguments: whole(*arguments) + np.float32(1e-3))
        policy = small()
        assert policy.identity["tier"] == "preprocess"
        assert "its actions of rows alone are 0.001 from the reference in fp32, and" in policy.identity["fallback"]

    def test_is_where_an_action_is_no_number(self, small, monkeypatch):
        monkeypatch.setattr(Forward, "actions", lambda self, batch, noise: noise.numpy() * np.float32("nan"))
        assert small().identity["tier"] == "preprocess"

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda p: setattr(p.processor, "use_albumentations", False), "torchvision's transforms"),
            (lambda p: setattr(p.processor, "exclude_state", True), "its states are left out"),
            (lambda p: setattr(p.processor, "shortest_image_edge", 28), "brought to another size once more"),
            (lambda p: setattr(p.processor, "formalize_language", False), "'input_ids' differs"),
            (lambda p: setattr(p.processor.state_action_processor, "apply_state", _drifting()), "'state' differs"),
            (
                lambda p: setattr(p.modality_configs["action"].action_configs[0].rep, "name", "ABSOLUTE"),
                "'arm' are decoded",
            ),
            (
                lambda p: setattr(type(p.model), "__name__", "Gr00tN1d5"),
                "is a Gr00tN1d5, and the faster tiers know Gr00tN1d6 and Gr00tN1d7 alone",
            ),
        ],
        ids=["torchvision", "states", "edge", "prompt", "state", "decoding", "n15"],
    )
    def test_is_to_stock_where_the_inputs_would_differ(self, small, change, reason):
        from tests.groot_wrappers.gr00t_model import small_gr00t

        try:
            policy = small("graphs", change)
        finally:
            small_gr00t.Gr00tN1d6.__name__ = "Gr00tN1d6"
        assert policy.identity["tier"] == "stock"
        assert reason in policy.identity["fallback"]
        policy.get_action(observe(2), noise_of(2))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda p: setattr(p.model.backbone.model.config.vision_config, "use_rope", True), "use_rope is True"),
            (lambda p: setattr(p.model.backbone.model, "select_layer", -2), "select_layer is -2, and -1 is known here"),
        ],
        ids=["rope", "layer"],
    )
    def test_is_to_the_head_where_the_backbone_is_another(self, small, change, reason):
        policy = small("graphs", change)
        assert policy.identity["tier"] == "head"
        assert reason in policy.identity["fallback"]

    def test_is_to_preprocess_where_the_head_is_another(self, small):
        policy = small("graphs", lambda p: setattr(p.model.action_head.model.config, "activation_fn", "geglu"))
        assert policy.identity["tier"] == "preprocess"
        assert policy.identity["fallback"].count("the action head's activation_fn is 'geglu'") == 2

    def test_comes_when_pictures_of_another_size_are_not_as_the_processor_has_them(self, small, monkeypatch):
        policy = small()
        assert policy.identity["tier"] == "graphs"
        told = []
        monkeypatch.setattr(
            policy_module, "inputs_differ", lambda *arguments: told.append(arguments) or "3 values differ"
        )
        policy.get_action(observe(2), noise_of(2))
        assert not told  # a size that was compared
        monkeypatch.setattr(PictureChain, "resized", lambda self, pictures: pictures[:, :EDGE, :EDGE])
        policy._nvidia.get_action = lambda observation, options: ({"arm": np.zeros(1)}, {"options": options})
        assert policy.get_action(observe(2, (60, 60)), {"speed": 2})[1] == {"options": {"speed": 2}}
        assert len(told) == 1
        assert policy.identity["tier"] == "stock"
        assert policy.identity["fallback"] == "graphs: 3 values differ"


class TestReference:
    def test_is_kept_and_found_again(self, small, cache, caplog):
        small()
        (kept,) = cache.rglob("*.npz")
        made = kept.stat().st_mtime_ns
        assert small().identity["tier"] == "graphs"
        assert kept.stat().st_mtime_ns == made
        kept.write_bytes(b"broken")
        assert small().identity["tier"] == "graphs"
        assert kept.stat().st_mtime_ns != made

    def test_of_another_model_is_not_taken_for_this_one(self, small, cache):
        small()
        (kept,) = cache.rglob("*.npz")
        with np.load(kept) as arrays:
            other = arrays["actions"] + 1
            np.savez(kept, actions=other, is_fp32=True, stock=arrays["stock"])
        assert small().identity["tier"] == "graphs"
        with np.load(kept) as again:
            assert not np.array_equal(again["actions"], other)

    def test_costs_nothing_but_a_warning_where_it_cannot_be_kept(self, small, cache, caplog, monkeypatch):
        (cache / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
        assert small().identity["tier"] == "graphs"
        assert "is not kept" in caplog.text

    def test_is_the_stock_model_where_memory_forbids(self, small, monkeypatch):
        def full(model, attention):
            raise torch.OutOfMemoryError("full")

        monkeypatch.setattr("groot_wrappers.gr00t_model.checks.in_fp32", full)
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
        assert small().identity["tier"] == "graphs"


class TestPolicy:
    def test_is_one_that_a_server_can_host(self, small):
        policy = require_policy(small("stock"), "it")
        configs = check_modality_configs(policy.get_modality_config())
        assert configs["action"].to_json()["action_configs"][0] == {
            "rep": "RELATIVE",
            "type": "NON_EEF",
            "format": "DEFAULT",
            "state_key": None,
        }
        assert policy.reset(None) == {}
        assert policy.capabilities == ("row_noise",)
        assert small("head").capabilities == ("row_noise", "joined_batches")
        assert policy.batch_sizes == (1, 2, 4)
        assert all(isinstance(value, str | int | float | bool) for value in policy.identity.values())

    def test_takes_the_denoising_steps_that_are_asked_for(self, small):
        two, four = small(denoising_steps=2), small()
        assert (two.identity["denoising_steps"], four.identity["denoising_steps"]) == (2, 4)
        assert not same(two.get_action(observe(2), noise_of(2))[0], four.get_action(observe(2), noise_of(2))[0])

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"batch_sizes": ()}, r"policy.batch_sizes are numbers of rows, each once, .* got \(\)"),
            ({"batch_sizes": (4, 0)}, r"policy.batch_sizes"),
            ({"denoising_steps": 0}, r"policy.denoising_steps is null or 1 and more, got 0"),
            ({"device": "warp"}, r"policy.device=warp is no device"),
        ],
    )
    def test_refuses_settings_that_are_none(self, settings, told):
        with pytest.raises(ContractError, match=told):
            Gr00tModel("checkpoint", "toy", **{"device": "cpu", **settings})

    def test_refuses_a_card_that_is_not_there(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(ContractError, match=r"policy.device=cuda:0 .* finds no card here.*policy.device=cpu"):
            Gr00tModel("checkpoint", "toy")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        with pytest.raises(ContractError, match=r"there are 2 cards: the last is policy.device=cuda:1"):
            Gr00tModel("checkpoint", "toy", device="cuda:2")


def _drifting():
    calls = []

    def apply_state(state, tag):
        calls.append(1)
        return {key: (value + 0.1 * (len(calls) % 7)).astype(np.float32) for key, value in state.items()}

    return apply_state
