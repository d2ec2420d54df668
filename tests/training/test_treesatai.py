"""TreeSatAI's patches teach that their green pixels are trees, and nothing where trees do not cover them."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from training.data.errors import FileMissing, FileUnexpected, LayoutUnknown
from training.data.samples import IGNORED
from training.data.sources import load_source
from training.data.treesatai import load_treesatai, read_forest

HEADER = "aerial_name,sen_name,aerial_date,Betula,Cleared,Quercus,Larix"
NIR, GREEN, BLUE, RED = 180, 90, 80, 60


def write_patch(root, name, *, bands=(NIR, GREEN, BLUE, RED), side=8):
    """A patch of one colour, in the stored order; its first row is a track that reflects all alike."""
    pixels_CHW = np.full((len(bands), side, side), np.array(bands)[:, None, None], dtype=np.uint8)
    pixels_CHW[:, 0] = 100
    (root / "aerial").mkdir(exist_ok=True)
    with rasterio.open(
        root / "aerial" / name,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=len(bands),
        dtype="uint8",
        crs="EPSG:25832",
        transform=from_origin(500_000, 5_800_000, 0.2, 0.2),
    ) as file:
        file.write(pixels_CHW)


@pytest.fixture
def folder(tmp_path):
    write_patch(tmp_path, "closed.tif")
    write_patch(tmp_path, "open.tif")
    (tmp_path / "train.csv").write_text(f"{HEADER}\nclosed.tif,s2.h5,20140701,0.7,0.05,0.25,0.0\n")
    (tmp_path / "test.csv").write_text(f"{HEADER}\nopen.tif,s2.h5,20150701,0.5,0.0,0.2,0.0\n")
    return tmp_path


def test_genera_and_domains_come_from_the_lists(folder):
    closed, half = load_treesatai(folder)
    assert (closed.domain.key, closed.split) == ("lower-saxony_2014", "train")
    assert (half.domain.key, half.split) == ("lower-saxony_2015", "test")
    assert closed.shares == (("Betula", 0.7), ("Quercus", 0.25))
    assert closed.tree_share == pytest.approx(0.95)


def test_green_pixels_of_closed_forest_are_trees_and_the_bands_are_put_in_order(folder):
    closed, half = load_treesatai(folder)
    pixels = read_forest(closed)
    assert pixels.image_CHW[:, -1, -1].tolist() == [RED, GREEN, BLUE, NIR]
    assert (pixels.labels_HW[0] == IGNORED).all()
    assert (pixels.labels_HW[1:] == 0).all()
    assert (read_forest(half).labels_HW == IGNORED).all()


def test_a_source_has_the_closed_patches_alone(folder):
    train, judged = load_source(
        "treesatai", folder, bands=("red", "green", "blue", "nir"), held_out=("lower-saxony_2014",)
    )
    assert (len(train), judged.domains) == (0, ("lower-saxony_2014",))


def test_other_folders_are_refused(folder, tmp_path):
    write_patch(folder, "closed.tif", bands=(NIR, GREEN, BLUE))
    with pytest.raises(FileUnexpected, match="3 bands"):
        read_forest(load_treesatai(folder)[0])
    (folder / "aerial" / "closed.tif").unlink()
    with pytest.raises(FileMissing, match=r"closed\.tif"):
        load_treesatai(folder)
    (folder / "train.csv").write_text("image,label\na,b\n")
    with pytest.raises(FileUnexpected, match="no list of TreeSatAI"):
        load_treesatai(folder)
    with pytest.raises(LayoutUnknown, match=r"train\.csv"):
        load_treesatai(tmp_path / "elsewhere")


def test_the_real_patches_are_read(real_data):
    patches = load_treesatai(real_data("treesatai_ts_sample"))
    assert len(patches) == 6
    kept = [patch for patch in patches if (read_forest(patch).labels_HW == 0).any()]
    assert len(kept) == 5
