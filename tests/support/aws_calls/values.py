"""The possible values of an expression: texts with `*` for unknown parts, documents, AWS clients.

It follows names, parameters back to their callers, attributes to where any object got them, and calls
into this repository's own functions. A text from the environment reads `${ENS_…}`.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from tests.support.aws_calls.program import Class, Function, FunctionNode, Program

Reading = ast.Call | ast.Subscript
VARIABLE = re.compile("ENS_[A-Z_]+")
PASS_ON = ("submit", "to_thread", "run_in_executor", "partial")
"""Functions that call the function which they are given, with the arguments behind it."""

MOST = 60
"""Texts that one expression may have; more become `*`."""

TWICE = 2
DEEPEST = 60
"""How often an expression is followed inside itself, and how many steps deep any is."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The scope of an expression: its function, and the arguments of one call or (None) of any."""

    module: str
    function: Function | None = None
    arguments: Mapping[str, "LocatedExpression"] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LocatedExpression:
    """An expression and where it stands."""

    node: ast.expr | FunctionNode
    frame: Scope


@dataclass(frozen=True, slots=True)
class Client:
    """An AWS client, or with an operation its paginator; `made` is where."""

    service: str
    made: str
    operation: str = ""


class Values:
    """Answers for the code that a program reaches."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._active: Counter[int] = Counter()
        self._cut = 0
        self._members_active: set[str] = set()
        self._late: dict[Function, list[tuple[ast.Call, Scope, int]]] | None = None
        self._known: dict[int, tuple[ast.expr | FunctionNode, list[LocatedExpression]]] = {}

    # Call sites
    @cached_property
    def _sites(self) -> dict[Function | Class, list[tuple[ast.Call, Scope, int]]]:
        """The calls of each function and class, and how many arguments stand before its own."""
        found: dict[Function | Class, list[tuple[ast.Call, Scope, int]]] = defaultdict(list)
        for call, frame in self.calls():
            for callee in self._callees(call.func, frame):
                found[callee].append((call, frame, 0))
                if isinstance(callee, Class) and "__init__" in callee.methods:
                    found[callee.methods["__init__"]].append((call, frame, 0))
            if isinstance(call.func, ast.Attribute) and call.func.attr in PASS_ON:
                for number, argument in enumerate(call.args):
                    for callee in self._callees(argument, frame):
                        found[callee].append((call, frame, number + 1))
        return found

    def calls(self) -> Iterator[tuple[ast.Call, Scope]]:
        """Every call in the code that is reached."""
        return ((node, frame) for node, frame in self._nodes() if isinstance(node, ast.Call))

    def addresses(self) -> Iterator[Client]:
        """The clients that are asked for their endpoint or region alone: `client.meta.endpoint_url`."""
        for node, frame in self._nodes():
            match node:
                case ast.Attribute(
                    value=ast.Attribute(attr="meta", value=value),
                    attr="endpoint_url" | "region_name",
                ):
                    yield from self.clients(value, frame)

    def _nodes(self) -> Iterator[tuple[ast.AST, Scope]]:
        for body in self.program.reached:
            frame = Scope(body.module, body.function)
            yield from ((node, frame) for node in body.nodes)

    def _callees(self, node: ast.expr, frame: Scope) -> list[Function | Class]:
        if not self._is_own(node, frame):
            match self.program.symbol(node, frame.module):
                case Function() | Class() as found:
                    return [found]
        if isinstance(node, ast.Name) and node.id == "cls" and frame.function:
            return [self.program.modules[frame.module].classes[frame.function.owner]]
        if isinstance(node, ast.Attribute) and not self._is_module(node.value, frame):
            return [f for f in self.program.methods.get(node.attr, []) if not f.is_property]
        return []

    def _is_module(self, node: ast.expr, frame: Scope) -> bool:
        imports = self.program.modules[frame.module].imports
        return isinstance(node, ast.Name) and node.id in imports

    def _is_own(self, node: ast.expr, frame: Scope) -> bool:
        """Whether a name is bound in the function: `entries` may be a parameter and a function."""
        own = frame.function.own_names if frame.function else ()
        return isinstance(node, ast.Name) and node.id in own and node.id not in self._nested(frame)

    def _nested(self, frame: Scope) -> dict[str, Function]:
        return self.program.modules[frame.module].nested

    def _indirect(self) -> dict[Function, list[tuple[ast.Call, Scope, int]]]:
        """Calls of functions that an attribute or a parameter holds: `self._ask(…)`."""
        found: dict[Function, list[tuple[ast.Call, Scope, int]]] = defaultdict(list)
        functions = {f.node: f for body in self.program.reached if (f := body.function)}
        for call, frame in self.calls():
            if isinstance(call.func, ast.Name | ast.Attribute) and not self._callees(
                call.func, frame
            ):
                for end in self.ends(call.func, frame):
                    if isinstance(end.node, FunctionNode):
                        found[functions[end.node]].append((call, frame, 0))
        return found

    def frames(self, function: Function) -> list[Scope]:
        """The function's frame at each of its calls; one with unknown arguments where nobody calls it."""
        if self._late is None:
            self._late = {}
            self._late = self._indirect()
            self._known.clear()
        sites = [*self._sites.get(function, ()), *self._late.get(function, ())]
        return [
            Scope(function.module, function, self._arguments(function, call, one, first))
            for call, frame, first in sites
            for one in self._of_callers(call, frame)
        ] or [Scope(function.module, function)]

    def _of_callers(self, call: ast.Call, frame: Scope) -> list[Scope]:
        """The frames of the callers, for a call that passes on the `**more` of its own function."""
        function = frame.function
        own = function.node.args.kwarg if function else None
        passed = {ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg is None}
        return self.frames(function) if function and own and own.arg in passed else [frame]

    def _arguments(
        self, function: Function, call: ast.Call, frame: Scope, first: int
    ) -> dict[str, LocatedExpression]:
        found: dict[str, LocatedExpression] = {}
        for name, value in zip(function.parameters, call.args[first:], strict=False):
            if isinstance(value, ast.Starred):
                break
            found[name] = LocatedExpression(value, frame)
        accepted = {*function.parameters, *(a.arg for a in function.node.args.kwonlyargs)}
        more: list[ast.keyword] = []
        for keyword in call.keywords:
            if keyword.arg in accepted:
                found[str(keyword.arg)] = LocatedExpression(keyword.value, frame)
            else:
                more.append(keyword)
        if rest := function.node.args.kwarg:
            keys: list[ast.expr | None] = [ast.Constant(k.arg) if k.arg else None for k in more]
            found[rest.arg] = LocatedExpression(ast.Dict(keys, [k.value for k in more]), frame)
        return found

    # Following an expression
    def ends(self, node: ast.expr | FunctionNode, frame: Scope) -> list[LocatedExpression]:
        """The literals, foreign calls and unknown names that an expression comes down to."""
        key = id(node)
        if frame.arguments is None and key in self._known:
            return self._known[key][1]
        if self._active[key] >= TWICE:  # code that calls itself: its values are those found already
            self._cut += 1
            return []
        if len(self._active) > DEEPEST:
            self._cut += 1
            return [LocatedExpression(node, frame)]
        cut = self._cut
        self._active[key] += 1
        try:
            found = self._ends(node, frame)
        finally:
            self._active[key] -= 1
            if not self._active[key]:
                del self._active[key]
        if frame.arguments is None and (cut == self._cut or not self._active):
            self._known[key] = (node, found)
        return found

    def _ends(self, node: ast.expr | FunctionNode, frame: Scope) -> list[LocatedExpression]:
        match node:
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.ends(value, frame)
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.ends(body, frame), *self.ends(orelse, frame)]
            case ast.BoolOp(values=values):
                return [end for value in values for end in self.ends(value, frame)]
            case ast.Name() | ast.Attribute():
                followed = self._followed(node, frame)
            case ast.Call(func=ast.Attribute(attr="client"), args=[ast.Constant(), *_]):
                followed = []  # `context.client("s3")` is a client, however the context makes it
            case ast.Call() if not _variable(node):
                followed = self._returned(node, frame)
            case ast.Subscript(value=value, slice=index):
                followed = self._members(value, index, frame)
            case _:
                followed = []
        if not followed:
            return [LocatedExpression(node, frame)]
        if isinstance(node, ast.Attribute):
            return self._ends_of_member(node.attr, followed)
        return [end for place in followed for end in self.ends(place.node, place.frame)]

    def _ends_of_member(
        self, name: str, places: list[LocatedExpression]
    ) -> list[LocatedExpression]:
        """The ends of a member's values. A member made of a member of its name adds none of its own."""
        if name in self._members_active:
            self._cut += 1
            return []
        self._members_active.add(name)
        try:
            return [end for place in places for end in self.ends(place.node, place.frame)]
        finally:
            self._members_active.discard(name)

    def _followed(self, node: ast.Name | ast.Attribute, frame: Scope) -> list[LocatedExpression]:
        if isinstance(node, ast.Name) and (local := self._local(node.id, frame)):
            return local
        if self._is_own(node, frame):
            return []
        match self.program.symbol(node, frame.module):
            case Function() as function:
                return [LocatedExpression(function.node, Scope(function.module))]
            case (module, name):
                return [
                    LocatedExpression(v, Scope(module))
                    for v in self.program.modules[module].values[name]
                ]
        if isinstance(node, ast.Attribute) and not self._is_module(node.value, frame):
            return self._fields(node.attr)
        return []

    def _local(self, name: str, frame: Scope) -> list[LocatedExpression]:
        function = frame.function
        if function is None:
            return []
        found = [
            LocatedExpression(value, frame)
            for target, value in function.assignments
            if isinstance(target, ast.Name) and target.id == name
        ]
        arguments = function.node.args
        everyone = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        names = [*(a.arg for a in everyone), *([arguments.kwarg.arg] if arguments.kwarg else [])]
        if name in names:
            given = self.frames(function) if frame.arguments is None else [frame]
            for one in given:
                if one.arguments and name in one.arguments:
                    found.append(one.arguments[name])
                elif default := _default(function.node, name):
                    found.append(LocatedExpression(default, Scope(function.module)))
        if not found and function.outer:
            return self._local(name, Scope(frame.module, function.outer))
        return found

    def _fields(self, name: str) -> list[LocatedExpression]:
        """The values of an attribute of that name in any object of this program."""
        found: list[LocatedExpression] = []
        for module in self.program.modules.values():
            for each in module.classes.values():
                method = each.methods.get(name)
                if method and method.is_property:
                    found += _returns(method, Scope(method.module, method))
                elif method:
                    found.append(LocatedExpression(method.node, Scope(method.module)))
                if name in each.fields:
                    found += self._given(each, name)
                if read := each.settings.get(name):
                    found.append(LocatedExpression(read, Scope(each.module)))
                for owner in each.methods.values():
                    found += [
                        LocatedExpression(value, Scope(owner.module, owner))
                        for target, value in owner.assignments
                        if ast.unparse(target) == f"self.{name}"
                    ]
        return found

    def _given(self, each: Class, name: str) -> Iterator[LocatedExpression]:
        position = each.fields.index(name)
        for call, frame, _ in self._sites.get(each, ()):
            for keyword in call.keywords:
                if keyword.arg == name:
                    yield LocatedExpression(keyword.value, frame)
                match keyword:
                    case ast.keyword(arg=None, value=ast.Call(func=ast.Name(), args=[])):
                        for document in self.documents(keyword.value, frame):
                            yield from self.member(document, name)
            if len(call.args) > position:
                yield LocatedExpression(call.args[position], frame)

    def _returned(self, call: ast.Call, frame: Scope) -> list[LocatedExpression]:
        found: list[LocatedExpression] = []
        for callee in self._callees(call.func, frame):
            if isinstance(callee, Function):
                arguments = self._arguments(callee, call, frame, 0)
                found += _returns(callee, Scope(callee.module, callee, arguments))
        return found

    def _members(self, value: ast.expr, index: ast.expr, frame: Scope) -> list[LocatedExpression]:
        found: list[LocatedExpression] = []
        for end in self.ends(value, frame):
            match end.node, index:
                case ast.Tuple(elts=members), ast.Constant(value=int(number)):
                    found += [
                        LocatedExpression(member, end.frame)
                        for member in members[number : number + 1]
                    ]
                case ast.Dict(keys=keys, values=members), _:
                    asked = self._classes(index, frame)
                    found += [
                        LocatedExpression(member, end.frame)
                        for key, member in zip(keys, members, strict=True)
                        if not asked or (isinstance(key, ast.Name) and key.id in asked)
                    ]
        return found

    def _classes(self, index: ast.expr, frame: Scope) -> set[str]:
        """The names of the classes that an index can be; none where it is anything else."""
        names: set[str] = set()
        for end in self.ends(index, frame):
            found = isinstance(end.node, ast.Name) and self.program.symbol(
                end.node, end.frame.module
            )
            if not isinstance(found, Class):
                return set()
            names.add(found.node.name)
        return names

    # Reading what is at the end
    def texts(self, node: ast.expr | FunctionNode, frame: Scope) -> frozenset[str]:
        """The texts that an expression can be; `*` stands for what the code does not say."""
        found: set[str] = set()
        for end in self.ends(node, frame):
            match end.node:
                case ast.Constant(value=str(text)):
                    found.add(text)
                case ast.JoinedStr(values=parts):
                    found |= self._joined(parts, end.frame)
                case ast.FormattedValue(value=value):
                    found |= self.texts(value, end.frame)
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    found |= self._joined([left, right], end.frame)
                case ast.Call(func=ast.Name(id="quote"), args=[value, *_]):
                    found |= self.texts(value, end.frame)  # urllib.parse: a key in a URL's path
                case ast.Subscript(
                    value=ast.Call(func=ast.Name(id="parseaddr"), args=[value]),
                    slice=ast.Constant(value=1),
                ):
                    found |= self.texts(value, end.frame)  # email.utils: the address of a mailbox
                case ast.Call() | ast.Subscript() as read:
                    inside = [_variable(n) for n in ast.walk(read) if isinstance(n, Reading)]
                    found.add(next(filter(None, inside), "*"))
                case _:
                    found.add("*")
        return frozenset(found) if len(found) <= MOST else frozenset({"*"})

    def _joined(self, parts: list[ast.expr], frame: Scope) -> set[str]:
        found = {"".join(texts) for texts in product(*(self.texts(p, frame) for p in parts))}
        return {re.sub(r"\*+", "*", text) for text in found}

    def documents(self, node: ast.expr | FunctionNode, frame: Scope) -> list[LocatedExpression]:
        """The dictionaries that an expression can be."""
        return [end for end in self.ends(node, frame) if isinstance(end.node, ast.Dict)]

    def member(self, document: LocatedExpression, name: str) -> list[LocatedExpression]:
        """The values of a dictionary's key, its spread parts (`**part`) included."""
        return [place for key, place, _ in self.members(document) if name in key]

    def members(
        self, document: LocatedExpression, *, sometimes: bool = False
    ) -> Iterator[tuple[frozenset[str], LocatedExpression, bool]]:
        """Key texts and value of each entry, and whether it may be absent."""
        assert isinstance(document.node, ast.Dict)
        for key, value in zip(document.node.keys, document.node.values, strict=True):
            if key is not None:
                yield (
                    self.texts(key, document.frame),
                    LocatedExpression(value, document.frame),
                    sometimes,
                )
                continue
            parts = self.documents(value, document.frame)
            for part in parts:
                yield from self.members(part, sometimes=sometimes or len(parts) > 1)

    def elements(self, node: ast.expr | FunctionNode, frame: Scope) -> Iterator[LocatedExpression]:
        """The members of the lists that an expression can be."""
        for end in self.ends(node, frame):
            match end.node:
                case ast.List(elts=members) | ast.Tuple(elts=members):
                    for each in members:
                        if isinstance(each, ast.Starred):
                            yield from self.elements(each.value, end.frame)
                        else:
                            yield LocatedExpression(each, end.frame)
                case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                    yield LocatedExpression(element, end.frame)

    def clients(self, node: ast.expr | FunctionNode, frame: Scope) -> frozenset[Client]:
        """The AWS clients and paginators that an expression can be."""
        found: set[Client] = set()
        for end in self.ends(node, frame):
            match end.node:
                case ast.Call(func=ast.Attribute(attr="client" | "create_client"), args=[name, *_]):
                    place = f"{end.frame.module}:{end.node.lineno}"
                    found |= {Client(text, place) for text in self.texts(name, end.frame)}
                case ast.Call(func=ast.Attribute(attr="get_paginator", value=value), args=[name]):
                    found |= {
                        Client(client.service, client.made, operation)
                        for client in self.clients(value, end.frame)
                        for operation in self.texts(name, end.frame)
                    }
        return frozenset(found)


def _variable(node: Reading) -> str:
    """`${ENS_X}` where the environment variable ENS_X is read, by whatever function."""
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    read = node.slice if isinstance(node, ast.Subscript) else first
    match read:
        case ast.Constant(value=str(name)) if VARIABLE.fullmatch(name):
            return f"${{{name}}}"
    return ""


def _default(node: FunctionNode, name: str) -> ast.expr | None:
    positional = [*node.args.posonlyargs, *node.args.args]
    pairs = [
        *zip(reversed(positional), reversed(node.args.defaults), strict=False),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ]
    return next((default for argument, default in pairs if argument.arg == name), None)


def _returns(function: Function, frame: Scope) -> list[LocatedExpression]:
    inner = {
        id(each)
        for node in ast.walk(function.node)
        if isinstance(node, FunctionNode | ast.Lambda) and node is not function.node
        for each in ast.walk(node)
    }
    return [
        LocatedExpression(node.value, frame)
        for node in ast.walk(function.node)
        if isinstance(node, ast.Return) and node.value and id(node) not in inner
    ]
