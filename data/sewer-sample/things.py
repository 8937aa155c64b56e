"""What is found in pipes: defects with their code in Sewer-ML, and dirt that is none."""

from __future__ import annotations

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipe import COLUMNS, ROWS, Camera, Noise, Pipe, Thing, View, on_wall, reach


class Site:
    "A visible place on the wall, and how large things there have to be."

    def __init__(
        self,
        rng: random.Random,
        pipe: Pipe,
        camera: Camera,
        low=-1.0,
        high=1.0,
        far=3.6,
    ):
        self.rng, self.pipe, self.camera = rng, pipe, camera
        for _ in range(400):
            column = rng.uniform(0.12, 0.88) * COLUMNS
            row = rng.uniform(0.13, 0.87) * ROWS
            ray = camera.ray(np.float64(column), np.float64(row))
            way = reach(camera.origin, ray)
            point = camera.origin + way * ray
            angle = math.atan2(point[0], point[1])
            dry = point[1] < pipe.surface - 0.08
            if dry and 0.7 < point[2] < far and low <= math.cos(angle) <= high:
                break
        else:
            raise LookupError("no visible place on the wall")
        self.angle, self.z, self.way = angle, float(point[2]), float(way)
        self.pixel = (
            self.way / camera.focal
        )  # size of a pixel there, across the line of sight

    def size(self, least: float, most: float) -> float:
        "A length on the wall that spans from `least` to `most` of the width of the picture."
        return self.rng.uniform(least, most) * COLUMNS * self.pixel


def _bump(values, width):
    "1 at 0, falling smoothly to 0 at `width`."
    near = np.clip(1 - np.abs(values) / width, 0, 1)
    return near * near * (3 - 2 * near)


def _wrap(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _patch(view, site, size, ragged, turns=12, stretch=1.0):
    "A ragged patch around a site, 1 inside."
    away = np.hypot(_wrap(view.angle - site.angle), (view.z - site.z) / stretch) / size
    away = (
        away
        + ragged
        * (view.noise(view.angle, view.z + 7 + site.z, turns, 2.0, 4) - 0.5)
        * 2
    )
    return np.clip((1 - away) * 5, 0, 1)


def _tint(view, mask, colour) -> None:
    mask = mask[..., None]
    view.albedo = view.albedo * (1 - mask) + np.asarray(colour) / 255 * mask


def _lines(view, strokes) -> np.ndarray:
    "Where strokes are: each a list of points [n, 3] and their widths in radii of the pipe."
    image = Image.new("L", (COLUMNS * 2, ROWS * 2))
    draw = ImageDraw.Draw(image)
    for points, widths in strokes:
        places = view.camera.project(points)
        for (x, y, depth), (u, v, _), width in zip(
            places, places[1:], widths, strict=False
        ):
            thick = 2 * width * view.camera.focal / depth
            if depth > 0.1:
                draw.line(
                    (2 * x, 2 * y, 2 * u, 2 * v), fill=255, width=max(1, round(thick))
                )
                half = thick / 2
                if half > 1.5:
                    draw.ellipse(
                        (2 * u - half, 2 * v - half, 2 * u + half, 2 * v + half),
                        fill=255,
                    )
    image = image.resize((COLUMNS, ROWS), Image.Resampling.BOX)
    return np.asarray(image, float) / 255


def _soft(mask, radius):
    image = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), float) / 255


def _walk(rng, angle, z, heading, length, wander) -> tuple[np.ndarray, np.ndarray]:
    "Angles and places of a jagged line on the wall."
    steps = max(6, int(length / 0.05))
    angles, places = [angle], [z]
    for _ in range(steps):
        heading += rng.gauss(0, wander)
        jag = heading + rng.gauss(0, 0.45)
        angles.append(angles[-1] + length / steps * math.sin(jag))
        places.append(max(0.25, places[-1] + length / steps * math.cos(jag)))
    return np.array(angles), np.array(places)


# --- defects ---------------------------------------------------------------------------------


