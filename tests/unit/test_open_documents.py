"""A signature between modules takes and returns classes; `dict[str, Any]` is for JSON of others alone."""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("environments", "hl7", "infra", "lambdas", "ops", "receiver")
_OPEN = re.compile(r"(dict|Mapping|MutableMapping)\[\w+, (Any|object)\]")

ALLOWED = {
    "a DynamoDB item, which the module beside the table turns into a class": {
        "lambdas/common/aws/item_reads.py": "pages query read_item read_items",
        "lambdas/common/aws/item_writes.py": "Update.item put update",
        "lambdas/common/aws/items.py": "expressed from_item to_item",
        "lambdas/delivery/ledger/deliveries/due.py": "due due_after",
        "lambdas/delivery/ledger/items.py": "RepairPosition.start",
        "lambdas/delivery/ledger/table.py": (
            "count query read_item read_several replace_item update"
        ),
        "lambdas/encounters/items.py": "decision_item decision_of encounter_item encounter_of",
        "lambdas/registry/table.py": "items_by_key",
        "lambdas/registry/snapshot.py": "RegistrySnapshot.items",
        "lambdas/registry/keys.py": "at",
        "lambdas/registry/importing/to_items.py": (
            "patient_cells patient_values provider_cells provider_values relationship_values"
        ),
        "lambdas/registry/importing/changes.py": (
            "ItemChange.item ItemChange.values ItemChanges.__init__ ItemChanges.set_values"
        ),
        "lambdas/registry/importing/named_cells.py": "keys_to_read merged_patients patients_of",
        "lambdas/registry/importing/plan.py": "items items_of_folder planned",
        "lambdas/registry/from_items.py": "consents patient provider_id providers relationship",
        "ops/master_data/registry.py": "read read_known remove",
        "ops/smoke/patient.py": "entries_of",
    },
    "an audit entry as stored: its hash covers these members, also those of other versions": {
        "lambdas/common/audit/canonical.py": "canonical hash_of",
        "lambdas/common/audit/chain.py": (
            "append append_decided chained entries entries_of head_of items of_day query"
        ),
        "lambdas/common/function/handler.py": "Run.entries",
        "lambdas/common/audit/checks.py": (
            "EventItems.chained EventItems.head EventItems.of EventItems.outside EventItems.outside_of"
            " Expiry.is_before check_chain line_of"
        ),
        "lambdas/common/audit/forms.py": "day_of form_fault number_of text_of",
        "lambdas/common/audit/seal.py": "is_sealed",
        "lambdas/delivery/audit.py": "is_audited unaudited",
        "ops/cop/events.py": "EventFold.add",
        "ops/disclosures/records.py": "disclosures merged_from readings",
        "ops/audit/entries.py": "readable",
        "ops/events/long_reads.py": "entries",
        "ops/events/timeline.py": (
            "event_kind note presentable received_at recipients suppression_of timeline"
        ),
        "ops/events/trail.py": "EventTrail.entries",
    },
    "reads or writes any contract": {
        "lambdas/common/contracts/document.py": "to_document without_empty",
    },
    "a configured sender, checked by environments/sender.schema.json": {
        "lambdas/common/configuration.py": "DeployedConfiguration.senders",
        "lambdas/common/function/context.py": "Context.senders",
        "lambdas/common/senders.py": "sender_of_message sender_profile",
        "lambdas/track_encounter/profile.py": "profile_of",
    },
    "a policy, checked by environments/policy.schema.json": {
        "environments/policy.py": "PolicyFile.configuration",
        "lambdas/common/configuration.py": "DeployedConfiguration.policies",
        "lambdas/policy/rules.py": "policies",
    },
    "members of an audit entry, by name": {
        "lambdas/delivery/ledger/entries.py": "decided of_policy of_refused told_too",
        "lambdas/delivery/ledger/items.py": "DeliveryItem.audit_members",
    },
    "the settings of the chosen MPI client, which LookupIdentities reads into `MpiSettings`": {
        "environments/sections.py": "MpiSection.settings",
    },
    "FHIR": {
        "lambdas/lookup_identities/fhir/http.py": "FhirClient.post FhirResponse.resource",
        "lambdas/lookup_identities/fhir/patients.py": "described",
        "lambdas/lookup_identities/fhir/references.py": "with_relative_references",
        "lambdas/lookup_identities/fhir/resources.py": (
            "read_bundle read_directory read_parameters read_patient"
        ),
        "ops/disclosures/fhir.py": "audit_event bundle",
    },
    "JSON of an AWS API, log or template": {
        "lambdas/common/contracts/workflow/tasks.py": "RecordFeedbackInput.detail",
        "lambdas/extract_entities/comprehend_medical/comprehend.py": "ComprehendAnswer.entities",
        "lambdas/extract_entities/findings.py": "found",
        "lambdas/record_feedback/feedback.py": "Feedback.from_detail tag",
        "lambdas/record_feedback/recording.py": "record",
        "ops/environment/preflight/assembly.py": "Resource.properties",
        "receiver/storage/aws_client/calls.py": "Aws.ask_queue",
        "receiver/storage/sqs_batcher.py": "SqsBatcher.__init__",
        "receiver/telemetry/log.py": "Log.line",
    },
    "JSON that `ens` prints": {},
    "data of another library": {
        "lambdas/extract_entities/notes/language.py": "Detector.detect",
        "receiver/intake/client_certificate.py": "ClientCertificate.of_peer",
    },
    "a file before it is checked, or a table made by a script": {
        "environments/schema.py": "check",
        "infra/reference/build.py": "build text_of",
        "infra/reference/table.py": "Reference.document",
        "lambdas/delivery/letter/words/locale.py": "Words.__init__",
    },
}
"""The public functions, methods and fields with such a type, by the reason why they have it."""


