#!/usr/bin/env python3
"""Makes tests/golden/grpo.json: the loss of GRPO (Shao et al., arXiv 2402.03300) as TRL 0.16 has it, and its gradient by the logits.

Re-make (Python and packages as for gpt_neox_golden.py; seconds on one core, the same bytes each time on one machine):

    ~/.cache/lookahead/python/bin/python tests/reference/grpo_golden.py
    python tests/reference/grpo_golden.py --trl      # compares with TRL's own code, in an environment that has trl 0.16; writes nothing

G groups of S samples of n completion tokens over V words; a row is a sample, a group's rows follow one another.

    A = (r − mean r) / (std r + 1e-4)                of a row, in its group; std divides by S − 1
    log π = log softmax(logits / temperature)[token]        as log π_old and log π_ref, which are given
    ratio = exp(log π − log π_old)
    KL = exp(Δ) − Δ − 1,  Δ = log π_ref − log π
    loss = mean over all completion tokens of the batch of  − min(ratio A, clip(ratio, 1 − ε, 1 + ε) A) + β KL
    clip fraction: share of completion tokens with ratio > 1 + ε and A > 0, or ratio < 1 − ε and A < 0 (no gradient but KL's)

Read in trl/trainer/grpo_trainer.py at tag v0.16.1 (commit 2bc182c4fb8180a3cb815c61ca6c528a86559d14; v0.16.0's file is the same):
- Line 598: logits are divided by the sampling temperature (.9 by default) before every log-probability, the current ones, the old and
  the reference's. Top-k is not applied to them. Hence two cases here, at temperature 1 and .9.
- Lines 824–832: the mean and `std(dim=1)`, which is unbiased, of float32 rewards; 1e-4 is added to std. (Of eight equal rewards k/21
  their float32 mean can be off by one bit, and then A is ±1e-3 where it should be 0; in float64 it is 0.)
- Line 924: with one update a batch (num_iterations 1, the default) π_old is the current π without gradient: the ratio is 1, nothing is
  ever clipped, and the gradient is − A ∇ log π and KL's. Here they differ, so that clipping is seen.
- Line 932: the sum over all completion tokens by their number, of the rows of one forward pass (a device's, before gradients are
  accumulated); no mean by row first.
- Line 941: the logged clip_ratio counts the wrong tokens (ratio A < clipped A, where min takes the unclipped); mended after 0.16 by
  github.com/huggingface/trl/pull/3175, whose definition is this file's.
With --trl, its compute_loss and _get_per_token_logps (0.16.1, transformers 4.51.3, torch 2.15, float64) gave this loss, mean KL and
gradient to 1e-16. Advantages were compared with its text alone: they are in the middle of what samples.

Numbers, float64, nine significant digits, inputs rounded to float32: logits 1.5 cos(0.37 j); those of π_old differ by 0.33 cos(1.3 j + 3.5),
of π_ref by 0.5 cos(2.1 j + 2), j the row-major index. The third group's rewards are all the same: A = 0, only KL has a gradient.
"""

import sys
from types import SimpleNamespace

import golden
import numpy
import torch

GROUPS, SAMPLES, LENGTH, VOCABULARY = 3, 4, 7, 12
ROWS = GROUPS * SAMPLES
EPSILON, BETA, STD_EPSILON = 0.2, 0.01, 1e-4
TEMPERATURES = {"temperature_1": 1.0, "temperature_0.9": 0.9}
REWARDS = [[9 / 21, 12 / 21, 1, 15 / 21], [0, 0, 1, 3 / 21], [11 / 21] * 4]
LENGTHS = [7, 3, 5, 1, 7, 6, 2, 4, 7, 5, 1, 6]


def cosines(scale, rate, phase=0.0):
    j = numpy.arange(ROWS * LENGTH * VOCABULARY, dtype=numpy.float64).reshape(ROWS, LENGTH, VOCABULARY)
    return torch.from_numpy(scale * numpy.cos(rate * j + phase))


def log_probabilities(logits, tokens, temperature):
    return (logits / temperature).log_softmax(-1).gather(-1, tokens[..., None]).squeeze(-1)


def advantages(rewards):
    """Of each row, from rewards [groups, samples]."""
    centred = rewards - rewards.mean(1, keepdim=True)
    return (centred / (rewards.std(1, keepdim=True) + STD_EPSILON)).flatten()


def loss_of(logits, given, temperature):
    """The loss, the mean KL and the share of clipped tokens; `given` is `inputs` at this temperature."""
    mask, advantage = given.mask, advantages(given.rewards)[:, None]
    current = log_probabilities(logits, given.tokens, temperature)
    ratio, delta = (current - given.old).exp(), given.reference - current
    kl = delta.exp() - delta - 1
    loss = -torch.min(ratio * advantage, ratio.clamp(1 - EPSILON, 1 + EPSILON) * advantage) + BETA * kl
    clipped = (ratio > 1 + EPSILON) & (advantage > 0) | (ratio < 1 - EPSILON) & (advantage < 0)
    mean = lambda values: (values * mask).sum() / mask.sum()
    return mean(loss), mean(kl), mean(clipped)


