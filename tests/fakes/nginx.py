"""rtmp_stat and rtmp_control by the wire, as nginx-rtmp 1.1.4 of Debian 12 was seen to answer."""

from dataclasses import dataclass

from aiohttp import web

from tests.fakes.serving import Serving

VIDEO = (
    "<video><width>640</width><height>360</height><frame_rate>30</frame_rate><codec>{codec}</codec>"
    "<profile>Baseline</profile><compat>192</compat><level>3.0</level></video>"
)
VERSION = (
    "<nginx_version>1.22.1</nginx_version>\r\n<nginx_rtmp_version>1.1.4</nginx_rtmp_version>\r\n"
    "<built>Feb 13 2023 11:56:56</built>\r\n"
)
TRAFFIC = (
    "<uptime>7</uptime>\r\n<naccepted>5</naccepted>\r\n<bw_in>0</bw_in>\r\n<bytes_in>672327</bytes_in>\r\n"
    "<bw_out>0</bw_out>\r\n<bytes_out>1931</bytes_out>\r\n"
)
NO_VIDEO = "<video><width>0</width><height>0</height><frame_rate>0</frame_rate></video>"
AUDIO = "<audio><codec>AAC</codec><profile>LC</profile><channels>2</channels><sample_rate>48000</sample_rate></audio>"


@dataclass
class Stream:
    """One stream. ``number`` is its publisher's; None where nobody publishes and its players wait."""

    number: int | None
    received: int = 0
    video: str = "H264"
    audio: bool = True
    described: bool = True

    def xml(self, name: str) -> str:
        client = (
            f"<client><id>{self.number}</id><address>127.0.0.1</address><time>3612</time>"
            "<flashver>FMLE/3.0 (compatible; Lavf59.27</flashver><dropped>0</dropped><avsync>22</avsync>"
            "<timestamp>3776</timestamp><publishing/><active/></client>\r\n"
            if self.number is not None
            else "<client><id>99</id><address>127.0.0.1</address><time>1</time></client>\r\n"
        )
        video = VIDEO.format(codec=self.video) if self.video else NO_VIDEO
        meta = f"<meta>{video}{AUDIO if self.audio else '<audio></audio>'}</meta>\r\n" if self.described else ""
        publishing = "<publishing/>\r\n<active/>\r\n" if self.number is not None else ""
        return (
            f"<stream>\r\n<name>{name}</name>\r\n<time>3435</time><bw_in>0</bw_in>\r\n<bytes_in>{self.received}</bytes_in>"
            f"\r\n<bw_out>0</bw_out>\r\n<bytes_out>0</bytes_out>\r\n<bw_audio>0</bw_audio>\r\n<bw_video>0</bw_video>"
            f"\r\n{client}{meta}<nclients>1</nclients>\r\n{publishing}</stream>\r\n"
        )


class FakeNginx(Serving):
    """Holds streams as (app, name) -> Stream."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: dict[tuple[str, str], Stream] = {}
        self.pid = 9908
        self.document: bytes | None = None
        """What is answered in place of the list."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/stat", self._stat), web.get("/control/drop/publisher", self._drop)]

    async def _stat(self, _: web.Request) -> web.Response:
        apps = sorted({app for app, _ in self.streams})
        text = "".join(
            f"<application>\r\n<name>{app}</name>\r\n<live>\r\n"
            + "".join(stream.xml(name) for (where, name), stream in self.streams.items() if where == app)
            + f"<nclients>{sum(where == app for where, _ in self.streams)}</nclients>\r\n</live>\r\n</application>\r\n"
            for app in apps
        )
        head = f'<?xml version="1.0" encoding="utf-8" ?>\r\n<rtmp>\r\n{VERSION}<pid>{self.pid}</pid>\r\n{TRAFFIC}'
        body = self.document or f"{head}<server>\r\n{text}</server>\r\n</rtmp>\r\n".encode()
        return web.Response(body=body, content_type="text/xml")

    async def _drop(self, request: web.Request) -> web.Response:
        where = request.query["app"], request.query["name"]
        stream = self.streams.get(where)
        if stream is None or str(stream.number) != request.query["clientid"]:
            return web.Response(text="0")
        del self.streams[where]
        return web.Response(text="1")
