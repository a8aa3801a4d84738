"""Routes that are declared next to their handlers."""

from __future__ import annotations

from self_hosted.sandbox.routing import RouteSpec, precedence, route, routes_of


class Base:
    @route("GET", "/items")
    def list_items(self) -> str:
        return "items"

    @route("POST", "/items")
    def add_item(self) -> str:
        return "added"


class Derived(Base):
    def __init__(self, name: str) -> None:
        self.name = name

    @route("GET", "/items/{id}", role="viewer")
    @route(["PUT", "PATCH"], "/items/{id}")
    def change_item(self) -> str:
        return f"changed by {self.name}"

    def add_item(self) -> str:
        return "overridden without a route"


def test_routes_are_in_order_of_definition_and_bound_to_the_instance():
    routes = list(routes_of(Derived("derived")))
    assert [spec for spec, _ in routes] == [
        RouteSpec(("GET",), "/items", {}),
        RouteSpec(("GET",), "/items/{id}", {"role": "viewer"}),
        RouteSpec(("PUT", "PATCH"), "/items/{id}", {}),
    ]
    assert [handler() for _, handler in routes] == ["items", "changed by derived", "changed by derived"]


def test_the_decorator_leaves_the_method_unchanged():
    assert Base().list_items() == "items"


def test_the_routes_of_a_base_class_do_not_change():
    assert [spec.methods for spec, _ in routes_of(Base())] == [("GET",), ("POST",)]


def test_literal_paths_precede_placeholders():
    paths = ["/{path:path}", "/items/{id}/", "/items/{rest:path}", "/items/new/", "/{kind}/{id}/"]
    assert sorted(paths, key=precedence) == [
        "/items/new/",
        "/items/{id}/",
        "/items/{rest:path}",
        "/{kind}/{id}/",
        "/{path:path}",
    ]
