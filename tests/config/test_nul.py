"""An address with a NUL is nowhere, and no fault of the server's."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/models/%00", "/models/a%00b/history.json", "/models/%00/evidence/1"])
def test_an_address_with_a_nul_is_nowhere(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/changes?provider=%00", "/changes?q=%00", "/models?q=a%00b", "/quality?q=%00"])
def test_a_query_with_a_nul_is_a_word_that_nothing_has(client, address):
    assert client.get(address).status_code == 200


def test_the_api_says_so_itself(client):
    assert client.get("/api/v1/prices?q=%00").status_code == 422
