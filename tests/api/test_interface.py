"""The interface's own page: whole without any other server."""

import re


def test_the_page_of_the_interface_takes_its_files_from_here(house):
    page = house.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src" not in page.headers["content-security-policy"]  # default-src 'self' it is
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/static/")
        assert house.client.get(address).status_code == 200
