"""A program read with `ast`: its modules, functions and classes, and which code its entry point reaches."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Function:
    """A function or method; `owner` is the name of its class, `outer` the function around it."""

    module: str
    node: FunctionNode
    owner: str = ""
    outer: "Function | None" = None

    @property
    def where(self) -> str:
        """Its place for error texts: `lambdas.common.aws.vault.read_message`."""
        return ".".join(part for part in (self.module, self.owner, self.node.name) if part)

    @cached_property
    def assignments(self) -> list[tuple[ast.expr, ast.expr]]:
        """Target and value of every assignment in it, tuples taken apart."""
        return list(assignments(self.node.body))

    @cached_property
    def own_names(self) -> frozenset[str]:
        """The names that it binds itself, or a function around it: parameters, variables."""
        arguments = [n.arg for n in ast.walk(self.node.args) if isinstance(n, ast.arg)]
        bound = (n.id for n in ast.walk(self.node) if isinstance(n, ast.Name) and _binds(n))
        return frozenset([*arguments, *bound]) | (self.outer.own_names if self.outer else set())

    @property
    def is_property(self) -> bool:
        """Whether it is read like an attribute."""
        names = {
            ast.unparse(decorator).rpartition(".")[2] for decorator in self.node.decorator_list
        }
        return bool(names & {"property", "cached_property"})

    @property
    def parameters(self) -> list[str]:
        """The parameters that can be given by position or name, without `self` and `cls`."""
        arguments = self.node.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
        static = any(ast.unparse(d) == "staticmethod" for d in self.node.decorator_list)
        return names[1:] if self.owner and not static else names


@dataclass(slots=True, eq=False)
class Class:
    """A class: its methods, and the annotated names of its body in order (the fields of a dataclass).

    `settings` are the readings of environment variables, by field (lambdas/common/function/settings.py).
    """

    module: str
    node: ast.ClassDef
    methods: dict[str, Function] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    settings: dict[str, ast.expr] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Module:
    """A module: what its names stand for."""

    name: str
    tree: ast.Module
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    values: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[str, str] = field(default_factory=dict)
    nested: dict[str, Function] = field(default_factory=dict)

    def named_modules(self) -> set[str]:
        """The texts in this module that could be names of modules."""
        constants = (node for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return {c.value for c in constants if isinstance(c.value, str) and "." in c.value}


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Code that runs: a function's, or without one a module's own at import."""

    module: str
    function: Function | None
    nodes: tuple[ast.AST, ...]

    def binds(self, name: ast.Name) -> bool:
        """Whether a name is this function's own here, and not one of the module."""
        return _binds(name) or bool(self.function and name.id in self.function.own_names)


