"""Circles in a graph."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

_Node = TypeVar("_Node")


def circles(edges: Mapping[_Node, Iterable[_Node]]) -> Iterator[list[_Node]]:
    """A shortest circle of each set of nodes that lead to each other, through its last node; no node by itself.

    Args:
        edges: Where each node leads. What is no key leads nowhere.
    """
    position = {node: number for number, node in enumerate(edges)}
    for together in _components(edges):
        if len(together) > 1:
            yield _through(max(together, key=position.__getitem__), together, edges)


def _through(start: _Node, together: set[_Node], edges: Mapping[_Node, Iterable[_Node]]) -> list[_Node]:
    """The shortest way from a node back to itself."""
    came_from: dict[_Node, _Node] = {}
    todo = deque([start])
    while todo:
        node = todo.popleft()
        for after in edges[node]:
            if after == start:
                way = [node]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if after in together and after not in came_from:
                came_from[after] = node
                todo.append(after)
    raise AssertionError("nodes that lead to each other lead back")


def _components(edges: Mapping[_Node, Iterable[_Node]]) -> Iterator[set[_Node]]:
    """Sets of nodes that lead to each other: Tarjan's algorithm, without nested calls."""
    index: dict[_Node, int] = {}
    low: dict[_Node, int] = {}
    stack: dict[_Node, None] = {}
    work: list[tuple[_Node, Iterator[_Node]]] = []

    def enter(node: _Node) -> None:
        index[node] = low[node] = len(index)
        stack[node] = None
        work.append((node, iter(edges[node])))

    for root in edges:
        if root not in index:
            enter(root)
        while work:
            node, after = work[-1]
            following = next((other for other in after if other in edges and other not in index), None)
            if following is not None:
                enter(following)
                continue
            work.pop()
            low[node] = min([index[node], *(low[other] for other in edges[node] if other in stack)])
            if low[node] == index[node]:
                members: set[_Node] = set()
                while node not in members:
                    members.add(stack.popitem()[0])
                yield members
