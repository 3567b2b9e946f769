"""`connections credits`: by tier and deployment, by what the contract says, and never guessed."""

import pytest

from handlers.rules.credits import credits_of
from tests.worker.cli.plant import CONNECTIONS, Plant

MORE = """
[connections.works]
source = "makini"
customer = "acme"
deployment = "on_premises"
tier = 3
secrets = [{ ref = "env:PLANT" }]
[connections.yard]
source = "makini"
customer = "acme"
credits = 3
secrets = [{ ref = "env:PLANT" }]
[connections.sold]
source = "makini"
customer = "globex"
tier = 2
revoked = true
secrets = [{ ref = "env:PLANT" }]
"""


@pytest.mark.parametrize(
    ("tier", "deployment", "stated", "found"),
    [
        (1, "cloud", None, 1),
        (2, "cloud", None, 2),
        (3, "cloud", None, 4),
        (3, "on_premises", None, 8),
        (3, "on_premises", 5, 5),
        (None, "on_premises", None, None),
        (None, "cloud", 0, 0),
    ],
)
def test_the_tier_gives_the_credits_unless_they_are_stated(
    tier: int | None, deployment: str, stated: int | None, found: int | None
) -> None:
    assert credits_of(tier, deployment, stated) == found


def test_each_customers_connections_are_summed_and_what_is_unknown_is_named(local: Plant) -> None:
    (local.home / "connections.toml").write_text(CONNECTIONS + MORE)

    rows = {row["connection"]: row for row in local.run("connections", "credits", "--json").rows}
    told = local.run("connections", "credits")

    assert {name: row["credits"] for name, row in rows.items()} == {
        "works": 8,
        "yard": 3,
        "sold": 0,
        "plant": None,
        "second": None,
        "trial": None,
    }
    assert rows["sold"]["state"] == "revoked"
    assert "acme: 11 credits" in told.said
    assert "globex: 0 credits" in told.said
    assert "without a tier, so not counted: plant, second" in told.said
    assert local.run("connections", "credits", "--customer", "nobody").code == 4