class Program:
    """The entry module and all that it imports of this repository, however far."""

    def __init__(self, root: Path, entry: str) -> None:
        self._root = root
        self._package = entry.partition(".")[0]
        self.entry = entry
        self.modules: dict[str, Module] = {}
        self.by_name: set[str] = set()
        """Modules that are loaded by their names (`importlib`): each of their functions may be called."""
        waiting = [entry]
        while waiting:
            name = waiting.pop()
            if name not in self.modules and (file := self._file(name)):
                module = _read(name, file)
                self.modules[name] = module
                named = module.named_modules() if "importlib" in module.imports else set()
                self.by_name |= {each for each in named if self._file(each)}
                waiting += named
                for target in module.imports.values():
                    waiting += [target, target.rpartition(".")[0]]

    def _file(self, module: str) -> Path | None:
        if module.partition(".")[0] != self._package:
            return None
        path = self._root.joinpath(*module.split("."))
        files = (path.with_suffix(".py"), path / "__init__.py")
        return next((file for file in files if file.is_file()), None)

    @cached_property
    def methods(self) -> dict[str, list[Function]]:
        """The functions that `something.name` can call: methods of all classes, functions of modules loaded by name."""
        found = defaultdict(list)
        for module in self.modules.values():
            for each in module.classes.values():
                for name, method in each.methods.items():
                    found[name].append(method)
        for name in self.by_name:
            for function in self.modules[name].functions.values():
                found[function.node.name].append(function)
        return found

    def symbol(self, node: ast.expr, module: str) -> Function | Class | tuple[str, str] | None:
        """The value of a name or `module.name`; a value as its module and name."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            target = self.modules[module].imports.get(node.value.id, "")
            return self._named(target, node.attr) if target in self.modules else None
        return self._named(module, node.id) if isinstance(node, ast.Name) else None

    def _named(self, module: str, name: str) -> Function | Class | tuple[str, str] | None:
        here = self.modules[module]
        if name in here.imports:
            target, _, name_there = here.imports[name].rpartition(".")
            return self._named(target, name_there) if target in self.modules else None
        known = here.functions.get(name) or here.classes.get(name) or here.nested.get(name)
        return known or ((module, name) if name in here.values else None)

    @cached_property
    def reached(self) -> list[Body]:
        """All code that the entry point can come to: every reference counts as a call."""
        waiting = [_at_import(module) for module in self.modules.values()]
        entry = self.modules[self.entry]
        waiting += map(_body, entry.functions.values())
        for name in self.by_name:
            waiting += map(_body, self.modules[name].functions.values())
        found: list[Body] = []
        seen: set[Function] = set()
        while waiting:
            body = waiting.pop()
            if body.function in seen:
                continue
            if body.function:
                seen.add(body.function)
            found.append(body)
            waiting += map(_body, self._inside(body.function))
            for node in body.nodes:
                if not (isinstance(node, ast.Name) and body.binds(node)):
                    waiting += map(_body, self._referenced(node, body.module))
        return found

    def _inside(self, function: Function | None) -> list[Function]:
        nested = self.modules[function.module].nested.values() if function else ()
        return [each for each in nested if each.outer is function]

    def _referenced(self, node: ast.AST, module: str) -> list[Function]:
        if not isinstance(node, ast.Name | ast.Attribute):
            return []
        match self.symbol(node, module):
            case Function() as function:
                return [function]
            case Class() as each:
                return [f for name, f in each.methods.items() if name.startswith("__")]
        return self.methods.get(node.attr, []) if isinstance(node, ast.Attribute) else []


def _read(name: str, file: Path) -> Module:
    module = Module(name, ast.parse(file.read_text("utf-8")))
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                module.imports[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            stem = ".".join([*(base if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                module.imports[alias.asname or alias.name] = f"{stem}.{alias.name}"
    for statement in module.tree.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                function = Function(name, statement)
                module.functions[statement.name] = function
                _add_nested(module, function)
            case ast.ClassDef():
                module.classes[statement.name] = _class(module, statement)
            case _:
                for target, value in assignments([statement]):
                    if isinstance(target, ast.Name):
                        module.values[target.id].append(value)
    return module


def _class(module: Module, node: ast.ClassDef) -> Class:
    found = Class(module.name, node)
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            method = Function(module.name, statement, owner=node.name)
            found.methods[statement.name] = method
            _add_nested(module, method)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found.fields.append(statement.target.id)
            match statement.value:
                case ast.Call(func=ast.Name(id="setting"), args=[ast.Lambda(body=read), *_]):
                    found.settings[statement.target.id] = read
                case ast.Call(func=ast.Name(id="setting"), args=[read, *arguments]):
                    found.settings[statement.target.id] = ast.Call(read, arguments, keywords=[])
    return found


def _add_nested(module: Module, outer: Function) -> None:
    for node in ast.walk(outer.node):
        if isinstance(node, FunctionNode) and node is not outer.node:
            module.nested[node.name] = Function(module.name, node, outer=outer)


def _at_import(module: Module) -> Body:
    nodes = [node for statement in module.tree.body for node in _outside_functions(statement)]
    return Body(module.name, None, tuple(nodes))


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below that do not stand in a function; a function's decorators and defaults do not."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(node, FunctionNode) and child not in (*node.decorator_list, node.args):
            continue
        yield from _outside_functions(child)


def _body(function: Function) -> Body:
    nodes = [n for statement in function.node.body for n in _outside_functions(statement)]
    return Body(function.module, function, tuple(nodes))


def _binds(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def assignments(statements: list[ast.stmt]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Target and value of every assignment below, tuples taken apart."""
    for statement in statements:
        for node in ast.walk(statement):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from _apart(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    yield target, value
                case ast.NamedExpr(target=target, value=value):
                    yield target, value


def _apart(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if not isinstance(target, ast.Tuple):
        yield target, value
    elif isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=False)
    else:
        for number, each in enumerate(target.elts):
            yield each, ast.Subscript(value, ast.Constant(number), ast.Load())
