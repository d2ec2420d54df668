"""Capabilities name what is served: layers, styles, legends, tiles of exactly the map's extent."""

from xml.etree import ElementTree as ET

import morecantile
import pytest
from morecantile.models import TileMatrix
from pyproj import CRS

from service.catalogue.legends import LegendOptions, make_legend
from service.catalogue.tilejson import image_tilejson, map_tilejson
from service.catalogue.tilematrices import tile_range
from service.catalogue.wmts import WmtsOptions, wmts_capabilities

SPACES = {
    "w": "http://www.opengis.net/wmts/1.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "xlink": "http://www.w3.org/1999/xlink",
}
HREF = "{http://www.w3.org/1999/xlink}href"
_HALF_M = 12_000_000.0


@pytest.fixture(scope="module")
def matrix_sets():
    lambert = morecantile.TileMatrixSet.custom(
        [0.0, _HALF_M - 256 * 819.2, 256 * 819.2, _HALF_M],
        CRS.from_epsg(2154),
        id="2154_10cm",
        maximum_zoom=21,
    )
    return {"WebMercatorQuad": morecantile.tms.get("WebMercatorQuad"), "2154_10cm": lambert}


def parse(maps, addresses, matrix_sets, **options):
    text = wmts_capabilities(
        maps, addresses, matrix_sets=matrix_sets, capabilities_path="/wmts", options=WmtsOptions(**options)
    )
    return ET.fromstring(text)  # noqa: S314  our own bytes


def test_layers_have_styles_with_legends_and_templates(facts, addresses, matrix_sets):
    root = parse([facts], addresses, matrix_sets, language="fr")
    layers = root.findall("w:Contents/w:Layer", SPACES)
    ids = [layer.find("ows:Identifier", SPACES).text for layer in layers]
    assert ids == ["0cv2m8", "0cv2m8:confidence", "0cv2m8:image"]
    styles = layers[0].findall("w:Style", SPACES)
    assert [style.find("ows:Identifier", SPACES).text for style in styles][:3] == ["cosia", "flair", "cvd"]
    assert [style.get("isDefault") for style in styles] == ["true", *["false"] * 5]
    for style in styles:
        legend = style.find("w:LegendURL", SPACES)
        assert legend.get(HREF).startswith("https://maps.example.org/maps/0cv2m8/legend.png?style=")
        assert int(legend.get("width")) > 0
    template = layers[0].find("w:ResourceURL", SPACES).get("template")
    for variable in ("{Style}", "{TileMatrixSet}", "{TileMatrix}", "{TileRow}", "{TileCol}"):
        assert variable in template
    assert "Nantua & <alentours>" in layers[0].find("ows:Title", SPACES).text


def test_matrix_sets_end_with_the_finest_map(facts, addresses, matrix_sets):
    root = parse([facts], addresses, matrix_sets)
    for matrix_set in root.findall("w:Contents/w:TileMatrixSet", SPACES):
        name = matrix_set.find("ows:Identifier", SPACES).text
        matrices = matrix_set.findall("w:TileMatrix", SPACES)
        assert len(matrices) == facts.zooms[name][1] + 1
        denominators = [float(matrix.find("w:ScaleDenominator", SPACES).text) for matrix in matrices]
        assert denominators == sorted(denominators, reverse=True)
        cells_m = [denominator * 0.28e-3 for denominator in denominators]
        assert cells_m[-1] == pytest.approx(matrix_sets[name].matrix(facts.zooms[name][1]).cellSize)


@pytest.mark.parametrize(("uses_epsg", "crs"), [(True, "EPSG:3857"), (False, "urn:ogc:def:crs:EPSG::3857")])
def test_a_crs_is_named_as_asked(facts, addresses, matrix_sets, uses_epsg, crs):
    root = parse([facts], addresses, matrix_sets, uses_epsg=uses_epsg)
    names = [element.text for element in root.findall("w:Contents/w:TileMatrixSet/ows:SupportedCRS", SPACES)]
    assert names[0] == crs


