"""One map to tell of."""

import pytest
from rasterio.crs import CRS

from models.nomenclature import COSIA
from service.catalogue.addresses import Addresses
from service.catalogue.facts import FileFacts, MapFacts, Place

BOUNDS = (700_000.0, 6_599_000.0, 701_200.0, 6_600_000.0)


@pytest.fixture
def facts() -> MapFacts:
    return MapFacts(
        id="0cv2m8",
        name="nantua-2024",
        label="Nantua & <alentours>",
        status="successful",
        model="compact-rgb@0.2.0",
        nomenclature=COSIA,
        bounds_wgs84=(3.0, 46.4905, 3.0157, 46.4995),
        created=1_795_000_000.0,
        finished=1_795_000_060.0,
        acquisition_date="2024-07-01",
        zooms={"WebMercatorQuad": (12, 19), "2154_10cm": (12, 20)},
        version="7",
        has_picture=True,
        pixel_counts={0: 250, 8: 740, 12: 10},
    )


@pytest.fixture
def place() -> Place:
    return Place(
        epsg=2154,
        crs_wkt=CRS.from_epsg(2154).to_wkt(),
        bounds=BOUNDS,
        width=6000,
        height=5000,
        transform=(0.2, 0.0, BOUNDS[0], 0.0, -0.2, BOUNDS[3]),
        gsd_m=0.2,
    )


@pytest.fixture
def files() -> list[FileFacts]:
    return [
        FileFacts(name="landcover.tif", size_bytes=123, sha256="ab" * 32),
        FileFacts(name="landcover.qml", size_bytes=45),
        FileFacts(name="confidence.tif", size_bytes=99),
        FileFacts(name="image.tif", size_bytes=77),
    ]


@pytest.fixture
def addresses() -> Addresses:
    return Addresses(root="https://maps.example.org")
