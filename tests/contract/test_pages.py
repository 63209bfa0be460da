"""The pages that cards link to: there, for people, without patient data, and without anything from elsewhere."""

import re

import pytest
from flask.testing import FlaskClient

from tests.builders.conversation import post, valid_call

PUBLIC_URL = "http://127.0.0.1:8000"
pytestmark = pytest.mark.parametrize("client", ["whole service"], indirect=True)


@pytest.mark.parametrize("path", ["/about", "/about/causes"])
def test_a_page_is_self_contained(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert "<h1" in text
    assert not re.search(r"<script|<link[^>]+stylesheet|<img|@import|\bsrc=|\bon[a-z]+=", text)
    assert "style-src 'unsafe-inline'" in answer.headers["Content-Security-Policy"]


def test_what_a_card_links_to_here_is_there(client: FlaskClient) -> None:
    (card,) = post(client, valid_call()).get_json()["cards"]
    urls = [card["source"]["url"], *(link["url"] for link in card["links"])]
    ours = [url.removeprefix(PUBLIC_URL) for url in urls if url.startswith(PUBLIC_URL)]
    assert ours
    for path in ours:
        assert client.get(path.partition("#")[0]).status_code == 200, path
