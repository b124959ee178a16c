"""Processes that hold raw data: hardened, limited, and gone when their parent is.

:mod:`~anonymize.guarded.host` runs in the child, :mod:`~anonymize.guarded.nursery` is the
parent's handle on it. :mod:`anonymize.workers` is what the rest of the package uses.
"""
