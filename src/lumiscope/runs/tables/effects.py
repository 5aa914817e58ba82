"""The table `effects`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("effects", "what each thing in a picture of the world truly does to the score: the picture is made without it")
class EffectRow:
    """One thing left out of one picture."""

    model: str = column("the model")
    image: str = column("the image")
    thing: str = column("what was left out, in a word of the world")
    kind: str = column("object, part, texture, colour, scene or mark")
    area: float = column("its share of the view", low=0, high=1)
    effect: float = column("the target's score of the picture less that of the picture without the thing", unit="logit")
    target: str = column("the class whose score it is")
