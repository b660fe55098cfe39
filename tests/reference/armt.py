#!/usr/bin/env python3
"""ARMT, the associative recurrent memory transformer (Rodkin et al., arXiv 2407.04841), written plainly.

    armt.py --test      checks the identities that the architecture promises; one line each, exit 1 where one fails

The backbone is GPT-NeoX. The input [B, S] is cut into segments of `segment_length` tokens; M learned memory tokens, the same each
time, are appended to each; positions restart at 0. Each layer keeps a memory (A [B, F, d], z [B, F]), zero at the start of a sequence,
F = 6 d_mem, trained through all segments:

    read     from the second segment on, before the layer:  q = φ(W_mq h),  h ← h + (q A) / (q·z + 1e-5)
    write    after the layer, from its M memory rows m:     k = φ(W_mk m),  v = W_mv m,  b = σ(W_mb m)
             first: v̄ = 0, γ = 1; later: d = k·z + 1e-5, v̄ = (k A) / d, γ = clip(1 − d / ‖k‖², 0, 1), without gradient
             A ← A + Σ b k (v − v̄)ᵀ,  z ← z + Σ γ k, all M rows against the old (A, z)
    φ        DPFP-3 (Schlag et al., arXiv 2102.11174): x' = [relu x; relu −x], concat over j = 1, 2, 3 of x' ⊙ roll(x', j), over its norm

Packages: requirements.txt beside this file.
"""

import math
import sys

import torch
from torch import nn
from torch.nn.functional import gelu, relu

EPSILON = 1e-5


def dpfp(x):
    """φ: [..., m] → [..., 6 m], of length 1."""
    signs = torch.cat([relu(x), relu(-x)], -1)
    features = torch.cat([signs * signs.roll(j, -1) for j in (1, 2, 3)], -1)
    return features / features.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def turned(x, dims, base):
    """Rotary positions on the first `dims` of each head: x [B, heads, S, head], halves rotated."""
    half = dims // 2
    angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * base ** (-2 * torch.arange(half, dtype=x.dtype) / dims)
    cosine, sine = angles.cos(), angles.sin()
    first, second, rest = x[..., :half], x[..., half:dims], x[..., dims:]
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine, rest], -1)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, width = config["num_attention_heads"], config["hidden_size"]
        self.head, self.base = width // self.heads, config["rotary_emb_base"]
        self.rotary = int(self.head * config["rotary_pct"])
        self.query_key_value = nn.Linear(width, 3 * width)
        self.dense = nn.Linear(width, width)

    def forward(self, x):
        rows, length, width = x.shape
        q, k, v = self.query_key_value(x).view(rows, length, self.heads, 3 * self.head).transpose(1, 2).chunk(3, -1)
        scores = turned(q, self.rotary, self.base) @ turned(k, self.rotary, self.base).mT / math.sqrt(self.head)
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        out = scores.masked_fill(later, -math.inf).softmax(-1) @ v
        return self.dense(out.transpose(1, 2).reshape(rows, length, width))


class MLP(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.dense_h_to_4h, self.dense_4h_to_h = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x):
        return self.dense_4h_to_h(gelu(self.dense_h_to_4h(x)))


class Layer(nn.Module):
    """A GPT-NeoX block and its associative memory."""

    def __init__(self, config):
        super().__init__()
        width, keys = config["hidden_size"], config["d_mem"]
        self.input_layernorm, self.post_attention_layernorm = (nn.LayerNorm(width, eps=1e-5) for _ in range(2))
        self.attention, self.mlp = Attention(config), MLP(width, config["intermediate_size"])
        self.W_mq, self.W_mk = (nn.Linear(width, keys, bias=False) for _ in range(2))
        self.W_mv, self.W_mb = nn.Linear(width, width, bias=False), nn.Linear(width, 1)

    def block(self, x):
        return x + self.attention(self.input_layernorm(x)) + self.mlp(self.post_attention_layernorm(x))

    def read(self, h, memory):
        if memory is None:
            return h
        a, z = memory
        q = dpfp(self.W_mq(h))
        return h + (q @ a) / ((q * z[:, None]).sum(-1, keepdim=True) + EPSILON)

    def write(self, m, memory):
        k, v, b = dpfp(self.W_mk(m)), self.W_mv(m), torch.sigmoid(self.W_mb(m))
        if memory is None:
            return k.mT @ (b * v), k.sum(1)
        a, z = memory
        d = (k * z[:, None]).sum(-1, keepdim=True) + EPSILON
        share = (1 - d / (k * k).sum(-1, keepdim=True)).clamp(0, 1).detach()
        return a + k.mT @ (b * (v - (k @ a) / d)), z + (share * k).sum(1)


