"""Every page in a real browser, wide and narrow, light and dark: no fault, nothing axe or the CSP refuses."""

import copy
import re
from decimal import Decimal as D
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from dashboards import access
from dashboards.models import Person
from dashboards.views import door
from tests.dashboards.browser import (
    PICTURES,
    Look,
    axe_faults,
    look,  # noqa: F401
    picture,
    settled,
    sideways,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.dashboards.parts"),
]


@pytest.fixture(autouse=True)
def parts_templates(settings: Any) -> None:
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(Path(__file__).parent / "templates")
    settings.TEMPLATES = templates


@pytest.fixture
def ada() -> Person:
    return Person.objects.create_user("ada@larkfield.example", "a sentence to remember", name="Ada")


def test_the_sign_in_page_is_sound(look: Look) -> None:  # noqa: F811
    look.at("/sign-in", "sign-in-small")


def test_the_card_of_prices_is_sound(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    rows = [
        SimpleNamespace(name="Gemini 4 Argon", input=D("2"), output=D("10")),
        SimpleNamespace(name="MiMo V2.6 Pro", input=D("0.435"), output=D("0.87")),
        SimpleNamespace(name="A model whose output price nobody knows", input=D("0.15"), output=None),
    ]
    monkeypatch.setattr(door, "card_rows", lambda: rows)
    look.at("/sign-in", "sign-in-card")


def test_a_page_that_is_not_there_is_sound(look: Look) -> None:  # noqa: F811
    look.at("/nowhere", "not-found", expect_status=404)


def test_setting_a_password_is_sound(look: Look, ada: Person) -> None:  # noqa: F811
    page, _ = look.page(390)
    page.goto(look.origin + access.sign_in_link(ada, ""))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Set the password").click()
    picture(page, "set-password-390-light")
    assert axe_faults(page) == []
    page.get_by_label("New password").fill("another long sentence")
    page.get_by_role("button", name="Set the password").click()
    expect(page).to_have_url(look.origin + "/")


def test_a_dead_link_says_what_to_do(look: Look) -> None:  # noqa: F811
    look.at("/sign-in/link/nonsense", "dead-link", expect_status=410)


def test_every_part_is_sound(look: Look, ada: Person) -> None:  # noqa: F811
    look.signed_in_as(ada)
    look.at("/parts", "parts", ignoring=["broken.json", "500"])


def test_evidence_opens_beside_its_number_and_closes_by_key(look: Look, ada: Person) -> None:  # noqa: F811
    look.signed_in_as(ada)
    page, faults = look.page()
    page.goto(f"{look.origin}/parts")
    link = page.locator("td a.ev").first
    link.focus()
    page.keyboard.press("Enter")
    popover = page.locator("#evidence-popover")
    expect(popover).to_be_visible()
    expect(popover).to_contain_text("Why we hold it true")
    expect(popover).to_be_focused()
    expect(link).to_have_attribute("aria-expanded", "true")
    assert popover.locator("[data-open]").get_attribute("href") == page.evaluate(
        "document.querySelector('td a.ev').href"
    )
    settled(page)
    link.scroll_into_view_if_needed()
    assert axe_faults(page) == []
    page.keyboard.press("Escape")
    expect(popover).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(popover).to_be_visible()
    page.screenshot(path=PICTURES / "evidence-1440-light.png")
    assert [line for line in faults.said if "500" not in line and "broken" not in line] == []


def test_evidence_is_a_page_without_script(look: Look, ada: Person) -> None:  # noqa: F811
    look.signed_in_as(ada)
    page, _ = look.page(390, java_script_enabled=False)
    page.goto(f"{look.origin}/parts")
    expect(page.locator(".behind").first).to_be_visible()
    expect(page.locator(".plot").first).to_be_hidden()
    page.locator("td a.ev").first.click()
    assert page.url.endswith("?of=input")
    page.locator("details.org summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{look.origin}/sign-in")


def test_the_find_key_goes_to_the_box_unless_somebody_types(look: Look, ada: Person) -> None:  # noqa: F811
    look.signed_in_as(ada)
    page, _ = look.page()
    page.goto(f"{look.origin}/parts")
    page.keyboard.press("/")
    box = page.get_by_role("searchbox", name="Find a model")
    expect(box).to_be_focused()
    page.keyboard.type("a/b")
    expect(box).to_have_value("a/b")


def test_menus_open_and_close_by_key(look: Look, ada: Person) -> None:  # noqa: F811
    look.signed_in_as(ada)
    for width in (1440, 390):
        page, _ = look.page(width)
        page.goto(f"{look.origin}/parts")
        menu = page.locator(".filters details.menu-box").first
        menu.locator("summary").press("Enter")
        expect(menu.get_by_role("link", name="batch")).to_be_visible()
        page.screenshot(path=PICTURES / f"menu-{width}-light.png")
        assert axe_faults(page) == []
        page.keyboard.press("Escape")
        expect(menu.get_by_role("link", name="batch")).to_be_hidden()
        expect(menu.locator("summary")).to_be_focused()
        page.locator(".org summary").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.screenshot(path=PICTURES / f"organisation-{width}-light.png")


def test_a_chart_is_drawn_anew_for_the_other_scheme_and_a_narrow_window(
    look: Look,  # noqa: F811
    ada: Person,
) -> None:
    look.signed_in_as(ada)
    page, _ = look.page()
    page.goto(f"{look.origin}/parts")
    settled(page)
    bar = page.locator(".plot .point path").first
    svg = page.locator(".plot .main-svg").first
    assert "rgb(42, 68, 188)" in (bar.get_attribute("style") or "")
    assert svg.get_attribute("height") == "352"
    page.emulate_media(color_scheme="dark")
    expect(bar).to_have_attribute("style", re.compile(r"rgb\(123, 145, 238\)"))
    page.set_viewport_size({"width": 390, "height": 844})
    expect(svg).to_have_attribute("height", "300")
    assert sideways(page) == []
