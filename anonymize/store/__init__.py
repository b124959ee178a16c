"""The store of scrubbed traces: Parquet on disk, manifests as the only way in."""

from anonymize.store.place import beside, change_beside, open_place
from anonymize.store.reader import Store
from anonymize.store.schema import SCHEMA_VERSION, Table
from anonymize.store.summary import PartitionSummary, StoreSummary
from anonymize.store.tombstones import Tombstone, read_tombstones
from anonymize.store.writer import (
    CompactSummary,
    PruneSummary,
    RemoveSummary,
    StoreWriter,
    WriteSummary,
)

__all__ = [
    "SCHEMA_VERSION",
    "CompactSummary",
    "PartitionSummary",
    "PruneSummary",
    "RemoveSummary",
    "Store",
    "StoreSummary",
    "StoreWriter",
    "Table",
    "Tombstone",
    "WriteSummary",
    "beside",
    "change_beside",
    "open_place",
    "read_tombstones",
]