class Backbone(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_in = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.final_layer_norm = nn.LayerNorm(config["hidden_size"], eps=1e-5)


class ARMT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.segment, width = config["segment_length"], config["hidden_size"]
        self.memory = nn.Parameter(torch.zeros(config["num_mem_tokens"], width))
        self.gpt_neox = Backbone(config)
        self.embed_out = nn.Linear(width, config["vocab_size"], bias=False)

    def forward(self, tokens):
        """Logits [B, S, V]."""
        memories, logits = [None] * len(self.gpt_neox.layers), []
        for segment in tokens.split(self.segment, dim=1):
            x = torch.cat([self.gpt_neox.embed_in(segment), self.memory.expand(len(segment), -1, -1)], 1)
            for index, layer in enumerate(self.gpt_neox.layers):
                x = layer.block(layer.read(x, memories[index]))
                memories[index] = layer.write(x[:, segment.shape[1] :], memories[index])
            logits.append(self.embed_out(self.gpt_neox.final_layer_norm(x[:, : segment.shape[1]])))
        return torch.cat(logits, 1)


def parameters(model):
    """[(name, parameter)] in the order in which checkpoints number them: the memory tokens follow the embedding."""
    named = dict(model.named_parameters())
    first = ["gpt_neox.embed_in.weight", "memory"]
    return [(name, named[name]) for name in first + [name for name in named if name not in first]]


# ---- identities

CONFIG = dict(
    vocab_size=11, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, rotary_pct=0.25,
    rotary_emb_base=10000, num_mem_tokens=3, d_mem=8, segment_length=5,
)


def random_model(seed=0, **changes):
    torch.manual_seed(seed)
    model = ARMT(CONFIG | changes).double()
    for name, parameter in model.named_parameters():
        nn.init.normal_(parameter, 1.0 if name.endswith("norm.weight") else 0.0, 0.4)
    return model


def neox_of(model):
    """transformers' GPT-NeoX with the backbone's weights."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    keys = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "rotary_pct", "rotary_emb_base")
    rope = dict(rope_type="default", rope_theta=CONFIG["rotary_emb_base"], partial_rotary_factor=CONFIG["rotary_pct"])
    config = GPTNeoXConfig(**{key: CONFIG[key] for key in keys}, rope_parameters=rope, attn_implementation="eager", bos_token_id=None, eos_token_id=None)
    neox = GPTNeoXForCausalLM(config).double()
    own = {name: value for name, value in model.state_dict().items() if ".W_m" not in name and name != "memory"}
    own["lm_head.weight"] = own.pop("embed_out.weight")  # as transformers 5 calls it once it is loaded
    neox.load_state_dict(own, strict=True)
    return neox.eval()


def the_first_segment_reads_nothing():
    """Up to its end the network is transformers' GPT-NeoX."""
    model, tokens = random_model(), torch.randint(0, 11, (2, 13))
    plain = neox_of(model)(tokens[:, :5], use_cache=False).logits
    return (model(tokens)[:, :5] - plain).abs().max().item() < 1e-6


def later_segments_read_the_memory():
    """Other tokens in the first segment change what the third says, though no attention reaches there."""
    model, tokens = random_model(), torch.randint(0, 11, (2, 13))
    other = tokens.clone()
    other[:, :5] = (tokens[:, :5] + 1) % 11
    return (model(tokens)[:, 10:] - model(other)[:, 10:]).abs().max().item() > 1e-3


def without_values_segments_stand_alone():
    """Where W_mv is zero, as it is at first, every segment is read as if it were the only one."""
    model, tokens = random_model(), torch.randint(0, 11, (2, 13))
    for layer in model.gpt_neox.layers:
        nn.init.zeros_(layer.W_mv.weight)
    alone = torch.cat([model(segment) for segment in tokens.split(5, dim=1)], 1)
    return (model(tokens) - alone).abs().max().item() < 1e-12


def a_repeated_key_overwrites_its_value():
    """Written twice under one key with full strength, a memory gives the second value, and z has counted the key once."""
    layer, torch_rows = random_model().gpt_neox.layers[0], torch.randn(1, 1, 24, dtype=torch.float64)
    nn.init.constant_(layer.W_mb.bias, 1e3)
    nn.init.zeros_(layer.W_mb.weight)
    memory = layer.write(torch_rows, None)
    with torch.no_grad():
        layer.W_mv.weight.mul_(-3.0)
    a, z = layer.write(torch_rows, memory)
    k, v = dpfp(layer.W_mk(torch_rows)), layer.W_mv(torch_rows)
    read = (k @ a) / (k * z[:, None]).sum(-1, keepdim=True)
    return (read - v).abs().max().item() < 1e-4 and (z - memory[1]).abs().max().item() < 1e-4


def a_sequence_begins_with_an_empty_memory():
    """A sequence is answered alike alone and among others, whatever came before."""
    model, tokens = random_model(), torch.randint(0, 11, (3, 13))
    together, before = model(tokens), model(tokens[:1])
    alone = torch.cat([model(tokens[row : row + 1]) for row in range(3)])
    return (together - alone).abs().max().item() < 1e-12 and torch.equal(before, model(tokens[:1]))


def no_position_sees_a_later_one():
    model, tokens = random_model(), torch.randint(0, 11, (2, 13))
    for position in range(13):
        other = tokens.clone()
        other[:, position] = (tokens[:, position] + 1) % 11
        changed = (model(other) - model(tokens)).abs().amax((0, 2)) > 1e-12
        if changed[:position].any() or not changed[position]:
            return False
    return True


def the_last_segments_memory_tokens_change_nothing():
    """So they may be left out."""
    model, tokens = random_model(), torch.randint(0, 11, (2, 13))
    logits, seen = model(tokens), []
    for layer in model.gpt_neox.layers:
        write = layer.write
        layer.write = lambda m, memory, write=write: seen.append(m) or (write(m, memory) if len(seen) <= 4 else None)
    return torch.equal(model(tokens), logits) and len(seen) == 6


IDENTITIES = [
    the_first_segment_reads_nothing, later_segments_read_the_memory, without_values_segments_stand_alone, a_repeated_key_overwrites_its_value,
    a_sequence_begins_with_an_empty_memory, no_position_sees_a_later_one, the_last_segments_memory_tokens_change_nothing,
]


def main():
    if sys.argv[1:] != ["--test"]:
        sys.exit("usage: armt.py --test")
    torch.set_num_threads(1)
    held = []
    for identity in IDENTITIES:
        with torch.no_grad():
            held.append(identity())
        print(f"{'ok' if held[-1] else 'FAILED'}: {identity.__name__.replace('_', ' ')}")
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
