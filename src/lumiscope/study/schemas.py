"""The tables of a run, column by column."""

from __future__ import annotations

import pyarrow as pa

from lumiscope.agreement import AGREEMENT_SCHEMA, SUMMARY_SCHEMA
from lumiscope.dissection.model_differences import DIFFERENCE_SCHEMA
from lumiscope.dissection.network_dissection import DETECTOR_SCHEMA, NETWORK_DISSECTION_SCHEMA
from lumiscope.dissection.summary import CATEGORY_SCHEMA, CONCEPT_SCHEMA, LAYER_SCHEMA
from lumiscope.study.contributions import CONTRIBUTION_SCHEMA
from lumiscope.types import UNIT_SCHEMA

TEXT, WHOLE, NUMBER, TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


SCHEMAS: dict[str, pa.Schema] = {
    "models": _schema(
        model=TEXT,
        spec=TEXT,
        fingerprint=TEXT,
        num_classes=WHOLE,
        target_layer=TEXT,
        input_height=WHOLE,
        input_width=WHOLE,
        resize_height=WHOLE,
        resize_width=WHOLE,
        geometry=TEXT,
        interpolation=TEXT,
        mean=TEXT,
        std=TEXT,
        notes=pa.list_(TEXT),
    ),
    "images": _schema(
        image=TEXT,
        file=TEXT,
        path=TEXT,
        width=WHOLE,
        height=WHOLE,
        class_index=WHOLE,
        class_name=TEXT,
        has_mask=TRUTH,
        mask_path=TEXT,
        sha256=TEXT,
    ),
    "probing_images": _schema(image=TEXT, file=TEXT, path=TEXT, sha256=TEXT),
    "predictions": _schema(
        model=TEXT,
        image=TEXT,
        rank=WHOLE,
        class_index=WHOLE,
        class_name=TEXT,
        short_name=TEXT,
        probability=NUMBER,
        logit=NUMBER,
    ),
    "explanations": _schema(
        model=TEXT,
        image=TEXT,
        method=TEXT,
        target_index=WHOLE,
        target_name=TEXT,
        target_short_name=TEXT,
        probability=NUMBER,
        label_index=WHOLE,
        label_short_name=TEXT,
        correct=TRUTH,
        mask_shows_label=TRUTH,
        layer=TEXT,
        details=TEXT,
        undefined=TEXT,
        location=TEXT,
        key=TEXT,
    ),
    "agreement": AGREEMENT_SCHEMA,
    "agreement_summary": SUMMARY_SCHEMA,
    "layers": LAYER_SCHEMA,
    "units": UNIT_SCHEMA,
    "concept_counts": CONCEPT_SCHEMA,
    "categories": CATEGORY_SCHEMA,
    "model_differences": DIFFERENCE_SCHEMA,
    # Where a shown unit fires on an image, in shares of the width and height of what the model sees of it.
    "unit_crops": _schema(
        model=TEXT, layer=TEXT, unit=WHOLE, image=TEXT, left=NUMBER, top=NUMBER, right=NUMBER, bottom=NUMBER
    ),
    "network_dissection": NETWORK_DISSECTION_SCHEMA,
    "detectors": DETECTOR_SCHEMA,
    "contributions": CONTRIBUTION_SCHEMA,
    "findings": _schema(
        number=WHOLE,
        claim=TEXT,
        statistic=TEXT,
        value=NUMBER,
        low=NUMBER,
        high=NUMBER,
        test=TEXT,
        p_value=NUMBER,
        images=WHOLE,
        tables=TEXT,
    ),
    "skipped": _schema(what=TEXT, name=TEXT, reason=TEXT),
}
