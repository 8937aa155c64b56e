"""Draws the pages of docs-sample: `python data/docs-sample/draw.py --font PATH [--bold PATH]`."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True  # no cache beside the data

import argparse
import csv
import random
import shutil
from pathlib import Path

from pages import KINDS
from scans import Scan, scan
from sheet import Fonts

SEED = 20250406
TRAIN, TEST = 30, 8  # images of each kind
PAIRS = [0, 1, 2, 3, 4, 5, 6, 0, 3]  # kinds of the pages that were scanned twice


def draw(font: Path, bold: Path, out: Path) -> None:
    "Writes the whole corpus to `out`; what an earlier run left there is replaced."
    rng, fonts = random.Random(SEED), Fonts(font, bold)
    names = _names(rng, len(KINDS) * (TRAIN + TEST))
    pairs, train, test = [], [], []
    for target, (_, kind) in enumerate(KINDS):
        images, twins = _images(rng, fonts, kind, TRAIN, PAIRS.count(target))
        group = [(names.pop(), target, image) for image in images]
        pairs += [(group[first][0], group[second][0]) for first, second in twins]
        train += group
        images, _ = _images(rng, fonts, kind, TEST, 0)
        test += [(names.pop(), target, image) for image in images]
    rng.shuffle(train)
    rng.shuffle(test)
    for folder, rows in (("train", train), ("test", test)):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
        for name, _, image in rows:
            (out / folder / f"{name}.jpg").write_bytes(image)
    _write_tables(rng, out, train, test, pairs)


def _names(rng, count) -> list[str]:
    "Names that say nothing about the page."
    return [f"{number:08x}" for number in rng.sample(range(16**8), count)]


def _images(rng, fonts, kind, count, num_pairs) -> tuple[list[bytes], list[tuple[int, int]]]:
    "The JPEGs of `count` scans of one kind, and which two of them show the same page."
    images, pairs = [], []
    while len(images) < count:
        page, how = kind(rng, fonts), Scan.of(rng)
        images.append(scan(page, how))
        if len(pairs) < num_pairs:
            images.append(scan(page, how.again(rng)))
            pairs.append((len(images) - 2, len(images) - 1))
    return images, pairs


def _write_tables(rng, out, train, test, pairs) -> None:
    "The tables; about half of the IDs carry the extension, as in hand-made lists."

    def shown(name):
        return name + rng.choice(["", ".jpg"])

    labelled = [(shown(name), target) for name, target, _ in train]
    asked = [(shown(name), target) for name, target, _ in test]
    _write(out / "train.csv", ("ID", "target"), labelled)
    _write(out / "sample_submission.csv", ("ID", "target"), [(name, 0) for name, _ in asked])
    _write(out / "test_labels.csv", ("ID", "target"), sorted(asked))
    names = [(target, name) for target, (name, _) in enumerate(KINDS)]
    _write(out / "meta.csv", ("target", "class_name"), names)
    _write(out / "near_duplicates.csv", ("first", "second"), pairs)


def _write(path, head, rows) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, required=True, help="TrueType font with Hangul")
    parser.add_argument("--bold", type=Path, help="its bold face (without: the same font)")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="folder to write to"
    )
    args = parser.parse_args()
    for path in filter(None, (args.font, args.bold)):
        if not path.is_file():
            parser.error(f"no font at {path}; a TrueType file such as NanumGothic.ttf is needed")
    draw(args.font, args.bold or args.font, args.out)
