"""Whether a network is afterwards exactly what it was: weights, gradients, flags, hooks and parts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lumiscope.testing._expect import expect


@dataclass(frozen=True)
class _Tensor:
    """A tensor of a network: which object it is, and what was in it."""

    identity: int
    content: torch.Tensor | None

    @classmethod
    def of(cls, value: torch.Tensor | None) -> _Tensor:
        return cls(id(value), None if value is None else value.detach().clone())

    def same(self, other: _Tensor) -> bool:
        if self.content is None or other.content is None:
            return self.content is other.content
        return self.identity == other.identity and torch.equal(self.content, other.content)


@dataclass(frozen=True)
class NetworkState:
    """All that others may rely on of a network."""

    tensors: dict[str, _Tensor]
    facts: dict[str, object]

    @classmethod
    def of(cls, module: torch.nn.Module) -> NetworkState:
        """What `module` is now."""
        weights = module.state_dict(keep_vars=True)
        tensors = {f"weights {name}": _Tensor.of(value) for name, value in weights.items()}
        tensors |= {f"gradient of {name}": _Tensor.of(value.grad) for name, value in module.named_parameters()}
        facts: dict[str, object] = {
            f"requires_grad of {name}": value.requires_grad for name, value in module.named_parameters()
        }
        for name, part in module.named_modules():
            facts[f"part {name!r}"] = id(part)
            facts[f"training flag of {name!r}"] = part.training
            facts[f"hooks of {name!r}"] = [
                list(hooks) for hooks in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks)
            ]
        return cls(tensors, facts)

    def expect_same(self, later: NetworkState, what: str) -> None:
        """Expect nothing to have changed. `what`: what was done to it."""
        changed = [
            name
            for name in {**self.facts, **later.facts}
            if self.facts.get(name, "none") != later.facts.get(name, "none")
        ]
        changed += [
            name
            for name in {**self.tensors, **later.tensors}
            if name not in self.tensors or name not in later.tensors or not self.tensors[name].same(later.tensors[name])
        ]
        expect(not changed, f"expected {what} to leave the network as it was; changed: {', '.join(changed)}")


def in_use(module: torch.nn.Module) -> None:
    """Leave traces of an owner's work on a network: gradients, mixed flags, a frozen weight, a hook."""
    module.train()
    parts = [part for part in module.modules() if part is not module]
    parts[0].eval()
    parts[-1].register_forward_hook(lambda *_: None)
    parameters = list(module.parameters())
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    parameters[-1].requires_grad_(False)


@contextmanager
def generators_kept(what: str) -> Iterator[None]:
    """Expect that what is done inside neither draws from the global generators of torch and NumPy nor seeds them.

    Meanwhile they are in a state that nobody can have left them in, so that a seed shows; afterwards as they were.
    """
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002 - what must not move
    torch.manual_seed(secrets.randbits(62))
    np.random.seed(secrets.randbits(32))  # noqa: NPY002
    torch_before, numpy_before = torch.get_rng_state(), _numpy_words()
    try:
        yield
        same = torch.equal(torch_before, torch.get_rng_state()) and np.array_equal(numpy_before, _numpy_words())
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
    expect(same, f"expected {what} to use generators of its own; a global one moved")


def _numpy_words() -> np.ndarray[Any, Any]:
    words: np.ndarray[Any, Any] = np.random.get_state()[1]  # type: ignore[index]  # noqa: NPY002
    return words.copy()
