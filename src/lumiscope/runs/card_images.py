"""How many images the card of a unit shows: the study crops so many to where the unit fires."""

TOP_IMAGES = 8  # on which it is most active
COUNTER_EXAMPLES = 4  # of either kind