def crack(rng, pipe, camera) -> Thing:
    "RB: cracks that fork, and now and then a piece of the wall that broke out."
    site = Site(rng, pipe, camera)
    length = site.size(0.22, 0.6)
    heading = rng.choice([0.0, math.pi / 2, rng.uniform(0, math.pi)]) + rng.gauss(
        0, 0.15
    )
    width = site.size(0.012, 0.026)
    strokes = []
    for way in (heading, heading + math.pi):
        angles, places = _walk(rng, site.angle, site.z, way, length / 2, 0.12)
        strokes.append(
            (on_wall(angles, places, 0.995), np.linspace(width, width / 3, len(angles)))
        )
        for _ in range(rng.choice([0, 1, 1, 2])):
            at = rng.randrange(2, len(angles))
            turn = way + rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
            forked = _walk(
                rng, angles[at], places[at], turn, length * rng.uniform(0.15, 0.4), 0.15
            )
            strokes.append(
                (
                    on_wall(*forked, 0.995),
                    np.linspace(width / 1.6, width / 4, len(forked[0])),
                )
            )
    hole = site.size(0.04, 0.09) if rng.random() < 0.3 else 0

    def paint(view: View):
        lines = _lines(view, strokes)
        lip = np.roll(_soft(lines, 1.5), (2, 1), (0, 1)) * (1 - lines)
        view.albedo *= (1 + 0.5 * lip)[..., None]
        dark = lines
        if hole:
            dark = np.maximum(lines, _patch(view, site, hole, 0.5, 24))
        _tint(view, 0.93 * dark, (16, 14, 12))
        view.gloss = view.gloss * (1 - dark)
        return dark

    return Thing("RB", paint=paint)


def worn(rng, pipe, camera) -> Thing:
    "OB: the surface has gone, and what it was mixed from lies open."
    site = Site(rng, pipe, camera, high=0.9)
    size, stretch = site.size(0.12, 0.26), rng.uniform(1.0, 2.2)
    tone = rng.choice([(118, 104, 78), (150, 136, 100), (96, 88, 76)])

    def paint(view: View):
        mask = _patch(view, site, size, 0.45, 14, stretch)
        stones = view.noise(view.angle, view.z + 3, 60, 9.5, 3, view.blur * 0.3)
        edge = np.clip(mask * (1 - mask) * 4, 0, 1)
        _tint(view, 0.7 * mask, tone)
        grain = np.clip((stones - 0.5) * 2.6, -0.5, 0.4)
        view.albedo *= (1 + mask * grain - 0.45 * edge)[..., None]
        view.albedo = np.clip(view.albedo, 0.01, 1)
        view.gloss = view.gloss * (1 - mask)
        return mask

    return Thing("OB", paint=paint)


def dent(rng, pipe, camera) -> Thing:
    "DE: the pipe has lost its round section."
    site = Site(rng, pipe, camera, high=0.6, far=2.6)
    depth, length = rng.uniform(0.26, 0.42), rng.uniform(0.9, 1.8)
    wide = rng.uniform(0.8, 1.25)
    place = max(site.z, length * 0.7)

    def relief(angle, z):
        return depth * _bump(_wrap(angle - site.angle), wide) * _bump(z - place, length)

    def paint(view: View):
        return np.clip(relief(view.angle, view.z) / depth * 2.4 - 0.5, 0, 1)

    return Thing("DE", relief, paint)


def displaced(rng, pipe, camera) -> Thing:
    "FS: the next pipe lies off the axis, so that its rim shows on one side."
    place = _joint(rng, pipe, 1.1, 2.6)
    way, size = rng.uniform(0, 2 * math.pi), rng.uniform(0.11, 0.24)
    pipe.shift = (place, size * math.cos(way), size * math.sin(way))

    def paint(view: View):
        gap = view.behind * np.exp(-np.clip(view.z - place, 0, None) / 0.06)
        return np.maximum(view.face, gap * (gap > 0.5))

    return Thing("FS", paint=paint)


def _joint(rng, pipe, near, far) -> float:
    "A joint in view; in pipes without joints there is one for once."
    seen = [place for place in pipe.joints if near <= place <= far]
    if seen:
        return rng.choice(seen)
    place = rng.uniform(near, far)
    pipe.joints = [other for other in pipe.joints if abs(other - place) > 1.2] + [place]
    return place


