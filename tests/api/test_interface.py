"""The interface's own page: whole without any other server."""

import re


def test_the_page_of_the_interface_takes_its_files_from_here(house):
    page = house.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src" not in page.headers["content-security-policy"]  # default-src 'self' it is
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("static/")  # under whatever path a proxy puts the service
        assert house.client.get(f"/{address}").status_code == 200


def test_files_of_the_page_are_asked_for_anew(house):
    got = house.client.get("/static/js/main.js")
    assert got.headers["cache-control"] == "no-cache"
    again = house.client.get("/static/js/main.js", headers={"If-None-Match": got.headers["etag"]})
    assert again.status_code == 304
