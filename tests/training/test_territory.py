"""From an artefact and orthophotos to a new artefact; labels judge, and never teach."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_territory import (
    GSD_M,
    LEFT_M,
    draw_scenes,
    make_artefact,
    truth,
    without_exporter,
    write_class_raster,
    write_cosia,
    write_ortho,
)
from toys import EXPORTS

from models.artefact import Artefact
from training.adaptation.checkpoints import Checkpoint
from training.data.errors import FileUnexpected
from training.data.label_sets import label_sets
from training.data.orthos import Reading, open_orthos
from training.data.sources import Source
from training.export import run_graph
from training.territory import methods, task
from training.territory.calibrating import CalibrationRequest, _halves, calibrate_artefact
from training.territory.commands import adapt_artefact
from training.territory.errors import AdaptationError
from training.territory.notes import write_note
from training.territory.pieces import read_pieces
from training.territory.request import Request, name_of

pytestmark = EXPORTS


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An artefact, generated scenes, and a source in a folder."""
    folder = tmp_path_factory.mktemp("house")
    make_artefact(folder)
    draw_scenes(folder / "scenes")
    for number in range(2):
        classes_HW = truth(shape=(128, 128), seed=number)
        write_ortho(folder / "source" / "images" / f"{number}.tif", classes_HW=classes_HW, darker=0)
        write_class_raster(folder / "source" / "labels" / f"{number}.tif", classes_HW)
    return folder


@pytest.fixture(autouse=True)
def few_crops(monkeypatch):
    """Toys have little to take statistics of."""
    monkeypatch.setattr(methods, "NUM_CROPS", 4)


@pytest.fixture
def light(monkeypatch):
    """What is asked for is in the weights, not in the graph."""
    without_exporter(monkeypatch)


@pytest.fixture
def asked(house, tmp_path):
    """A request on a territory without near infrared, whose first rows have no data."""
    write_ortho(tmp_path / "orthos" / "a.tif", classes_HW=truth(), nodata_rows=10)
    return Request(
        artefact=str(house / "artefacts" / "toy-rgbi"),
        target=tmp_path / "orthos",
        num_steps=2,
        num_scenes=3,
        into=tmp_path / "into",
        out=tmp_path / "run",
        cache=house / "scenes",
    )


def weights(adapted):
    return adapted.artefact.file_of("weights").read_bytes()


@pytest.mark.parametrize(
    ("source", "method"),
    [
        ("landscapes", None),
        ("landscapes", "em_priors"),
        ("folder", "fda"),
        ("none", None),
        ("none", "em_priors"),
        ("none", "self_training"),
    ],
)
def test_each_kind_of_source_gives_a_sound_artefact_that_can_go_on(asked, house, source, method, monkeypatch):
    monkeypatch.setattr(task, "_SURE_PERCENT", 1)  # a toy is sure of nothing
    said = str(house / "source") if source == "folder" else source
    adapted = adapt_artefact(replace(asked, source=said, method=method))
    artefact = Artefact.load(adapted.artefact.folder)
    manifest = artefact.manifest
    assert manifest.key == "toy-rgbi-orthos@0.1.0"
    assert manifest.inputs[0].bands == ("red", "green", "blue")
    assert "orthos" in manifest.domains
    golden = artefact.golden()
    classes_NHW, _, _ = run_graph(artefact.model_path(), golden.image_NCHW)
    assert np.array_equal(classes_NHW, golden.classes_NHW)
    assert weights(adapted) != Artefact.load(house / "artefacts" / "toy-rgbi").file_of("weights").read_bytes()
    assert "toy-rgbi@0.1.0" in artefact.card()
    assert (adapted.run / "evidence.json").exists()
    if method is not None:
        return
    without_exporter(monkeypatch)
    again = adapt_artefact(
        replace(
            asked,
            artefact=manifest.key,
            source="none",
            method="adabn",
            model_id="again",
            out=asked.out / "again",
        )
    )
    assert again.artefact.manifest.training.recipe == f"adabn from {manifest.key}"


