"""The fake OBS itself: scene collections and everything that can be done to them, by request or by somebody's hand.

Each method does one thing at once, tells it in the events that its version of OBS sends, and lets the program recorder
look. Nothing here knows of requests or sockets. Names that are not there raise KeyError.
"""

from collections.abc import Callable
from typing import Any

from tests.fakes.obs_clock import Clock
from tests.fakes.obs_events import Intent, item_list, size_of
from tests.fakes.obs_ffmpeg import FfmpegMedium
from tests.fakes.obs_kinds import FFMPEG, GSTREAMER, Kind, Settings, input_kinds
from tests.fakes.obs_media import GStreamerMedium, Medium, Timing
from tests.fakes.obs_model import Collection, Input, Scene, SceneItem, Source
from tests.fakes.obs_outputs import Output
from tests.fakes.obs_program import Program
from tests.fakes.obs_render import Renderer
from tests.fakes.obs_streams import Stream, Streams
from tests.fakes.obs_studio_mode import StudioMode
from tests.fakes.obs_telling import Teller
from tests.fakes.obs_versions import OBS_29, Version


class Studio:
    """One running OBS. Its media follow `streams`; what its program shows is in `program`."""

    def __init__(
        self,
        clock: Clock,
        *,
        gstreamer: bool = True,
        canvas: tuple[int, int] = (1280, 720),
        fps: int = 30,
        prefix: str = "GMOTHERSTREAM_",
        removal_delay: float = 0.0,
        version: Version = OBS_29,
    ) -> None:
        self.clock = clock
        self.canvas = canvas
        self.persistent: dict[str, dict[str, Any]] = {}
        """obs-websocket's values for its clients, by their realm. They outlive a restart."""
        self.version = version
        self.tell = Teller(version, self.emit)
        self.kinds: dict[str, Kind] = input_kinds(version.major, gstreamer=gstreamer)
        self.timing = Timing()
        self.streams = Streams()
        self.streams.before_change = self.settle
        self.streams.after_change = self._streams_changed
        self.streams.on_end = lambda stream: self._stream_over(stream, error=False)
        self.streams.on_fail = lambda stream: self._stream_over(stream, error=True)
        self.program = Program(prefix)
        self.renderer = Renderer(clock, fps, self._on_frame)
        self.removal_delay = removal_delay  # seconds by which a removed input outlives its last scene item
        self.leak_inputs = False  # a removed input never goes (OBS 32.0.3)
        self.send_event: Callable[[Intent, str, dict[str, Any]], None] = lambda intent, event, data: None
        self.on_change: Callable[[], None] = lambda: None
        self.stream = Output(clock, self.emit, "StreamStateChanged")
        self.record = Output(clock, self.emit, "RecordStateChanged", path="/recordings/program.mkv")
        self.collections: dict[str, Collection] = {}
        self.current = Collection("Untitled")
        self.busy = False  # scene collections change, or it ends
        self.lost_pipelines = 0
        self.mode = StudioMode(self, self.changed)
        self.reset()

    def emit(self, intent: Intent, event: str, data: dict[str, Any]) -> None:
        if not (self.busy and self.version.guards):
            self.send_event(intent, event, data)

    # The whole

    def reset(self) -> None:
        """As after a first start: one collection with one empty scene."""
        for source in self.current.inputs:
            source.medium.removed(self.clock.now())
        self.current = Collection("Untitled", relative=self.version.relative)
        self.current.scenes.append(Scene("Scene"))
        self.current.program = self.current.scenes[0]
        self.collections = {self.current.name: self.current}
        self.stream.state = self.record.state = "STOPPED"
        self.mode.reset()
        self.changed()

    def reload(self) -> None:
        """As after a restart with everything saved: the same scenes and inputs, each input playing from the start."""
        self.mode.reset()
        now = self.clock.now()
        for source in self.current.inputs:
            source.active = False
            source.medium = self._medium(now, source)
        self.stream.state = self.record.state = "STOPPED"
        self.changed()

    def begin_collection_change(self, name: str) -> None:
        """Start to switch: until `finish_collection_change` there are no scenes and no inputs."""
        self.emit(Intent.CONFIG, "CurrentSceneCollectionChanging", {"sceneCollectionName": self.current.name})
        self.busy = True
        now = self.clock.now()
        for source in self.current.inputs:
            self.tell.input_removed(source)
            source.active = False
            source.medium.removed(now)
        for scene in self.current.scenes:
            self.tell.scene(scene, "Removed")
        self.current = Collection(name)
        self.mode.reset()
        self.changed()

    def finish_collection_change(self) -> None:
        name = self.current.name
        if name not in self.collections:
            scene = Scene("Scene")
            self.collections[name] = Collection(name, scenes=[scene], program=scene, relative=self.version.relative)
        self.current = self.collections[name]
        for scene in self.current.scenes:
            self.tell.scene(scene, "Created")
        self.tell.program(self.current.program)
        self.reload()
        self.busy = False
        self.emit(Intent.CONFIG, "CurrentSceneCollectionChanged", {"sceneCollectionName": name})

    def exit(self) -> None:
        """It ends as its user asked for. OBS 29 takes its scenes apart first, and tells of that as well."""
        if not self.version.guards:
            for source in self.current.inputs:
                self.tell.input_removed(source)
            for scene in self.current.scenes:
                self.tell.scene(scene, "Removed")
        self.emit(Intent.GENERAL, "ExitStarted", {})
        self.busy = True

    def resize(self, canvas: tuple[int, int]) -> None:
        """Another canvas, which items follow in a collection that OBS 31 or later has made."""
        old, self.canvas = self.canvas, canvas
        for scene in (*self.current.scenes, *self.current.groups) if self.current.relative else ():
            for item in scene.items:
                item.transform.follow(old, canvas, scales=not isinstance(item.source, Scene))

    # Time

    def settle(self) -> None:
        """Bring every input's media and both outputs up to now."""
        now = self.clock.now()
        for source in self.current.inputs:
            source.medium.settle(now)
        for output in (self.stream, self.record):
            output.settle(now)

    def changed(self) -> None:
        """Something in the scenes is different: whoever came into the program or left it hears of it."""
        self.settle()
        now = self.clock.now()
        shown = set(self.shown_sources())
        for source in self.current.inputs:
            if source.active != (source in shown):
                source.active = source in shown
                (source.medium.shown if source.active else source.medium.hidden)(now)
                self.tell.active(source, source.active)
        self.look(rendered=False)

    def look(self, *, rendered: bool) -> None:
        """Let the recorder see the program."""
        self.settle()
        self.program.sample(self.clock.now(), self.renderer.frames, self.mode.output, rendered=rendered)
        self.on_change()

    def shown_sources(self) -> list[Source]:
        """What is rendered for viewers: inputs, and scenes, nested ones as well. A private copy is not its scene."""
        scenes = self.mode.output
        return [*scenes, *(source for scene in scenes for source in self._shown(scene))]

    def _shown(self, scene: Scene | None) -> list[Source]:
        found: list[Source] = []
        for item in scene.items if scene is not None else ():
            if item.enabled:
                found.append(item.source)
                if isinstance(item.source, Scene):
                    found += self._shown(item.source)
        return found

    def _on_frame(self) -> None:
        self.settle()
        for scene in self.mode.output:
            self._clear_away(scene)
        if self.mode.frame():
            self.tell.transition(self.mode.transition, "Ended")
            self.changed()
        for output in (self.stream, self.record):
            output.frame()
        for source in self.current.inputs:
            source.medium.tick(rendered=source.active, behind=self.renderer.behind)
        self.look(rendered=True)

    def _clear_away(self, scene: Scene | None) -> None:
        """Rendering a scene drops the items of removed sources. A scene that is not on keeps them, and their names."""
        for item in list(scene.items) if scene is not None else ():
            assert scene is not None
            removed_at = item.source.removed_at
            if removed_at is not None:
                if self.clock.now() >= removed_at + self.removal_delay:
                    self.remove_item(scene, item)
            elif isinstance(item.source, Scene):
                self._clear_away(item.source)
            if item.known_size != (size := size_of(item.source, self.canvas)):
                item.known_size = size
                self.tell.transformed(scene, item, self.canvas)

    def _streams_changed(self) -> None:
        for source in self.current.inputs:
            source.medium.replan()
        self.look(rendered=False)

    def _stream_over(self, stream: Stream, *, error: bool) -> None:
        self.settle()
        for source in self.current.inputs:
            source.medium.ended(self.clock.now(), stream, error)
        self.look(rendered=False)

    # Scenes

    def scene(self, name: str) -> Scene:
        source = self.current.source(name)
        if not isinstance(source, Scene):
            raise KeyError(name)
        return source

    def create_scene(self, name: str) -> Scene:
        scene = Scene(name)
        self.current.scenes.append(scene)
        self.tell.scene(scene, "Created")
        self.tell.scene_list(self.current)
        return scene

    def remove_scene(self, name: str) -> None:
        """With its items. Inputs that no other scene has go too; the program moves on to another scene."""
        scene = self.scene(name)
        self.tell.scene(scene, "Removed")
        self.current.scenes.remove(scene)
        for other in self.current.scenes:
            for item in [item for item in other.items if item.source is scene]:
                self.remove_item(other, item)
        sources = [item.source for item in scene.items]
        scene.items.clear()
        if self.current.program is scene:
            self._set_program(self.current.scenes[0] if self.current.scenes else None)
        for source in sources:
            self._drop_if_unused(source)
        self.tell.scene_list(self.current)
        self.changed()

    def set_program(self, name: str) -> None:
        scene = self.scene(name)
        if self.mode.on:
            taken = self.mode.take(scene)
            if taken or self.current.program is not scene:
                self._set_program(scene)
            self.changed()
        elif self.current.program is not scene:
            self._set_program(scene)
            self.changed()

    def _set_program(self, scene: Scene | None) -> None:
        self.current.program = scene
        for step in ("Started", "VideoEnded", "Ended"):
            self.tell.transition(self.mode.transition, step)
        self.tell.program(self.current.program)

    def rename(self, name: str, new: str) -> None:
        """An input or a scene."""
        source = self.current.source(name)
        if source is None:
            raise KeyError(name)
        source.name = new
        self.tell.renamed(source, name)
        self.changed()

    # Inputs

    def input(self, name: str) -> Input:
        source = self.current.source(name)
        if not isinstance(source, Input):
            raise KeyError(name)
        return source

    def create_input(
        self, scene: Scene, name: str, kind: str, settings: Settings, *, enabled: bool = True
    ) -> SceneItem:
        known = self.kinds[kind]
        source = Input(name, known, settings)
        source.medium = self._medium(self.clock.now(), source)
        self.current.inputs.insert(0, source)
        self.tell.input_created(source)
        return self.add_item(scene, source, enabled=enabled)

    def _medium(self, now: float, source: Input) -> Medium:
        effective = source.kind.defaults | source.settings
        made = False

        def emit(event: str, data: dict[str, Any]) -> None:
            # OBS listens to an input's signals only once it is made: what it says while being made is not heard.
            if made:
                self.emit(Intent.MEDIA_INPUTS, event, {**self.version.named("input", source), **data})

        medium: Medium
        if source.kind.name == GSTREAMER:
            medium = GStreamerMedium(now, effective, self.streams, self.timing, emit)
        elif source.kind.name == FFMPEG:
            medium = FfmpegMedium(now, effective, self.streams, self.timing, emit)
        else:
            medium = Medium(effective, source.kind.measure)
        made = True
        return medium

    def set_input_settings(self, source: Input, settings: Settings) -> None:
        """`settings` are all of the user's, the earlier ones included where they are to stay."""
        source.settings = settings
        source.medium.settle(self.clock.now())
        source.medium.update(self.clock.now(), source.kind.defaults | settings, source.active)
        self.tell.settings(source)
        self.look(rendered=False)

    def remove_input(self, name: str) -> None:
        """Ask it to go. It keeps its name, and its items, until a scene that has it is rendered."""
        source = self.input(name)
        if source.filters and self.version.ends_with_filters:
            raise AssertionError(f"OBS {self.version.obs} ends here: {name} has filters")
        if source.removed_at is None:
            source.removed_at = self.clock.now()
            self.tell.input_removed(source)
        self._drop_if_unused(source)
        self.changed()

    def _drop_if_unused(self, source: Source) -> None:
        if not isinstance(source, Input) or self.current.uses(source) or source not in self.current.inputs:
            return
        if self.mode.uses(source):
            return
        if self.leak_inputs:
            source.leaked = True
            source.removed_at = None
            return
        if source.removed_at is None:
            self.tell.input_removed(source)
        source.medium.removed(self.clock.now())
        self.lost_pipelines += source.medium.lost_pipelines
        self.current.inputs.remove(source)

    # Scene items

    def add_item(self, scene: Scene, source: Source, *, enabled: bool = True) -> SceneItem:
        """On top of the scene."""
        item = SceneItem(scene.next_id, source, enabled, known_size=size_of(source, self.canvas))
        scene.next_id += 1
        scene.items.append(item)
        self.tell.item_created(scene, item)
        if scene is self.current.program and item.known_size != (0, 0):
            self.tell.transformed(scene, item, self.canvas)
        self.changed()
        return item

    def group(self, scene: Scene, name: str, items: list[SceneItem], *, enabled: bool = True) -> Scene:
        """By hand: put these items of a scene into a new group, which lies on top of it."""
        group = Scene(name, is_group=True)
        self.current.groups.append(group)
        for item in items:
            scene.items.remove(item)
            self.tell.item_removed(scene, item)
            item.id, group.next_id = group.next_id, group.next_id + 1
            group.items.append(item)
        self.add_item(scene, group, enabled=enabled)
        return group

    def remove_item(self, scene: Scene, item: SceneItem) -> None:
        """The input of a last item goes at once."""
        scene.items.remove(item)
        self.tell.item_removed(scene, item)
        self._drop_if_unused(item.source)
        self.changed()

    def set_enabled(self, scene: Scene, item: SceneItem, enabled: bool) -> None:
        if item.enabled != enabled:
            item.enabled = enabled
            self.tell.item_enabled(scene, item)
            self.changed()

    def move_item(self, scene: Scene, item: SceneItem, index: int) -> None:
        """To that index, counted without the item; past the end is the top."""
        scene.items.remove(item)
        scene.items.insert(index, item)
        self.tell.reindexed(scene)
        self.changed()

    def transformed(self, scene: Scene, item: SceneItem) -> None:
        """Tell that the item's transform was set."""
        self.tell.transformed(scene, item, self.canvas)
        self.look(rendered=False)

    def show(self, name: str, *, shown: bool = True) -> None:
        """By hand: enable, or hide, every item of that source in every scene."""
        for scene in (*self.current.scenes, *self.current.groups):
            for item in scene.named(name):
                self.set_enabled(scene, item, shown)

    def hide(self, name: str) -> None:
        self.show(name, shown=False)

    def items(self, scene: str) -> list[dict[str, Any]]:
        return item_list(self.scene(scene), self.canvas, self.version)
