"""A blank sheet and what can be put on it: type, handwriting, rules, boxes, seals."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
BLACK: Colour = (28, 28, 30)
GREY: Colour = (120, 120, 122)
RED: Colour = (196, 40, 44)
PEN_INKS: list[Colour] = [(24, 40, 130), (30, 30, 34), (62, 62, 66), (20, 60, 150), (150, 30, 40)]


class Word(str):
    "A word that takes its particle along: f'{Word('물'):을/를}' is 물을."

    def __format__(self, pair: str) -> str:
        if not pair:
            return str(self)
        closed, open_ = pair.split("/")
        final = (ord(self[-1]) - ord("가")) % 28
        return str(self) + (open_ if final == 0 or (final == 8 and open_ == "로") else closed)


@dataclass
class Fonts:
    "A regular and a bold face, loaded once for each size."

    regular: Path
    bold: Path
    loaded: dict = field(default_factory=dict)

    def __call__(self, size: float, bold: bool = False) -> ImageFont.FreeTypeFont:
        key = (max(6, round(size)), bold)
        if key not in self.loaded:
            path = self.bold if bold else self.regular
            basic = ImageFont.Layout.BASIC  # the same with and without libraqm
            self.loaded[key] = ImageFont.truetype(str(path), key[0], layout_engine=basic)
        return self.loaded[key]


@dataclass
class Hand:
    "How one person writes: slant, restlessness, spacing, ink."

    slant: float
    wobble: float  # of the strokes, share of the size
    drift: float  # of the baseline, share of the size
    spacing: float
    ink: Colour

    @classmethod
    def of(cls, rng: random.Random, ink: Colour | None = None) -> Hand:
        return cls(
            slant=rng.uniform(-0.12, 0.28),
            wobble=rng.uniform(0.05, 0.10),
            drift=rng.uniform(0.03, 0.08),
            spacing=rng.uniform(0.80, 0.98),
            ink=ink or rng.choice(PEN_INKS),
        )


class Sheet:
    "A page under the pen; positions and sizes in pixels of the drawing, y downwards."

    def __init__(self, rng: random.Random, fonts: Fonts, width: int, height: int, paper=(255,) * 3):
        self.rng, self.fonts = rng, fonts
        self.width, self.height = int(width), int(height)
        self.image = Image.new("RGB", (self.width, self.height), paper)
        self.draw = ImageDraw.Draw(self.image)

    def length(self, text: str, size: float, bold: bool = False) -> float:
        return self.fonts(size, bold).getlength(text)

    def text(self, x, y, text, size, bold=False, ink=BLACK, anchor="la") -> None:
        self.draw.text((x, y), text, fill=ink, font=self.fonts(size, bold), anchor=anchor)

    def spread(self, left, right, y, text, size, bold=False, ink=BLACK) -> None:
        "The characters of `text` evenly from `left` to `right`, as in the labels of forms."
        if len(text) < 2 or self.length(text, size, bold) > right - left:
            return self.text((left + right) / 2, y, text, size, bold, ink, "ma")
        first, last = left + size / 2, right - size / 2
        for place, character in enumerate(text):
            x = first + (last - first) * place / (len(text) - 1)
            self.text(x, y, character, size, bold, ink, "ma")

    def wrap(self, text, width, size, bold=False) -> list[str]:
        "`text` in lines of at most `width`, broken between words, and inside longer ones."
        lines, line = [], ""
        for word in text.split(" "):
            joined = f"{line} {word}" if line else word
            if self.length(joined, size, bold) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            line = ""
            for character in word:
                if line and self.length(line + character, size, bold) > width:
                    lines.append(line)
                    line = ""
                line += character
        return [*lines, line] if line else lines

    def paragraph(self, x, y, width, text, size, leading=1.45, justify=False, **look) -> float:
        "Sets `text` in lines from `y`; the y below it."
        lines = self.wrap(text, width, size, look.get("bold", False))
        for number, line in enumerate(lines):
            if justify and number < len(lines) - 1 and " " in line:
                self._justified(x, y, width, line, size)
            else:
                self.text(x, y, line, size, **look)
            y += size * leading
        return y

    def _justified(self, x, y, width, line, size) -> None:
        words = line.split(" ")
        gap = (width - sum(self.length(word, size) for word in words)) / (len(words) - 1)
        for word in words:
            self.text(x, y, word, size)
            x += self.length(word, size) + gap

    def line(self, *points, ink=BLACK, width=2) -> None:
        self.draw.line(points, fill=ink, width=width)

    def dashes(self, left, right, y, ink=BLACK, width=2, dash=8, gap=6) -> None:
        x = left
        while x < right:
            self.line(x, y, min(x + dash, right), y, ink=ink, width=width)
            x += dash + gap

    def box(self, left, top, right, bottom, ink=BLACK, width=2, fill=None, radius=0) -> None:
        corners = (left, top, right, bottom)
        if radius:
            self.draw.rounded_rectangle(corners, radius, fill=fill, outline=ink, width=width)
        else:
            self.draw.rectangle(corners, fill=fill, outline=ink, width=width)

    def curve(self, points, ink=BLACK, width=3) -> None:
        self.draw.line(points, fill=ink, width=width, joint="curve")

    def write(self, x, y, text, size, hand: Hand) -> float:
        "Writes `text` by hand from `x`, centred on the line `y`; the x where it ends."
        rng, height = self.rng, 0.0
        for character in text:
            if character == " ":
                x += size * 0.36 * rng.uniform(0.8, 1.3)
                continue
            height = 0.7 * height + rng.gauss(0, hand.drift * size)
            scale = size * rng.gauss(1, 0.07)
            glyph = self._glyph(character, scale, hand)
            step = self.length(character, scale) * hand.spacing * rng.uniform(0.94, 1.06)
            corner = (round(x + step / 2 - glyph.width / 2), round(y + height - glyph.height / 2))
            self.image.paste(hand.ink, corner, glyph)
            x += step
        return x

    def _glyph(self, character, size, hand) -> Image.Image:
        "One character as a mask of twice its size, slanted and bent as a hand would."
        rng, side = self.rng, max(12, round(size * 2))
        mask = Image.new("L", (side, side))
        ImageDraw.Draw(mask).text(
            (side / 2, side / 2),
            character,
            fill=rng.randint(205, 255),
            font=self.fonts(size),
            anchor="mm",
        )
        slant, turn = hand.slant + rng.gauss(0, 0.05), rng.gauss(0, 0.06)
        middle = side / 2
        affine = (1, slant, -slant * middle, turn, 1, -turn * middle)
        mask = mask.transform(
            (side, side), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
        )
        return mask.transform(
            (side, side),
            Image.Transform.MESH,
            self._bends(side, hand.wobble * size),
            Image.Resampling.BILINEAR,
        )

    def _bends(self, side, most) -> list:
        "A mesh of four by four fields whose inner corners are moved a little."
        count = 4
        step = side / count
        moved = {
            (i, j): (i * step + self.rng.gauss(0, most / 2), j * step + self.rng.gauss(0, most / 2))
            for i in range(count + 1)
            for j in range(count + 1)
        }
        mesh = []
        for i in range(count):
            for j in range(count):
                field_ = tuple(round(v * step) for v in (i, j, i + 1, j + 1))
                corners = moved[i, j] + moved[i, j + 1] + moved[i + 1, j + 1] + moved[i + 1, j]
                mesh.append((field_, corners))
        return mesh

    def stroke(self, x, y, end_x, end_y, ink, width=3, restless=2.0) -> None:
        "A line drawn by hand."
        steps, points = 7, []
        for step in range(steps + 1):
            share = step / steps
            points.append(
                (
                    x + (end_x - x) * share + self.rng.gauss(0, restless),
                    y + (end_y - y) * share + self.rng.gauss(0, restless),
                )
            )
        self.curve(points, ink, width)

    def tick(self, x, y, size, ink) -> None:
        self.curve(
            [(x, y + size * 0.5), (x + size * 0.4, y + size), (x + size * 1.1, y - size * 0.2)],
            ink,
            max(2, round(size / 6)),
        )

    def seal(self, x, y, side, text, square=True, ink=RED) -> None:
        "A red stamp, slightly turned, whose ink lets the type beneath show through."
        mask = Image.new("L", (side, side))
        draw = ImageDraw.Draw(mask)
        shape = draw.rectangle if square else draw.ellipse
        shape((2, 2, side - 3, side - 3), outline=255, width=max(3, side // 22))
        columns = 1 if len(text) <= 3 else 2 if len(text) <= 6 else 3 if len(text) <= 9 else 4
        rows = -(-len(text) // columns)
        inner = side * (0.84 if square else 0.68)
        edge, size = (side - inner) / 2, min(inner / columns, inner / rows) * 0.92
        for place, character in enumerate(text):
            column, row = columns - 1 - place // rows, place % rows  # from the right, downwards
            at = (edge + inner * (column + 0.5) / columns, edge + inner * (row + 0.5) / rows)
            draw.text(at, character, fill=255, font=self.fonts(size, True), anchor="mm")
        mask = mask.rotate(self.rng.uniform(-9, 9), Image.Resampling.BILINEAR)
        mask = mask.point(lambda value: int(value * 0.78))
        self.image.paste(ink, (round(x), round(y)), mask)
