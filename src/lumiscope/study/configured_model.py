"""From a model's table in a study to the model."""

from __future__ import annotations

from lumiscope.models import BlackBox, TorchModel, load_model
from lumiscope.study.config import ModelConfig


def load_configured(config: ModelConfig, name: str) -> TorchModel | BlackBox:
    """Load the model that `config` describes and call it `name`."""
    return load_model(
        config.spec,
        name=name,
        weights=config.weights,
        weights_partial=config.weights_partial,
        classes=config.classes,
        num_classes=config.num_classes,
        model_options=config.options,
        mean=config.mean,
        std=config.std,
        input_size=config.input_size,
        geometry=config.geometry,
        interpolation=config.interpolation,
        activation=config.activation,
        device=config.device,
    )
