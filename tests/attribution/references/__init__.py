"""Slow, plain re-implementations of every method. Importing this package registers them with `@replicates`.

`REFERENCES`: what the tests in this folder ask for more than values, by method; the arguments differ by family.
"""

from attribution.references import baselines, cams, gradients, lime, perturbation

REFERENCES = {
    **baselines.REFERENCES,
    **cams.REFERENCES,
    **gradients.REFERENCES,
    **lime.REFERENCES,
    **perturbation.REFERENCES,
}
