"""The machines of two plants, what breaks on them, and who mends it."""

from typing import Final, NamedTuple

HOSTILE: Final = '"><script>document.title="mine"</script><b>{{7*7}}</b>\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe'
"""A name that would be markup, a script, a template, and something else than it looks like."""


class Machine(NamedTuple):
    """One of them.

    Attributes:
        key: its.
        name: what people call it.
        site: where it stands.
        maker: who made it.
        model: which.
        mtbf_days: how often it breaks down.
        stands: what it does now: `running`, `broken`, `serviced`.
    """

    key: str
    name: str
    site: str
    maker: str
    model: str
    mtbf_days: float
    stands: str = "running"


class Plan(NamedTuple):
    """What is done again and again, how often, and how long it takes."""

    name: str
    days: int
    seconds: int


SITES: Final = {"NORTH": "North works, hall 1", "SOUTH": "South mill"}
CRITICALITY: Final = ("low", "medium", "high", "critical")
ASSETS: Final = (
    Machine("PUMP-7", "Feed pump 7", "NORTH", "KSB", "Etanorm", 24),
    Machine("PUMP-8", "Feed pump 8, standby", "NORTH", "KSB", "Etanorm", 60),
    Machine("CONV-3", "Main conveyor", "NORTH", "Siemens", "CV-900", 18, "broken"),
    Machine("COMP-1", "Screw compressor", "NORTH", "Kaeser", "BSD 75", 40),
    Machine("BOILER-1", "Steam boiler", "NORTH", "Bosch", "UL-S", 90, "serviced"),
    Machine("ROBOT-11", "Welding robot, cell 4", "NORTH", "KUKA", "KR 210", 30),
    Machine("KILN-1", "Rotary kiln", "SOUTH", "FLSmidth", "R-60", 35),
    Machine("MILL-4", "Ball mill", "SOUTH", "Metso", "M-4", 28),
    Machine("FAN/2 ?&#", HOSTILE, "SOUTH", "Howden", "ILF", 50),
)
REASONS: Final = (
    "bearing worn",
    "shaft seal leaks",
    "motor too hot",
    "sensor gives no signal",
    "coupling misaligned",
    "control cabinet tripped",
)
MECHANICS: Final = ("Aylin Demir", "Jo O'Brien", "Marek Nowak")
PLANS: Final = (
    Plan("Grease all bearings", 14, 1800),
    Plan("Change oil and filters", 30, 7200),
    Plan("Inspect safety devices and guards", 10, 3600),
)
PARTS: Final = ("Bearing 6205", "Shaft seal 40 mm", "V-belt SPB 2500", "Oil filter", "Temperature sensor")
