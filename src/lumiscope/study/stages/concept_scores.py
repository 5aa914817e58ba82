"""How much of each concept is in each probing image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.engines import Report
from lumiscope.runs import ProbingImageRow, column, table
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.stored_scores import StoredScores
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy


@table("scored_images", "each probing image that has concept scores", kept=False)
class ScoredImageRow:
    """A probing image whose concept scores are kept."""

    image: str = column("the probing image")


@dataclass(frozen=True)
class ScoreImages(UncutTask):
    """Score a planned shard of probing images on all concepts."""

    images: tuple[str, ...]

    @property
    def key(self) -> str:
        """The first image."""
        return f"concept scores: {self.images[0]}"

    @property
    def steps(self) -> int:
        """One for each image."""
        return len(self.images)

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """The images that the scorer must look at."""
        return scores_of(study, self.images).lacking()

    def run(self, study: OpenStudy, report: Report) -> None:
        """Compute what is missing."""
        scores_of(study, self.images).compute(study.track)


@stage("concept_scores")
class ConceptScores(Stage):
    """Scores the probing images that all models could look at."""

    needs = (ProbingImageRow,)
    writes = (ScoredImageRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With probing images."""
        return study.probe is not None

    def check_settings(self, study: OpenStudy) -> None:
        """The scorer, the concepts, and that they go with the images."""
        if study.probe is not None:
            study.scorer.check(study.probe, study.concepts)

    def tasks(self, study: OpenStudy, tables: Tables) -> list[ScoreImages]:
        """One for each planned shard of images."""
        ids = [row.image for row in tables.rows(ProbingImageRow)]
        return [ScoreImages(tuple(shard)) for shard in scores_of(study, ids).shards()]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """All images: one without scores is an error."""
        return Collected({ScoredImageRow: [ScoredImageRow(image=row.image) for row in tables.rows(ProbingImageRow)]})


def scores_of(study: OpenStudy, ids: Sequence[str]) -> StoredScores:
    """What is kept of the concept scores of some probing images."""
    return StoredScores(study.scorer, study.probed(ids), study.concepts, study.memo)
