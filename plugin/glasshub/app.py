"""The WSGI application: wiring only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from glasshub.errors import GlasshubError
from glasshub.hub import Hub
from glasshub.web import api, cas, cas_tokens, files, lfs_locks, oauth, pages, smart_http, uploads
from glasshub.web.auth import init_auth
from glasshub.web.context import EXTENSION
from glasshub.web.encoding import init_encoding
from glasshub.web.errors import init_errors
from glasshub.web.headers import init_headers
from glasshub.web.templating import init_templates

MAX_FORM_BYTES = 16 * 1024**2
MAX_FIELD_BYTES = 2 * 1024**2  # fields that are no files; what is typed into the editor is the largest


def create_app(hub: Hub) -> Flask:
    """The application that serves ``hub``: pages, API and git on one address."""
    app = Flask(__name__, template_folder="templates", static_folder="web/static", static_url_path="/static")
    app.config.update(
        SECRET_KEY=_secret_key(hub.settings.data / "secret_key"),
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FIELD_BYTES,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions[EXTENSION] = hub
    init_encoding(app)
    init_errors(app)
    init_headers(app)
    init_templates(app)
    app.before_request(uploads.allow_attachments)
    init_auth(app)
    for blueprint in (
        smart_http.bp,
        cas.bp,
        cas_tokens.bp,
        lfs_locks.bp,
        files.bp,
        uploads.bp,
        oauth.bp,
        *api.BLUEPRINTS,
        *pages.BLUEPRINTS,
    ):
        app.register_blueprint(blueprint)
    if hub.settings.trusted_proxies:
        hops = hub.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _secret_key(path: Path) -> bytes:
    """The key that signs form tokens: made once, shared by all processes of this hub."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(fresh, path)  # atomic, and keeps the first one when two processes start at once
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = path.read_bytes()
    if len(key) < 32:
        raise GlasshubError(f"{path} is damaged. Delete it and start again; open forms will have to be sent anew.")
    return key
