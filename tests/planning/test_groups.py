"""Windows that see each other are planned together, others apart."""

from service.planning.placing import connected_groups
from service.rasters.windows import Window


def box(col, row, side=10):
    return Window(row_off=row, col_off=col, height=side, width=side)


def test_neighbours_form_groups_and_far_scenes_stay_alone():
    windows = [box(0, 0), box(100, 0), box(10, 0), box(25, 0), box(100, 12)]
    assert connected_groups(windows, reach_px=5) == [[0, 2, 3], [1, 4]]


def test_the_order_of_windows_does_not_change_who_belongs_together():
    windows = [box(20, 0), box(0, 0), box(10, 0)]
    assert connected_groups(windows, reach_px=0) == [[0, 1, 2]]