def inputs(temperature, dtype=torch.float64):
    """What the loss is given, each number a float32's value."""
    rows, t = torch.arange(ROWS)[:, None], torch.arange(LENGTH)
    tokens = (5 * rows + 3 * t + t * t) % VOCABULARY
    logits = cosines(1.5, 0.37).float()
    of = lambda difference: log_probabilities(logits.double() + difference, tokens, temperature).float().to(dtype)
    return SimpleNamespace(
        tokens=tokens,
        mask=(t < torch.tensor(LENGTHS)[:, None]).to(dtype),
        logits=logits.to(dtype),
        rewards=torch.tensor(REWARDS).float().to(dtype),
        old=of(cosines(0.33, 1.3, 3.5)),
        reference=of(cosines(0.5, 2.1, 2.0)),
    )


def measure(temperature, dtype):
    given = inputs(temperature, dtype)
    logits = given.logits.requires_grad_()
    loss, kl, clipped = loss_of(logits, given, temperature)
    loss.backward()
    result = dict(advantages=advantages(given.rewards), loss=loss, mean_kl=kl, clip_fraction=clipped, gradient=logits.grad)
    return {name: value.detach().double().numpy() for name, value in result.items()}


def case_golden(name, temperature):
    truth, single = measure(temperature, torch.float64), measure(temperature, torch.float32)
    error = {key: golden.difference(single[key], truth[key]) for key in truth}
    given = inputs(temperature)
    current = log_probabilities(given.logits, given.tokens, temperature)
    ratio = (current - given.old).exp()[given.mask > 0]
    nearest = min((ratio - edge).abs().min().item() for edge in (1 - EPSILON, 1 + EPSILON))
    print(f"{name}: float32 against float64, largest difference over largest value:")
    print("  " + ", ".join(f"{key} {value:.1e}" for key, value in error.items()))
    low, high = (ratio < 1 - EPSILON).double().mean(), (ratio > 1 + EPSILON).double().mean()
    print(f"  ratios {ratio.min():.3g} … {ratio.max():.3g}, {low:.0%} below and {high:.0%} above, nearest to an edge {nearest:.1e}")
    print(f"  loss {truth['loss']:.9g}, mean KL {truth['mean_kl']:.9g}, clipped {truth['clip_fraction']:.9g}")
    return {
        "temperature": temperature,
        "old_log_probabilities": golden.nested(given.old.numpy()),
        "reference_log_probabilities": golden.nested(given.reference.numpy()),
        "log_probabilities": golden.nested(current.numpy()),
        **{key: golden.digits(truth[key].item()) for key in ("loss", "mean_kl", "clip_fraction")},
        "gradient": golden.nested(truth["gradient"]),
        "float32_error": {key: golden.digits(value, 2) for key, value in error.items()},
    }


def compare_with_trl():
    """TRL's own loss on the same inputs: a trainer of which only what compute_loss reads is there, and a model that is its logits."""
    import trl
    from trl.trainer.grpo_trainer import GRPOTrainer

    print(f"trl {trl.__version__}, torch {torch.__version__}")
    for name, temperature in TEMPERATURES.items():
        given = inputs(temperature)
        logits = given.logits.requires_grad_()
        trainer = SimpleNamespace(
            temperature=temperature,
            beta=BETA,
            epsilon_low=EPSILON,
            epsilon_high=EPSILON,
            num_iterations=2,
            args=SimpleNamespace(report_to=[]),
            control=SimpleNamespace(should_evaluate=False),
            accelerator=SimpleNamespace(gather_for_metrics=lambda value: value, is_main_process=True),
            _metrics={"train": {"kl": [], "clip_ratio": []}},
        )
        trainer._get_per_token_logps = lambda *arrays, trainer=trainer: GRPOTrainer._get_per_token_logps(trainer, *arrays)
        after = torch.zeros(ROWS, 1, VOCABULARY).double()
        model = lambda **_: SimpleNamespace(logits=torch.cat([logits, after], dim=1))
        prompt = torch.zeros(ROWS, 1, dtype=torch.long)
        batch = dict(prompt_ids=prompt, prompt_mask=prompt + 1, completion_ids=given.tokens, completion_mask=given.mask)
        batch |= dict(advantages=advantages(given.rewards), old_per_token_logps=given.old, ref_per_token_logps=given.reference)
        loss = GRPOTrainer.compute_loss(trainer, model, batch)
        loss.backward()
        [kl], [clip_ratio] = trainer._metrics["train"].values()
        ours = measure(temperature, torch.float64)
        print(
            f"{name}: loss off by {abs(loss.item() - ours['loss']):.1e}, mean KL by {abs(kl - ours['mean_kl']):.1e}, "
            f"gradient by {abs(logits.grad.numpy() - ours['gradient']).max():.1e}; its clip_ratio {clip_ratio:.9g}, "
            f"clipped are {ours['clip_fraction']:.9g}"
        )


def main():
    golden.set_up()
    if sys.argv[1:] == ["--trl"]:
        return compare_with_trl()
    if sys.argv[1:]:
        sys.exit("usage: grpo_golden.py [--trl]")
    cases = {name: case_golden(name, temperature) for name, temperature in TEMPERATURES.items()}
    given = inputs(1.0)
    written = dict(
        about=golden.ABOUT,
        epsilon=EPSILON,
        beta=BETA,
        std_epsilon=STD_EPSILON,
        groups=GROUPS,
        samples=SAMPLES,
        rewards=golden.nested(given.rewards.numpy()),
        advantages=golden.flat(advantages(given.rewards)),
        tokens=given.tokens.tolist(),
        mask=given.mask.int().tolist(),
        logits=golden.nested(given.logits.numpy()),
    )
    golden.write("grpo.json", dict(**written, cases=cases))


if __name__ == "__main__":
    main()
