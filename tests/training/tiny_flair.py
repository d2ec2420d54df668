"""Tiny FLAIR #1, #2 and FLAIR-HUB in exactly their published layouts, from a seed.

Every image tells its own truth: red is ten times the label under it, so that a wrong pairing shows.
"""

import json

import numpy as np
import rasterio
from rasterio.transform import from_origin

SIDE_PX = 32


def write_raster(path, pixels_CHW, *, gsd_m=0.2, left_m=700_000.0, nodata=None):
    """A GeoTIFF in Lambert-93."""
    path.parent.mkdir(parents=True, exist_ok=True)
    num_bands, height, width = pixels_CHW.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=num_bands,
        dtype=pixels_CHW.dtype,
        crs="EPSG:2154",
        transform=from_origin(left_m, 6_600_000.0, gsd_m, gsd_m),
        nodata=nodata,
    ) as file:
        file.write(pixels_CHW)
    return path


def draw_labels(rng, highest):
    """Every label at least once."""
    labels_HW = rng.integers(0, highest + 1, (SIDE_PX, SIDE_PX)).astype(np.uint8)
    labels_HW.flat[: highest + 1] = np.arange(highest + 1)
    return labels_HW


def write_patch(root, *, images, labels, domain, zone, number, seed):
    """One image with its mask."""
    rng = np.random.default_rng(seed)
    labels_HW = draw_labels(rng, 19)
    image_CHW = rng.integers(0, 256, (5, SIDE_PX, SIDE_PX)).astype(np.uint8)
    image_CHW[0] = 10 * labels_HW
    left_m = 700_000.0 + 1000 * number
    write_raster(root / images / domain / zone / "img" / f"IMG_{number:06d}.tif", image_CHW, left_m=left_m)
    write_raster(
        root / labels / domain / zone / "msk" / f"MSK_{number:06d}.tif", labels_HW[None], left_m=left_m
    )


TRAIN = {"images": "flair_aerial_train", "labels": "flair_labels_train"}
# Numbers whose order as text is not their order, over two zones; the first domain is one of validation.
TRAIN_PLACES = (
    ("D004_2021", "Z1_NN", 2),
    ("D004_2021", "Z1_NN", 10),
    ("D006_2020", "Z3_UA", 11),
    ("D02A_2019", "Z1_FN", 100),
)


def write_flair(root, *, test, test_domain, train=TRAIN_PLACES):
    """The training archives that FLAIR #1 and #2 share, one of the tests, and the metadata."""
    places = [(*place, TRAIN) for place in train] + [(test_domain, "Z1_FF", 61713, test)]
    metadata = {}
    for seed, (domain, zone, number, folders) in enumerate(places):
        write_patch(root, domain=domain, zone=zone, number=number, seed=seed, **folders)
        metadata[f"IMG_{number:06d}"] = {
            "domain": domain,
            "zone": zone,
            "patch_centroid_x": 700_000 + seed,
            "patch_centroid_y": 6_600_000,
            "patch_centroid_z": 120.5,
            "date": f"{domain[-4:]}-07-{seed + 1:02d}",
            "time": f"{9 + seed}h{30 + seed}",
            "camera": "UCE-M3-f120-s06",
        }
    (root / "flair_aerial_metadata.json").write_text(json.dumps(metadata))
    return root


HUB_ROWS = {
    "TRAIN": ("D012-2019_AF-S1-27_5-10", "D012-2019_AF-S1-27_5-11"),
    "VALID": ("D012-2019_UU-S2-3_1-1",),
    "TEST": ("D064-2021_AA-S1-32_1-1",),
}
HUB_COLUMNS = (
    "patch_id",
    "AERIAL-RLT_PAN",
    "AERIAL_LABEL-COSIA",
    "AERIAL_RGBI",
    "ALL_LABEL-LPIS",
    "DEM_ELEV",
    "SENTINEL2_TS",
)


def write_hub(root, *, separator=",", prefix="../FLAIR-HUB_TOY/", below=""):
    """Images, elevations, labels and lists; the other modalities are named but not there."""
    for word, patches in HUB_ROWS.items():
        rows = [separator.join(HUB_COLUMNS)]
        for seed, patch in enumerate(patches):
            cells = {"patch_id": patch}
            for modality in HUB_COLUMNS[1:]:
                cells[modality] = prefix + hub_path(patch, modality)
            rows.append(separator.join(cells[column] for column in HUB_COLUMNS))
            _write_hub_patch(root / below, patch, seed=seed)
        (root / f"FLAIR-HUB_{word}.csv").write_text("\n".join(rows) + "\n")
    return root


def hub_path(patch, modality):
    domain, zone, cell = patch.split("_")
    if modality == "AERIAL-RLT_PAN":
        domain = f"{domain[:7]}5X"  # the old flights are not of the domain's year
    return f"{domain}_{modality}/{zone}/{domain}_{modality}_{zone}_{cell}.tif"


def _write_hub_patch(root, patch, *, seed):
    rng = np.random.default_rng(seed)
    labels_HW = draw_labels(rng, 18)
    image_CHW = rng.integers(0, 256, (4, SIDE_PX, SIDE_PX)).astype(np.uint8)
    image_CHW[0] = 10 * labels_HW
    terrain_HW = rng.uniform(100, 110, (SIDE_PX, SIDE_PX)).astype(np.float32)
    above_HW = rng.uniform(-1, 60, (SIDE_PX, SIDE_PX)).astype(np.float32)
    elevation_CHW = np.stack([terrain_HW + above_HW, terrain_HW])
    elevation_CHW[:, -1, -1] = -9999.0
    write_raster(root / hub_path(patch, "AERIAL_RGBI"), image_CHW)
    write_raster(root / hub_path(patch, "DEM_ELEV"), elevation_CHW, nodata=-9999.0)
    # 0 is building, though a file may declare it as nodata.
    write_raster(root / hub_path(patch, "AERIAL_LABEL-COSIA"), labels_HW[None], nodata=0)
