"""Secrets and addresses in a source's YAML: references to the environment or to a file, resolved when first used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from hub.adapters.records import ConfigModel, ConnectorContext
from hub.errors import ConfigurationError


class SecretRef(ConfigModel):
    """Where a secret stands: `{env: NAME}` or `{file: path}`, never the secret itself."""

    env: str | None = Field(
        default=None, min_length=1, description="Environment variable that holds the value."
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        description="File that holds the value; relative to the YAML's folder. One newline at its end is dropped.",
    )

    @model_validator(mode="before")
    @classmethod
    def _not_plain(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError("a secret is not written here: refer to it as {env: NAME} or {file: path}")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if len(self.model_fields_set & set(type(self).model_fields)) != 1:
            raise ValueError("give exactly one of env and file")
        return self

    def resolve(self, context: ConnectorContext) -> str:
        """The value itself, as it stands now.

        Raises:
            ConfigurationError: the variable is not set or the file cannot be read; names it and nothing else.
        """
        fault = self.fault(context)
        if fault:
            raise ConfigurationError([f"{context.source}: {fault}"])
        return self._value(context.environ, context.base_dir)

    def fault(self, context: ConnectorContext) -> str | None:
        """Why the reference leads nowhere, or None when it resolves."""
        if self.env is not None and not context.environ.get(self.env):
            return f"environment variable {self.env} is not set"
        if self.file is not None:
            try:
                self._value({}, context.base_dir)
            except (OSError, UnicodeDecodeError) as error:
                return f"file {self.file} cannot be read ({type(error).__name__})"
        return None

    def _value(self, environ: Mapping[str, str], base_dir: Path) -> str:
        if self.env is not None:
            return environ[self.env]
        text = (base_dir / str(self.file)).read_text(encoding="utf-8")
        return text.removesuffix("\n").removesuffix("\r")


class TextRef(SecretRef):
    """A plain text, or a reference to one: for what is usually no secret, such as a user name."""

    text: str | None = Field(
        default=None, description="The value itself; what a plain string in YAML becomes."
    )

    @model_validator(mode="before")
    @classmethod
    def _not_plain(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler.resolve_ref_schema(handler(schema))
        reference = {name: made["properties"][name] for name in ("env", "file")}
        one_key = {"minProperties": 1, "maxProperties": 1, "additionalProperties": False}
        return {
            "description": cls.__doc__,
            "anyOf": [{"type": "string"}, {"type": "object", "properties": reference, **one_key}],
        }

    def _value(self, environ: Mapping[str, str], base_dir: Path) -> str:
        return self.text if self.text is not None else super()._value(environ, base_dir)


class UrlRef(TextRef):
    """An address without credentials in plain text, or a reference to one that may have them."""

    @model_validator(mode="after")
    def _no_credentials(self) -> Self:
        if self.text is not None and _has_password(self.text):
            raise ValueError("the address holds a password: refer to it as {env: NAME} or {file: path}")
        return self


def unresolved(config: BaseModel, context: ConnectorContext) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each reference in `config` that leads nowhere: the path of its field, and why. Nothing else is reached."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        members = value.items() if isinstance(value, dict) else [(None, value)]
        for key, member in members:
            path = (name,) if key is None else (name, str(key))
            if isinstance(member, SecretRef):
                if fault := member.fault(context):
                    yield path, fault
            elif isinstance(member, BaseModel):
                yield from ((path + inner, fault) for inner, fault in unresolved(member, context))


def no_plain_secrets(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """`values`, in which whatever is named like a secret is a reference.

    Raises:
        ValueError: one is written in plain text; its name is told, its value not.
    """
    plain = [
        name
        for name, value in values.items()
        if (isinstance(value, str) or (isinstance(value, TextRef) and value.text is not None))
        and _SECRET.search(name)
    ]
    if plain:
        raise ValueError(
            f"a secret is not written here: {', '.join(plain)} must be {{env: NAME}} or {{file: path}}"
        )
    return values


def is_secret_name(name: str) -> bool:
    """Whether a parameter or field of this name carries a secret."""
    return bool(_SECRET.search(name))


def references(config: BaseModel) -> Iterator[SecretRef]:
    """Each reference to the environment or a file in `config`, plain texts left out."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        for member in value.values() if isinstance(value, dict) else [value]:
            if isinstance(member, SecretRef):
                if not isinstance(member, TextRef) or member.text is None:
                    yield member
            elif isinstance(member, BaseModel):
                yield from references(member)


def secret_values(config: BaseModel, context: ConnectorContext) -> Iterator[str]:
    """The value of each secret in `config` that resolves; for taking them out of what is written down.

    An address is none: the password within it is.
    """
    for reference in references(config):
        if reference.fault(context) is None:
            value = reference.resolve(context)
            yield from _passwords(value) if isinstance(reference, UrlRef) else [value]


def _passwords(address: str) -> Iterator[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return
    if password:
        yield password


def _has_password(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.password is not None or any(
            _SECRET.search(pair.partition("=")[0]) for pair in parts.query.split("&")
        )
    except ValueError:
        return "@" in address


_SECRET = re.compile(
    r"passw|^pwd$|^sig$|secret|(^|access_|auth_|bearer_)token|api.?key|authorization|credential", re.I
)
