"""The pages: the customer's chat and the API documentation. Every byte comes from this box."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, send_from_directory

STATIC = Path(__file__).parent / "static"
SWAGGER = Path(str(files("flask_openapi_swagger"))) / "templates" / "swagger"

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def chat() -> Response:
    """The customer's chat page."""
    return send_from_directory(STATIC, "index.html")


@blueprint.get("/docs")
def docs() -> Response:
    """The API documentation for people."""
    return send_from_directory(STATIC, "docs.html")


@blueprint.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """A part of our own pages."""
    return send_from_directory(STATIC, name)


@blueprint.get("/docs/<path:name>")
def swagger_file(name: str) -> Response:
    """A part of Swagger UI, out of the installed package."""
    return send_from_directory(SWAGGER, name)


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """The page's icon, for browsers that ask for it by custom."""
    return send_from_directory(STATIC, "icon.svg")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The API documentation for programs."""
    return jsonify(current_app.api_doc)  # type: ignore[attr-defined]
