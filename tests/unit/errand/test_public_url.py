"""PUBLIC_URL: written as a link needs it, or refused with a sentence that says what to change."""

import pytest

from errand.public_url import checked_public_url, path_of


@pytest.mark.parametrize(
    ("url", "checked", "path"),
    [
        ("", "", ""),
        ("https://example.org", "https://example.org", ""),
        ("https://example.org/", "https://example.org", ""),
        ("HTTPS://Example.ORG:8443/Errand//", "https://example.org:8443/Errand", "/Errand"),
        ("https://example.org:/errand", "https://example.org/errand", "/errand"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", ""),
        ("http://[::0001]:5000/a/b", "http://[::1]:5000/a/b", "/a/b"),
        ("https://bücher.example/errand", "https://xn--bcher-kva.example/errand", "/errand"),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah", ""),
        (
            "https://example.org/api/v1.2/~errand_x-y",
            "https://example.org/api/v1.2/~errand_x-y",
            "/api/v1.2/~errand_x-y",
        ),
        ("http://localhost/...", "http://localhost/...", "/..."),
    ],
)
def test_a_url_is_written_in_one_way(url, checked, path):
    assert checked_public_url(url) == checked
    assert path_of(checked_public_url(url)) == path


@pytest.mark.parametrize(
    ("url", "about"),
    [
        ("example.org", "http://"),
        ("//example.org", "http://"),
        ("ftp://example.org", "http://"),
        ("https:example.org", "http://"),
        ("https:///errand", "http://"),
        ("https://example.org?x=1", "query"),
        ("https://example.org/?", "query"),
        ("https://example.org/#top", "fragment"),
        ("https://example.org/errand#", "fragment"),
        ("https://user@example.org", "user"),
        ("https://user:secret@example.org", "user"),
        ("https://example.org:0", "port"),
        ("https://example.org:65536", "port"),
        ("https://example.org:http", "port"),
        ("https://example.org:-1", "port"),
        ("https://:443", "host"),
        ("https://exam!ple.org", "host"),
        ("https://-example.org", "host"),
        ("https://example..org", "host"),
        ("https://256.1.1.1", "host"),
        ("https://1.2.3", "host"),
        ("https://example.1", "host"),
        ("https://" + "a" * 64 + ".org", "host"),
        ("https://" + "a." * 130 + "org", "host"),
        ("https://bü cher.example", "spaces"),
        ("https://bü--\u200b.example", "host"),
        ("https://[::1", "brackets"),
        ("https://[example]", "host"),
        ("https://::1", "host"),
        ("https://example.org/a b", "spaces"),
        (" https://example.org", "spaces"),
        ("https://example.org\n", "spaces"),
        ("https://example.org/\x00", "spaces"),
        ("https://example.org\\errand", "backslashes"),
        ("https://example.org/./errand", "path"),
        ("https://example.org/errand/..", "path"),
        ("https://example.org/../errand", "path"),
        ("https://example.org//errand", "path"),
        ("https://example.org/a//b", "path"),
        ("https://example.org/a%20b", "path"),
        ("https://example.org/bücher", "path"),
        ('https://example.org/"', "path"),
    ],
)
def test_a_url_that_would_make_broken_links_is_refused(url, about):
    with pytest.raises(ValueError, match=about) as refusal:
        checked_public_url(url)

    assert "secret" not in str(refusal.value)
