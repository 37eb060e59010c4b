"""What N1.7 has otherwise than N1.6: patches in rows, moments of the state in one, no backbone of ours."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from groot_wrappers.gr00t_model import inputs
from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.releases import N1D6, N1D7, release_of
from groot_wrappers.gr00t_model.stock import stock_actions, stock_inputs
from tests.groot_wrappers.gr00t_model.small_gr00t import Mixing, observe


def test_a_model_is_known_by_its_class():
    for name, release in (("Gr00tN1d6", N1D6), ("Gr00tN1d7", N1D7)):
        assert release_of(type(name, (), {})()) is release
    with pytest.raises(UnsupportedError, match="is a Gr00tN1d5, and the faster tiers know Gr00tN1d6 and Gr00tN1d7"):
        release_of(type("Gr00tN1d5", (), {})())


def test_patches_are_rows_of_four_neighbours_colour_by_colour_twice():
    pictures = torch.randn(2, 64, 96, 3)[:, :, :64]  # not contiguous, as a slice of others
    seen = N1D7.pixels(pictures.contiguous())
    assert seen["image_grid_thw"].tolist() == [[1, 4, 4], [1, 4, 4]]
    rows = seen["pixel_values"]
    assert rows.shape == (2 * 16, 3 * 2 * 16 * 16)
    places = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3)]
    for row, (down, right) in enumerate(places):
        patch = pictures[1, 16 * down : 16 * down + 16, 16 * right : 16 * right + 16].permute(2, 0, 1)
        assert torch.equal(rows[16 + row].view(3, 2, 16, 16), patch[:, None].expand(3, 2, 16, 16))


@pytest.fixture
def without_backbone(monkeypatch):
    """Let the small model be of a release that has the seams of N1.7 and pictures as the small one takes them."""
    release = replace(N1D6, name="N1.7", is_resized_by_pillow=False, joins_states=True, has_own_backbone=False)
    monkeypatch.setattr(inputs, "release_of", lambda model: release)


@pytest.mark.slow
@pytest.mark.usefixtures("without_backbone")
class TestRelease:
    def test_of_nvidias_backbone_is_served_by_the_head(self, small):
        policy = small("graphs")
        assert policy.identity["tier"] == "head"
        assert policy.identity["fallback"] == (
            "graphs: the backbone of N1.7 is NVIDIA's alone: the last tier for it is head"
        )
        assert set(policy.get_action(observe(3))[0]) == {"arm", "grip"}

    @pytest.mark.parametrize("tier", ["preprocess", "head"])
    def test_whose_tokens_are_mixed_answers_a_row_as_if_it_were_alone(self, small, tier):
        """NVIDIA's own layers attend to the padding of shorter prompts, and so to what stands beside them."""
        policy = small(tier, lambda policy: setattr(policy.model.action_head, "vl_self_attention", Mixing().eval()))
        assert policy.identity["tier"] == tier
        assert "fallback" not in policy.identity
        observation, noise = observe(3, texts=("go", "now go on and take it all to the other side", "stop")), [[7, 0]]
        together, _ = policy.get_action(observation, {"row_noise": noise * 3})
        theirs = stock_inputs(policy.nvidia, observation)
        drawn = policy._row_noise().draw(np.array(noise * 3))
        padded = stock_actions(policy.nvidia, theirs, drawn).numpy()
        for row in range(3):
            one = {kind: {key: value[row : row + 1] for key, value in of.items()} for kind, of in observation.items()}
            alone = stock_actions(policy.nvidia, stock_inputs(policy.nvidia, one), drawn[row : row + 1]).numpy()
            decoded = policy.nvidia.processor.decode_action(alone, policy.nvidia.embodiment_tag, one["state"])
            for key, value in decoded.items():
                np.testing.assert_allclose(together[key][row : row + 1], value, atol=2e-5)
            is_longest = row == 1
            assert bool(np.abs(padded[row] - alone[0]).max() > 1e-3) is not is_longest

    def test_whose_mixing_is_another_is_served_by_preprocess(self, small):
        def change(policy):
            policy.model.action_head.vl_self_attention = mixing = Mixing().eval()
            mixing.config.activation_fn = "geglu"

        policy = small("head", change)
        assert policy.identity["tier"] == "preprocess"
        assert "vl_self_attention has activation_fn 'geglu', not 'gelu-approximate'" in policy.identity["fallback"]

    def test_whose_pictures_torchvision_resizes_is_served_by_stock(self, small):
        policy = small("head", lambda policy: setattr(policy.processor, "shortest_image_edge", 60))
        assert policy.identity["tier"] == "stock"
        assert "pictures of 60 x 60 are brought to 56 by torchvision" in policy.identity["fallback"]