@pytest.mark.usefixtures("light")
def test_labels_judge_and_never_teach(asked, tmp_path):
    true_HW = truth()
    told = {
        "right": true_HW,
        "wrong": np.array([6, 12, 0], dtype=np.uint8)[np.searchsorted([0, 6, 12], true_HW)],
    }
    adapted = {
        name: adapt_artefact(
            replace(
                asked,
                labels=write_cosia(tmp_path / f"{name}.gpkg", classes_HW),
                into=tmp_path / name,
                out=tmp_path / f"run-{name}",
            )
        )
        for name, classes_HW in told.items()
    }
    assert weights(adapted["right"]) == weights(adapted["wrong"])
    right, wrong = (adapted[name].evidence for name in told)
    assert right.after.num_pixels == wrong.after.num_pixels
    assert right.after.iou != wrong.after.iou
    assert right.is_held_out
    card = adapted["right"].artefact.card()
    assert f"| mIoU | {right.before.miou:.3f} | {right.after.miou:.3f} |" in card
    assert adapted["right"].artefact.manifest.metrics["orthos, held out"] == right.after


def test_held_out_ground_is_never_adapted_on_whichever_orthophoto_shows_it(asked, tmp_path):
    write_ortho(tmp_path / "orthos" / "b.tif", classes_HW=truth(), left_m=LEFT_M + 128 * GSD_M)
    write_cosia(tmp_path / "labels.gpkg", truth())
    bands = ("red", "green", "blue", "nir")
    orthos = open_orthos(asked.target, bands=bands, gsd_m=_range())
    from training.data.annotations import open_annotations  # noqa: PLC0415

    pieces = read_pieces(orthos, bands, annotations=open_annotations(tmp_path / "labels.gpkg"), seed=0)
    ground = [_bounds(piece) for piece in (*pieces.adapted_on, *pieces.held_out)]
    assert pieces.held_out
    assert all(piece.is_labelled for piece in pieces.held_out)
    for position, one in enumerate(ground):
        for other in ground[position + 1 :]:
            assert min(one[2], other[2]) <= max(one[0], other[0]) or min(one[3], other[3]) <= max(
                one[1], other[1]
            )


@pytest.mark.usefixtures("light")
def test_a_run_that_was_stopped_gives_the_very_weights_of_one_that_was_not(asked, tmp_path, monkeypatch):
    class Often(Checkpoint):
        def __init__(self, path, *, every_s, num_steps):
            super().__init__(path, every_s=0.0 * every_s, num_steps=num_steps)

    monkeypatch.setattr(task, "Checkpoint", Often)

    def stop(what, done, _of):
        if (what, done) == ("adapting", 2):
            raise KeyboardInterrupt

    asked = replace(asked, num_steps=3)
    with pytest.raises(KeyboardInterrupt):
        adapt_artefact(asked, each_part=stop)
    steps = []
    resumed = adapt_artefact(asked, each_part=lambda what, done, _: steps.append((what, done)))
    assert [done for what, done in steps if what == "adapting"] == [2, 3]
    whole = adapt_artefact(replace(asked, out=tmp_path / "whole", into=tmp_path / "other"))
    assert weights(resumed) == weights(whole)
    with pytest.raises(AdaptationError, match="its method differ"):
        adapt_artefact(replace(asked, method="erm"))


def test_a_note_of_another_version_is_refused_with_what_it_has_more(tmp_path):
    write_note(tmp_path, {"seed": 0, "of_before": 1})
    with pytest.raises(AdaptationError, match="its of_before differ"):
        write_note(tmp_path, {"seed": 0})


@pytest.mark.usefixtures("light")
def test_minutes_become_steps_that_a_resumed_run_keeps(asked):
    asked = replace(asked, num_steps=None, seconds=0.5, method="erm")
    adapt_artefact(asked)
    noted = json.loads((asked.out / "adaptation.json").read_text())["num_steps"]
    assert noted >= 1
    again = adapt_artefact(asked)
    assert json.loads((asked.out / "adaptation.json").read_text())["num_steps"] == noted
    assert again.artefact.manifest.version == "0.2.0"
    assert again.artefact.folder != asked.into / "toy-rgbi-orthos"


@pytest.mark.usefixtures("light")
def test_near_infrared_is_read_from_its_twin(asked, tmp_path):
    twin = np.stack([np.full((256, 384), value, dtype=np.uint8) for value in (77, 20, 30)])
    import rasterio  # noqa: PLC0415

    with rasterio.open(tmp_path / "orthos" / "a.tif") as file:
        profile = file.profile
    (tmp_path / "irc").mkdir()
    with rasterio.open(tmp_path / "irc" / "a_irc.tif", "w", **profile) as file:
        file.write(twin)
    bands = ("red", "green", "blue", "nir")
    orthos = open_orthos(asked.target, bands=bands, gsd_m=_range(), how=Reading(irc=tmp_path / "irc"))
    assert orthos[0].bands == bands
    [piece] = read_pieces(orthos, bands, annotations=None, seed=0).adapted_on
    assert (piece.image_CHW[3, 10:] == 77).all()
    assert not piece.image_CHW[:, :10].any()
    assert (
        adapt_artefact(replace(asked, source="none", irc=tmp_path / "irc")).artefact.manifest.inputs[0].bands
        == bands
    )


