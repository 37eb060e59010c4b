"""A small policy with the names and the arithmetic of Isaac-GR00T N1.6, written plainly, to compare the tiers with.

In float32, on the host, without transformers: pictures of 56 x 56 that need no resizing, and words as tokens.
"""

from enum import Enum
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

EDGE = 56
WIDTH, VISION_WIDTH, HEAD_WIDTH, HEADS, KEYS = 32, 24, 24, 4, 2
HORIZON, ACTIONS, STATES = 8, 12, 10
PICTURE, PAD = 90, 91
TAG = "toy"


class Tag(Enum):
    TOY = "toy"
    LIBERO_PANDA = "libero_panda"


def attend(q, k, v, mask=None):
    """Attention of (B, heads, N, size), with a bool mask."""
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    return scores.softmax(-1) @ v


def split(x, heads):
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)


def joined(x):
    return x.transpose(1, 2).flatten(2)


class VisionLayer(nn.Module):
    def __init__(self):
        super().__init__()
        d = VISION_WIDTH
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d, eps=1e-6)
        self.self_attn = nn.Module()
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self.self_attn, name, nn.Linear(d, d))
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(d, 40), nn.Linear(40, d)

    def forward(self, x):
        own, h = self.self_attn, self.layer_norm1(x)
        q, k, v = (split(part(h), HEADS) for part in (own.q_proj, own.k_proj, own.v_proj))
        x = x + own.out_proj(joined(attend(q, k, v)))
        return x + self.mlp.fc2(F.gelu(self.mlp.fc1(self.layer_norm2(x)), approximate="tanh"))


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


