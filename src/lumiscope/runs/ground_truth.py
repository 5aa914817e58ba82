"""The true mask of an image, as the tables name it where the masks of methods stand beside it."""

GROUND_TRUTH = "ground_truth"  # in the columns of methods
VOID = "void"  # beside it: where the true mask leaves open what a pixel shows, which no comparison with it counts
TRUTH_RULE = "given"  # in those of mask rules
