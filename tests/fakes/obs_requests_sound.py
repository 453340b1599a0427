"""The request handlers: inputs' sound, and filters."""

from typing import Any

from tests.fakes.obs_call import Call, Handlers
from tests.fakes.obs_checks import RefusedError, Status
from tests.fakes.obs_events import Intent, filter_list, volume_of
from tests.fakes.obs_kinds import FILTERS, clean_settings
from tests.fakes.obs_model import Filter, f32
from tests.fakes.obs_requests_inputs import new_settings

HANDLERS = Handlers()


# Sound


@HANDLERS.on("GetInputVolume")
def _volume(call: Call) -> dict[str, Any]:
    return volume_of(call.fields.audio_input())


@HANDLERS.on("SetInputVolume")
def _set_volume(call: Call) -> None:
    source = call.fields.audio_input()
    factor = call.fields.optional_number("inputVolumeMul", 0, 0, 20)
    decibels = call.fields.optional_number("inputVolumeDb", 0, -100, 26)
    given = call.fields.has("inputVolumeMul"), call.fields.has("inputVolumeDb")
    if all(given):
        raise RefusedError(Status.TOO_MANY_FIELDS, "You may only specify one volume field.")
    if not any(given):
        raise RefusedError(Status.MISSING_FIELD, "You must specify one volume field.")
    source.volume = f32(factor if given[0] else 10 ** (decibels / 20))
    call.studio.emit(
        Intent.INPUTS, "InputVolumeChanged", {**call.studio.version.named("input", source), **volume_of(source)}
    )
    call.studio.look(rendered=False)


@HANDLERS.on("GetInputMute")
def _mute(call: Call) -> dict[str, Any]:
    return {"inputMuted": call.fields.audio_input().muted}


@HANDLERS.on("SetInputMute")
def _set_mute(call: Call) -> None:
    source = call.fields.input()
    muted = call.fields.flag("inputMuted")
    source = call.fields.audio_input()
    source.muted = muted
    call.studio.emit(
        Intent.INPUTS, "InputMuteStateChanged", {**call.studio.version.named("input", source), "inputMuted": muted}
    )
    call.studio.look(rendered=False)


@HANDLERS.on("GetInputAudioBalance")
def _balance(call: Call) -> dict[str, Any]:
    return {"inputAudioBalance": call.fields.audio_input().balance}


@HANDLERS.on("SetInputAudioBalance")
def _set_balance(call: Call) -> None:
    call.fields.input()
    value = f32(call.fields.number("inputAudioBalance", 0.0, 1.0))
    source = call.fields.audio_input()
    source.balance = value
    data = {**call.studio.version.named("input", source), "inputAudioBalance": value}
    call.studio.emit(Intent.INPUTS, "InputAudioBalanceChanged", data)


@HANDLERS.on("GetInputAudioSyncOffset")
def _sync_offset(call: Call) -> dict[str, Any]:
    return {"inputAudioSyncOffset": call.fields.audio_input().sync_offset}


@HANDLERS.on("SetInputAudioSyncOffset")
def _set_sync_offset(call: Call) -> None:
    call.fields.input()
    value = int(call.fields.number("inputAudioSyncOffset", -950, 20000))
    source = call.fields.audio_input()
    source.sync_offset = value
    data = {**call.studio.version.named("input", source), "inputAudioSyncOffset": value}
    call.studio.emit(Intent.INPUTS, "InputAudioSyncOffsetChanged", data)


@HANDLERS.on("GetInputAudioMonitorType")
def _monitoring(call: Call) -> dict[str, Any]:
    return {"monitorType": call.fields.audio_input().monitoring}


@HANDLERS.on("SetInputAudioMonitorType")
def _set_monitoring(call: Call) -> None:
    call.fields.input()
    value = call.fields.text("monitorType")
    source = call.fields.audio_input()
    if value not in {f"OBS_MONITORING_TYPE_{each}" for each in ("NONE", "MONITOR_ONLY", "MONITOR_AND_OUTPUT")}:
        raise RefusedError(Status.INVALID_FIELD, f"Unknown monitor type: {value}")
    source.monitoring = value
    call.studio.emit(
        Intent.INPUTS,
        "InputAudioMonitorTypeChanged",
        {**call.studio.version.named("input", source), "monitorType": value},
    )