def test_limits_hold_the_tiles_of_the_map_and_no_others(facts, addresses, matrix_sets):
    root = parse([facts], addresses, matrix_sets)
    link = root.find("w:Contents/w:Layer/w:TileMatrixSetLink", SPACES)
    limits = link.findall("w:TileMatrixSetLimits/w:TileMatrixLimits", SPACES)[-1]
    tms = matrix_sets["WebMercatorQuad"]
    tiles = list(tms.tiles(*facts.bounds_wgs84, zooms=[19]))
    told = {name: int(limits.find(f"w:{name}", SPACES).text) for name in
            ("MinTileRow", "MaxTileRow", "MinTileCol", "MaxTileCol")}  # fmt: skip
    assert told == {
        "MinTileRow": min(tile.y for tile in tiles),
        "MaxTileRow": max(tile.y for tile in tiles),
        "MinTileCol": min(tile.x for tile in tiles),
        "MaxTileCol": max(tile.x for tile in tiles),
    }


def test_a_map_that_fills_a_tile_exactly_meets_no_other():
    matrix = TileMatrix(
        id="0",
        scaleDenominator=1.0,
        cellSize=1.0,
        pointOfOrigin=(0.0, 1024.0),
        tileWidth=256,
        tileHeight=256,
        matrixWidth=4,
        matrixHeight=4,
    )
    assert tile_range(matrix, (256.0, 512.0, 512.0, 768.0)) == (1, 1, 1, 1)
    assert tile_range(matrix, (-50.0, -50.0, 5000.0, 5000.0)) == (0, 0, 3, 3)


def test_all_maps_fit_into_one_document(facts, addresses, matrix_sets):
    root = parse([facts, facts], addresses, matrix_sets)
    assert len(root.findall("w:Contents/w:Layer", SPACES)) == 6
    assert len(root.findall("w:Contents/w:TileMatrixSet", SPACES)) == 2
    operations = root.findall("ows:OperationsMetadata/ows:Operation", SPACES)
    assert [operation.get("name") for operation in operations] == ["GetCapabilities", "GetTile"]
    assert parse([], addresses, matrix_sets).find("w:Contents/w:TileMatrixSet", SPACES) is None


def test_a_key_is_carried_on_by_what_clients_follow(facts, addresses, matrix_sets):
    keyed = type(addresses)(root=addresses.root, key="ortho_abc")
    root = parse([facts], keyed, matrix_sets)
    for get in root.iter("{http://www.opengis.net/ows/1.1}Get"):
        assert "key=ortho_abc" in get.get(HREF)
    for resource in root.iter("{http://www.opengis.net/wmts/1.0}ResourceURL"):
        assert "key=ortho_abc" in resource.get("template")


def test_tilejson_tells_where_tiles_are(facts, addresses):
    legend = make_legend(facts.nomenclature, LegendOptions(style="cvd", language="fr"))
    layer = map_tilejson(facts, addresses.map(facts.id), legend=legend, query={"style": "cvd", "group": None})
    assert layer["tilejson"] == "3.0.0"
    assert layer["tiles"] == ["https://maps.example.org/maps/0cv2m8/tiles/{z}/{x}/{y}.png?style=cvd&v=7"]
    assert (layer["minzoom"], layer["maxzoom"]) == (12, 19)
    assert layer["bounds"] == list(facts.bounds_wgs84)
    left, bottom, right, top = layer["bounds"]
    lon, lat, zoom = layer["center"]
    assert left < lon < right
    assert bottom < lat < top
    assert layer["minzoom"] <= zoom <= layer["maxzoom"]
    assert "<script" not in layer["legend"]
    assert "Bâtiment" in layer["legend"]
    image = image_tilejson(facts, addresses.map(facts.id), language="en")
    assert image["tiles"] == ["https://maps.example.org/maps/0cv2m8/image/tiles/{z}/{x}/{y}.jpg?v=7"]
