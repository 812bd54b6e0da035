"""Python's garbage collector in a process that thousands of short-lived records pass through."""

import gc


def spare_the_collector() -> None:
    """Leave what the start made out of garbage collections, and collect less often.

    With Python's defaults a fifth of the time goes into walking over modules that never die and records that die by
    themselves.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
