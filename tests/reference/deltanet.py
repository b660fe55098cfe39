"""DeltaNet (Yang et al., arXiv 2406.06484) as a plain recurrence, the reference for src/model/deltanet.rs.

Each step of time is one iteration of a loop. Gradients come from autograd. The type is float32, or float64 after `model.double()`.

    h ← embed(tokens)                                    [B, S, d]
    each layer  x = RMSNorm h
                q, k, v = silu(conv(W x))                causal, depthwise, 4 taps and a bias; by head [B, S, H, n], n = d / H
                q, k ← q / √(Σ q² + 1e-6), k / √(Σ k² + 1e-6)
                β = range · σ(W_b x)                     [B, S, H], range 1 or 2 (arXiv 2411.12537)
                α = exp(−exp(A_log) · softplus(W_a x + dt_bias))    [B, S, H] (arXiv 2412.06464), or 1 without gates
                o = the delta rule of q, k, v, β, α      see `delta_rule`
                h ← h + W_o RMSNorm(o)                   one norm of n numbers, shared by the heads
                h ← h + W_down gelu(W_up RMSNorm h)      exact GELU
    logits      = RMSNorm(h) · headᵀ                     [B, S, V]

B sequences of S tokens, V words, d numbers a position, H heads. The names are those of the checkpoint.

test_deltanet.py tests it, deltanet_golden.py makes tests/golden/deltanet.json with it.
"""

import torch
from torch.nn import Conv1d, Embedding, Linear, Module, ModuleList, Parameter, RMSNorm
from torch.nn.functional import gelu, silu, softplus

NORM_EPSILON = 1e-5
LENGTH_EPSILON = 1e-6
"""Added to the squared length of a query or key before it is divided by its length."""


def unit(x):
    """x [..., n] divided by its length."""
    return x / (x.square().sum(-1, keepdim=True) + LENGTH_EPSILON).sqrt()


def delta_rule(q, k, v, beta, alpha):
    """The outputs o [B, S, H, n] of q, k, v [B, S, H, n], write strengths β and decays α [B, S, H].

    S_t = α_t S_{t−1} (I − β_t k_t k_tᵀ) + β_t v_t k_tᵀ    S_0 = 0, [n, n] a head    o_t = S_t q_t / √n
    """
    state, outputs = torch.zeros_like(v[:, 0, :, :, None] * k[:, 0, :, None, :]), []
    for q_t, k_t, v_t, beta_t, alpha_t in zip(*(array.unbind(1) for array in (q, k, v, beta, alpha)), strict=True):
        state = alpha_t[..., None, None] * state
        held = (state @ k_t[..., None]).squeeze(-1)
        change = beta_t[..., None] * (v_t - held)
        state = state + change[..., :, None] * k_t[..., None, :]
        outputs.append((state @ q_t[..., None]).squeeze(-1))
    return torch.stack(outputs, dim=1) / q.shape[-1] ** 0.5


def convolve(convolution, x):
    """silu of the causal convolution of x [B, S, d], whose padding is as long as its past: the outputs after the last token are cut off."""
    return silu(convolution(x.mT)[..., : x.shape[1]].mT)


class Layer(Module):
    """Two residual branches, [B, S, d] → [B, S, d]."""

    def __init__(self, config):
        super().__init__()
        d, ff, taps = config["hidden_size"], config["intermediate_size"], config["conv_kernel"]
        self.heads, self.gated, self.range = config["num_attention_heads"], config["use_decay"], 1 + config["allow_neg_eigval"]
        self.norm = RMSNorm(d, NORM_EPSILON)
        self.q_proj, self.k_proj, self.v_proj = (Linear(d, d, bias=False) for _ in range(3))
        self.q_conv1d, self.k_conv1d, self.v_conv1d = (Conv1d(d, d, taps, groups=d, padding=taps - 1) for _ in range(3))
        self.b_proj = Linear(d, self.heads, bias=False)
        if self.gated:
            self.a_proj = Linear(d, self.heads, bias=False)
            self.A_log = Parameter(torch.arange(1.0, self.heads + 1).log())
            self.dt_bias = Parameter(torch.full((self.heads,), -3.0))
        self.o_norm = RMSNorm(d // self.heads, NORM_EPSILON)
        self.o_proj = Linear(d, d, bias=False)
        self.mlp_norm = RMSNorm(d, NORM_EPSILON)
        self.up_proj = Linear(d, ff, bias=False)
        self.down_proj = Linear(ff, d, bias=False)

    def inputs(self, x):
        """q, k, v before their lengths are divided out [B, S, H, n], β and α [B, S, H], of rows x [B, S, d]."""
        maps = (self.q_proj, self.q_conv1d), (self.k_proj, self.k_conv1d), (self.v_proj, self.v_conv1d)
        q, k, v = (convolve(convolution, linear(x)).unflatten(-1, (self.heads, -1)) for linear, convolution in maps)
        beta = self.range * self.b_proj(x).sigmoid()
        alpha = (-self.A_log.exp() * softplus(self.a_proj(x) + self.dt_bias)).exp() if self.gated else torch.ones_like(beta)
        return q, k, v, beta, alpha

    def mix(self, x):
        """The first branch, of normed rows x."""
        q, k, v, beta, alpha = self.inputs(x)
        return self.o_proj(self.o_norm(delta_rule(unit(q), unit(k), v, beta, alpha)).flatten(-2))

    def forward(self, h):
        h = h + self.mix(self.norm(h))
        return h + self.down_proj(gelu(self.up_proj(self.mlp_norm(h))))


class DeltaNet(Module):
    """`config` has the keys of config.json."""

    def __init__(self, config):
        super().__init__()
        self.embed = Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = RMSNorm(config["hidden_size"], NORM_EPSILON)
        self.head = Linear(config["hidden_size"], config["vocab_size"], bias=False)

    def forward(self, tokens):
        """Logits [B, S, V] of tokens [B, S]."""
        h = self.embed(tokens)
        for layer in self.layers:
            h = layer(h)
        return self.head(self.norm(h))

    def ordered_parameters(self):
        """[(name, parameter)] as the checkpoint has them: torch has A_log and dt_bias first in their layer, they belong before o_norm."""
        named = list(self.named_parameters())
        places = {name: place for place, (name, _) in enumerate(named)}
        place = lambda item: places[item[0].replace("A_log", "o_norm.weight").replace("dt_bias", "o_norm.weight")]
        return sorted(named, key=place)
