"""Rules about imports: layers of the core, independence of the parts, cycles, and dependencies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tests.meta.source import Module, is_within

LAYERS = ("http", "connection", "wait", "events", "tasks", "sync")
"""The sub-packages of the core, lowest first. Modules of the core itself are below all of them."""
NETWORK = ("requests", "httpx", "httpcore", "tenacity", "urllib3", "aiohttp", "certifi")
SERVERS = ("starlette", "uvicorn", "fastapi")
DEPENDENCIES = {*NETWORK, "airflow", "plyara", "pydantic", "self_hosted", "typing_extensions", "wtforms", "__future__"}
SANDBOX_DEPENDENCIES = {*SERVERS, "graphql", "luqum", "ply"}  # luqum brings ply
"""The extra ``[sandbox]``, and the servers that Airflow installs."""
SIDE_EFFECTS = ("airflow", "logging", "asyncio", "threading", "socket", "subprocess", "os", "pathlib", "time", *NETWORK)
TRANSPORTS = tuple(
    f"self_hosted.core.http.{name}"
    for name in (
        *("worker_transport", "trigger_transport", "connections", "session", "direct_session", "streams", "sockets"),
        "tls",
    )
)
"""The modules with network I/O."""
RETRIES = "self_hosted.core.http.retries"

IsForbidden = Callable[[str], bool]


def list_forbidden_imports(modules: Iterable[Module], is_forbidden: IsForbidden) -> list[str]:
    """Return the imports of modules that a condition forbids, as "module imports name"."""
    return [f"{module} imports {name}" for module in modules for name in sorted(module.imports) if is_forbidden(name)]


def list_forbidden_references(modules: Iterable[Module], is_forbidden: IsForbidden) -> list[str]:
    """Return the imports, and the names of modules in texts, that a condition forbids, as "module refers to name"."""
    return [
        f"{module} refers to {name}" for module in modules for name in sorted(module.references) if is_forbidden(name)
    ]


def list_layer_violations(modules: Iterable[Module]) -> list[str]:
    """Return the references of the core that lead to a higher layer, and the imports of Airflow in ``http``."""
    violations = list[str]()
    for module in modules:
        if module.part == "core":
            layer = _find_layer(module.name)
            violations += list_forbidden_references([module], lambda name, layer=layer: _find_layer(name) > layer)  # type: ignore[misc]
        if is_within(module.name, "self_hosted.core.http"):
            violations += list_forbidden_imports([module], lambda name: is_within(name, "airflow"))
    return violations


def _find_layer(name: str) -> int:
    """Return the number of a module's layer in the core; 0 for the lowest and for everything outside the core."""
    parts = name.split(".")
    is_layered = parts[:2] == ["self_hosted", "core"] and len(parts) > 2 and parts[2] in LAYERS
    return LAYERS.index(parts[2]) + 1 if is_layered else 0


def list_foreign_references(modules: Iterable[Module], *allowed: str) -> list[str]:
    """Return the references to our own modules outside the allowed packages."""
    return list_forbidden_references(
        modules, lambda name: is_within(name, "self_hosted") and not is_within(name, *allowed)
    )


def list_undeclared_imports(modules: Iterable[Module]) -> list[str]:
    """Return the imports that are neither in the standard library nor a declared dependency of the module's part."""
    known = sys.stdlib_module_names | DEPENDENCIES
    return [
        violation
        for module in modules
        for allowed in [known | SANDBOX_DEPENDENCIES if module.part == "sandbox" else known]
        for violation in list_forbidden_imports(
            [module],
            lambda name, allowed=allowed: name.split(".")[0] not in allowed,  # type: ignore[misc]
        )
    ]


def list_network_imports(modules: Iterable[Module]) -> list[str]:
    """Return the imports of network libraries outside the transports; retries may import tenacity."""
    allowed = {(RETRIES, "tenacity")}
    return [
        f"{module} imports {name}"
        for module in modules
        for name in sorted(module.imports)
        if module.name not in TRANSPORTS
        and is_within(name, *NETWORK)
        and (module.name, name.split(".")[0]) not in allowed
    ]


def list_early_network_imports(modules: Iterable[Module]) -> list[str]:
    """Return the modules that load a transport or a server as soon as they are imported."""
    return [
        f"{module} imports {name} at module level"
        for module in modules
        if module.name not in TRANSPORTS
        for name in sorted(module.top_level_imports)
        if is_within(name, *TRANSPORTS, *SERVERS)
    ]


def list_import_cycles(modules: Collection[Module]) -> list[str]:
    """Return each cycle of modules that import each other, anywhere in the file and also under TYPE_CHECKING."""
    names = {module.name for module in modules}
    graph = {module.name: _list_imported_modules(module, names) for module in modules}
    return [" <-> ".join(sorted(cycle)) for cycle in find_cycles(graph)]


def _list_imported_modules(module: Module, names: Collection[str]) -> list[str]:
    """Return the imported modules out of some; the import of a module's member is an import of the module."""
    candidates = (name if name in names else name.rpartition(".")[0] for name in sorted(module.imports))
    return [name for name in candidates if name in names]


def find_cycles(graph: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """Return the strongly connected components of a graph that have a cycle.

    :param graph: the successors of each node
    """
    cyclic = _remove_acyclic_ends(graph)
    reachable = {node: _list_reachable(cyclic, node) for node in cyclic}
    components = [frozenset(other for other in reachable[node] if node in reachable[other]) for node in cyclic]
    return [set(component) for component in dict.fromkeys(components) if component]


def _remove_acyclic_ends(graph: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Return the graph without the nodes from which no cycle can be reached; without cycles, nothing is left."""
    kept = {node: [other for other in others if other in graph] for node, others in graph.items()}
    while ends := {node for node, others in kept.items() if not others}:
        kept = {node: [other for other in others if other not in ends] for node, others in kept.items() if others}
    return kept


def _list_reachable(graph: Mapping[str, Sequence[str]], start: str) -> set[str]:
    reached, pending = set[str](), list(graph[start])
    while pending:
        node = pending.pop()
        if node not in reached:
            reached.add(node)
            pending += graph[node]
    return reached
