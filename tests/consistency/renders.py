"""Solids on a plane under one light, cast by rays: pictures of which light, shadow, camera and place are known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

HEIGHTS = {"ball": 2.0, "can": 2.4, "box": 2.2}
_RADIUS = {"ball": 1.0, "can": 0.8}
_BOX = np.array([0.9, 2.2, 0.54])
_DISTANCE = 7.0


@dataclass(frozen=True)
class Scene:
    """A solid of a kind, looked at from ``elevation`` degrees above the horizon, ``light`` being the direction to the
    light: x to the right, y up, z towards the camera. ``seed`` is that of print and noise."""

    kind: str
    light: tuple[float, float, float]
    elevation: float = 20.0
    size: tuple[int, int] = (240, 240)
    scale: float = 0.8
    shift: tuple[float, float] = (0.0, 0.0)
    roll: float = 0.0
    turn: float = 0.3
    ambient: float = 0.35
    ground: tuple[float, float, float] = (0.8, 0.8, 0.8)
    colour: tuple[float, float, float] = (0.5, 0.35, 0.3)
    print_: float = 0.0
    soft: float = 1.0
    noise: float = 0.01
    seed: int = 0


@dataclass(frozen=True)
class Render:
    """The picture (uint8 RGB), the solid's mask, and what is true of it, in degrees as the traits have them."""

    picture: np.ndarray
    mask: np.ndarray
    light: float
    shadow: float
    elevation: float


def render(scene: Scene) -> Render:
    """Cast the rays."""
    width, height = scene.size
    eye, right, up, ahead = _camera(scene)
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * width / max(width, height) - scene.shift[0]
    y = (1 - (np.arange(height) + 0.5) / height * 2) * height / max(width, height) - scene.shift[1]
    focal = 1.15 * scene.scale * _DISTANCE / (HEIGHTS[scene.kind] + 1.5)
    xs, ys = np.meshgrid(x, y)
    rays = ahead + (xs[..., None] * right + ys[..., None] * up) / focal
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    start = np.broadcast_to(eye, rays.shape)
    way, normals = _hit(scene, start, rays)
    mask = np.isfinite(way)
    light = _unit(scene.light)
    on_ground = np.where(rays[..., 1] < -1e-6, -eye[1] / np.minimum(rays[..., 1], -1e-6), np.inf)
    places = start + rays * np.where(np.isfinite(on_ground), on_ground, 0)[..., None]
    behind, _ = _hit(scene, places + 1e-4, np.broadcast_to(light, places.shape))
    lit = np.where(np.isfinite(behind) & np.isfinite(on_ground), 0.0, 1.0)
    lit = cv2.GaussianBlur(lit, (0, 0), scene.soft) if scene.soft else lit
    shade = scene.ambient + (1 - scene.ambient) * np.maximum(normals @ light, 0)
    ground = np.array(scene.ground) * (scene.ambient + (1 - scene.ambient) * lit)[..., None]
    random = np.random.default_rng(scene.seed)
    pattern = cv2.resize(
        random.uniform(-1, 1, (7, 7, 3)).astype(np.float32), scene.size, interpolation=cv2.INTER_NEAREST
    )
    product = np.array(scene.colour) * np.exp(scene.print_ * pattern) * shade[..., None]
    linear = np.where(mask[..., None], product, ground) + random.normal(0, scene.noise, rays.shape)
    truth = math.degrees(math.atan2(light @ up, light @ right)) % 360
    return Render(encoded(linear), mask, truth, _shadow_truth(scene, eye, right, up, ahead), _seen_from(eye))