@HANDLERS.on("GetInputAudioTracks")
def _tracks(call: Call) -> dict[str, Any]:
    return {"inputAudioTracks": dict(call.fields.audio_input().tracks)}


@HANDLERS.on("SetInputAudioTracks")
def _set_tracks(call: Call) -> None:
    call.fields.input()
    given = call.fields.table("inputAudioTracks", empty=True)
    source = call.fields.audio_input()
    for number in source.tracks:
        if isinstance(given.get(number), bool):
            source.tracks[number] = given[number]
    data = {**call.studio.version.named("input", source), "inputAudioTracks": dict(source.tracks)}
    call.studio.emit(Intent.INPUTS, "InputAudioTracksChanged", data)


# Filters


@HANDLERS.on("GetSourceFilterList")
def _filters(call: Call) -> dict[str, Any]:
    return {"filters": filter_list(call.fields.source())}


@HANDLERS.on("GetSourceFilter")
def _filter(call: Call) -> dict[str, Any]:
    source, found = call.fields.filter()
    entry = next(one for one in filter_list(source) if one["filterName"] == found.name)
    return {key: value for key, value in entry.items() if key != "filterName"}


@HANDLERS.on("CreateSourceFilter")
def _create_filter(call: Call) -> None:
    source = call.fields.source()
    name = call.fields.text("filterName")
    kind = call.fields.text("filterKind")
    if any(one.name == name for one in source.filters):
        raise RefusedError(Status.ALREADY_EXISTS, "A filter already exists by that name.")
    if kind not in FILTERS:
        raise RefusedError(
            Status.INVALID_FILTER_KIND,
            "Your specified filter kind is not supported by OBS. Check that any necessary plugins are loaded.",
        )
    settings = clean_settings(call.fields.optional_table("filterSettings", empty=True))
    source.filters.append(Filter(name, kind, settings))
    entry = {key: value for key, value in filter_list(source)[-1].items() if key != "filterEnabled"}
    defaults = {"defaultFilterSettings": dict(FILTERS[kind])}
    call.studio.emit(Intent.FILTERS, "SourceFilterCreated", {"sourceName": source.name, **entry, **defaults})
    call.studio.look(rendered=False)


@HANDLERS.on("RemoveSourceFilter")
def _remove_filter(call: Call) -> None:
    source, found = call.fields.filter()
    source.filters.remove(found)
    data = {"sourceName": source.name, "filterName": found.name}
    call.studio.emit(Intent.FILTERS, "SourceFilterRemoved", data)
    call.studio.look(rendered=False)


@HANDLERS.on("SetSourceFilterSettings")
def _set_filter(call: Call) -> None:
    _, found = call.fields.filter()
    found.settings = new_settings(call, "filterSettings", found.settings)
    call.studio.look(rendered=False)


@HANDLERS.on("SetSourceFilterIndex")
def _move_filter(call: Call) -> None:
    source, found = call.fields.filter()
    index = int(call.fields.number("filterIndex", 0, 8192))
    source.filters.remove(found)
    source.filters.insert(index, found)
    call.studio.emit(
        Intent.FILTERS, "SourceFilterListReindexed", {"sourceName": source.name, "filters": filter_list(source)}
    )
    call.studio.look(rendered=False)


@HANDLERS.on("SetSourceFilterEnabled")
def _enable_filter(call: Call) -> None:
    source, found = call.fields.filter()
    found.enabled = call.fields.flag("filterEnabled")
    data = {"sourceName": source.name, "filterName": found.name, "filterEnabled": found.enabled}
    call.studio.emit(Intent.FILTERS, "SourceFilterEnableStateChanged", data)
    call.studio.look(rendered=False)
