"""Hadamard matrices: square, of -1 and 1, all rows and all columns orthogonal."""

from __future__ import annotations

import functools

import numpy as np

from lumiscope.types import DoubleArray


@functools.lru_cache(maxsize=32)
def hadamard(least: int) -> DoubleArray:
    """The smallest (m, m) Hadamard matrix with m >= `least` that Sylvester 1867 and Paley 1933 can construct.

    Their orders below 100 are 1, 2 and all multiples of 4 but 52 and 92. Treat it as read-only.
    """
    order = least
    while True:
        matrix = _of_order(order)
        if matrix is not None:
            matrix.setflags(write=False)
            return matrix
        order += 1


def _of_order(order: int) -> DoubleArray | None:
    """A Hadamard matrix of this very order, or None where no construction here gives one."""
    if order in (1, 2):
        return np.array([[1.0, 1.0], [1.0, -1.0]])[:order, :order]
    if order % 4:
        return None
    if _is_prime(order - 1):
        return _first_paley(order - 1)
    if _is_prime(order // 2 - 1) and order // 2 % 4 == 2:
        return _second_paley(order // 2 - 1)
    half = _of_order(order // 2)
    return None if half is None else np.kron(np.array([[1.0, 1.0], [1.0, -1.0]]), half)


def _first_paley(prime: int) -> DoubleArray:
    """Order p + 1, for a prime p = 3 modulo 4: I + S with the skew conference matrix S."""
    matrix = np.ones((prime + 1, prime + 1))
    matrix[1:, 1:] = _residues(prime) - np.eye(prime)
    return matrix


def _second_paley(prime: int) -> DoubleArray:
    """Order 2(p + 1), for a prime p = 1 modulo 4, from the symmetric conference matrix."""
    conference = np.ones((prime + 1, prime + 1))
    conference[0, 0] = 0
    conference[1:, 1:] = _residues(prime)
    inside, outside = np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([[1.0, -1.0], [-1.0, -1.0]])
    return np.asarray(np.kron(conference, inside) + np.kron(np.eye(prime + 1), outside))


def _residues(prime: int) -> DoubleArray:
    """(p, p): 1 where row - column is a square modulo p, -1 where it is none, 0 on the diagonal."""
    squares = np.arange(1, prime) ** 2 % prime
    character = np.full(prime, -1.0)
    character[squares] = 1
    character[0] = 0
    place = np.arange(prime)
    return np.asarray(character[(place[:, None] - place) % prime])


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, int(number**0.5) + 1))
