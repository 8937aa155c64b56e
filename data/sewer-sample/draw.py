"""Draws the pictures of sewer-sample: `python data/sewer-sample/draw.py [--out FOLDER]`."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True  # no cache beside the data

import argparse
import copy
import csv
import json
import random
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from film import develop
from pipe import COLUMNS, HEIGHT, ROWS, SCALE, WIDTH, Camera, Pipe, View
from things import DEFECTS, HARMLESS

SEED = 20250519
CODES = ["RB", "OB", "PF", "DE", "FS", "IS", "RO", "IN", "AF"]
CODES += ["BE", "FO", "GR", "PH", "PB", "OS", "OP", "OK"]
SIZES = {"train": 320, "valid": 96, "test": 96}  # half of them without a defect
QUOTAS = {  # how often each code occurs in train, and in valid and test each
    **dict.fromkeys(["RB", "FS", "RO", "IN"], (19, 6)),
    **dict.fromkeys(["OB", "AF", "BE", "GR"], (17, 5)),
    **dict.fromkeys(["DE", "IS", "FO", "PH", "PB"], (13, 4)),
}
SEEN = 0.08  # change of light, as a share of the bright parts, that counts as visible
LEAST = 0.009  # share of the picture that a defect has to change visibly


def draw(out: Path, jobs: int) -> None:
    "Writes the whole corpus to `out`; what an earlier run left there is replaced."
    rng = random.Random(SEED)
    numbers = rng.sample(range(1, 1_300_000), sum(SIZES.values()))
    boxes = {}
    for split, size in SIZES.items():
        shutil.rmtree(out / split, ignore_errors=True)
        (out / split).mkdir(parents=True)
        names = sorted(f"{numbers.pop():08d}.jpg" for _ in range(size))
        plans = _plans(rng, size, 0 if split == "train" else 1)
        seeds = [f"{SEED} {name}" for name in names]
        with ProcessPoolExecutor(jobs) as pool:
            drawn = list(pool.map(picture, seeds, plans, chunksize=4))
        for name, (image, _, _) in zip(names, drawn, strict=True):
            (out / split / name).write_bytes(image)
        _write_table(
            out / f"{split}.csv", names, plans, [level for _, level, _ in drawn]
        )
        boxes[split] = {
            name: found for name, (_, _, found) in zip(names, drawn, strict=True)
        }
    _write_boxes(out / "boxes.json", boxes)


def _plans(rng, size, column) -> list[tuple[str, ...]]:
    "The codes of each picture, in the order of drawing; about every third defect has company."
    bag = [code for code, counts in QUOTAS.items() for _ in range(counts[column])]
    rng.shuffle(bag)
    plans = [[bag.pop()] for _ in range(size // 2)]
    for code in bag:
        rng.choice(
            [plan for plan in plans if code not in plan and len(plan) < 3]
        ).append(code)
    plans = [tuple(sorted(plan, key=_order)) for plan in plans] + [()] * (
        size - size // 2
    )
    rng.shuffle(plans)
    return plans


def _order(code) -> int:
    "What changes the shape of the pipe comes first."
    return ["FS", "DE", *(code for code in DEFECTS if code not in ("FS", "DE"))].index(
        code
    )


def picture(seed: str, codes: tuple[str, ...]) -> tuple[bytes, int, list]:
    "The JPEG of a pipe with these defects, its water level, and the boxes of the defects."
    rng = random.Random(seed)
    pipe = Pipe.of(rng)
    camera = Camera.of(rng, pipe.surface - 0.3)
    pipe.things = [
        make(rng, pipe, camera)
        for make, share in HARMLESS.items()
        if rng.random() < share
    ]
    noise, film = rng.getrandbits(32), rng.getrandbits(32)
    for attempt in range(60):
        tried = random.Random(f"{seed} {attempt}")
        found = _with_defects(tried, copy.deepcopy(pipe), camera, noise, codes)
        if found:
            view, boxes = found
            return develop(view, random.Random(film)), pipe.level, boxes
    return picture(f"{seed} again", codes)  # no place for them in this pipe


def _with_defects(rng, pipe, camera, noise, codes):
    "The view of the pipe with the defects, and their boxes; None if one of them cannot be seen."
    try:
        pipe.things += [DEFECTS[code](rng, pipe, camera) for code in codes]
    except LookupError:
        return None
    view, masks = _look(pipe, camera, noise)
    boxes = []
    for code in codes:
        other = copy.copy(pipe)
        other.things = [thing for thing in pipe.things if thing.code != code]
        other.shift = None if code == "FS" else pipe.shift
        bright = np.percentile(view.radiance.mean(-1), 86)
        change = (
            np.abs(view.radiance - _look(other, camera, noise)[0].radiance).mean(-1)
            / bright
        )
        if (change > SEEN).mean() < LEAST:
            return None
        box = _box(masks[code])
        if box is None:
            return None
        boxes.append([code, *box])
    return view, boxes


def _look(pipe, camera, noise) -> tuple[View, dict]:
    "The lit view, and where each defect is visible."
    view, masks = View(pipe, camera, noise), {}
    for thing in pipe.things:
        if thing.paint:
            masks[thing.code] = thing.paint(view)
    view.light()
    masks = {code: mask * ~view.drowned for code, mask in masks.items() if code}
    for thing in pipe.things:
        if thing.front:
            masks[thing.code] = thing.front(view)
    return view, masks


def _box(mask) -> list[int] | None:
    "Left, top, right, bottom in pixels of the picture, right and bottom exclusive."
    rows, columns = np.nonzero(mask > 0.35)
    if len(rows) < LEAST / 2 * ROWS * COLUMNS:
        return None
    left, right = np.percentile(columns, [1, 99]) / SCALE
    top, bottom = np.percentile(rows, [1, 99]) / SCALE
    return [
        int(left),
        int(top),
        min(int(right) + 2, WIDTH),
        min(int(bottom) + 2, HEIGHT),
    ]


def _write_table(path, names, plans, levels) -> None:
    "One row a picture, with the columns of Sewer-ML."
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["Filename", "WaterLevel", "VA", *CODES, "ND", "Defect"])
        for name, plan, level in zip(names, plans, levels, strict=True):
            codes = [int(code in plan) for code in CODES]
            defect = int(any(codes))
            writer.writerow([name, level, int(level > 0), *codes, 1 - defect, defect])


def _write_boxes(path, boxes) -> None:
    "One line a picture."
    splits = []
    for split, found in boxes.items():
        lines = [
            f"  {json.dumps(name)}: {json.dumps(rows)}" for name, rows in found.items()
        ]
        splits.append(f"{json.dumps(split)}: {{\n" + ",\n".join(lines) + "\n}")
    path.write_text("{" + ",\n".join(splits) + "}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="folder to write to"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes that draw")
    args = parser.parse_args()
    draw(args.out, args.jobs)
