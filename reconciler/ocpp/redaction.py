"""What must not be written down of a message: passwords, keys, certificates and tokens are taken out of it. Pure.

The stations shell calls it before a frame reaches a log. It knows secrets by the names of fields and of device model
variables (OCPP 2.1 parts 2 and 3), whatever message they stand in; what it can't look into, it takes out whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.profiles.form import JsonObject

REMOVED = "(removed)"
MOST_DEEP = 32
"""How deep an object is looked into; below that everything is taken out."""
FIELDS = frozenset(
    (
        "additionalidtoken",
        "apnpassword",
        "apnusername",
        "authorizationkey",
        "basicauthpassword",
        "certificate",
        "certificatechain",
        "certificatehashdata",
        "certificatehashdatachain",
        "childcertificatehashdata",
        "csr",
        "customercertificate",
        "exirequest",
        "exiresponse",
        "groupidtoken",
        "idtag",
        "idtoken",
        "idtokens",
        "iso15118certificatehashdata",
        "key",
        "masterpass",
        "ocsprequestdata",
        "ocspresult",
        "parentidtag",
        "password",
        "signature",
        "signedmeterdata",
        "signingcertificate",
        "simpin",
        "token",
        "user",
    )
)
"""Fields whose content, whatever it is, is a credential or proves one. `data` of a DataTransfer is one as well."""
VARIABLES = frozenset({"authorizationkey", "basicauthpassword", "password", "privatekey", "masterpass", "simpin"})
"""Variables whose values are credentials, wherever they are named."""
OPAQUE = {"DataTransfer": frozenset({"data"})}
"""What only a maker can read."""
ADDRESSES = frozenset({"location", "ocppcsmsurl", "receipturl", "remotelocation", "responderurl", "url"})
"""Fields that hold a URL, in which a user and a password may stand, and a token behind its question mark."""
NAMES = frozenset({"component", "variable", "attributestatus", "attributetype", "attributestatusinfo"})
"""What is kept of an entry about a secret variable."""


def redact(action: str, payload: JsonObject) -> dict[str, object]:
    """Give a message's payload without what is secret in it; the fields stay, so that one sees that they were there."""
    opaque = OPAQUE.get(action, frozenset())
    return {name: REMOVED if name in opaque else _field(name, value, 0) for name, value in payload.items()}


def _field(name: str, value: object, depth: int) -> object:
    plain = name.casefold()
    if plain in FIELDS:
        return REMOVED
    if plain in ADDRESSES and isinstance(value, str):
        return _address(value)
    return _value(value, depth + 1)


def _value(value: object, depth: int) -> object:
    if depth > MOST_DEEP:
        return REMOVED
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_value(each, depth + 1) for each in value]
    return value


def _object(fields: JsonObject, depth: int) -> dict[str, object]:
    if _is_secret_variable(fields):
        return {name: value if name.casefold() in NAMES else REMOVED for name, value in fields.items()}
    return {name: _field(name, value, depth) for name, value in fields.items()}


def _is_secret_variable(fields: JsonObject) -> bool:
    """Tell whether an object tells or sets a secret variable: SetVariables, GetVariables, NotifyReport, NotifyEvent."""
    variable = fields.get("variable")
    name = variable.get("name") if isinstance(variable, Mapping) else None
    return isinstance(name, str) and name.casefold() in VARIABLES


def _address(url: str) -> str:
    scheme, sign, rest = url.partition("://")
    if not sign:
        return url
    plain, asked, _ = rest.partition("?")
    host, slash, path = plain.partition("/")
    who = f"{REMOVED}@" if "@" in host else ""
    return f"{scheme}://{who}{host.rpartition('@')[2]}{slash}{path}{f'?{REMOVED}' if asked else ''}"
