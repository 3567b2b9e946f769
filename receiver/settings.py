"""What the receiver needs to know beyond what every role does."""

from pydantic import Field

from handlers.settings import Settings


class ReceiverSettings(Settings):
    """The receiver's settings.

    Attributes:
        public_host: address that the webhook port listens on.
        public_port: 0 picks a free one; the log line `receiver_ready` names it.
    """

    public_host: str = "0.0.0.0"  # noqa: S104  # webhooks come from outside
    public_port: int = Field(default=8080, ge=0, le=65535)
