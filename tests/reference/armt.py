"""ARMT, the associative recurrent memory transformer (Rodkin et al., arXiv 2407.04841), plainly, as the reference for src/model/armt.rs.

Written from the equations alone, one segment after the other, gradients by autograd, in float32 or (`model.double()`) float64:

    segment s   x ← [embed(tokens of s); memory tokens]    [B, n + M, d], positions from 0
    each layer  x ← x + (q A) / (q · z + 1e-5)             q = φ(W_mq x); from the second segment on
                x ← x + Attention(LN1 x) + MLP(LN2 x)      GPT-NeoX's block
                (A, z) ← write of the M memory rows        see `write`
    logits      = LN x · embed_outᵀ                        of the tokens' rows

B sequences of S tokens, V words, d numbers a position, h heads, M memory tokens, F = 6 · d_mem features of a key.
Names are those of the checkpoint: GPT-NeoX's, `memory`, and in each layer W_mq, W_mk, W_mv, W_mb.

What is tested of it: test_armt.py. What is made with it: armt_golden.py and check_checkpoint.py.
"""

import torch
from torch.nn import Embedding, LayerNorm, Linear, Module, ModuleList, Parameter
from torch.nn.functional import gelu, normalize

NU = 3
"""Rolls of DPFP."""
EPSILON = 1e-5
"""Added to every divisor; the layer norms' own, too."""


def dpfp(x):
    """Features [..., 2 ν m] of x [..., m], of length 1 and none below 0: x' = [relu x; relu −x], x' ⊙ roll(x', j) for j = 1 … ν."""
    signs = torch.cat([x, -x], dim=-1).relu()
    return normalize(torch.cat([signs * signs.roll(j, dims=-1) for j in range(1, NU + 1)], dim=-1), dim=-1)


def divisor(keys, z):
    """k · z + ε, [B, rows, 1], of keys [B, rows, F] and z [B, F]."""
    return keys @ z[:, :, None] + EPSILON


def read(memory, queries):
    """What the memory (A [B, F, d], z [B, F]) holds under queries [B, rows, F]: [B, rows, d]."""
    A, z = memory
    return queries @ A / divisor(queries, z)


def novelty(keys, z):
    """γ [B, rows, 1]: how much of a key is new to z. No gradient goes through it."""
    with torch.no_grad():
        return (1 - divisor(keys, z) / keys.square().sum(-1, keepdim=True)).clamp(0, 1)


def write(memory, keys, values, strengths):
    """The memory after rows have written: keys [B, M, F], values [B, M, d], strengths [B, M, 1] (b, in 0 … 1), all against the old one.

    v̄ = (k A) / (k · z + ε)    A ← A + Σ b k (v − v̄)ᵀ    z ← z + Σ γ k        v̄ = 0, γ = 1, A = z = 0 where there is no old one.
    """
    if memory is None:
        return keys.mT @ (strengths * values), keys.sum(1)
    A, z = memory
    return A + keys.mT @ (strengths * (values - read(memory, keys))), z + (novelty(keys, z) * keys).sum(1)


def causal(length):
    """[length, length], true where a position (row) may see another (column)."""
    return torch.ones(length, length, dtype=torch.bool).tril()


