"""Coarse classes as the sets of fine classes that they may be: data sets can then be trained on together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.nomenclature import COSIA, Nomenclature


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """One coarse class."""

    name: str
    values: frozenset[int]
    """Class values that it may be."""


@dataclass(frozen=True, kw_only=True)
class LabelSets:
    """The coarse classes of a data set; a label is the position of one of them.

    Raises:
        ValueError: A set is empty, or holds a value that the nomenclature does not.
    """

    sets: tuple[LabelSet, ...]
    nomenclature: Nomenclature = COSIA

    def __post_init__(self) -> None:
        known = {land_cover.value for land_cover in self.nomenclature.classes}
        for label_set in self.sets:
            if not label_set.values or not label_set.values <= known:
                raise ValueError(f"{label_set.name} is {set(label_set.values)}, not some of {sorted(known)}")

    def __len__(self) -> int:
        return len(self.sets)

    def members(self, channels: Sequence[int]) -> NDArray[np.bool_]:
        """Which channels of a head are in which set, bool [S, K].

        Args:
            channels: Live channel to class value.

        Raises:
            ValueError: A set has no channel: its pixels could teach nothing but infinity.
        """
        members_SK = np.array([[value in each.values for value in channels] for each in self.sets])
        has_none_S = ~members_SK.any(axis=1)
        empty = [self.sets[number].name for number in np.flatnonzero(has_none_S)]
        if empty:
            raise ValueError(f"no channel of {tuple(channels)} is in {', '.join(empty)}")
        return members_SK


def exact_sets(nomenclature: Nomenclature = COSIA) -> LabelSets:
    """Every class alone: for data whose labels are the classes themselves."""
    return LabelSets(
        sets=tuple(
            LabelSet(name=land_cover.slug, values=frozenset({land_cover.value}))
            for land_cover in nomenclature.classes
        ),
        nomenclature=nomenclature,
    )


def label_sets(nomenclature: Nomenclature = COSIA, /, **values: Sequence[int]) -> LabelSets:
    """Sets by name, in the order given."""
    return LabelSets(
        sets=tuple(LabelSet(name=name, values=frozenset(members)) for name, members in values.items()),
        nomenclature=nomenclature,
    )
