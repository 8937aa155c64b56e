"""From what the camera receives to the stored picture: exposure, text, noise, JPEG."""

from __future__ import annotations

import io
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from pipe import COLUMNS, HEIGHT, ROWS, WIDTH, View


def develop(view: View, rng: random.Random) -> bytes:
    "The JPEG; nothing here knows what is in the pipe."
    light = _expose(view, rng)
    picture = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
    picture = _drops(picture, rng).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    blur = rng.choice([0, 0, 0.4, 0.7])
    picture = picture.filter(ImageFilter.GaussianBlur(blur)) if blur else picture
    picture = _grain(picture, rng)
    _caption(picture, rng)
    return _store(picture, rng.randint(6400, 9200))


def _expose(view, rng):
    "Automatic gain, colour of the lamp, dark corners and mist; values from 0 to 1."
    light = view.radiance
    if view.pipe.fog:
        share = 1 - np.exp(-view.pipe.fog * np.minimum(view.far, 9))[..., None]
        light = light * (1 - share) + share * np.array([0.10, 0.10, 0.095])
    bright = np.percentile(light.mean(-1), rng.uniform(80, 92))
    light = light * rng.uniform(0.42, 0.72) / (bright + 1e-6)
    lamp = np.array([rng.gauss(1.02, 0.035), 1.0, rng.gauss(0.97, 0.05)])
    light = light * lamp
    y, x = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
    light = light * (1 - rng.uniform(0.05, 0.4) * (x * x + y * y) / 2)[..., None]
    grey = light.mean(-1, keepdims=True)
    light = grey + (light - grey) * rng.uniform(0.35, 1.0)
    light = np.where(light > 0.75, 0.75 + 0.25 * np.tanh((light - 0.75) / 0.25), light)
    return rng.uniform(0, 0.06) + light ** rng.uniform(0.72, 1.0) * 0.94


def _drops(picture, rng):
    "Water on the lens: round places that are out of focus."
    if rng.random() < 0.8:
        return picture
    soft = picture.filter(ImageFilter.GaussianBlur(6))
    mask = Image.new("L", picture.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(rng.randint(1, 4)):
        x, y, r = rng.uniform(0, COLUMNS), rng.uniform(0, ROWS), rng.uniform(8, 26)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=230)
    return Image.composite(soft, picture, mask.filter(ImageFilter.GaussianBlur(3)))


def _grain(picture, rng):
    "Noise of the sensor, and the lines of interlaced video."
    own = np.random.default_rng(rng.getrandbits(32))
    values = np.asarray(picture, float)
    bright = own.normal(0, rng.choice([1, 2, 3.5]), (*values.shape[:2], 1))
    coloured = own.normal(0, rng.choice([0.5, 1, 2]), values.shape)
    values = values + bright + coloured
    if rng.random() < 0.25:
        columns = np.arange(WIDTH) + rng.choice([-1, 1])
        values[1::2] = values[1::2, np.clip(columns, 0, WIDTH - 1)]
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _caption(picture, rng) -> None:
    "What the recorder writes into the picture; all of it is drawn by chance."
    if rng.random() < 0.12:
        return
    day = f"{rng.randint(1, 28):02d}-{rng.randint(1, 12):02d}-{rng.randint(1998, 2019)}"
    clock = (
        f"{rng.randint(7, 16):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    )
    way = f"{rng.uniform(0, 80):06.2f} m"
    wells = f"{rng.randint(100, 989)}-{rng.randint(100, 989)}"
    size = f"DN {rng.choice([150, 200, 250, 300, 400, 500])}"
    lines = [
        [day],
        [f"{day} {clock}"],
        [wells, day],
        [f"{wells}  {size}"],
        [size, clock],
    ]
    texts = {
        rng.choice(["lt", "rt"]): rng.choice(lines),
        rng.choice(["lb", "rb"]): [way],
    }
    font, ink = (
        ImageFont.load_default_imagefont(),
        rng.choice([(245,) * 3, (250, 240, 90)]),
    )
    box = rng.random() < 0.35
    draw = ImageDraw.Draw(picture)
    for corner, rows in texts.items():
        for number, text in enumerate(rows):
            wide = font.getbbox(text)[2]
            x = 8 if corner[0] == "l" else WIDTH - 8 - wide
            y = 7 + 12 * number if corner[1] == "t" else HEIGHT - 19
            if box:
                draw.rectangle((x - 2, y, x + wide + 1, y + 11), fill=(8, 8, 8))
            else:
                draw.text((x + 1, y + 1), text, fill=(10, 10, 10), font=font)
            draw.text((x, y), text, fill=ink, font=font)


def _store(picture, most: int) -> bytes:
    "The JPEG of the highest quality from 55 to 85 that fits into `most` bytes, or else of 55."
    for quality in range(85, 54, -5):
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= most:
            break
    return data.getvalue()
