"""`connections.toml` as the contract writes it, and one line for each way to get it wrong."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.connections import Api, Connection, SecretRef
from handlers.connections.parsing import parse
from handlers.errors import ConfigurationError
from handlers.events import MappingOptions
from handlers.signatures import scheme
from handlers.sources import load

FULL = """
[connections.acme-maximo]
source = "unified"                # a file in handlers/sources
customer = "acme"                 # default: the connection's id
environment = "sandbox"
scheme = "stripe"
secrets = [{ ref = "env:ACME_MAXIMO_SECRET" },
           { ref = "file:/run/secrets/acme", not_before = 2026-01-01T00:00:00+01:00, not_after = 2026-12-31T00:00:00Z }]
api = { base_url = "https://api.makini.io/api/eam/", token = "file:/run/secrets/acme-token" }
deployment = "on_premises"
tier = 2
time_zone = "Europe/Berlin"
site_zones = { tx = "America/Chicago" }
currency = "EUR"
status_map = { WSCH = "scheduled", DOWN = "down" }
priority_map = { "1" = "critical" }
rate_limit = "200/s"
paused = true
"""
SCHEMES = (
    "there are makini, standard-webhooks, github, stripe, slack, shopify, maintainx, atlas, hmac = { … }, token = { … }"
)
LITERAL = "is a literal, not a reference; put the secret elsewhere and write env:NAME or file:PATH"
LATER = "references come with a later version; write env:NAME or file:PATH"
MOMENT = "is no moment; write one with its offset and without quotes, as 2026-12-31T00:00:00Z"
GOOD = 'source = "unified"\nsecrets = [{ ref = "env:A" }]\n'


def read(text: str) -> dict[str, Connection]:
    return dict(parse(text, "connections.toml", load()).connections)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    return list(caught.value.problems)


def one(fields: str) -> Connection:
    return read(f"[connections.acme]\n{GOOD}{fields}")["acme"]


def told(fields: str) -> str:
    """The one problem of a connection that is good but for these fields, which stand on line 4."""
    (problem,) = problems(f"[connections.acme]\n{GOOD}{fields}")
    assert problem.startswith("connections.toml:4: connections.acme."), problem
    return problem.removeprefix("connections.toml:4: connections.acme.")


def test_every_field_of_the_contract_is_read() -> None:
    assert read(FULL) == {
        "acme-maximo": Connection(
            id="acme-maximo",
            source="unified",
            customer="acme",
            environment="sandbox",
            scheme=scheme("stripe"),
            secrets=(
                SecretRef(text="env:ACME_MAXIMO_SECRET"),
                SecretRef(
                    text="file:/run/secrets/acme",
                    not_before=datetime(2025, 12, 31, 23, tzinfo=UTC),
                    not_after=datetime(2026, 12, 31, tzinfo=UTC),
                ),
            ),
            options=MappingOptions(
                time_zone="Europe/Berlin",
                currency="EUR",
                status_map={"WSCH": "scheduled", "DOWN": "down"},
                priority_map={"1": "critical"},
                site_zones={"tx": "America/Chicago"},
            ),
            paused=True,
            rate_limit=200.0,
            deployment="on_premises",
            tier=2,
            api=Api(base_url="https://api.makini.io/api/eam", token=SecretRef(text="file:/run/secrets/acme-token")),
        )
    }


def test_source_and_secrets_are_all_that_is_needed() -> None:
    connection = one("")

    assert connection == Connection(
        id="acme",
        source="unified",
        customer="acme",
        environment="production",
        scheme=scheme("makini"),
        secrets=(SecretRef(text="env:A"),),
    )
    assert (connection.paused, connection.revoked, connection.rate_limit, connection.deployment) == (
        False,
        False,
        None,
        "cloud",
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[connections]\n"])
def test_a_registry_may_be_empty(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    "fields",
    ['scheme = { hmac = { header = "X" } }', 'hmac = { header = "X" }', 'scheme = "hmac"\nhmac = { header = "X" }'],
)
def test_the_options_of_hmac_stand_in_the_scheme_or_beside_it(fields: str) -> None:
    assert one(fields).scheme == scheme({"hmac": {"header": "X"}})


@pytest.mark.parametrize(("text", "rate"), [("200/s", 200), ("0.5 / s", 0.5), ("600/min", 10), ("5400/h", 1.5)])
def test_a_rate_is_in_requests_a_second(text: str, rate: float) -> None:
    assert one(f'rate_limit = "{text}"').rate_limit == rate


def test_a_secret_is_valid_within_its_window_ends_included() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    ref = SecretRef(text="env:A", not_before=start, not_after=end)
    tick = datetime.resolution

    assert [ref.valid_at(moment) for moment in (start - tick, start, end, end + tick)] == [False, True, True, False]
    assert SecretRef(text="env:A").valid_at(start)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ('enviroment = "x"', "enviroment: is no field here; did you mean environment?"),
        ('environment = "test"', "environment: is none of production, sandbox"),
        ("environment = 1", "environment: is a number; write a string"),
        ("tier = 4", "tier: is none of 1, 2, 3"),
        ("credits = -1", "credits: is no number from 0 to 1000"),
        ('deployment = "moon"', "deployment: is none of cloud, on_premises"),
        ('paused = "yes"', "paused: is a string; write a boolean"),
        ("paused = 1", "paused: is a number; write a boolean"),
        ('customer = ""', "customer: is no text of 1 to 200 printable characters"),
        ('customer = "a\\u0007"', "customer: is no text of 1 to 200 printable characters"),
        ("customer = true", "customer: is a boolean; write a string"),
        ('time_zone = "Berlin"', 'time_zone: is no IANA time zone; write one like "Europe/Berlin"'),
        ('time_zone = "../../etc/passwd"', 'time_zone: is no IANA time zone; write one like "Europe/Berlin"'),
        ('time_zone = "Europe"', 'time_zone: is no IANA time zone; write one like "Europe/Berlin"'),
        ('time_zone = ""', 'time_zone: is no IANA time zone; write one like "Europe/Berlin"'),
        ('site_zones = { a = "x" }', 'site_zones.a: is no IANA time zone; write one like "Europe/Berlin"'),
        ("site_zones = { a = 1 }", "site_zones.a: is a number; write a string"),
        ("site_zones = []", "site_zones: is an array; write a table"),
        ('currency = "eur"', 'currency: is no ISO 4217 code; write one like "EUR"'),
        ('rate_limit = "200"', 'rate_limit: is no rate; write one like "200/s", "600/min" or "5000/h"'),
        ('rate_limit = "0/s"', 'rate_limit: is no rate; write one like "200/s", "600/min" or "5000/h"'),
        ("rate_limit = 200", "rate_limit: is a number; write a string"),
        ('expect_every = "hourly"', "expect_every: is no length of time; write it like 90s, 30min, 24h or 7d"),
        ('expect_every = "5s"', "expect_every: is not between 1min and 400d"),
        (
            'priority_map = { a = "urgent" }',
            "priority_map.a: is none of our words; there are critical, high, low, medium, none",
        ),
        (
            'scheme = "macini"',
            f"scheme: there is no 'macini'; {SCHEMES}",
        ),
        ("scheme = 1", "scheme: is a number; write a string or a table"),
        ('scheme = { hmac = { header = "X", hash = "md5" } }', "scheme.hmac.hash: is none of sha1, sha256, sha512"),
        (
            "scheme = {}",
            f"scheme: is neither a name nor a table of one entry; {SCHEMES}",
        ),
        ('hmac = { header = "X", hash = "md5" }', "hmac.hash: is none of sha1, sha256, sha512"),
        (
            'hmac = { header = "X" }\nscheme = "stripe"',
            'hmac: are options of scheme = "hmac"; drop them, or the other scheme',
        ),
        (
            'api = { base_url = "ftp://x" }',
            'api.base_url: is no address; write one like "https://api.makini.io/api/eam"',
        ),
        (
            'api = { base_url = "https://[" }',
            'api.base_url: is no address; write one like "https://api.makini.io/api/eam"',
        ),
        ('api = { base_url = "https://x", tokn = "" }', "api.tokn: is no field here; did you mean token?"),
        ("api = 1", "api: is a number; write a table"),
        (
            'endpoint = "shared"\nexternal_id = "7"',
            "endpoint: is no endpoint; there is none; write [endpoints.shared], or name another",
        ),
        (
            'external_id = "7"',
            'external_id: has no endpoint to come in at; write endpoint = "NAME", or drop it',
        ),
    ],
)
def test_a_wrong_field_is_one_line_with_file_line_and_mend(fields: str, line: str) -> None:
    assert told(fields) == line


def test_a_custom_field_may_become_a_field_of_ours_for_every_kind_or_for_one() -> None:
    connection = one('field_map = { zz_class = "criticality", zz_due = "work_order.due_date" }\norder = "arrival"')
    assert connection.options.field_map == {"zz_class": "criticality", "zz_due": "work_order.due_date"}
    assert connection.options.order == "arrival"


@pytest.mark.parametrize(
    ("target", "mend"),
    [
        ("criticallity", "is no field of any record; did you mean criticality?"),
        ("asset.due_date", "is no field of asset; did you mean "),
        ("machine.name", "names no kind of ours; write a field such as criticality, or one of work_order, asset, "),
        ("xyzzy", "is no field of any record; `maintenworks schema KIND` lists them"),
    ],
)
def test_a_field_map_that_names_no_field_is_told_with_the_mend(target: str, mend: str) -> None:
    assert told(f'field_map = {{ zz = "{target}" }}').startswith(f"field_map.zz: {mend}")


def test_an_order_that_is_none_is_told_with_the_two_there_are() -> None:
    assert told('order = "received"') == "order: is none of source, arrival"


def test_a_status_of_no_kind_is_told_with_the_words_there_are() -> None:
    line = told('status_map = { WSCH = "shceduled" }')

    assert line.startswith("status_map.WSCH: is none of our words; there are active, approved, ")
    assert "operating" in line


@pytest.mark.parametrize(
    ("secrets", "line", "message"),
    [
        ('"hunter2hunter2hunter2"', 2, "secrets: is a string; write an array"),
        ("[]", 2, 'secrets: is empty; write secrets = [{ ref = "env:NAME" }]'),
        ('[\n"hunter2hunter2"]', 3, f"secrets[0]: {LITERAL}"),
        ('["env:A"]', 2, 'secrets[0]: is a bare reference; write { ref = "…" } around it'),
        ("[1]", 2, 'secrets[0]: is a number; write { ref = "env:NAME" }'),
        ("[{}]", 2, 'secrets[0].ref: is missing; write a reference like "env:NAME" or "file:PATH"'),
        ("[{ ref = 1 }]", 2, "secrets[0].ref: is a number; write a string"),
        ('[{ ref = "env:A" },\n{ ref = "hunter2hunter2" }]', 3, f"secrets[1].ref: {LITERAL}"),
        ('[{ ref = "hunter:2hunter2" }]', 2, f"secrets[0].ref: {LITERAL}"),
        (
            '[{ ref = "env:hunter-2" }]',
            2,
            "secrets[0].ref: names no environment variable; write env: and the variable's name",
        ),
        ('[{ ref = "file:" }]', 2, "secrets[0].ref: names no file; write file: and the file's path"),
        ('[{ ref = "vault:kv/acme#webhook" }]', 2, f"secrets[0].ref: vault: {LATER}"),
        (
            '[{ ref = "env:A", value = "hunter2" }]',
            2,
            "secrets[0].value: is no field here; there are ref, not_before, not_after",
        ),
        ('[{ ref = "env:A", not_after = "2026-12-31T00:00:00Z" }]', 2, f"secrets[0].not_after: {MOMENT}"),
        ('[{ ref = "env:A", not_after = 2026-12-31T00:00:00 }]', 2, f"secrets[0].not_after: {MOMENT}"),
        ('[{ ref = "env:A", not_before = 2026-12-31 }]', 2, f"secrets[0].not_before: {MOMENT}"),
        (
            '[{ ref = "env:A", not_before = 2026-12-31T00:00:00Z, not_after = 2026-12-31T00:00:00Z }]',
            2,
            "secrets[0].not_after: is not after not_before; such a secret is never used",
        ),
    ],
)
def test_a_wrong_secret_is_told_and_never_quoted(secrets: str, line: int, message: str) -> None:
    found = problems(f'[connections.acme]\nsecrets = {secrets}\nsource = "unified"')

    assert found == [f"connections.toml:{line}: connections.acme.{message}"]
    assert "hunter" not in found[0]


@pytest.mark.parametrize("provider", ["aws-sm:name#field", "azure-kv:vault/name"])
def test_a_provider_of_a_later_version_is_told_apart_from_a_literal(provider: str) -> None:
    (line,) = problems(f'[connections.a]\nsource = "unified"\nsecrets = [{{ ref = "{provider}" }}]')

    assert "references come with a later version" in line


def test_a_literal_token_is_refused_too() -> None:
    assert told('api = { base_url = "https://x", token = "hunter2" }') == (f"api.token: {LITERAL}")


@pytest.mark.parametrize("address", ["https://user:hunter2@x/", "https://hunter2@x/"])
def test_an_address_with_a_login_in_it_is_refused_and_not_quoted(address: str) -> None:
    assert "hunter2" not in told(f'api = {{ base_url = "{address}" }}')


def test_what_is_needed_and_missing_is_told_at_the_table() -> None:
    assert problems("\n[connections.acme]\npaused = true") == [
        "connections.toml:2: connections.acme.source: is missing; name one of " + ", ".join(load()),
        'connections.toml:2: connections.acme.secrets: is missing; write secrets = [{ ref = "env:NAME" }]',
    ]


def test_a_source_nobody_wrote_is_told_with_those_there_are() -> None:
    (line,) = problems('[connections.acme]\nsource = "maxmo"\nsecrets = [{ ref = "env:A" }]')

    assert line == "connections.toml:2: connections.acme.source: is none of " + ", ".join(load())


def test_a_revoked_connection_needs_no_secrets() -> None:
    connection = read('[connections.acme]\nsource = "unified"\nrevoked = true')["acme"]

    assert connection.revoked
    assert connection.secrets == ()


def test_every_mistake_is_told_at_once_in_the_order_of_the_lines() -> None:
    found = problems(
        '[connections.b]\nsource = "x"\nsecrets = [{ ref = "env:A" }]\ncurrency = 7\n'
        '[connections.a]\ntime_zone = "x"\n[conections.c]\n'
    )

    assert [line.split(": ")[:2] for line in found] == [
        ["connections.toml:2", "connections.b.source"],
        ["connections.toml:4", "connections.b.currency"],
        ["connections.toml:5", "connections.a.source"],
        ["connections.toml:5", "connections.a.secrets"],
        ["connections.toml:6", "connections.a.time_zone"],
        ["connections.toml:7", "conections"],
    ]


@pytest.mark.parametrize("name", ["unknown", '"a/b"', '"-a"', '""', '"a b"', '"ä"', f'"{"a" * 65}"', '"a\\nb"'])
def test_an_id_that_fits_no_address_is_refused_on_one_line(name: str) -> None:
    (line,) = problems(f"[connections.{name}]\n{GOOD}")

    assert line.startswith("connections.toml:1: connections.")
    assert "is no id for a connection; use up to 64 letters, digits and . _ -" in line
    assert "\n" not in line


def test_an_id_may_have_a_dot() -> None:
    assert list(read(f'[connections."acme.eu"]\n{GOOD}')) == ["acme.eu"]


def test_a_connection_that_is_no_table_is_told() -> None:
    assert problems("[connections]\nacme = 1") == [
        "connections.toml:2: connections.acme: is a number; write [connections.acme]"
    ]


@pytest.mark.parametrize("text", ["connections = 1", "connections = []"])
def test_connections_that_are_no_table_are_told(text: str) -> None:
    assert problems(text)[0].endswith("write a table")


def test_a_name_used_twice_is_an_error() -> None:
    found = problems(f'[endpoints.acme]\nid = "/id"\n{GOOD}[connections.acme]\n{GOOD}')

    assert found == ["connections.toml:5: connections.acme: is an endpoint's name too; rename one of the two"]


def test_a_connection_that_stands_there_twice_is_an_error_on_its_second_line() -> None:
    (line,) = problems(f"[connections.acme]\n{GOOD}[connections.acme]\n{GOOD}")

    assert line.startswith("connections.toml:4: ")
    assert line.endswith("a name may be used once, so rename one or join the two")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[connections.acme\n",
            "connections.toml:1: column 18: Expected ']' at the end of a table declaration; mend the TOML there",
        ),
        ("\na = ", "connections.toml:2: end of file: Invalid value; mend the TOML there"),
        ("a = " + "[" * 100_000, "connections.toml:1: is nested too deeply; its tables are of one level"),
    ],
)
def test_what_is_no_toml_is_told_by_its_place(text: str, line: str) -> None:
    assert problems(text) == [line]


junk = st.recursive(
    st.sampled_from(["true", "1", "-0.5", "nan", '"x"', '"env:A"', '"file:a"', '"unified"', "2026-01-01", "12:00:00"]),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda each: f"[{', '.join(each)}]")
        | st.dictionaries(st.sampled_from(["ref", "hmac", "header", "token", "base_url", "a"]), inner, max_size=2).map(
            lambda each: "{ " + ", ".join(f"{key} = {value}" for key, value in each.items()) + " }"
        )
    ),
    max_leaves=5,
)
NAMES = ["source", "secrets", "scheme", "hmac", "api", "time_zone", "status_map", "rate_limit", "paused", "customer"]


@given(st.dictionaries(st.sampled_from(NAMES), junk))
def test_whatever_stands_in_a_field_is_read_or_told(fields: dict[str, str]) -> None:
    text = "[connections.acme]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())
    found: tuple[str, ...] = ()
    try:
        read(text)
    except ConfigurationError as error:
        found = error.problems

    assert [line for line in found if not line.startswith("connections.toml:") or "\n" in line] == []