def sealing(rng, pipe, camera) -> Thing:
    "IS: the ring that seals a joint hangs into the pipe."
    place = _joint(rng, pipe, 0.9, 2.3)
    site = Site(rng, pipe, camera, high=0.4)
    half, sag = rng.uniform(0.35, 0.9), rng.uniform(0.14, 0.34)
    steps = np.linspace(-1, 1, 40)
    bow = on_wall(
        site.angle + half * steps,
        place + 0.12 * np.sin(3 * steps + rng.uniform(0, 6)) * (1 - steps**2),
        1 - sag * (1 - np.abs(steps) ** 2.2),
    )
    width = rng.uniform(0.05, 0.09)
    tone = np.array(rng.choice([(26, 25, 25), (44, 42, 42), (34, 30, 26)])) / 255

    def front(view: View):
        body = _lines(view, [(bow, [width] * 40)])
        shine = _soft(_lines(view, [(bow + [0.006, -0.012, 0], [width / 4] * 40)]), 0.8)
        lamp = 1 / (0.35 + place**1.55)
        shadow = np.roll(_soft(body, 4), 5, 0)
        view.radiance *= (1 - 0.5 * shadow)[..., None]
        view.cover(body, tone * lamp + 0.14 * lamp * shine[..., None])
        return body

    return Thing("IS", front=front)


def roots(rng, pipe, camera) -> Thing:
    "RO: roots that have come in through a joint or a hole, from a few hairs to a curtain."
    site = Site(rng, pipe, camera, high=0.55, far=3.0)
    place = min(pipe.joints, key=lambda joint: abs(joint - site.z), default=site.z)
    place = place if abs(place - site.z) < 0.6 else site.z
    count, spread = rng.choice([24, 45, 70, 110]), rng.uniform(0.06, 0.5)
    length = site.size(0.12, 0.32)
    tone = (
        np.array(
            rng.choice([(120, 88, 56), (92, 70, 48), (150, 122, 84), (70, 52, 38)])
        )
        / 255
    )
    groups = [[], [], []]
    for number in range(count):
        thick = (0.034 if number % 12 == 0 else 0.014) * rng.uniform(0.7, 1.3)
        groups[number % 3].append(_root(rng, site, place, spread, length, thick))

    def front(view: View):
        lamp, whole = 1 / (0.35 + site.way**1.55), np.zeros((ROWS, COLUMNS))
        for strokes, shade in zip(groups, (0.5, 0.85, 1.25), strict=True):
            mask = _lines(view, strokes)
            dark = np.roll(_soft(mask, 2.0), 3, 0)
            view.radiance *= (1 - 0.4 * dark)[..., None]
            view.cover(0.92 * mask, tone * shade * lamp)
            whole = np.maximum(whole, mask)
        return np.maximum(whole, _soft(whole, 3) > 0.3)

    return Thing("RO", front=front)


def _root(rng, site, place, spread, length, thick):
    "One root: inwards from the wall, then down and along with the flow."
    angle = site.angle + rng.gauss(0, spread / 2)
    points = [on_wall(angle, place + rng.gauss(0, 0.02))]
    way = -np.array([math.sin(angle), math.cos(angle), 0.0]) * 0.6
    way = way + [rng.gauss(0, 0.35), 0.15, rng.gauss(0, 0.3)]
    steps, whole = 14, length * rng.uniform(0.4, 1.3)
    for _ in range(steps):
        way = way + [rng.gauss(0, 0.28), rng.gauss(0.11, 0.22), rng.gauss(0, 0.2)]
        way = way / np.linalg.norm(way)
        point = points[-1] + way * whole / steps
        out = math.hypot(point[0], point[1])
        if out > 0.99:
            point[:2] *= 0.99 / out
        points.append(point)
    return np.array(points), np.linspace(thick, thick / 3, steps)


