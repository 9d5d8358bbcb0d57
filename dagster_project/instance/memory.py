"""Memory of a process that stays: what was loaded is no longer looked through for garbage.

Belongs here: the collector of code servers. Does not: heaps of the C library (deploy/systemd), runs, which end.
"""

import functools
import gc


@functools.cache
def what_is_loaded_stays() -> None:
    """Take what is in use now, modules above all, out of what Python's collector goes through; once a process.

    It goes through everything when a quarter of all objects are new. With 400,000 that were loaded these are ten
    minutes of looks at the bucket, and the memory of their garbage is then spread over all heaps.
    """
    gc.collect()
    gc.freeze()
    # The quarter is one of what the last full collection left.
    gc.collect()
