"""What is asked of a curation: names say domains, and what cannot be meant is refused beforehand."""

from dataclasses import replace

import pytest
from click.testing import CliRunner
from curated_territory import rows_of
from tiny_orthos import LEFT_M, truth, write_labels, write_ortho

from models.errors import RemediedError
from training.cli import main
from training.curation.commands import curate
from training.curation.domains import domain_of
from training.curation.request import Cut, Splitting


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shares", "70,30"], "is not three numbers"),
        (["--shares", "0,50,50"], "training has some"),
        (["--shares", "nan,50,50"], "training has some"),
        (["--block-m", "nan"], "longer than 0 m"),
        (["--nodata", "black"], "is no grey level"),
        (["--bands", "R,G"], "missing bands: blue"),
        (["--patch-px", "4096"], "--patch-px 384"),
    ],
)
def test_the_command_says_what_it_does_not_understand(asked, tmp_path, words, said):
    labels = asked.labels[0][1]
    given = [str(asked.orthos[0]), "--labels", str(labels), "--out", str(tmp_path / "set"), *words]
    result = CliRunner().invoke(main, ["curate", *given])
    assert result.exit_code != 0
    assert said in result.output, result.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cut": Cut(patch_px=1024, stride_px=1024)}, "the largest has 384"),
        ({"splitting": Splitting(block_m=1.0)}, "blocks of 1 m are smaller than a patch"),
        ({"labels": (("D077_2020", "cosia.gpkg"),)}, "no orthophoto is of D077_2020"),
        ({"domains": (("D077_2020", "elsewhere"),)}, "none of the orthophotos lies there"),
        ({"labels": (("D033_2021", "cosia.gpkg"),)}, "no labels are given for D033_2024"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(asked, tmp_path, change, said):
    here = asked.orthos[0].parent
    placed = {
        name: tuple((key, here / path) for key, path in value) if name in ("labels", "domains") else value
        for name, value in change.items()
    }
    with pytest.raises(RemediedError, match=said):
        curate(replace(asked, out=tmp_path / "set", **placed))
    assert not (tmp_path / "set").exists()


def test_labels_that_lie_elsewhere_and_bands_that_differ_are_refused(asked, tmp_path):
    away = write_labels(tmp_path / "away.tif", truth(shape=(64, 64)), left_m=LEFT_M + 9000)
    with pytest.raises(RemediedError, match=r"none is left: .* too few labels"):
        curate(replace(asked, labels=((None, away),), out=tmp_path / "set"))
    tight = replace(asked, out=tmp_path / "set", splitting=replace(asked.splitting, guard_m=500.0))
    with pytest.raises(RemediedError, match="larger blocks"):
        curate(tight)
    assert list((tmp_path / "set").iterdir()) == []  # another request may have the folder
    write_ortho(tmp_path / "o" / "rgb.tif", truth(shape=(128, 128)), num_bands=3)
    both = replace(asked, orthos=(*asked.orthos, tmp_path / "o"), out=tmp_path / "both")
    with pytest.raises(RemediedError, match="--without-nir"):
        curate(both)
    rows = rows_of(curate(replace(both, with_nir=False)).out)
    assert {row["bands"] for row in rows} == {"red green blue"}


@pytest.mark.parametrize("wrong", [{"patch_px": 8}, {"min_labelled": 0}])
def test_sizes_and_shares_are_checked(wrong):
    with pytest.raises(RemediedError):
        Cut(**wrong)
    for shares in ((0, 1, 1), (1, -1, 1)):
        with pytest.raises(RemediedError):
            Splitting(shares=shares)


@pytest.mark.parametrize(
    ("path", "date", "key"),
    [
        ("x/33-2024-0410-6425-LA93-0M20-E080.jp2", None, "D033_2024"),
        ("x/2A-2022-1190-6110-LA93-0M20-E080.jp2", None, "D02A_2022"),
        ("x/974-2022-0310-7660-RGR92-0M20-E080.jp2", None, "D974_2022"),
        ("BDORTHO_2-0_RVB-0M20_JP2-E080_LAMB93_D033_2024-01-01/a.jp2", None, "D033_2024"),
        ("lille-2019/a.tif", "2020-05-01", "lille_2019"),
        ("lille est/a.tif", "2020-05-01", "lille-est_2020"),
        ("lille/a.tif", None, "lille_undated"),
    ],
)
def test_domains_are_read_of_names_and_folders(tmp_path, path, date, key):
    assert domain_of(tmp_path / path, date=date).key == key
    told = (("D001_1999", tmp_path / "elsewhere"), ("D002_2000", None))
    assert domain_of(tmp_path / path, date=date, told=told).key == "D002_2000"