def seep(rng, pipe, camera) -> Thing:
    "IN: water comes in and runs down the wall, with lime or rust beside it."
    site = Site(rng, pipe, camera, high=0.1)
    near = [joint for joint in pipe.joints if abs(joint - site.z) < 0.5]
    place = near[0] if near else site.z
    crust = rng.choice([(200, 190, 166), (158, 86, 34), (176, 122, 60), (104, 58, 28)])
    width, lobes = site.size(0.03, 0.09), rng.randint(2, 4)
    side = 1 if site.angle > 0 else -1
    runs = [
        (site.angle + rng.gauss(0, 0.12), rng.gauss(0, width), rng.uniform(0.6, 1.4))
    ]
    runs += [
        (
            site.angle + rng.gauss(0, 0.2),
            rng.gauss(0, 1.6 * width),
            rng.uniform(0.3, 0.9),
        )
        for _ in range(lobes)
    ]

    def paint(view: View):
        mask = np.zeros(view.far.shape)
        for number, (start, off, length) in enumerate(runs):
            down = (start - view.angle) * side  # from the source towards the bottom
            wave = 0.05 * (
                view.noise(view.angle, view.z * 0 + number, 20, 1.0, 2) - 0.5
            )
            thin = np.clip(1 - down / length, 0.12, 1)
            across = np.abs(view.z - place - off * (0.4 + thin) - wave) / (width * thin)
            run = np.clip((down + 0.05) * 14, 0, 1) * np.clip((length - down) * 6, 0, 1)
            mask = np.maximum(mask, run * np.clip(1.6 - across * 1.2, 0, 1))
        lace = view.noise(view.angle, view.z + 11, 48, 7.0, 3, view.blur * 0.5)
        _tint(view, np.clip(mask * (0.5 + 0.6 * lace), 0, 0.88), crust)
        core = np.clip(mask * 2 - 1.1, 0, 1) * (lace > 0.48)
        view.albedo = np.clip(view.albedo + 0.10 * core[..., None], 0, 1)
        view.gloss = view.gloss + 0.8 * mask * lace
        return mask

    return Thing("IN", paint=paint)


def settled(rng, pipe, camera) -> Thing:
    "AF: sand, gravel or sludge lies on the bottom."
    top = min(rng.uniform(0.72, 0.9), pipe.surface - 0.06)
    start, end = rng.uniform(0.2, 1.6), rng.uniform(2.4, 6.0)
    tone = np.array(
        rng.choice([(116, 100, 74), (88, 78, 62), (140, 128, 104), (66, 58, 48)])
    )
    rough, tilt = rng.uniform(0.05, 0.13), rng.uniform(-0.16, 0.16)
    own = np.random.default_rng(rng.getrandbits(32))
    lumps = Noise(own)

    def relief(angle, z):
        window = np.clip((z - start) * 2.2, 0, 1) * np.clip((end - z) * 1.4, 0, 1)
        rise = 1 - top / np.maximum(np.cos(angle - tilt), 0.2)
        uneven = rough * (lumps(angle, z, 30, 3.0, 3) - 0.35) + 0.05 * (
            lumps(angle, z, 8, 0.8) - 0.5
        )
        return np.clip((rise + uneven) * window, 0, 0.45) * (np.cos(angle) > 0.2)

    def paint(view: View):
        mask = np.clip(relief(view.angle, view.z) * 40, 0, 1)
        grit = view.noise(view.angle, view.z + 5, 80, 12.0, 3, view.blur * 0.5) - 0.5
        _tint(view, 0.94 * mask, tone)
        view.albedo = np.clip(view.albedo * (1 + 1.3 * mask * grit)[..., None], 0.01, 1)
        view.gloss = view.gloss * (1 - 0.8 * mask)
        return mask

    return Thing("AF", relief, paint)


def attached(rng, pipe, camera) -> Thing:
    "BE: grease, lime or scale sticks to the wall in lumps."
    site = Site(rng, pipe, camera, high=0.8)
    size, thick = site.size(0.1, 0.24), rng.uniform(0.09, 0.18)
    tone = rng.choice(
        [(196, 186, 152), (172, 150, 104), (206, 204, 196), (104, 82, 54)]
    )
    lumps = Noise(np.random.default_rng(rng.getrandbits(32)))
    stretch = rng.uniform(0.8, 1.8)

    def relief(angle, z):
        away = np.hypot(_wrap(angle - site.angle), (z - site.z) / stretch) / size
        body = 1.15 - away + 1.1 * (lumps(angle, z, 16, 2.5, 3) - 0.5)
        return thick * np.clip(body * 1.6, 0, 1) * (0.5 + lumps(angle, z, 36, 5.7, 2))

    def paint(view: View):
        mask = np.clip(relief(view.angle, view.z) / thick * 3, 0, 1)
        mottle = view.noise(view.angle, view.z + 23, 50, 8.0, 3, view.blur * 0.5) - 0.5
        _tint(view, 0.85 * mask, tone)
        view.albedo = np.clip(
            view.albedo * (1 + 0.9 * mask * mottle)[..., None], 0.01, 1
        )
        return mask

    return Thing("BE", relief, paint)


