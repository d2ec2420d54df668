"""Coarse classes as the sets of fine classes that they may be: data sets can then be trained on together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.nomenclature import COSIA, Nomenclature


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """One coarse class."""

    name: str
    values: frozenset[int]
    """Class values that it may be."""
    shares: Mapping[int, float] = field(default_factory=dict)
    """Of the ground of a class, the share that is given this label; 1 where nothing is said."""


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
            if not all(0 < share <= 1 for share in label_set.shares.values()):
                raise ValueError(f"{label_set.name} has shares {dict(label_set.shares)}, not of 0 to 1")

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

    def shares(self, channels: Sequence[int]) -> NDArray[np.float32]:
        """Of the ground of each channel's class, the share given each label, float32 [S, K].

        Where a class stands under several labels these are what keeps it from being the answer to all of
        them: see ``training.losses.partial_label_loss``.

        Raises:
            ValueError: As `members`.
        """
        members_SK = self.members(channels)
        told_SK = [[each.shares.get(value, 1.0) for value in channels] for each in self.sets]
        shares_SK: NDArray[np.float32] = np.where(members_SK, told_SK, 0.0).astype(np.float32)
        return shares_SK


def exact_sets(nomenclature: Nomenclature = COSIA) -> LabelSets:
    """Every class alone: for data whose labels are the classes themselves."""
    return LabelSets(
        sets=tuple(
            LabelSet(name=land_cover.slug, values=frozenset({land_cover.value}))
            for land_cover in nomenclature.classes
        ),
        nomenclature=nomenclature,
    )


def label_sets(
    nomenclature: Nomenclature = COSIA, /, **values: Sequence[int] | Mapping[int, float]
) -> LabelSets:
    """Sets by name, in the order given: class values, with the share of each where it is less than one."""
    sets = [
        LabelSet(
            name=name,
            values=frozenset(members),
            shares=dict(members) if isinstance(members, Mapping) else {},
        )
        for name, members in values.items()
    ]
    return LabelSets(sets=tuple(sets), nomenclature=nomenclature)
