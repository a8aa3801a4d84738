"""Reviewables of the stand-in."""

from __future__ import annotations

import requests

from tests.sandbox.ayon.asking import KEY


def test_a_reviewable_sent_again_is_another_one(served, make):
    folder = make("folder", name="assets")
    version = make("version", version=1, productId=make("product", name="render", folderId=folder))
    url = f"{served.base_url}/api/projects/film/versions/{version}/reviewables"

    def upload(kind: str) -> requests.Response:
        headers = {**KEY, "Content-Type": kind, "X-File-Name": "review"}
        return requests.post(url, data=b"...", headers=headers, timeout=10)

    kinds = ("image/png", "image/png", "video/mp4", "video/quicktime")
    assert [upload(kind).status_code for kind in kinds] == [200] * 4
    refused = upload("text/plain")
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "Only videos and images are supported for reviewables now",
    )
    found = requests.get(url, headers=KEY, timeout=10).json()["reviewables"]
    availability = [one["availability"] for one in found]
    assert availability == ["ready", "ready", "conversionRecommended", "conversionRequired"]
    assert len({one["activityId"] for one in found}) == 4
