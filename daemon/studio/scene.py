"""What stands in OBS's scene before anybody is on air: a slate below, overlays on top."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

SLATE_COLOUR = (0x5A, 0x1E, 0x96)
"""A violet (hue 270) that no publisher of the studio uses."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Size in pixels and frames a second, of OBS's picture and of the publishers'."""

    width: int = 640
    height: int = 360
    fps: int = 30


@dataclass(frozen=True, slots=True)
class Item:
    """One input and its item in the scene. Position and size in pixels of the canvas."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    x: float = 0.0
    y: float = 0.0
    visible: bool = True
    inside: tuple["Item", ...] = ()
    """What a group holds; its kind is GROUP then."""


GROUP = "group"


def group(name: str, *items: Item, visible: bool = True) -> Item:
    """A group of items, each at its place in the scene."""
    return Item(name, GROUP, visible=visible, inside=items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A place in the scene, in pixels of the canvas."""

    x: int = 0
    y: int = 0
    width: int
    height: int

    @classmethod
    def whole(cls, canvas: Canvas) -> Self:
        """All of the canvas."""
        return cls(width=canvas.width, height=canvas.height)


def colour_box(name: str, rgb: tuple[int, int, int], box: Box, *, visible: bool = True) -> Item:
    """A box of one colour."""
    red, green, blue = rgb
    abgr = 0xFF000000 | blue << 16 | green << 8 | red
    settings = {"color": abgr, "width": box.width, "height": box.height}
    return Item(name, "color_source_v3", settings, box.x, box.y, visible)


def text(name: str, words: str, *, x: int, y: int) -> Item:
    """A line of text of 14 points."""
    font = {"face": "DejaVu Sans", "size": 14, "style": "Book", "flags": 0}
    return Item(name, "text_ft2_source_v2", {"text": words, "font": font}, x, y)


def default_overlays(canvas: Canvas) -> tuple[Item, ...]:
    """Five grey overlays, lowest first: enough for the default z_offset of 5 not to be clamped.

    They are grey and cover less than 4 % of the canvas, so that a recording's hue stays the streamer's and a
    blank frame stays blank.
    """
    w, h = canvas.width, canvas.height
    grey = (0x80, 0x80, 0x80)
    return (
        colour_box("LOWER THIRD", grey, Box(y=h - h // 60, width=w, height=h // 60)),
        colour_box("LOGO", (0xC0, 0xC0, 0xC0), Box(x=w - w // 16 - 8, y=8, width=w // 16, height=h // 16)),
        colour_box("CHAT", grey, Box(x=8, y=8, width=w // 40, height=h // 20)),
        text("TIMER", "00:00", x=w // 8, y=8),
        text("TIME REMAINING", "now playing", x=w // 4, y=8),
    )


def slate_item(name: str, canvas: Canvas) -> Item:
    """A hidden slate that fills the canvas."""
    return colour_box(name, SLATE_COLOUR, Box.whole(canvas), visible=False)


def write_collection(path: Path, scene: str, items: Sequence[Item]) -> None:
    """Write OBS's scene collection: one scene, its items from the lowest to the topmost."""
    sources: list[dict[str, Any]] = [
        {
            "id": "scene",
            "versioned_id": "scene",
            "name": scene,
            "enabled": True,
            "settings": {
                "custom_size": False,
                "id_counter": len(items),
                "items": [_scene_item(number, item) for number, item in enumerate(items, start=1)],
            },
        }
    ]
    groups = [item for item in items if item.kind == GROUP]
    inside = [each for item in groups for each in item.inside]
    sources += [_source(item) for item in (*items, *inside) if item.kind != GROUP]
    collection = {
        "name": path.stem,
        "current_scene": scene,
        "current_program_scene": scene,
        "scene_order": [{"name": scene}],
        "sources": sources,
        "groups": [_group(item) for item in groups],
        "transitions": [],
        "current_transition": "Cut",
        "transition_duration": 300,
        "modules": {},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(collection, indent=1))


def _source(item: Item) -> dict[str, Any]:
    return {
        "id": item.kind.rsplit("_v", 1)[0],
        "versioned_id": item.kind,
        "name": item.name,
        "enabled": True,
        "settings": dict(item.settings),
    }


def _group(item: Item) -> dict[str, Any]:
    rows = [_scene_item(number, each) for number, each in enumerate(item.inside, start=1)]
    settings = {"custom_size": True, "cx": 640, "cy": 360, "id_counter": len(rows), "items": rows}
    return _source(item) | {"settings": settings}


def _scene_item(number: int, item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "id": number,
        "visible": item.visible,
        "locked": False,
        "align": 5,  # OBS_ALIGN_LEFT | OBS_ALIGN_TOP
        "pos": {"x": item.x, "y": item.y},
        "rot": 0.0,
        "scale": {"x": 1.0, "y": 1.0},
        "bounds_type": 0,
        "bounds_align": 0,
        "bounds": {"x": 0.0, "y": 0.0},
        "crop_left": 0,
        "crop_top": 0,
        "crop_right": 0,
        "crop_bottom": 0,
    }
