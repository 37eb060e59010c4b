"""What N1.7 has otherwise than N1.6: patches in rows, moments of the state in one, no backbone of ours."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from groot_wrappers.gr00t_model import inputs
from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.releases import N1D6, N1D7, release_of
from tests.groot_wrappers.gr00t_model.small_gr00t import observe


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

    def test_of_an_attention_that_sees_padding_is_served_by_preprocess(self, small):
        def attend(policy):
            policy.model.action_head.vl_self_attention = nn.Linear(1, 1)

        policy = small("head", attend)
        assert policy.identity["tier"] == "preprocess"
        assert "the action head's vl_self_attention is 'Linear', and 'Identity' is known" in policy.identity["fallback"]

    def test_whose_pictures_torchvision_resizes_is_served_by_stock(self, small):
        policy = small("head", lambda policy: setattr(policy.processor, "shortest_image_edge", 60))
        assert policy.identity["tier"] == "stock"
        assert "pictures of 60 x 60 are brought to 56 by torchvision" in policy.identity["fallback"]
