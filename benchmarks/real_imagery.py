"""What the packaged model does on real rasters: ``python -m benchmarks.real_imagery FOLDER``.

FOLDER holds the real test data (``ortho_e2e``, ``ign_ortho_lidar``, ``treesatai_ts_sample``). Of each
raster it says: right or refused, geometry compared with the source's, classes found. For the one scene
with classified LiDAR points (needs ``laspy`` and ``lazrs``), the share of building, high vegetation and
ground points that the map agrees with.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from click.testing import CliRunner

from models.nomenclature import COSIA
from service.cli import main as orthoscape

GROUPS = {"building": (0, 1), "high vegetation": (12, 13), "ground": (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15)}
LIDAR_CLASSES = {"ground": (2,), "building": (6,), "high vegetation": (5,)}
NUM_SHOWN = 4


def scenes_of(folder: Path) -> list[tuple[str, list[str]]]:
    """Names and arguments of what to run."""
    ortho = folder / "ortho_e2e"
    lidar = folder / "ign_ortho_lidar"
    runs = [(path.name, [str(path)]) for path in sorted(ortho.glob("*.tif*"))]
    collar = next(ortho.glob("5b90*.tif"))
    runs.append((f"{collar.name} --nodata 0", [str(collar), "--nodata", "0"]))
    rgb, irc = str(lidar / "test_data_rgb.tif"), str(lidar / "test_data_irc.tif")
    runs += [("test_data_rgb.tif", [rgb]), ("test_data_rgb.tif --irc", [rgb, "--irc", irc])]
    trees = sorted((folder / "treesatai_ts_sample" / "aerial").glob("*.tif"))
    return runs + [(f"{path.name} --bands I,G,B,R", [str(path), "--bands", "I,G,B,R"]) for path in trees]


def run(name: str, arguments: list[str], output: Path) -> dict[str, str]:
    """Predict one scene and compare the map's geometry with the scene's."""
    result = CliRunner().invoke(orthoscape, ["predict", *arguments, "-o", str(output), "--quiet"])
    if result.exit_code:
        reason = next(line for line in result.output.splitlines() if line.startswith("error"))
        return {"raster": name, "outcome": reason.replace(str(Path(arguments[0]).parent) + "/", "")}
    with rasterio.open(arguments[0]) as source, rasterio.open(output) as landcover:
        is_same = (source.transform, source.shape, source.crs) == (
            landcover.transform,
            landcover.shape,
            landcover.crs,
        )
        classes_HW = landcover.read(1)
    counts = np.bincount(classes_HW.ravel(), minlength=256)
    shares = counts[:16] / max(counts[:16].sum(), 1)
    largest = [f"{COSIA.classes[v].name_en} {shares[v]:.0%}" for v in np.argsort(-shares)[:NUM_SHOWN]]
    return {
        "raster": name,
        "outcome": "mapped",
        "grid": "the source's own" if is_same else "resampled",
        "nodata": f"{counts[255] / classes_HW.size:.1%}",
        "classes": ", ".join(largest),
    }


def lidar_agreement(points: Path, landcover: Path) -> dict[str, float]:
    """Share of the LiDAR points of each kind that lie on a class of that kind."""
    import laspy  # noqa: PLC0415  optional

    cloud = laspy.read(points)
    kinds_N = np.asarray(cloud.classification)
    with rasterio.open(landcover) as file:
        classes_HW = file.read(1)
        cols_N, rows_N = ~file.transform * (np.asarray(cloud.x), np.asarray(cloud.y))
    cols_N, rows_N = np.floor(cols_N).astype(int), np.floor(rows_N).astype(int)
    inside_N = (cols_N >= 0) & (rows_N >= 0) & (cols_N < classes_HW.shape[1]) & (rows_N < classes_HW.shape[0])
    agreement = {}
    for kind, values in LIDAR_CLASSES.items():
        chosen_N = inside_N & np.isin(kinds_N, values)
        agreement[kind] = float(np.isin(classes_HW[rows_N[chosen_N], cols_N[chosen_N]], GROUPS[kind]).mean())
    return agreement


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    agreement: dict[str, float] = {}
    print("| raster | outcome | grid | without data | largest classes |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for number, (name, words) in enumerate(scenes_of(arguments.folder)):
            output = Path(scratch) / f"{number}.tif"
            row = run(name, words, output)
            cells = (row.get(key, "") for key in ("raster", "outcome", "grid", "nodata", "classes"))
            print("| " + " | ".join(cells) + " |")
            if name == "test_data_rgb.tif --irc" and output.exists():
                points = arguments.folder / "ign_ortho_lidar" / "test_data_77055_627760_LA93_IGN69.laz"
                agreement = lidar_agreement(points, output)
    told = ", ".join(f"{kind} {share:.0%}" for kind, share in agreement.items())
    print(f"\nLiDAR points on a class of their kind: {told or 'not told, the map was refused'}")


if __name__ == "__main__":
    main()
