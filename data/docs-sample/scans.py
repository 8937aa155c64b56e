"""What happens to a page on its way through scanners and cameras."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WORK = 800  # long side while the page is being spoiled
FINAL = 320  # long side of what is written
TINTS = [(255, 255, 255)] * 3 + [
    (250, 246, 232),
    (244, 236, 206),
    (236, 236, 234),
    (222, 222, 220),
    (240, 244, 250),
    (250, 240, 238),
    (238, 230, 214),
    (252, 244, 170),
    (226, 240, 224),
    (212, 206, 196),
]
DESKS = [
    (250, 250, 248),
    (250, 250, 248),
    (236, 236, 236),
    (40, 40, 44),
    (128, 96, 66),
    (164, 132, 96),
    (92, 94, 100),
    (186, 190, 192),
    (60, 74, 88),
]


@dataclass
class Scan:
    "How a page was taken: where it lay, in what light, and how it was stored."

    seed: int  # of the noise
    place: int  # seed of where the marks are
    tint: tuple[int, int, int]
    desk: tuple[int, int, int]
    frame: float | None  # width / height of the picture; None: the page itself
    fill: float  # 0: all of the page is in the frame, 1: it fills the frame
    shift: tuple[float, float]  # of the page in the frame, share of the free room
    skew: float  # degrees
    cut: tuple[float, float, float, float]  # shares lost at the four borders
    turn: int  # quarter turns
    light: tuple[float, float, float]  # slopes across and down, and darkness of the corners
    gain: float
    lift: float  # how far black is raised
    blur: float
    noise: float
    grey: bool
    marks: tuple[str, ...]  # stains, folds, punched holes
    bytes: int  # size aimed at with a JPEG quality from 40 to 75

    @classmethod
    def of(cls, rng: random.Random) -> Scan:
        "Drawn the same way for every kind of document, so that it says nothing about the kind."
        framed = rng.random() < 0.62
        marks = [
            mark
            for mark, chance in (
                ("stain", 0.10),
                ("ring", 0.08),
                ("fold", 0.18),
                ("cross", 0.07),
                ("holes", 0.10),
                ("streak", 0.08),
                ("shadow", 0.15),
            )
            if rng.random() < chance
        ]
        return cls(
            seed=rng.getrandbits(32),
            place=rng.getrandbits(32),
            tint=rng.choice(TINTS),
            desk=rng.choice(DESKS),
            frame=rng.choice([1.414, 1 / 1.414, 4 / 3, 3 / 4, 1.0, 0.8]) if framed else None,
            fill=rng.choice([0.0, 0.0, 0.2, 0.5, 0.8]),
            shift=(rng.uniform(0.1, 0.9), rng.uniform(0.0, 0.8)),
            skew=rng.gauss(0, 1.6) if rng.random() < 0.8 else rng.uniform(-7, 7),
            cut=tuple(rng.uniform(0, 0.05) if rng.random() < 0.3 else 0.0 for _ in range(4)),
            turn=rng.choice([1, 2, 3]) if rng.random() < 0.14 else 0,
            light=(rng.uniform(-0.22, 0.22), rng.uniform(-0.22, 0.22), rng.uniform(0, 0.25)),
            gain=rng.uniform(0.72, 1.06),
            lift=rng.uniform(0, 60),
            blur=rng.choice([0, 0, 0.3, 0.5, 0.7]),
            noise=rng.choice([0, 1.5, 3, 4.5]),
            grey=rng.random() < 0.35,
            marks=tuple(marks),
            bytes=rng.randint(5000, 9000),
        )

    def again(self, rng: random.Random) -> Scan:
        "The same page on another day: it lies nearly the same, but light and storage differ."
        other = Scan.of(rng)
        return replace(
            self,
            seed=other.seed,
            skew=self.skew + rng.uniform(-0.25, 0.25),
            tint=other.tint,
            grey=other.grey,
            gain=other.gain,
            lift=other.lift,
            blur=other.blur,
            noise=other.noise,
            bytes=other.bytes,
            light=tuple(
                (2 * one + two) / 3 for one, two in zip(self.light, other.light, strict=True)
            ),
        )


def scan(page: Image.Image, how: Scan) -> bytes:
    "The JPEG of `page` taken as `how` says; long side 320."
    rng = random.Random(how.place)
    page = page.copy()
    page.thumbnail((WORK, WORK), Image.Resampling.LANCZOS)
    page = _mark(page, how, rng)
    page = Image.fromarray(
        (np.asarray(page, np.uint16) * np.uint16(how.tint) // 255).astype(np.uint8)
    )
    picture = _lay(page, how)
    picture = picture.transpose(Image.Transpose(how.turn + 1)) if how.turn else picture
    share = FINAL / max(picture.size)
    size = tuple(max(1, round(side * share)) for side in picture.size)
    picture = picture.resize(
        size, Image.Resampling.BOX if how.blur > 0.4 else Image.Resampling.LANCZOS
    )
    if how.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(how.blur))
    picture = _expose(picture, how)
    return _store(picture.convert("L") if how.grey else picture, how.bytes)


def _mark(page, how, rng) -> Image.Image:
    "The page behind a veil of what was spilled on it, cast on it, folded or punched into it."
    values = np.asarray(page, np.uint16)
    for paint, softness in ((_soft_marks, 7), (_sharp_marks, 1.5)):
        veil = Image.new("RGB", page.size, (255, 255, 255))
        if paint(ImageDraw.Draw(veil), *page.size, how.marks, rng):
            veil = veil.filter(ImageFilter.GaussianBlur(softness))
            values = values * np.asarray(veil) // 255
    return Image.fromarray(values.astype(np.uint8))


def _soft_marks(draw, width, height, marks, rng) -> bool:
    "Shadows that fall in from a corner, and stains; whether there are any."
    if "shadow" in marks:
        x, y = rng.choice([0, width]), rng.choice([0, height])
        along, down = width * rng.uniform(0.3, 0.9), height * rng.uniform(0.3, 1.0)
        corner = [(x, y), (abs(x - along), y), (x, abs(y - down))]
        draw.polygon(corner, fill=(202, 201, 200))
    if "stain" in marks:
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.05, 0.11) * WORK
        for _ in range(6):
            blob_x, blob_y = x + rng.gauss(0, size * 0.6), y + rng.gauss(0, size * 0.6)
            blob = size * rng.uniform(0.4, 1.0)
            around = (blob_x - blob, blob_y - blob, blob_x + blob, blob_y + blob)
            draw.ellipse(around, fill=(224, 204, 170))
    return "shadow" in marks or "stain" in marks


def _sharp_marks(draw, width, height, marks, rng) -> bool:
    "Rings of cups, folds, punched holes and the streaks of dirty scanners; whether there are any."
    x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.08, 0.14) * WORK
    if "ring" in marks:
        start = rng.uniform(0, 360)
        around = (x - size, y - size, x + size, y + size)
        draw.arc(around, start, start + rng.uniform(200, 350), fill=(200, 172, 134), width=7)
    if "fold" in marks or "cross" in marks:
        at = height * rng.choice([1 / 3, 1 / 2, 2 / 3]) + rng.uniform(-8, 8)
        draw.line((0, at, width, at + rng.uniform(-6, 6)), fill=(168, 168, 166), width=4)
    if "cross" in marks:
        middle = width / 2 + rng.uniform(-6, 6)
        draw.line((middle, 0, width / 2, height), fill=(176, 176, 174), width=4)
    if "streak" in marks:
        draw.line((x, 0, x, height), fill=(150, 150, 152), width=3)
    if "holes" in marks:
        for share in (0.4, 0.6):
            at = height * share
            draw.ellipse((14, at - 11, 36, at + 11), fill=(70, 70, 72))
    return bool(set(marks) - {"shadow", "stain"})


def _lay(page, how) -> Image.Image:
    "The page, turned by its skew, on the desk that the frame shows; borders cut as they were."
    width, height = page.size
    frame = how.frame or width / height
    wide, high = (WORK, round(WORK / frame)) if frame >= 1 else (round(WORK * frame), WORK)
    fits, fills = min(wide / width, high / height), max(wide / width, high / height)
    share = (fits + (fills - fits) * how.fill) * (0.94 if how.frame else 1.0)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    page = page.resize(size, Image.Resampling.BICUBIC)
    mask = Image.new("L", size, 255).rotate(how.skew, Image.Resampling.BILINEAR, expand=True)
    page = page.rotate(how.skew, Image.Resampling.BICUBIC, expand=True)
    picture = Image.new("RGB", (wide, high), how.desk)
    free = (wide - page.width, high - page.height)
    x = round(free[0] * how.shift[0]) if free[0] > 0 else round(free[0] / 2)
    y = round(free[1] * how.shift[1]) if free[1] > 0 else 0 if how.frame else round(free[1] / 2)
    if how.frame:
        picture.paste(tuple(part * 3 // 4 for part in how.desk), (x + 6, y + 7), mask)  # its shadow
    picture.paste(page, (x, y), mask)
    left, top, right, bottom = how.cut
    return picture.crop(
        (
            round(left * wide),
            round(top * high),
            round(wide - right * wide),
            round(high - bottom * high),
        )
    )


def _expose(picture, how) -> Image.Image:
    "Uneven light, exposure, raised blacks and noise."
    values = np.asarray(picture, np.float64)
    height, width, _ = values.shape
    across = np.linspace(-1, 1, width)[None, :]
    down = np.linspace(-1, 1, height)[:, None]
    slope_across, slope_down, corners = how.light
    light = (
        1 + (slope_across * across + slope_down * down) / 2 - corners * (across**2 + down**2) / 2
    )
    values = how.lift + (255 - how.lift) / 255 * values
    values = values * (how.gain * light)[:, :, None]
    noise = np.random.default_rng(how.seed).normal(0, 1, values.shape)
    noise[...] = noise[:, :, :1] * 0.8 + noise * 0.2  # mostly of brightness
    return Image.fromarray(np.clip(values + noise * how.noise + 0.5, 0, 255).astype(np.uint8))


def _store(picture, aim) -> bytes:
    "The JPEG whose quality from 40 to 75 brings its size nearest to `aim` bytes."
    best = None
    for quality in range(40, 76, 5):
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=quality, optimize=True)
        if best is None or abs(target.tell() - aim) < abs(len(best) - aim):
            best = target.getvalue()
    return best