def obstacle(rng, pipe, camera) -> Thing:
    "FO: a stone lies in the pipe, or a rod crosses it."
    return (_stone if rng.random() < 0.6 else _rod)(rng, pipe, camera)


def _stone(rng, pipe, camera) -> Thing:
    radii = np.array(
        [rng.uniform(0.17, 0.32), rng.uniform(0.12, 0.24), rng.uniform(0.15, 0.35)]
    )
    angle, z = rng.gauss(0, 0.35), rng.uniform(1.2, 2.6)
    middle = on_wall(angle, z, 0.99 - 0.8 * radii[1])
    middle[1] = min(
        middle[1], pipe.surface - 0.4 * radii[1]
    )  # it stands out of the water
    tone = (
        np.array(
            rng.choice([(138, 130, 118), (110, 100, 90), (160, 84, 60), (86, 88, 92)])
        )
        / 255
    )

    def front(view: View):
        start, rays = (view.camera.origin - middle) / radii, view.rays / radii
        a, b = (rays**2).sum(-1), rays @ start
        inner = b * b - a * (start @ start - 1)
        way = (-b - np.sqrt(np.maximum(inner, 0))) / a
        hit = (inner > 0) & (way > 0) & (way < view.far)
        point = view.camera.origin + way[..., None] * view.rays
        normal = (point - middle) / radii**2
        around, along = np.arctan2(normal[..., 0], normal[..., 1]), point[..., 2]
        knobs = view.noise(around, along + point[..., 0] * 2, 12, 6.0, 4) - 0.5
        normal = (
            normal / np.linalg.norm(normal, axis=-1, keepdims=True)
            + 1.8 * knobs[..., None]
        )
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        shade = view.lamp_light(point, normal)[0] * (1 + 0.9 * knobs)
        mask = hit * (point[..., 1] < view.pipe.surface)
        view.radiance *= (1 - 0.55 * np.roll(_soft(mask * 1.0, 5), 6, 0) * (1 - mask))[
            ..., None
        ]
        view.cover(_soft(mask, 0.7), tone * shade[..., None])
        return mask

    return Thing("FO", front=front)


def _rod(rng, pipe, camera) -> Thing:
    first, z = rng.uniform(-math.pi, math.pi), rng.uniform(1.0, 2.2)
    ends = on_wall([first, first + rng.uniform(1.6, 3.4)], [z, z + rng.gauss(0, 0.35)])
    radius = rng.uniform(0.03, 0.08)
    tone = (
        np.array(
            rng.choice([(120, 90, 58), (96, 98, 102), (150, 74, 40), (40, 38, 40)])
        )
        / 255
    )

    def front(view: View):
        axis = ends[1] - ends[0]
        axis = axis / np.linalg.norm(axis)
        cross = np.cross(view.rays, axis)
        cross /= np.linalg.norm(cross, axis=-1, keepdims=True) + 1e-9
        off = cross @ (
            ends[0] - view.camera.origin
        )  # how far the ray passes from the axis
        side = np.cross(axis, cross)
        way = (side @ (ends[0] - view.camera.origin)) / (
            (side * view.rays).sum(-1) + 1e-9
        )
        point = view.camera.origin + way[..., None] * view.rays
        mask = (np.abs(off) < radius) & (way > 0) & (way < view.far + 0.05)
        mask &= np.hypot(point[..., 0], point[..., 1]) < 1.02
        mask &= point[..., 1] < view.pipe.surface
        round_ = np.sqrt(np.clip(1 - (off / radius) ** 2, 0, 1))
        bark = view.noise(off / radius, point @ axis, 6, 9.0, 3)
        shade = (
            (0.25 + 0.75 * round_) * (0.6 + 0.8 * bark) / (0.35 + np.abs(way) ** 1.55)
        )
        view.cover(_soft(mask, 0.6), tone * shade[..., None])
        return mask * 1.0

    return Thing("FO", front=front)


