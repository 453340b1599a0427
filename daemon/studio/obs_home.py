"""OBS's own HOME: global.ini, one profile, one scene collection, and plugins."""

import configparser
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from daemon.studio.root import Root
from daemon.studio.scene import Canvas, Item, write_collection

PROFILE = "Studio"
"""The name of the profile and of the scene collection."""

Sections = dict[str, dict[str, str]]
"""An INI file's, each with its keys and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How OBS is set up before its first start.

    `items`: the scene's, from the lowest to the topmost.
    `plugins`: extra ones, each name with the folder that holds its shared object.
    `root`: another system's root folder, whose OBS it is.
    `duplicate_scene`: OBS's "Duplicate Scene", which makes studio mode show a private copy of the scene.
    `duplicate_sources`: its "Duplicate Sources", which makes that copy hold copies of nested scenes.
    """

    scene: str
    items: tuple[Item, ...]
    canvas: Canvas
    plugins: Mapping[str, Path] = field(default_factory=dict)
    root: Root | None = None
    duplicate_scene: bool = True
    duplicate_sources: bool = False


def write_home(home: Path, setup: Setup, *, port: int, password: str, recordings: Path) -> None:
    """Write what OBS reads at its start, all but the scene collection.

    The websocket password goes into a file and not on the command line, where every user could read it.
    """
    config = config_folder(home)
    _ini(config / "global.ini", _GENERAL | _window(setup) | _websocket(port, password))
    _ini(config / "basic" / "profiles" / PROFILE / "basic.ini", _video(setup.canvas) | _recording(recordings))
    recordings.mkdir(parents=True, exist_ok=True)


_GENERAL: Final[Sections] = {
    "General": {
        "FirstRun": "true",
        # 29.0.2's. OBS 31 and later make their user.ini of this file where an OBS before 31 has last used it; else they
        # begin with a profile and a scene collection of their own. With a user.ini there already they would ask about
        # that in a window.
        "LastVersion": str(29 << 24 | 0 << 16 | 2),
        "Pre19Defaults": "false",
        "Pre21Defaults": "false",
        "Pre23Defaults": "false",
        "Pre24.1Defaults": "false",
        "EnableAutoUpdates": "false",
        "InfoIncrement": "1",
    },
    "Basic": {
        "Profile": PROFILE,
        "ProfileDir": PROFILE,
        "SceneCollection": PROFILE,
        "SceneCollectionFile": PROFILE,
        "ConfigOnNewProfile": "false",
    },
}


def _window(setup: Setup) -> Sections:
    return {
        # The preview would be drawn in software a second time, for nobody.
        "BasicWindow": {
            "PreviewEnabled": "false",
            "PreviewProgramMode": "false",
            "SceneDuplicationMode": str(setup.duplicate_scene).lower(),
            "EditPropertiesMode": str(setup.duplicate_sources).lower(),
        },
    }


def _websocket(port: int, password: str) -> Sections:
    return {
        "OBSWebSocket": {
            "FirstLoad": "false",
            "ServerEnabled": "true",
            "ServerPort": str(port),
            "AuthRequired": "true",
            "ServerPassword": password,
            "AlertsEnabled": "false",
        },
    }


def _video(canvas: Canvas) -> Sections:
    width, height = str(canvas.width), str(canvas.height)
    return {
        "General": {"Name": PROFILE},
        "Video": {
            "BaseCX": width,
            "BaseCY": height,
            "OutputCX": width,
            "OutputCY": height,
            "FPSType": "1",
            "FPSInt": str(canvas.fps),
            "ColorFormat": "NV12",
            "ColorSpace": "709",
            "ColorRange": "Partial",
        },
    }


def _recording(folder: Path) -> Sections:
    return {
        "Audio": {"SampleRate": "48000", "ChannelSetup": "Stereo"},
        "Output": {"Mode": "Simple", "FilenameFormatting": "%CCYY-%MM-%DD_%hh-%mm-%ss"},
        "SimpleOutput": {
            "FilePath": str(folder),
            "RecFormat": "mkv",
            # Recorded by the stream's encoder, the only one whose x264 options can be set: the cheapest preset,
            # and no look-ahead, so that the count of frames by which a moment is marked is less behind.
            "RecQuality": "Stream",
            "StreamEncoder": "x264",
            "UseAdvanced": "true",
            "Preset": "ultrafast",
            "x264Settings": "tune=zerolatency",
            "VBitrate": "2500",
            "ABitrate": "160",
        },
    }


def write_scene(home: Path, scene: str, items: Sequence[Item]) -> None:
    """Write the scene collection afresh. OBS reads it at its next start."""
    folder = config_folder(home) / "basic" / "scenes"
    for old in folder.glob(f"{PROFILE}.json*"):
        old.unlink()
    write_collection(folder / f"{PROFILE}.json", scene, items)


def bring_plugins(home: Path, plugins: Mapping[str, Path], *, copied: bool = False) -> None:
    """Make extra plugins known to OBS: the name of each and the folder that holds its shared object.

    By a link, or `copied`, for an OBS that cannot see where that folder is.
    """
    for name, folder in plugins.items():
        binaries = config_folder(home) / "plugins" / name / "bin" / "64bit"
        binaries.parent.mkdir(parents=True, exist_ok=True)
        if copied:
            binaries.mkdir(exist_ok=True)
            for binary in folder.resolve(strict=True).glob("*.so"):
                shutil.copy(binary, binaries)
        elif not binaries.is_symlink():
            binaries.symlink_to(folder.resolve(strict=True), target_is_directory=True)


def forget_crash(home: Path) -> None:
    """Take away the marker by which OBS 32 knows that it has crashed: it would ask about that in a window."""
    shutil.rmtree(config_folder(home) / ".sentinel", ignore_errors=True)


def config_folder(home: Path) -> Path:
    """Where OBS keeps its settings below HOME."""
    return home / ".config" / "obs-studio"


def _ini(path: Path, sections: Sections) -> None:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # OBS's keys are case-sensitive
    parser.read_dict(sections)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        parser.write(file, space_around_delimiters=False)
