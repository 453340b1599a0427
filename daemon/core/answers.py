"""What others answer over HTTP is read up to a bound."""

import aiohttp


async def read_most(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, if it has at most so many bytes. Raises ValueError."""
    chunks = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        chunks += chunk
        if len(chunks) > most:
            raise ValueError("the answer is too long")
    return bytes(chunks)
