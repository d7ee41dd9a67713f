"""The description of the routes, and a page to read and try it. Its JavaScript ships in a wheel: no CDN."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flask import Response, send_file
from werkzeug.exceptions import NotFound

from recsvc.api.route import Route
from recsvc.api.services import Services

WHEEL = "flask_openapi3_swagger"  # only its files are used, nothing of it runs here
ASSETS = {"swagger-ui.css": "css", "swagger-ui-bundle.js": "js"}
MAX_AGE_SECONDS = 86_400
POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
POLICY += "connect-src 'self'; frame-ancestors 'none'"  # the page styles its elements inline
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>recsvc API</title><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body>
</html>
"""
START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#ui", deepLinking: true, validatorUrl: null});\n'


def openapi(services: Services) -> Response:
    """Write the OpenAPI 3.1 description."""
    return Response(services.openapi, mimetype="application/json")


def docs(services: Services) -> Response:
    """Show the description to people."""
    response = Response(PAGE, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def docs_asset(services: Services, asset: str) -> Response:
    """Send one of the page's files.

    Raises
    ------
    NotFound
        If the page has no such file.
    """
    if asset == "start.js":
        return Response(START, mimetype="text/javascript")
    if asset not in ASSETS:
        raise NotFound
    path = Path(str(files(WHEEL))) / "templates" / "swagger" / ASSETS[asset] / asset
    return send_file(path, max_age=MAX_AGE_SECONDS)


ROUTES = (
    Route("GET", "/openapi.json", openapi, "This description"),
    Route("GET", "/docs", docs, "This description, to read and try"),
    Route("GET", "/docs/<asset>", docs_asset, "A file of the docs page", statuses=(404,)),
)
