"""The one place that turns errors into status codes, headers, JSON bodies, plain text for git, and pages."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, current_app, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError

from glasshub import errors
from glasshub.web.context import Moved, actor
from glasshub.web.headers import request_id

STATUS: dict[type[errors.GlasshubError], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.RangeNotSatisfiable: 416,
    errors.TooManyRequests: 429,
    errors.Busy: 503,
    errors.GlasshubError: 500,
}
_JSON_BLUEPRINTS = frozenset({"files", "uploads", "cas", "oauth"})
_GIT_BLUEPRINT, _LFS_BLUEPRINT = "smart_http", "lfs"
_REALM = 'Basic realm="Glasshub: any user name, a token as password"'


def status_of(error: errors.GlasshubError) -> int:
    """The status code of an error: that of its nearest listed class."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def init_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(errors.GlasshubError, _on_glasshub_error)
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(Moved, _on_moved)


def _on_moved(moved: Moved) -> ResponseReturnValue:
    return redirect(moved.location, code=307)  # 307 keeps method and body, which API clients rely on


def _on_glasshub_error(error: errors.GlasshubError) -> ResponseReturnValue:
    status = status_of(error)
    if status == 500:
        current_app.logger.error("request %s failed", request_id(), exc_info=error)
    if request.blueprint == _GIT_BLUEPRINT:
        return _git_answer(status, error.message)
    if request.blueprint == _LFS_BLUEPRINT:
        return _lfs_answer(status, error.code, error.message)
    if _wants_json():
        return _json_answer(status, error.code, error.message)
    if isinstance(error, errors.Unauthenticated) and request.method == "GET" and "Authorization" not in request.headers:
        return redirect(f"/login?next={quote(request.full_path.rstrip('?'), safe='/')}")
    return _page(status, error.code, error.message, error.page if isinstance(error, errors.GatedRepo) else "")


def _on_http_exception(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error
    code = "Internal" if isinstance(error, InternalServerError) else HTTPStatus(status).phrase.replace(" ", "")
    message = _sentence(error, status)
    if request.blueprint == _GIT_BLUEPRINT:
        return _git_answer(status, message)
    response = _json_answer(status, code, message) if _wants_json() else _page(status, code, message)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _sentence(error: HTTPException, status: int) -> str:
    if status >= 500:
        return f"Something broke on the hub; it has been logged. If you report it, name request {request_id()}."
    if status == 404:
        return "There is nothing at this address. Check the spelling, or use the search."
    if status == 413:
        most, fields = (limit or 0 for limit in (request.max_content_length, request.max_form_memory_size))
        return (
            f"The request is too large: at most {most:,} bytes are taken here, of which {fields:,} outside of files. "
            "Go back and send less, or a smaller file."
        )
    return error.description or HTTPStatus(status).phrase


def _wants_json() -> bool:
    return request.path.startswith("/api/") or request.blueprint in _JSON_BLUEPRINTS


def _json_answer(status: int, code: str, message: str) -> Response:
    response = jsonify({"error": message, **g.get("error_fields", {})})
    response.status_code = status
    _tell(response, code, message)
    if "commit" in g:
        response.headers["X-Repo-Commit"] = g.commit
    if status == 416 and "size" in g:
        response.headers["Content-Range"] = f"bytes */{g.size}"
    if request.blueprint == "cas":
        # Xet clients show their user nothing of an answer but its status line.
        response.status = f"{status} {' '.join(message.encode('ascii', 'replace').decode('ascii').split())}"
    return response


def _tell(response: Response, code: str, message: str) -> None:
    """What programs read without the body."""
    response.headers["X-Error-Code"] = code
    response.headers["X-Error-Message"] = " ".join(message.encode("latin-1", "replace").decode("latin-1").split())


def _git_answer(status: int, message: str) -> Response:
    # git shows a text/plain body to its user. An anonymous reader gets 401 whether or not the repo exists:
    # git asks for credentials only then, and a 404 for missing repos alone would betray the private ones.
    if status in (401, 404) and not actor().signed_in:
        status = 401
    response = Response(message + "\n", status, content_type="text/plain; charset=utf-8")
    if status == 401:
        response.headers["WWW-Authenticate"] = _REALM
    return response


def _lfs_answer(status: int, code: str, message: str) -> Response:
    # As for git: an anonymous reader is asked for credentials whether or not the repo exists. Signed addresses say all
    # that is asked for themselves.
    if status in (401, 404) and not actor().signed_in and not request.path.startswith("/lfs/"):
        status = 401
    response = jsonify({"message": message, "request_id": request_id(), **g.get("error_fields", {})})
    response.status_code, response.content_type = status, "application/vnd.git-lfs+json"
    _tell(response, code, message)  # the Python client, which does not read git-lfs's message
    if status == 401:
        response.headers["LFS-Authenticate"] = response.headers["WWW-Authenticate"] = _REALM
    return response


def _page(status: int, code: str, message: str, gate: str = "") -> Response:
    title = "Ask for access" if gate else HTTPStatus(status).phrase
    body = render_template(
        "errors/error.html", status=status, title=title, message=message, code=code, request_id=request_id(), gate=gate
    )
    response = Response(body, status, content_type="text/html; charset=utf-8")
    _tell(response, code, message)
    return response
