import pytest

from service.rasters.bands import known_roles, resolve_bands
from service.rasters.errors import AmbiguousBands, BandMismatch
from service.rasters.facts import BandFacts, RasterFacts

RGB = ("red", "green", "blue")
RGBI = (*RGB, "nir")


def facts_of(colours, descriptions=None, alpha_is_binary=None):
    bands = tuple(
        BandFacts(
            index=i,
            dtype="uint8",
            colour=colour,
            description=descriptions[i - 1] if descriptions else None,
            nodata=None,
            alpha_is_binary=alpha_is_binary if colour == "alpha" else None,
        )
        for i, colour in enumerate(colours, start=1)
    )
    return RasterFacts(
        path="/a.tif",
        driver="GTiff",
        width=10,
        height=10,
        crs_wkt=None,
        epsg=None,
        crs_is_geographic=False,
        transform=None,
        is_rotated=False,
        is_south_up=False,
        bands=bands,
        mask_kind="none",
        internal_tile=(10, 10),
        is_tiled=False,
        compression="none",
        is_lossy=False,
        size_bytes=1,
        gsd_m=None,
        bounds_wgs84=None,
        acquisition_date=None,
        collar="none",
        collar_value=None,
        pixel_is_point=False,
        has_gcps=False,
        has_rpcs=False,
    )


def test_facts_round_trip_through_json():
    facts = facts_of(["red", "green", "blue", "alpha"], alpha_is_binary=True)
    assert RasterFacts.model_validate_json(facts.model_dump_json()) == facts


def test_colour_interpretation_names_bands_in_any_order():
    assert resolve_bands(facts_of(["blue", "green", "red"]), RGB) == {"red": 3, "green": 2, "blue": 1}


def test_three_unnamed_bands_are_red_green_blue():
    assert resolve_bands(facts_of(["undefined"] * 3), RGB) == {"red": 1, "green": 2, "blue": 3}


def test_gray_and_undefined_bands_of_a_plain_tiff_are_red_green_blue():
    assert resolve_bands(facts_of(["gray", "undefined", "undefined"]), RGB)["blue"] == 3


def test_descriptions_name_bands_that_colours_do_not():
    facts = facts_of(["undefined"] * 4, ["NIR", "Red", "vert", "B"])
    assert resolve_bands(facts, RGBI) == {"red": 2, "green": 3, "blue": 4, "nir": 1}


def test_descriptions_win_over_colours_that_gdal_painted():
    facts = facts_of(["red", "green", "blue"], ["PIR", "rouge", "vert"])
    assert known_roles(facts) == {"nir": 1, "red": 2, "green": 3}


def test_four_unnamed_bands_are_refused_with_the_remedy():
    with pytest.raises(AmbiguousBands) as caught:
        resolve_bands(facts_of(["undefined"] * 4), RGB)
    assert "--bands RGBI" in caught.value.remedy
    assert "--bands I,R,G,B" in caught.value.remedy


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("RGBI", {"red": 1, "green": 2, "blue": 3, "nir": 4}),
        ("nir,red,green,blue", {"red": 2, "green": 3, "blue": 4, "nir": 1}),
        ("I,R,G,B", {"red": 2, "green": 3, "blue": 4, "nir": 1}),
    ],
)
def test_an_option_names_the_bands(option, expected):
    assert resolve_bands(facts_of(["undefined"] * 4), RGBI, option) == expected


def test_a_dash_skips_a_band():
    assert resolve_bands(facts_of(["undefined"] * 4), RGB, "-,R,G,B") == {"red": 2, "green": 3, "blue": 4}


def test_irc_is_near_infrared_red_green():
    assert resolve_bands(facts_of(["red", "green", "blue"]), ("nir",), "IRC") == {"nir": 1}


@pytest.mark.parametrize("colours", [["red", "green", "blue"], ["undefined"] * 3])
def test_a_name_that_says_irc_is_believed(colours):
    """Bands of false-colour images call themselves red, green, blue."""
    twin = facts_of(colours).model_copy(update={"path": "/data/33-2021-LA93-0M20_IRC-E080.jp2"})
    assert known_roles(twin) == {"nir": 1, "red": 2, "green": 3}
    with pytest.raises(BandMismatch, match="missing bands: blue") as caught:
        resolve_bands(twin, RGB)
    assert "--irc" in caught.value.remedy
    assert "--bands RGB" in caught.value.remedy
    assert resolve_bands(twin, RGB, "RGB") == {"red": 1, "green": 2, "blue": 3}
    natural = facts_of(colours).model_copy(update={"path": "/data/irca_circle.tif"})
    assert resolve_bands(natural, RGB) == {"red": 1, "green": 2, "blue": 3}


@pytest.mark.parametrize("option", ["R,R,G", "R,G,B,I,H", "R,purple,B", "RGBI"])
def test_an_option_that_does_not_fit_is_refused(option):
    with pytest.raises(AmbiguousBands):
        resolve_bands(facts_of(["red", "green", "blue"]), RGB, option)


def test_a_missing_role_is_named():
    with pytest.raises(BandMismatch, match="missing bands: nir") as caught:
        resolve_bands(facts_of(["red", "green", "blue"]), RGBI)
    assert caught.value.missing == ("nir",)
    assert caught.value.found == RGB
    assert "--irc" in caught.value.remedy


def test_one_band_misses_all_three():
    with pytest.raises(BandMismatch, match="red, green, blue"):
        resolve_bands(facts_of(["gray"]), RGB)


def test_remedies_do_not_go_in_circles():
    """Nobody is told to name bands who has named them, or whose file lacks them."""
    with pytest.raises(BandMismatch) as twin:
        resolve_bands(facts_of(["red", "green", "blue"]), RGB, "IRC")
    assert "--irc" in twin.value.remedy
    with pytest.raises(BandMismatch) as single:
        resolve_bands(facts_of(["gray"]), RGB)
    assert "gdalbuildvrt -separate" in single.value.remedy


def test_a_suspect_alpha_is_named_in_the_remedy():
    with pytest.raises(BandMismatch) as caught:
        resolve_bands(facts_of([*RGB, "alpha"], alpha_is_binary=False), RGBI)
    assert "--bands RGBI" in caught.value.remedy
