from __future__ import annotations

import re

from tests.service import Service


def test_the_docs_page_and_all_it_needs_come_from_this_host(service: Service) -> None:
    page = service.client.get("/docs")

    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    replies = {part: service.client.get(f"/{part}", buffered=True) for part in parts}
    assert len(parts) == 3
    assert all(not part.startswith(("http:", "https:", "//")) for part in parts)
    assert {reply.status_code for reply in replies.values()} == {200}
    assert replies["docs/swagger-ui.css"].mimetype == "text/css"
    assert replies["docs/swagger-ui-bundle.js"].mimetype == "text/javascript"
    assert "openapi.json" in replies["docs/start.js"].text


def test_the_docs_page_may_run_its_own_scripts_only(service: Service) -> None:
    policy = service.client.get("/docs").headers["Content-Security-Policy"]

    assert "script-src 'self';" in policy
    assert "http" not in policy


def test_other_files_of_the_wheel_are_not_served(service: Service) -> None:
    assert service.client.get("/docs/swagger-ui-standalone-preset.js").status_code == 404
    assert service.client.get("/docs/..%2F__init__.py").status_code == 404