def branch(rng, pipe, camera) -> Thing:
    "GR: a branch made with the pipe, with a clean round rim."
    site = Site(rng, pipe, camera, high=0.45, far=2.4)
    return _opening(rng, site, "GR", site.size(0.1, 0.17), 0.0)


def drilled(rng, pipe, camera) -> Thing:
    "PB: a connection through a drilled hole; the pipe put into it stands out a little."
    site = Site(rng, pipe, camera, high=0.45, far=2.4)
    return _opening(rng, site, "PB", site.size(0.08, 0.14), 0.03)


def chiselled(rng, pipe, camera) -> Thing:
    "PH: a connection through a hole that was broken into the wall."
    site = Site(rng, pipe, camera, high=0.45, far=2.4)
    return _opening(rng, site, "PH", site.size(0.09, 0.15), 0.28)


def far_branch(rng, pipe, camera) -> Thing:
    "A branch that the camera has yet to reach: no code."
    site = Site(rng, pipe, camera, high=0.5, far=20)
    site.z = rng.uniform(5.0, 8.0)
    return _opening(rng, site, None, rng.uniform(0.2, 0.4), 0.0)


def _opening(rng, site, code, radius, ragged) -> Thing:
    centre = on_wall(site.angle, site.z)
    axis = np.array(
        [math.sin(site.angle), math.cos(site.angle), rng.choice([0, 0, 0.5, -0.5])]
    )
    axis /= np.linalg.norm(axis)
    inside = (
        np.array(rng.choice([(178, 108, 66), (150, 150, 150), (128, 104, 84)])) / 255
    )
    pale = rng.uniform(1.05, 1.4)

    def paint(view: View):
        rim, hole, edge = _rings(view, centre, axis, radius, ragged, code)
        view.albedo = np.clip(
            view.albedo * (1 + (pale - 1) * rim - 0.6 * edge)[..., None], 0, 1
        )
        start = view.point - centre
        side = start - (start @ axis)[..., None] * axis
        ray = view.rays - (view.rays @ axis)[..., None] * axis
        a, b = (ray**2).sum(-1) + 1e-6, (side * ray).sum(-1)
        c = (side**2).sum(-1) - radius**2
        way = (-b + np.sqrt(np.maximum(b * b - a * c, 0))) / a
        deep = (start + way[..., None] * view.rays) @ axis
        _tint(view, hole, 255 * inside)
        view.dim *= 1 - hole * (
            1 - np.clip(1.1 * np.exp(-1.1 * np.maximum(deep, 0) / radius), 0.015, 1.0)
        )
        view.gloss = view.gloss * (1 - hole)
        return np.maximum(hole, rim)

    return Thing(code, paint=paint)


def _rings(view, centre, axis, radius, ragged, code):
    "Rim, hole and the dark line between them, each 0 to 1."
    start = view.point - centre
    along = start @ axis
    flat = start - along[..., None] * axis
    away = np.linalg.norm(flat, axis=-1) / radius
    around = np.arctan2(flat[..., 2], flat[..., 0] * axis[1] - flat[..., 1] * axis[0])
    here = along > -0.6
    sharp = 6 / (1 + 4 * view.blur / radius)
    hole = np.clip((1 - away) * 2 * sharp, 0, 1) * here
    torn = 1 + ragged * 2.2 * view.noise(around, away * 0.4, 9, 1.0, 3)
    rim = np.clip((torn + 0.16 - away) * sharp, 0, 1) * here * (1 - hole)
    edge = np.exp(-(((away - (torn if code != "GR" else 1.16)) / 0.05) ** 2)) * here
    if code == "PH":
        gap = np.clip((torn - 0.12 - away) * sharp, 0, 1) * (1 - hole) * here
        ring = np.clip(1 - np.abs(away - 1.04) / 0.07, 0, 1)
        edge = np.maximum(edge, 1.35 * gap * (1 - ring))
    return rim, hole, np.clip(edge, 0, 1.5)


