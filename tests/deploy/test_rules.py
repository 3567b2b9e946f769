"""Prometheus's rules and Alertmanager's routes, checked by their own tools and against what we measure."""

import os
import re
from pathlib import Path

import pytest

from receiver.counting import OUR_FAULT, UNVERIFIED
from receiver.problems import FAILED
from tests.deploy.metrics import known, problems
from tests.deploy.shipped import PROMETHEUS, Alert, alerts, read_yaml, rules, run
from tests.programs import program
from worker.codes import KNOWN

LINK = re.compile(r"\{\{ or \$externalLabels\.runbooks \"https://[^\"]+/deploy/runbook\" \}\}/(\w+)\.md")
SEVERITIES = ("page", "ticket", "info")
NAMES = sorted({alert.name for alert in alerts()})
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


@pytest.mark.parametrize(("set_to", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_program_is_a_failure_where_everything_must_be_there(
    monkeypatch: pytest.MonkeyPatch, set_to: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", set_to)
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(outcome, match="apt-get install -y prometheus-alertmanager"):
        program("amtool")


@pytest.mark.parametrize("name", ["prometheus.yml", "compose.yml"])
def test_prometheus_reads_its_configuration_and_every_rule(name: str) -> None:
    done = run("promtool", "check", "config", PROMETHEUS / name)
    assert done.returncode == 0, done.stdout


def test_alertmanager_reads_its_configuration() -> None:
    done = run("amtool", "check-config", PROMETHEUS / "alertmanager.yml")
    assert done.returncode == 0, done.stdout


def test_the_rules_do_what_their_own_tests_say() -> None:
    done = run("promtool", "test", "rules", *TESTS)
    assert done.returncode == 0, done.stdout


def test_those_tests_would_find_another_threshold(tmp_path: Path) -> None:
    for name in ("rules", "tests"):
        (tmp_path / name).mkdir()
    for path in (PROMETHEUS / "rules").glob("*.yml"):
        (tmp_path / "rules" / path.name).write_text(path.read_text().replace("> 2 * 60", "> 9 * 60"))
    (tmp_path / "tests" / "road.yml").write_text((PROMETHEUS / "tests" / "road.yml").read_text())
    assert run("promtool", "test", "rules", tmp_path / "tests" / "road.yml").returncode == 1


def test_every_metric_and_label_in_a_rule_is_ours_or_recorded() -> None:
    there_are = known()
    assert [found for rule in rules() for found in problems(rule["expr"], there_are)] == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ('rate(mainteworks_retries_total{error="x"}[5m])', ["no metric mainteworks_retries_total"]),
        ("sum by (eror) (maintenworks_retries_total)", ["no metric has a label eror"]),
        ('maintenworks_retries_total{err="x"} > 5', ["maintenworks_retries_total has no label err"]),
        ("maintenworks_event_end_to_end_seconds_bucket{le=~'60'} unless on (job) up == 0", []),
    ],
)
def test_a_misspelt_metric_or_label_would_be_found(expression: str, said: list[str]) -> None:
    assert problems(expression, known()) == said


def test_what_counts_as_our_fault_is_what_the_receiver_means_by_it() -> None:
    [owed] = [rule["expr"] for rule in rules() if rule.get("record") == "job:maintenworks_webhooks_failed:rate5m"]
    [outcomes] = re.findall(r'outcome=~"([^"]+)"', owed)
    assert set(outcomes.split("|")) == OUR_FAULT | {FAILED.type}


def test_what_counts_as_unverified_is_what_the_receiver_means_by_it() -> None:
    [alert] = [alert for alert in alerts() if alert.name == "MaintenworksSignatureFailuresHigh"]
    for outcomes in re.findall(r'outcome=~"([^"]+)"', alert.expression):
        assert set(outcomes.split("|")) == UNVERIFIED


def test_errors_that_nobody_foresaw_have_codes_that_exist() -> None:
    [alert] = [alert for alert in alerts() if alert.name == "MaintenworksUnexpectedErrors"]
    for codes in re.findall(r'error=~"([^"]+)"', alert.expression):
        assert set(codes.split("|")) <= KNOWN


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_every_alert_says_what_is_the_matter_and_where_to_read_on(alert: Alert) -> None:
    assert alert.name.startswith("Maintenworks")
    assert alert.severity in SEVERITIES
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert len(alert.annotations["summary"]) < 80
    link = LINK.fullmatch(alert.annotations["runbook_url"])
    assert link is not None
    assert link[1] == alert.name


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    cases = [case for path in TESTS for case in read_yaml(path)["tests"]]
    silent = [
        each
        for case in cases
        for each in case.get("alert_rule_test", [])
        if each["alertname"] == name and not each.get("exp_alerts")
    ]
    fired = [
        each
        for case in cases
        for each in case.get("alert_rule_test", [])
        if each["alertname"] == name and each.get("exp_alerts")
    ]
    fired += [
        each
        for case in cases
        for test in case.get("promql_expr_test", [])
        for each in test["exp_samples"]
        if f'alertname="{name}"' in each["labels"]
    ]
    assert silent
    assert fired


def test_every_severity_is_somebodys_and_inhibitions_name_alerts_that_exist() -> None:
    given = read_yaml(PROMETHEUS / "alertmanager.yml")
    routed = {matcher.split(" = ")[1] for route in given["route"]["routes"] for matcher in route["matchers"]}
    receivers = {receiver["name"] for receiver in given["receivers"]}
    assert routed == set(SEVERITIES)
    assert {route["receiver"] for route in given["route"]["routes"]} == receivers
    text = " ".join(
        matcher
        for rule in given["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if matcher.startswith("alertname")
    )
    named = {
        f"Maintenworks{each}" for group in re.findall(r"Maintenworks\(([^)]+)\)", text) for each in group.split("|")
    }
    named |= set(re.findall(r"Maintenworks\w+", text))
    assert named <= set(NAMES)
    assert "MaintenworksBrokerDown" in named


def test_both_configurations_differ_only_in_whom_they_ask_and_tell() -> None:
    here, composed = (read_yaml(PROMETHEUS / name) for name in ("prometheus.yml", "compose.yml"))
    for each in (here, composed):
        each["alerting"].pop("alertmanagers")
        [scraped] = each.pop("scrape_configs")
        assert scraped["job_name"] == "maintenworks"
    assert here == composed
