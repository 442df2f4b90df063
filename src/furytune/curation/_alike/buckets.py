"""Finds the questions that are worth comparing, without comparing each with each.

Questions that ask the same share a key: the digest of their words without one, or a band of a MinHash signature. All keys
are whole numbers computed from the texts alone, so they are the same on every machine and for every order.

Source: A. Z. Broder, "On the resemblance and containment of documents" (1997); the bands as in J. Leskovec, A. Rajaraman,
J. D. Ullman, "Mining of Massive Datasets", chapter 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["minhash_keys", "mixed", "shared_buckets", "sign_keys"]

_BANDS = 16
_PIECE = 1 << 16  # questions at a time, so that the memory for their hashes stays small
_TABLES = 24
_BITS = 14


def mixed(numbers: Any, salt: int = 0) -> Any:
    """Returns a hash of each 64-bit number: the last step of splitmix64.

    Source: https://prng.di.unimi.it/splitmix64.c
    """
    import numpy as np

    with np.errstate(over="ignore"):
        z = np.asarray(numbers, dtype=np.uint64) + np.uint64((0x9E3779B97F4A7C15 * (salt + 1)) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def minhash_keys(hashes: Any, starts: Any, rows: int) -> Any:
    """Returns the keys of sets: one column for each band of their MinHash signatures.

    Args:
        hashes: Hashes of the members of all sets, one set after the other.
        starts: Where each set begins; no set is empty.
        rows: How many minima make up a band. The more there are, the more alike two sets must be to share a band.
    """
    import numpy as np

    keys = np.zeros((len(starts), _BANDS), dtype=np.uint64)
    ends = np.append(starts[1:], len(hashes))
    for first in range(0, len(starts), _PIECE):
        last = min(first + _PIECE, len(starts))
        part = hashes[starts[first] : ends[last - 1]]
        at = starts[first:last] - starts[first]
        for band in range(_BANDS):
            key = np.full(last - first, band, dtype=np.uint64)
            for row in range(rows):
                least = np.minimum.reduceat(mixed(part, band * rows + row), at)
                key = mixed(key ^ least)
            keys[first:last, band] = key
    return keys


def sign_keys(vectors: Any) -> Any:
    """Returns the keys of vectors: in each table, on which sides of some random planes a vector lies.

    Small angles seldom lie on different sides. The vectors are whole numbers, so every sum is exact.

    Source: M. S. Charikar, "Similarity estimation techniques from rounding algorithms" (2002).
    """
    import numpy as np

    size = vectors.shape[1]
    # Signs from a hash, because NumPy does not promise the same random numbers for ever.
    signs = mixed(np.arange(size * _TABLES * _BITS, dtype=np.uint64), 7) >> np.uint64(63)
    planes = (signs.astype(np.float64) * 2 - 1).reshape(size, _TABLES * _BITS)
    keys = np.zeros((len(vectors), _TABLES), dtype=np.uint64)
    weights = np.uint64(1) << np.arange(_BITS, dtype=np.uint64)
    for first in range(0, len(vectors), _PIECE // 8):
        part = slice(first, first + _PIECE // 8)
        # Whole numbers far below 2**53, so the order of the sum does not matter.
        above = vectors[part].astype(np.float64) @ planes > 0
        bits = (above.reshape(-1, _TABLES, _BITS) * weights).sum(axis=2, dtype=np.uint64)
        keys[part] = mixed(bits) ^ mixed(np.arange(_TABLES, dtype=np.uint64), 3)
    return keys


def shared_buckets(keys: Any, owners: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Finds the keys that several owners have.

    Args:
        keys: A key of an owner.
        owners: Its owner, a number from 0.

    Returns:
        Numbers of shared keys, sorted by owner, and their owners.
    """
    import numpy as np

    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = keys[1:] != keys[:-1]
    bucket = np.cumsum(new) - 1
    several = np.bincount(bucket)[bucket] > 1 if len(keys) else np.zeros(0, dtype=bool)
    bucket, owners = bucket[several], owners[several]
    order = np.argsort(owners, kind="stable")
    return bucket[order], owners[order]