# --- dirt and construction without a code ----------------------------------------------------


def stain(rng, pipe, camera) -> Thing:
    "A flat patch of another tone: damp, an old repair, a biofilm."
    site = Site(rng, pipe, camera, far=6)
    size, stretch = site.size(0.06, 0.25), rng.uniform(0.6, 2.5)
    tone = rng.choice(
        [(60, 54, 44), (104, 92, 66), (178, 172, 156), (84, 92, 70), (150, 120, 90)]
    )
    strength = rng.uniform(0.25, 0.6)

    def paint(view: View):
        mask = _patch(view, site, size, 0.5, 10, stretch)
        _tint(view, strength * _soft(mask, 3), tone)

    return Thing(paint=paint)


def streaks(rng, pipe, camera) -> Thing:
    "Dark runs of dirt down the wall, as below joints."
    site = Site(rng, pipe, camera, high=0.3, far=5)
    side, count = (1 if site.angle > 0 else -1), rng.randint(2, 7)
    runs = [
        (
            rng.gauss(0, 0.25),
            rng.gauss(0, 0.12),
            rng.uniform(0.2, 1.2),
            rng.uniform(0.008, 0.04),
        )
        for _ in range(count)
    ]
    tone = rng.choice([(46, 40, 32), (70, 58, 40), (90, 84, 74)])

    def paint(view: View):
        mask = np.zeros(view.far.shape)
        for off, start, length, width in runs:
            down = (site.angle + start - view.angle) * side
            run = np.clip(down * 8, 0, 1) * np.clip(1 - down / length, 0, 1)
            mask = np.maximum(
                mask, run * np.exp(-(((view.z - site.z - off) / width) ** 2))
            )
        _tint(view, 0.7 * mask, tone)

    return Thing(paint=paint)


def seam(rng, pipe, camera) -> Thing:
    "A straight line along the pipe: a seam of the mould, a scratch, a tide mark."
    angle, wide = rng.uniform(-math.pi, math.pi), rng.uniform(0.006, 0.03)
    start, end = rng.choice([(0, 40), (rng.uniform(0.5, 2), rng.uniform(2.5, 7))])
    tone = rng.choice([(30, 28, 26), (60, 54, 48), (190, 186, 176)])

    def paint(view: View):
        inside = np.clip((view.z - start) * 9, 0, 1) * np.clip((end - view.z) * 9, 0, 1)
        _tint(
            view,
            0.5 * inside * np.exp(-((_wrap(view.angle - angle) / wide) ** 2)),
            tone,
        )

    return Thing(paint=paint)


def specks(rng, pipe, camera) -> Thing:
    "Small drops, splashes and crumbs all over the wall."
    dense, tone = (
        rng.uniform(0.7, 0.8),
        rng.choice([(40, 34, 28), (200, 194, 180), (120, 100, 70)]),
    )

    def paint(view: View):
        field = view.noise(view.angle, view.z + 61, 70, 11.0, 2, view.blur * 0.5)
        _tint(view, np.clip((field - dense) * 8, 0, 0.5), tone)

    return Thing(paint=paint)


def mend(rng, pipe, camera) -> Thing:
    "A band around the pipe: a short liner or paint at a joint."
    place, wide = rng.uniform(0.9, 4), rng.uniform(0.12, 0.5)
    pale = rng.uniform(0.75, 1.3)

    def paint(view: View):
        band = np.clip((wide - np.abs(view.z - place)) * 30, 0, 1)
        view.albedo = np.clip(view.albedo * (1 + (pale - 1) * band)[..., None], 0, 1)

    return Thing(paint=paint)


DEFECTS = {
    "RB": crack,
    "OB": worn,
    "DE": dent,
    "FS": displaced,
    "IS": sealing,
    "RO": roots,
    "IN": seep,
    "AF": settled,
    "BE": attached,
    "FO": obstacle,
    "GR": branch,
    "PH": chiselled,
    "PB": drilled,
}
HARMLESS = {
    stain: 0.6,
    streaks: 0.45,
    seam: 0.3,
    specks: 0.22,
    mend: 0.15,
    far_branch: 0.2,
}
