"""Baselines: hand-ins that every other one is measured against, scored like everybody's."""

from lumiscope.server.baselines.baselines import Baseline, baselines_of, write_baselines

__all__ = ["Baseline", "baselines_of", "write_baselines"]
