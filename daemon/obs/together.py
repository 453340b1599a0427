"""Questions that are asked in one turn of the event loop, and travel together."""

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
