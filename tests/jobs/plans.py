"""Plans of any size, without a raster: sheets side by side, each of some blocks."""

from service.intake.planned import PlannedMap
from service.jobs.records import NewJob
from service.planning.cores import PatchGeometry
from service.planning.grid import Grid
from service.planning.jobs import JobPlan, SheetPlan
from service.planning.profile import ExecutionProfile
from service.rasters.sources import SourceSpec
from service.rasters.windows import Window

CORE_PX = 64
CLASS_A = "onnxruntime-1.0-fp32-cpu-x86_64"
CLASS_B = "onnxruntime-1.0-fp32-cuda-h200"
GRID = Grid(crs_wkt="EPSG:2154", x_res=0.2, y_res=0.2, x_origin=0.0, y_origin=12_000_000.0)


def make_planned(
    *, num_sheets: int = 1, rows: int = 2, cols: int = 4, nodata: float | None = None
) -> PlannedMap:
    """Plan sheets side by side, each of ``rows`` x ``cols`` blocks of one core."""
    width, height = cols * CORE_PX, rows * CORE_PX
    windows = [Window(number * width, 0, width, height) for number in range(num_sheets)]
    sheets = tuple(
        SheetPlan(name=f"town_c{number}", window=window, transform=GRID.transform_of(window))
        for number, window in enumerate(windows)
    )
    data = Window(0, 0, num_sheets * width, height)
    source = SourceSpec(
        path="/data/town.tif",
        driver="GTiff",
        bands={"red": 1},
        file_width=data.width,
        file_height=data.height,
        col_off=0,
        row_off=0,
        width=data.width,
        height=data.height,
        nodata=nodata,
    )
    plan = JobPlan(
        name="town",
        model="tiny@1",
        model_digest="d" * 64,
        bands=("red",),
        grid=GRID,
        epsg=2154,
        data=data,
        geometry=PatchGeometry(core_px=CORE_PX, halo_px=8, stride_px=16),
        block_cores=1,
        sources=(source,),
        digests={source.path: "0" * 64},
        aoi_wkb_hex=None,
        sheets=sheets,
    )
    return PlannedMap(plan=plan, facts={}, notes=("a note",))


def make_job(planned: PlannedMap | None = None, **changed: object) -> NewJob:
    """A job as the api would make it."""
    values = {
        "owner": "local",
        "title": "Town",
        "map_name": "town",
        "request": {"model": "tiny"},
        "planned": planned or make_planned(),
        "content_key": "content",
        "area_km2": 1.5,
        "bounds_wgs84": (1.0, 46.0, 2.0, 47.0),
        "nomenclature": "cosia",
        "acquisition_date": "2024-06-01",
        "has_pictures": False,
    }
    return NewJob(**(values | changed))


def make_profile(profile_class_of: str = "cpu", digest: str = "d" * 64) -> ExecutionProfile:
    """A profile, of which the class is `CLASS_A` for ``cpu``."""
    return ExecutionProfile(
        engine="onnxruntime",
        engine_version="1.0",
        precision="fp32",
        provider=profile_class_of,
        processor="x86_64" if profile_class_of == "cpu" else "h200",
        patch_px=80,
        batch=1,
        artefact_digest=digest,
    )
