"""Drift beside loss: what is measured of each target, and what it foretells."""

import dataclasses

import numpy as np
import pytest
from benchmark_toys import case, outcome, source

from training.benchmark.drifts import drift_of, tell_drifts
from training.benchmark.report import write_tables
from training.benchmark.summary import Results


def moved(source_, offset):
    images = [(image.astype(int) + offset).clip(1, 255).astype(np.uint8) for image in source_.images]
    return dataclasses.replace(source_, images=images)


def test_images_of_the_source_s_kind_are_near_and_others_are_far():
    learned = source(seed=0, num_images=4)
    home, away = (drift_of(moved(source(seed=9), offset).images, learned) for offset in (0, 70))
    assert not home.is_far
    assert away.is_far
    assert away.value > 5 * home.value


def test_domains_are_compared_with_where_there_are_several():
    learned = dataclasses.replace(source(seed=0, num_images=4), domains=("east", "east", "west", "west"))
    assert drift_of(source(seed=9).images, learned).nearest in {"east", "west"}


def test_what_drifts_more_loses_more_or_not_and_both_are_told():
    """Five targets whose loss follows their drift, and the same with the order of losses turned round."""
    rows = [("naip_seasons", f"tile{number}_new") for number in range(5)]
    cases = {
        row: dataclasses.replace(case(target=row[1]), pool=moved(source(seed=1), 20 * number), in_domain=None)
        for number, row in enumerate(rows)
    }
    for losses, expected in (((0.0, 0.1, 0.2, 0.3, 0.4), 1.0), ((0.4, 0.3, 0.2, 0.1, 0.0), -1.0)):
        outcomes = [outcome(row, "O", 0.8) for row in rows]
        outcomes += [outcome(row, "S1", 0.8 - loss) for row, loss in zip(rows, losses, strict=True)]
        told = tell_drifts(Results.of(outcomes), cases)
        assert told["spearman"] == pytest.approx(expected)
        assert told["hits"]["of"] + told["false_alarms"]["of"] == len(rows)
        table = write_tables({}, told)
        assert all(row[1] in table for row in rows)


def test_a_target_that_has_not_been_run_is_not_told():
    row = ("naip_seasons", "one")
    told = tell_drifts(Results.of([outcome(row, "S1", 0.5)]), {row: case()})
    assert (told["targets"], told["spearman"]) == ({}, None)
