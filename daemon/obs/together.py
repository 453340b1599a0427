"""Questions that are asked in one turn of the event loop, and travel together; and when to ask them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """``send`` is awaited with all of them, and returns their answers in the same order.

    A round trip costs nearly the same for one question as for several, and is most of what the daemon does at rest.
    """

    def __init__(self, send: Callable[[list[Question]], Awaitable[list[Answer]]]) -> None:
        self._send = send
        self._questions: list[Question] = []
        self._answers: asyncio.Task[list[Answer]] | None = None

    async def ask(self, question: Question) -> Answer:
        """Its answer. Raises what ``send`` raises, and IndexError where that left it out.

        What holds up one answer holds up all of them: whoever waited in vain had better ask alone the next time.
        """
        if self._answers is None:
            # It begins in the loop's next turn, when all of this one have asked.
            self._answers = asyncio.create_task(self._ask_all(), name="obs-together")
            self._answers.add_done_callback(_take_note)
        place = len(self._questions)
        self._questions.append(question)
        return (await asyncio.shield(self._answers))[place]

    async def _ask_all(self) -> list[Answer]:
        questions, self._questions, self._answers = self._questions, [], None
        return await self._send(questions)


def _take_note(answers: "asyncio.Task[list[Answer]]") -> None:
    # Whoever asked may not wait any more, and asyncio would complain of an error that nobody has seen.
    if not answers.cancelled():
        answers.exception()


def next_beat(now: float, interval: float) -> float:
    """The next multiple of the interval, which is later than now.

    At a multiple, ``//`` rounds down to the one before as often as not (1.0 // 0.2 is 4): the next one would be now.
    """
    beat = (now // interval + 1) * interval
    return beat if beat > now else beat + interval


def until_beat(interval: float) -> float:
    """Seconds until the event loop's next multiple of the interval: those who wait for the same one ask together.

    A tenth of the interval at least: a timer may ring a moment before its time, and one question is enough for a beat.
    """
    now = asyncio.get_running_loop().time()
    wait = next_beat(now, interval) - now
    return wait if wait >= interval / 10 else wait + interval