@cache
def modules() -> dict[Path, ast.Module]:
    """The product's modules."""
    return {
        file: ast.parse(file.read_text())
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
    }


@cache
def aliases(file: Path) -> frozenset[str]:
    """The names in a module that stand for `dict[str, Any]`: its own aliases and those it imports."""
    found: set[str] = set()
    for node in modules()[file].body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Subscript):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if is_open(node.value, frozenset(found)):
                found |= names
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            source = ROOT / (node.module.replace(".", "/") + ".py")
            if source in modules():
                found |= {a.asname or a.name for a in node.names if a.name in aliases(source)}
    return frozenset(found)


def is_open(annotation: ast.expr, names: frozenset[str]) -> bool:
    """Whether a type holds a `dict[str, Any]`, by itself or by one of these names."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A text is a forward reference, or a member of a Literal, which may be no expression.
            with suppress(SyntaxError):
                if is_open(ast.parse(node.value, mode="eval").body, names):
                    return True
        elif isinstance(node, ast.Name | ast.Subscript) and (
            ast.unparse(node) in names or _OPEN.fullmatch(ast.unparse(node))
        ):
            return True
    return False


def is_public(name: str) -> bool:
    return not name.startswith("_") or name == "__init__"


def open_signatures(file: Path) -> Iterator[str]:
    """The public functions, methods and fields of a module that have an open type."""
    yield from _open_in(modules()[file].body, "", aliases(file))


def _open_in(body: list[ast.stmt], prefix: str, names: frozenset[str]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            yield from _open_in(node.body, f"{node.name}.", names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_public(node.name):
            arguments = node.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            types = [argument.annotation for argument in every] + [node.returns]
            if any(one is not None and is_open(one, names) for one in types):
                yield prefix + node.name
        elif isinstance(node, ast.AnnAssign) and prefix and is_open(node.annotation, names):
            name = ast.unparse(node.target)
            if is_public(name):
                yield prefix + name


def found() -> set[str]:
    return {
        f"{file.relative_to(ROOT)} {name}" for file in modules() for name in open_signatures(file)
    }


def allowed() -> set[str]:
    return {
        f"{file} {name}"
        for files in ALLOWED.values()
        for file, names in files.items()
        for name in names.split()
    }


def test_an_open_document_crosses_modules_only_where_a_reason_is_listed() -> None:
    assert found() - allowed() == set()


def test_every_listed_place_still_has_one() -> None:
    assert allowed() - found() == set()
