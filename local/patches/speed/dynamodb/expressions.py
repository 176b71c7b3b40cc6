"""Parse an update expression of DynamoDB once, and test the classes of its nodes without `abc`.

moto parses each expression twice and then walks through it ten times. The classes of the nodes have
the metaclass `ABCMeta`, which makes `isinstance` a function call in Python's `abc` module.
"""

from functools import lru_cache
from typing import Any

from moto.dynamodb.parsing import ast_nodes, expressions

from local.patches.patching import replace

# moto excludes both modules from its types.
DepthFirstTraverser: Any = vars(ast_nodes)["DepthFirstTraverser"]
UpdateExpressionParser: Any = vars(expressions)["UpdateExpressionParser"]
Node: Any = vars(ast_nodes)["Node"]

_make = UpdateExpressionParser.make
_traverse = DepthFirstTraverser.traverse_node_recursively


def install() -> None:
    """Changes the parser of this process's moto; calling it again changes nothing."""
    if DepthFirstTraverser.traverse_node_recursively is not _traverse:
        return
    replace(DepthFirstTraverser, "traverse_node_recursively", _walk)
    # The tree is shared: moto's validators change a copy, and all else reads it.
    replace(UpdateExpressionParser, "make", staticmethod(lru_cache(maxsize=1024)(_make)))


def _walk(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """The new tree, as moto's method of that name makes it; the nodes' classes do not change meanwhile."""
    processors = traverser._processing_map()
    by_class: dict[type, Any] = {}

    def processor_of(kind: type) -> Any:
        if kind not in by_class:
            known = (process for cls, process in processors.items() if issubclass(kind, cls))
            by_class[kind] = next(known, None)
        return by_class[kind]

    def walk(node: Any, child_id: int) -> Any:
        if Node not in type(node).__mro__:
            return node
        parent = node.parent
        for index, child in enumerate(node.children or ()):
            traverser.pre_processing_of_child(node, index)
            walk(child, index)
        process = processor_of(type(node))
        if process is not None:
            node = process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    return walk(node, child_id)