def encoded(linear: np.ndarray) -> np.ndarray:
    """Return linear light in [0, 1] as uint8 sRGB."""
    linear = np.clip(linear, 0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(curve * 255 + 0.5, 0, 255).astype(np.uint8)


def _camera(scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    angle, roll = math.radians(scene.elevation), math.radians(scene.roll)
    target = np.array([0, HEIGHTS[scene.kind] / 2, 0])
    eye = target + _DISTANCE * np.array([0, math.sin(angle), math.cos(angle)])
    ahead = _unit(target - eye)
    right = _unit(np.cross(ahead, [0.0, 1.0, 0.0]))
    up = np.cross(right, ahead)
    return eye, right * math.cos(roll) + up * math.sin(roll), up * math.cos(roll) - right * math.sin(roll), ahead


def _seen_from(eye: np.ndarray) -> float:
    """The elevation from which the foot itself is seen: the camera looks at the middle, and is not far away."""
    return math.degrees(math.atan2(eye[1], eye[2]))


def _shadow_truth(scene: Scene, eye: np.ndarray, right: np.ndarray, up: np.ndarray, ahead: np.ndarray) -> float:
    def seen(point: np.ndarray) -> np.ndarray:
        way = point - eye
        return np.array([way @ right, way @ up]) / (way @ ahead)

    falls = seen(-0.3 * _unit((scene.light[0], 0, scene.light[2]))) - seen(np.zeros(3))
    return math.degrees(math.atan2(-falls[1], -falls[0])) % 360


def _unit(vector: object) -> np.ndarray:
    values = np.asarray(vector, float)
    return values / np.linalg.norm(values)


def _hit(scene: Scene, start: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each ray goes to the solid (infinite where it misses), and the surface's normal there."""
    if scene.kind == "ball":
        return _hit_ball(start, rays)
    return _hit_can(start, rays) if scene.kind == "can" else _hit_box(start, rays, scene.turn)


def _hit_ball(start: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    away = start - np.array([0, 1.0, 0])
    half = (away * rays).sum(-1)
    under = half * half - ((away * away).sum(-1) - 1)
    way = -half - np.sqrt(np.maximum(under, 0))
    way = np.where((under > 0) & (way > 1e-4), way, np.inf)
    return way, away + rays * np.where(np.isfinite(way), way, 0)[..., None]


def _hit_can(start: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    radius, height = _RADIUS["can"], HEIGHTS["can"]
    a = rays[..., 0] ** 2 + rays[..., 2] ** 2
    b = start[..., 0] * rays[..., 0] + start[..., 2] * rays[..., 2]
    under = b * b - a * (start[..., 0] ** 2 + start[..., 2] ** 2 - radius**2)
    side = (-b - np.sqrt(np.maximum(under, 0))) / np.maximum(a, 1e-9)
    at = start[..., 1] + side * rays[..., 1]
    side = np.where((under > 0) & (side > 1e-4) & (at >= 0) & (at <= height), side, np.inf)
    place = start + rays * np.where(np.isfinite(side), side, 0)[..., None]
    normals = np.stack([place[..., 0] / radius, np.zeros_like(side), place[..., 2] / radius], -1)
    lid = (height - start[..., 1]) / np.where(np.abs(rays[..., 1]) < 1e-9, 1e-9, rays[..., 1])
    over = start + rays * lid[..., None]
    lid = np.where((lid > 1e-4) & (over[..., 0] ** 2 + over[..., 2] ** 2 <= radius**2), lid, np.inf)
    return np.minimum(side, lid), np.where((lid < side)[..., None], np.array([0, 1.0, 0]), normals)


def _hit_box(start: np.ndarray, rays: np.ndarray, turn: float) -> tuple[np.ndarray, np.ndarray]:
    sine, cosine = math.sin(turn), math.cos(turn)
    turned = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    start, rays = start @ turned.T, rays @ turned.T
    inverse = 1 / np.where(np.abs(rays) < 1e-9, 1e-9, rays)
    one, other = (np.array([-1, 0, -1]) * _BOX - start) * inverse, (_BOX - start) * inverse
    near, far = np.minimum(one, other), np.maximum(one, other)
    first, last, axis = near.max(-1), far.min(-1), near.argmax(-1)[..., None]
    normals = np.zeros(rays.shape)
    np.put_along_axis(normals, axis, -np.sign(np.take_along_axis(rays, axis, -1)), -1)
    return np.where((first < last) & (first > 1e-4), first, np.inf), normals @ turned