@pytest.mark.usefixtures("light")
def test_a_twin_among_the_orthophotos_is_their_near_infrared_or_refused_never_their_red(asked):
    classes_HW = truth()
    write_ortho(asked.target / "a-IRC.tif", classes_HW=classes_HW)
    bands = ("red", "green", "blue", "nir")
    [ortho] = open_orthos(asked.target, bands=bands, gsd_m=_range(), how=Reading(irc=asked.target))
    assert (ortho.path.name, ortho.bands) == ("a.tif", bands)
    with pytest.raises(FileUnexpected, match="missing bands: blue") as refused:
        open_orthos(asked.target, bands=bands, gsd_m=_range())
    assert "--irc" in refused.value.remedy
    said = Reading(bands_option="RGB")
    assert len(open_orthos(asked.target, bands=bands[:3], gsd_m=_range(), how=said)) == 2


@pytest.mark.usefixtures("light")
def test_what_orthophotos_do_not_say_is_said_in_options_and_told_on_the_card(asked, tmp_path):
    classes_HW = truth()
    write_ortho(tmp_path / "bgr" / "a.tif", classes_HW=classes_HW)
    made = adapt_artefact(
        replace(
            asked,
            target=tmp_path / "bgr",
            source="none",
            bands_option="B,G,R",
            nodata=None,
            out=tmp_path / "b",
        )
    )
    assert "--bands B,G,R --nodata none" in made.artefact.card()
    plain, turned = (
        read_pieces(
            open_orthos(tmp_path / "bgr", bands=("red", "green", "blue"), gsd_m=_range(), how=how),
            ("red", "green", "blue"),
            annotations=None,
            seed=0,
        ).adapted_on[0]
        for how in (Reading(), Reading(bands_option="B,G,R"))
    )
    assert np.array_equal(plain.image_CHW, turned.image_CHW[::-1])


def test_what_cannot_be_adapted_is_refused_with_a_remedy(asked, house, tmp_path):
    (tmp_path / "empty").mkdir()
    write_ortho(tmp_path / "coarse.tif", classes_HW=truth(), gsd_m=5.0)
    write_ortho(tmp_path / "grey.tif", classes_HW=truth(), num_bands=1)
    write_ortho(tmp_path / "two" / "a.tif", classes_HW=truth())
    write_ortho(tmp_path / "two" / "b.tif", classes_HW=truth(), crs="EPSG:32631")
    for name, latitude in (("a", 46), ("b", 49)):
        own = f"+proj=laea +lat_0={latitude} +lon_0=3 +x_0=652000 +y_0=6862000 +ellps=GRS80"
        write_ortho(tmp_path / "codeless" / f"{name}.tif", classes_HW=truth(), crs=own)
    write_cosia(tmp_path / "far.gpkg", truth(), left_m=LEFT_M + 50_000.0)
    (tmp_path / "halves" / "images").mkdir(parents=True)
    bare = make_bare(house, tmp_path)
    for changes, said in (
        ({"target": tmp_path / "nowhere"}, "does not exist"),
        ({"target": tmp_path / "empty"}, "holds no orthophoto"),
        ({"target": tmp_path / "coarse.tif"}, "pixels of 5 m"),
        ({"target": tmp_path / "grey.tif"}, "missing bands"),
        ({"target": tmp_path / "two"}, "EPSG:32631"),
        ({"target": tmp_path / "codeless"}, "is in one without a code"),
        ({"labels": tmp_path / "far.gpkg"}, "cover none of the"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"method": "fda", "source": "none"}, "--source is none"),
        ({"source": str(tmp_path / "halves")}, "labels is not there"),
        ({"source": "magic=."}, "no data set 'magic'"),
        ({"source": "dubai=nowhere"}, "nowhere is not a folder"),
        ({"artefact": str(bare)}, "carries no weights"),
        ({"artefact": "nothing"}, "no model 'nothing'"),
    ):
        from models.errors import RemediedError  # noqa: PLC0415

        with pytest.raises(RemediedError, match=said) as refused:
            adapt_artefact(replace(asked, **changes))
        assert refused.value.remedy, said


