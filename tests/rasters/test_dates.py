import pytest

from service.rasters.dates import acquisition_date


@pytest.mark.parametrize(
    ("tags", "name", "expected"),
    [
        ({}, "33-2024-0410-6425-LA93-0M20-E080.jp2", "2024"),
        ({}, "2A-2022-1180-6080-LA93.jp2", "2022"),
        ({}, "m_3607717_sw_18_1_20160620_subset.tif", "2016-06-20"),
        ({}, "ortho_2019.tif", "2019"),
        ({}, "2018_SJER_3_252000_4107000.tif", "2018"),
        ({}, "ortho.tif", None),
        ({}, "2019_to_2021.tif", None),
        ({}, "tile_20191399.tif", None),
        ({"ACQUISITION_DATE": "2020-07-01T10:00:00Z"}, "33-2024-0410.jp2", "2020-07-01"),
        ({"EXIF_DateTimeOriginal": "2021:05:09 11:00:00"}, "a.tif", "2021-05-09"),
        ({"TIFFTAG_DATETIME": "2021:05:09 11:00:00"}, "a.tif", None),
    ],
)
def test_dates(tags, name, expected):
    assert acquisition_date(tags, name) == expected
