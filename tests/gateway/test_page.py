"""The page and what every answer tells a browser."""

from pathlib import Path

import pytest

from tests.gateway.conftest import Door


@pytest.fixture
def built(dist: Path) -> Path:
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>Fenceline</title>")
    (dist / "assets" / "index-abc123.js").write_text("export {}")
    (dist / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (dist.parent / "secret.txt").write_text("secret")
    (dist / "link.txt").symlink_to(dist.parent / "secret.txt")
    return dist


def build(dist: Path) -> None:
    dist.mkdir()
    (dist / "index.html").write_text("built")


async def test_the_built_page_is_served(door: Door, built: Path) -> None:
    client = await door.client()
    index = await client.get("/")
    assert index.status_code == 200
    assert index.headers["content-type"].startswith("text/html")
    assert index.headers["cache-control"] == "no-store"
    script = await client.get("/assets/index-abc123.js")
    assert script.text == "export {}"
    assert "javascript" in script.headers["content-type"]
    assert "immutable" in script.headers["cache-control"]
    assert (await client.get("/icon.svg")).headers["content-type"].startswith("image/svg+xml")
    assert (await client.head("/")).status_code == 200


async def test_nothing_outside_the_build_is_served(door: Door, built: Path) -> None:
    client = await door.client()
    for path in ("/link.txt", "/secret.txt", "/assets", "/assets/none.js", "/%2e%2e/secret.txt"):
        answer = await client.get(path)
        assert answer.status_code == 404, path
        assert "secret" not in answer.text.replace(path, "").replace("/secret.txt", "")


async def test_before_it_is_built_the_page_says_so_in_both_languages(door: Door, dist: Path) -> None:
    client = await door.client()
    answer = await client.get("/")
    assert answer.status_code == 503
    assert "页面尚未构建" in answer.text
    assert "has not been built" in answer.text
    assert (await client.get("/icon.svg")).status_code == 404
    build(dist)
    assert (await client.get("/")).text == "built"


async def test_every_answer_is_strict(door: Door, built: Path) -> None:
    client = await door.client()
    for path in ("/", "/icon.svg", "/docs", "/api/v1/openapi.json", "/api/v1/session", "/nothing", "/a//b"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
    assert (await client.get("/api/v1/session")).headers["cache-control"] == "no-store"
