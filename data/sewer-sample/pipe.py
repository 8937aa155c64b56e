"""A pipe of radius 1 along z and a camera in it: x to the right, y down, angle 0 at the bottom."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import numpy as np

WIDTH, HEIGHT = 288, 240  # of what is written
SCALE = 1.25  # a picture is computed larger by this
COLUMNS, ROWS = int(WIDTH * SCALE), int(HEIGHT * SCALE)

# colours, grain, large stains, gloss, length of one pipe (None: no joints)
MATERIALS = {
    "concrete": (
        [(150, 146, 132), (132, 128, 118), (160, 150, 126)],
        0.34,
        0.30,
        0.10,
        (2.2, 4.5),
    ),
    "clay": (
        [(146, 92, 66), (158, 108, 78), (128, 84, 66)],
        0.16,
        0.22,
        0.30,
        (2.5, 5.0),
    ),
    "plastic": (
        [(178, 104, 60), (150, 154, 158), (122, 136, 120)],
        0.05,
        0.14,
        0.45,
        (4.0, 8.0),
    ),
    "brick": ([(146, 100, 80), (128, 108, 94)], 0.26, 0.24, 0.06, None),
    "liner": ([(176, 172, 150), (156, 164, 148)], 0.07, 0.16, 0.40, None),
}
SHARES = (0.36, 0.22, 0.22, 0.08, 0.12)
LEVELS = {
    0: 0.36,
    5: 0.32,
    15: 0.22,
    30: 0.10,
}  # water in percent of the height, and how often


class Noise:
    "Smooth random fields on the wall that close around the pipe."

    def __init__(self, rng: np.random.Generator):
        self.table = rng.random((256, 256))

    def __call__(self, angle, z, turns: int, pitch: float, octaves: int = 1, blur=None):
        "From 0 to 1; `turns` cells around and `pitch` cells along one radius, doubled by octave."
        total, weights = 0.0, 0.0
        for octave in range(octaves):
            weight = 0.55**octave
            value = self._cells(angle, z, turns, pitch, 31 * octave)
            if blur is not None:  # fields finer than a pixel fade to their mean
                value = 0.5 + (value - 0.5) / (1 + (pitch * blur) ** 2)
            total, weights = total + weight * value, weights + weight
            turns, pitch = turns * 2, pitch * 2
        return total / weights

    def _cells(self, angle, z, turns, pitch, shift):
        across, along = (angle / (2 * math.pi) + 0.5) * turns, z * pitch
        row, column = np.floor(across).astype(int), np.floor(along).astype(int)
        a, b = across - row, along - column
        a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
        top, low = (row % turns + shift) % 256, ((row + 1) % turns + shift) % 256
        left, right = (column + shift) % 256, (column + 1 + shift) % 256
        table = self.table
        upper = table[top, left] * (1 - b) + table[top, right] * b
        lower = table[low, left] * (1 - b) + table[low, right] * b
        return upper * (1 - a) + lower * a


@dataclass
class Camera:
    "Where the camera is and where it looks."

    origin: np.ndarray  # x, y, z
    turn: np.ndarray  # [3, 3], from the camera to the pipe
    focal: float  # in pixels
    lamp: np.ndarray  # x, y, z

    @classmethod
    def of(cls, rng: random.Random, lowest: float) -> Camera:
        "Below the middle as a rule, straight ahead or turned to one side; y at most `lowest`."
        wide = rng.random() < 0.4
        yaw = rng.uniform(-0.5, 0.5) if wide else rng.gauss(0, 0.06)
        pitch = rng.uniform(-0.22, 0.16) if wide else rng.gauss(0, 0.05)
        turn = _about(1, yaw) @ _about(0, pitch) @ _about(2, rng.gauss(0, 0.05))
        origin = np.array(
            [rng.gauss(0, 0.07), min(rng.uniform(-0.15, 0.35), lowest), 0.0]
        )
        side = rng.uniform(0, 2 * math.pi)
        lamp = origin + turn @ np.array(
            [0.2 * math.cos(side), 0.2 * math.sin(side), -0.1]
        )
        return cls(origin, turn, COLUMNS * rng.uniform(0.46, 0.66), lamp)

    def rays(self) -> np.ndarray:
        "The directions of all pixels, [rows, columns, 3], of length 1."
        x, y = np.meshgrid(np.arange(COLUMNS) + 0.5, np.arange(ROWS) + 0.5)
        return self.ray(x, y)

    def ray(self, x, y) -> np.ndarray:
        "The direction of a pixel."
        ahead = np.stack(
            [
                (x - COLUMNS / 2) / self.focal,
                (y - ROWS / 2) / self.focal,
                np.ones_like(x),
            ],
            -1,
        )
        return (ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)) @ self.turn.T

    def project(self, points: np.ndarray) -> np.ndarray:
        "Column, row and depth of points [n, 3]; what is not before the camera has depth 0.05."
        seen = (points - self.origin) @ self.turn
        depth = np.maximum(seen[:, 2], 0.05)
        column = COLUMNS / 2 + self.focal * seen[:, 0] / depth
        row = ROWS / 2 + self.focal * seen[:, 1] / depth
        return np.stack([column, row, depth], 1)


def _about(axis: int, angle: float) -> np.ndarray:
    "The rotation about x, y or z."
    one, two = [other for other in range(3) if other != axis]
    turn = np.eye(3)
    turn[one, one] = turn[two, two] = math.cos(angle)
    turn[one, two], turn[two, one] = math.sin(angle), -math.sin(angle)
    return turn


def on_wall(angle, z, radius=1.0) -> np.ndarray:
    "The points [n, 3] at an angle and a place along the pipe."
    angle, z = np.broadcast_arrays(np.asarray(angle, float), np.asarray(z, float))
    return np.stack([radius * np.sin(angle), radius * np.cos(angle), z], -1)


def reach(origin, rays, radius=1.0, x=0.0, y=0.0) -> np.ndarray:
    "How far rays go from inside a cylinder along z to its wall."
    px, py = origin[..., 0] - x, origin[..., 1] - y
    a = rays[..., 0] ** 2 + rays[..., 1] ** 2 + 1e-9
    b = px * rays[..., 0] + py * rays[..., 1]
    c = px**2 + py**2 - radius**2
    return (-b + np.sqrt(np.maximum(b * b - a * c, 0))) / a


@dataclass
class Thing:
    "Something in the pipe: it may bulge the wall, paint it, or stand before it."

    code: str | None = None  # of Sewer-ML; None: also found in pipes without a defect
    relief: object = None  # (angle, z) -> how far the wall comes in
    paint: object = None  # (view) -> where it is, 0 to 1, once the view is painted
    front: object = None  # (view) -> where it is, once it is put before the wall


@dataclass
class Pipe:
    "One pipe with its wall, joints and water."

    material: str
    colour: np.ndarray
    joints: list[float]  # places along z
    level: int  # water, percent of the height
    water: np.ndarray  # its colour
    fog: float
    wet: float  # strength of dirt streaks
    shift: tuple | None = None  # (joint, x, y): how the pipe behind that joint lies
    things: list[Thing] = field(default_factory=list)

    @classmethod
    def of(cls, rng: random.Random) -> Pipe:
        name = rng.choices(list(MATERIALS), SHARES)[0]
        colours, *_, length = MATERIALS[name]
        colour = np.array(rng.choice(colours)) * np.array(
            [rng.uniform(0.9, 1.1) for _ in "rgb"]
        )
        joints = []
        if length:
            step, place = rng.uniform(*length), 0.0
            place = rng.uniform(0.7, step + 0.5)
            while place < 30:
                joints.append(place)
                place += step
        level = rng.choices(list(LEVELS), list(LEVELS.values()))[0]
        murk = rng.choice([(70, 66, 50), (92, 88, 74), (60, 54, 40), (84, 92, 78)])
        return cls(
            material=name,
            colour=colour / 255,
            joints=joints,
            level=level,
            water=np.array(murk) / 255,
            fog=rng.choice([0, 0, 0, 0.02, 0.06]),
            wet=rng.choice([0.0, 0.3, 0.6, 0.9]),
        )

    @property
    def surface(self) -> float:
        "The y of the water."
        return 1 - 2 * self.level / 100 if self.level else 2.0


class View:
    "What the camera sees of the wall: for each pixel the point, its colour and its light."

    def __init__(self, pipe: Pipe, camera: Camera, seed: int):
        self.pipe, self.camera = pipe, camera
        self.noise = Noise(np.random.default_rng(seed))
        self.rays = camera.rays()
        reliefs = [thing.relief for thing in pipe.things if thing.relief]
        self.far, self.face, self.behind = self._meet(reliefs)
        self.point = camera.origin + self.far[..., None] * self.rays
        self.angle = np.arctan2(self.point[..., 0], self.point[..., 1])
        self.z = self.point[..., 2]
        self.blur = (
            self.far**2 / camera.focal
        )  # length along the wall that a pixel covers
        self.normal = self._normal(bool(reliefs))
        self.gloss = np.full(self.far.shape, MATERIALS[pipe.material][3])
        self.dim = np.ones(self.far.shape)
        self.albedo = self._wall()
        self.drowned = np.zeros(self.far.shape, bool)
        self.radiance = None

    def _meet(self, reliefs):
        "Distance to the wall, and where the rim of a displaced pipe and the pipe behind it are."
        origin, rays = self.camera.origin, self.rays
        far = reach(origin, rays)
        for _ in range(
            6 if reliefs else 0
        ):  # the wall comes in a little: a few steps settle it
            point = origin + far[..., None] * rays
            angle, z = np.arctan2(point[..., 0], point[..., 1]), point[..., 2]
            inward = np.clip(sum(relief(angle, z) for relief in reliefs), -0.1, 0.5)
            far = 0.5 * far + 0.5 * reach(origin, rays, 1 - inward)
        face = behind = np.zeros(far.shape, bool)
        if self.pipe.shift:
            joint, x, y = self.pipe.shift
            through = (origin + far[..., None] * rays)[..., 2] > joint
            gate = joint / np.maximum(rays[..., 2], 1e-6)
            at = origin + gate[..., None] * rays
            inside = (at[..., 0] - x) ** 2 + (at[..., 1] - y) ** 2 < 1
            face, behind = through & ~inside, through & inside
            far = np.where(
                face, gate, np.where(behind, reach(origin, rays, 1, x, y), far)
            )
        return far, face, behind

    def _normal(self, bumpy: bool):
        "Towards the inside of the pipe; from neighbouring pixels where the wall is uneven."
        x, y = self.point[..., 0].copy(), self.point[..., 1].copy()
        if self.pipe.shift:
            x -= self.behind * self.pipe.shift[1]
            y -= self.behind * self.pipe.shift[2]
        round_ = np.stack([-x, -y, np.zeros_like(x)], -1)
        round_ /= np.linalg.norm(round_, axis=-1, keepdims=True) + 1e-9
        round_[self.face] = (0, 0, -1)
        if not bumpy:
            return round_
        down, right = np.gradient(self.point, axis=0), np.gradient(self.point, axis=1)
        bump = np.cross(down, right)
        bump /= np.linalg.norm(bump, axis=-1, keepdims=True) + 1e-12
        bump *= np.sign((bump * -self.rays).sum(-1, keepdims=True))
        return bump

    def _wall(self):
        "The colour of the wall before anything is painted on it."
        pipe, noise = self.pipe, self.noise
        _, grain, stain, *_ = MATERIALS[pipe.material]
        angle, z = self.angle, self.z
        colour = np.broadcast_to(pipe.colour, (*angle.shape, 3)).copy()
        if pipe.material == "brick":
            colour *= self._bricks()[..., None]
        fine = noise(angle, z, 64, 9.0, 4, self.blur) - 0.5
        large = noise(angle, z + 40, 6, 0.6, 3) - 0.5
        streak = noise(
            angle, z + 90, 40, 0.35, 3, self.blur * 0.3
        )  # dirt drawn out by the flow
        low = np.clip((np.cos(angle) + 0.35) / 1.35, 0, 1)
        colour *= (1 + 2 * grain * fine + 2 * stain * large)[..., None]
        dirt = np.clip(pipe.wet * low * (streak * 1.9 - 0.25), 0, 0.85)[..., None]
        colour = colour * (1 - dirt) + dirt * np.array([0.24, 0.20, 0.14])
        for place in pipe.joints:
            colour *= 1 - 0.75 * np.exp(
                -(((z - place) / (0.018 + 0.6 * self.blur)) ** 2)
            )[..., None] / (1 + 12 * self.blur[..., None])
            colour *= 1 + 0.16 * np.exp(-(((z - place + 0.06) / 0.05) ** 2))[..., None]
        if pipe.shift:
            colour[self.face] = pipe.colour * 1.15
            colour[self.face] *= (0.8 + 0.5 * fine[self.face])[:, None]
            gap = np.exp(-np.clip(z - pipe.shift[0], 0, None) / 0.07) * self.behind
            colour *= (1 - 0.85 * gap)[..., None]
        return np.clip(colour, 0.01, 1)

    def _bricks(self):
        "Light and dark of courses of bricks with mortar between them."
        course = (self.angle / (2 * math.pi) + 0.5) * 26
        row = np.floor(course).astype(int)
        along = self.z / 0.62 + 0.5 * (row % 2)
        column = np.floor(along).astype(int)
        tone = 0.75 + 0.5 * self.noise.table[row % 256, column % 256]
        gap = np.minimum(
            np.abs(course - np.round(course)), 2.4 * np.abs(along - np.round(along))
        )
        width = 0.06 + self.blur
        mortar = np.exp(-((gap / width) ** 2)) / (1 + 6 * self.blur)
        return (
            tone * (1 - mortar) + 0.5 * mortar + 0.25 * mortar * self.noise.table[1, 1]
        )

    def lamp_light(self, point, normal):
        "Light that the lamp at the camera throws on points, and its mirror image in the wall."
        away = self.camera.lamp - point
        distance = np.linalg.norm(away, axis=-1)
        away /= distance[..., None] + 1e-9
        facing = np.clip((away * normal).sum(-1), 0, 1)
        matt = (0.15 + 0.85 * facing**0.8) / (0.35 + distance**1.55)
        return matt, facing**24 / (0.35 + distance**1.2)

    def light(self):
        "Turns colours into what the camera receives; then the water and what stands in front."
        matt, mirror = self.lamp_light(self.point, self.normal)
        sheen = (self.gloss * mirror * 0.35 * self.dim)[..., None]
        self.radiance = self.albedo * (matt * self.dim)[..., None] + sheen
        if self.pipe.level:
            self._water()

    def _water(self):
        "Covers what lies under water; the surface mirrors the wall above it."
        origin, rays, level = self.camera.origin, self.rays, self.pipe.surface
        way = (level - origin[1]) / np.where(rays[..., 1] > 1e-4, rays[..., 1], 1e-4)
        self.drowned = (rays[..., 1] > 1e-4) & (way < self.far)
        way = np.minimum(way, 60.0)
        at = origin + way[..., None] * rays
        ripple = self.noise(
            at[..., 0] * 1.4, at[..., 2], 24, 2.2, 3, way**2 / self.camera.focal
        )
        mirrored = rays * np.array([1, -1, 1]) + (ripple[..., None] - 0.5) * [
            0.5,
            -0.35,
            0.0,
        ]
        end = at + reach(at, mirrored)[..., None] * mirrored
        inward = np.stack([-end[..., 0], -end[..., 1], np.zeros_like(way)], -1)
        shine = self.lamp_light(end, inward)[0][..., None] * self.pipe.colour
        share = (0.12 + 0.75 * (1 - np.abs(rays[..., 1])) ** 3)[..., None]
        depth = np.clip((self.far - way) * np.abs(rays[..., 1]) * 9, 0.25, 0.95)[
            ..., None
        ]
        lamp = 0.8 / (0.35 + way**1.55)[..., None]
        body = self.pipe.water * lamp * depth + self.radiance * (1 - depth)
        sparkle = np.clip(ripple - 0.66, 0, 0.2)[..., None] * 0.9 * lamp
        water = body * (1 - share) + shine * share + sparkle
        self.radiance = np.where(self.drowned[..., None], water, self.radiance)

    def cover(self, alpha, radiance) -> None:
        "Puts something before the wall."
        alpha = alpha[..., None]
        self.radiance = self.radiance * (1 - alpha) + radiance * alpha
