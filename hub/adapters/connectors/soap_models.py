"""What a source's YAML says of a SOAP service: its WSDL, login, operations and their arguments."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from hub.adapters.connectors.rest_body import named
from hub.adapters.connectors.rest_models import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    CursorPaging,
    Headers,
    Incremental,
    NoAuth,
    NoPaging,
    OAuth2Auth,
    OffsetPaging,
    PagePaging,
    Path,
    RestRead,
)
from hub.adapters.records import ConfigModel
from hub.adapters.secrets import SecretRef, TextRef, is_secret_name


class UsernameTokenAuth(ConfigModel):
    """A UsernameToken in the SOAP header (WS-Security UsernameToken profile 1.1)."""

    type: Literal["username_token"] = Field(description="Names this way of authentication.")
    username: TextRef = Field(description="The user name, or where it stands.")
    password: SecretRef = Field(description="Where the password stands.")
    digest: bool = Field(
        default=False,
        description="Whether a digest with nonce and time goes instead of the password itself; it demands that the "
        "service keeps passwords in plain text, so over TLS most take the password.",
    )


SoapAuth = Annotated[
    NoAuth | BearerAuth | BasicAuth | ApiKeyAuth | OAuth2Auth | UsernameTokenAuth, Field(discriminator="type")
]


class SoapHeader(ConfigModel):
    """One block of the SOAP header, as the WSDL declares it for the operations."""

    part: str = Field(min_length=1, description="Name of the header's part in the WSDL.")
    values: Headers = Field(description="Its elements by name; those that carry secrets are references.")


SoapPaging = Annotated[NoPaging | PagePaging | OffsetPaging | CursorPaging, Field(discriminator="type")]


def _no_secret(value: Any) -> Any:
    """Arguments without secrets, at any depth.

    Raises:
        ValueError: one is named like a secret; its name is told.
    """
    if isinstance(value, dict):
        if said := [name for name in value if is_secret_name(str(name)) and isinstance(value[name], str)]:
            raise ValueError(
                f"a secret is not written here: {', '.join(said)} belongs to the connector's arguments, as a reference"
            )
        for each in value.values():
            _no_secret(each)
    elif isinstance(value, list):
        for each in value:
            _no_secret(each)
    return value


class SoapRead(ConfigModel):
    """What a stream reads of a SOAP service: an operation, its arguments and the records in its answer."""

    operation: str = Field(min_length=1, description="Name of the operation in the WSDL.")
    arguments: Annotated[dict[str, Any], AfterValidator(_no_secret)] = Field(
        default={},
        description="Its arguments by name, nested as the WSDL nests them. `{name}` stands for the parameter that "
        "paging or `incremental` calls so, which is else an argument of its own; `{parent.id}` is the parent's value.",
    )
    records: Path = Field(
        default="@",
        description="JMESPath of the list of records in the answer; the answer itself by default. What is absent is an "
        "empty list. Wrappers of a single element are taken off.",
    )
    single: bool = Field(
        default=False, description="Whether the answer has one record, where else a list is demanded."
    )
    paging: SoapPaging = Field(
        default=NoPaging(type="none"),
        description="How the service divides its records; `cursor` goes on from a token, or from the last key by a "
        "path such as `customers[-1].id`.",
    )
    incremental: Incremental | None = Field(
        default=None,
        description="How to ask for changes only; needs the stream's `cursor`. Without it all is read.",
    )
    total_path: Path | None = Field(
        default=None,
        description="JMESPath of the number of records the service claims to have; the run compares it.",
    )
    error_path: Path | None = Field(
        default=None,
        description="JMESPath of an error in an answer that is no fault; such an answer ends the run.",
    )
    for_each: SoapRead | None = Field(
        default=None, description="Parent operation: this stream is read once for each of its records."
    )
    parent_fields: dict[str, Path] = Field(
        default={}, description="Fields to add to each record, with their JMESPath in the parent's record."
    )

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        try:
            self.paged()
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return self

    def paged(self) -> RestRead:
        """What is asked page by page: the operation by its name, the arguments as the body."""
        wanted = [getattr(self.paging, "param", None), getattr(self.paging, "size_param", None)]
        wanted += [self.incremental.param] if self.incremental else []
        within = named(self.arguments)
        of_their_own = {name: f"{{{name}}}" for name in wanted if name and name not in within}
        return RestRead(
            path=self.operation,
            body={**of_their_own, **self.arguments},
            records=self.records,
            single=self.single,
            paging=self.paging,
            incremental=self.incremental,
            total_path=self.total_path,
            error_path=self.error_path,
            for_each=self.for_each.paged() if self.for_each else None,
            parent_fields=self.parent_fields,
        )
