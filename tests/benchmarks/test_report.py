"""The page of benchmarks says what was measured, and nothing else."""

from benchmarks.report import to_markdown

MEASURED = {
    "machine": {"date": "2026-01-02 03:04 UTC", "processor": "Some CPU", "gdal": "3.10"},
    "predict": [
        {
            "scene": "scene-8192-aligned",
            "model": "bench-resnet34@1.0.0",
            "seconds": {"raw": [10.0, 12.0, 11.0], "in_process": [12.0, 12.0], "command": [13.0]},
            "share_command": 0.8461,
            "share_in_process": 0.9167,
            "mpx_per_s_raw": 6.1,
            "mpx_per_s_command": 5.16,
            "patch_over_core_squared": 1.3369,
            "forward_over_kept": 1.35,
            "edge_overhead": 1.0098,
            "phases_in_process": {
                "reading_facts_hashing_planning_s": 0.25,
                "loading_engine_s": 0.5,
                "blocks_s": 11.0,
                "of_that_engine_s": 10.0,
                "of_that_waiting_for_pixels_s": 0.25,
                "finishing_s": 1.5,
                "decoded_over_source": 1.125,
                "seam_rate": 1.02,
            },
        }
    ],
    "memory": {
        "model": "bench-cheap",
        "rows": [
            {"side_px": 5000, "parent_mib": 400.0, "children_mib": 200.0, "sum_mib": 600.0, "seconds": 4.0},
            {"side_px": 20000, "parent_mib": 420.0, "children_mib": 210.0, "sum_mib": 630.0, "seconds": 64.0},
        ],
        "growth": 1.05,
    },
}


def cells_of(page, start):
    line = next(line for line in page.splitlines() if line.startswith(start))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_shares_come_with_median_and_spread():
    cells = cells_of(to_markdown(MEASURED), "| `bench-resnet34@1.0.0` | 8192, aligned | 11.0")
    assert cells[2:] == [
        "11.0 (10.0-12.0)", "12.0 (12.0-12.0)", "13.0 (13.0-13.0)", "6.10", "5.16", "0.92", "**0.85**"
    ]  # fmt: skip


def test_time_that_no_phase_explains_is_shown():
    cells = cells_of(to_markdown(MEASURED), "| `bench-resnet34@1.0.0` | 8192, aligned | 0.25")
    assert cells[2:] == ["0.25", "0.50", "10.00", "0.25", "0.75", "1.50"]


def test_memory_grows_are_told_with_their_scenes():
    page = to_markdown(MEASURED)
    assert cells_of(page, "| 20 000 x 20 000")[1:] == ["420", "210", "630", "64.0"]
    assert "**1.05**" in page


def test_the_machine_is_named():
    page = to_markdown(MEASURED)
    assert "| processor | Some CPU |" in page
    assert "2026-01-02" in page


def test_the_middle_is_the_median_whatever_the_order():
    measured = {**MEASURED, "predict": [{**MEASURED["predict"][0]}]}
    measured["predict"][0]["seconds"] = {"raw": [9.0, 1.0, 2.0, 4.0], "in_process": [1.0], "command": [1.0]}
    assert "3.0 (1.0-9.0)" in to_markdown(measured)
