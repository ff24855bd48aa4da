"""A place in a query: taking words, names, numbers and regexes one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shopfloor.services.influx.ql import lexer
from shopfloor.services.influx.ql.lexer import QueryError, Token
from shopfloor.services.influx.ql.syntax import Regex

_DEEPEST: Final = 100


class Cursor:
    """A place in a query."""

    def __init__(self, query: str, now: int, bound: Mapping[str, Any]) -> None:
        self.query, self.now, self._bound = query, now, bound
        self._at = 0
        self._depth = 0
        self._next: Token | None = None

    def peek(self) -> Token:
        """The next token."""
        if self._next is None:
            self._next = self._filled(lexer.token(self.query, self._at))
        return self._next

    def pop(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._at, self._next = token.end, None
        return token

    def take(self, *words: str) -> bool:
        """Take these words or signs if they are next, in any case of letters."""
        at, saved = self._at, self._next
        for word in words:
            if self.peek().kind not in {"word", "sign"} or self.peek().text.upper() != word:
                self._at, self._next = at, saved
                return False
            self.pop()
        return True

    def need(self, *words: str) -> None:
        """Take these words, or raise."""
        if not self.take(*words):
            raise self.unexpected(" ".join(words))

    def name(self, what: str) -> str:
        """Take a name, quoted or not."""
        if self.peek().kind not in {"word", "name"}:
            raise self.unexpected(what)
        return self.pop().text

    def whole(self, what: str) -> int:
        """Take a whole number."""
        if self.peek().kind != "number" or not self.peek().text.isdecimal():
            raise self.unexpected(what)
        return int(self.pop().text)

    def regex(self) -> Regex | None:
        """Take a regex if one is next."""
        found = lexer.regex(self.query, self._at)
        if found is None:
            return None
        self._at, self._next = found.end, None
        return Regex(found.text)

    def listed(self, item: Callable[[], Any]) -> tuple[Any, ...]:
        """Items with commas between them."""
        items = [item()]
        while self.take(","):
            items.append(item())
        return tuple(items)

    def deeper(self) -> None:
        """Count a nested expression, so that no query is too deep for the stack."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(f"the query nests more than {_DEEPEST} expressions: write it flatter")

    def unexpected(self, expected: str) -> QueryError:
        """What was found instead."""
        return QueryError(f"found {self.peek()}: {expected} was expected")

    def _filled(self, token: Token) -> Token:
        """A $name as its value."""
        if token.kind != "bound":
            return token
        value = self._bound.get(token.text[1:])
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise QueryError(f"no text or number was sent for {token}: add it to the parameter 'params'")
        return Token("text" if isinstance(value, str) else "number", str(value), token.start, token.end)
