"""The section "Models"."""

from lumiscope.report.sections.models.section import models

__all__ = ["models"]
