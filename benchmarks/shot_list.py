"""Seconds of processor time in which a long shot list is read and checked, as YAML and as CSV.

    python benchmarks/shot_list.py [--rows 20000]

The best of three; a YAML list of 20,000 rows is to be read in under 3 seconds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib_photoshoot.shoot.shot_list.reading import read_shot_list  # noqa: E402

YAML_ROW = "- name: bag {}\n  class: handbag\n  count: 3\n  scenes: [on a table, outside]\n  steps: 25\n  width: 640\n"
CSV_HEAD, CSV_ROW = "name,class,count,scenes,steps,width\n", "bag {},handbag,3,on a table|outside,25,640\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=20_000)
    rows = range(options.parse_args().rows)
    with tempfile.TemporaryDirectory() as folder:
        for name, head, row in (("list.yaml", "", YAML_ROW), ("list.csv", CSV_HEAD, CSV_ROW)):
            path = Path(folder, name)
            path.write_text(head + "".join(map(row.format, rows)), encoding="utf-8")
            print(f"{name}: {len(rows)} rows in {min(_seconds(path) for _ in range(3)):.2f} s")


def _seconds(path: Path) -> float:
    begun = time.process_time()
    read_shot_list(path)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
