"""What was curated can be trained on and judged by: splits are kept, held-out ground is out at every date."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from tiny_orthos import GSD_M, LEFT_M, truth, write_cosia, write_ortho
from toys import toy_recipe

from training import runfolder
from training.cli import main
from training.data.curated import away_from, load_curated, read_labels, read_sample
from training.data.errors import DataError, FileMissing, LayoutUnknown, SplitsOverlap
from training.data.ground import widened
from training.data.lazy import Decoded
from training.data.samples import of_split
from training.data.sources import load_source
from training.exact import exact_scores, is_exact
from training.recipes import LANDSCAPES, RECIPES, finding
from training.recipes.recipe import Share
from training.territory.calibrating import labelled_set

BANDS = ("red", "green", "blue", "nir")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A set that the command made of one place at two dates, without near infrared, and of another place."""
    place = tmp_path_factory.mktemp("territory")
    classes_HW = truth(shape=(256, 320))
    for name, left_px in {"33-2024-a": 0, "33-2021-a": 30, "34-2024-b": 400}.items():
        path = place / "orthos" / f"{name}.tif"
        write_ortho(path, classes_HW, num_bands=3, left_m=LEFT_M + left_px * GSD_M)
    write_cosia(place / "cosia.gpkg", truth(shape=(256, 736)))
    words = [
        "curate",
        str(place / "orthos"),
        "--labels",
        str(place / "cosia.gpkg"),
        "--out",
        str(place / "set"),
    ]
    words += ["--patch-px", "64", "--block-m", "20", "--guard-m", "1", "--shares", "60,20,20"]
    words += ["--licence", "etalab-2.0", "--credit", "IGN, CoSIA."]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "| D033_2024 |" in result.output
    assert f"patches in {place / 'set'}" in result.output
    return place / "set"


def test_samples_are_those_of_the_table_in_its_splits(folder):
    data = load_curated(folder)
    assert data.bands == ("red", "green", "blue")
    assert {sample.domain.key for sample in data.samples} == {"D033_2021", "D033_2024", "D034_2024"}
    assert all(of_split(data.samples, split) for split in ("train", "validation", "test"))
    pixels = read_sample(data.samples[0])
    assert (pixels.image_CHW.shape, pixels.labels_HW.shape) == ((3, 64, 64), (64, 64))
    assert set(np.unique(pixels.labels_HW)) <= {0, 6, 12, 255}


def test_a_source_trains_on_one_split_and_is_judged_on_the_others(folder):
    data = load_curated(folder)
    train, judged = load_source("curated", folder, bands=BANDS, held_out=())
    assert len(train) == len(of_split(data.samples, "train"))
    assert len(train) + len(judged) == len(data.samples)
    assert set(train.domains) <= {"D033_2021", "D033_2024", "D034_2024"}
    assert all(domain.endswith((", validation", ", test")) for domain in judged.domains)
    assert train.absent == (3,)
    assert not train.images[0][3].any()
    assert train.images[0].shape == (4, 64, 64)
    assert is_exact(train.sets)
    assert train.credit == "IGN, CoSIA. Licence: etalab-2.0."
    assert len(train.fingerprint()) == 64


def test_confidences_are_fitted_on_the_validation_split(folder):
    source = labelled_set("curated", folder, bands=BANDS)
    assert len(source) == len(of_split(load_curated(folder).samples, "validation"))
    assert all(domain.endswith(", validation") for domain in source.domains)


def test_a_domain_held_out_takes_its_ground_at_other_dates_with_it(folder):
    data = load_curated(folder)
    train, judged = load_source("curated", folder, bands=BANDS, held_out=("D033_2021",))
    away = [sample for sample in data.samples if sample.domain.key == "D033_2021"]
    boxes = [widened(sample.box, data.guard_m) for sample in away]
    kept = [
        sample
        for sample in of_split(data.samples, "train")
        if sample.domain.key != "D033_2021"
        and not any(
            max(sample.box[0], box[0]) < min(sample.box[2], box[2])
            and max(sample.box[1], box[1]) < min(sample.box[3], box[3])
            for box in boxes
        )
    ]
    assert list(train.domains) == [sample.domain.key for sample in kept]
    assert judged.domains.count("D033_2021") == len(boxes)
    with pytest.raises(DataError, match="no domain D099_2020"):
        load_source("curated", folder, bands=BANDS, held_out=("D099_2020",))
    elsewhere = [sample for sample in data.samples if sample.domain.key == "D034_2024"]  # 10 m away and more
    assert len(away_from(elsewhere, away, guard_m=5)) == len(elsewhere)
    assert 0 < len(away_from(elsewhere, away, guard_m=15)) < len(elsewhere)


