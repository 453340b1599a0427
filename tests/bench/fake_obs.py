"""A fake OBS as a program of its own, that plays every stream: for what is to be measured without OBS's own work.

python -m tests.bench.fake_obs PORT_FILE SECONDS_TO_THE_FIRST_PICTURE
"""

import asyncio
import sys
from pathlib import Path

from tests.fakes import FakeObs, Stream


async def serve(port_file: Path, first_frame: float) -> None:
    """Run until it is killed; write the port and the password, a line each, when it listens."""
    async with FakeObs() as obs:
        obs.streams.default = Stream(first_frame)
        unfinished = port_file.with_suffix(".new")
        await asyncio.to_thread(unfinished.write_text, f"{obs.port}\n{obs.password or ''}\n")
        await asyncio.to_thread(unfinished.rename, port_file)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
