"""Where a service keeps what its comparisons found, by the name of the collection."""

STATED = "stated"  # an owner's closed hours: what the histories and the topic held
COMPARED = "compared"  # a consumer's closed hours, part by part: what was applied
ASTRAY = "astray"  # what the rounds through all aggregates found wrong, by aggregate
MARKS = "reconciliation"  # how far everything has come