def test_patches_are_decoded_when_asked_for_and_kept_while_there_is_room(folder):
    samples, read = load_curated(folder).samples[:3], []

    def decode(sample):
        read.append(sample.name)
        return read_labels(sample)

    decoded = Decoded(samples, decode, most_bytes=64 * 64)
    assert (len(decoded), read) == (3, [])
    for _ in range(2):
        assert np.array_equal(decoded[0], read_labels(samples[0]))
        assert np.array_equal(decoded[-1], read_labels(samples[2]))
    assert read == [samples[0].name, samples[2].name, samples[2].name]
    assert len(decoded[1:]) == 2
    with pytest.raises(IndexError):
        decoded[3]


def test_a_set_that_is_none_or_was_changed_is_refused(folder, tmp_path):
    with pytest.raises(LayoutUnknown, match=r"has no curation\.json"):
        load_curated(tmp_path)
    (tmp_path / "curation.json").write_text((folder / "curation.json").read_text())
    with pytest.raises(LayoutUnknown, match=r"has no metadata\.csv"):
        load_curated(tmp_path)
    table = (folder / "metadata.csv").read_text()
    (tmp_path / "metadata.csv").write_text(table)
    with pytest.raises(FileMissing, match="is not there"):
        load_curated(tmp_path)
    for domain in ("D033_2021", "D033_2024", "D034_2024"):
        (tmp_path / domain).symlink_to(folder / domain)
    assert len(load_curated(tmp_path).samples) == len(table.splitlines()) - 1
    rows = [line.split(",") for line in table.splitlines()]
    first = next(row for row in rows if row[4] == "train" and row[1] == "D033_2021")
    other = next(row for row in rows if row[5] == first[5] and row[1] == "D033_2024")  # at another date
    other[4] = "test"
    (tmp_path / "metadata.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
    with pytest.raises(SplitsOverlap):
        load_curated(tmp_path)


def test_the_shipped_recipe_names_the_source():
    recipe = RECIPES["curated_compact"]()
    assert {share.source for share in recipe.shares} == {LANDSCAPES, "curated"}


def test_a_run_is_fitted_and_judged_by_commands(folder, tmp_path, monkeypatch):
    shares = (Share(source=LANDSCAPES, num_samples=1), Share(source="curated", num_samples=2))
    monkeypatch.setattr(
        finding, "RECIPES", {"curated_compact": lambda: toy_recipe(name="curated_compact", shares=shares)}
    )
    monkeypatch.setattr(runfolder, "CACHE_FOLDER", tmp_path / "scenes")
    run, data = str(tmp_path / "run"), ["--data", f"curated={folder}"]
    words = ["fit", "curated_compact", "--out", run, "--steps", "2", "--processes", "1", *data]
    fitted = CliRunner().invoke(main, words)
    assert fitted.exit_code == 0, fitted.output
    result = CliRunner().invoke(main, ["evaluate", run, *data])
    assert result.exit_code == 0, result.output
    assert "D033_2024, test: mIoU" in result.output
    assert "generated landscapes, RGBI: mIoU" in result.output


def test_scores_count_pixels_of_the_judged_ground(folder):
    class Same:
        """Says of each image what stands in a list."""

    train, judged = load_source("curated", folder, bands=BANDS, held_out=())
    told = iter(
        [
            labels_HW
            for domain in sorted(set(judged.domains))
            for labels_HW in judged.of_domains({domain}).labels
        ]
    )
    network = Same()
    recipe = toy_recipe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.exact.torch_predictor", lambda *_, **__: lambda _image: next(told))
        scores = exact_scores(
            network,
            {"curated": (train, replace(judged))},
            channels=recipe.channels,
            nomenclature=judged.sets.nomenclature,
        )
    assert set(scores) == set(judged.domains)
    assert all(score.miou == score.accuracy == 1.0 for score in scores.values())
    assert sum(score.num_images for score in scores.values()) == len(judged)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("{broken", "is no JSON"),
        ('{"format": 1}', "cannot be understood"),
        ('{"format": 2}', "this version reads 1"),
    ],
)
def test_a_note_that_tells_nothing_is_refused_with_a_remedy(note, said, tmp_path):
    (tmp_path / "curation.json").write_text(note)
    (tmp_path / "metadata.csv").write_text("id\n")
    with pytest.raises(DataError, match=said) as refused:
        load_curated(tmp_path)
    assert refused.value.remedy
