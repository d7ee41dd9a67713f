"""Checking what somebody wrote in a TOML file against a pydantic model: one sentence, and the nearest key there is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from recsvc.errors import ConfigError

SHOWN = 80  # characters of a wrong value
Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A table of a TOML file: frozen, and a key nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def checked(model: type[Model], document: Mapping[str, Any], what: str) -> Model:  # Any: TOML nests freely
    """Read a document as a model.

    Parameters
    ----------
    what
        The document is, for the sentence of the error: "the config".

    Raises
    ------
    ConfigError
        A key is unknown (the nearest one is named), or a value is out of range.

    Examples
    --------
    >>> class Shop(Section):
    ...     currency: str = "EUR"
    >>> checked(Shop, {"curency": "USD"}, "the config")
    Traceback (most recent call last):
        ...
    recsvc.errors.ConfigError: curency: is not a key of the config; did you mean currency?
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise _config_error(error, model, what) from error


def _config_error(error: ValidationError, model: type[BaseModel], what: str) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return ConfigError(key or what, f"{first['msg']} (got {str(first['input'])[:SHOWN]!r})")
    known = _known_keys(model, first["loc"][:-1])
    nearest = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known here: {', '.join(known)}"
    return ConfigError(key, f"is not a key of {what}", hint)


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Keys of the section that `path` leads to; numbers in it are places in a list."""
    for name in path:
        if isinstance(name, str):
            annotation = model.model_fields[name].annotation
            choices = getattr(annotation, "__args__", (annotation,))
            model = next(one for one in choices if isinstance(one, type) and issubclass(one, BaseModel))
    return list(model.model_fields)
