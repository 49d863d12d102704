"""The claim map: where an issuer's tokens hold who asks, so that no provider has to be bent to the hub's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from hub.access.requester import Caller
from hub.access.scope import ScopeName
from hub.settings import TokenClaims

_SPACED: Final = frozenset({"scope", "scp"})
"""Claims that hold words in one text, by RFC 6749 (section 3.3) or custom; the text of any other is one value."""
SCOPE_CLAIMS: Final[Mapping[ScopeName, str]] = {
    "region": "regions",
    "brand": "brands",
    "own_accounts": "account_manager",
}
"""What the claim map calls, for each row scope, that which says whose customers the caller's are."""
_LISTS: Final = frozenset({"roles", "purposes", *SCOPE_CLAIMS.values()})
_Word = Annotated[str, StringConstraints(min_length=1)]


class ClaimsError(Exception):
    """The token does not hold what it has to; the message names the places, never what is there."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)

    subject: _Word
    client: _Word
    roles: tuple[_Word, ...]
    department: _Word | None
    purposes: tuple[_Word, ...] | None
    regions: tuple[_Word, ...] | None
    brands: tuple[_Word, ...] | None
    account_manager: tuple[_Word, ...] | None


class Claims:
    """Reads callers from the claims of tokens that were verified."""

    def __init__(self, places: TokenClaims) -> None:
        paths = places.model_dump(exclude_none=True)
        self._places: Mapping[str, str] = paths
        self._compiled = {name: jmespath.compile(path) for name, path in paths.items()}

    def caller(self, claims: Mapping[str, Any], expires_at: float) -> Caller:
        """The caller of whom the claims tell.

        Raises:
            ClaimsError: something is missing or malformed.
        """
        given = {name: self._found(name, claims) for name in _Said.model_fields}
        scopes = SCOPE_CLAIMS.values()
        missing = [name for name in self._compiled if name not in scopes and given[name] is None]
        if missing:
            raise self._fault(missing)
        try:
            said = _Said.model_validate(given)
        except ValidationError as error:
            wrong = {str(fault["loc"][0]) for fault in error.errors(include_input=False)}
            raise self._fault(wrong) from None
        stated = ((scope, getattr(said, name)) for scope, name in SCOPE_CLAIMS.items())
        return Caller(
            said.subject,
            said.department,
            said.roles,
            said.purposes,
            said.client,
            expires_at,
            attributes=tuple((scope, values) for scope, values in stated if values),
        )

    def _found(self, name: str, claims: Mapping[str, Any]) -> Any:
        if name not in self._compiled:
            return None
        try:
            found = self._compiled[name].search(claims)
        except JMESPathError:
            return None
        if name not in _LISTS:
            return found
        if isinstance(found, str):
            return tuple(found.split()) if self._places[name] in _SPACED else (found,)
        return tuple(found) if isinstance(found, list) else found

    def _fault(self, names: Iterable[str]) -> ClaimsError:
        places = ", ".join(sorted(self._places[name] for name in names))
        return ClaimsError(f"the token's claims {places} are missing or malformed")
