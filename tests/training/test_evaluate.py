"""Scores by hand: pooled, absent classes named and left out."""

import numpy as np
import pytest
from toys import toy_scenes

from models.nomenclature import COSIA
from training.evaluate import Confusion, evaluate, to_metrics, torch_predictor
from training.networks.compact import CompactSpec, CompactUNet


def test_iou_of_a_confusion_made_by_hand():
    truth_HW = np.array([[0, 0, 1, 255]], dtype=np.uint8)
    predicted_HW = np.array([[0, 1, 1, 2]], dtype=np.uint8)
    confusion = Confusion.of(truth_HW, predicted_HW, num_classes=4)
    assert confusion.counts_TP.sum() == 3  # the pixel without data counts nowhere, whatever was predicted
    np.testing.assert_array_equal(confusion.iou, [0.5, 0.5, np.nan, np.nan])
    assert confusion.miou == 0.5
    assert confusion.overall_accuracy == pytest.approx(2 / 3)


def test_a_class_only_predicted_scores_zero():
    confusion = Confusion.of(np.array([[0, 0]], np.uint8), np.array([[0, 1]], np.uint8), num_classes=3)
    np.testing.assert_array_equal(confusion.iou, [0.5, 0.0, np.nan])


def test_confusions_pool_before_they_divide():
    one = Confusion.of(np.array([[0, 1]], np.uint8), np.array([[0, 1]], np.uint8), num_classes=2)
    other = Confusion.of(np.array([[0, 0]], np.uint8), np.array([[1, 1]], np.uint8), num_classes=2)
    np.testing.assert_allclose((one + other).iou, [1 / 3, 1 / 3])


def test_values_that_are_no_class_are_refused():
    with pytest.raises(ValueError, match="no class of 2"):
        Confusion.of(np.array([[0]], np.uint8), np.array([[255]], np.uint8), num_classes=2)


def test_metrics_name_what_is_absent():
    scenes = toy_scenes()
    truths = iter(scenes.classes_NHW)
    confusion = evaluate(scenes, lambda _: np.where((t := next(truths)) == 255, 0, t), num_classes=16)
    metrics = to_metrics(confusion, scenes, nomenclature=COSIA)
    assert metrics.miou == metrics.overall_accuracy == 1.0
    assert set(metrics.iou) == {"building", "water", "deciduous"}
    assert len(metrics.absent) == 13


def test_no_scenes_is_no_score():
    with pytest.raises(ValueError, match="no scenes"):
        evaluate(toy_scenes(num_scenes=0), lambda image_CHW: image_CHW[0], num_classes=16)


def test_images_of_any_size_are_predicted():
    spec = CompactSpec(num_bands=3, num_channels=4, widths=(8, 8, 8, 8, 8), mean=(0.0,) * 3, std=(1.0,) * 3)
    predict = torch_predictor(CompactUNet(spec).eval(), channels=(3, 1, 2, 0))
    image_CHW = np.random.default_rng(0).integers(0, 255, (3, 70, 101), dtype=np.uint8)
    assert predict(image_CHW).shape == (70, 101)
    assert np.array_equal(predict(image_CHW[:, :64, :96])[:8, :8], predict(image_CHW)[:8, :8])