@pytest.mark.usefixtures("light")
def test_an_artefact_that_always_read_near_infrared_is_not_served_without(asked, tmp_path):
    make_artefact(tmp_path, model_id="always", nir_drop_share=0.0)
    with pytest.raises(AdaptationError, match="reads nir"):
        adapt_artefact(replace(asked, artefact=str(tmp_path / "artefacts" / "always")))


def test_calibration_keeps_the_weights_and_tells_both_errors(asked, house, tmp_path, caplog):
    write_cosia(tmp_path / "labels.gpkg", truth())
    made = calibrate_artefact(
        CalibrationRequest(
            artefact=asked.artefact, target=asked.target, labels=tmp_path / "labels.gpkg", into=asked.into
        )
    )
    before = Artefact.load(house / "artefacts" / "toy-rgbi")
    assert made.artefact.file_of("weights").read_bytes() == before.file_of("weights").read_bytes()
    assert made.artefact.manifest.temperature == made.temperature
    assert made.ece < made.ece_before
    assert f"| {made.ece_before:.4f} | {made.ece:.4f} |" in made.artefact.card()
    assert "toy-rgbi@0.1.0 reads nir, which orthos lacks" in caplog.text
    assert "Images there have no nir: the band stood at its mean." in made.artefact.card()
    with pytest.raises(AdaptationError, match="nothing to calibrate on"):
        calibrate_artefact(CalibrationRequest(artefact=asked.artefact, into=asked.into))


@pytest.mark.parametrize("seed", range(4))
def test_calibration_is_judged_on_other_ground_than_it_is_fitted_on(seed):
    grounds = [(col, row) for col in range(5) for row in range(3)]
    rng = np.random.default_rng(seed)
    labels = [np.full((2, 2), 255 if rank == 7 else 0, np.uint8) for rank in range(len(grounds))]
    one = Source(
        name="one",
        images=[np.array([[[col]], [[row]]], np.uint8) for col, row in grounds],
        labels=labels,
        domains=("sheet.tif",) * len(grounds),
        sets=label_sets(building=(0,)),
    )
    halves = [[tuple(image.ravel().tolist()) for image in half.images] for half in _halves(one, seed=seed)]
    assert sorted(halves[0] + halves[1]) == [ground for ground in grounds if ground != grounds[7]]
    west, east = sorted(halves)
    assert max(west) < min(east)
    assert len(west) == len(east)
    several = replace(one, domains=tuple(str(rng.integers(4)) for _ in grounds))
    fitted_on, judged_on = _halves(several, seed=seed)
    assert not set(fitted_on.domains) & set(judged_on.domains)
    with pytest.raises(AdaptationError, match="1 labelled image"):
        _halves(replace(one, labels=[*labels[:1], *[labels[7]] * (len(grounds) - 1)]), seed=seed)


def test_a_territory_has_the_name_of_its_folder_however_that_is_spelled(tmp_path, monkeypatch):
    (tmp_path / "gironde-0.2m" / "west").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "gironde-0.2m")
    for place in (".", "west/..", tmp_path / "gironde-0.2m"):
        assert name_of(Path(place)) == "gironde-0.2m"
    assert name_of(Path("sheet.v2.tif")) == "sheet.v2"


def make_bare(house, tmp_path):
    """The artefact without its weights."""
    artefact = Artefact.load(house / "artefacts" / "toy-rgbi")
    bare = tmp_path / "bare"
    bare.mkdir()
    kept = {n: s for n, s in artefact.manifest.files.items() if s.role not in ("weights", "recipe")}
    for name in kept:
        (bare / name).write_bytes((artefact.folder / name).read_bytes())
    manifest = artefact.manifest.model_copy(update={"files": kept})
    (bare / "manifest.json").write_text(manifest.model_dump_json())
    return bare


def _range():
    from models.manifest import Range  # noqa: PLC0415

    return Range(min=0.15, max=0.5, nominal=0.2)


def _bounds(piece):
    a, _, c, _, e, f = piece.transform
    height, width = piece.image_CHW.shape[1:]
    return round(c, 3), round(f + e * height, 3), round(c + a * width, 3), round(f, 3)
