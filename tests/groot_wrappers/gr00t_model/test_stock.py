"""NVIDIA's own forward: the noise put in, and the weights held in fp32."""

import pytest
import torch

from groot_wrappers.gr00t_model.stock import in_fp32, put_noise, stock_actions, stock_inputs
from tests.groot_wrappers.gr00t_model.small_gr00t import ACTIONS, HORIZON, SmallPolicy, observe


class TestPutNoise:
    def test_stands_for_what_is_drawn_once_of_its_shape(self):
        noise = torch.arange(6.0).view(1, 2, 3)
        with put_noise(noise):
            other = torch.randn(4)
            drawn = torch.randn(size=(1, 2, 3), dtype=torch.float64, device="cpu")
        assert other.shape == (4,)
        assert torch.equal(drawn, noise.double())

    @pytest.mark.parametrize("times", [0, 2])
    def test_raises_where_it_is_drawn_otherwise(self, times):
        draw = torch.randn

        def drawing():
            with put_noise(torch.zeros(1, 2)):
                for _ in range(times):
                    torch.randn(1, 2)

        with pytest.raises(RuntimeError, match=f"drew noise of \\(1, 2\\) {times} times"):
            drawing()
        assert torch.randn is draw

    def test_leaves_the_drawing_alone_without_noise(self):
        draw = torch.randn
        with put_noise(None):
            assert torch.randn is draw


def test_inputs_are_those_that_the_model_is_given_and_it_is_left_as_it_was():
    policy = SmallPolicy()
    inputs = stock_inputs(policy, observe(2))
    assert set(inputs["inputs"]) == {"input_ids", "attention_mask", "pixel_values", "state", "embodiment_id"}
    assert "get_action" not in vars(policy.model)
    noise = torch.zeros(2, HORIZON, ACTIONS)
    assert torch.equal(stock_actions(policy, inputs, noise), stock_actions(policy, inputs, noise))


def test_weights_in_fp32_come_back_as_they_were():
    model = torch.nn.Linear(4, 3).to(torch.bfloat16)
    before = model.weight.clone()

    def failing():
        with in_fp32(model):
            assert torch.equal(model.weight, before.float())
            assert model.weight.dtype is torch.float32
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert torch.equal(model.weight, before)
    assert model.weight.dtype is torch.bfloat16
