"""A span around the work on a message, where this process traces (`worker.tracing`)."""

import contextlib
import threading

import dramatiq

from worker.streams_consumer import StreamMessage
from worker.streams_leases import delivery_ids
from worker.tracing import spans


class MessageSpan(dramatiq.Middleware):
    """Opens it in the thread that works on the message, so that what is logged meanwhile carries its ids."""

    def __init__(self) -> None:
        self._here = threading.local()

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        """Linked to every delivery in it."""
        del broker
        tracing = spans()
        if tracing is None:
            return
        assert isinstance(message, StreamMessage)
        held = message.envelope
        self._here.span = contextlib.ExitStack()
        self._here.span.enter_context(tracing.working(held.lane, held.entry_id, delivery_ids(held.items)))

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        """Closes it, however the work ended."""
        del broker, message, result
        span: contextlib.ExitStack | None = self._here.__dict__.pop("span", None)
        if span is None:
            return
        if exception is None:
            span.close()
        else:
            with contextlib.suppress(type(exception)):  # it is raised in the span, and has been told of already
                span.__exit__(type(exception), exception, None)
