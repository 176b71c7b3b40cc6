"""Parse a state machine once, and not when it is created and for each execution.

moto parses the definition with ANTLR each time: 200 ms for a machine of 30 states. Executions share
the program, as the jobs of a Map do: its parts keep no state of an evaluation (moto's comment in
iteration_component.py), and counts of retries are in the environment of each execution. Their key there
is the identity of the part: moto makes one at the first use, and two at two uses at the same time.
"""

from functools import lru_cache

from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.patches.patching import replace

_validate_definition = StepFunctionsParserBackend._validate_definition


def install() -> None:
    """Caches the programs of this process's moto; calling it again changes nothing."""
    replace(ExecutionWorker, "_get_evaluation_entrypoint", _program)
    replace(StepFunctionsParserBackend, "_validate_definition", staticmethod(_validate))
    replace(EvalComponent, "heap_key", property(lambda part: str(id(part))))


def _program(worker: ExecutionWorker) -> EvalComponent:
    return _parsed(worker._evaluation_details.state_machine_details.definition)


def _validate(definition: str) -> None:
    """Raises moto's own error for a definition that cannot be parsed."""
    try:
        _parsed(definition)
    except Exception:
        _validate_definition(definition)
        raise


@lru_cache(maxsize=32)
def _parsed(definition: str) -> EvalComponent:
    program, _ = AmazonStateLanguageParser.parse(definition)
    return program
