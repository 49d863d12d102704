"""What a source's YAML says of a REST API: address, authentication, paging, increments, substreams."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, model_validator

from hub.adapters.connectors.rest_body import named
from hub.adapters.records import ConfigModel
from hub.adapters.secrets import SecretRef, TextRef, UrlRef, no_plain_secrets


def _compiles(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath: {str(error).splitlines()[0]}") from None
    return expression


Path = Annotated[str, Field(min_length=1), AfterValidator(_compiles)]
"""A JMESPath."""


class _Stated(ConfigModel):
    """Something that a reply says of itself: at a path in its body, or in a header."""

    path: Path | None = Field(default=None, description="JMESPath of it in the reply.")
    header: str | None = Field(
        default=None, min_length=1, description="Header of the reply that has it instead."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.header is None):
            raise ValueError("give either path or header")
        return self


class NoAuth(ConfigModel):
    """The API asks for no login."""

    type: Literal["none"] = Field(description="Names this way of authentication.")


class BearerAuth(ConfigModel):
    """A token in the Authorization header."""

    type: Literal["bearer"] = Field(description="Names this way of authentication.")
    token: SecretRef = Field(description="Where the token stands.")


class BasicAuth(ConfigModel):
    """User name and password in the Authorization header."""

    type: Literal["basic"] = Field(description="Names this way of authentication.")
    username: TextRef = Field(description="The user name, or where it stands.")
    password: SecretRef = Field(description="Where the password stands.")


class ApiKeyAuth(ConfigModel):
    """A key in a header or a query parameter of one's own."""

    type: Literal["api_key"] = Field(description="Names this way of authentication.")
    header: str | None = Field(default=None, min_length=1, description="Header that carries the key.")
    param: str | None = Field(default=None, min_length=1, description="Query parameter that carries the key.")
    prefix: str = Field(default="", description="Text before the key, such as `Token `.")
    value: SecretRef = Field(description="Where the key stands.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.header is None) == (self.param is None):
            raise ValueError("give either header or param")
        return self


class OAuth2Auth(ConfigModel):
    """OAuth 2 client credentials (RFC 6749, 4.4) or a refresh token: a token is fetched, again before it expires."""

    type: Literal["oauth2"] = Field(description="Names this way of authentication.")
    token_url: UrlRef = Field(description="Address that gives tokens.")
    client_id: TextRef = Field(description="The client's id, or where it stands.")
    client_secret: SecretRef = Field(description="Where the client's secret stands.")
    scope: str | None = Field(default=None, description="Scopes to ask for, separated by blanks.")
    params: dict[str, str] = Field(
        default={}, description="Further fields of the request, such as `audience`."
    )
    refresh_token: SecretRef | None = Field(
        default=None,
        description="Where a refresh token stands, for APIs that give one to a client for good (RFC 6749, 6).",
    )
    scheme: str = Field(
        default="Bearer",
        min_length=1,
        description="Word before the token in the Authorization header, where an API wants one of its own.",
    )
    send_in: Literal["header", "body"] = Field(
        default="header",
        description="Where id and secret go; the header (Basic) is what RFC 6749 recommends.",
    )


Auth = Annotated[NoAuth | BearerAuth | BasicAuth | ApiKeyAuth | OAuth2Auth, Field(discriminator="type")]


class NoPaging(ConfigModel):
    """One reply has all records."""

    type: Literal["none"] = Field(description="Names this way of paging.")


class _Counted(ConfigModel):
    """What paging by number and by offset share: the end is an empty page, unless the reply says it earlier."""

    size_param: str | None = Field(
        default=None, min_length=1, description="Query parameter for the page's size."
    )
    size: int = Field(default=100, ge=1, description="Records a page; 100 is the most that many APIs give.")
    more_path: Path | None = Field(
        default=None,
        description="JMESPath in the reply that is true while more pages follow; saves the empty page.",
    )
    end_status: frozenset[int] = Field(
        default=frozenset(),
        description="Statuses that say `past the last page` after the first one, such as 404 for some APIs.",
    )
    recheck: bool = Field(
        default=False,
        description="Whether all pages are asked for a second time, to notice that they shifted while they were read. "
        "Records that come and go move others over the edge of a page; a `total_path` notices most of it for less.",
    )


class PagePaging(_Counted):
    """Pages by number."""

    type: Literal["page"] = Field(description="Names this way of paging.")
    param: str = Field(default="page", min_length=1, description="Query parameter for the page's number.")
    start: int = Field(default=1, ge=0, description="Number of the first page.")


class OffsetPaging(_Counted):
    """Pages by the number of records before them: what was received is added up, whatever size was asked for."""

    type: Literal["offset"] = Field(description="Names this way of paging.")
    param: str = Field(default="offset", min_length=1, description="Query parameter for the offset.")
    start: int = Field(default=0, ge=0, description="Offset of the first record.")


class CursorPaging(_Stated):
    """Pages by a token that each reply gives for the next one; none, null or an empty text is the end."""

    type: Literal["cursor"] = Field(description="Names this way of paging.")
    param: str = Field(default="cursor", min_length=1, description="Query parameter for the token.")
    size_param: str | None = Field(
        default=None, min_length=1, description="Query parameter for the page's size."
    )
    size: int = Field(default=100, ge=1, description="Records a page; 100 is the most that many APIs give.")


class LinkPaging(ConfigModel):
    """Pages by the Link header (RFC 8288) of one relation; without one is the end."""

    type: Literal["link"] = Field(description="Names this way of paging.")
    rel: str = Field(
        default="next",
        min_length=1,
        description="The relation that is followed: `prev` where an API that gives the newest first is read upwards.",
    )
    size_param: str | None = Field(
        default=None, min_length=1, description="Query parameter for the page's size."
    )
    size: int = Field(default=100, ge=1, description="Records a page; 100 is the most that many APIs give.")


class ContinuePaging(ConfigModel):
    """Pages by an object in the reply whose members are parameters of the next request; none is the end.

    They are added to those of the first request: what only the request before had does not count any more.
    """

    type: Literal["continue"] = Field(description="Names this way of paging.")
    path: Path = Field(default="continue", description="JMESPath of the object in the reply.")
    size_param: str | None = Field(
        default=None, min_length=1, description="Query parameter for the page's size."
    )
    size: int = Field(default=100, ge=1, description="Records a page; 100 is the most that many APIs give.")


class NextUrlPaging(_Stated):
    """Pages by an address in the reply; none, null or an empty text is the end."""

    type: Literal["next_url"] = Field(description="Names this way of paging.")
    size_param: str | None = Field(
        default=None, min_length=1, description="Query parameter for the page's size."
    )
    size: int = Field(default=100, ge=1, description="Records a page; 100 is the most that many APIs give.")


Paging = Annotated[
    NoPaging | PagePaging | OffsetPaging | CursorPaging | LinkPaging | NextUrlPaging | ContinuePaging,
    Field(discriminator="type"),
]


class Incremental(ConfigModel):
    """How a run asks for what changed since the last one; the stream's `cursor` is the record's time of change."""

    param: str = Field(min_length=1, description="Query parameter for the watermark.")
    format: Literal["raw", "iso", "iso_plain", "date", "epoch_s", "epoch_ms"] = Field(
        default="raw",
        description="How the watermark is written: as records have it, as UTC ISO text with seconds, the same without "
        "`Z`, as a date, or as seconds or milliseconds since 1970.",
    )
    template: str = Field(
        default="{cursor}",
        description="Text around the watermark, such as `updated>='{cursor}'` for a query language.",
    )
    initial: str | None = Field(
        default=None,
        description="Value of the parameter for the first run; without it, the parameter is left out.",
    )
    overlap_s: int = Field(
        default=60,
        ge=0,
        description="Seconds before the watermark that are asked for again: APIs publish changes late, clocks differ, "
        "and unchanged records cost a hash each.",
    )
    ordered: bool = Field(
        default=False,
        description="Whether records come by ascending watermark, so that an interrupted run can go on from its last "
        "batch. Say it only when the API promises it: otherwise records are lost.",
    )

    restart_after: int | None = Field(
        default=None,
        ge=1,
        description="Records after which it is asked anew from the watermark that was met: for APIs that give only so "
        "many for one question. Needs `ordered`.",
    )

    @model_validator(mode="after")
    def _has_place(self) -> Self:
        if "{cursor}" not in self.template:
            raise ValueError("template has no {cursor}")
        if self.restart_after is not None and not self.ordered:
            raise ValueError("restart_after needs ordered: only then are all records before a watermark read")
        return self


class Delta(_Stated):
    """Where the next run goes on, as the last reply of a run says it: an address, or with `param` a token.

    It is kept with the last batch of the run, so that a run that ends early goes on from where it had begun.
    """

    param: str | None = Field(
        default=None, min_length=1, description="Query parameter for it; without one it is an address."
    )
    expired: frozenset[int] = Field(
        default=frozenset({410}),
        description="Statuses that say that it is forgotten: everything is read again, and the run is suspect, for "
        "what was deleted meanwhile is not told any more.",
    )


Headers = Annotated[dict[str, TextRef], AfterValidator(no_plain_secrets)]
"""Headers by name; those that carry secrets are references."""


class RestRead(ConfigModel):
    """What a stream reads of an API: a path, its records, and how to come to all of them."""

    path: str = Field(
        min_length=1,
        description="Path below the URL; in a substream `{parent.id}` is a value of the parent's record.",
    )
    params: Annotated[dict[str, str | int | bool], AfterValidator(no_plain_secrets)] = Field(
        default={}, description="Query parameters; `{parent.id}` as in the path. A key belongs to `auth`."
    )
    body: dict[str, Any] | list[Any] | None = Field(
        default=None,
        description="JSON to ask by POST. `{name}` in it stands for the parameter that paging or `incremental` calls "
        "so, `{name.year}` to `{name.second}` for parts of a time; they go there and not into the query.",
    )
    headers: Headers = Field(default={}, description="Headers of this stream's requests.")
    records: Path = Field(
        default="@", description="JMESPath of the list of records in the reply; the reply itself by default."
    )
    single: bool = Field(
        default=False,
        description="Whether the reply has one record, an object, where else a list is demanded.",
    )
    paging: Paging = Field(default=NoPaging(type="none"), description="How the API divides its records.")
    incremental: Incremental | None = Field(
        default=None,
        description="How to ask for changes only; needs the stream's `cursor`. Without it all is read.",
    )
    delta: Delta | None = Field(
        default=None,
        description="Instead of `incremental`, for APIs that tell what changed since a place that they name.",
    )
    total_path: Path | None = Field(
        default=None,
        description="JMESPath of the number of records the API claims to have; the run compares it.",
    )
    error_path: Path | None = Field(
        default=None, description="JMESPath of an error in a reply of status 200; such a reply ends the run."
    )
    for_each: RestRead | None = Field(
        default=None, description="Parent requests: this stream is read once for each of their records."
    )
    parent_fields: dict[str, Path] = Field(
        default={}, description="Fields to add to each record, with their JMESPath in the parent's record."
    )

    @model_validator(mode="after")
    def _has_holes(self) -> Self:
        if self.body is None:
            return self
        given = named(self.body)
        wanted = [name for name in (getattr(self.paging, "param", None), *_sizes(self)) if name]
        wanted += [self.incremental.param] if self.incremental is not None else []
        wanted += [self.delta.param] if self.delta is not None and self.delta.param else []
        if missing := [name for name in wanted if name not in given]:
            raise ValueError(f"body has no {', '.join(f'{{{name}}}' for name in missing)}")
        return self

    @model_validator(mode="after")
    def _one_way_on(self) -> Self:
        if self.delta is not None and (self.incremental is not None or self.for_each is not None):
            raise ValueError("delta goes on for the whole stream: it takes neither incremental nor for_each")
        if self.for_each is not None and self.for_each.delta is not None:
            raise ValueError("delta belongs to the stream itself, not to a parent, which is read whole")
        return self

    @model_validator(mode="after")
    def _parents(self) -> Self:
        if self.for_each is None and self.parent_fields:
            raise ValueError("parent_fields needs for_each")
        if self.for_each is not None and self.incremental is not None and self.incremental.ordered:
            raise ValueError("a substream is read parent by parent, so it cannot be ordered")
        if self.for_each is not None and self.for_each.incremental is not None:
            raise ValueError("incremental belongs to the substream itself, not to its parent")
        return self


def _sizes(read: RestRead) -> tuple[str | None]:
    return (getattr(read.paging, "size_param", None),)


class Retries(ConfigModel):
    """How often and how long a request is tried again when the API is busy, broken or out of reach."""

    attempts: int = Field(
        default=6, ge=1, le=50, description="Tries in all; six with doubling waits ride out a restart."
    )
    wait_s: float = Field(
        default=0.5, gt=0, description="Seconds before the second try; they double, with jitter."
    )
    wait_max_s: float = Field(default=30, gt=0, description="Longest wait of our own choosing, in seconds.")
    retry_after_max_s: float = Field(
        default=300,
        ge=0,
        description="Longest `Retry-After` that is obeyed, in seconds; a longer one ends the run, to be tried again.",
    )