class LanguageLayer(nn.Module):
    def __init__(self):
        super().__init__()
        size = WIDTH // HEADS
        self.input_layernorm, self.post_attention_layernorm = RmsNorm(WIDTH), RmsNorm(WIDTH)
        own = self.self_attn = nn.Module()
        own.q_proj, own.o_proj = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(2))
        own.k_proj, own.v_proj = (nn.Linear(WIDTH, KEYS * size, bias=False) for _ in range(2))
        own.q_norm, own.k_norm = RmsNorm(size), RmsNorm(size)
        mlp = self.mlp = nn.Module()
        mlp.gate_proj, mlp.up_proj = (nn.Linear(WIDTH, 48, bias=False) for _ in range(2))
        mlp.down_proj = nn.Linear(48, WIDTH, bias=False)

    def forward(self, x, cosine, sine, mask):
        own, h = self.self_attn, self.input_layernorm(x)

        def turned(part):
            half = part.shape[-1] // 2
            return part * cosine + torch.cat((-part[..., half:], part[..., :half]), -1) * sine

        q = turned(own.q_norm(split(own.q_proj(h), HEADS)))
        k = turned(own.k_norm(split(own.k_proj(h), KEYS))).repeat_interleave(HEADS // KEYS, 1)
        v = split(own.v_proj(h), KEYS).repeat_interleave(HEADS // KEYS, 1)
        x = x + own.o_proj(joined(attend(q, k, v, mask)))
        h = self.post_attention_layernorm(x)
        return x + self.mlp.down_proj(F.silu(self.mlp.gate_proj(h)) * self.mlp.up_proj(h))


class Eagle(nn.Module):
    select_layer, downsample_ratio = -1, 0.5

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(
            image_token_index=PICTURE,
            use_llm_lora=0,
            use_backbone_lora=0,
            vision_config=SimpleNamespace(
                model_type="siglip2_vision_model",
                hidden_act="gelu_pytorch_tanh",
                patch_size=14,
                num_attention_heads=HEADS,
                layer_norm_eps=1e-6,
                use_rope=False,
            ),
            text_config=SimpleNamespace(
                architectures=["Qwen3ForCausalLM"],
                hidden_act="silu",
                attention_bias=False,
                use_sliding_window=False,
                num_attention_heads=HEADS,
                num_key_value_heads=KEYS,
                head_dim=WIDTH // HEADS,
                rms_norm_eps=1e-6,
            ),
        )
        self.vision_model = nn.Module()
        tower = self.vision_model.vision_model = nn.Module()
        embeddings = tower.embeddings = nn.Module()
        embeddings.patch_embedding = nn.Linear(14 * 14 * 3, VISION_WIDTH)
        embeddings.position_embedding = nn.Embedding(16, VISION_WIDTH)
        embeddings.position_embedding_size = 4
        embeddings.resize_positional_embeddings = lambda table, shapes: table.reshape(1, 16, VISION_WIDTH)
        tower.encoder = nn.Module()
        tower.encoder.layers = nn.ModuleList(VisionLayer() for _ in range(2))
        tower.post_layernorm = nn.LayerNorm(VISION_WIDTH, eps=1e-6)
        self.language_model = nn.Module()
        language = self.language_model.model = nn.Module()
        language.embed_tokens = nn.Embedding(100, WIDTH)
        language.layers = nn.ModuleList(LanguageLayer() for _ in range(2))
        language.norm = RmsNorm(WIDTH)
        language.rotary_emb = self.rotation
        self.mlp1 = nn.Sequential(
            nn.LayerNorm(4 * VISION_WIDTH), nn.Linear(4 * VISION_WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH)
        )

    @staticmethod
    def rotation(x, positions):
        size = WIDTH // HEADS
        frequencies = 1e4 ** -(torch.arange(0, size, 2) / size)
        angles = positions[..., None] * frequencies
        angles = torch.cat((angles, angles), -1)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)

    def forward(self, pixel_values, input_ids, attention_mask):
        tower, language = self.vision_model.vision_model, self.language_model.model
        pictures = torch.cat([x.reshape(-1, *x.shape[-3:]) for x in pixel_values])
        cells = F.unfold(pictures, 14, stride=14).transpose(1, 2)
        patches = cells.view(len(pictures), 16, 3, 196).transpose(2, 3).flatten(2)  # colours last
        x = tower.embeddings.patch_embedding(patches) + tower.embeddings.position_embedding.weight
        for layer in tower.encoder.layers:
            x = layer(x)
        x = tower.post_layernorm(x).transpose(1, 2).view(len(pictures), VISION_WIDTH, 4, 4)
        seen = self.mlp1(F.pixel_unshuffle(x, 2).flatten(2).transpose(1, 2)).flatten(0, 1)
        x = language.embed_tokens(input_ids)
        x[input_ids == PICTURE] = seen
        n = input_ids.shape[1]
        cosine, sine = self.rotation(x, torch.arange(n)[None])
        mask = torch.ones(n, n, dtype=torch.bool).tril() & attention_mask[:, None, None].bool()
        for layer in language.layers:
            x = layer(x, cosine, sine, mask)
        return language.norm(x)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Eagle()

    def forward(self, inputs):
        features = self.model(*(inputs[name] for name in ("pixel_values", "input_ids", "attention_mask")))
        return {
            "backbone_features": features,
            "image_mask": inputs["input_ids"] == PICTURE,
            "mask": inputs["attention_mask"],
        }


class Stack(nn.Module):
    """One matrix an embodiment."""

    def __init__(self, wide, out):
        super().__init__()
        self.W, self.b = nn.Parameter(torch.randn(3, wide, out) * wide**-0.5), nn.Parameter(torch.randn(3, out) * 0.1)

    def forward(self, x, ids):
        return torch.bmm(x, self.W[ids]) + self.b[ids][:, None]


class TwoStacks(nn.Module):
    def __init__(self, wide, between, out):
        super().__init__()
        self.layer1, self.layer2 = Stack(wide, between), Stack(between, out)

    def forward(self, x, ids):
        return self.layer2(F.relu(self.layer1(x, ids)), ids)


class ActionEncoder(nn.Module):
    hidden_size = HEAD_WIDTH

    def __init__(self):
        super().__init__()
        d = HEAD_WIDTH
        self.W1, self.W2, self.W3 = Stack(ACTIONS, d), Stack(2 * d, d), Stack(d, d)

    def pos_encoding(self, times):
        angles = times.float()[..., None] * torch.exp(-torch.arange(HEAD_WIDTH // 2) * (9.21 / (HEAD_WIDTH // 2)))
        return torch.cat((angles.sin(), angles.cos()), -1)

    def forward(self, actions, times, ids):
        wave = self.pos_encoding(times[:, None].expand(-1, actions.shape[1]))
        return self.W3(F.silu(self.W2(torch.cat((self.W1(actions, ids), wave), -1), ids)), ids)


class DitBlock(nn.Module):
    def __init__(self, source):
        super().__init__()
        d = HEAD_WIDTH
        self.norm1, self.attn1, self.ff = nn.Module(), nn.Module(), nn.Module()
        self.norm1.linear = nn.Linear(d, 2 * d)
        self.attn1.to_q, self.attn1.to_k, self.attn1.to_v = nn.Linear(d, d), nn.Linear(source, d), nn.Linear(source, d)
        self.attn1.to_out = nn.ModuleList([nn.Linear(d, d), nn.Dropout()])
        up = nn.Module()
        up.proj = nn.Linear(d, 32)
        self.ff.net = nn.ModuleList([up, nn.Dropout(), nn.Linear(32, d), nn.Dropout()])

    def forward(self, x, time, source, mask):
        scale, shift = self.norm1.linear(F.silu(time)).chunk(2, 1)
        h = F.layer_norm(x, (HEAD_WIDTH,)) * (1 + scale[:, None]) + shift[:, None]
        own, source = self.attn1, h if source is None else source
        q, k, v = split(own.to_q(h), HEADS), split(own.to_k(source), HEADS), split(own.to_v(source), HEADS)
        x = x + own.to_out[0](joined(attend(q, k, v, mask)))
        h = F.gelu(self.ff.net[0].proj(F.layer_norm(x, (HEAD_WIDTH,))), approximate="tanh")
        return x + self.ff.net[2](h)


class AlternateVLDiT(nn.Module):
    attend_text_every_n_blocks = 2

    def __init__(self):
        super().__init__()
        d = HEAD_WIDTH
        self.config = SimpleNamespace(
            num_attention_heads=HEADS,
            interleave_self_attention=True,
            norm_type="ada_norm",
            norm_elementwise_affine=False,
            norm_eps=1e-5,
            activation_fn="gelu-approximate",
            positional_embeddings=None,
            upcast_attention=False,
        )
        self.embedder = nn.Linear(1, d)
        self.transformer_blocks = nn.ModuleList(DitBlock(d if i % 2 else WIDTH) for i in range(6))
        self.proj_out_1, self.proj_out_2 = nn.Linear(d, 2 * d), nn.Linear(d, d)

    def timestep_encoder(self, times):
        return self.embedder(times[:, None].to(self.embedder.weight.dtype) / 1000)

    def forward(self, x, features, times, is_picture, is_there):
        time = self.timestep_encoder(times)
        for i, block in enumerate(self.transformer_blocks):
            seen = (is_picture if i % 4 else ~is_picture) & is_there.bool()
            x = block(x, time, None, None) if i % 2 else block(x, time, features, seen[:, None, None])
        shift, scale = self.proj_out_1(F.silu(time)).chunk(2, 1)
        return self.proj_out_2(F.layer_norm(x, (HEAD_WIDTH,), eps=1e-6) * (1 + scale[:, None]) + shift[:, None])


class MixingBlock(nn.Module):
    norm_type, positional_embeddings = "layer_norm", None

    def __init__(self):
        super().__init__()
        self.norm1, self.norm3, self.attn1 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH), nn.Module()
        for name in ("to_q", "to_k", "to_v"):
            setattr(self.attn1, name, nn.Linear(WIDTH, WIDTH))
        self.attn1.to_out = nn.ModuleList([nn.Linear(WIDTH, WIDTH), nn.Dropout()])
        self.ff = nn.Sequential(nn.Linear(WIDTH, 40), nn.GELU(approximate="tanh"), nn.Linear(40, WIDTH))

    def forward(self, x):
        own, h = self.attn1, self.norm1(x)
        x = x + own.to_out[0](joined(attend(*(split(part(h), HEADS) for part in (own.to_q, own.to_k, own.to_v)))))
        return x + self.ff(self.norm3(x))


class Mixing(nn.Module):
    """N1.7's tokens that attend to one another, padding among them."""

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(
            activation_fn="gelu-approximate", upcast_attention=False, num_attention_heads=HEADS
        )
        self.transformer_blocks = nn.ModuleList(MixingBlock() for _ in range(2))

    def forward(self, x):
        for block in self.transformer_blocks:
            x = block(x)
        return x


class ActionHead(nn.Module):
    action_dim, num_inference_timesteps, num_timestep_buckets = ACTIONS, 4, 1000

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(action_horizon=HORIZON, use_alternate_vl_dit=True, add_pos_embed=True)
        self.model = AlternateVLDiT()
        self.state_encoder, self.action_decoder = (
            TwoStacks(STATES, 16, HEAD_WIDTH),
            TwoStacks(HEAD_WIDTH, 16, ACTIONS),
        )
        self.action_encoder, self.vlln, self.vl_self_attention = ActionEncoder(), nn.LayerNorm(WIDTH), nn.Identity()
        self.position_embedding = nn.Embedding(20, HEAD_WIDTH)

    def get_action(self, seen, inputs):
        features = self.vl_self_attention(self.vlln(seen["backbone_features"]))
        ids = inputs["embodiment_id"]
        batch = len(features)
        robot = self.state_encoder(inputs["state"], ids)
        actions = torch.randn(size=(batch, HORIZON, ACTIONS), dtype=features.dtype, device=features.device)
        for step in range(self.num_inference_timesteps):
            time = torch.full((batch,), int(step / self.num_inference_timesteps * 1000))
            h = self.action_encoder(actions, time, ids) + self.position_embedding.weight[:HORIZON]
            out = self.model(torch.cat((robot, h), 1), features, time, seen["image_mask"], seen["mask"])
            actions = actions + self.action_decoder(out, ids)[:, -HORIZON:] / self.num_inference_timesteps
        return {"action_pred": actions}


class Gr00tN1d6(nn.Module):
    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(backbone_embedding_dim=WIDTH)
        self.backbone, self.action_head = Backbone(), ActionHead()

    def get_action(self, inputs):
        return self.action_head.get_action(self.backbone(inputs), inputs)


class StateActions:
    use_relative_action = True

    def __init__(self):
        limits = {"min": np.full(3, -1.0), "max": np.full(3, 3.0), "dim": np.array(3)}
        self.norm_params = {TAG: {"state": {"arm": limits}, "action": {"arm": limits, "grip": limits}}}

    def apply_state(self, state, tag):
        return {key: ((value + 1) / 2 - 1).astype(np.float32) for key, value in state.items()}


class Processor:
    use_albumentations, formalize_language, crop_fraction, shortest_image_edge = True, True, 1.0, EDGE
    image_target_size, image_crop_size, max_state_dim = None, None, STATES

    def __init__(self):
        self.state_action_processor = StateActions()
        self.embodiment_id_mapping = {TAG: 1}
        self.processor = SimpleNamespace(tokenizer=SimpleNamespace(pad_token_id=PAD))

    def _apply_vlm_processing(self, images, text):
        words = [sum(map(ord, word)) % 80 for word in text.split()]
        return {"vlm_content": [1, *words, *[2, *[PICTURE] * 4, 3] * len(images), 4]}

    def collator(self, rows):
        prompts = [row["vlm_content"] for row in rows]
        longest = max(map(len, prompts))
        ids = torch.tensor([[PAD] * (longest - len(prompt)) + prompt for prompt in prompts])
        there = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        return {"inputs": {"input_ids": ids, "attention_mask": there}}

    def decode_action(self, actions, tag, state=None):
        own = self.state_action_processor
        decoded = {name: (actions[..., at : at + 3] + 1) * 2 - 1.0 for name, at in (("arm", 0), ("grip", 3))}
        if own.use_relative_action:
            decoded["arm"] = np.stack([one + s[-1] for one, s in zip(decoded["arm"], state["arm"], strict=True)])
        return decoded


class SmallPolicy:
    """What NVIDIA's ``Gr00tPolicy`` is to the tiers."""

    language_key = "task"
    embodiment_tag = Tag.TOY

    def __init__(self, *_, **__):
        torch.manual_seed(3)
        self.model, self.processor = Gr00tN1d6().eval(), Processor()
        for parameter in self.model.parameters():
            if parameter.ndim == 1:
                parameter.data += 0.1 * torch.randn_like(parameter)
        one = {"sin_cos_embedding_keys": None, "mean_std_embedding_keys": None, "action_configs": None}
        how = [
            SimpleNamespace(rep=_name(rep), type=_name("NON_EEF"), format=_name("DEFAULT"), state_key=None)
            for rep in ("RELATIVE", "ABSOLUTE")
        ]
        self.modality_configs = {
            "video": SimpleNamespace(delta_indices=[0], modality_keys=["front", "wrist"], **one),
            "state": SimpleNamespace(delta_indices=[0], modality_keys=["arm"], **one),
            "action": SimpleNamespace(
                delta_indices=list(range(HORIZON)), modality_keys=["arm", "grip"], **one | {"action_configs": how}
            ),
            "language": SimpleNamespace(delta_indices=[0], modality_keys=["task"], **one),
        }

    def _inputs(self, observation):
        pictures = np.stack([observation["video"][key] for key in ("front", "wrist")], 2)
        pixels = (
            torch.from_numpy((pictures.astype(np.float32) - 127.5) / np.float32(127.5))
            .flatten(0, 2)
            .permute(0, 3, 1, 2)
        )
        texts = [
            "".join(c for c in row[0].lower() if c.isalnum() or c == " ") for row in observation["language"]["task"]
        ]
        inputs = self.processor.collator(
            [self.processor._apply_vlm_processing(pictures[0, 0], text) for text in texts]
        )["inputs"]
        state = self.processor.state_action_processor.apply_state(observation["state"], TAG)["arm"]
        padded = np.zeros((*state.shape[:2], STATES), np.float32)
        padded[..., :3] = state
        return inputs | {
            "pixel_values": [pixels],
            "state": torch.from_numpy(padded),
            "embodiment_id": torch.ones(len(texts), dtype=torch.long),
        }

    def _get_action(self, observation, options=None):
        with torch.inference_mode():
            actions = self.model.get_action(inputs=self._inputs(observation))["action_pred"].float().numpy()
        decoded = self.processor.decode_action(actions, self.embodiment_tag, observation["state"])
        return {key: value.astype(np.float32) for key, value in decoded.items()}, {}

    get_action = _get_action

    def reset(self, options=None):
        return {}


def _name(name):
    return SimpleNamespace(name=name)


def observe(rows, size=(EDGE, EDGE), seed=0, texts=("Open it!", "put the cube into the bowl")):
    rng = np.random.default_rng(seed)
    return {
        "video": {key: rng.integers(0, 256, (rows, 1, *size, 3), dtype=np.uint8) for key in ("front", "wrist")},
        "state": {"arm": rng.normal(size=(rows, 1, 3)).astype(np.float32)},
        "language": {"task": [[texts[row % len(texts)]] for row in range(rows)]},
    }
