"""Finding loops over sets. CPython iterates small ints stably, so no test of behaviour can see such a loop."""

from __future__ import annotations

import ast

SET_TYPES = {"set", "frozenset", "Set", "AbstractSet"}
ORDERED_COPIES = {"list", "tuple", "iter", "enumerate"}  # these keep the accident; sorted() ends it


def set_iterations(module: ast.Module) -> list[int]:
    """Lines that iterate over something that this file shows to be a set."""
    names = _set_names(module)
    loops = [node.iter for node in ast.walk(module) if isinstance(node, ast.For | ast.comprehension)]
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and last(node.func) in ORDERED_COPIES and node.args:
            loops.append(node.args[0])
    return sorted(loop.lineno for loop in loops if _makes_set(loop) or last(loop) in names)


def last(node: ast.expr) -> str:
    """``a.b.c`` -> ``c``."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _set_names(module: ast.Module) -> set[str]:
    """Names and attributes annotated as a set, or assigned one."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.AnnAssign) and (_says_set(node.annotation) or _makes_set(node.value)):
            names.add(last(node.target))
        elif isinstance(node, ast.Assign) and _makes_set(node.value):
            names.update(last(target) for target in node.targets)
        elif isinstance(node, ast.arg) and _says_set(node.annotation):
            names.add(node.arg)
    return names - {""}


def _says_set(annotation: ast.expr | None) -> bool:
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return isinstance(base, ast.Name) and base.id in SET_TYPES


def _makes_set(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return last(value.func) in {"set", "frozenset"}
    return isinstance(value, ast.Set | ast.SetComp)
