"""What every inference backend must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from lumiscope.models import BACKENDS, Backend, Choice, TorchModel
from lumiscope.testing import _networks as networks
from lumiscope.testing._expect import expect, expect_close
from lumiscope.testing._untouched import NetworkState, generators_kept, in_use

TOLERANCE = 1e-4  # as in the choice of a backend: of the largest logit


@dataclass(frozen=True)
class BackendCase:
    """A backend that is checked."""

    backend: Backend

    @property
    def name(self) -> str:
        """The backend's."""
        return self.backend.name

    def run(self, model: TorchModel, inputs: torch.Tensor) -> torch.Tensor:
        """(N, classes) logits of a model in float32, as much at once as there is."""
        choice = Choice(self.name, self.name, "exact", "float32", 0.0, "it is checked")
        return model.session(choice).runner(inputs)


def inputs_of(count: int) -> torch.Tensor:
    """(N, 3, H, W) normal noise."""
    return torch.randn(count, 3, *networks.SIZE, generator=torch.Generator().manual_seed(count))


def says_what_it_is(case: BackendCase) -> None:
    """A title, a batch size and devices, and that what it needs is installed."""
    backend = case.backend
    expect(backend.title, f"expected {case.name} to have a title")
    expect(backend.batch_size >= 1, f"expected {case.name} to take at least one view at once; got {backend.batch_size}")
    expect(backend.devices, f"expected {case.name} to name the devices that it runs on")
    expect(not backend.missing, f"{case.name} cannot be checked: it needs {backend.requires}")


def gives_the_logits_of_torch(case: BackendCase) -> None:
    """Of one input, of as many as it likes, and of one more; and the first answer is not written over by the next."""
    size = case.backend.batch_size
    for model in (networks.bent_model(), networks.plain_model()):
        for count in dict.fromkeys((1, size, size + 1)):
            inputs = inputs_of(count)
            logits = case.run(model, inputs)
            kept = logits.clone()
            case.run(model, inputs_of(3))
            what = f"{case.name}'s answer for {count} inputs to stay as it was, the logits of {model.name}"
            expect(torch.equal(logits, kept), f"expected {what}, when it answers again")
            expected = model.logits(inputs)
            expect(logits.dtype == torch.float32, f"expected {case.name} to give float32; got {logits.dtype}")
            expect_close(
                logits.cpu().numpy(),
                expected.cpu().numpy(),
                TOLERANCE,
                f"logits of {count} inputs by {case.name} as torch has them for the network {model.name},",
            )


def leaves_the_model_untouched(case: BackendCase) -> None:
    """Also a model in the middle of its owner's work."""
    model = networks.bent_model()
    in_use(model.module)
    before = NetworkState.of(model.module)
    with generators_kept(case.name):
        case.run(model, inputs_of(3))
    before.expect_same(NetworkState.of(model.module), case.name)


BACKEND_CHECKS: tuple[Callable[[BackendCase], None], ...] = (
    says_what_it_is,
    gives_the_logits_of_torch,
    leaves_the_model_untouched,
)
"""What `check_backend` checks, one thing each."""


def backend_case(name: str) -> BackendCase:
    """What the checks of a backend get; see `check_backend`."""
    return BackendCase(BACKENDS[name])


def check_backend(name: str) -> None:
    """Check that the inference backend `name` does all that lumiscope and its users rely on, in float32 on the CPU.

    Raises AssertionError with a sentence that says what was expected and what came, UnknownNameError for a backend that
    does not exist.
    """
    case = backend_case(name)
    for check in BACKEND_CHECKS:
        check(case)