def rotate(x, dims, base):
    """Turns the first `dims` of each head of x [B, h, n, d / h] by position: halves are the pairs, angles p · base^(−2 i / dims)."""
    frequencies = base ** (-torch.arange(0, dims, 2, dtype=x.dtype) / dims)
    angles = torch.arange(x.shape[2], dtype=x.dtype)[:, None] * frequencies
    first, second, rest = x[..., : dims // 2], x[..., dims // 2 : dims], x[..., dims:]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, second * cos + first * sin, rest], dim=-1)


class Attention(Module):
    """Causal attention of h heads, [B, n, d] → [B, n, d]; one linear map gives q, k, v of head after head."""

    def __init__(self, config):
        super().__init__()
        d, self.heads, self.base = config["hidden_size"], config["num_attention_heads"], config["rotary_emb_base"]
        self.dims = int(d // self.heads * config["rotary_pct"])
        self.query_key_value = Linear(d, 3 * d)
        self.dense = Linear(d, d)

    def forward(self, x):
        q, k, v = self.query_key_value(x).unflatten(-1, (self.heads, -1)).transpose(1, 2).chunk(3, dim=-1)
        scores = rotate(q, self.dims, self.base) @ rotate(k, self.dims, self.base).mT / q.shape[-1] ** 0.5
        weights = scores.masked_fill(~causal(x.shape[1]), -torch.inf).softmax(-1)
        return self.dense((weights @ v).transpose(1, 2).flatten(-2))


class MLP(Module):
    def __init__(self, config):
        super().__init__()
        self.dense_h_to_4h = Linear(config["hidden_size"], config["intermediate_size"])
        self.dense_4h_to_h = Linear(config["intermediate_size"], config["hidden_size"])

    def forward(self, x):
        return self.dense_4h_to_h(gelu(self.dense_h_to_4h(x)))


class Layer(Module):
    """GPT-NeoX's block between a read and a write."""

    def __init__(self, config):
        super().__init__()
        d, d_mem = config["hidden_size"], config["d_mem"]
        self.input_layernorm = LayerNorm(d, EPSILON)
        self.post_attention_layernorm = LayerNorm(d, EPSILON)
        self.attention = Attention(config)
        self.mlp = MLP(config)
        self.W_mq = Linear(d, d_mem, bias=False)
        self.W_mk = Linear(d, d_mem, bias=False)
        self.W_mv = Linear(d, d, bias=False)
        self.W_mb = Linear(d, 1)

    def forward(self, x, memory):
        """The rows x [B, n + M, d] after a read and the block."""
        if memory is not None:
            x = x + read(memory, dpfp(self.W_mq(x)))
        return x + self.attention(self.input_layernorm(x)) + self.mlp(self.post_attention_layernorm(x))

    def written(self, m, memory):
        """The memory after rows m [B, M, d] have written."""
        return write(memory, dpfp(self.W_mk(m)), self.W_mv(m), self.W_mb(m).sigmoid())


def reader(layer, memory):
    """The layer as a function of its rows alone."""
    return lambda x: layer(x, memory)


def in_turn(layers, x):
    """The output of each layer, run on that of the one before."""
    outputs = [x]
    for layer in layers:
        outputs.append(layer(outputs[-1]))
    return outputs[1:]


class Backbone(Module):
    def __init__(self, config):
        super().__init__()
        self.embed_in = Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.final_layer_norm = LayerNorm(config["hidden_size"], EPSILON)


class ARMT(Module):
    """`config` is a config.json's keys."""

    def __init__(self, config):
        super().__init__()
        self.segment = config["segment_length"]
        self.gpt_neox = Backbone(config)
        self.memory = Parameter(torch.randn(config["num_mem_tokens"], config["hidden_size"]))
        self.embed_out = Linear(config["hidden_size"], config["vocab_size"], bias=False)
        with torch.no_grad():
            self.memory *= self.gpt_neox.embed_in.weight.std()
            for layer in self.gpt_neox.layers:
                layer.W_mv.weight.zero_()

    def forward(self, tokens, bare_end=False, run=in_turn):
        """Logits [B, S, V] of tokens [B, S]. With `bare_end` the last segment has no memory tokens, which changes nothing.

        `run(functions, x)` takes a segment's rows through the layers: each layer's output, of which the layer's memory is written.
        """
        layers, parts = self.gpt_neox.layers, []
        memories = [None] * len(layers)
        pieces = tokens.split(self.segment, dim=1)
        for index, piece in enumerate(pieces):
            x, n = self.gpt_neox.embed_in(piece), piece.shape[1]
            if not (bare_end and index == len(pieces) - 1):
                x = torch.cat([x, self.memory.expand(len(x), -1, -1)], dim=1)
            outputs = run([reader(*pair) for pair in zip(layers, memories, strict=True)], x)
            memories = [layer.written(y[:, n:], memory) for layer, y, memory in zip(layers, outputs, memories, strict=True)]
            parts.append(outputs[-1][:, :n])
        return self.embed_out(self.gpt_neox.final_layer_norm(torch.cat(parts, dim=1)))

    def ordered_parameters(self):
        """[(name, parameter)] as the checkpoint has them: the memory tokens after the embedding."""
        named = list(self.named_parameters())
        names = [name for name, _ in named]
        named.insert(1, named.pop(names.index("memory")))
        return named
