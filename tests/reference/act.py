"""ACT, adaptive computation time (Graves, arXiv 1603.08983), around any of the four networks, plainly, as the reference for the Rust one.

A network's layers are looped one by one (mode "layer") or all together ("stack"), each loop f with a halting unit (w, b) of its own:

    p_t = σ(w · h_t + b)                  of each row, read from the state before hop t = 0 … M − 1
    h_{t+1} = f(h_t)                      all rows, always: a halted row still is what others attend to or follow
    T = the first t with Σ_{s≤t} p_s ≥ 1 − ε, or M − 1        a constant to gradients
    R = 1 − Σ_{s<T} p_s                   the remainder
    y = Σ_{t<T} p_t h_{t+1} + R h_{T+1}   the loop's output, for each layer inside it

Loss: cross entropy + τ · mean of R over every loop, sequence and row that was computed, memory rows among them.
In mode "fixed" each layer runs M times, the last state is its output, and nothing halts.

A layer is GPT-NeoX's or Mamba's residual block (transformers'), a whole layer of torch.nn.LSTM from state zero, or ARMT's read and block.
ARMT reads the segment's old memory in every hop, and its layers' memories are written once, of y's memory rows.

What is tested of it: test_act.py. What is made with it: act_golden.py.
"""

from functools import partial
from typing import NamedTuple

import torch
from armt import ARMT, in_turn
from lstm import LSTM
from mamba_golden import Exact
from torch import Tensor
from torch.func import functional_call
from torch.nn import Linear, Module, ModuleList
from torch.nn.functional import pad
from transformers import GPTNeoXForCausalLM, MambaForCausalLM

EPSILON = 0.1
"""A row whose probabilities add up to 1 − ε halts."""
MODES = ("layer", "stack", "fixed")


class Halting(NamedTuple):
    """What one loop did, for B sequences of n rows."""

    hops: Tensor
    """[B, n], T + 1."""
    remainder: Tensor
    """[B, n], R."""
    sums: Tensor
    """[B, n, M], Σ_{s≤t} p_s."""


class Pass(NamedTuple):
    logits: Tensor
    """[B, S, V]"""
    loops: list[list[Halting]]
    """Of each halting unit, what it did in each segment (one, but for ARMT)."""

    def remainder(self):
        """The mean over everything that was computed."""
        return torch.cat([loop.remainder.flatten() for loops in self.loops for loop in loops]).mean()


def halt(p):
    """The weights [B, n, M] of the hops' states, and what is to be told of them, of the probabilities p [B, n, M]."""
    sums = p.cumsum(-1)
    left = 1 - pad(sums[..., :-1], (1, 0))
    stops = sums >= 1 - EPSILON
    stops[..., -1] = True
    last = stops.int().argmax(-1, keepdim=True)
    hop = torch.arange(p.shape[-1])
    weights = torch.where(hop < last, p, torch.where(hop == last, left, 0))
    return weights, Halting(last.squeeze(-1) + 1, left.gather(-1, last).squeeze(-1), sums)


def ponder(layers, h, unit, hops):
    """Loops the layers, one after the other: the weighted sum over the hops of each layer's outputs, and what halted when."""
    p, states = [], []
    for _ in range(hops):
        p.append(unit(h).sigmoid())
        states.append(in_turn(layers, h))
        h = states[-1][-1]
    weights, halting = halt(torch.cat(p, dim=-1))
    return [torch.einsum("bnt,tbnd->bnd", weights, torch.stack(outputs)) for outputs in zip(*states, strict=True)], halting


def stages(network, tokens):
    """A network in three: the tokens' rows, its layers as functions of rows, and what makes logits of the last one's output."""
    match network:
        case GPTNeoXForCausalLM():
            body = network.gpt_neox
            rows, positions = body.embed_in(tokens), torch.arange(tokens.shape[1])[None]
            mask = rows.new_full((tokens.shape[1],) * 2, -torch.inf).triu(1)
            given = dict(attention_mask=mask, position_ids=positions, position_embeddings=body.rotary_emb(rows, position_ids=positions))
            head = lambda rows: network.lm_head(body.final_layer_norm(rows))
            return rows, [partial(layer, **given) for layer in body.layers], head
        case MambaForCausalLM():
            body = network.backbone
            return body.embeddings(tokens), list(body.layers), lambda rows: network.lm_head(body.norm_f(rows))
        case Exact():
            return network.embed(tokens), [partial(network.block, layer) for layer in network.model.backbone.layers], network.head
        case LSTM():
            layers = [partial(lstm_layer, network.lstm, layer) for layer in range(network.lstm.num_layers)]
            return network.embedding(tokens), layers, network.head


def lstm_layer(lstm, layer, rows):
    """One layer of a torch.nn.LSTM, from state zero."""
    names = [f"{kind}_{which}_l" for kind in ("weight", "bias") for which in ("ih", "hh")]
    weights = {f"{name}0": getattr(lstm, f"{name}{layer}") for name in names}
    return functional_call(torch.nn.LSTM(lstm.input_size, lstm.hidden_size, batch_first=True), weights, rows)[0]


def own_parameters(network):
    """[(name, parameter)] as the network's checkpoint has them."""
    if isinstance(network, ARMT):
        return network.ordered_parameters()
    model = network.model if isinstance(network, Exact) else network
    return [("embed_out.weight" if name == "lm_head.weight" else name, parameter) for name, parameter in model.named_parameters()]


class ACT(Module):
    """`network` is one of the four, of rows of `width` numbers and so many `layers`. Tokens [B, S] → Pass."""

    def __init__(self, network, width, layers, mode, hops):
        super().__init__()
        self.network, self.mode, self.hops = network, mode, hops
        units = {"layer": layers, "stack": 1, "fixed": 0}[mode]
        self.halting = ModuleList(Linear(width, 1) for _ in range(units))

    def run(self, loops, layers, h):
        """Every layer's output, as armt.in_turn; what the halting units do is added to `loops`."""
        if self.mode == "fixed":
            return in_turn([partial(repeat, layer, self.hops) for layer in layers], h)
        outputs = [h]
        for unit, group, did in zip(self.halting, [layers] if self.mode == "stack" else [[layer] for layer in layers], loops, strict=True):
            found, halting = ponder(group, outputs[-1], unit, self.hops)
            outputs += found
            did.append(halting)
        return outputs[1:]

    def forward(self, tokens):
        loops = [[] for _ in self.halting]
        run = partial(self.run, loops)
        if isinstance(self.network, ARMT):
            return Pass(self.network(tokens, bare_end=True, run=run), loops)
        rows, layers, head = stages(self.network, tokens)
        return Pass(head(run(layers, rows)[-1]), loops)

    def ordered_parameters(self):
        """[(name, parameter)] as the checkpoint has them: the halting units' last."""
        return own_parameters(self.network) + [(f"halting.{name}", parameter) for name, parameter in self.halting.named_parameters()]


def repeat(layer, times, h):
    for _ in range(times):
        h = layer(h)
    return h
