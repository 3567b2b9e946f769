"""Who asks."""

from typing import NamedTuple

from worker.tokens import ROLES, Role


class Principal(NamedTuple):
    """Somebody who was let in.

    Attributes:
        name: of the token, or of the person whom a trusted proxy names; the audit log names them so.
        role: what they may do.
        csrf: what each of their forms must bring along; None for a bearer token, which no browser sends by itself.
    """

    name: str
    role: Role
    csrf: str | None = None

    def may(self, role: Role) -> bool:
        """Whether they have a role, or one above."""
        return ROLES.index(self.role) >= ROLES.index(role)
