"""Test folders mirror the folders of the code (docs/adr/0185-tests-mirror-the-code.md)."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("unit", "functional")
CODE = ("environments", "hl7", "lambdas", "local", "ops", "receiver", "simulators", "supply_chain")

TESTED_ELSEWHERE = {
    "lambdas/common/contracts/encounters": "with every document, in lambdas/common/contracts",
    "lambdas/common/contracts/message": "with every document, in lambdas/common/contracts",
    "lambdas/common/contracts/recipients": "with every document, in lambdas/common/contracts",
    "lambdas/common/contracts/workflow": "with every document, in lambdas/common/contracts",
    "lambdas/delivery/ledger/sending": "with its table, in lambdas/delivery/ledger",
    "lambdas/track_encounter": "with its table, in lambdas/encounters",
    "ops/encounters": "through `ens encounters`, in ops/commands",
    "ops/environment/preflight/checks": "with the runner, in ops/environment/preflight",
    "ops/events": "through `ens trace` and `ens events`, in ops/commands",
    "ops/master_data": "through `ens registry` and `ens roster`, in ops/commands",
    "ops/queues": "through `ens dlq`, `replay` and `rejected`, in ops/commands",
    "simulators/fhir_mpi": "by LookupIdentities' FHIR client, in lambdas/lookup_identities/fhir",
}
"""Code folders without a test folder of their own, with the place of their tests."""

NOT_CODE = {
    "bench/receiver": "benchmarks are tested where a report depends on them",
    "docs": "checks of the documentation",
    "receiver/clients": "HL7 clients in JavaScript that connect to the receiver",
}
"""Test folders that mirror no code folder of `CODE`, with the reason."""


def code_folders() -> set[str]:
    """The folders with modules, relative to the repository."""
    return {
        file.parent.relative_to(ROOT).as_posix()
        for name in CODE
        for file in (ROOT / name).rglob("*.py")
        if file.name != "__init__.py"
    }


def folders_of_tests(kind: str, pattern: str) -> set[str]:
    """The folders below tests/<kind> with such files, relative to it."""
    base = ROOT / "tests" / kind
    return {
        file.parent.relative_to(base).as_posix()
        for file in base.rglob(pattern)
        if file.parent != base and "__pycache__" not in file.parts
    }


def test_each_folder_of_code_has_a_mirrored_folder_of_tests() -> None:
    tested = set().union(*(folders_of_tests(kind, "test_*.py") for kind in KINDS))
    assert code_folders() - tested <= set(TESTED_ELSEWHERE)
    assert set(TESTED_ELSEWHERE) <= code_folders()


def test_each_folder_of_tests_mirrors_a_folder_of_code() -> None:
    known = {
        parent.as_posix()
        for folder in code_folders()
        for parent in (Path(folder), *Path(folder).parents)
    }
    found = set().union(*(folders_of_tests(kind, "*") for kind in KINDS))
    assert found - known - {"bench"} == set(NOT_CODE)


def is_about_a_module_of_its_folder(file: Path, kind: str) -> bool:
    """Whether the mirrored folder has a module of this name."""
    folder = file.parent.relative_to(ROOT / "tests" / kind)
    return (ROOT / folder / f"{file.stem.removeprefix('test_')}.py").exists()


def test_a_test_file_with_a_modules_name_is_in_the_folder_of_that_module() -> None:
    tests = [(kind, file) for kind in KINDS for file in (ROOT / "tests" / kind).rglob("test_*.py")]
    modules = [
        (folder, f"test_{module.stem}", f"from {folder}/{module.stem} import".replace("/", "."))
        for folder in code_folders()
        for module in (ROOT / folder).glob("*.py")
    ]
    assert [
        file.relative_to(ROOT).as_posix()
        for kind, file in tests
        for folder, name, imported in modules
        if file.stem == name
        and imported in file.read_text("utf-8")
        and file.parent != ROOT / "tests" / kind / folder
        and not is_about_a_module_of_its_folder(file, kind)
    ] == []
